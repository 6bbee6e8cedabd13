import { afterEach, describe, expect, it } from 'vitest';
import { paymentKey } from '../../../src/domain/calls/idempotency-keys.js';
import type { StripeRefund } from '../../../src/domain/calls/provider-answers.js';
import { newRefundId, type OrderId } from '../../../src/domain/ids.js';
import { hyperswitchPaymentId } from '../../../src/providers/hyperswitch/ids.js';
import { HOUR_MS } from '../../support/durations.js';
import type { DisputeWorld, DisputeWorldOptions } from '../../support/marketplace/dispute-world.js';
import { type TwoSellers, twoSellersSold } from '../../support/marketplace/two-sellers.js';

/** Buyers who have their money back by a refund that nobody here asked for: at Stripe, at Hyperswitch, or by cancelling a payment. */

let two: TwoSellers;
let world: DisputeWorld;
afterEach(() => world.close());

async function sold(rules?: DisputeWorldOptions): Promise<OrderId> {
  two = await twoSellersSold(rules);
  world = two.world;
  return two.order;
}
const balances = () => two.balances();

describe('a refund that nobody tells of', () => {
  it('a refund at Stripe that Hyperswitch does not name asks after an hour, and is counted by two persons once', async () => {
    const order = await sold();
    const payment = (await world.find(order)).payment!.id;
    const pi = (await world.ledger.paymentToSearch(payment))!.connectorTransactionId!;
    const charge = world.atStripe.ledger().charges.find((one) => one.payment_intent === pi)!.id;
    const { refund } = await world.atStripe.createRefund({ charge, amount: 500 });
    await world.stripeTells('charge.refunded', charge, pi);
    await world.stripeTells('refund.created', refund.id, pi);
    await world.settle();
    expect((await world.find(order)).payment!.attention).toBeNull();
    world.clock.advance(2 * HOUR_MS);
    for (const due of await world.ledger.duePaymentSearches(10)) await world.calls.searchPayment(due);
    expect((await world.find(order)).payment!.attention).toMatchObject({ reason: 'unknown_refund' });
    expect(await balances()).toEqual([600n, 400n]);
    expect(await world.decide('payment', payment, 'given_back')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(await balances()).toEqual([300n, 200n]);
    world.clock.advance(2 * HOUR_MS);
    for (const due of await world.ledger.duePaymentSearches(10)) await world.calls.searchPayment(due);
    expect((await world.find(order)).payment!.attention).toBeNull();
    expect((await world.find(order)).refunds).toHaveLength(1);
  });

  async function counted(order: OrderId): Promise<string> {
    const payment = (await world.find(order)).payment!.id;
    const charge = world.atStripe.ledger().charges.find((one) => one.payment_intent)!.id;
    const { refund } = await world.atStripe.createRefund({ charge, amount: 500 });
    await world.stripeTells('refund.created', refund.id, await two.atStripe());
    await two.searched(2);
    expect(await world.decide('payment', payment, 'given_back')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(await balances()).toEqual([300n, 200n]);
    return refund.id;
  }

  it('counts no more when it fails at Stripe after persons have counted it, and two persons pay the sellers again', async () => {
    const order = await sold();
    const atStripe = await counted(order);
    await world.atStripe.updateRefund(atStripe, 'failed');
    await world.stripeTells('refund.failed', atStripe, await two.atStripe());
    await world.settle();
    expect(await world.openEvents()).toBe(0);
    const [refund] = (await world.find(order)).refunds;
    expect(refund).toMatchObject({ status: 'failed', attention: { reason: 'refund_failed_after_reversal' } });
    expect(await world.decide('refund', refund!.id, 'compensate')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(await balances()).toEqual([600n, 400n]);
  });

  it('asks anew where there are more by the time that the second person is to approve', async () => {
    const order = await sold();
    const payment = (await world.find(order)).payment!.id;
    const charge = world.atStripe.ledger().charges.find((one) => one.payment_intent)!.id;
    await world.atStripe.createRefund({ charge, amount: 500 });
    await two.searched(2);
    await two.searched(2);
    expect(await world.request('payment', payment, 'given_back')).toMatchObject({ kind: 'pending_approval' });
    await world.atStripe.createRefund({ charge, amount: 200 });
    await two.searched(2);
    await two.searched(2);
    expect((await world.find(order)).payment!.attention).toMatchObject({
      reason: 'unknown_refund',
      detail: expect.stringMatching(/500 USD.*200 USD/) as string,
    });
    expect(await world.decide('payment', payment, 'given_back')).toMatchObject({ kind: 'applied' });
    await world.settle();
    await two.searched(1);
    expect(await balances()).toEqual([180n, 120n]);
  });

  const heldAtStripe = (stripeRefundId: string, madeFrom: StripeRefund['madeFrom']): StripeRefund => ({
    stripeRefundId,
    charge: null,
    paymentIntent: null,
    amount: 500n,
    currency: 'USD',
    status: 'succeeded',
    madeFrom,
    createdAt: new Date(world.clock.nowMs()).toISOString(),
  });

  it('is one refund where Hyperswitch names it at last by its own id alone', async () => {
    const order = await sold();
    const payment = (await world.find(order)).payment!.id;
    const held = heldAtStripe('re_1', { kind: 'refund', id: 'ref_1' });
    await world.ledger.noteUnnamedRefunds(payment, [held]);
    world.clock.advance(2 * HOUR_MS);
    await world.ledger.noteUnnamedRefunds(payment, [held]);
    expect(await world.decide('payment', payment, 'given_back')).toMatchObject({ kind: 'applied' });
    await world.ledger.adoptRefund(payment, newRefundId(world.clock.nowMs()), {
      hyperswitchRefundId: 'ref_1',
      hyperswitchPaymentId: hyperswitchPaymentId(paymentKey(order)),
      connectorRefundId: null,
      amount: 500n,
      currency: 'USD',
      status: 'succeeded',
      providerStatus: 'succeeded',
      reason: null,
      asks: null,
      updatedAt: null,
      profileId: null,
    });
    expect((await world.find(order)).refunds).toMatchObject([{ hyperswitchRefundId: 'ref_1', status: 'succeeded' }]);
  });

  it('asks where Hyperswitch calls one failed that Stripe holds as succeeded', async () => {
    const order = await sold();
    const refund = await world.refund(order, 500n);
    await two.searched(2);
    await world.failRefund(refund);
    await world.settle();
    const [there] = world.atStripe.ledger().refunds;
    await world.ledger.noteUnnamedRefunds((await world.find(order)).payment!.id, [heldAtStripe(there!.id, null)]);
    // Hyperswitch says once more that it has failed, which asks the same.
    world.clock.advance(HOUR_MS);
    await world.settle();
    expect((await world.find(order)).refunds).toMatchObject([
      { status: 'failed', attention: { detail: expect.stringMatching(/Stripe holds re_.* as succeeded/) as string } },
    ]);
  });

  it('asks where Stripe calls one failed that Hyperswitch holds as succeeded, until Hyperswitch says so too', async () => {
    const order = await sold();
    const refund = await world.refund(order, 500n);
    await two.searched(2);
    const [there] = world.atStripe.ledger().refunds;
    const failed = { ...heldAtStripe(there!.id, null), status: 'failed' };
    await world.ledger.noteUnnamedRefunds((await world.find(order)).payment!.id, [failed]);
    const asked = {
      status: 'succeeded',
      attention: { detail: expect.stringMatching(/Stripe says that re_.* has failed/) as string },
    };
    expect((await world.find(order)).refunds).toMatchObject([asked]);
    // Looked at again, Hyperswitch still says that it has succeeded.
    expect(await world.decide('refund', refund, 'retry')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect((await world.find(order)).refunds).toMatchObject([asked]);
    await world.failRefund(refund);
    await world.settle();
    expect((await world.find(order)).refunds).toMatchObject([
      { status: 'failed', attention: { reason: 'refund_failed_after_reversal' } },
    ]);
  });

  const searchedAfterHours = async (order: OrderId) => {
    const payment = (await world.find(order)).payment!.id;
    const pi = (await world.ledger.paymentToSearch(payment))!.connectorTransactionId!;
    const there = world.atStripe.ledger().refunds.find(({ payment_intent }) => payment_intent === pi)!;
    await world.stripeTells('refund.created', there.id, pi);
    world.clock.advance(2 * HOUR_MS);
    expect(await world.calls.searchPayment(payment)).toBeUndefined();
    await world.settle();
    expect((await world.find(order)).payment!.attention).toBeNull();
    expect((await world.find(order)).refunds).toHaveLength(1);
  };

  it('a refund that Hyperswitch made at Stripe is not asked about, although it does not say what that is called', async () => {
    const order = await sold();
    await world.refund(order, 500n);
    await searchedAfterHours(order);
    expect(await balances()).toEqual([300n, 200n]);
  });

  it('what Hyperswitch gave back by cancelling the payment is not asked about, and found without its word', async () => {
    const order = await sold();
    await world.atHyperswitch.movePayment(hyperswitchPaymentId(order), { to: 'cancelled_post_capture' });
    await searchedAfterHours(order);
    expect(await balances()).toEqual([0n, 0n]);
  });
});

describe('what Hyperswitch cancelled after it was captured', () => {
  const cancelled = (order: OrderId) =>
    world.atHyperswitch.movePayment(hyperswitchPaymentId(order), { to: 'cancelled_post_capture' });
  async function told(order: OrderId): Promise<void> {
    await world.hyperswitchTellsOfPayment(order);
    await world.settle();
  }

  it('is like a refund of all of it from the dashboard, once', async () => {
    const order = await sold();
    await cancelled(order);
    await told(order);
    await told(order);
    const { status, refunds, payment } = await world.find(order);
    expect(status).toBe('refunded');
    expect(refunds).toMatchObject([
      { origin: 'provider', amount: 1_000n, hyperswitchRefundId: null, status: 'succeeded' },
    ]);
    expect(payment?.attention).toBeNull();
    expect(await balances()).toEqual([0n, 0n]);
  });

  it('is of what refunds have left', async () => {
    const order = await sold();
    await world.refund(order, 400n);
    await cancelled(order);
    await told(order);
    expect((await world.find(order)).refunds.map(({ amount }) => `${amount}`).toSorted()).toEqual(['400', '600']);
    expect(await balances()).toEqual([0n, 0n]);
  });

  it('asks where Hyperswitch calls it succeeded again', async () => {
    const order = await sold();
    await cancelled(order);
    await told(order);
    await world.atHyperswitch.movePayment(hyperswitchPaymentId(order), { to: 'succeeded' });
    await told(order);
    expect((await world.find(order)).payment?.attention).toMatchObject({ reason: 'conflict' });
  });
});
