import { afterEach, describe, expect, it } from 'vitest';
import { paymentKey } from '../../../src/domain/calls/idempotency-keys.js';
import { newPaymentId, type OrderId, type RefundId } from '../../../src/domain/ids.js';
import { hyperswitchPaymentId } from '../../../src/providers/hyperswitch/ids.js';
import {
  type DisputeWorld,
  type DisputeWorldOptions,
  openDisputeWorld,
} from '../../support/marketplace/dispute-world.js';
import { beginRequest } from '../../support/marketplace/fixtures.js';
import { checkoutOf, SELLERS } from '../../support/marketplace/own-checkout.js';

// One PaymentIntent that Hyperswitch says is its own, too.

let world: DisputeWorld;
const open = async (options: DisputeWorldOptions = {}) => {
  world = await openDisputeWorld(options);
};
afterEach(() => world.close());

const { charged, take, search, balances, hours, questions } = checkoutOf(() => world);

describe('what goes back between the look and the commit', () => {
  it('is known when its event has come and gone, before the sellers are paid', async () => {
    let armed = false;
    await open({
      async whileWaiting(endpoint) {
        if (endpoint !== 'disputes.list' || !armed) return;
        armed = false;
        const { charge, intent } = names;
        const { refund } = await world.atStripe.createRefund({ charge });
        await world.stripeTells('charge.refunded', charge, intent);
        await world.stripeTells('refund.created', refund.id, intent);
      },
    });
    const order = await world.ordered(SELLERS);
    const names = await charged();
    armed = true;
    expect(await take(order, names.intent)).toMatchObject({ kind: 'taken' });
    // The shop is careful and tells again.
    expect(await take(order, names.intent)).toMatchObject({ kind: 'already' });
    world.clock.advance(60_000);
    await search();
    await world.settle();
    expect(await world.openEvents()).toBe(0);
    expect(world.atStripe.ledger().transfers).toHaveLength(0);
    expect((await world.find(order)).refunds).toHaveLength(1);
  });
});

