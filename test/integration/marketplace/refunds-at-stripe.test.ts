import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OrderId, RefundId } from '../../../src/domain/ids.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { expectSharesExact } from '../../support/marketplace/ledger-comparison.js';
import { shopAtStripe } from '../../support/marketplace/made-at-stripe.js';

// Refunds of a payment at Stripe: those that are made from here, in its dashboard, those that fail late, and lost answers.

let world: DisputeWorld;
beforeEach(async () => {
  world = await openDisputeWorld();
});
afterEach(async () => {
  await world.settle();
  await expectSharesExact(world.url);
  await world.close();
});
const { paid, refund, placeRefund, hours, calls } = shopAtStripe(() => world);

const refundsOf = async (order: OrderId) =>
  (await world.find(order)).refunds.map(({ amount, status, origin }) => [amount, status, origin]);
const sentTo = async (order: OrderId) =>
  (await world.find(order)).transfers.map(({ amount, amountReversed }) => amount - amountReversed);
const atStripe = () => world.atStripe.ledger().refunds;

describe('a refund at Stripe', () => {
  it.each([
    ['before anything was sent', false],
    ['after the sellers were paid', true],
  ])('%s gives the buyer a part and takes it of each seller', async (_when, sent) => {
    const { order, intent } = await paid();
    if (sent) await world.settle();
    const id = await refund(order, 500n);
    await world.settle();
    expect(await refundsOf(order)).toEqual([[500n, 'succeeded', 'api']]);
    expect(await sentTo(order)).toEqual([300n, 200n]);
    expect(atStripe()).toMatchObject([
      { amount: 500, payment_intent: intent, metadata: { refund_id: id, generation: '1' } },
    ]);
    expect(calls('refunds.create')).toMatchObject([{ idempotencyKey: id }]);
    expect((await world.find(order)).refunds[0]).toMatchObject({
      stripeRefundId: atStripe()[0]?.id,
      hyperswitchRefundId: null,
    });
  });

  it('while a transfer is on its way takes what that turns out to have sent', async () => {
    const { order } = await paid();
    world.atStripe.setFaults([{ kinds: ['reset_after_commit'], on: ['transfers.create'], times: 1 }]);
    await world.settle(['transfer']);
    await refund(order);
    await hours(2);
    expect(await world.find(order)).toMatchObject({ status: 'refunded' });
    expect(await sentTo(order)).toEqual([0n, 0n]);
  });

  it('that Stripe works on takes nothing of anybody until it has succeeded', async () => {
    world.atStripe.setBuyers({ refunds: 'pending' });
    const { order } = await paid();
    await world.settle();
    const id = await refund(order, 500n);
    expect(await refundsOf(order)).toEqual([[500n, 'pending', 'api']]);
    expect(await sentTo(order)).toEqual([600n, 400n]);
    const name = atStripe()[0]?.id ?? '';
    await world.atStripe.updateRefund(name, 'succeeded');
    await world.stripeTells('refund.updated', name);
    await world.settle();
    expect(await sentTo(order)).toEqual([300n, 200n]);
    expect((await world.ledger.findRefund(id))?.status).toBe('succeeded');
  });

  it('that fails late gives the sellers their shares again', async () => {
    const { order } = await paid();
    await world.settle();
    await refund(order, 500n);
    await world.settle();
    const name = atStripe()[0]?.id ?? '';
    await world.atStripe.updateRefund(name, 'failed');
    await world.stripeTells('refund.failed', name);
    const [failed] = (await world.find(order)).refunds;
    expect(failed).toMatchObject({ status: 'failed', attention: { reason: 'refund_failed_after_reversal' } });
    await world.decide('refund', failed?.id ?? '', 'compensate');
    await world.settle();
    expect((await sentTo(order)).reduce((sum, each) => sum + each, 0n)).toBe(1_000n);
  });

  it('that is made in the dashboard beside ours counts beside it, once', async () => {
    const { order, charge } = await paid();
    await world.settle();
    await refund(order, 500n);
    const { refund: there } = await world.atStripe.createRefund({ charge, amount: 300 });
    await world.stripeTells('charge.refunded', charge, (await world.find(order)).payment?.stripePaymentId ?? null);
    await hours(2);
    expect(await refundsOf(order)).toEqual([
      [500n, 'succeeded', 'api'],
      [300n, 'succeeded', 'provider'],
    ]);
    expect((await world.find(order)).refunds[1]?.stripeRefundId).toBe(there.id);
    expect(await sentTo(order)).toEqual([120n, 80n]);
  });

  it('is refused for good where Stripe refuses it: the buyer got nothing, and the amount is free again', async () => {
    const { order } = await paid();
    world.atStripe.setFaults([{ kinds: ['refused'], on: ['refunds.create'], times: 1 }]);
    await refund(order);
    expect(await refundsOf(order)).toEqual([[1_000n, 'failed', 'api']]);
    await refund(order);
    expect((await refundsOf(order)).at(-1)).toEqual([1_000n, 'succeeded', 'api']);
    expect(atStripe()).toHaveLength(1);
  });

  it('of a payment that another checkout took is still made there', async () => {
    const order = await world.ordered({ acct_ada: 1_000n });
    const { payment_intent: intent } = await world.atStripe.createCapture({ amount: 1_000, currency: 'usd' });
    expect(await world.external.takePayment(order, intent.id, 'shop')).toMatchObject({ kind: 'taken' });
    await expect(placeRefund(order)).rejects.toThrow('made_at_stripe');
  });
});

