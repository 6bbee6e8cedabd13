import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { type HyperswitchWorld, openHyperswitchWorld } from '../../support/marketplace/hyperswitch-world.js';

/** Whatever Hyperswitch calls a payment, it ends, is read again, or asks a person; and what was captured is somebody’s. */

let world: HyperswitchWorld;
beforeEach(async () => {
  world = await openHyperswitchWorld();
});
afterEach(() => world.close());

describe('a payment that Hyperswitch calls something that nothing follows from', () => {
  it.each([
    ['partially_captured', 400, 'payment_amount_differs', 400n],
    ['partially_captured_and_capturable', 400, 'payment_amount_differs', 400n],
    ['partially_authorized_and_requires_capture', 0, 'payment_amount_differs', 0n],
    ['succeeded', 999, 'payment_amount_differs', 999n],
    ['succeeded', 1_001, 'payment_amount_differs', 1_001n],
    ['conflicted', 1_000, 'payment_amount_differs', 1_000n],
    ['cancelled_post_capture', 1_000, 'payment_amount_differs', 0n],
    ['requires_merchant_action', 0, 'unknown_status', 0n],
    ['requires_capture', 0, 'unknown_status', 0n],
    ['new_teleported', 0, 'unknown_status', 0n],
  ])('asks a person when it is %s with %d captured: %s', async (word, received, reason, captured) => {
    const { paymentId, id, step } = await world.called(word, received);
    expect(step).toMatchObject({ kind: 'attention', reason, detail: expect.stringContaining(String(received)) });
    expect(await world.payment(paymentId)).toMatchObject({
      status: 'processing',
      captured: { surely: captured, known: true },
      providerStatus: word,
    });
    expect((await world.ledger.findOrder(id))?.status).toBe('pending');
    const listed = await world.ledger.listPayments({ needsAttention: true, limit: 10 });
    expect(listed.map((one) => one.id)).toEqual([paymentId]);
    const figures = await world.ledger.figures();
    expect(figures.needsAttention).toContainEqual(expect.objectContaining({ kind: 'payment', reason, count: 1 }));
    // Read again although nobody tells: the sweep wakes its workflow.
    expect(await world.dueInMs('payments', paymentId)).toBeLessThanOrEqual(HOUR_MS + MINUTE_MS);
  });

  it('goes on by itself once Hyperswitch has the whole', async () => {
    const { paymentId, id, at } = await world.called('partially_captured_and_capturable', 400);
    await world.sandbox.movePayment(at, { to: 'succeeded', received: 1_000 });
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({
      status: 'succeeded',
      attention: null,
      captured: { surely: 1_000n },
    });
    expect((await world.ledger.findOrder(id))?.transfers).toMatchObject([{ amount: 1_000n }]);
  });

  it('gives back what was captured and no more, and pays no seller of it', async () => {
    const { id, paymentId } = await world.called('partially_captured', 400);
    expect((await world.askRefund(id, 401n)).outcome).toBe('exceeds_paid');
    const refund = await world.askRefund(id);
    await world.advanceRefund(refund.id);
    await world.sandbox.moveRefund(refund.at, { to: 'succeeded' });
    await world.advanceRefund(refund.id);
    expect(await world.refund(refund.id)).toMatchObject({ status: 'succeeded', amount: 400n });
    expect(world.refunded()).toBe(400);
    expect(await world.ledger.findOrder(id)).toMatchObject({ status: 'pending', transfers: [] });
    expect(await world.decide(paymentId, 'write_off')).toMatchObject({ kind: 'applied', status: 'cancelled' });
    expect((await world.ledger.findOrder(id))?.status).toBe('payment_failed');
    // A webhook about what a person has settled asks nobody again.
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({ status: 'cancelled', attention: null });
  });

  it('that was refunded in part and then captured whole promises sellers the rest', async () => {
    const { id, paymentId, at } = await world.called('partially_captured', 400);
    const refund = await world.askRefund(id, 400n);
    await world.advanceRefund(refund.id);
    await world.sandbox.moveRefund(refund.at, { to: 'succeeded' });
    await world.advanceRefund(refund.id);
    await world.sandbox.movePayment(at, { to: 'succeeded', received: 1_000 });
    await world.advancePayment(paymentId);
    expect(await world.ledger.findOrder(id)).toMatchObject({
      status: 'partially_refunded',
      transfers: [{ amount: 600n }],
    });
  });

  it('asks again what was paid and is so no more, because sellers may have been paid of it', async () => {
    const order = await world.paid();
    await world.sandbox.movePayment(order.at, { to: 'conflicted' });
    await world.ledger.storeWebhook({
      provider: 'hyperswitch',
      eventId: 'evt_1',
      type: 'payment_cancelled',
      objectId: order.at,
      parentId: null,
      account: null,
      bodySha256: 'x',
    });
    expect(await world.advancePayment(order.paymentId)).toMatchObject({ kind: 'attention', reason: 'conflict' });
    expect(await world.payment(order.paymentId)).toMatchObject({ status: 'succeeded', captured: { surely: 1_000n } });
  });
});

describe('a refund whose status nobody knows', () => {
  it('asks a person, and goes on once Hyperswitch says something that is known', async () => {
    const order = await world.paid();
    const refund = await world.askRefund(order.id, 400n);
    await world.advanceRefund(refund.id);
    await world.sandbox.moveRefund(refund.at, { to: 'new_half_way' as never });
    expect(await world.advanceRefund(refund.id)).toMatchObject({ kind: 'attention', reason: 'unknown_status' });
    expect((await world.askRefund(order.id, 700n)).outcome).toBe('exceeds_paid');
    await world.sandbox.moveRefund(refund.at, { to: 'succeeded' });
    await world.advanceRefund(refund.id);
    expect(await world.refund(refund.id)).toMatchObject({ status: 'succeeded', attention: null });
  });
});

describe('a refund that stays pending', () => {
  const read = async () => {
    const { id } = await world.paid();
    const refund = await world.askRefund(id);
    await world.advanceRefund(refund.id);
    return refund;
  };

  it.each(['pending', 'review'] as const)(
    '%s is read ever less often after a day, at least once a day',
    async (word) => {
      const refund = await read();
      await world.sandbox.moveRefund(refund.at, { to: word });
      expect(await world.advanceRefund(refund.id)).not.toHaveProperty('afterMs');
      world.clock.advance(24 * HOUR_MS);
      const waits: number[] = [];
      for (let reads = 0; reads < 12; reads += 1) {
        const step = await world.advanceRefund(refund.id);
        const afterMs = step.kind === 'open' ? (step.afterMs ?? 0) : 0;
        waits.push(afterMs);
        // The sweep does not come before it is due, and not long after.
        expect(await world.dueInMs('refunds', refund.id)).toBeGreaterThanOrEqual(afterMs);
        expect(await world.dueInMs('refunds', refund.id)).toBeLessThanOrEqual(afterMs + 15 * MINUTE_MS);
        world.clock.advance(afterMs);
      }
      expect(waits[0]).toBe(5 * MINUTE_MS);
      expect(waits.at(-1)).toBe(24 * HOUR_MS);
      expect(waits.toSorted((one, other) => one - other)).toEqual(waits);
      await world.sandbox.moveRefund(refund.at, { to: 'succeeded' });
      expect(await world.advanceRefund(refund.id)).toMatchObject({ kind: 'final', status: 'succeeded' });
    },
  );
});
