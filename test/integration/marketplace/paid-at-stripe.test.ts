import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OrderId } from '../../../src/domain/ids.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { expectSharesExact } from '../../support/marketplace/ledger-comparison.js';
import { shopAtStripe } from '../../support/marketplace/made-at-stripe.js';

// A payment that is made from here at Stripe, and what follows for the sellers.

let world: DisputeWorld;
beforeEach(async () => {
  world = await openDisputeWorld();
});
afterEach(async () => {
  await world.settle();
  await expectSharesExact(world.url);
  await world.close();
});
const { begun, buyerPays, paid, intents, calls, place, nameOf } = shopAtStripe(() => world);

const paymentOf = async (order: OrderId) => (await world.find(order)).payment;
const sellersOf = async (order: OrderId) =>
  (await world.find(order)).transfers.map(({ sellerAccount, amount, status }) => [sellerAccount, amount, status]);

describe('a payment at Stripe', () => {
  it('is made once with our ids on it, and its buyer has its client secret', async () => {
    const { order, payment, intent } = await begun();
    expect(intents()).toMatchObject([
      {
        id: intent,
        amount: 1_000,
        currency: 'usd',
        status: 'requires_payment_method',
        transfer_group: order,
        metadata: { order_id: order, payment_id: payment, generation: '1' },
        transfer_data: null,
      },
    ]);
    expect(calls('payment_intents.create')).toMatchObject([{ idempotencyKey: order }]);
    expect(await paymentOf(order)).toMatchObject({ provider: 'stripe', status: 'pending', hyperswitchPaymentId: null });
    expect(await world.ledger.clientSecret(payment)).toBe(`${intent}_secret_sandbox`);
  });

  it('pays each seller from its own charge once its buyer has paid, and gives no secret any more', async () => {
    const { order, payment, charge } = await paid();
    expect(await paymentOf(order)).toMatchObject({ status: 'succeeded', attention: null });
    await world.settle();
    expect(await sellersOf(order)).toEqual([
      ['acct_ada', 600n, 'completed'],
      ['acct_bob', 400n, 'completed'],
    ]);
    expect(world.atStripe.ledger().transfers.map((one) => one.source_transaction)).toEqual([charge, charge]);
    expect(await world.ledger.clientSecret(payment)).toBeNull();
  });

  it.each([
    ['its event', (intent: string) => world.stripeTells('payment_intent.succeeded', intent)],
    ['nobody', () => world.settle()],
  ])('is found to be paid when %s tells', async (_who, tell) => {
    const { order, intent } = await begun();
    await buyerPays(intent);
    world.clock.advance(700_000);
    await tell(intent);
    expect(await paymentOf(order)).toMatchObject({ status: 'succeeded' });
    expect(await world.openEvents()).toBe(0);
  });

  it('is followed while the bank asks the buyer or works, and when a first card is refused', async () => {
    const { order, payment, intent } = await begun();
    await buyerPays(intent, { status: 'failed' });
    await world.calls.advancePayment(payment);
    expect(await paymentOf(order)).toMatchObject({ status: 'pending', providerStatus: 'requires_payment_method' });
    await world.atStripe.needsAction(intent);
    await world.calls.advancePayment(payment);
    expect(await paymentOf(order)).toMatchObject({ status: 'pending', providerStatus: 'requires_action' });
    const charge = await buyerPays(intent, { status: 'pending', method: 'us_bank_account' });
    await world.calls.advancePayment(payment);
    expect(await paymentOf(order)).toMatchObject({ status: 'processing' });
    await world.atStripe.updateCharge(charge, 'succeeded');
    await world.calls.advancePayment(payment);
    expect(await paymentOf(order)).toMatchObject({ status: 'succeeded' });
  });

  it('asks a person about a capture that was changed to be manual, and sends nothing of it', async () => {
    const { order, payment, intent } = await begun();
    await buyerPays(intent, { status: 'uncaptured' });
    await world.calls.advancePayment(payment);
    expect(await paymentOf(order)).toMatchObject({
      status: 'processing',
      attention: { reason: 'unknown_status', detail: expect.stringContaining('Stripe calls it requires_capture') },
    });
    expect(await sellersOf(order)).toEqual([]);
  });

  it('is refused for good where Stripe refuses it: the order is closed, and nothing is there', async () => {
    world.atStripe.setFaults([{ kinds: ['refused'], on: ['payment_intents.create'], times: 1 }]);
    const { order } = await begun();
    expect(await world.find(order)).toMatchObject({
      status: 'payment_failed',
      payment: { status: 'failed', certainty: 'absent' },
    });
    expect(intents()).toEqual([]);
  });

  it('stays at the provider it was made at, whatever new payments go by', async () => {
    const elsewhere = await world.paid({ acct_ada: 600n });
    const here = await paid();
    expect(await paymentOf(elsewhere)).toMatchObject({ provider: 'hyperswitch', status: 'succeeded' });
    expect(await paymentOf(here.order)).toMatchObject({ provider: 'stripe', status: 'succeeded' });
    expect(await place(elsewhere)).toBe((await paymentOf(elsewhere))?.id);
    expect(await world.external.takePayment(await world.ordered({ acct_ada: 1_000n }), here.intent, 'shop')).toEqual({
      kind: 'pays_other',
      orderId: here.order,
    });
  });
});

