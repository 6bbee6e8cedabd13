import { beforeEach, describe, expect, it } from 'vitest';
import { CHANNEL, entryOf, payerWorld, proving, SHOP } from '../../support/sessions/payer-world.js';
import {
  descriptorOf,
  paymentIn,
  paymentRequired,
  receiptHeader,
  request,
  shownVoucher,
} from '../../support/sessions/session-world.js';

let world: ReturnType<typeof payerWorld>;
beforeEach(async () => {
  world = payerWorld();
  world.opened(50n);
  await world.store.set(entryOf());
});

describe('a refused voucher', () => {
  it('is followed by no other where nothing explains it', async () => {
    const { shop, outcome } = world;
    shop.channels.set(CHANNEL.toLowerCase(), { accepted: 80n, spent: 80n });
    expect(await outcome()).toBe('hint_unprovable');
    expect(shop.log).toEqual(['voucher 60 402']);
  });

  it('is followed by exactly what is required, upon what the server proves that we signed', async () => {
    const { shop, outcome } = world;
    shop.channels.set(CHANNEL.toLowerCase(), { accepted: 80n, spent: 80n });
    const proof = proving(await shownVoucher(CHANNEL, 80n), 90n);
    const { fetch } = shop;
    shop.fetch = (input, init) => {
      if (paymentIn(init) !== undefined) shop.details = proof;
      return fetch(input, init);
    };
    expect(await outcome()).toBe('paid');
    expect(shop.log).toEqual(['voucher 60 402', 'voucher 90 200']);
  });

  it('is followed by one other at most, whatever the server proves: a third 402 ends the request', async () => {
    const { shop, outcome } = world;
    const sent: string[] = [];
    shop.fetch = async (_input, init) => {
      const payload = paymentIn(init)?.payload;
      if (payload?.cumulativeAmount === undefined) return paymentRequired(request());
      sent.push(payload.cumulativeAmount);
      const signed = BigInt(payload.cumulativeAmount);
      return paymentRequired(request(proving(await shownVoucher(CHANNEL, signed), signed + 10n)));
    };
    expect(await outcome()).toBe('hint_unprovable');
    expect(sent).toEqual(['60', '70']);
  });

  it('that is captured already is followed by one above what the chain shows as captured', async () => {
    const { shop, outcome, chain } = world;
    const { fetch } = shop;
    shop.fetch = (input, init) => {
      // Captured after the request began: neither hint nor record could tell.
      if (paymentIn(init) !== undefined && shop.log.length === 0) {
        shop.channels.set(CHANNEL.toLowerCase(), { accepted: 80n, spent: 80n });
        chain.put(descriptorOf(), { deposit: 1000n, settled: 80n });
      }
      return fetch(input, init);
    };
    expect(await outcome()).toBe('paid');
    expect(shop.log).toEqual(['voucher 60 402', 'voucher 90 200']);
  });

  it('is spared where the server says that we are behind, and the chain shows it', async () => {
    const { shop, outcome, opened } = world;
    opened(80n, { settled: 80n });
    shop.details = { channelId: CHANNEL, acceptedCumulative: '80', spent: '80', requiredCumulative: '90' };
    expect(await outcome()).toBe('paid');
    expect(shop.log).toEqual(['voucher 90 200']);
  });

  it('is not followed by one for another payee', async () => {
    const { shop, outcome } = world;
    const sent: unknown[] = [];
    shop.fetch = async (_input, init) => {
      const payment = paymentIn(init);
      if (payment === undefined) return paymentRequired(request());
      sent.push(payment.payload.action);
      return paymentRequired(request({}, { recipient: `0x${'45'.repeat(20)}` }));
    };
    expect(await outcome()).toBe('challenge_malformed');
    expect(sent).toEqual(['voucher']);
  });
});

describe('a channel that the server has lost', () => {
  it('is left, and one other opened', async () => {
    const { shop, outcome } = world;
    shop.channels.clear();
    expect(await outcome()).toBe('paid');
    expect(shop.log).toEqual(['voucher 60 410', 'open 10 200']);
  });

  it('is not found again by the hint of a server that still names it', async () => {
    const { shop, outcome } = world;
    shop.channels.clear();
    shop.details = { channelId: CHANNEL };
    expect(await outcome()).toBe('paid');
    expect(shop.payloads.map(({ action }) => action)).toEqual(['voucher', 'open']);
  });

  it('and the next one too: there is no third', async () => {
    const { shop, outcome } = world;
    const { fetch } = shop;
    shop.fetch = async (input, init) => {
      const response = await fetch(input, init);
      return paymentIn(init) === undefined ? response : new Response('', { status: 410 });
    };
    expect(await outcome()).toBe('channel_gone');
    expect(shop.payloads.map(({ action }) => action)).toEqual(['voucher', 'open']);
  });
});

