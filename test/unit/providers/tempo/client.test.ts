import { toHex } from 'viem';
import { generatePrivateKey } from 'viem/accounts';
import { Channel as Reserve } from 'viem/tempo';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTempoSandbox } from '../../../../sandbox/tempo/start.js';
import type { ChannelId } from '../../../../src/domain/channels/channel.js';
import { chainClient, type OpenedChannel, signVoucher } from '../../../support/channels/tempo-chain.js';
import { type CaptureWorld, type Changes, LIMIT_MS, payee, startCaptureWorld } from './support.js';

let world: CaptureWorld;
beforeEach(async () => {
  world = await startCaptureWorld();
});
afterEach(() => world.close());

describe('a capture', () => {
  it('is one transaction, and done with its hash', async () => {
    const answer = await world.settle();
    const [transaction] = world.sandbox.ledger().transactions.slice(-1);
    expect(answer).toEqual({ kind: 'done', alreadySettled: false, txHash: transaction?.hash });
    expect([world.captured(), transaction?.events]).toEqual(['40', ['Settled']]);
  });

  it('that is on chain already is done without a transaction, whoever sent it', async () => {
    const { txHash } = (await world.settle()) as { txHash: string };
    expect(await world.settle()).toEqual({ kind: 'done', alreadySettled: true, txHash });
    expect(await world.settle({ cumulative: 30n })).toEqual({ kind: 'done', alreadySettled: true, txHash });
    expect([world.sent(), world.captured()]).toEqual([1, '40']);
  });

  it('of a higher voucher takes only the difference', async () => {
    await world.settle();
    expect(await world.settle({ cumulative: 65n })).toMatchObject({ kind: 'done', alreadySettled: false });
    expect(world.sandbox.ledger().channels[0]?.captures.map((each) => each.captured)).toEqual(['40', '25']);
  });

  it('by closing takes its amount, not what the voucher allows, and gives the rest back', async () => {
    const answer = await world.settle({ kind: 'close', cumulative: 80n, capture: 50n });
    expect(answer).toMatchObject({ kind: 'done', alreadySettled: false });
    expect(world.sandbox.ledger().channels[0]).toMatchObject({ settled: '50', refunded: '950', closed: true });
    expect(await world.settle({ kind: 'close', cumulative: 80n, capture: 50n })).toEqual({
      ...answer,
      alreadySettled: true,
    });
    expect(world.sent()).toBe(1);
  });

  it('closes a channel on which nothing was spent', async () => {
    expect(await world.settle({ kind: 'close', capture: 0n })).toMatchObject({ kind: 'done', alreadySettled: false });
    expect(world.sandbox.ledger().channels[0]).toMatchObject({ settled: '0', refunded: '1000', closed: true });
    expect(await world.settle({ kind: 'close', capture: 0n })).toMatchObject({ kind: 'done', alreadySettled: true });
  });

  it('closes a channel of which all was captured before, because the deposit has to go back', async () => {
    await world.settle({ cumulative: 50n });
    expect(await world.settle({ kind: 'close', cumulative: 80n, capture: 50n })).toMatchObject({
      alreadySettled: false,
    });
    expect(world.sandbox.ledger().channels[0]).toMatchObject({ settled: '50', refunded: '950', closed: true });
  });

  it('that closes where somebody captured more meanwhile takes nothing more', async () => {
    await world.settle({ cumulative: 60n });
    expect(await world.settle({ kind: 'close', cumulative: 80n, capture: 50n })).toMatchObject({ kind: 'done' });
    expect(world.sandbox.ledger().channels[0]).toMatchObject({ settled: '60', closed: true });
  });

  it('to settle is done where the channel was closed at as much', async () => {
    const { txHash } = (await world.settle({ kind: 'close', cumulative: 80n, capture: 50n })) as { txHash: string };
    expect(await world.settle({ cumulative: 50n })).toEqual({ kind: 'done', alreadySettled: true, txHash });
    expect(await world.settle({ cumulative: 51n })).toMatchObject({ kind: 'refused', why: 'other' });
  });

  it('never takes more than the voucher allows, however many run at once', async () => {
    const answers = await Promise.all(
      [40n, 40n, 55n, 40n, 55n, 30n].map((cumulative) => world.settle({ cumulative }, 10_000)),
    );
    expect(world.captured()).toBe('55');
    expect(answers.map(({ kind }) => kind)).not.toContain('refused');
    const closes = await Promise.all(
      [1, 2, 3].map(() => world.settle({ kind: 'close', cumulative: 80n, capture: 70n }, 10_000)),
    );
    expect(closes.map(({ kind }) => kind)).toEqual(['done', 'done', 'done']);
    expect(world.captured()).toBe('70');
  });

  it('without a key is not sent', async () => {
    await expect(world.tempo.settle({ body: await world.bodyOf(), key: '', timeoutMs: LIMIT_MS })).rejects.toThrow(
      'without a key',
    );
    expect(world.sent()).toBe(0);
  });
});

