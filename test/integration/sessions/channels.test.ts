import type { Request } from 'express';
import { beforeEach, describe, expect, it } from 'vitest';
import { type TempoSandbox } from '../../../sandbox/tempo/start.js';
import type { PaidSessionOptions } from '../../../src/sessions/index.js';
import {
  credentialOf,
  type OpenedPayer,
  openPayer,
  paying,
  sessionChallenge,
} from '../../support/channels/channel-payer.js';
import {
  type ChannelShop,
  channelIn,
  openChannelShop,
  PRICE,
  receiptOf,
  SOLD,
  startChannelShop,
} from '../../support/channels/channel-shop.js';
import { Chain } from '../../support/channels/tempo-chain.js';
import { type TestLedger } from '../../support/ledger-fixtures.js';

let chain: TempoSandbox;
let store: TestLedger;
let shop: ChannelShop;
let url: string;
let payer: OpenedPayer;
/** How often a handler behind a payment ran. */
let served: number;

beforeEach(async () => {
  served = 0;
  ({ chain, store, shop } = await openChannelShop({ mount }));
  url = `${shop.url}/kinds`;
  payer = await openPayer(chain.url, url);
});

const mount: Parameters<typeof startChannelShop>[1]['mount'] = (app, sessions) => {
  const paidSession = (options: PaidSessionOptions<Request>) => sessions.paidSession(options);
  app.all('/kinds', paidSession(SOLD), (req, res) => {
    served += 1;
    if (req.query.fail !== undefined) return void res.status(500).json({ ok: false });
    req.paymentSession?.charge(PRICE);
    if (req.query.as === 'send') return void res.send('sent');
    if (req.query.as === 'end') return void res.end('ended');
    if (req.query.as === 'stream') {
      res.write('one');
      return void setTimeout(() => res.end('two'), 20);
    }
    if (req.query.as === 'events') {
      res.set('Content-Type', 'text/event-stream').flushHeaders();
      res.write('data: tick\n\n');
      return void setTimeout(() => res.end(), 20);
    }
    res.json({ ok: true });
  });
  const { price: _price, ...metered } = SOLD;
  app.all('/metered', paidSession({ ...metered, cap: PRICE }), (req, res) => {
    served += 1;
    for (let step = 0; step < Number(req.query.steps ?? 0); step += 1) req.paymentSession?.charge(1_000n);
    res.json({ ok: true });
  });
};

const ledgerOf = () => channelIn(store, payer.channelId);
const problemOf = async (response: Response) =>
  (await response.json()) as { type: string; code: string; detail: string };
const detailsOf = async (init?: RequestInit, at = url): Promise<Record<string, unknown>> =>
  (sessionChallenge(await fetch(at, init)).request as { methodDetails: Record<string, unknown> }).methodDetails;
const OFFERED = {
  chainId: 42431,
  escrowContract: '0x4d50500000000000000000000000000000000000',
  sessionProtocol: 'v2',
};
const naming = () => ({ headers: { 'payment-session': payer.channelId } });

describe('a receipt', () => {
  it.each(['json', 'send', 'end', 'stream', 'events'])('is on a response that is made by %s', async (as) => {
    const response = await payer.pay(`${url}?as=${as}`, 2n * PRICE);
    expect(response.status).toBe(200);
    expect((await response.text()).length).toBeGreaterThan(0);
    expect(receiptOf(response)).toMatchObject({
      channelId: payer.channelId,
      acceptedCumulative: '20000',
      spent: '20000',
      units: 2,
    });
    expect(await ledgerOf()).toMatchObject({ earned: 2n * PRICE, spent: 2n * PRICE, accepted: 2n * PRICE });
  });

  it.each(['HEAD', 'POST'])(
    'is on the 204 of a %s that only hands in a voucher, which pays for the next response',
    async (verb) => {
      const challenge = await payer.challenge(url);
      const credential = await payer.voucher(challenge, 2n * PRICE);
      const managed = await paying(url, credential, { method: verb });
      expect([managed.status, receiptOf(managed).acceptedCumulative, receiptOf(managed).spent]).toEqual([
        204,
        '20000',
        '10000',
      ]);
      expect(served).toBe(1);
      expect((await paying(url, credential)).status).toBe(200);
      expect(await ledgerOf()).toMatchObject({ earned: 2n * PRICE });
    },
  );

  it('of a metered response says what was used, and the rest of the reservation is there for the next one', async () => {
    const response = await payer.pay(`${shop.url}/metered?steps=3`, 2n * PRICE);
    expect(receiptOf(response)).toMatchObject({ acceptedCumulative: '20000', spent: '13000' });
    expect(await ledgerOf()).toMatchObject({ accepted: 20_000n, spent: 13_000n, earned: 13_000n });
    // 7,000 are left: a voucher 3,000 higher covers the next reservation.
    expect(receiptOf(await payer.pay(`${shop.url}/metered?steps=1`, 23_000n))).toMatchObject({ spent: '14000' });
  });
});