describe('what the server counted', () => {
  it.each([
    ['more than was signed', receiptHeader(CHANNEL, '900', '800'), { accepted: '900', spent: '800' }],
    ['less than was signed', receiptHeader(CHANNEL, '1', '0'), { accepted: '1', spent: '0' }],
    ['of another channel', receiptHeader(`0x${'99'.repeat(32)}`, '900', '800'), undefined],
    ['in numbers that are none', receiptHeader(CHANNEL, '-1', 'many'), undefined],
    ['in no receipt at all', 'bm90aGluZw', undefined],
  ])('is %s: the next voucher is one price higher all the same', async (_what, receipt, mirrors) => {
    const { shop, client, recorded } = world;
    shop.receipt = receipt;
    const pays = client();
    expect((await pays(SHOP)).status).toBe(200);
    expect(await recorded()).toMatchObject({ cumulativeAmount: 60n });
    expect((await recorded())?.mirrors).toEqual(mirrors);
    await pays(SHOP);
    expect(shop.log.at(-1)).toBe('voucher 70 200');
  });

  it('is read from responses that needed no payment, too', async () => {
    const { shop, client, recorded } = world;
    const pays = client();
    await pays(SHOP);
    shop.fetch = async () => new Response('', { headers: { 'Payment-Receipt': receiptHeader(CHANNEL, '60', '55') } });
    await pays(SHOP);
    await expect.poll(async () => (await recorded())?.mirrors).toEqual({ accepted: '60', spent: '55' });
  });

  it('is said by its hints as well, and they are mirrored only', async () => {
    const { shop, client, recorded } = world;
    shop.details = {
      channelId: CHANNEL,
      acceptedCumulative: '900',
      spent: '800',
      deposit: '70',
      requiredCumulative: '910',
    };
    shop.receipt = 'none';
    await client()(SHOP);
    expect(await recorded()).toMatchObject({
      cumulativeAmount: 60n,
      deposit: 1000n,
      mirrors: { accepted: '900', spent: '800', deposit: '70' },
    });
  });

  it('is asked for by the name of the channel: once more at first, and from then on at once', async () => {
    const { shop, client } = world;
    const pays = client();
    await pays(SHOP);
    await pays(SHOP);
    expect(shop.asked).toEqual([null, CHANNEL, CHANNEL]);
  });

  it('is told to a process that starts anew, so that it pays with one voucher', async () => {
    const { shop, client, recorded } = world;
    shop.channels.set(CHANNEL.toLowerCase(), { accepted: 80n, spent: 80n });
    const proof = proving(await shownVoucher(CHANNEL, 80n), 90n);
    const { fetch } = shop;
    shop.fetch = (input, init) => {
      shop.details = new Headers(init?.headers).get('Payment-Session') === CHANNEL ? proof : {};
      return fetch(input, init);
    };
    await client()(SHOP);
    expect(shop.log).toEqual(['voucher 90 200']);
    expect(await recorded()).toMatchObject({ cumulativeAmount: 90n });
  });
});

describe('a request that waited for others of its channel', () => {
  it('asks again where its challenge has expired', async () => {
    const { shop, client, clock } = world;
    shop.expires = new Date(clock.now - 1000).toISOString();
    const paying = client()(SHOP);
    shop.expires = undefined;
    expect((await paying).status).toBe(200);
    expect(shop.log).toEqual(['voucher 60 200']);
    expect(shop.asked.length).toBeGreaterThan(1);
  });

  it('is not paid where every challenge has expired', async () => {
    const { shop, outcome, clock } = world;
    shop.expires = new Date(clock.now - 1000).toISOString();
    expect(await outcome()).toBe('challenge_expired');
    expect(shop.payloads).toEqual([]);
  });

  it('is not paid where its caller has given it up', async () => {
    const { shop, client } = world;
    const given = new AbortController();
    const pays = client();
    const first = pays(SHOP);
    const second = pays(SHOP, { signal: given.signal });
    given.abort();
    await first;
    await expect(second).rejects.toThrow(/aborted/);
    expect(shop.payloads).toHaveLength(1);
  });

  it('is paid also where the one before it failed', async () => {
    const { shop, client, outcome } = world;
    shop.fates = ['lost before'];
    const pays = client();
    expect(await Promise.all([outcome(pays), outcome(pays)])).toEqual(['fetch failed', 'paid']);
  });
});
