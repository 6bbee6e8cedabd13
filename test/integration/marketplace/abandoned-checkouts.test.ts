import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { paymentAt } from '../../support/marketplace/hyperswitch-facts.js';
import { type HyperswitchWorld, openHyperswitchWorld } from '../../support/marketplace/hyperswitch-world.js';

/** A checkout that its buyer has left is cancelled after a day, and one that is paid all the same is paid. */

let world: HyperswitchWorld;
beforeEach(async () => {
  world = await openHyperswitchWorld();
});
afterEach(() => world.close());

describe('a checkout that its buyer has left', () => {
  it.each(['requires_payment_method', 'requires_confirmation', 'requires_customer_action'])(
    'is cancelled at Hyperswitch after a day while it %s',
    async (word) => {
      const { paymentId, id } = await world.called(word);
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
    const { paymentId } = await world.called('processing');
    world.clock.advance(30 * 24 * HOUR_MS);
    expect(await world.advancePayment(paymentId)).toMatchObject({ kind: 'open', afterMs: 24 * HOUR_MS });
    expect(world.posts('payments.cancel')).toBe(0);
  });

  it('is read ever less often while it cannot be cancelled, at least once a day', async () => {
    const { paymentId } = await world.called('requires_customer_action');
    world.sandbox.setFaults([{ kinds: ['http_503'], on: ['payments.cancel'] }]);
    world.clock.advance(24 * HOUR_MS);
    const waits: number[] = [];
    for (let read = 0; read < 12; read += 1) {
      const step = await world.advancePayment(paymentId);
      const afterMs = step.kind === 'open' ? (step.afterMs ?? 0) : 0;
      waits.push(afterMs);
      // The sweep does not come before it is due.
      expect(await world.dueInMs('payments', paymentId)).toBeGreaterThanOrEqual(afterMs);
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
    const { paymentId, at } = await world.called('requires_customer_action');
    world.clock.advance(25 * HOUR_MS);
    const claim = { id: paymentId, runner: 'dies', holdMs: 1_000, expiryMs: 24 * HOUR_MS };
    expect(await world.ledger.claimCancel(claim)).toMatchObject({ name: at });
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
    const { paymentId, at } = await world.called('requires_customer_action');
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
      const { paymentId, at } = await world.called('requires_customer_action');
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
    const { paymentId, at } = await world.called('requires_customer_action');
    world.clock.advance(25 * HOUR_MS);
    await world.sandbox.movePayment(at, { to: 'succeeded', seen: false });
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({ status: 'succeeded' });
  });

  it('that is paid after it was cancelled is paid all the same', async () => {
    const { paymentId, at, id } = await world.called('requires_payment_method');
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
