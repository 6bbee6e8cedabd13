import { createServer, type Server } from 'node:http';
import { toHex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { Channel as Reserve } from 'viem/tempo';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { captureBody, captureLookup } from '../../../src/domain/capture.js';
import type { Capture, ChannelId } from '../../../src/domain/channel.js';
import { systemClock } from '../../../src/domain/clock.js';
import { createTempo, type Tempo, type TempoSettings } from '../../../src/providers/tempo/client.js';
import { startTempoSandbox, type TempoSandbox } from '../../../src/sandbox/tempo/start.js';
import {
  type ChainClient,
  Constants,
  chainClient,
  newAccount,
  type OpenedChannel,
  openChannel,
  signVoucher,
  TOKEN,
} from '../../support/tempo-chain.js';

const PAYEE_KEY = generatePrivateKey();
const payee = privateKeyToAccount(PAYEE_KEY);
const LIMIT_MS = 3_000;

let sandbox: TempoSandbox;
let payer: ChainClient;
let channel: OpenedChannel;
let tempo: Tempo;
beforeEach(async () => {
  sandbox = await startTempoSandbox();
  payer = chainClient(sandbox.url, newAccount());
  channel = await openChannel(payer, { payee: payee.address, deposit: 1000n });
  tempo = tempoAt(sandbox.url);
});
afterEach(() => sandbox.close());

const tempoAt = (rpcUrl: string, changes: Partial<TempoSettings> = {}) =>
  createTempo({ rpcUrl, chainId: sandbox.chainId, payeeKey: PAYEE_KEY, clock: systemClock, ...changes });

type Changes = Partial<Omit<Capture, 'channel'>> & { readonly channel?: Partial<Capture['channel']> };

async function captureWith(changes: Changes = {}): Promise<Capture> {
  const cumulative = changes.cumulative ?? 40n;
  return {
    kind: 'settle',
    cumulative,
    capture: cumulative,
    newly: cumulative,
    signature: await signVoucher(payer, channel.channelId, cumulative),
    ...changes,
    channel: {
      id: channel.channelId as string as ChannelId,
      chainId: sandbox.chainId,
      escrow: Constants.tip20ChannelEscrow,
      payer: payer.account.address,
      token: TOKEN,
      descriptor: { ...channel.descriptor },
      ...changes.channel,
    },
  };
}
const bodyOf = async (changes?: Changes) => captureBody(await captureWith(changes));
const settle = async (changes: Changes = {}, timeoutMs = LIMIT_MS) =>
  tempo.settle({ body: await bodyOf(changes), key: 'key-1', timeoutMs });
const captured = () => sandbox.ledger().totals.captured;
/** Transactions beside the one that opened the channel. */
const sent = () => sandbox.ledger().transactions.length - 1;

describe('a capture', () => {
  it('is one transaction, and done with its hash', async () => {
    const answer = await settle();
    const [transaction] = sandbox.ledger().transactions.slice(-1);
    expect(answer).toEqual({ kind: 'done', alreadySettled: false, txHash: transaction?.hash });
    expect([captured(), transaction?.events]).toEqual(['40', ['Settled']]);
  });

  it('that is on chain already is done without a transaction, whoever sent it', async () => {
    const { txHash } = (await settle()) as { txHash: string };
    expect(await settle()).toEqual({ kind: 'done', alreadySettled: true, txHash });
    expect(await settle({ cumulative: 30n })).toEqual({ kind: 'done', alreadySettled: true, txHash });
    expect([sent(), captured()]).toEqual([1, '40']);
  });

  it('of a higher voucher takes only the difference', async () => {
    await settle();
    expect(await settle({ cumulative: 65n })).toMatchObject({ kind: 'done', alreadySettled: false });
    expect(sandbox.ledger().channels[0]?.captures.map((each) => each.captured)).toEqual(['40', '25']);
  });

  it('by closing takes its amount, not what the voucher allows, and gives the rest back', async () => {
    const answer = await settle({ kind: 'close', cumulative: 80n, capture: 50n });
    expect(answer).toMatchObject({ kind: 'done', alreadySettled: false });
    expect(sandbox.ledger().channels[0]).toMatchObject({ settled: '50', refunded: '950', closed: true });
    expect(await settle({ kind: 'close', cumulative: 80n, capture: 50n })).toEqual({ ...answer, alreadySettled: true });
    expect(sent()).toBe(1);
  });

  it('closes a channel on which nothing was spent', async () => {
    expect(await settle({ kind: 'close', capture: 0n })).toMatchObject({ kind: 'done', alreadySettled: false });
    expect(sandbox.ledger().channels[0]).toMatchObject({ settled: '0', refunded: '1000', closed: true });
    expect(await settle({ kind: 'close', capture: 0n })).toMatchObject({ kind: 'done', alreadySettled: true });
  });

  it('closes a channel of which all was captured before, because the deposit has to go back', async () => {
    await settle({ cumulative: 50n });
    expect(await settle({ kind: 'close', cumulative: 80n, capture: 50n })).toMatchObject({ alreadySettled: false });
    expect(sandbox.ledger().channels[0]).toMatchObject({ settled: '50', refunded: '950', closed: true });
  });

  it('that closes where somebody captured more meanwhile takes nothing more', async () => {
    await settle({ cumulative: 60n });
    expect(await settle({ kind: 'close', cumulative: 80n, capture: 50n })).toMatchObject({ kind: 'done' });
    expect(sandbox.ledger().channels[0]).toMatchObject({ settled: '60', closed: true });
  });

  it('to settle is done where the channel was closed at as much', async () => {
    const { txHash } = (await settle({ kind: 'close', cumulative: 80n, capture: 50n })) as { txHash: string };
    expect(await settle({ cumulative: 50n })).toEqual({ kind: 'done', alreadySettled: true, txHash });
    expect(await settle({ cumulative: 51n })).toMatchObject({ kind: 'refused', why: 'other' });
  });

  it('never takes more than the voucher allows, however many run at once', async () => {
    const answers = await Promise.all(
      [40n, 40n, 55n, 40n, 55n, 30n].map((cumulative) => settle({ cumulative }, 10_000)),
    );
    expect(captured()).toBe('55');
    expect(answers.map(({ kind }) => kind)).not.toContain('refused');
    const closes = await Promise.all(
      [1, 2, 3].map(() => settle({ kind: 'close', cumulative: 80n, capture: 70n }, 10_000)),
    );
    expect(closes.map(({ kind }) => kind)).toEqual(['done', 'done', 'done']);
    expect(captured()).toBe('70');
  });

  it('without a key is not sent', async () => {
    await expect(tempo.settle({ body: await bodyOf(), key: '', timeoutMs: LIMIT_MS })).rejects.toThrow('without a key');
    expect(sent()).toBe(0);
  });
});

describe('a definite no is refused, and captures nothing', () => {
  it.each<[string, () => Promise<Changes>]>([
    [
      'a voucher somebody else signed',
      async () => ({ signature: await signVoucher(chainClient(sandbox.url, payee), channel.channelId, 40n) }),
    ],
    ['a signature that is none', async () => ({ signature: '0x1234' })],
    ['more than the deposit', async () => ({ cumulative: 1001n })],
    ['closing for more than the deposit', async () => ({ kind: 'close', cumulative: 2000n, capture: 1001n })],
    [
      'a channel that does not exist',
      async () => {
        const descriptor = { ...channel.descriptor, salt: toHex(7n, { size: 32 }) };
        const id = computeId(descriptor);
        return { channel: { id, descriptor }, signature: await signVoucher(payer, id as never, 40n) };
      },
    ],
    [
      'a descriptor of another channel',
      async () => ({ channel: { descriptor: { ...channel.descriptor, salt: toHex(7n, { size: 32 }) } } }),
    ],
  ])('%s', async (_what, changes) => {
    const answer = await settle(await changes());
    expect(answer).toMatchObject({ kind: 'refused', why: 'other' });
    expect([sent(), captured()]).toEqual([0, '0']);
  });

  it.each([
    ['no JSON', 'x'],
    ['another kind', (text: string) => text.replace('"settle"', '"seize"')],
    [
      'a settle of less than its voucher, which the chain cannot do',
      (text: string) => text.replace('"captureAmount":"40"', '"captureAmount":"39"'),
    ],
    ['a negative amount', (text: string) => text.replace('"cumulativeAmount":"40"', '"cumulativeAmount":"-40"')],
    ['an amount of more than 96 bits', (text: string) => text.replaceAll('"40"', `"${2n ** 96n}"`)],
    ['a member too many', (text: string) => text.replace('{', '{"also":1,')],
    ['a missing member', (text: string) => text.replace('"kind":"settle",', '')],
    ['an address that is none', (text: string) => text.replace(/"payee":"0x../, '"payee":"0x')],
  ])('a frozen body with %s, before any call', async (_what, change) => {
    const body = await bodyOf();
    const changed = typeof change === 'string' ? change : change(body);
    expect(changed).not.toBe(body);
    const calls = sandbox.calls().totals.calls;
    expect(await tempo.settle({ body: changed, key: 'k', timeoutMs: LIMIT_MS })).toMatchObject({ kind: 'refused' });
    expect(sandbox.calls().totals.calls).toBe(calls);
  });

  const computeId = (descriptor: OpenedChannel['descriptor']) =>
    Reserve.computeId(descriptor, { chainId: sandbox.chainId }) as string as ChannelId;
});

describe('what is not as it should be around us is misdirected, so that it waits', () => {
  it('a node on another chain', async () => {
    const other = await startTempoSandbox({ chainId: 4217 });
    tempo = tempoAt(other.url);
    expect(await settle()).toMatchObject({ kind: 'misdirected', detail: expect.stringContaining('4217') });
    await other.close();
  });

  it('a channel on another chain than the settings name', async () => {
    tempo = tempoAt(sandbox.url, { chainId: 4217 });
    expect(await settle()).toMatchObject({ kind: 'misdirected', detail: expect.stringContaining('TEMPO_CHAIN_ID') });
  });

  it('a channel that pays somebody else', async () => {
    tempo = tempoAt(sandbox.url, { payeeKey: generatePrivateKey() });
    const answer = await settle();
    expect(answer).toMatchObject({ kind: 'misdirected', detail: expect.stringContaining('TEMPO_PAYEE_KEY') });
    expect(sent()).toBe(0);
  });

  it('a node without a channel reserve at the address', async () => {
    const escrow = `0x${'5'.repeat(40)}`;
    expect(await settle({ channel: { escrow } })).toMatchObject({ kind: 'misdirected' });
  });

  it.each(['http_401', 'http_404'] as const)('a node that answers %s', async (kind) => {
    sandbox.setFaults([{ kinds: [kind], on: ['eth_chainId'] }]);
    expect(await settle()).toMatchObject({ kind: 'misdirected' });
  });
});

describe('a node that fails before anything is sent', () => {
  it.each([
    ['unavailable', { kind: 'unclear', why: 'server_error' }],
    ['html_502', { kind: 'unclear', why: 'server_error' }],
    ['rpc_error', { kind: 'unclear', why: 'server_error' }],
    ['invalid_json', { kind: 'unclear', why: 'unreadable' }],
    ['reset_before_commit', { kind: 'unclear', why: 'reset' }],
    ['rate_limited', { kind: 'busy', retryAfterMs: 7000 }],
  ] as const)('%s: nothing is captured', async (kind, expected) => {
    for (const on of ['eth_chainId', 'eth_call', 'eth_estimateGas'] as const) {
      sandbox.setFaults([{ kinds: [kind], on: [on], retryAfterSeconds: 7 }]);
      const answer = await settle();
      expect(answer).toMatchObject({ ...expected, detail: expect.stringContaining('nothing was sent') });
    }
    expect([sent(), captured()]).toEqual([0, '0']);
  });

  it('is not there at all', async () => {
    const gone = await startTempoSandbox();
    await gone.close();
    tempo = tempoAt(gone.url);
    expect(await settle()).toMatchObject({ kind: 'unclear', why: 'not_connected' });
    tempo = tempoAt(sandbox.url);
    await settle();
    await sandbox.die();
    expect(await settle({ cumulative: 50n })).toMatchObject({ kind: 'unclear' });
    await sandbox.revive();
    expect(await settle({ cumulative: 50n })).toMatchObject({ kind: 'done', alreadySettled: false });
  });

  it('is not even asked once the time is up', async () => {
    const { calls } = sandbox.calls().totals;
    expect(await settle({}, 0)).toMatchObject({ kind: 'unclear', why: 'no_answer' });
    expect(sandbox.calls().totals.calls).toBe(calls);
  });

  it('does not answer in time', async () => {
    sandbox.setFaults([{ kinds: ['hang_before_commit'], on: ['eth_call'] }]);
    expect(await settle({}, 150)).toMatchObject({ kind: 'unclear', why: 'no_answer' });
  });
});

describe('an answer that is lost', () => {
  it.each(['reset_after_commit', 'rpc_error_after_commit', 'invalid_json'] as const)(
    '%s hides a success that is found by its hash',
    async (kind) => {
      sandbox.setFaults([{ kinds: [kind], times: 1 }]);
      expect(await settle()).toMatchObject({ kind: 'done', alreadySettled: false });
      expect([sent(), captured()]).toEqual([1, '40']);
    },
  );

  it.each([
    ['reset_before_commit', 'reset'],
    ['unavailable', 'server_error'],
    ['rpc_error', 'server_error'],
  ] as const)('%s captured nothing, which is unknown until the chain is read', async (kind, why) => {
    sandbox.setFaults([{ kinds: [kind], times: 1 }]);
    expect(await settle()).toMatchObject({
      kind: 'unclear',
      why,
      detail: expect.stringContaining('may have gone through'),
    });
    expect(await settle()).toMatchObject({ kind: 'done', alreadySettled: false });
    expect([sent(), captured()]).toEqual([1, '40']);
  });

  it('with a node that is silent from then on is unknown, and the next attempt finds the capture instead of repeating it', async () => {
    sandbox.setFaults([{ kinds: ['hang_after_commit'], times: 1 }]);
    expect(await settle({}, 400)).toMatchObject({ kind: 'unclear', why: 'no_answer' });
    expect(captured()).toBe('40');
    expect(await settle()).toMatchObject({ kind: 'done', alreadySettled: true, txHash: expect.stringMatching(/^0x/) });
    expect(sent()).toBe(1);
  });

  it('of the wait for the block leaves it unknown, and the next attempt reads first', async () => {
    sandbox.setFaults([{ kinds: ['unavailable'], on: ['eth_getTransactionReceipt'] }]);
    const answer = await settle({}, 1_000);
    expect(captured()).toBe('40');
    expect(answer).toMatchObject({ kind: 'unclear' });
    sandbox.setFaults([]);
    expect(await settle()).toMatchObject({ kind: 'done', alreadySettled: true });
    expect([sent(), captured()]).toEqual([1, '40']);
  });
});

describe('a transaction', () => {
  it('that stays in the pool is unknown; if it turns up after another one has captured, it captures nothing', async () => {
    sandbox.setFaults([{ kinds: ['stay_pending'], times: 1 }]);
    expect(await settle({}, 700)).toMatchObject({ kind: 'unclear', why: 'no_answer' });
    expect(captured()).toBe('0');
    expect(await settle()).toMatchObject({ kind: 'done', alreadySettled: false });
    await sandbox.mine();
    expect(sandbox.ledger().transactions.at(-1)).toMatchObject({
      status: 'reverted',
      revertedWith: 'AmountNotIncreasing',
    });
    expect(captured()).toBe('40');
  });

  it('that the chain undid is tried again: it captured nothing', async () => {
    sandbox.setFaults([{ kinds: ['reverted'], times: 1 }]);
    expect(await settle()).toMatchObject({
      kind: 'unclear',
      why: 'server_error',
      detail: expect.stringContaining('undone'),
    });
    expect(await settle()).toMatchObject({ kind: 'done', alreadySettled: false });
  });
});

describe('an operator asks the chain', () => {
  const look = async (changes: Changes = {}) => tempo.lookUp(captureLookup(await captureWith(changes)), LIMIT_MS);

  it('whether a capture is there, and gets its transaction', async () => {
    expect(await look()).toMatchObject({ kind: 'not_captured', detail: expect.stringContaining('0 is captured') });
    const { txHash } = (await settle()) as { txHash: string };
    expect(await look()).toEqual({ kind: 'captured', txHash });
    expect(await look({ cumulative: 41n })).toMatchObject({ kind: 'not_captured' });
    expect(await look({ kind: 'close' })).toMatchObject({ kind: 'not_captured' });
  });

  it('after the channel was closed, too', async () => {
    const { txHash } = (await settle({ kind: 'close', cumulative: 80n, capture: 50n })) as { txHash: string };
    expect(await look({ kind: 'close', cumulative: 80n, capture: 50n })).toEqual({ kind: 'captured', txHash });
    expect(await look({ cumulative: 60n })).toMatchObject({
      kind: 'not_captured',
      detail: expect.stringContaining('closed'),
    });
  });

  it('and is not answered where the node does not answer, or is of another chain', async () => {
    sandbox.setDown(true);
    expect(await look()).toMatchObject({ kind: 'unanswered' });
    sandbox.setDown(false);
    expect(await look({ channel: { chainId: 1 } })).toMatchObject({ kind: 'unanswered' });
    expect(await tempo.lookUp({}, LIMIT_MS)).toMatchObject({ kind: 'unanswered' });
  });
});

it('quotes neither key nor address of the node, whatever goes wrong', async () => {
  const answers: unknown[] = [];
  const server: Server = createServer((_request, response) => {
    response.writeHead(500).end('<html>');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as { port: number };
  for (const url of [`http://127.0.0.1:${port}/v1/CANARY-rpc-key`, 'http://127.0.0.1:1/CANARY-rpc-key']) {
    tempo = tempoAt(url);
    answers.push(await settle({}, 500));
  }
  await new Promise((closed) => server.close(closed));
  expect(JSON.stringify(answers)).not.toMatch(/CANARY|127\.0\.0\.1/);
  expect(JSON.stringify(answers)).not.toContain(PAYEE_KEY);
});
