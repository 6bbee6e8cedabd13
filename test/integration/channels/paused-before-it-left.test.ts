import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTempoSandbox, type TempoSandbox } from '../../../sandbox/tempo/start.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { createTempo } from '../../../src/providers/tempo/client.js';
import { captureOf, storeChannel } from '../../support/channels/channel-rows.js';
import { chainClient, newAccount, openChannel, signVoucher } from '../../support/channels/tempo-chain.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { settleOnce } from '../../support/settlements/settling.js';

/** A capture asks the node several things between its claim and its transaction: what is decided meanwhile holds. */

const PAYEE_KEY = generatePrivateKey();
const PERSON = { provider: 'chain', by: 'ann', authenticated: true, note: '' } as const;
const LAST_BEFORE_THE_TRANSACTION = 'eth_estimateGas';
const LONGER_THAN_ANY_CLAIM_MS = 120_000;

let store: TestLedger;
let chain: TempoSandbox;
let id: SettlementId;
let meanwhile: (() => unknown) | undefined;

beforeEach(async () => {
  meanwhile = undefined;
  store = await openTestLedger();
  chain = await startTempoSandbox();
  const payer = chainClient(chain.url, newAccount());
  const channel = await openChannel(payer, { payee: privateKeyToAccount(PAYEE_KEY).address, deposit: 1000n });
  await storeChannel(store.database, channel, { deposit: 1000n, accepted: 100n, earned: 90n });
  const signature = await signVoucher(payer, channel.channelId, 80n);
  const opened = await store.ledger.openCapture(
    captureOf(channel, { kind: 'settle', cumulative: 80n, capture: 80n, newly: 80n, signature }),
  );
  if (opened.kind !== 'opened') throw new Error(`the capture is ${opened.kind}`);
  id = opened.id;
});
afterEach(async () => {
  await chain.close();
  await store.dispose();
});

/** One attempt, during whose last question to the node `meanwhile` happens. */
async function attempt(ledger = store.ledger) {
  const asking: typeof fetch = async (url, init) => {
    const answer = await fetch(url, init);
    if (typeof init?.body === 'string' && init.body.includes(LAST_BEFORE_THE_TRANSACTION)) {
      const happens = meanwhile;
      meanwhile = undefined;
      await happens?.();
    }
    return answer;
  };
  const tempo = createTempo({
    rpcUrl: chain.url,
    chainId: chain.chainId,
    payeeKey: PAYEE_KEY,
    clock: store.clock,
    fetch: asking,
  });
  const authServer = { settle: () => Promise.reject(new Error('the chain is asked')) };
  const [outcome] = await settleOnce(ledger, [id], { authServer, tempo });
  return outcome;
}
const captured = () => chain.ledger().totals.captured;
const find = () => store.ledger.findSettlement(id);

describe('a capture that is on its way to the chain', () => {
  it('does not leave once a person has paused the chain; it is surely not sent, no failure, and goes out once when resumed', async () => {
    meanwhile = () => store.ledger.pauseProvider(PERSON);
    expect(await attempt()).toMatchObject({ kind: 'retry', why: 'chain is paused: the capture was not sent' });
    expect(captured()).toBe('0');
    expect(await find()).toMatchObject({ status: 'pending', certainty: 'not_sent', attention: null });
    const [row] = await store.database.query(
      'SELECT first_failure_at, last_answer, runner, blocked_by FROM settlements WHERE id = $1',
      [id],
    );
    expect(row).toEqual({ first_failure_at: null, last_answer: 'stopped', runner: null, blocked_by: null });

    store.clock.advance(LONGER_THAN_ANY_CLAIM_MS);
    expect(await attempt()).toMatchObject({ kind: 'waiting', why: 'breaker' });
    await store.ledger.resumeProvider(PERSON);
    expect(await attempt()).toMatchObject({ kind: 'final', status: 'settled' });
    expect(chain.ledger().totals).toEqual({ captured: '80', transactions: 2 });
  });

  it('does not leave once its claim has lapsed, and goes out once by the next attempt', async () => {
    meanwhile = () => store.clock.advance(LONGER_THAN_ANY_CLAIM_MS);
    expect(await attempt()).toMatchObject({ kind: 'retry' });
    expect(captured()).toBe('0');
    expect(await attempt()).toMatchObject({ kind: 'final', status: 'settled' });
    expect(chain.ledger().totals).toEqual({ captured: '80', transactions: 2 });
  });

  it('does not leave where the ledger cannot say whether it may', async () => {
    const settlementStopped = () => Promise.reject(new Error('the connection is lost'));
    expect(await attempt({ ...store.ledger, settlementStopped })).toMatchObject({ kind: 'retry' });
    expect(captured()).toBe('0');
    expect(await find()).toMatchObject({ status: 'pending', certainty: 'not_sent' });
  });
});
