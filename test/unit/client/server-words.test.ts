import type { Hex } from 'viem';
import { beforeEach, describe, expect, it } from 'vitest';
import { CHANNEL, entryOf, payerWorld, SHOP } from '../../support/sessions/payer-world.js';
import {
  channelIdOf,
  descriptorOf,
  paymentIn,
  receiptHeader,
  type SignedPayload,
} from '../../support/sessions/session-world.js';

const MAX_DEPOSIT = 5000n;
const LOST = descriptorOf({ salt: `0x${'09'.repeat(32)}` });
const LOST_ID = channelIdOf(LOST);
/** Longer than a signed transaction is valid. */
const EXPIRED_MS = 60_000;

let world: ReturnType<typeof payerWorld>;
beforeEach(() => {
  world = payerWorld();
});
const locked = () => [...world.chain.channels.values()].reduce((sum, { deposit }) => sum + deposit, 0n);
const suggests = (suggestedDeposit: string) => (world.shop.suggestedDeposit = suggestedDeposit);
const times = async (count: number): Promise<string[]> => {
  const outcomes: string[] = [];
  for (let done = 0; done < count; done += 1) outcomes.push(await world.outcome());
  return outcomes;
};
/** From now on the server says of no channel that it knows it, and opens each that it is given. */
function forgetsAll(): void {
  const { shop } = world;
  const { fetch } = shop;
  shop.fetch = async (input, init) => {
    if (paymentIn(init)?.payload.action !== 'open') shop.channels.clear();
    return fetch(input, init);
  };
}

describe('a server that says that a channel is gone', () => {
  it('gets no second deposit beside one of maxDeposit that the chain still shows', async () => {
    suggests('5000');
    forgetsAll();
    expect(await times(10)).toEqual(['paid', ...Array.from({ length: 9 }, () => 'over_max_deposit')]);
    expect(locked()).toBe(MAX_DEPOSIT);
    // Refused before it was signed: only the request that heard of it first had signed a voucher.
    expect(world.shop.log).toEqual(['open 10 200', 'voucher 20 410']);
  });

  it('gets one channel after the other only until all of them hold maxDeposit together', async () => {
    suggests('2000');
    forgetsAll();
    await times(10);
    expect([...world.chain.channels.values()].map(({ deposit }) => deposit)).toEqual([2000n, 2000n, 1000n]);
  });

  it('is told in the error which channels hold how much', async () => {
    suggests('5000');
    forgetsAll();
    await times(2);
    const [id] = [...world.chain.channels.keys()];
    await expect(world.client()(SHOP)).rejects.toThrow(new RegExp(`maxDeposit 5000.*5000 in channel ${id}`, 'i'));
  });

  it('gets another one when the chain shows that the deposit came back', async () => {
    suggests('5000');
    forgetsAll();
    await times(2);
    for (const id of world.chain.channels.keys()) world.chain.close(id as Hex);
    expect(await world.outcome()).toBe('paid');
    expect(locked()).toBe(MAX_DEPOSIT);
    expect((await world.recorded())?.leftBefore).toEqual([]);
  });

  it('gets another one for what it has captured of the lost one: that is spent, and cannot come back', async () => {
    suggests('5000');
    forgetsAll();
    await times(2);
    const [lost] = [...world.chain.channels.values()];
    if (lost !== undefined) lost.settled = 3000n;
    expect(await world.outcome()).toBe('paid');
    expect([...world.chain.channels.values()].map(({ deposit }) => deposit)).toEqual([MAX_DEPOSIT, 3000n]);
  });

  it('is in the way of no price any more when its deposit came back, also where the limit was lowered', async () => {
    const { opened, store, outcome, shop } = world;
    opened(500n);
    const { cumulativeAmount: _signed, deposit: _held, ...lost } = entryOf({ descriptor: LOST, channelId: LOST_ID });
    const leftBefore = [{ ...lost, left: 'gone' as const, cumulativeAmount: '20', deposit: '4900' }];
    await store.set(entryOf({ cumulativeAmount: 500n, leftBefore }));
    expect(await outcome()).toBe('paid');
    expect(shop.log).toEqual(['voucher 510 200']);
    expect((await world.recorded())?.leftBefore).toEqual([]);
  });

  it('and later names it again is paid with it again, above all that was signed on it before', async () => {
    const { shop, store, outcome, opened } = world;
    opened(50n);
    await store.set(entryOf({ deposit: MAX_DEPOSIT }));
    world.chain.put(descriptorOf(), { deposit: MAX_DEPOSIT });
    const known = { accepted: 60n, spent: 60n };
    shop.channels.clear();
    expect(await outcome()).toBe('over_max_deposit');
    shop.channels.set(CHANNEL.toLowerCase(), known);
    shop.details = { channelId: CHANNEL };
    expect(await outcome()).toBe('paid');
    expect(shop.log).toEqual(['voucher 60 410', 'voucher 70 200']);
  });

  it('gets no new channel while the node does not answer', async () => {
    const { shop, store, outcome, opened, chain } = world;
    opened(50n);
    await store.set(entryOf());
    shop.channels.clear();
    chain.down.now = true;
    expect(await outcome()).toBe('chain_unreachable');
    chain.down.now = false;
    expect(await outcome()).toBe('paid');
    expect(shop.log).toEqual(['voucher 60 410', 'open 10 200']);
  });

  it('gets no top-up beyond what the channels that it lost have left of maxDeposit', async () => {
    const { shop, store, outcome, opened } = world;
    opened(50n);
    await store.set(entryOf());
    suggests('4000');
    shop.channels.clear();
    expect(await outcome()).toBe('paid');
    shop.price = 3995n;
    expect(await outcome()).toBe('over_max_deposit');
    expect(locked()).toBe(MAX_DEPOSIT);
  });

  it('counts by what was left in a store of another process, too', async () => {
    const { client, outcome, store } = world;
    suggests('5000');
    forgetsAll();
    await times(2);
    expect(await outcome(client(store))).toBe('over_max_deposit');
    expect(locked()).toBe(MAX_DEPOSIT);
  });
});

