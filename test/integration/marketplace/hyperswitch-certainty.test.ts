import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MINUTE_MS } from '../../support/durations.js';
import { type HyperswitchWorld, openHyperswitchWorld } from '../../support/marketplace/hyperswitch-world.js';

/** Lost, late and refused answers of Hyperswitch, and keys that are not ours: what may be concluded from them. */

let world: HyperswitchWorld;
beforeEach(async () => {
  world = await openHyperswitchWorld();
});
afterEach(() => world.close());

const REFUNDS = ['refunds.create'] as const;

/** The first POST is cut off and not yet carried out; the second is refused by the processor. */
async function lostThenRefused() {
  const order = await world.paid();
  const refund = await world.askRefund(order.id, 400n);
  world.sandbox.setFaults([
    { kinds: ['lands_late'], on: [...REFUNDS], times: 1 },
    { kinds: ['connector_failed'], on: [...REFUNDS], times: 1 },
  ]);
  await world.advanceRefund(refund.id);
  expect(await world.refund(refund.id)).toMatchObject({ status: 'pending', certainty: 'unknown' });
  world.clock.advance(2_000);
  await world.advanceRefund(refund.id);
  return { order, refund };
}

describe('a refund that was lost, then refused, and is not found', () => {
  it('stays unknown, and what it may have given back stays reserved', async () => {
    const { order, refund } = await lostThenRefused();
    expect(await world.refund(refund.id)).toMatchObject({ status: 'pending', certainty: 'unknown' });
    expect((await world.askRefund(order.id, 700n)).outcome).toBe('exceeds_paid');
    await world.sandbox.landLate();
    world.clock.advance(10 * MINUTE_MS);
    await world.advanceRefund(refund.id);
    await world.sandbox.moveRefund(refund.at, { to: 'succeeded' });
    await world.advanceRefund(refund.id);
    expect(await world.refund(refund.id)).toMatchObject({ status: 'succeeded', certainty: 'done' });
    expect((await world.askRefund(order.id, 700n)).outcome).toBe('exceeds_paid');
    expect(world.refunded()).toBe(400);
  });

  it('is not sent again, and is absent after three looks that are ten minutes apart', async () => {
    const { order, refund } = await lostThenRefused();
    // Looks that come sooner prove nothing more.
    for (let look = 0; look < 5; look += 1) {
      world.clock.advance(MINUTE_MS);
      await world.advanceRefund(refund.id);
    }
    expect(await world.refund(refund.id)).toMatchObject({ status: 'pending', certainty: 'unknown' });
    world.clock.advance(10 * MINUTE_MS);
    await world.advanceRefund(refund.id);
    expect(await world.refund(refund.id)).toMatchObject({ status: 'pending', certainty: 'unknown' });
    world.clock.advance(10 * MINUTE_MS);
    await world.advanceRefund(refund.id);
    expect(await world.refund(refund.id)).toMatchObject({ status: 'failed', certainty: 'absent' });
    expect(world.posts('refunds.create')).toBe(2);
    expect((await world.askRefund(order.id, 1_000n)).outcome).toBe('created');
  });

  it('is proved absent by no look beside which a payment that must be there is not', async () => {
    const { refund } = await lostThenRefused();
    world.sandbox.setKeyOwner({ merchantId: 'merchant_other' });
    for (let look = 0; look < 5; look += 1) {
      world.clock.advance(10 * MINUTE_MS);
      await world.advanceRefund(refund.id);
    }
    expect(await world.refund(refund.id)).toMatchObject({
      status: 'pending',
      certainty: 'unknown',
      attention: { reason: 'provider_mismatch' },
    });
    world.sandbox.setKeyOwner({});
    await world.sandbox.landLate();
    await world.advanceRefund(refund.id);
    expect(await world.refund(refund.id)).toMatchObject({ certainty: 'done', attention: null });
  });

  it('is refused by the database before there is proof, whoever asks', async () => {
    const { refund } = await lostThenRefused();
    const to = (columns: string) => world.database.query(`UPDATE refunds SET ${columns} WHERE id = $1`, [refund.id]);
    await expect(to(`certainty = 'absent'`)).rejects.toThrow('only by evidence');
    await expect(to(`certainty = 'not_sent'`)).rejects.toThrow('only by evidence');
    await expect(to('absences = absences + 1')).rejects.toThrow('one proof');
    await expect(to(`params = '{}'`)).rejects.toThrow('frozen');
    await expect(to('attempts = 0')).rejects.toThrow('never forgotten');
  });
});

