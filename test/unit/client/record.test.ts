import { beforeEach, describe, expect, it } from 'vitest';
import { type ChannelEntry, createSessionFetch } from '../../../src/client.js';
import { CHANNEL, entryOf, payerWorld, SHOP } from '../../support/sessions/payer-world.js';
import { descriptorOf, PAYER, paymentIn, receiptHeader, STRANGER } from '../../support/sessions/session-world.js';

const turns = async (count: number): Promise<void> => {
  for (let done = 0; done < count; done += 1) await new Promise((resolve) => setImmediate(resolve));
};

let world: ReturnType<typeof payerWorld>;
beforeEach(() => {
  world = payerWorld();
});

describe('the record of what was signed', () => {
  it('is made before the voucher leaves', async () => {
    const { shop, store, client } = world;
    const order: string[] = [];
    const { fetch } = shop;
    shop.fetch = (input, init) => {
      if (paymentIn(init) !== undefined) order.push('sent');
      return fetch(input, init);
    };
    const pays = client({ ...store, set: (one) => (order.push(`recorded ${one.cumulativeAmount}`), store.set(one)) });
    await pays(SHOP);
    await pays(SHOP);
    const recordedTwice = (step: string, index: number) => step === order[index - 1];
    expect(order.filter((step, index) => !recordedTwice(step, index))).toEqual([
      'recorded 10',
      'sent',
      'recorded 10',
      'recorded 20',
      'sent',
      'recorded 20',
    ]);
  });

  it('that cannot be made keeps the voucher back', async () => {
    const { store, client, outcome, shop } = world;
    const broken = { ...store, set: () => Promise.reject(new Error('the disk is full')) };
    expect(await outcome(client(broken))).toBe('store_failed');
    expect(shop.payloads).toEqual([]);
  });

  it('counts a voucher that never arrived: the next one is higher, not the same', async () => {
    const { opened, store, shop, outcome } = world;
    opened(50n);
    await store.set(entryOf());
    shop.fates = ['lost before'];
    expect(await outcome()).toBe('fetch failed');
    expect(await outcome()).toBe('paid');
    expect(shop.log).toEqual(['voucher 60 lost', 'voucher 70 200']);
  });

  it('counts a voucher that the server answered with 500, and hands the answer over', async () => {
    const { opened, store, shop, client, recorded } = world;
    opened(50n);
    await store.set(entryOf());
    shop.fates = ['500'];
    expect((await client()(SHOP)).status).toBe(500);
    expect(await recorded()).toMatchObject({ cumulativeAmount: 60n });
  });

  it('does not count what the account refused to sign', async () => {
    const { opened, store, shop, client, outcome, recorded } = world;
    opened(50n);
    await store.set(entryOf());
    const refuse = () => Promise.reject(new Error('not by me'));
    const unwilling = { ...PAYER, sign: refuse, signTypedData: refuse, signMessage: refuse };
    expect(await outcome(client(store, unwilling))).toBe('signing_failed');
    expect(shop.payloads).toEqual([]);
    expect(await recorded()).toMatchObject({ cumulativeAmount: 50n });
  });

  it.each([
    ['of another payer', entryOf({ descriptor: descriptorOf({ payer: STRANGER.address }) })],
    ['of another payee', entryOf({ descriptor: descriptorOf({ payee: STRANGER.address }) })],
    ['of another token', entryOf({ descriptor: descriptorOf({ token: STRANGER.address }) })],
    ['of another chain', entryOf({ chainId: 4217 })],
    ['whose id is not of its descriptor', entryOf({ channelId: `0x${'99'.repeat(32)}` })],
  ])('%s is never paid with', async (_whose, wrong) => {
    const { store, client, outcome, shop } = world;
    expect(await outcome(client({ ...store, get: () => wrong }))).toBe('store_mismatch');
    expect(shop.payloads).toEqual([]);
  });

  it('is not lowered by an answer that needed no payment and came while another request was paid', async () => {
    const { opened, store, shop, client, recorded } = world;
    opened(50n);
    await store.set(entryOf());
    let armed = false;
    let held = false;
    let paid: () => void = () => undefined;
    const whilePaying = new Promise<void>((resolve) => (paid = resolve));
    const pays = client({
      ...store,
      set: async (one) => {
        await store.set(one);
        if (armed && one.cumulativeAmount === 70n) paid();
      },
      // What this read found is used late: after the payment, unless that waits for its turn.
      get: async (key) => {
        const found = await store.get(key);
        if (!armed || held) return found;
        held = true;
        await Promise.race([whilePaying, turns(200)]);
        return found;
      },
    });
    await pays(SHOP);
    const { fetch } = shop;
    shop.fetch = async (input, init) =>
      new Headers(init?.headers).has('X-Free')
        ? new Response('', { headers: { 'Payment-Receipt': receiptHeader(CHANNEL, '60', '60') } })
        : fetch(input, init);
    armed = true;
    await Promise.all([pays(SHOP, { headers: { 'X-Free': '1' } }), pays(SHOP)]);
    await turns(300);
    expect(await recorded()).toMatchObject({ cumulativeAmount: 70n });
  });

  it('without a descriptor is completed from the chain, and still counts', async () => {
    const { opened, store, client, shop, chain } = world;
    opened(50n);
    const bare = { ...entryOf(), descriptor: undefined } as unknown as ChannelEntry;
    await client({ ...store, get: async (key) => (await store.get(key)) ?? bare })(SHOP);
    expect(shop.log).toEqual(['voucher 60 200']);
    expect(chain.calls).toContain('eth_getLogs');
  });
});