describe('a voucher', () => {
  it('pays for one response, however often and however many at once present it', async () => {
    const credential = await payer.voucher(await payer.challenge(url), 2n * PRICE);
    const answers = await Promise.all(Array.from({ length: 10 }, () => paying(url, credential)));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      200,
      ...Array.from({ length: 9 }, () => 402),
    ]);
    const again = await paying(url, credential);
    expect([again.status, (await problemOf(again)).type]).toEqual([
      402,
      'https://paymentauth.org/problems/session/voucher-used',
    ]);
    expect(served).toBe(2);
    expect(await ledgerOf()).toMatchObject({ earned: 2n * PRICE, spent: 2n * PRICE });
  });

  it('pays for nothing after its response failed, and what it allowed is there for the next one', async () => {
    const failed = await payer.pay(`${url}?fail`, 2n * PRICE);
    expect([failed.status, failed.headers.get('payment-receipt')]).toEqual([500, null]);
    expect(await ledgerOf()).toMatchObject({ accepted: 2n * PRICE, spent: PRICE, earned: PRICE });
    expect((await payer.pay(url, 2n * PRICE)).status).toBe(402);
    // The lowest voucher that was not presented is asked for, and is enough.
    expect(await detailsOf(naming())).toMatchObject({ requiredCumulative: '20001', spent: '10000' });
    expect((await payer.pay(url, 20_001n)).status).toBe(200);
  });

  it('that arrives after a higher one still pays for its response', async () => {
    const challenge = await payer.challenge(url);
    for (const n of [5n, 2n, 4n, 3n]) {
      expect((await paying(url, await payer.voucher(challenge, n * PRICE))).status).toBe(200);
    }
    expect(await ledgerOf()).toMatchObject({ accepted: 5n * PRICE, earned: 5n * PRICE });
    expect((await paying(url, await payer.voucher(challenge, 2n * PRICE))).status).toBe(402);
  });

  it('above the deposit is refused, and accepted once somebody has raised the deposit on chain', async () => {
    const credential = await payer.voucher(await payer.challenge(url), 1_000_001n);
    const refused = await paying(url, credential);
    expect([refused.status, (await problemOf(refused)).type]).toEqual([
      402,
      'https://paymentauth.org/problems/session/amount-exceeds-deposit',
    ]);
    expect(await ledgerOf()).toMatchObject({ accepted: PRICE, deposit: 1_000_000n });
    await Chain.topUpOnChain(payer.client, payer.descriptor, 500n);
    expect((await paying(url, credential)).status).toBe(200);
    expect(await ledgerOf()).toMatchObject({ accepted: 1_000_001n, deposit: 1_000_500n });
  });
});

