import { afterEach, describe, expect, it } from 'vitest';
import type { MarketplaceRouteDependencies } from '../../../src/http/marketplace/marketplace-dependencies.js';
import { type Answered, TOKENS } from '../../support/api.js';
import { aPayment, aRefund, id, ORDER_ID, PAYMENT_ID, REFUND_ID } from './marketplace-objects.js';
import { openShop, problemOf, type Shop } from './shop.js';

type External = NonNullable<MarketplaceRouteDependencies['external']>;

let shop: Shop;
afterEach(() => shop.close());

async function open(external: Partial<External> | undefined): Promise<void> {
  const unexpected = () => Promise.reject(new Error('not asked for here'));
  shop = await openShop(() => ({
    external: external && { takePayment: unexpected, noteRefund: unexpected, ...external },
    ledger: {
      findRefund: () =>
        Promise.resolve(aRefund({ origin: 'provider', hyperswitchRefundId: null, stripeRefundId: 're_1' })),
      reversalsOfRefund: () => Promise.resolve([]),
    },
  }));
}
/** Without an Idempotency-Key: what is named at Stripe is the key. */
const tell = (what: 'payments' | 'refunds', json: unknown): Promise<Answered> =>
  shop.send(`/api/v1/external-${what}`, { token: TOKENS.service, json });
const PAID = { order_id: ORDER_ID, provider: 'stripe', payment_intent: 'pi_1' };
const REFUNDED = { order_id: ORDER_ID, provider: 'stripe', refund: 're_1' };

const taken = aPayment({
  status: 'succeeded',
  provider: 'stripe',
  hyperswitchPaymentId: null,
  stripePaymentId: 'pi_1',
});

describe('POST /api/v1/external-payments', () => {
  it.each([
    ['taken', 201],
    ['already', 200],
  ] as const)('answers what was %s with the payment as Stripe holds it', async (kind, status) => {
    const told: unknown[] = [];
    await open({
      takePayment: (...given) => {
        told.push(given);
        return Promise.resolve({ kind, payment: taken, started: [] });
      },
    });
    const answer = await tell('payments', PAID);
    expect([answer.status, answer.body]).toMatchObject([
      status,
      {
        id: PAYMENT_ID,
        provider: 'stripe',
        stripe_payment_id: 'pi_1',
        hyperswitch_payment_id: null,
        status: 'succeeded',
      },
    ]);
    expect(told).toEqual([[ORDER_ID, 'pi_1', 'billing']]);
  });

  it('takes a charge instead of its PaymentIntent, and not both', async () => {
    const names: string[] = [];
    await open({
      takePayment: (_order, name) => {
        names.push(name);
        return Promise.resolve({ kind: 'taken', payment: taken, started: [] });
      },
    });
    const { payment_intent: _intent, ...rest } = PAID;
    expect((await tell('payments', { ...rest, charge: 'ch_1' })).status).toBe(201);
    for (const body of [{ ...PAID, charge: 'ch_1' }, rest])
      expect((await tell('payments', body)).body).toMatchObject({
        status: 400,
        errors: [{ pointer: '/payment_intent', message: 'name either the PaymentIntent or its charge' }],
      });
    expect(names).toEqual(['ch_1']);
  });

  it.each([
    ['order_not_found', { kind: 'order_not_found' }, 404, 'not_found'],
    ['has_payment', { kind: 'has_payment', paymentId: PAYMENT_ID }, 409, 'payment_taken'],
    ['pays_other', { kind: 'pays_other', orderId: ORDER_ID }, 409, 'payment_taken'],
    ['differs', { kind: 'differs', amount: 5n, currency: 'USD' }, 422, 'external_unfit'],
    ['unfit', { kind: 'unfit', detail: 'no' }, 422, 'external_unfit'],
    ['unread', { kind: 'unread', detail: 'away' }, 503, 'provider_unavailable'],
  ] as const)('says of %s that nothing was stored', async (_what, outcome, status, code) => {
    await open({ takePayment: () => Promise.resolve(outcome) });
    const answer = await tell('payments', PAID);
    expect(problemOf(answer)).toEqual([status, code]);
    expect(answer.body.detail).toContain('nothing was stored');
  });

  it.each([
    [{ ...PAID, payment_intent: 'pay_1' }, '/payment_intent'],
    [{ ...PAID, provider: 'hyperswitch' }, '/provider'],
    [{ ...PAID, amount: 5 }, '/amount'],
  ])('refuses %j', async (body, pointer) => {
    await open({});
    expect((await tell('payments', body)).body).toMatchObject({ status: 400, errors: [{ pointer }] });
  });

  it('needs a key of Stripe’s here, and an order that could be', async () => {
    await open(undefined);
    expect(problemOf(await tell('payments', PAID))).toEqual([503, 'not_configured']);
    expect(problemOf(await tell('refunds', REFUNDED))).toEqual([503, 'not_configured']);
    await shop.close();
    await open({});
    expect(problemOf(await tell('payments', { ...PAID, order_id: 'x' }))).toEqual([404, 'not_found']);
  });
});

describe('POST /api/v1/external-refunds', () => {
  it('answers 202 with the refund as far as Stripe has come', async () => {
    await open({ noteRefund: () => Promise.resolve({ kind: 'noted', refundId: REFUND_ID }) });
    const { status, body } = await tell('refunds', REFUNDED);
    expect([status, body]).toMatchObject([202, { id: REFUND_ID, origin: 'provider', stripe_refund_id: 're_1' }]);
  });

  it.each([
    ['order_not_found', { kind: 'order_not_found' }, 404],
    ['unfit', { kind: 'unfit', detail: 'no' }, 422],
    ['unread', { kind: 'unread', detail: 'away' }, 503],
  ] as const)('says of %s that nothing was stored', async (_what, outcome, status) => {
    await open({ noteRefund: () => Promise.resolve(outcome) });
    expect((await tell('refunds', REFUNDED)).status).toBe(status);
  });
});

describe('POST /api/v1/refunds', () => {
  it('is refused where another checkout took the payment, and says where the refund is made', async () => {
    shop = await openShop(() => ({
      ledger: { createRefund: () => Promise.resolve({ kind: 'made_at_stripe' }) },
    }));
    const answer = await shop.post('/api/v1/refunds', { order_id: id(1), reason: 'broken' });
    expect(problemOf(answer)).toEqual([409, 'refund_elsewhere']);
    expect(answer.body.detail).toContain('/api/v1/external-refunds');
  });
});
