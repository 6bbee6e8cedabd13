import { beforeEach, describe, expect, it } from 'vitest';
import { CHANNEL, entryOf, payerWorld, proving, SHOP } from '../../support/sessions/payer-world.js';
import { paymentIn, paymentRequired, request, shownVoucher } from '../../support/sessions/session-world.js';

let world: ReturnType<typeof payerWorld>;
beforeEach(async () => {
  world = payerWorld();
  world.opened(50n);
  await world.store.set(entryOf({ mirrors: { accepted: '50', spent: '40' } }));
});
const said = (spent: string) => ({ channelId: CHANNEL, acceptedCumulative: '50', spent });
const counted = (spent: bigint) => world.shop.channels.set(CHANNEL.toLowerCase(), { accepted: 50n, spent });

const asksForProof = (): Response =>
  new Response(JSON.stringify({ type: 'https://paymentauth.org/problems/session/close-unproven' }), {
    status: 402,
    headers: paymentRequired(request()).headers,
  });

describe('closing a channel', () => {
  it('signs what the server has counted, less than was signed', async () => {
    const { shop, client, recorded } = world;
    counted(30n);
    shop.details = said('30');
    await client().close(SHOP);
    expect(shop.log).toEqual(['close 30 204']);
    expect(await recorded()).toBeUndefined();
  });

  it.each(['51', '900', `${2n ** 96n - 1n}`])(
    'signs no more than was signed when the server says %s',
    async (spent) => {
      const { shop, client } = world;
      shop.details = said(spent);
      await client().close(SHOP);
      expect(shop.log).toEqual(['close 50 204']);
    },
  );

  it('signs no less than is settled on chain', async () => {
    const { shop, client, opened } = world;
    opened(50n, { settled: 45n });
    counted(45n);
    shop.details = said('0');
    await client().close(SHOP);
    expect(shop.log).toEqual(['close 45 204']);
  });

  it('where the server counted more than its receipts told, signs all that was signed, and no more', async () => {
    const { shop, client } = world;
    await client().close(SHOP);
    expect(shop.log).toEqual(['close 40 402', 'close 50 204']);
  });

  it('goes up to what another process signed, where the server proves it', async () => {
    const { shop, client } = world;
    shop.channels.set(CHANNEL.toLowerCase(), { accepted: 80n, spent: 80n });
    shop.details = proving(await shownVoucher(CHANNEL, 80n), 90n);
    await client().close(SHOP);
    expect(shop.log).toEqual(['close 80 204']);
  });

  it('that anybody could have signed is proved by one unit more, once, and only where the server asks for it', async () => {
    const { shop, client, recorded, opened } = world;
    opened(50n, { settled: 50n });
    const { fetch } = shop;
    shop.fetch = async (input, init) => {
      const amount = paymentIn(init)?.payload.cumulativeAmount;
      return amount === undefined || BigInt(amount) > 50n ? fetch(input, init) : unproven(amount);
    };
    const unproven = (amount: string): Response => {
      shop.log.push(`close ${amount} unproven`);
      return asksForProof();
    };
    await client().close(SHOP);
    expect(shop.log).toEqual(['close 50 unproven', 'close 51 204']);
    expect(await recorded()).toBeUndefined();
  });

  it('of a channel whose whole deposit is captured proves nothing: nothing would come back', async () => {
    const { shop, client, opened, recorded } = world;
    opened(50n, { deposit: 50n, settled: 50n });
    const { fetch } = shop;
    shop.fetch = async (input, init) => (paymentIn(init) === undefined ? fetch(input, init) : asksForProof());
    await expect(client().close(SHOP)).rejects.toMatchObject({ code: 'close_failed' });
    expect(await recorded()).toMatchObject({ cumulativeAmount: 50n });
  });

  it('of nothing signs nothing', async () => {
    const { shop, client } = payerWorld();
    expect(await client().close(SHOP)).toBeUndefined();
    expect(shop.log).toEqual([]);
  });

  it('that the server cannot do leaves the channel on record', async () => {
    const { shop, client, recorded } = world;
    shop.fates = ['500'];
    await expect(client().close(SHOP)).rejects.toMatchObject({ code: 'close_failed' });
    expect(await recorded()).toMatchObject({ cumulativeAmount: 50n });
  });

  it('that the server does not know, and the chain shows as closed, is forgotten', async () => {
    const { shop, chain, client, recorded } = world;
    shop.channels.clear();
    chain.close(CHANNEL);
    expect(await client().close(SHOP)).toBeUndefined();
    expect([shop.payloads, await recorded()]).toEqual([[], undefined]);
  });

  it('that the server does not know stays on record while it holds a deposit on chain, and says so', async () => {
    const { shop, client, recorded, outcome } = world;
    shop.channels.clear();
    await expect(client().close(SHOP)).rejects.toThrow(/410.*1000 in channel/);
    expect(await recorded()).toMatchObject({ channelId: CHANNEL, left: 'gone' });
    expect(await outcome()).toBe('paid');
    expect(shop.log).toEqual(['close 40 410', 'open 10 200']);
  });

  it('that the server only says it took is kept on record, and forgotten when the chain shows it', async () => {
    const { shop, chain, client, recorded } = world;
    shop.closes = false;
    counted(40n);
    await client().close(SHOP);
    expect(await recorded()).toMatchObject({ channelId: CHANNEL, left: 'closing', cumulativeAmount: 50n });
    chain.close(CHANNEL);
    await client().close(SHOP);
    expect(shop.log).toEqual(['close 40 204']);
    expect(await recorded()).toBeUndefined();
  });

  it('is never paid with again, also where the server still names it: a voucher could be captured by the close', async () => {
    const { shop, client, outcome } = world;
    shop.closes = false;
    counted(40n);
    await client().close(SHOP);
    shop.details = { channelId: CHANNEL };
    expect(await outcome()).toBe('paid');
    expect(shop.log).toEqual(['close 40 204', 'open 10 200']);
  });

  it('closes those that were left before it, too, each for what was signed on it', async () => {
    const { shop, chain, client, recorded, outcome } = world;
    const known = shop.channels.get(CHANNEL.toLowerCase());
    shop.channels.clear();
    expect(await outcome()).toBe('paid');
    if (known !== undefined) shop.channels.set(CHANNEL.toLowerCase(), known);
    await client().close(SHOP);
    expect(shop.log).toEqual(['voucher 60 410', 'open 10 200', 'close 10 204', 'close 40 402', 'close 60 204']);
    expect([...chain.channels.values()].map(({ deposit }) => deposit)).toEqual([0n, 0n]);
    expect(await recorded()).toBeUndefined();
  });

  it('that fails keeps no other channel from being closed, and stays to be paid with', async () => {
    const { shop, client, recorded, outcome } = world;
    const known = new Map(shop.channels);
    shop.channels.clear();
    await outcome();
    for (const [id, one] of known) shop.channels.set(id, one);
    shop.fates = ['500'];
    await expect(client().close(SHOP)).rejects.toThrow(/500 to the close/);
    expect(shop.log.slice(-3)).toEqual(['close 10 500', 'close 40 402', 'close 60 204']);
    expect(await recorded()).toMatchObject({ cumulativeAmount: 10n, leftBefore: [] });
    expect(await outcome()).toBe('paid');
    expect(shop.log.at(-1)).toBe('voucher 20 200');
  });

  it('that the server is at already is asked for by the same voucher again, which it knows', async () => {
    const { shop, client } = world;
    shop.closes = false;
    await client().close(SHOP);
    await client().close(SHOP);
    expect(shop.log).toEqual(['close 40 402', 'close 50 204', 'close 50 204']);
    expect(shop.payloads.at(-1)?.signature).toBe(shop.payloads.at(-2)?.signature);
  });

  it('that the server took, and later does not know, is still never paid with again', async () => {
    const { shop, client, recorded, outcome } = world;
    shop.closes = false;
    counted(40n);
    await client().close(SHOP);
    const known = new Map(shop.channels);
    shop.channels.clear();
    await expect(client().close(SHOP)).rejects.toThrow(/410.*1000 in channel/);
    expect(await recorded()).toMatchObject({ channelId: CHANNEL, left: 'closing' });
    for (const [id, one] of known) shop.channels.set(id, one);
    shop.details = { channelId: CHANNEL };
    await outcome();
    expect(shop.log.at(-1)).toBe('open 10 200');
  });

  it('loses no record of a channel that another process opened meanwhile', async () => {
    const { shop, client, recorded, store, outcome } = world;
    counted(40n);
    const { fetch } = shop;
    let elsewhere: Promise<string> | undefined;
    shop.fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (paymentIn(init)?.payload.action !== 'close') return response;
      shop.channels.delete(CHANNEL.toLowerCase());
      elsewhere ??= outcome(client(store));
      await elsewhere;
      return response;
    };
    await client(store).close(SHOP);
    expect(shop.log).toEqual(['close 40 204', 'voucher 60 410', 'open 10 200']);
    expect(await recorded()).toMatchObject({ cumulativeAmount: 10n, leftBefore: [] });
  });

  it('of one that was left, and of which all is captured, is asked of nobody: nothing would come back', async () => {
    const { shop, client, opened, outcome, recorded } = world;
    shop.channels.clear();
    await outcome();
    opened(60n, { deposit: 60n, settled: 60n });
    await client().close(SHOP);
    expect(shop.log.slice(-1)).toEqual(['close 10 204']);
    expect(await recorded()).toBeUndefined();
  });

  it('whose opening may still land waits, and keeps the record of it', async () => {
    const fresh = payerWorld();
    fresh.shop.fates = ['lost before'];
    expect(await fresh.outcome()).toBe('fetch failed');
    await expect(fresh.client().close(SHOP)).rejects.toMatchObject({ code: 'open_undecided' });
    expect(await fresh.outcome()).toBe('paid');
    expect(fresh.chain.channels.size).toBe(1);
  });

  it('at an address that does not ask to be paid says so', async () => {
    const { shop, client } = world;
    shop.fetch = async () => new Response('not here', { status: 404 });
    await expect(client().close(SHOP)).rejects.toMatchObject({ code: 'close_failed' });
  });
});
