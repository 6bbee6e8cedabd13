import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OrderId } from '../../../src/domain/ids.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { shopAtStripe } from '../../support/marketplace/made-at-stripe.js';

// What nobody pays at Stripe is cancelled there, and whose account a key is of is known before anything is concluded.

const A_DAY_MS = 86_400_000;
let world: DisputeWorld;
beforeEach(async () => {
  world = await openDisputeWorld();
});
afterEach(() => world.close());
const { begun, paid, buyerPays, intents, calls, refund, place } = shopAtStripe(() => world);

const paymentOf = async (order: OrderId) => (await world.find(order)).payment;
const aDayLater = async (payment: Parameters<DisputeWorld['calls']['advancePayment']>[0]) => {
  world.clock.advance(A_DAY_MS);
  await world.calls.advancePayment(payment);
};

describe('a checkout at Stripe that its buyer has left', () => {
  it('is cancelled there after a day, and can be paid by nobody any more', async () => {
    const { order, payment, intent } = await begun();
    await aDayLater(payment);
    expect(await world.find(order)).toMatchObject({ status: 'payment_failed', payment: { status: 'cancelled' } });
    expect(intents()).toMatchObject([{ status: 'canceled' }]);
    await expect(buyerPays(intent)).rejects.toThrow('canceled');
    expect(await world.ledger.clientSecret(payment)).toBeNull();
  });

  it('is cancelled also while the bank waits for its buyer, and not while his bank works', async () => {
    const asked = await begun();
    const working = await begun();
    await world.atStripe.needsAction(asked.intent);
    await buyerPays(working.intent, { status: 'pending', method: 'us_bank_account' });
    for (const { payment } of [asked, working]) await world.calls.advancePayment(payment);
    world.clock.advance(A_DAY_MS);
    for (const { payment } of [asked, working]) await world.calls.advancePayment(payment);
    expect(await paymentOf(asked.order)).toMatchObject({ status: 'cancelled' });
    expect(await paymentOf(working.order)).toMatchObject({ status: 'processing' });
    expect(calls('payment_intents.cancel')).toHaveLength(1);
  });

  it('is paid where the buyer was faster than the cancel', async () => {
    const { order, payment, intent } = await begun();
    world.clock.advance(A_DAY_MS);
    // Read as open, and paid before the cancel arrives.
    world.atStripe.setFaults([{ kinds: ['slow'], on: ['payment_intents.cancel'], times: 1, ms: 500 }]);
    const step = world.calls.advancePayment(payment);
    while (calls('payment_intents.cancel').length === 0) await new Promise((resolve) => setImmediate(resolve));
    await buyerPays(intent);
    await step;
    expect(await paymentOf(order)).toMatchObject({ status: 'succeeded', attention: null });
    await world.settle();
    expect((await world.find(order)).transfers.map(({ status }) => status)).toEqual(['completed', 'completed']);
  });

  it.each(['reset_before_commit', 'reset_after_commit', 'server_error'] as const)(
    'is cancelled once and by a key of its own each time, where an answer is lost: %s',
    async (kind) => {
      world.atStripe.setFaults([{ kinds: [kind], on: ['payment_intents.cancel'], times: 1 }]);
      const { order, payment } = await begun();
      await aDayLater(payment);
      await world.calls.advancePayment(payment);
      expect(await paymentOf(order)).toMatchObject({ status: 'cancelled' });
      const keys = calls('payment_intents.cancel').map(({ idempotencyKey }) => idempotencyKey);
      expect(keys).toEqual([`${order}:cancel:1`, `${order}:cancel:2`].slice(0, keys.length));
      expect(new Set(keys).size).toBe(keys.length);
    },
  );

  it('is not made or cancelled while a person has paused Stripe', async () => {
    const { payment } = await begun();
    await world.ledger.pauseProvider({ provider: 'stripe', by: 'ann', authenticated: true, note: '' });
    await aDayLater(payment);
    const other = await world.ordered({ acct_ada: 600n });
    await world.calls.advancePayment(await place(other));
    expect(calls('payment_intents.cancel')).toEqual([]);
    expect(calls('payment_intents.create')).toHaveLength(1);
    expect(await paymentOf(other)).toMatchObject({ certainty: 'not_sent', status: 'pending' });
  });
});

describe("another account's key", () => {
  const elsewhere = () => world.atStripe.setApiKeys({ accepted: { sk_test_sandbox: 'acct_1SomebodyElse' } });

  it('sends nothing, proves no absence, and asks a person', async () => {
    const { order } = await paid();
    elsewhere();
    // A process that begins with this key.
    const begins = world.begins();
    const other = await world.ordered({ acct_ada: 600n });
    const payment = await place(other);
    await begins.advancePayment(payment);
    expect(await paymentOf(other)).toMatchObject({ certainty: 'not_sent', attention: { reason: 'provider_mismatch' } });
    expect(calls('payment_intents.create')).toHaveLength(1);
    world.atStripe.setApiKeys({ accepted: null });
    await begins.advancePayment(payment);
    expect(await paymentOf(other)).toMatchObject({ certainty: 'done', attention: null });
    await refund(order);
    expect((await world.find(order)).refunds).toMatchObject([{ status: 'succeeded' }]);
  });

  it('finds nothing that is known to be there, and nothing is concluded from that', async () => {
    const { order, payment } = await begun();
    elsewhere();
    await world.calls.advancePayment(payment);
    expect(await paymentOf(order)).toMatchObject({ status: 'pending', certainty: 'done' });
    expect((await paymentOf(order))?.attention?.reason).toBe('provider_mismatch');
    world.atStripe.setApiKeys({ accepted: null });
    await world.calls.advancePayment(payment);
    expect(await paymentOf(order)).toMatchObject({ status: 'pending', attention: null });
  });
});