describe('the hints of a challenge', () => {
  it('are flat to whoever names the channel, and nothing that can be used is among them', async () => {
    await payer.pay(url, 2n * PRICE);
    expect(await detailsOf(naming())).toEqual({
      ...OFFERED,
      channelId: payer.channelId,
      acceptedCumulative: '20000',
      spent: '20000',
      deposit: '1000000',
      requiredCumulative: '30000',
    });
    expect(await detailsOf()).toEqual(OFFERED);
  });

  it('find the channel of an authenticated client, and of no other', async () => {
    const alice = { headers: { 'x-client': 'alice' } };
    await payer.pay(url, 2n * PRICE, alice);
    expect(await detailsOf(alice)).toMatchObject({ channelId: payer.channelId });
    expect(await detailsOf({ headers: { 'x-client': 'bob' } })).not.toHaveProperty('channelId');
  });

  it('are omitted once the payer has closed the channel, which is then gone: 410', async () => {
    const challenge = await payer.challenge(url);
    const closing = await paying(url, await payer.voucher(challenge, PRICE, 'close'), { method: 'POST' });
    expect(closing.status).toBe(204);
    // Sent again, because its answer was lost: the same close.
    expect((await paying(url, await payer.voucher(challenge, PRICE, 'close'), { method: 'POST' })).status).toBe(204);
    const gone = await paying(url, await payer.voucher(challenge, 2n * PRICE));
    expect([gone.status, (await problemOf(gone)).type]).toEqual([
      410,
      'https://paymentauth.org/problems/session/channel-finalized',
    ]);
    expect(await detailsOf(naming())).not.toHaveProperty('channelId');
  });

  it('are omitted for a channel to another payee, of another token, or on another chain', async () => {
    for (const [column, value] of [
      ['payee', `0x${'1'.repeat(40)}`],
      ['token', `0x${'2'.repeat(40)}`],
      ['escrow', `0x${'3'.repeat(40)}`],
      ['chain_id', '4217'],
    ] as const) {
      await store.database.query('ALTER TABLE channels DISABLE TRIGGER channels_guard');
      const [before] = await store.database.query<Record<string, string>>(`SELECT ${column} AS was FROM channels`);
      await store.database.query(`UPDATE channels SET ${column} = $1`, [value]);
      expect(await detailsOf(naming())).not.toHaveProperty('channelId');
      await store.database.query(`UPDATE channels SET ${column} = $1`, [before?.was]);
    }
    expect(await detailsOf(naming())).toHaveProperty('channelId');
  });
});

describe('while the chain is down', () => {
  it('vouchers of known channels and closes are taken; opening and topping up answer 503 with Retry-After', async () => {
    const challenge = await payer.challenge(url);
    const [open, topUp] = [
      await credentialOf(chain.url, url, 'open'),
      await credentialOf(chain.url, `${shop.url}/small`, 'topUp'),
    ];
    chain.setDown(true);
    expect((await paying(url, await payer.voucher(challenge, 2n * PRICE))).status).toBe(200);
    for (const [at, credential] of [
      [url, open],
      [`${shop.url}/small`, topUp],
    ] as const) {
      const answer = await paying(at, credential, { method: 'POST' });
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    }
    const close = await paying(url, await payer.voucher(challenge, 2n * PRICE, 'close'), { method: 'POST' });
    expect([close.status, close.headers.get('payment-receipt')]).toEqual([204, null]);
    expect(await ledgerOf()).toMatchObject({ closing: true, earned: 2n * PRICE });
    chain.setDown(false);
    expect((await paying(url, open)).status).toBe(200);
    expect((await paying(`${shop.url}/small`, topUp, { method: 'POST' })).status).toBe(204);
  });

  it.each(['reset_after_commit', 'rpc_error_after_commit'] as const)(
    'an open whose answer is lost (%s) is taken over when it is sent again, and opened once',
    async (kind) => {
      const open = await credentialOf(chain.url, url, 'open');
      chain.setFaults([{ kinds: [kind], times: 1 }]);
      const lost = await paying(url, open);
      expect(lost.status).toBe(503);
      const again = await paying(url, open);
      expect([again.status, receiptOf(again).spent]).toEqual([200, '10000']);
      expect(chain.ledger().transactions.filter(({ events }) => events.includes('ChannelOpened'))).toHaveLength(2);
      expect((await paying(url, open)).status).toBe(402);
    },
  );

  it('vouchers are taken for ten minutes on what the chain last said, and then wait for it', async () => {
    const challenge = await payer.challenge(url);
    chain.setDown(true);
    store.clock.advance(9 * 60_000);
    await shop.stop();
    shop = await startChannelShop(store, { chainUrl: chain.url, mount });
    url = `${shop.url}/kinds`;
    expect((await paying(url, await payer.voucher(challenge, 2n * PRICE))).status).toBe(200);
    store.clock.advance(90_000);
    await shop.stop();
    shop = await startChannelShop(store, { chainUrl: chain.url, mount });
    url = `${shop.url}/kinds`;
    const credential = await payer.voucher(challenge, 3n * PRICE);
    const waiting = await paying(url, credential);
    expect([waiting.status, waiting.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await ledgerOf()).toMatchObject({ accepted: 2n * PRICE });
    chain.setDown(false);
    expect((await paying(url, credential)).status).toBe(200);
  });
});
