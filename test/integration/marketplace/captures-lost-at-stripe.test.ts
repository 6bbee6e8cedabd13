import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OrderId, PaymentId } from '../../../src/domain/ids.js';
import { HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { expectSharesExact } from '../../support/marketplace/ledger-comparison.js';
import { shopAtStripe } from '../../support/marketplace/made-at-stripe.js';

// A capture at Stripe whose answer is lost is carried out once, and it and a cancel exclude each other.

let world: DisputeWorld;
let meanwhile: (endpoint: string) => Promise<void>;
beforeEach(async () => {
  meanwhile = async () => undefined;
  world = await openDisputeWorld({ whileWaiting: (endpoint) => meanwhile(endpoint) });
});
afterEach(async () => {
  await world.settle();
  await expectSharesExact(world.url);
  await world.close();
});
const { held, askCapture, buyerPays, intents, calls } = shopAtStripe(() => world);

const read = (id: PaymentId) => world.calls.advancePayment(id);
const sent = () => calls('payment_intents.capture');
const keysSent = () => new Set(sent().map(({ idempotencyKey }) => idempotencyKey)).size;
const paymentOf = async (order: OrderId) => (await world.find(order)).payment;
const partsOf = async (order: OrderId) =>
  (await paymentOf(order))?.capture.parts.map(({ amount, status, certainty }) => [amount, status, certainty]);
const captureIll = (kind: 'reset_before_commit' | 'reset_after_commit' | 'server_error' | 'finish_later') =>
  world.atStripe.setFaults([{ kinds: [kind], on: ['payment_intents.capture'], times: 1 }]);
const later = async (ms: number, id: PaymentId) => {
  world.clock.advance(ms);
  return await read(id);
};

describe('a capture whose answer Stripe lost', () => {
  it('and that was carried out is found by reading, and not sent again', async () => {
    const { order, payment } = await held();
    await askCapture(payment, 700n);
    captureIll('reset_after_commit');
    expect(await read(payment)).toEqual({ kind: 'final', status: 'succeeded' });
    expect(sent()).toHaveLength(1);
    expect(await partsOf(order)).toEqual([[700n, 'done', 'done']]);
  });

  it('and that never arrived is read first, and sent again with its key', async () => {
    const { order, payment } = await held();
    await askCapture(payment, 700n);
    captureIll('reset_before_commit');
    await read(payment);
    expect(await partsOf(order)).toEqual([[700n, 'open', 'unknown']]);
    await read(payment);
    expect(sent()).toHaveLength(1);
    expect(await later(6_000, payment)).toEqual({ kind: 'final', status: 'succeeded' });
    expect([sent().length, keysSent()]).toEqual([2, 1]);
    expect(await partsOf(order)).toEqual([[700n, 'done', 'done']]);
    expect(intents()).toMatchObject([{ amount_received: 700 }]);
  });

  it('and that Stripe only repeats to have failed is asked for with its key until that is forgotten', async () => {
    const { order, payment } = await held();
    await askCapture(payment);
    captureIll('server_error');
    await read(payment);
    for (let hour = 0; hour < 22; hour += 1) await later(HOUR_MS, payment);
    expect(await partsOf(order)).toEqual([[1_000n, 'open', 'unknown']]);
    // From 23 hours on three readings, ten minutes apart, have to show that nothing of it arrived.
    const tries = sent().length;
    await later(65 * MINUTE_MS, payment);
    expect(sent()).toHaveLength(tries);
    await later(11 * MINUTE_MS, payment);
    expect(sent()).toHaveLength(tries + 1);
    for (let look = 0; look < 8; look += 1) await later(11 * MINUTE_MS, payment);
    expect(await paymentOf(order)).toMatchObject({ status: 'succeeded', attention: null });
    expect(keysSent()).toBe(1);
    expect(intents()).toMatchObject([{ amount_received: 1_000 }]);
  });

  it('and that Stripe did later is found by reading', async () => {
    const { order, payment } = await held();
    await askCapture(payment, 400n);
    captureIll('finish_later');
    await read(payment);
    expect(await partsOf(order)).toEqual([[400n, 'open', 'unknown']]);
    await world.atStripe.finishLater();
    expect(await read(payment)).toEqual({ kind: 'final', status: 'succeeded' });
    expect([sent().length, await partsOf(order)]).toEqual([1, [[400n, 'done', 'done']]]);
  });

  it('stays unknown where Stripe is only too busy for the next attempt', async () => {
    const { order, payment } = await held();
    await askCapture(payment);
    captureIll('reset_before_commit');
    await read(payment);
    world.atStripe.setFaults([{ kinds: ['rate_limited'], on: ['payment_intents.capture'], times: 1 }]);
    await later(6_000, payment);
    expect([sent().length, await partsOf(order)]).toEqual([2, [[1_000n, 'open', 'unknown']]]);
  });

  it('does not leave once a person has paused Stripe while it waited for its token, and goes out once when resumed', async () => {
    const { order, payment } = await held();
    await askCapture(payment);
    const person = { provider: 'stripe', by: 'ann', authenticated: true, note: '' } as const;
    meanwhile = async (endpoint) => {
      if (endpoint === 'payment_intents.capture') await world.ledger.pauseProvider(person);
    };
    await read(payment);
    expect([sent().length, await partsOf(order)]).toEqual([0, [[1_000n, 'open', 'absent']]]);
    meanwhile = async () => undefined;
    await world.ledger.resumeProvider(person);
    expect(await read(payment)).toEqual({ kind: 'final', status: 'succeeded' });
    expect(sent()).toHaveLength(1);
  });

  it('is over where Stripe refuses it under the same key', async () => {
    const { order, payment } = await held();
    await askCapture(payment);
    captureIll('reset_before_commit');
    await read(payment);
    world.atStripe.setFaults([{ kinds: ['refused'], on: ['payment_intents.capture'], times: 1 }]);
    await later(6_000, payment);
    expect(await partsOf(order)).toEqual([[1_000n, 'refused', 'absent']]);
  });

  it('that nobody lived to record is read first, and sent with its key', async () => {
    const { order, payment } = await held();
    await askCapture(payment);
    const claim = { id: payment, runner: 'dies', holdMs: 1_000 };
    expect(await world.ledger.claimCapture(claim)).toMatchObject({ amount: 1_000n });
    expect(await later(MINUTE_MS, payment)).toEqual({ kind: 'final', status: 'succeeded' });
    expect([sent().length, await partsOf(order)]).toEqual([1, [[1_000n, 'done', 'done']]]);
  });

  it('is not sent again by the ledger’s own rules once its key is a day old', async () => {
    const { payment } = await held();
    await askCapture(payment);
    captureIll('reset_before_commit');
    await read(payment);
    const again = `UPDATE payment_captures SET attempts = attempts + 1 WHERE payment_id = $1`;
    world.clock.advance(23 * HOUR_MS);
    await expect(world.database.query(again, [payment])).rejects.toThrow('may have been carried out');
    await expect(
      world.database.query(`UPDATE payment_captures SET key_first_sent_at = clock_now() WHERE payment_id = $1`, [
        payment,
      ]),
    ).rejects.toThrow('never changes');
  });
});

describe('a capture and a cancel', () => {
  it('exclude each other here, and what is held goes back to its buyer', async () => {
    const { order, payment, intent } = await held();
    await askCapture(payment);
    expect(await world.ledger.askCancel(payment, 'shop')).toEqual({ kind: 'capture_under_way' });
    const other = await held();
    expect(await world.ledger.askCancel(other.payment, 'shop')).toEqual({ kind: 'asked' });
    expect(await askCapture(other.payment)).toEqual({ kind: 'cancelling' });
    expect(await read(other.payment)).toEqual({ kind: 'final', status: 'cancelled' });
    expect(intents().find(({ id }) => id === other.intent)).toMatchObject({ status: 'canceled', amount_received: 0 });
    expect(world.atStripe.ledger().refunds).toMatchObject([{ charge: other.charge, amount: 1_000 }]);
    await world.calls.searchPayment(other.payment);
    expect((await world.find(other.order)).refunds).toEqual([]);
    await expect(buyerPays(other.intent)).rejects.toThrow('canceled');
    expect(await read(payment)).toEqual({ kind: 'final', status: 'succeeded' });
    expect(intents().find(({ id }) => id === intent)).toMatchObject({ status: 'succeeded' });
    expect(await paymentOf(order)).toMatchObject({ attention: null });
  });

  /** A step that goes on while its call is on the way. */
  const onItsWay = async (on: 'payment_intents.capture' | 'payment_intents.cancel', id: PaymentId) => {
    world.atStripe.setFaults([{ kinds: ['slow'], on: [on], times: 1, ms: 500 }]);
    const step = read(id);
    while (calls(on).length === 0) await new Promise((resolve) => setImmediate(resolve));
    return { step };
  };

  it('of whom the cancel in the dashboard came first: nothing is captured, and nobody is paid', async () => {
    const { order, payment, intent } = await held();
    await askCapture(payment);
    const { step } = await onItsWay('payment_intents.capture', payment);
    await world.atStripe.lapse(intent);
    expect(await step).toEqual({ kind: 'final', status: 'cancelled' });
    expect(await partsOf(order)).toEqual([[1_000n, 'refused', 'absent']]);
    expect(await world.find(order)).toMatchObject({ status: 'payment_failed', transfers: [], refunds: [] });
  });

  it('of whom the capture in the dashboard came first: the order is paid', async () => {
    const { order, payment, charge } = await held();
    await world.ledger.askCancel(payment, 'shop');
    const { step } = await onItsWay('payment_intents.cancel', payment);
    await world.atStripe.updateCharge(charge, 'captured');
    expect(await step).toEqual({ kind: 'final', status: 'succeeded' });
    expect(await world.find(order)).toMatchObject({ status: 'paid', payment: { attention: null } });
  });
});
