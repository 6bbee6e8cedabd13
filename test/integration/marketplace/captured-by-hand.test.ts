import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OrderId, PaymentId } from '../../../src/domain/ids.js';
import { HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { type HyperswitchWorld, openHyperswitchWorld } from '../../support/marketplace/hyperswitch-world.js';

/** A payment whose money is held is captured by hand: once, whatever is lost, and its sellers get their part of what was captured. */

let world: HyperswitchWorld;
beforeEach(async () => {
  world = await openHyperswitchWorld();
});
afterEach(() => world.close());

const captures = () => world.posts('payments.capture');
const parts = async (id: PaymentId) =>
  (await world.payment(id)).capture.parts.map(({ amount, status, certainty }) => ({ amount, status, certainty }));
const shares = async (id: OrderId) =>
  (await world.ledger.findOrder(id))?.transfers.map(({ sellerAccount, amount }) => [sellerAccount, amount]);

const LINES = [
  { sellerAccount: 'acct_ada', amount: 600n, fee: 60n, description: 'a lamp' },
  { sellerAccount: 'acct_ben', amount: 300n, description: 'a chair' },
  { sellerAccount: null, amount: 100n, description: 'shipping' },
];

describe('a payment that is captured once', () => {
  it('is held, and nobody is asked or paid until it is captured', async () => {
    const { id, paymentId } = await world.held('manual');
    expect(await world.payment(paymentId)).toMatchObject({
      status: 'processing',
      attention: null,
      captured: { surely: 0n },
    });
    expect((await world.payment(paymentId)).capture.heldSince).not.toBeNull();
    expect(await shares(id)).toEqual([]);
    expect(captures()).toBe(0);
  });

  it('pays its sellers once the whole is captured', async () => {
    const { id, paymentId } = await world.held('manual');
    expect(await world.askCapture(paymentId)).toMatchObject({ kind: 'asked' });
    expect(await world.advancePayment(paymentId)).toEqual({ kind: 'final', status: 'succeeded' });
    expect(await parts(paymentId)).toEqual([{ amount: 1_000n, status: 'done', certainty: 'done' }]);
    expect(await shares(id)).toEqual([['acct_ada', 1_000n]]);
  });

  it('of a part pays the order, which is of that part from then on, each line of the same', async () => {
    const { id, paymentId } = await world.held('manual', LINES);
    await world.askCapture(paymentId, 500n);
    expect(await world.advancePayment(paymentId)).toEqual({ kind: 'final', status: 'succeeded' });
    const order = await world.ledger.findOrder(id);
    expect(order).toMatchObject({ status: 'paid', amount: 500n, ordered: 1_000n });
    expect(order?.items.map(({ amount, ordered, fee }) => [amount, ordered, fee])).toEqual([
      [300n, 600n, 30n],
      [150n, 300n, 0n],
      [50n, 100n, 0n],
    ]);
    expect(await shares(id)).toEqual([
      ['acct_ada', 270n],
      ['acct_ben', 150n],
    ]);
    expect(order?.platform.kept).toBe(80n);
    // Read again it is no question.
    await world.ledger.storeWebhook({
      provider: 'hyperswitch',
      eventId: 'evt_again',
      type: 'payment_captured',
      objectId: (await world.payment(paymentId)).hyperswitchPaymentId,
      parentId: null,
      account: null,
      bodySha256: 'x',
    });
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({ status: 'succeeded', attention: null });
    // And no more than the part is given back.
    expect((await world.askRefund(id, 501n)).outcome).toBe('exceeds_paid');
    expect((await world.askRefund(id, 500n)).outcome).toBe('created');
  });

  it.each([
    ['its money is not held', 'requires_payment_method', 'not_held'],
    ['it has failed', 'failed', 'ended'],
  ])('is refused while %s', async (_why, word, kind) => {
    const { paymentId, at } = await world.held('manual');
    await world.sandbox.movePayment(at, { to: word as 'failed' });
    await world.advancePayment(paymentId);
    expect(await world.askCapture(paymentId)).toMatchObject({ kind });
  });

  it('is refused for more than the payment, of one that captures itself, and beside another part', async () => {
    const { paymentId } = await world.held('manual');
    expect(await world.askCapture(paymentId, 1_001n)).toEqual({ kind: 'exceeds', left: 1_000n });
    await world.askCapture(paymentId, 400n);
    expect(await world.askCapture(paymentId, 400n)).toEqual({ kind: 'under_way' });
    const automatic = await world.called('requires_capture');
    expect(await world.askCapture(automatic.paymentId)).toEqual({ kind: 'automatic' });
  });

  it('asks a person when nobody has captured it for six days', async () => {
    const { paymentId } = await world.held('manual');
    world.clock.advance(5 * 24 * HOUR_MS);
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({ attention: null });
    world.clock.advance(25 * HOUR_MS);
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({ attention: { reason: 'capture_overdue' } });
    await world.askCapture(paymentId);
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({ status: 'succeeded', attention: null });
  });

  it('is asked about within six hours of that, long before its bank lets go of it, by the ledger’s own dates', async () => {
    const { paymentId } = await world.held('manual');
    world.clock.advance((6 * 24 - 1) * HOUR_MS);
    await world.advancePayment(paymentId);
    const dueInMs = await world.dueInMs('payments', paymentId);
    expect(dueInMs).toBeLessThan(6.5 * HOUR_MS);
    world.clock.advance(dueInMs);
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({ attention: { reason: 'capture_overdue' } });
  });

  it.each(['cancelled', 'expired'] as const)('ends unpaid when its money lapses: %s', async (to) => {
    const { id, paymentId, at } = await world.held('manual');
    await world.sandbox.movePayment(at, { to });
    expect(await world.advancePayment(paymentId)).toEqual({ kind: 'final', status: 'cancelled' });
    expect((await world.ledger.findOrder(id))?.status).toBe('payment_failed');
  });
});

describe('a capture whose answer is lost', () => {
  it('and that was carried out is found by reading, and not sent again', async () => {
    const { paymentId } = await world.held('manual_multiple');
    await world.askCapture(paymentId, 400n);
    world.sandbox.setFaults([{ kinds: ['reset_after_commit'], on: ['payments.capture'] }]);
    await world.advancePayment(paymentId);
    expect(captures()).toBe(1);
    expect(await parts(paymentId)).toEqual([{ amount: 400n, status: 'done', certainty: 'done' }]);
    expect(await world.payment(paymentId)).toMatchObject({ captured: { surely: 400n, known: true } });
  });

  it.each(['manual', 'manual_multiple'] as const)(
    'and that never arrived is sent again only when three readings, ten minutes apart, do not show it: %s',
    async (method) => {
      const { paymentId } = await world.held(method);
      await world.askCapture(paymentId, 400n, true);
      world.sandbox.setFaults([{ kinds: ['reset_before_commit'], on: ['payments.capture'], times: 1 }]);
      await world.advancePayment(paymentId);
      expect(await parts(paymentId)).toEqual([{ amount: 400n, status: 'open', certainty: 'unknown' }]);
      // Read as often as one likes: what is close together is one proof.
      for (let read = 0; read < 5; read += 1) await world.advancePayment(paymentId);
      for (const advance of [10, 9]) {
        world.clock.advance(advance * MINUTE_MS);
        await world.advancePayment(paymentId);
        expect(captures()).toBe(1);
      }
      world.clock.advance(2 * MINUTE_MS);
      await world.advancePayment(paymentId);
      expect(captures()).toBe(2);
      expect(await parts(paymentId)).toEqual([{ amount: 400n, status: 'done', certainty: 'done' }]);
    },
  );

  it('that nobody lived to record was carried out, or is proved absent first', async () => {
    const { paymentId, at } = await world.held('manual_multiple');
    await world.askCapture(paymentId, 400n);
    const claim = { id: paymentId, runner: 'dies', holdMs: 1_000 };
    expect(await world.ledger.claimCapture(claim)).toMatchObject({ amount: 400n, name: at });
    world.clock.advance(MINUTE_MS);
    await world.advancePayment(paymentId);
    expect(captures()).toBe(0);
    expect(await parts(paymentId)).toEqual([{ amount: 400n, status: 'open', certainty: 'unknown' }]);
    // It lands late.
    await world.sandbox.movePayment(at, { to: 'partially_captured_and_capturable', received: 400 });
    world.clock.advance(11 * MINUTE_MS);
    await world.advancePayment(paymentId);
    expect(await parts(paymentId)).toEqual([{ amount: 400n, status: 'done', certainty: 'done' }]);
    expect(captures()).toBe(0);
  });

  it('is over when its payment ends without it', async () => {
    const { id, paymentId, at } = await world.held('manual');
    await world.askCapture(paymentId);
    world.sandbox.setFaults([{ kinds: ['reset_before_commit'], on: ['payments.capture'], times: 1 }]);
    await world.advancePayment(paymentId);
    await world.sandbox.movePayment(at, { to: 'expired' });
    expect(await world.advancePayment(paymentId)).toEqual({ kind: 'final', status: 'cancelled' });
    expect(await parts(paymentId)).toEqual([{ amount: 1_000n, status: 'refused', certainty: 'absent' }]);
    expect(await shares(id)).toEqual([]);
  });

  it('is sent again at once where Hyperswitch says that it did not begin', async () => {
    const { paymentId } = await world.held('manual');
    await world.askCapture(paymentId);
    world.sandbox.setFaults([{ kinds: ['locked'], on: ['payments.capture'], times: 1 }]);
    await world.advancePayment(paymentId);
    expect(await parts(paymentId)).toEqual([{ amount: 1_000n, status: 'open', certainty: 'absent' }]);
    expect(await world.advancePayment(paymentId)).toEqual({ kind: 'final', status: 'succeeded' });
    expect(captures()).toBe(2);
  });
});