describe('a refund whose answer is lost', () => {
  const lost = async (kind: 'reset_before_commit' | 'reset_after_commit' | 'server_error' | 'finish_later') => {
    const made = await paid();
    world.atStripe.setFaults([{ kinds: [kind], on: ['refunds.create'], times: 1 }]);
    const id = await refund(made.order, 500n);
    expect(await world.ledger.findRefund(id)).toMatchObject({ certainty: 'unknown', status: 'pending' });
    return { ...made, id };
  };
  const expectOnce = async (order: OrderId, id: RefundId) => {
    expect(await refundsOf(order)).toEqual([[500n, 'succeeded', 'api']]);
    expect(atStripe()).toMatchObject([{ metadata: { refund_id: id } }]);
  };

  it.each(['reset_before_commit', 'reset_after_commit'] as const)('is there once: %s', async (kind) => {
    const { order, id } = await lost(kind);
    await world.calls.advanceRefund(id);
    await expectOnce(order, id);
  });

  it.each(['by an event', 'by nobody telling'])('is known as ours when its payment is looked at: %s', async (how) => {
    const { order, id, intent, charge } = await lost('reset_after_commit');
    if (how === 'by an event') await world.stripeTells('charge.refunded', charge, intent);
    else await world.calls.searchPayment((await world.find(order)).payment?.id ?? ('' as never));
    await expectOnce(order, id);
  });

  it('is found where Stripe only repeats that it failed, and did it later', async () => {
    const { order, id } = await lost('finish_later');
    await world.calls.advanceRefund(id);
    expect(await world.ledger.findRefund(id)).toMatchObject({ certainty: 'unknown' });
    await world.atStripe.finishLater();
    await world.calls.advanceRefund(id);
    await expectOnce(order, id);
  });

  it('is made anew after a day and two looks that found nothing, so that the buyer has his money', async () => {
    const { order, id } = await lost('server_error');
    for (const afterMs of [26 * 3_600_000, 60_000]) {
      world.clock.advance(afterMs);
      await world.calls.advanceRefund(id);
    }
    expect(atStripe()).toEqual([]);
    world.clock.advance(600_000);
    await world.calls.advanceRefund(id);
    await expectOnce(order, id);
    expect(calls('refunds.create').at(-1)).toMatchObject({ idempotencyKey: `${id}:g2` });
  });

  it('counts each refund that Stripe holds where both keys moved money in the end', async () => {
    const { order, id } = await lost('finish_later');
    for (const afterMs of [26 * 3_600_000, 660_000]) {
      world.clock.advance(afterMs);
      await world.calls.advanceRefund(id);
    }
    await world.atStripe.finishLater();
    await hours(2);
    expect(await refundsOf(order)).toEqual([
      [500n, 'succeeded', 'api'],
      [500n, 'succeeded', 'provider'],
    ]);
    expect(await sentTo(order)).toEqual([0n, 0n]);
  });
});
