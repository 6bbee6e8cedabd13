import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newDecisionId, newRefundId } from '../../../src/domain/ids.js';
import { HOUR_MS } from '../../support/durations.js';
import { paymentAt, refundAt } from '../../support/marketplace/hyperswitch-facts.js';
import { type HyperswitchWorld, openHyperswitchWorld } from '../../support/marketplace/hyperswitch-world.js';

/** What a person decides about a payment that asked, and what becomes of one that was given up. */

let world: HyperswitchWorld;
beforeEach(async () => {
  world = await openHyperswitchWorld();
});
afterEach(() => world.close());

describe('a decision about a payment', () => {
  it('write_off of money that a buyer has not back takes a second person', async () => {
    const { paymentId } = await world.called('partially_captured', 400);
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
      const { paymentId, id, at } = await world.called('requires_capture');
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
    const { paymentId, at } = await world.called('requires_capture');
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
    const { paymentId, at } = await world.called('requires_capture');
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
    const { paymentId, id } = await world.called('requires_capture');
    expect(await world.decide(paymentId, 'cancel')).toMatchObject({ kind: 'applied' });
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({ status: 'cancelled', attention: null });
    expect((await world.ledger.findOrder(id))?.status).toBe('payment_failed');
    expect(world.posts('payments.cancel')).toBe(1);
  });

  it('cancel loses to a success that came before it', async () => {
    const { paymentId, at, id } = await world.called('requires_capture');
    await world.decide(paymentId, 'cancel');
    await world.sandbox.movePayment(at, { to: 'succeeded', seen: false });
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({ status: 'succeeded' });
    expect((await world.ledger.findOrder(id))?.status).toBe('paid');
  });

  it('cancel that Hyperswitch refuses leaves the question where it was', async () => {
    const { paymentId } = await world.called('partially_captured', 400);
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
    const { paymentId } = await world.called('partially_captured_and_capturable', 1, 900_000n);
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
    const { paymentId, at } = await world.called('requires_merchant_action');
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

describe('a payment that was given up and can still be paid', () => {
  const givenUp = async () => {
    const order = await world.called('requires_merchant_action');
    expect(await world.decide(order.paymentId, 'write_off')).toMatchObject({ kind: 'applied', status: 'cancelled' });
    return order;
  };
  const isDue = async (id: string) => (await world.ledger.dueItems('payment', 10)).some((due) => due.id === id);

  it('is read on by itself, from a day up to a week apart, until Hyperswitch calls it ended', async () => {
    const { paymentId, at } = await givenUp();
    const waits: number[] = [];
    for (let read = 0; read < 6; read += 1) {
      waits.push(await world.dueInMs('payments', paymentId));
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
