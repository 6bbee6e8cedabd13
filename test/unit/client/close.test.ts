import { beforeEach, describe, expect, it } from 'vitest';
import { CHANNEL, entryOf, payerWorld, proving, SHOP } from '../../support/payer-world.js';
import { paymentIn, paymentRequired, request, shownVoucher } from '../../support/session-world.js';

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

  it('that the server does not know is forgotten', async () => {
    const { shop, client, recorded } = world;
    shop.channels.clear();
    expect(await client().close(SHOP)).toBeUndefined();
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