describe('a payment that was lost, then refused, and is not found', () => {
  it('stays unknown, and is the one that lands late', async () => {
    await world.paid();
    const order = await world.order();
    world.sandbox.setFaults([
      { kinds: ['lands_late'], on: ['payments.create'], times: 1 },
      { kinds: ['connector_failed'], on: ['payments.create'], times: 1 },
    ]);
    await world.advancePayment(order.paymentId);
    await world.advancePayment(order.paymentId);
    expect(await world.payment(order.paymentId)).toMatchObject({ status: 'pending', certainty: 'unknown' });
    await world.sandbox.landLate();
    await world.sandbox.movePayment(order.at, { to: 'succeeded' });
    world.clock.advance(10 * MINUTE_MS);
    await world.advancePayment(order.paymentId);
    expect(await world.payment(order.paymentId)).toMatchObject({ status: 'succeeded', certainty: 'done' });
  });

  it('is failed at once where the refusal was the only attempt', async () => {
    const order = await world.order();
    world.sandbox.setFaults([{ kinds: ['connector_failed'], on: ['payments.create'], times: 1 }]);
    await world.advancePayment(order.paymentId);
    expect(await world.payment(order.paymentId)).toMatchObject({ status: 'failed', certainty: 'absent' });
  });
});

describe('a key of another merchant', () => {
  it('turns nothing that succeeded into something that never was', async () => {
    const order = await world.paid();
    const refund = await world.askRefund(order.id, 400n);
    world.sandbox.setFaults([{ kinds: ['reset_after_commit'], on: [...REFUNDS], times: 1 }]);
    await world.advanceRefund(refund.id);
    await world.sandbox.moveRefund(refund.at, { to: 'succeeded' });
    world.sandbox.setKeyOwner({ merchantId: 'merchant_other' });
    world.restart();
    await world.advanceRefund(refund.id);
    expect(await world.refund(refund.id)).toMatchObject({
      status: 'pending',
      certainty: 'unknown',
      attention: { reason: 'provider_mismatch', detail: expect.stringContaining('HYPERSWITCH_API_KEY') },
    });
    expect(world.posts('refunds.create')).toBe(1);
  });

  it('sends nothing: neither a payment nor a refund leaves', async () => {
    const paid = await world.paid();
    const [order, refund] = [await world.order(), await world.askRefund(paid.id, 400n)];
    world.sandbox.setKeyOwner({ merchantId: 'merchant_other' });
    world.restart();
    const before = [world.posts('payments.create'), world.posts('refunds.create')];
    await world.advancePayment(order.paymentId);
    await world.advanceRefund(refund.id);
    expect([world.posts('payments.create'), world.posts('refunds.create')]).toEqual(before);
    expect(await world.payment(order.paymentId)).toMatchObject({
      certainty: 'not_sent',
      attention: { reason: 'provider_mismatch' },
    });
    expect(await world.refund(refund.id)).toMatchObject({
      certainty: 'not_sent',
      attention: { reason: 'provider_mismatch' },
    });

    world.sandbox.setKeyOwner({});
    world.restart();
    await world.advancePayment(order.paymentId);
    // The others are asked at once, not an hour later.
    expect((await world.ledger.dueItems('refund', 10)).map(({ id }) => id)).toContain(refund.id);
    await world.advanceRefund(refund.id);
    expect(await world.payment(order.paymentId)).toMatchObject({ certainty: 'done', attention: null });
    expect(await world.refund(refund.id)).toMatchObject({ certainty: 'done', attention: null });
  });

  it('is noticed in an answer too: another profile is not ours', async () => {
    await world.paid();
    const order = await world.order();
    world.sandbox.setKeyOwner({ profileId: 'pro_other' });
    await world.advancePayment(order.paymentId);
    expect(await world.payment(order.paymentId)).toMatchObject({
      status: 'pending',
      certainty: 'unknown',
      attention: { reason: 'provider_mismatch', detail: expect.stringContaining('pro_other') },
    });
  });

  it('is the one that a ledger of before pins, if it knows what that ledger knows', async () => {
    const order = await world.paid();
    await world.database.transaction(async (query) => {
      await query('SET LOCAL session_replication_role = replica');
      await query('DELETE FROM hyperswitch_account');
    });
    world.sandbox.setKeyOwner({ merchantId: 'merchant_other' });
    world.restart();
    const refund = await world.askRefund(order.id, 400n);
    await world.advanceRefund(refund.id);
    expect(await world.refund(refund.id)).toMatchObject({ attention: { reason: 'provider_mismatch' } });
    expect(await world.database.query('SELECT * FROM hyperswitch_account')).toEqual([]);
    await expect(
      world.database.query(`INSERT INTO hyperswitch_account (only_one, merchant_id) VALUES (false, 'x')`),
    ).rejects.toThrow('hyperswitch_account_only_one_check');
  });
});
