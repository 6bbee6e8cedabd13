import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OrderId, PaymentId } from '../../../src/domain/ids.js';
import { HOUR_MS } from '../../support/durations.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { expectSharesExact } from '../../support/marketplace/ledger-comparison.js';
import { shopAtStripe } from '../../support/marketplace/made-at-stripe.js';

// A payment whose money Stripe holds is captured by hand: once, and its sellers get their part of what was captured.

let world: DisputeWorld;
beforeEach(async () => {
  world = await openDisputeWorld();
});
afterEach(async () => {
  await world.settle();
  await expectSharesExact(world.url);
  await world.close();
});
const { held, askCapture, refund, intents, calls, hours } = shopAtStripe(() => world);

const read = (id: PaymentId) => world.calls.advancePayment(id);
const paymentOf = async (order: OrderId) => (await world.find(order)).payment;
const partsOf = async (order: OrderId) =>
  (await paymentOf(order))?.capture.parts.map(({ amount, status, certainty }) => [amount, status, certainty]);
const sellersOf = async (order: OrderId) =>
  (await world.find(order)).transfers.map(({ sellerAccount, amount, status }) => [sellerAccount, amount, status]);

describe('a payment at Stripe that is captured by hand', () => {
  it('is held, and nobody is asked or paid until it is captured', async () => {
    const { order, intent } = await held();
    expect(intents()).toMatchObject([{ id: intent, capture_method: 'manual', status: 'requires_capture' }]);
    expect(await paymentOf(order)).toMatchObject({ status: 'processing', attention: null, captured: { surely: 0n } });
    expect((await paymentOf(order))?.capture.heldSince).not.toBeNull();
    await hours(3);
    expect(await sellersOf(order)).toEqual([]);
    expect(calls('payment_intents.capture')).toEqual([]);
  });

  it('pays its sellers from its charge once the whole is captured', async () => {
    const { order, payment, charge } = await held();
    expect(await askCapture(payment)).toMatchObject({ kind: 'asked' });
    expect(await read(payment)).toEqual({ kind: 'final', status: 'succeeded' });
    expect(await partsOf(order)).toEqual([[1_000n, 'done', 'done']]);
    await world.settle();
    expect(await sellersOf(order)).toEqual([
      ['acct_ada', 600n, 'completed'],
      ['acct_bob', 400n, 'completed'],
    ]);
    expect(world.atStripe.ledger().transfers.map((one) => one.source_transaction)).toEqual([charge, charge]);
    expect(intents()).toMatchObject([{ amount_received: 1_000, capture_method: 'manual' }]);
  });

  it('of a part pays the order, which is of that part, and what Stripe lets go of is no refund', async () => {
    const { order, payment } = await held();
    await askCapture(payment, 500n);
    expect(await read(payment)).toEqual({ kind: 'final', status: 'succeeded' });
    expect(world.atStripe.ledger().refunds).toMatchObject([{ amount: 500, balance_transaction: null }]);
    await hours(2);
    expect(await world.find(order)).toMatchObject({ status: 'paid', amount: 500n, ordered: 1_000n, refunds: [] });
    expect(await sellersOf(order)).toEqual([
      ['acct_ada', 300n, 'completed'],
      ['acct_bob', 200n, 'completed'],
    ]);
    for (const type of ['charge.captured', 'refund.created', 'payment_intent.succeeded'])
      await world.stripeTells(type, (await paymentOf(order))?.stripePaymentId ?? '');
    expect(await paymentOf(order)).toMatchObject({ status: 'succeeded', attention: null });
    expect((await world.find(order)).refunds).toEqual([]);
    // Its own refunds are of what was captured.
    await refund(order, 250n);
    await world.settle();
    expect(await world.find(order)).toMatchObject({
      status: 'partially_refunded',
      refunds: [{ amount: 250n, status: 'succeeded' }],
    });
    expect(new Set(world.atStripe.ledger().reversals.map(({ amount }) => amount))).toEqual(new Set([150, 100]));
  });

  it('is captured once: a second capture is refused, and nothing is sent', async () => {
    const { payment } = await held();
    await askCapture(payment, 500n);
    expect(await askCapture(payment, 500n)).toEqual({ kind: 'under_way' });
    await read(payment);
    expect(await askCapture(payment, 500n)).toEqual({ kind: 'ended', status: 'succeeded' });
    expect(calls('payment_intents.capture')).toHaveLength(1);
  });

  it('is refused for more than it is, and while its buyer has not paid', async () => {
    const { payment } = await held();
    expect(await askCapture(payment, 1_001n)).toEqual({ kind: 'exceeds', left: 1_000n });
    const { begun } = shopAtStripe(() => world);
    const open = await begun(undefined, { captureMethod: 'manual' });
    expect(await askCapture(open.payment)).toMatchObject({
      kind: 'not_held',
      providerStatus: 'requires_payment_method',
    });
  });

  it('that Stripe refuses is not captured, and may be asked for again', async () => {
    const { order, payment } = await held();
    world.atStripe.setFaults([{ kinds: ['refused'], on: ['payment_intents.capture'], times: 1 }]);
    await askCapture(payment);
    await read(payment);
    expect(await partsOf(order)).toEqual([[1_000n, 'refused', 'absent']]);
    expect(await askCapture(payment)).toMatchObject({ kind: 'asked' });
    expect(await read(payment)).toEqual({ kind: 'final', status: 'succeeded' });
    const keys = calls('payment_intents.capture').map(({ idempotencyKey }) => idempotencyKey);
    expect(new Set(keys).size).toBe(2);
  });

  it('is not captured while a person has paused Stripe', async () => {
    const { order, payment } = await held();
    await askCapture(payment);
    await world.ledger.pauseProvider({ provider: 'stripe', by: 'ann', authenticated: true, note: '' });
    await read(payment);
    expect([calls('payment_intents.capture').length, await partsOf(order)]).toEqual([
      0,
      [[1_000n, 'open', 'not_sent']],
    ]);
  });

  it('bears our own marks, whatever metadata it was asked to be made with', async () => {
    const metadata = { order_id: 'x', payment_id: 'x', basket: '7' };
    const { order, payment } = await held({ passedOn: { metadata } });
    expect(intents()).toMatchObject([
      { metadata: { order_id: order, payment_id: payment, generation: '1', basket: '7' } },
    ]);
  });

  it('asks a person when nobody has captured it for six days', async () => {
    const { order, payment } = await held();
    world.clock.advance(6 * 24 * HOUR_MS);
    await read(payment);
    expect(await paymentOf(order)).toMatchObject({ attention: { reason: 'capture_overdue' } });
    await askCapture(payment);
    await read(payment);
    expect(await paymentOf(order)).toMatchObject({ status: 'succeeded', attention: null });
  });

  it('ends unpaid when its money lapses, and with it what was to be captured', async () => {
    const { order, payment, intent } = await held();
    await world.atStripe.lapse(intent);
    await askCapture(payment);
    expect(await read(payment)).toEqual({ kind: 'final', status: 'cancelled' });
    expect(await partsOf(order)).toEqual([[1_000n, 'refused', 'not_sent']]);
    expect(await world.find(order)).toMatchObject({ status: 'payment_failed', refunds: [] });
    for (const type of ['charge.refunded', 'payment_intent.canceled']) await world.stripeTells(type, intent);
    await world.calls.searchPayment(payment);
    expect(await world.find(order)).toMatchObject({ payment: { attention: null }, refunds: [] });
    expect(await world.openEvents()).toBe(0);
  });
});