describe('a definite no is refused, and captures nothing', () => {
  it.each<[string, () => Promise<Changes>]>([
    [
      'a voucher somebody else signed',
      async () => ({
        signature: await signVoucher(chainClient(world.sandbox.url, payee), world.channel.channelId, 40n),
      }),
    ],
    ['a signature that is none', async () => ({ signature: '0x1234' })],
    ['more than the deposit', async () => ({ cumulative: 1001n })],
    ['closing for more than the deposit', async () => ({ kind: 'close', cumulative: 2000n, capture: 1001n })],
    [
      'a channel that does not exist',
      async () => {
        const descriptor = { ...world.channel.descriptor, salt: toHex(7n, { size: 32 }) };
        const id = computeId(descriptor);
        return { channel: { id, descriptor }, signature: await signVoucher(world.payer, id as never, 40n) };
      },
    ],
    [
      'a descriptor of another channel',
      async () => ({ channel: { descriptor: { ...world.channel.descriptor, salt: toHex(7n, { size: 32 }) } } }),
    ],
  ])('%s', async (_what, changes) => {
    const answer = await world.settle(await changes());
    expect(answer).toMatchObject({ kind: 'refused', why: 'other' });
    expect([world.sent(), world.captured()]).toEqual([0, '0']);
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
    const body = await world.bodyOf();
    const changed = typeof change === 'string' ? change : change(body);
    expect(changed).not.toBe(body);
    const calls = world.sandbox.calls().totals.calls;
    expect(await world.tempo.settle({ body: changed, key: 'k', timeoutMs: LIMIT_MS })).toMatchObject({
      kind: 'refused',
    });
    expect(world.sandbox.calls().totals.calls).toBe(calls);
  });

  const computeId = (descriptor: OpenedChannel['descriptor']) =>
    Reserve.computeId(descriptor, { chainId: world.sandbox.chainId }) as string as ChannelId;
});

describe('what is not as it should be around us is misdirected, so that it waits', () => {
  it('a node on another chain', async () => {
    const other = await startTempoSandbox({ chainId: 4217 });
    world.tempo = world.tempoAt(other.url);
    expect(await world.settle()).toMatchObject({ kind: 'misdirected', detail: expect.stringContaining('4217') });
    await other.close();
  });

  it('a channel on another chain than the settings name', async () => {
    world.tempo = world.tempoAt(world.sandbox.url, { chainId: 4217 });
    expect(await world.settle()).toMatchObject({
      kind: 'misdirected',
      detail: expect.stringContaining('TEMPO_CHAIN_ID'),
    });
  });

  it('a channel that pays somebody else', async () => {
    world.tempo = world.tempoAt(world.sandbox.url, { payeeKey: generatePrivateKey() });
    const answer = await world.settle();
    expect(answer).toMatchObject({ kind: 'misdirected', detail: expect.stringContaining('TEMPO_PAYEE_KEY') });
    expect(world.sent()).toBe(0);
  });

  it('a node without a channel reserve at the address', async () => {
    const escrow = `0x${'5'.repeat(40)}`;
    expect(await world.settle({ channel: { escrow } })).toMatchObject({ kind: 'misdirected' });
  });

  it.each(['http_401', 'http_404'] as const)('a node that answers %s', async (kind) => {
    world.sandbox.setFaults([{ kinds: [kind], on: ['eth_chainId'] }]);
    expect(await world.settle()).toMatchObject({ kind: 'misdirected' });
  });
});

describe('an operator asks the chain', () => {
  it('whether a capture is there, and gets its transaction', async () => {
    expect(await world.look()).toMatchObject({
      kind: 'not_captured',
      detail: expect.stringContaining('0 is captured'),
    });
    const { txHash } = (await world.settle()) as { txHash: string };
    expect(await world.look()).toEqual({ kind: 'captured', txHash });
    expect(await world.look({ cumulative: 41n })).toMatchObject({ kind: 'not_captured' });
    expect(await world.look({ kind: 'close' })).toMatchObject({ kind: 'not_captured' });
  });

  it('after the channel was closed, too', async () => {
    const { txHash } = (await world.settle({ kind: 'close', cumulative: 80n, capture: 50n })) as { txHash: string };
    expect(await world.look({ kind: 'close', cumulative: 80n, capture: 50n })).toEqual({ kind: 'captured', txHash });
    expect(await world.look({ cumulative: 60n })).toMatchObject({
      kind: 'not_captured',
      detail: expect.stringContaining('closed'),
    });
  });

  it('and is not answered where the node does not answer, or is of another chain', async () => {
    world.sandbox.setDown(true);
    expect(await world.look()).toMatchObject({ kind: 'unanswered' });
    world.sandbox.setDown(false);
    expect(await world.look({ channel: { chainId: 1 } })).toMatchObject({ kind: 'unanswered' });
    expect(await world.tempo.lookUp({}, LIMIT_MS)).toMatchObject({ kind: 'unanswered' });
  });
});