describe('the node', () => {
  it('is not needed for a voucher within the deposit that was read before', async () => {
    const { opened, store, chain, outcome } = world;
    opened(50n);
    await store.set(entryOf());
    chain.down.now = true;
    expect(await outcome()).toBe('paid');
    expect(chain.calls).toEqual([]);
  });

  it('that is down lets nothing be signed where the deposit was not read before', async () => {
    const { opened, store, chain, outcome, shop } = world;
    opened(50n);
    await store.set(entryOf({ depositFromChain: false }));
    chain.down.now = true;
    expect(await outcome()).toBe('chain_unreachable');
    expect(shop.payloads).toEqual([]);
  });

  it('that is down opens no channel', async () => {
    const { chain, outcome, shop, recorded } = world;
    chain.down.now = true;
    expect(await outcome()).toBe('chain_unreachable');
    expect([shop.payloads, await recorded()]).toEqual([[], undefined]);
  });

  it('that serves no logs opens no second channel', async () => {
    const { opened, shop, chain, outcome } = world;
    opened(50n);
    shop.details = { channelId: CHANNEL };
    chain.down.logs = true;
    expect(await outcome()).toBe('channel_unrecoverable');
    expect(shop.payloads).toEqual([]);
  });

  it.each([
    ['closed', { deposit: 0n }],
    ['about to be closed', { closing: true }],
  ])('that says a channel is %s: another one is opened', async (_what, state) => {
    const { opened, shop, store, client } = world;
    opened(50n, state);
    shop.details = { channelId: CHANNEL };
    await client()(SHOP);
    expect(shop.log).toEqual(['open 10 200']);
    await store.set(entryOf({ depositFromChain: false }));
    await client()(SHOP);
    expect(shop.payloads.map(({ action }) => action)).toEqual(['open', 'open']);
  });
});

describe('maxDeposit', () => {
  it.each(['', '0', '-1', '1e3', '1.2345678', 'five', 0n, -1n, 5, undefined])('%s is refused', (maxDeposit) => {
    const create = () =>
      createSessionFetch({ account: PAYER, getClient: () => world.chain.client, maxDeposit: maxDeposit as string });
    expect(create).toThrow(/maxDeposit must be/);
  });
});