it.each([
  ['surely', 0],
  [undefined, 1],
] as const)(
  'a refund that Stripe lists of a payment through Hyperswitch, of held money: %s',
  async (ofHeld, waiting) => {
    const order = await world.paid({ acct_ada: 600n });
    const payment = await paymentOf(order);
    if (!payment) throw new Error('no payment');
    const listed = {
      stripeRefundId: 're_held',
      charge: 'ch_1',
      paymentIntent: null,
      amount: 100n,
      currency: 'USD',
      status: 'succeeded',
      madeFrom: null,
      createdAt: new Date(world.clock.nowMs()).toISOString(),
      ...(ofHeld === undefined ? {} : { ofHeld }),
    };
    expect(await world.ledger.noteUnnamedRefunds(payment.id, [listed])).toBe(waiting);
  },
);

describe('what somebody else captures in Stripe’s dashboard', () => {
  it('pays the order where it is the whole', async () => {
    const { order, payment, charge } = await held();
    await world.atStripe.updateCharge(charge, 'captured');
    await read(payment);
    await world.settle();
    expect(await world.find(order)).toMatchObject({ status: 'paid', payment: { attention: null } });
    expect(await sellersOf(order)).toEqual([
      ['acct_ada', 600n, 'completed'],
      ['acct_bob', 400n, 'completed'],
    ]);
  });

  it.each([
    ['and nobody here asked for any', null],
    ['and another one was asked for here', 300n],
  ])('asks two persons where it is a part %s', async (_what, asked) => {
    const { order, payment, charge } = await held();
    if (asked !== null) await askCapture(payment, asked);
    await world.atStripe.updateCharge(charge, 'captured', 700);
    await read(payment);
    // 300 of those 700 may have been ours: what was captured is not what was asked for.
    expect(await paymentOf(order)).toMatchObject({
      status: 'processing',
      captured: { surely: 700n },
      attention: { reason: 'payment_amount_differs' },
    });
    expect(await sellersOf(order)).toEqual([]);
    expect(calls('payment_intents.capture')).toEqual([]);
    await world.decide('payment', payment, 'accept_capture');
    await world.settle();
    expect(await sellersOf(order)).toEqual([
      ['acct_ada', 420n, 'completed'],
      ['acct_bob', 280n, 'completed'],
    ]);
    expect((await world.find(order)).refunds).toEqual([]);
  });
});
