import { decodePaymentRequiredHeader } from '@x402/core/http';
import { PaymentRequiredV1Schema, PaymentRequiredV2Schema } from '@x402/core/schemas';
import { Challenge } from 'mppx';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { payerAccount } from '../../sandbox/payer/account.js';
import { type PayOptions, pay } from '../../sandbox/payer/pay.js';
import { type DemoShop, MPP_SECRET, openDemoShop } from '../support/sessions/demo-shop.js';

let shop: DemoShop;
beforeEach(async () => {
  shop = await openDemoShop();
});
afterEach(() => shop.close());

describe('the 402 of a demo route', () => {
  it.each([
    ['/demo/fixed', 'exact', 'charge'],
    ['/demo/metered', 'upto', 'session'],
    ['/demo/stream', 'upto', 'session'],
  ])('%s is read by @x402/core and mppx, and offers %s and %s', async (path, scheme, intent) => {
    const answer = await fetch(`${shop.url}${path}`);
    expect(answer.status).toBe(402);
    const said = decodePaymentRequiredHeader(answer.headers.get('payment-required') ?? '');
    const second = PaymentRequiredV2Schema.parse(said);
    expect(second.accepts.map((accept) => [accept.scheme, accept.amount])).toEqual([[scheme, '10000']]);
    expect(second.resource?.url).toBe(`${shop.url}${path}`);
    const body: unknown = await answer.clone().json();
    // Version 1 knows no scheme that is metered.
    if (scheme === 'exact') expect(PaymentRequiredV1Schema.parse(body).accepts).toHaveLength(1);
    else expect(body).toEqual(said);
    const [challenge, ...more] = Challenge.fromResponseList(answer);
    expect(more).toEqual([]);
    expect(challenge && Challenge.verify(challenge, { secretKey: MPP_SECRET })).toBe(true);
    expect(challenge).toMatchObject({ method: 'tempo', intent, request: { amount: '10000' } });
    expect(JSON.parse(answer.headers.get('x-atxp-payment-request') ?? '')).toEqual({
      paymentRequestId: expect.any(String),
      paymentRequestUrl: expect.stringContaining(`${shop.sandbox.url}/payment-request/`),
      chargeAmount: '0.01',
    });
  });
});

const ways: readonly (readonly [string, string, Omit<PayOptions, 'account'>, string])[] = [
  ['ATXP', '/demo/fixed', { protocol: 'atxp' }, '10000'],
  ['x402 v1 exact', '/demo/fixed', { protocol: 'x402', version: 1 }, '10000'],
  ['x402 v2 exact', '/demo/fixed', { protocol: 'x402' }, '10000'],
  ['an MPP charge', '/demo/fixed', { protocol: 'mpp' }, '10000'],
  ['metered ATXP', '/demo/metered?n=3', { protocol: 'atxp' }, '3000'],
  ['x402 upto', '/demo/metered?n=3', { protocol: 'x402' }, '3000'],
  ['an MPP session', '/demo/metered?n=3', { protocol: 'mpp' }, '3000'],
  ['an MPP session that costs nothing', '/demo/metered?n=0', { protocol: 'mpp' }, '0'],
  ['ATXP up to the cap and no further', '/demo/metered?n=11', { protocol: 'atxp' }, '10000'],
  ['streamed ATXP', '/demo/stream?n=2', { protocol: 'atxp' }, '2000'],
];

describe('a demo route', () => {
  it.each(ways)(
    'paid by %s at %s is served, and its settle moves exactly what was spent',
    async (_, path, how, spent) => {
      const answer = await pay(`${shop.url}${path}`, { ...how, account: payerAccount('alice') });
      expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
      expect(await shop.settle(how.protocol)).toMatchObject({ kind: 'done', alreadySettled: false });
      expect(shop.sandbox.ledger().totals).toEqual({ debits: 1, debited: spent });
    },
  );
});
