import { afterEach, describe, expect, it } from 'vitest';
import { paymentKey, refundKey } from '../../../src/domain/calls/idempotency-keys.js';
import type { OrderId } from '../../../src/domain/ids.js';
import { hyperswitchPaymentId, hyperswitchRefundId } from '../../../src/providers/hyperswitch/ids.js';
import { HOUR_MS } from '../../support/durations.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';

/** What becomes of refunds at Hyperswitch, and no webhook of it ever comes. */

const ADA = 'acct_1Ada';
const BOB = 'acct_1Bob';
let world: DisputeWorld;
afterEach(() => world.close());

async function sold(elsewhere: boolean): Promise<OrderId> {
  world = await openDisputeWorld({ elsewhere });
  const order = await world.paid({ [ADA]: 600n, [BOB]: 400n });
  await world.settle();
  return order;
}
async function looked(): Promise<void> {
  world.clock.advance(2 * HOUR_MS);
  for (const payment of await world.ledger.duePaymentSearches(10)) await world.calls.searchPayment(payment);
  await world.settle();
}
const balances = async () => [await world.balanceOf(ADA), await world.balanceOf(BOB)];

describe.each([
  ['of our own Stripe', false],
  ['of another processor', true],
] as const)('a refund at Hyperswitch, of a payment %s', (_, elsewhere) => {
  it('is found by looking at the payment where a person made it in the dashboard', async () => {
    const order = await sold(elsewhere);
    const payment = hyperswitchPaymentId(paymentKey(order));
    await world.atHyperswitch.refundInDashboard({ payment_id: payment, amount: 500 });
    await looked();
    expect((await world.find(order)).refunds).toMatchObject([
      { amount: 500n, origin: 'provider', status: 'succeeded' },
    ]);
    expect(await balances()).toEqual([300n, 200n]);
  });

  it('is found to have failed after it had succeeded, and two persons are asked', async () => {
    const order = await sold(elsewhere);
    const refund = await world.refund(order, 500n);
    await world.settle();
    await world.atHyperswitch.moveRefund(hyperswitchRefundId(refundKey(refund)), { to: 'failed' });
    await looked();
    expect((await world.find(order)).refunds).toMatchObject([
      { status: 'failed', attention: { reason: 'refund_failed_after_reversal' } },
    ]);
    expect(await world.decide('refund', refund, 'compensate')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(await balances()).toEqual([600n, 400n]);
  });

  it('is one, and what a cancel after the capture gave back is the rest, where the cancel is told of first', async () => {
    const order = await sold(elsewhere);
    const payment = hyperswitchPaymentId(paymentKey(order));
    await world.atHyperswitch.refundInDashboard({ payment_id: payment, amount: 250 });
    await world.atHyperswitch.movePayment(payment, { to: 'cancelled_post_capture' });
    await world.hyperswitchTellsOfPayment(order);
    await world.settle();
    const { refunds, payment: paid } = await world.find(order);
    expect(refunds.map(({ amount, status }) => `${amount} ${status}`).toSorted()).toEqual([
      '250 succeeded',
      '750 succeeded',
    ]);
    expect([...refunds, paid].filter((one) => one?.attention !== null)).toEqual([]);
    expect(await balances()).toEqual([0n, 0n]);
  });

  it('that did not change starts nothing when it is looked at', async () => {
    const order = await sold(elsewhere);
    await world.refund(order, 500n);
    await world.settle();
    const before = await world.find(order);
    await looked();
    const { refunds, reversals, transfers } = await world.find(order);
    expect({ refunds: refunds.length, reversals: reversals.length, transfers: transfers.length }).toEqual({
      refunds: before.refunds.length,
      reversals: before.reversals.length,
      transfers: before.transfers.length,
    });
    expect(await balances()).toEqual([300n, 200n]);
  });
});

it('a payment is looked at again where that was wanted while it was looked at', async () => {
  await sold(false);
  world.clock.advance(2 * HOUR_MS);
  const [payment] = await world.ledger.duePaymentSearches(1);
  await world.database.query('UPDATE payments SET disputes_look_at = clock_now() WHERE id = $1', [payment]);
  await world.ledger.paymentSearched(payment!);
  expect(await world.ledger.duePaymentSearches(1)).toEqual([payment]);
  await world.ledger.paymentSearched(payment!);
  expect(await world.ledger.duePaymentSearches(1)).toEqual([]);
});