describe('a server that keeps transactions back', () => {
  /** Takes every payment as if all were well, and sends what it was given when it likes. */
  function keepsBack() {
    const kept: SignedPayload[] = [];
    const { shop, chain } = world;
    const { fetch } = shop;
    shop.fetch = async (input, init) => {
      const payload = paymentIn(init)?.payload;
      if (payload === undefined) return fetch(input, init);
      shop.payloads.push(payload);
      if (payload.transaction !== undefined) kept.push(payload);
      if (payload.action === 'topUp') return new Response(null, { status: 204 });
      if (answers.length > 0) return new Response('', { status: answers.shift() ?? 200 });
      const header = receiptHeader(payload.channelId, '10', '10');
      return new Response('served', { headers: { 'Payment-Receipt': header } });
    };
    const answers: number[] = [];
    const sendAll = () => {
      for (const payload of new Map(kept.map((one) => [one.transaction, one])).values()) chain.execute(payload);
    };
    return { kept, answers, sendAll };
  }

  it('and says that it opened the channel, then that it is gone, gets no second opening while the first could land', async () => {
    suggests('5000');
    const server = keepsBack();
    expect(await world.outcome()).toBe('paid');
    server.answers.push(410);
    expect(await times(4)).toEqual(['over_max_deposit', 'over_max_deposit', 'over_max_deposit', 'over_max_deposit']);
    expect(server.kept).toHaveLength(1);
    server.sendAll();
    expect(locked()).toBe(MAX_DEPOSIT);
  });

  it('gets another opening when the first cannot land any more', async () => {
    suggests('5000');
    const server = keepsBack();
    await world.outcome();
    server.answers.push(410);
    await times(1);
    world.clock.now += EXPIRED_MS;
    expect(await world.outcome()).toBe('paid');
    expect(world.shop.payloads.map(({ action }) => action)).toEqual(['open', 'voucher', 'open']);
  });

  it('and later sends the opening of one that it said was gone, and names it, has it topped up like any other', async () => {
    suggests('4995');
    const server = keepsBack();
    await world.outcome();
    server.answers.push(410);
    expect(await world.outcome()).toBe('over_max_deposit');
    server.sendAll();
    world.shop.details = { channelId: world.shop.payloads[0]?.channelId };
    world.shop.price = 4978n;
    expect(await world.outcome()).toBe('top_up_failed');
    expect(world.shop.payloads.at(-1)?.action).toBe('topUp');
  });

  it('is paid by vouchers where it serves, while the node does not show the channel yet', async () => {
    const server = keepsBack();
    expect(await times(3)).toEqual(['paid', 'paid', 'paid']);
    expect(world.shop.payloads.map(({ action }) => action)).toEqual(['open', 'voucher', 'voucher']);
    expect(server.kept).toHaveLength(1);
    world.shop.price = 2000n;
    expect(await world.outcome()).toBe('open_undecided');
  });

  it('of a top-up, and serves what costs less, gets no second top-up while the first could land', async () => {
    const { opened, store, shop, outcome, deposit } = world;
    opened(900n);
    await store.set(entryOf({ cumulativeAmount: 900n }));
    const server = keepsBack();
    suggests('4000');
    shop.price = 200n;
    expect(await outcome()).toBe('top_up_failed');
    shop.price = 10n;
    expect(await outcome()).toBe('paid');
    shop.price = 200n;
    await times(2);
    expect(new Set(server.kept.map(({ transaction }) => transaction)).size).toBe(1);
    server.sendAll();
    expect(deposit()).toBe(MAX_DEPOSIT);
  });
});
