import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTempoSandbox, type TempoSandbox } from '../../../sandbox/tempo/start.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { createTempo } from '../../../src/providers/tempo/client.js';
import { resolveSignal } from '../../../workflows/messages.js';
import { captureOf, storeChannel } from '../../support/channels/channel-rows.js';
import {
  type ChainClient,
  chainClient,
  newAccount,
  type OpenedChannel,
  openChannel,
  signVoucher,
} from '../../support/channels/tempo-chain.js';
import { openReplayedSettlements, type ReplayedSettlements } from '../../support/settlements/replayed-settlements.js';
import { TIMINGS } from '../../support/settlements/settlement-world.js';
import { openTimeSkippingEnvironment } from '../../support/time-skipping-environment.js';

const PAYEE_KEY = generatePrivateKey();
let env: TestWorkflowEnvironment;
let settlements: ReplayedSettlements;
let chain: TempoSandbox;
let payer: ChainClient;
let channel: OpenedChannel;

beforeAll(async () => {
  env = await openTimeSkippingEnvironment();
});
afterAll(() => env.teardown());
beforeEach(async () => {
  // The chain stays at the time of this machine, by which viem lets transactions expire.
  chain = await startTempoSandbox();
  payer = chainClient(chain.url, newAccount());
  channel = await openChannel(payer, { payee: privateKeyToAccount(PAYEE_KEY).address, deposit: 1000n });
  settlements = await openReplayedSettlements(env, (clock) =>
    createTempo({ rpcUrl: chain.url, chainId: chain.chainId, payeeKey: PAYEE_KEY, clock }),
  );
  await storeChannel(settlements.test.database, channel, { deposit: 1000n, accepted: 100n, earned: 90n });
});
afterEach(async () => {
  await settlements.dispose();
  await chain.close();
});

async function opened(
  kind: 'settle' | 'close' = 'settle',
  cumulative = 80n,
  capture = cumulative,
): Promise<SettlementId> {
  const signature = await signVoucher(payer, channel.channelId, cumulative);
  const outcome = await settlements.test.ledger.openCapture(
    captureOf(channel, { kind, cumulative, capture, newly: capture, signature }),
  );
  if (outcome.kind !== 'opened') throw new Error(`the capture is ${outcome.kind}`);
  return outcome.id;
}
const start = (settlementId: SettlementId) =>
  settlements.start(settlementId, { settlementId, protocol: 'mpp', provider: 'tempo', settings: TIMINGS });
const find = (id: SettlementId) => settlements.test.ledger.findSettlement(id);
async function channelRow() {
  const [row] = await settlements.test.database.query('SELECT settled, finalized FROM channels WHERE channel_id = $1', [
    channel.channelId,
  ]);
  return row;
}
const answersOf = async (id: SettlementId) => {
  const rows = await settlements.test.database.query<{ answer_class: string }>(
    `SELECT answer_class FROM operation_events WHERE item_id = $1 AND kind = 'answered' ORDER BY seq`,
    [id],
  );
  return rows.map((row) => row.answer_class);
};

describe('a capture of a channel', () => {
  it('is settled on chain by one transaction, and ledger and channel say so', async () => {
    const id = await opened();
    expect(await (await start(id)).result()).toMatchObject({ kind: 'final', status: 'settled' });
    const [transaction] = chain.ledger().transactions.slice(-1);
    expect(await find(id)).toMatchObject({ txHash: transaction?.hash, alreadySettled: false, attempts: 1 });
    expect(await channelRow()).toEqual({ settled: '80', finalized: false });
    expect(chain.ledger().totals).toEqual({ captured: '80', transactions: 2 });
  });

  it('closes a channel on which nothing was spent: the payer has the deposit back', async () => {
    const id = await opened('close', 90n, 0n);
    expect(await (await start(id)).result()).toMatchObject({ kind: 'final', status: 'settled' });
    expect(await channelRow()).toEqual({ settled: '0', finalized: true });
    expect(chain.ledger().channels[0]).toMatchObject({ settled: '0', refunded: '1000', closed: true });
  });

  it('waits out a node that is down, by the retry policy, and lands once', async () => {
    const id = await opened();
    chain.setFaults([{ kinds: ['unavailable'], on: ['eth_chainId'], times: 9 }]);
    expect(await (await start(id)).result()).toMatchObject({ kind: 'final', status: 'settled' });
    expect(await answersOf(id)).toEqual([...Array.from({ length: 9 }, () => 'server_error'), 'done']);
    expect(chain.ledger().totals).toEqual({ captured: '80', transactions: 2 });
  });

  it('whose answer was lost is found on chain by the next attempt: no second transaction', async () => {
    const id = await opened();
    // The node took the transaction and is ill from then on; the next attempt reads the channel first.
    chain.setFaults([
      { kinds: ['reset_after_commit'], times: 1 },
      { kinds: ['unavailable'], on: ['eth_getTransactionReceipt'], times: 1 },
    ]);
    expect(await (await start(id)).result()).toMatchObject({ kind: 'final', status: 'settled' });
    expect(await answersOf(id)).toEqual(['reset', 'already_settled']);
    expect(await find(id)).toMatchObject({ alreadySettled: true, txHash: expect.stringMatching(/^0x/), attempts: 2 });
    expect(chain.ledger().totals).toEqual({ captured: '80', transactions: 2 });
  });

  it('that somebody captured before our first attempt is settled without a question: it can only have gone to the payee', async () => {
    await (await start(await opened())).result();
    const again = await opened('settle', 79n);
    expect(await (await start(again)).result()).toMatchObject({ kind: 'final', status: 'settled' });
    expect(await find(again)).toMatchObject({ alreadySettled: true, attention: null, attempts: 1 });
    expect(chain.ledger().totals.transactions).toBe(2);
  });

  it('that the chain undid is sent again, and captured once', async () => {
    const id = await opened();
    chain.setFaults([{ kinds: ['reverted'], times: 2 }]);
    expect(await (await start(id)).result()).toMatchObject({ kind: 'final', status: 'settled' });
    expect(chain.ledger().totals.captured).toBe('80');
  });

  it('that the chain refuses asks a person, whose word is checked on chain', async () => {
    const signature = await signVoucher(chainClient(chain.url, newAccount()), channel.channelId, 80n);
    const outcome = await settlements.test.ledger.openCapture(
      captureOf(channel, { kind: 'settle', cumulative: 80n, capture: 80n, newly: 80n, signature }),
    );
    const id = outcome.kind === 'opened' ? outcome.id : undefined;
    const handle = await start(id!);
    await settlements.untilAttention(id!, '1 second');
    expect(await find(id!)).toMatchObject({ attention: { reason: 'credential_refused' }, certainty: 'absent' });
    await handle.signal(resolveSignal, { action: 'settled', by: 'ann', note: 'saw it', evidence: { tx_hash: '0x1' } });
    await handle.signal(resolveSignal, { action: 'write_off', by: 'ann', note: 'the voucher is forged' });
    expect(await handle.result()).toMatchObject({ kind: 'final', status: 'written_off' });
    const decisions = await settlements.test.database.query('SELECT action, state FROM decisions WHERE item_id = $1', [
      id,
    ]);
    expect(decisions).toEqual([{ action: 'write_off', state: 'applied' }]);
    expect(chain.ledger().totals.captured).toBe('0');
  });
});