describe('Hyperswitch says the same PaymentIntent is its own', () => {
  /** Hyperswitch made it for `second`, and the shop told that it pays `first` before that was read. */
  async function twice() {
    await open();
    const first = await world.ordered(SELLERS);
    const second = await world.ordered(SELLERS);
    const at = hyperswitchPaymentId(paymentKey(second));
    const made = await world.ledger.createPayment(
      { id: newPaymentId(world.clock.nowMs()), orderId: second, hyperswitchPaymentId: at },
      await beginRequest({ ledger: world.ledger }, 'payments'),
    );
    if (!('payment' in made)) throw new Error(made.kind);
    await world.calls.advancePayment(made.payment.id);
    await world.atHyperswitch.movePayment(at, { to: 'succeeded' });
    const intent = (await world.readAtHyperswitch(at)).connectorTransactionId!;
    const outcome = await take(first, intent);
    const charge = world.atStripe.ledger().charges.find((one) => one.payment_intent === intent)!.id;
    await world.calls.advancePayment(made.payment.id);
    await world.settle();
    return { first, second, intent, charge, outcome, payment: made.payment.id, at };
  }

  it('pays only one of the two orders', async () => {
    const { first, second, outcome } = await twice();
    expect(outcome).toMatchObject({ kind: 'taken' });
    expect(world.atStripe.ledger().transfers).toHaveLength(2);
    expect([(await world.find(first)).status, (await world.find(second)).status]).toEqual(['paid', 'pending']);
  });

  it('and names a dispute of it first: the sellers who were paid of it give back', async () => {
    const { first, second, intent } = await twice();
    const dispute = await world.dispute(second);
    await world.hyperswitchTells(second, dispute, 'dispute_opened');
    await world.stripeTells('charge.dispute.created', dispute.atProcessor, intent);
    await world.settle();
    await hours(3);
    expect(await balances()).toEqual([0n, 0n]);
    expect((await world.find(first)).disputes).toHaveLength(1);
  });

  it('and names a refund of it first: the sellers who were paid of it give back', async () => {
    const { first, at, intent, charge, payment } = await twice();
    expect((await world.find(first)).status).toBe('paid');
    const made = await world.atHyperswitch.refundInDashboard({ payment_id: at, amount: 500, status: 'succeeded' });
    expect(made).toHaveProperty('refund');
    await world.calls.searchPayment(payment);
    await world.stripeTells('charge.refunded', charge, intent);
    await world.settle();
    await hours(3);
    expect(await balances()).toEqual([300n, 200n]);
  });

  it('and tells of a refund of it first: the sellers who were paid of it give back', async () => {
    const { first, second, at, intent, charge } = await twice();
    const made = await world.atHyperswitch.refundInDashboard({ payment_id: at, amount: 500, status: 'succeeded' });
    if (!('refund' in made)) throw new Error('no refund');
    await world.hyperswitchTells(second, { id: made.refund.id }, 'refund_succeeded');
    await world.stripeTells('charge.refunded', charge, intent);
    await world.settle();
    await hours(3);
    expect((await world.find(first)).refunds).toHaveLength(1);
    expect(await balances()).toEqual([300n, 200n]);
  });

  /** Some builds of Hyperswitch tell what the processor calls a refund. */
  async function tellsItsName(order: OrderId, refundId: RefundId): Promise<void> {
    const [refund] = (await world.find(order)).refunds;
    await world.ledger.applyRefund({
      refundId,
      runner: null,
      facts: {
        hyperswitchRefundId: refund!.hyperswitchRefundId!,
        hyperswitchPaymentId: (await world.find(order)).payment!.hyperswitchPaymentId!,
        profileId: null,
        connectorRefundId: world.atStripe.ledger().refunds[0]!.id,
        amount: 500n,
        currency: 'USD',
        status: 'succeeded',
        providerStatus: 'succeeded',
        asks: null,
        reason: null,
        updatedAt: null,
      },
    });
  }

  it.each([
    ['does not tell', false],
    ['tells', true],
  ])(
    'and the other order is given back through Hyperswitch, which %s its name at Stripe: the sellers who were paid of it give back',
    async (_how, tells) => {
      const { first, second, intent, charge, payment } = await twice();
      expect(await questions(second)).toEqual([expect.stringContaining('conflict')]);
      expect((await world.find(second)).payment).toMatchObject({ id: payment });
      const refundId = await world.refund(second, 500n);
      if (tells) await tellsItsName(second, refundId);
      expect(world.atStripe.ledger().refunds).toMatchObject([{ amount: 500, status: 'succeeded' }]);
      await world.stripeTells('charge.refunded', charge, intent);
      await world.stripeTells('refund.created', world.atStripe.ledger().refunds[0]!.id, intent);
      await world.settle();
      await hours(3);
      expect(await balances()).toEqual([300n, 200n]);
      expect((await world.find(first)).refunds).toHaveLength(1);
    },
  );

  it('and is read in the very moment of the telling: one order is paid, and nobody is answered by a breakdown', async () => {
    await open();
    const [first, second] = [await world.ordered(SELLERS), await world.ordered(SELLERS)];
    const at = hyperswitchPaymentId(paymentKey(second));
    const made = await world.ledger.createPayment(
      { id: newPaymentId(world.clock.nowMs()), orderId: second, hyperswitchPaymentId: at },
      await beginRequest({ ledger: world.ledger }, 'payments'),
    );
    if (!('payment' in made)) throw new Error(made.kind);
    await world.calls.advancePayment(made.payment.id);
    await world.atHyperswitch.movePayment(at, { to: 'succeeded' });
    const facts = await world.readAtHyperswitch(at);
    const external = {
      orderId: first,
      payment: {
        name: facts.connectorTransactionId!,
        amount: 1_000n,
        captured: 1_000n,
        currency: 'USD',
        status: 'succeeded',
        chargeId: null,
        isSplit: false,
        transferGroup: null,
        livemode: false,
      },
      refunds: [],
      disputes: [],
      by: 'shop',
    };
    const outcomes = await Promise.allSettled([
      world.ledger.takeExternalPayment(external),
      world.ledger.applyPayment({ paymentId: made.payment.id, runner: null, facts }),
    ]);
    await world.calls.advancePayment(made.payment.id);
    await world.settle();
    expect(world.atStripe.ledger().transfers).toHaveLength(2);
    expect(outcomes.map((one) => (one.status === 'rejected' ? String(one.reason) : one.status))).toEqual([
      'fulfilled',
      'fulfilled',
    ]);
  });

  it('a dispute named under the wrong payment before the shop told: nothing is sent of what is away', async () => {
    await open();
    const other = await world.paid(SELLERS);
    await world.settle();
    const payment = (await world.find(other)).payment!;
    const order = await world.ordered(SELLERS);
    const { intent, charge } = await charged();
    const { dispute } = await world.atStripe.createDispute({ charge });
    await world.ledger.noteDispute(payment.id, crypto.randomUUID() as never, {
      hyperswitchDisputeId: 'dispute_misnamed',
      hyperswitchPaymentId: payment.hyperswitchPaymentId!,
      profileId: null,
      connector: 'stripe',
      providerDisputeId: dispute.id,
      status: 'open',
      providerStatus: 'dispute_opened',
      amount: 1_000n,
      currency: 'USD',
      reason: null,
    });
    await world.settle();
    const before = world.atStripe.ledger().transfers.length;
    const outcome = await take(order, intent);
    await world.settle();
    expect([outcome.kind, world.atStripe.ledger().transfers.length - before]).not.toEqual(['taken', 2]);
  });

  it('a payment that it names by its charge pays no second order', async () => {
    await open();
    const first = await world.paid(SELLERS);
    const { payment } = await world.find(first);
    const { intent, charge } = await charged();
    const read = await world.readAtHyperswitch(payment!.hyperswitchPaymentId!);
    await world.ledger.applyPayment({
      paymentId: payment!.id,
      runner: null,
      facts: { ...read, connectorTransactionId: charge },
    });
    await world.settle();
    const order = await world.ordered(SELLERS);
    expect(await take(order, intent)).toMatchObject({ kind: 'pays_other' });
  });
});

describe('a dispute of before whose funds moved in the currency of our balance', () => {
  it('pays no seller what is away while a person is asked', async () => {
    await open();
    await world.atStripe.setBalance({ account: world.atStripe.platformAccount, currency: 'eur', available: 1_000_000 });
    const order = await world.ordered(SELLERS);
    const { intent, charge } = await charged(1_000, { settles_in: 'eur', exchange_rate: 0.9 });
    await world.atStripe.createDispute({ charge });
    expect(await take(order, intent)).toMatchObject({ kind: 'taken' });
    await world.settle();
    expect(world.atStripe.ledger().transfers).toHaveLength(0);
  });
});
