import { afterEach, describe, expect, it } from 'vitest';
import type { StripeRefund } from '../../../src/domain/calls/provider-answers.js';
import type { OrderId, RefundId } from '../../../src/domain/ids.js';
import { HOUR_MS } from '../../support/durations.js';
import type { DisputeWorld } from '../../support/marketplace/dispute-world.js';
import { type TwoSellers, twoSellersSold } from '../../support/marketplace/two-sellers.js';

/** Sellers are paid again for a refund that has failed by two persons alone, and only where the processor knows of the failure. */

let two: TwoSellers;
let world: DisputeWorld;
afterEach(() => world.close());

async function sold(): Promise<OrderId> {
  two = await twoSellersSold();
  world = two.world;
  return two.order;
}

const questions = async (order: OrderId) =>
  (await world.find(order)).refunds
    .map(
      ({ amount, attention, status }) =>
        `${amount} ${status} ${attention?.reason} ${attention?.detail.match(/\d+ USD to/g)?.join(' ')}`,
    )
    .toSorted();

/** As Stripe holds them, by amount, whatever Hyperswitch says. */
async function heldAtStripe(order: OrderId, statuses: Readonly<Record<number, StripeRefund['status']>>): Promise<void> {
  await world.ledger.noteUnnamedRefunds(
    (await world.find(order)).payment!.id,
    world.atStripe.ledger().refunds.map(({ id, amount }) => ({
      stripeRefundId: id,
      charge: null,
      paymentIntent: null,
      amount: BigInt(amount),
      currency: 'USD',
      status: statuses[amount]!,
      madeFrom: null,
      createdAt: new Date(world.clock.nowMs()).toISOString(),
    })),
  );
}

async function failedAtHyperswitchAlone(order: OrderId, amount: bigint): Promise<RefundId> {
  const refund = await world.refund(order, amount);
  await two.searched(2);
  await world.failRefund(refund);
  await heldAtStripe(order, { 500: 'succeeded' });
  return refund;
}

describe('a refund that Stripe holds as succeeded and Hyperswitch calls failed', () => {
  it('is asked about once more after a retry, and no compensation is proposed for it', async () => {
    const order = await sold();
    const refund = await failedAtHyperswitchAlone(order, 500n);
    await world.settle();
    expect(await world.decide('refund', refund, 'retry')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(await questions(order)).toEqual(['500 failed conflict undefined']);
  });

  it('is not paid for where another refund of the order has failed', async () => {
    const order = await sold();
    const other = await world.refund(order, 300n);
    await world.settle();
    const refund = await world.refund(order, 500n);
    await two.searched(2);
    await world.failRefund(refund);
    await heldAtStripe(order, { 300: 'succeeded', 500: 'succeeded' });
    await world.failRefund(other);
    await world.settle();
    const asked = ['300 failed refund_failed_after_reversal 180 USD to 120 USD to', '500 failed conflict undefined'];
    expect(await questions(order)).toEqual(asked);
    await heldAtStripe(order, { 300: 'failed', 500: 'succeeded' });
    expect(await questions(order)).toEqual(asked);
    expect(await world.decide('refund', other, 'compensate')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(await two.balances()).toEqual([300n, 200n]);
    expect(await world.decide('refund', refund, 'write_off')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(await questions(order)).toEqual(['300 failed undefined undefined', '500 failed undefined undefined']);
    // It has failed at Stripe after all.
    await heldAtStripe(order, { 300: 'failed', 500: 'failed' });
    expect(await questions(order)).toContain('500 failed refund_failed_after_reversal 300 USD to 200 USD to');
  });

  it('is asked about although a person has asked to compensate it already', async () => {
    const order = await sold();
    const refund = await world.refund(order, 500n);
    await two.searched(2);
    await world.failRefund(refund);
    await world.settle();
    expect(await world.request('refund', refund, 'compensate')).toMatchObject({ kind: 'pending_approval' });
    await heldAtStripe(order, { 500: 'succeeded' });
    expect(await questions(order)).toEqual(['500 failed conflict undefined']);
    await heldAtStripe(order, { 500: 'failed' });
    world.clock.advance(2 * HOUR_MS);
    await world.settle();
    expect(await questions(order)).toEqual(['500 failed refund_failed_after_reversal 300 USD to 200 USD to']);
  });
});

it('what a refund took that fails again after sellers were paid for the first failure is left to two persons, also where a dispute was won', async () => {
  const order = await sold();
  const dispute = await world.dispute(order, { amount: 100 });
  await world.hyperswitchTells(order, dispute);
  await world.settle();
  await world.move(dispute, { move: 'win' });
  await world.hyperswitchTells(order, dispute, 'dispute_won');
  await world.settle();
  expect(await two.balances()).toEqual([600n, 400n]);
  for (const round of [1, 2]) {
    const refund = await world.refund(order, 1_000n);
    await world.settle();
    await world.failRefund(refund);
    await world.settle();
    expect(await two.balances(), `after failure ${round}`).toEqual([0n, 0n]);
    expect(await world.decide('refund', refund, 'compensate')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(await two.balances()).toEqual([600n, 400n]);
  }
});