describe('a payment whose answer is lost', () => {
  const unknown = async (kind: 'reset_before_commit' | 'reset_after_commit' | 'server_error' | 'finish_later') => {
    world.atStripe.setFaults([{ kinds: [kind], on: ['payment_intents.create'], times: 1 }]);
    const order = await world.ordered({ acct_ada: 600n });
    const payment = await place(order);
    await world.calls.advancePayment(payment);
    expect(await paymentOf(order)).toMatchObject({ certainty: 'unknown', status: 'pending' });
    return { order, payment };
  };

  it.each(['reset_before_commit', 'reset_after_commit'] as const)(
    'is asked for with the same key, and is there once: %s',
    async (kind) => {
      const { order, payment } = await unknown(kind);
      await world.calls.advancePayment(payment);
      expect(await paymentOf(order)).toMatchObject({ certainty: 'done', stripePaymentId: intents()[0]?.id });
      expect(intents()).toHaveLength(1);
      expect(new Set(calls('payment_intents.create').map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    },
  );

  it.each(['reset_before_commit', 'reset_after_commit'] as const)(
    'is asked for with the same key where Stripe searches no payments of the account, as of one in India: %s',
    async (kind) => {
      const { order, payment } = await unknown(kind);
      world.atStripe.setFaults([{ kinds: ['unavailable'], on: ['payment_intents.search'] }]);
      await world.calls.advancePayment(payment);
      expect(await paymentOf(order)).toMatchObject({ certainty: 'done', stripePaymentId: intents()[0]?.id });
      expect(intents()).toHaveLength(1);
    },
  );

  it('that Stripe refuses at once has failed, also where its payments cannot be searched', async () => {
    world.atStripe.setFaults([
      { kinds: ['refused'], on: ['payment_intents.create'] },
      { kinds: ['unavailable'], on: ['payment_intents.search'] },
    ]);
    const order = await world.ordered({ acct_ada: 600n });
    const payment = await place(order);
    await world.calls.advancePayment(payment);
    expect(await paymentOf(order)).toMatchObject({ status: 'failed', certainty: 'absent' });
    expect(calls('payment_intents.create')).toHaveLength(1);
  });

  it('is not asked for with a key that Stripe may have forgotten while its payments cannot be searched', async () => {
    const { order, payment } = await unknown('reset_before_commit');
    world.atStripe.setFaults([{ kinds: ['unavailable'], on: ['payment_intents.search'] }]);
    for (let day = 0; day < 3; day += 1) {
      world.clock.advance(24 * 3_600_000);
      await world.calls.advancePayment(payment);
    }
    expect(await paymentOf(order)).toMatchObject({ certainty: 'unknown' });
    expect(calls('payment_intents.create')).toHaveLength(1);
  });

  it('is found by our mark where Stripe only repeats that it failed, and did it later', async () => {
    const { order, payment } = await unknown('finish_later');
    await world.calls.advancePayment(payment);
    expect(await paymentOf(order)).toMatchObject({ certainty: 'unknown' });
    await world.atStripe.finishLater();
    await world.calls.advancePayment(payment);
    expect(await paymentOf(order)).toMatchObject({ certainty: 'done', stripePaymentId: intents()[0]?.id });
    expect(intents()).toHaveLength(1);
  });

  it('is made anew only after a day, and two looks ten minutes apart that found nothing', async () => {
    const { order, payment } = await unknown('server_error');
    const attempt = async (afterMs: number) => {
      world.clock.advance(afterMs);
      await world.calls.advancePayment(payment);
    };
    await attempt(22 * 3_600_000);
    const sent = calls('payment_intents.create').length;
    for (const afterMs of [2 * 3_600_000, 60_000]) await attempt(afterMs);
    expect(await paymentOf(order)).toMatchObject({ certainty: 'unknown' });
    // The second look at 24 hours was too soon after the first to prove anything.
    await attempt(500_000);
    expect(calls('payment_intents.create')).toHaveLength(sent);
    await attempt(3_600_000);
    expect(await paymentOf(order)).toMatchObject({ certainty: 'done' });
    expect(calls('payment_intents.create').at(-1)).toMatchObject({ idempotencyKey: `${payment}:g2` });
    expect(await nameOf(order)).toBe(intents()[0]?.id);
  });
});
