import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IntentStatus } from '../../../sandbox/hyperswitch/http/objects.js';
import { newDecisionId, newRefundId } from '../../../src/domain/ids.js';
import { HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { paymentAt, refundAt } from '../../support/marketplace/hyperswitch-facts.js';
import { type HyperswitchWorld, openHyperswitchWorld } from '../../support/marketplace/hyperswitch-world.js';

/** Whatever Hyperswitch calls a payment, it ends, is read again, or asks a person; and what was captured is somebody's. */

let world: HyperswitchWorld;
beforeEach(async () => {
  world = await openHyperswitchWorld();
});
afterEach(() => world.close());

const dueAt = async (id: string): Promise<number> => {
  const [row] = await world.database.query<{ at: Date }>('SELECT next_check_at AS at FROM payments WHERE id = $1', [
    id,
  ]);
  return row!.at.getTime() - world.clock.nowMs();
};

async function called(to: string, received?: number, amount?: bigint) {
  const order = await world.order(amount);
  await world.advancePayment(order.paymentId);
  await world.sandbox.movePayment(order.at, {
    to: to as IntentStatus,
    ...(received === undefined ? {} : { received }),
  });
  const step = await world.advancePayment(order.paymentId);
  return { ...order, step };
}

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
    const { paymentId, id, step } = await called(word, received);
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
    expect(await dueAt(paymentId)).toBeLessThanOrEqual(HOUR_MS + MINUTE_MS);
  });

  it('goes on by itself once Hyperswitch has the whole', async () => {
    const { paymentId, id, at } = await called('partially_captured_and_capturable', 400);
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
    const { id, paymentId } = await called('partially_captured', 400);
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
    const { id, paymentId, at } = await called('partially_captured', 400);
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
    await world.sandbox.movePayment(order.at, { to: 'cancelled_post_capture' });
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
  const refundDueAt = async (id: string): Promise<number> => {
    const [row] = await world.database.query<{ at: Date }>('SELECT next_check_at AS at FROM refunds WHERE id = $1', [
      id,
    ]);
    return row!.at.getTime() - world.clock.nowMs();
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
        expect(await refundDueAt(refund.id)).toBeGreaterThanOrEqual(afterMs);
        expect(await refundDueAt(refund.id)).toBeLessThanOrEqual(afterMs + 15 * MINUTE_MS);
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

describe('a decision about a payment', () => {
  it('write_off of money that a buyer has not back takes a second person', async () => {
    const { paymentId } = await called('partially_captured', 400);
    expect(await world.decide(paymentId, 'write_off')).toMatchObject({ kind: 'pending_approval' });
    expect(await world.payment(paymentId)).toMatchObject({ status: 'processing' });
  });

  it.each([
    ['in another currency', { currency: 'EUR', status: 'succeeded', amountReceived: 900n }],
    ['by an amount that is not said', { providerStatus: 'partially_captured', amountReceived: null }],
    ['although it says that nothing was', { providerStatus: 'partially_captured', amountReceived: 0n }],
    ['perhaps: its word is in no document', { providerStatus: 'new_teleported', amountReceived: null }],
  ] as const)(
    'write_off of what was captured %s takes a second person, whose money it is nobody can say',
    async (_how, said) => {
      const { paymentId, id, at } = await called('requires_capture');
      const facts = paymentAt({ hyperswitchPaymentId: at, amount: 1_000n, currency: 'USD', ...said });
      await world.ledger.applyPayment({ paymentId, runner: null, facts });
      expect(await world.payment(paymentId)).toMatchObject({ captured: { surely: 0n, known: false } });
      expect(await world.askRefund(id)).toMatchObject({ outcome: 'captured_unknown' });
      const decide = (by: string) =>
        world.ledger.decide({
          id: newDecisionId(world.clock.nowMs()),
          kind: 'payment',
          itemId: paymentId,
          action: 'write_off',
          by,
          authenticated: true,
          note: 'x',
          evidence: null,
          verified: { kind: 'found', providerId: at },
        });
      expect(await decide('olga')).toMatchObject({ kind: 'pending_approval' });
      // A definite answer is known again.
      await world.advancePayment(paymentId);
      expect(await world.payment(paymentId)).toMatchObject({ captured: { surely: 0n, known: true } });
    },
  );

  it('a refund made at Hyperswitch of what was captured without an amount is found, up to the whole', async () => {
    const { paymentId, at } = await called('requires_capture');
    const said = { providerStatus: 'partially_captured', amountReceived: null };
    const facts = paymentAt({ hyperswitchPaymentId: at, amount: 1_000n, currency: 'USD', ...said });
    await world.ledger.applyPayment({ paymentId, runner: null, facts });
    const adopt = (amount: bigint) => {
      const id = newRefundId(world.clock.nowMs());
      const there = { hyperswitchRefundId: `ref_${id}`, hyperswitchPaymentId: at, amount, currency: 'USD' };
      return world.ledger.adoptRefund(paymentId, id, refundAt(there));
    };
    const given = await adopt(400n);
    expect(await world.refund(given.refundId)).toMatchObject({ status: 'succeeded', attention: null });
    const beyond = await adopt(601n);
    expect(await world.refund(beyond.refundId)).toMatchObject({
      status: 'pending',
      attention: { reason: 'conflict' },
    });
  });

  it('write_off is not taken about less than Hyperswitch has captured by now', async () => {
    const { paymentId, at } = await called('requires_capture');
    await world.sandbox.movePayment(at, { to: 'partially_captured', received: 400 });
    expect(await world.decide(paymentId, 'write_off')).toMatchObject({
      kind: 'refused',
      detail: expect.stringMatching(/is 400 now, and was 0 .* resolve it with retry/),
    });
    await world.decide(paymentId, 'retry');
    await world.advancePayment(paymentId);
    expect(await world.decide(paymentId, 'write_off')).toMatchObject({ kind: 'pending_approval' });
  });

  it('cancel calls it off at Hyperswitch, and what is read then decides', async () => {
    const { paymentId, id } = await called('requires_capture');
    expect(await world.decide(paymentId, 'cancel')).toMatchObject({ kind: 'applied' });
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({ status: 'cancelled', attention: null });
    expect((await world.ledger.findOrder(id))?.status).toBe('payment_failed');
    expect(world.posts('payments.cancel')).toBe(1);
  });

  it('cancel loses to a success that came before it', async () => {
    const { paymentId, at, id } = await called('requires_capture');
    await world.decide(paymentId, 'cancel');
    await world.sandbox.movePayment(at, { to: 'succeeded', seen: false });
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({ status: 'succeeded' });
    expect((await world.ledger.findOrder(id))?.status).toBe('paid');
  });

  it('cancel that Hyperswitch refuses leaves the question where it was', async () => {
    const { paymentId } = await called('partially_captured', 400);
    await world.decide(paymentId, 'cancel');
    expect(await world.advancePayment(paymentId)).toMatchObject({
      kind: 'attention',
      reason: 'payment_amount_differs',
    });
    const [row] = await world.database.query('SELECT cancel_certainty, cancel_asked_at FROM payments WHERE id = $1', [
      paymentId,
    ]);
    expect(row).toEqual({ cancel_certainty: 'absent', cancel_asked_at: null });
  });

  it('cancel of nearly all of a sale takes as many persons as its rest is worth, however little was captured', async () => {
    const { paymentId } = await called('partially_captured_and_capturable', 1, 900_000n);
    expect(await world.decide(paymentId, 'cancel')).toMatchObject({ kind: 'pending_approval' });
  });

  it('write_off ends what an attempt under way was about to send', async () => {
    const { paymentId } = await world.order();
    const held = { id: paymentId, runner: 'slow' };
    expect(await world.ledger.claimPayment(paymentId, 'slow', HOUR_MS)).toMatchObject({ kind: 'claimed' });
    await world.database.query(
      `UPDATE payments SET attention_reason = 'provider_mismatch', attention_since = clock_now(), attention_detail = 'x' WHERE id = $1`,
      [paymentId],
    );
    expect(await world.decide(paymentId, 'write_off')).toMatchObject({ kind: 'applied', status: 'cancelled' });
    expect(await world.ledger.paymentLeaves({ ...held, params: '{}' })).toBeUndefined();
  });

  it('write_off asks Hyperswitch, and does not give up what it calls paid in full', async () => {
    const { paymentId, at } = await called('requires_merchant_action');
    await world.sandbox.movePayment(at, { to: 'succeeded' });
    expect(await world.decide(paymentId, 'write_off')).toMatchObject({
      kind: 'refused',
      detail: expect.stringContaining('retry'),
    });
    expect(await world.decide(paymentId, 'retry')).toMatchObject({ kind: 'applied' });
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({ status: 'succeeded', attention: null });
  });
});

describe('a checkout that its buyer has left', () => {
  it.each(['requires_payment_method', 'requires_confirmation', 'requires_customer_action'])(
    'is cancelled at Hyperswitch after a day while it %s',
    async (word) => {
      const { paymentId, id } = await called(word);
      world.clock.advance(23 * HOUR_MS);
      expect(await world.advancePayment(paymentId)).toMatchObject({ kind: 'open' });
      expect(world.posts('payments.cancel')).toBe(0);
      world.clock.advance(HOUR_MS + MINUTE_MS);
      expect(await world.advancePayment(paymentId)).toMatchObject({ kind: 'final', status: 'cancelled' });
      expect(world.posts('payments.cancel')).toBe(1);
      expect((await world.ledger.findOrder(id))?.status).toBe('payment_failed');
    },
  );

  it('is not cancelled while money may be on its way', async () => {
    const { paymentId } = await called('processing');
    world.clock.advance(30 * 24 * HOUR_MS);
    expect(await world.advancePayment(paymentId)).toMatchObject({ kind: 'open', afterMs: 24 * HOUR_MS });
    expect(world.posts('payments.cancel')).toBe(0);
  });

  it('is read ever less often while it cannot be cancelled, at least once a day', async () => {
    const { paymentId } = await called('requires_customer_action');
    world.sandbox.setFaults([{ kinds: ['http_503'], on: ['payments.cancel'] }]);
    world.clock.advance(24 * HOUR_MS);
    const waits: number[] = [];
    for (let read = 0; read < 12; read += 1) {
      const step = await world.advancePayment(paymentId);
      const afterMs = step.kind === 'open' ? (step.afterMs ?? 0) : 0;
      waits.push(afterMs);
      // The sweep does not come before it is due.
      expect(await dueAt(paymentId)).toBeGreaterThanOrEqual(afterMs);
      world.clock.advance(afterMs);
    }
    expect(waits[0]).toBe(5 * MINUTE_MS);
    expect(waits.at(-1)).toBe(24 * HOUR_MS);
    expect(waits.toSorted((one, other) => one - other)).toEqual(waits);
    world.sandbox.setFaults([]);
    expect(await world.advancePayment(paymentId)).toMatchObject({ kind: 'final', status: 'cancelled' });
  });

  it.each([
    ['cancelled', 'done'],
    ['succeeded', 'absent'],
  ] as const)('whose cancel nobody lived to record was, by what is read of it: %s', async (to, certainty) => {
    const { paymentId, at } = await called('requires_customer_action');
    world.clock.advance(25 * HOUR_MS);
    const claim = { id: paymentId, runner: 'dies', holdMs: 1_000, expiryMs: 24 * HOUR_MS };
    expect(await world.ledger.claimCancel(claim)).toMatchObject({ hyperswitchPaymentId: at });
    await world.sandbox.movePayment(at, { to });
    world.clock.advance(MINUTE_MS);
    await world.advancePayment(paymentId);
    const known = () =>
      world.database.query('SELECT status, cancel_certainty FROM payments WHERE id = $1', [paymentId]);
    expect(await known()).toEqual([{ status: to, cancel_certainty: certainty }]);
    // An answer that comes after all knows less.
    await world.ledger.cancelAnswered({ id: paymentId, certainty: 'unknown', detail: 'no answer' });
    expect(await known()).toEqual([{ status: to, cancel_certainty: certainty }]);
  });

  it.each([
    ['requires_capture', undefined],
    ['processing', undefined],
    ['partially_captured_and_capturable', 400],
  ] as const)('is not cancelled once it is %s, although its cancel was begun', async (to, received) => {
    const { paymentId, at } = await called('requires_customer_action');
    world.clock.advance(25 * HOUR_MS);
    world.sandbox.setFaults([{ kinds: ['http_503'], on: ['payments.cancel'], times: 1 }]);
    await world.advancePayment(paymentId);
    expect(world.posts('payments.cancel')).toBe(1);
    await world.sandbox.movePayment(at, { to, ...(received === undefined ? {} : { received }) });
    world.clock.advance(2 * HOUR_MS);
    await world.advancePayment(paymentId);
    expect(world.posts('payments.cancel')).toBe(1);
    expect(await world.payment(paymentId)).toMatchObject({ status: 'processing', providerStatus: to });
  });

  it.each([
    ['another amount', { amount: 999n }, 'payment_amount_differs'],
    ['another currency', { currency: 'EUR' }, 'payment_amount_differs'],
    ['another merchant', { owner: { merchantId: 'merchant_other', profileId: null } }, 'provider_mismatch'],
  ] as const)(
    'whose cancel is answered about %s is not known to be cancelled, and asks',
    async (_what, said, reason) => {
      const { paymentId, at } = await called('requires_customer_action');
      world.clock.advance(25 * HOUR_MS);
      const answer = paymentAt({
        hyperswitchPaymentId: at,
        amount: 1_000n,
        currency: 'USD',
        status: 'cancelled',
        owner: (
          await world.database.query<{ merchantId: string; profileId: string }>(
            'SELECT merchant_id AS "merchantId", profile_id AS "profileId" FROM hyperswitch_account',
          )
        )[0]!,
        ...said,
      });
      world.answerCancelsWith(answer);
      await world.advancePayment(paymentId);
      expect(await world.payment(paymentId)).toMatchObject({ attention: { reason } });
      const cancel = 'SELECT cancel_certainty FROM payments WHERE id = $1';
      expect(await world.database.query(cancel, [paymentId])).toEqual([{ cancel_certainty: 'unknown' }]);
    },
  );

  it('that is paid at the last moment is paid', async () => {
    const { paymentId, at } = await called('requires_customer_action');
    world.clock.advance(25 * HOUR_MS);
    await world.sandbox.movePayment(at, { to: 'succeeded', seen: false });
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({ status: 'succeeded' });
  });

  it('that is paid after it was cancelled is paid all the same', async () => {
    const { paymentId, at, id } = await called('requires_payment_method');
    world.clock.advance(25 * HOUR_MS);
    await world.advancePayment(paymentId);
    await world.sandbox.movePayment(at, { to: 'succeeded' });
    await world.ledger.storeWebhook({
      provider: 'hyperswitch',
      eventId: 'evt_2',
      type: 'payment_succeeded',
      objectId: at,
      parentId: null,
      account: null,
      bodySha256: 'x',
    });
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({ status: 'succeeded' });
    expect((await world.ledger.findOrder(id))?.status).toBe('paid');
  });
});

describe('a payment that was given up and can still be paid', () => {
  const givenUp = async () => {
    const order = await called('requires_merchant_action');
    expect(await world.decide(order.paymentId, 'write_off')).toMatchObject({ kind: 'applied', status: 'cancelled' });
    return order;
  };
  const isDue = async (id: string) => (await world.ledger.dueItems('payment', 10)).some((due) => due.id === id);

  it('is read on by itself, from a day up to a week apart, until Hyperswitch calls it ended', async () => {
    const { paymentId, at } = await givenUp();
    const waits: number[] = [];
    for (let read = 0; read < 6; read += 1) {
      waits.push(await dueAt(paymentId));
      world.clock.advance(waits.at(-1)! + 1);
      expect(await isDue(paymentId)).toBe(true);
      expect(await world.advancePayment(paymentId)).toMatchObject({ kind: 'final', status: 'cancelled' });
    }
    const days = waits.map((wait) => Math.round(wait / (24 * HOUR_MS)));
    expect(days).toEqual([1, 1, 2, 4, 7, 7]);
    await world.sandbox.movePayment(at, { to: 'failed' });
    for (let read = 0; read < 2; read += 1) {
      world.clock.advance(7 * 24 * HOUR_MS);
      await world.advancePayment(paymentId);
    }
    world.clock.advance(365 * 24 * HOUR_MS);
    expect(await isDue(paymentId)).toBe(false);
  });

  it('asks a person about what was captured of it, although no webhook told', async () => {
    const { paymentId, at } = await givenUp();
    await world.sandbox.movePayment(at, { to: 'partially_captured', received: 400 });
    world.clock.advance(25 * HOUR_MS);
    expect(await world.advancePayment(paymentId)).toMatchObject({
      kind: 'attention',
      reason: 'payment_amount_differs',
    });
    expect(await world.decide(paymentId, 'write_off')).toMatchObject({ kind: 'pending_approval' });
  });

  it('pays its order once it was captured whole, although no webhook told', async () => {
    const { paymentId, id, at } = await givenUp();
    await world.sandbox.movePayment(at, { to: 'succeeded' });
    world.clock.advance(25 * HOUR_MS);
    await world.advancePayment(paymentId);
    expect((await world.ledger.findOrder(id))?.status).toBe('paid');
  });

  it('keeps no secret of its buyer', async () => {
    const { paymentId, at } = await givenUp();
    await world.sandbox.movePayment(at, { to: 'requires_payment_method' });
    world.clock.advance(25 * HOUR_MS);
    await world.advancePayment(paymentId);
    const secret = 'SELECT sealed_client_secret AS secret, sealed_key_id AS key FROM payments WHERE id = $1';
    expect(await world.database.query(secret, [paymentId])).toEqual([{ secret: null, key: null }]);
  });
});
