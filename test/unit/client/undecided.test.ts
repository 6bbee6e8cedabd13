import { beforeEach, describe, expect, it } from 'vitest';
import { entryOf, payerWorld } from '../../support/sessions/payer-world.js';

let world: ReturnType<typeof payerWorld>;
beforeEach(() => {
  world = payerWorld();
});

/** Longer than a signed transaction is valid. */
const EXPIRED_MS = 60_000;

describe('an opening without an answer', () => {
  it('that landed is found on chain, and no second deposit is made', async () => {
    const { shop, outcome, chain } = world;
    shop.fates = ['lost after'];
    expect(await outcome()).toBe('fetch failed');
    expect(await outcome()).toBe('paid');
    expect(shop.log).toEqual(['open 10 lost', 'voucher 20 200']);
    expect(chain.channels.size).toBe(1);
  });

  it('that did not land is sent again as it was, while it still could', async () => {
    const { shop, outcome, chain, recorded } = world;
    shop.fates = ['lost before'];
    expect(await outcome()).toBe('fetch failed');
    expect(await outcome()).toBe('paid');
    const [first, second] = shop.payloads;
    expect(second?.transaction).toBe(first?.transaction);
    expect(chain.channels.size).toBe(1);
    expect(await outcome()).toBe('paid');
    expect(await recorded()).toMatchObject({ opened: true, pending: undefined });
  });

  it('is given up when its transaction has expired, and a new channel is opened', async () => {
    const { shop, outcome, chain, clock } = world;
    shop.fates = ['lost before'];
    expect(await outcome()).toBe('fetch failed');
    clock.now += EXPIRED_MS;
    expect(await outcome()).toBe('paid');
    const [first, second] = shop.payloads;
    expect(second?.channelId).not.toBe(first?.channelId);
    expect(chain.channels.size).toBe(1);
  });

  it('is waited for when the next request costs more than its deposit', async () => {
    const { shop, outcome } = world;
    shop.fates = ['lost before'];
    expect(await outcome()).toBe('fetch failed');
    shop.price = 2000n;
    expect(await outcome()).toBe('open_undecided');
    expect(shop.payloads).toHaveLength(1);
  });

  it('that the server refused says so, and deposits once', async () => {
    const { shop, outcome, chain } = world;
    shop.fates = ['refused'];
    expect(await outcome()).toBe('open_refused');
    expect(await outcome()).toBe('paid');
    expect(chain.channels.size).toBe(1);
  });
});

describe('a top-up without an answer', () => {
  beforeEach(async () => {
    world.opened(995n);
    await world.store.set(entryOf({ cumulativeAmount: 995n }));
  });

  it('that landed is read on chain, and not made again', async () => {
    const { shop, outcome, deposit } = world;
    shop.fates = ['lost after'];
    expect(await outcome()).toBe('top_up_undecided');
    expect(await outcome()).toBe('paid');
    expect(shop.log).toEqual(['topUp  lost', 'voucher 1005 200']);
    expect(deposit()).toBe(2000n);
  });

  it('that did not land is sent again as it was', async () => {
    const { shop, outcome, deposit } = world;
    shop.fates = ['lost before'];
    expect(await outcome()).toBe('top_up_undecided');
    expect(await outcome()).toBe('paid');
    const [first, second] = shop.payloads;
    expect(second?.transaction).toBe(first?.transaction);
    expect(deposit()).toBe(2000n);
  });

  it('is made anew when its transaction has expired', async () => {
    const { shop, outcome, deposit, clock } = world;
    shop.fates = ['lost before'];
    expect(await outcome()).toBe('top_up_undecided');
    clock.now += EXPIRED_MS;
    expect(await outcome()).toBe('paid');
    const [first, second] = shop.payloads;
    expect(second?.transaction).not.toBe(first?.transaction);
    expect(deposit()).toBe(2000n);
  });

  it('is waited for when the next request costs more than it brings', async () => {
    const { shop, outcome } = world;
    shop.fates = ['lost before'];
    expect(await outcome()).toBe('top_up_undecided');
    shop.price = 2000n;
    expect(await outcome()).toBe('top_up_undecided');
    expect(shop.payloads).toHaveLength(1);
  });

  it('that the server says it made, and the chain does not show, signs nothing', async () => {
    const { shop, outcome, chain } = world;
    chain.execute = () => undefined;
    expect(await outcome()).toBe('top_up_failed');
    expect(shop.payloads.map(({ action }) => action)).toEqual(['topUp']);
  });
});
