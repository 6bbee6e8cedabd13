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
import { expectSharesExact } from '../../support/marketplace/ledger-comparison.js';

// Payments of another checkout, by somebody who means it badly.

const SELLERS = { acct_ada: 600n, acct_bob: 400n };

let world: DisputeWorld;
const open = async (options: DisputeWorldOptions = {}) => {
  world = await openDisputeWorld(options);
};
afterEach(() => world.close());

const charged = async (amount = 1_000, more: object = {}) => {
  const { payment_intent: intent, charge } = await world.atStripe.createCapture({ amount, currency: 'usd', ...more });
  return { intent: intent.id, charge: charge.id };
};
const take = (order: OrderId, name: string) => world.external.takePayment(order, name, 'shop');
async function paid(more: object = {}) {
  const order = await world.ordered(SELLERS);
  const names = await charged(1_000, more);
  expect(await take(order, names.intent)).toMatchObject({ kind: 'taken' });
  return { order, ...names };
}
const balances = async () => [await world.balanceOf('acct_ada'), await world.balanceOf('acct_bob')];
const search = async () => {
  for (const due of await world.ledger.duePaymentSearches(10)) await world.calls.searchPayment(due);
};
/** Everything that time alone would bring about, for so many hours. */
async function hours(count: number): Promise<void> {
  for (let hour = 0; hour < count; hour += 1) {
    world.clock.advance(3_660_000);
    await search();
    await world.settle();
  }
}
const questions = async (order: OrderId) => {
  const { payment, refunds, disputes, transfers, reversals } = await world.find(order);
  return [payment, ...refunds, ...disputes, ...transfers, ...reversals].flatMap((one) =>
    one?.attention ? [`${one.attention.reason}: ${one.attention.detail}`] : [],
  );
};

describe('one reading that tells of a refund that failed and of the one that was made instead', () => {
  it.each([
    [1_000, 0n, 0n],
    [600, 240n, 160n],
  ])('sends no seller what the buyer has again (%s)', async (amount, ada, bob) => {
    await open();
    const order = await world.ordered(SELLERS);
    const { intent, charge } = await charged();
    const first = await world.atStripe.createRefund({ charge, amount });
    expect(await take(order, intent)).toMatchObject({ kind: 'taken' });
    await world.atStripe.updateRefund(first.refund.id, 'failed');
    const second = await world.atStripe.createRefund({ charge, amount });
    expect(await world.external.noteRefund(order, second.refund.id)).toMatchObject({ kind: 'noted' });
    await world.settle(['transfer']);
    expect(world.atStripe.ledger().transfers.reduce((sum, one) => sum + BigInt(one.amount), 0n)).toBe(ada + bob);
  });

  it('asks no person to pay the sellers again what the second has taken', async () => {
    await open();
    const { order, charge } = await paid();
    await world.settle();
    const first = await world.atStripe.createRefund({ charge, amount: 600 });
    await world.external.noteRefund(order, first.refund.id);
    await world.settle();
    await world.atStripe.updateRefund(first.refund.id, 'failed');
    const second = await world.atStripe.createRefund({ charge, amount: 600 });
    await world.external.noteRefund(order, second.refund.id);
    await world.settle();
    expect(await questions(order)).toEqual([]);
    expect(await balances()).toEqual([240n, 160n]);
  });

  it('and what two persons were asked to pay again is not sent', async () => {
    await open();
    const { order, charge } = await paid();
    await world.settle();
    const first = await world.atStripe.createRefund({ charge, amount: 600 });
    await world.external.noteRefund(order, first.refund.id);
    await world.settle();
    await world.atStripe.updateRefund(first.refund.id, 'failed');
    const second = await world.atStripe.createRefund({ charge, amount: 600 });
    await world.external.noteRefund(order, second.refund.id);
    const failed = (await world.find(order)).refunds.find(({ status }) => status === 'failed')!;
    await world.decide('refund', failed.id, 'compensate');
    await world.settle(['transfer']);
    expect(world.atStripe.ledger().transfers).toHaveLength(2);
  });
});

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

describe('readings that overtake each other', () => {
  it('an older reading of a refund does not undo a newer one', async () => {
    await open();
    const { order, charge, intent } = await paid();
    await world.settle();
    const { refund } = await world.atStripe.createRefund({ charge, amount: 500 });
    await world.stripeTells('charge.refunded', charge, intent);
    await world.settle();
    const { payment } = await world.find(order);
    // Read while it had succeeded, and written after it was known to have failed.
    const old = [
      {
        stripeRefundId: refund.id,
        charge,
        paymentIntent: intent,
        amount: 500n,
        currency: 'USD',
        status: 'succeeded',
        madeFrom: null,
        createdAt: new Date(world.clock.nowMs()).toISOString(),
      },
    ];
    await world.atStripe.updateRefund(refund.id, 'failed');
    await world.stripeTells('refund.failed', refund.id, intent);
    await search();
    const [failed] = (await world.find(order)).refunds;
    expect(await world.decide('refund', failed!.id, 'compensate')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(await balances()).toEqual([600n, 400n]);
    await world.ledger.noteStripeRefunds(payment!.id, old);
    await world.settle();
    expect((await world.find(order)).refunds.map(({ status }) => status)).toEqual(['failed']);
    expect(await balances()).toEqual([600n, 400n]);
  });
});

describe('all at once', () => {
  it('a refund and a dispute of one charge, told by everybody in every way at once', async () => {
    await open();
    const order = await world.ordered(SELLERS);
    const { intent, charge } = await charged();
    await world.atStripe.createRefund({ charge, amount: 300 });
    const outcomes = await Promise.all([
      take(order, intent),
      take(order, charge),
      take(order, intent),
      world.stripeTells('charge.refunded', charge, intent),
      world.stripeTells('charge.refunded', charge, intent),
    ]);
    expect(
      outcomes
        .slice(0, 3)
        .map((one) => (one as { kind: string }).kind)
        .sort(),
    ).toEqual(['already', 'already', 'taken']);
    await Promise.all([world.settle(), world.settle()]);
    const { dispute } = await world.atStripe.createDispute({ charge, amount: 700 });
    const payment = (await world.find(order)).payment!.id;
    await Promise.all([
      world.stripeTells('charge.dispute.created', dispute.id, intent),
      world.stripeTells('charge.dispute.funds_withdrawn', dispute.id, intent),
      world.calls.searchPayment(payment),
      world.calls.searchPayment(payment),
      take(order, intent),
    ]);
    await Promise.all([world.settle(), world.settle()]);
    await hours(3);
    expect(await balances()).toEqual([0n, 0n]);
    expect(await world.openEvents()).toBe(0);
    await expectSharesExact(world.url);
  });

  it('ten refunds, each told three times in three ways at once, of three orders', async () => {
    await open();
    const orders = [await paid(), await paid(), await paid()];
    await world.settle();
    const told: (() => Promise<unknown>)[] = [];
    for (const { order, charge, intent } of orders) {
      const payment = (await world.find(order)).payment!.id;
      for (let part = 0; part < 10; part += 1) {
        const { refund } = await world.atStripe.createRefund({ charge, amount: 17 });
        told.push(
          () => world.external.noteRefund(order, refund.id),
          () => world.stripeTells('charge.refunded', charge, intent),
          () => world.calls.searchPayment(payment),
        );
      }
      const { dispute } = await world.atStripe.createDispute({ charge, amount: 333 });
      told.push(() => world.stripeTells('charge.dispute.created', dispute.id, intent));
    }
    await Promise.all([...told.map((tell) => tell()), world.settle(), world.settle()]);
    await world.settle();
    await hours(2);
    expect(await world.openEvents()).toBe(0);
    for (const { order } of orders) expect(await questions(order)).toEqual([]);
    await expectSharesExact(world.url);
  });

  it('POST /payments and the telling: one of them has the order', async () => {
    await open();
    const order = await world.ordered(SELLERS);
    const { intent } = await charged();
    const request = await beginRequest({ ledger: world.ledger }, 'payments');
    const [outcome, made] = await Promise.all([
      take(order, intent),
      world.ledger.createPayment(
        {
          id: newPaymentId(world.clock.nowMs()),
          orderId: order,
          hyperswitchPaymentId: hyperswitchPaymentId(paymentKey(order)),
        },
        request,
      ),
    ]);
    expect([
      ['taken', 'existing'],
      ['has_payment', 'created'],
    ]).toContainEqual([outcome.kind, made.kind]);
  });
});

describe('what the buyer has again, in any order', () => {
  const random = (seed: number) => () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])('comes to what the sellers gave back: %s', async (seed) => {
    await open();
    const next = random(seed * 7_919);
    const order = await world.ordered(SELLERS);
    const { intent, charge } = await charged();
    const refunds: string[] = [];
    const disputes: string[] = [];
    let told = false;
    /** A refund and a dispute of the same money is another test. */
    const left = () => {
      const { refunds: back, disputes: away } = world.atStripe.ledger();
      const gone = back.filter(({ status }) => status !== 'failed').reduce((sum, { amount }) => sum + amount, 0);
      return 1_000 - gone - away.reduce((sum, { amount }) => sum + amount, 0);
    };
    const quietly = async (what: () => Promise<unknown>) => {
      try {
        await what();
      } catch {
        // Stripe does not allow it now.
      }
    };
    for (let step = 0; step < 14; step += 1) {
      const pick = Math.floor(next() * 8);
      const part = 1 + Math.floor(next() * 500);
      if (pick === 0 || pick === 1)
        await quietly(async () => {
          const status = next() < 0.3 ? 'pending' : 'succeeded';
          refunds.push(
            (await world.atStripe.createRefund({ charge, amount: Math.min(part, left()), status })).refund.id,
          );
        });
      if (pick === 2 && refunds.length > 0)
        await quietly(() => world.atStripe.updateRefund(refunds[Math.floor(next() * refunds.length)]!, 'failed'));
      if (pick === 3)
        await quietly(async () =>
          disputes.push((await world.atStripe.createDispute({ charge, amount: Math.min(part, left()) })).dispute.id),
        );
      if (pick === 4 && disputes.length > 0)
        await quietly(() =>
          world.atStripe.moveDispute(disputes[Math.floor(next() * disputes.length)]!, {
            move: next() < 0.6 ? 'win' : 'lose',
          }),
        );
      if (pick === 5) {
        await take(order, intent);
        told = true;
      }
      if (pick === 6) await world.settle();
      if (pick === 7 && told) {
        await world.stripeTells('charge.refunded', charge, intent);
        for (const one of disputes) await world.stripeTells('charge.dispute.updated', one, intent);
        for (const one of refunds) if (next() < 0.5) await world.external.noteRefund(order, one);
      }
    }
    await take(order, intent);
    for (let round = 0; round < 4; round += 1) {
      await world.stripeTells('charge.refunded', charge, intent);
      for (const one of disputes) await world.stripeTells('charge.dispute.updated', one, intent);
      await world.settle();
      await hours(2);
      for (const refund of (await world.find(order)).refunds)
        if (refund.attention?.reason === 'refund_failed_after_reversal')
          await world.decide('refund', refund.id, 'compensate');
      await world.settle();
    }
    const { refunds: known } = await world.find(order);
    const held = world.atStripe.ledger().refunds.map(({ id, status }) => [id, status]);
    expect(known.map(({ stripeRefundId, status }) => [stripeRefundId, status]).sort()).toEqual(held.sort());
    expect(await questions(order)).toEqual([]);
    expect(await world.openEvents()).toBe(0);
    await expectSharesExact(world.url);
  });
});

describe('an ordinary shop', () => {
  it('whose PaymentIntents share a transfer group has each pay its order', async () => {
    await open();
    const first = await paid({ transfer_group: 'booking-9' });
    await world.settle();
    expect((await world.find(first.order)).transfers.map(({ status }) => status)).toEqual(['completed', 'completed']);
    const order = await world.ordered(SELLERS);
    const { intent } = await charged(1_000, { transfer_group: 'booking-9' });
    expect(await take(order, intent)).toMatchObject({ kind: 'taken' });
  });

  it('that tells again because the first answer takes long is not told that somebody else paid the sellers', async () => {
    let armed = true;
    await open({
      async whileWaiting(endpoint) {
        if (endpoint !== 'transfers.list' || !armed) return;
        armed = false;
        expect(await take(order, names.intent)).toMatchObject({ kind: 'taken' });
        await world.settle();
      },
    });
    const order = await world.ordered(SELLERS);
    const names = await charged(1_000, { transfer_group: 'shop-7' });
    expect(await take(order, names.intent)).toMatchObject({ kind: 'already' });
  });

  it.each(['refund.failed', 'charge.refund.updated'])('that gets thin events is heard: %s', async (type) => {
    await open();
    const { order, charge, intent } = await paid();
    await world.settle();
    const { refund } = await world.atStripe.createRefund({ charge, amount: 500 });
    await world.stripeTells('charge.refunded', charge, intent);
    await world.settle();
    // Long after, when a search comes once a month.
    world.clock.advance(200 * 86_400_000);
    await search();
    await world.settle();
    await world.atStripe.updateRefund(refund.id, 'failed');
    await world.stripeTells(type, refund.id, null);
    await hours(3);
    expect(await world.openEvents()).toBe(0);
    expect((await world.find(order)).refunds).toMatchObject([{ status: 'failed' }]);
  });

  it('that gives back in very many parts is understood to the cent', async () => {
    await open();
    const order = await world.ordered(SELLERS);
    const { intent, charge } = await charged();
    for (let part = 0; part < 103; part += 1) await world.atStripe.createRefund({ charge, amount: 3 });
    expect(await take(order, intent)).toMatchObject({ kind: 'taken' });
    await world.settle();
    for (let part = 0; part < 5; part += 1) await world.atStripe.createRefund({ charge, amount: 7 });
    await world.stripeTells('charge.refunded', charge, intent);
    await world.settle();
    expect((await world.find(order)).refunds).toHaveLength(108);
    await expectSharesExact(world.url);
  });

  it.each([
    ['JPY', 1_000],
    ['KWD', 1_000],
  ])('that sells in %s', async (currency, amount) => {
    await open();
    await world.atStripe.setBalance({
      account: world.atStripe.platformAccount,
      currency: currency.toLowerCase(),
      available: 1_000_000,
    });
    const order = await world.ordered(SELLERS, currency);
    const { intent, charge } = await charged(amount, { currency: currency.toLowerCase() });
    await world.atStripe.createRefund({ charge, amount: 330 });
    expect(await take(order, intent)).toMatchObject({ kind: 'taken' });
    await world.settle();
    const { refund } = await world.atStripe.createRefund({ charge, amount: 110 });
    await world.external.noteRefund(order, refund.id);
    await world.settle();
    await expectSharesExact(world.url);
  });

  it('whose sellers were paid before brings that in as it is told to, and a refund at Stripe takes their shares back', async () => {
    await open();
    const { intent, charge } = await charged(1_000, { transfer_group: 'old-1' });
    const seeded = await world.atStripe.seed({
      transfers: [{ amount: 600, currency: 'usd', destination: 'acct_ada', transfer_group: 'old-1' }],
    });
    expect(seeded).toBeDefined();
    const order = await world.ordered(SELLERS);
    expect(await take(order, intent)).toMatchObject({
      kind: 'unfit',
      detail: expect.stringContaining('brought in by import-transfers'),
    });
    const imported = await world.ledger.importTransfer({
      order: 'old-1',
      currency: 'USD',
      paid: 1_000n,
      // There is none; the file wants one.
      hyperswitchPaymentId: intent,
      sellerAccount: 'acct_ada',
      amount: 600n,
      stripeTransferId: world.atStripe.ledger().transfers[0]!.id,
      createdAt: new Date(world.clock.nowMs()).toISOString(),
    });
    if (imported.kind !== 'imported') throw new Error(imported.kind);
    const { refund } = await world.atStripe.createRefund({ charge, amount: 500 });
    await world.stripeTells('charge.refunded', charge, intent);
    await hours(3);
    expect(await world.external.noteRefund(imported.orderId, refund.id)).toMatchObject({ kind: 'noted' });
    await world.settle();
    expect(await world.balanceOf('acct_ada')).toBe(300n);
  });

  it.each(['hold', 'wait'] as const)('with the policy %s', async (policy) => {
    await open({ policy });
    const order = await world.ordered(SELLERS);
    const { intent, charge } = await charged();
    const { dispute } = await world.atStripe.createDispute({ charge, amount: 500 });
    expect(await take(order, intent)).toMatchObject({ kind: 'taken' });
    await world.settle();
    expect(world.atStripe.ledger().transfers).toHaveLength(policy === 'hold' ? 0 : 2);
    await world.atStripe.moveDispute(dispute.id, { move: 'lose' });
    await world.stripeTells('charge.dispute.closed', dispute.id, intent);
    await world.settle();
    await expectSharesExact(world.url);
  });

  it('whose order was put aside long ago: a look that finds nothing new leaves it there', async () => {
    await open();
    const { order, charge, intent } = await paid();
    await world.settle();
    await world.atStripe.createRefund({ charge, amount: 500 });
    await world.stripeTells('charge.refunded', charge, intent);
    await world.settle();
    world.clock.advance(100 * 86_400_000);
    await world.ledger.archiveOrders(30 * 86_400_000, 100);
    const isAside = async () =>
      (await world.database.query('SELECT 1 FROM orders WHERE id = $1 AND archived_at IS NOT NULL', [order])).length;
    expect(await isAside()).toBe(1);
    await world.calls.searchPayment((await world.find(order)).payment!.id);
    expect(await isAside()).toBe(1);
  });
});

describe('a status that is in no document', () => {
  it.each(['retry', 'write_off'])('asks, and after %s what Stripe says at last still counts', async (action) => {
    await open();
    const { order, charge, intent } = await paid();
    await world.settle();
    const { refund } = await world.atStripe.createRefund({ charge, amount: 500 });
    const payment = (await world.find(order)).payment!.id;
    const held = (status: string) => [
      {
        stripeRefundId: refund.id,
        charge,
        paymentIntent: intent,
        amount: 500n,
        currency: 'USD',
        status,
        madeFrom: null,
        createdAt: new Date(world.clock.nowMs()).toISOString(),
      },
    ];
    await world.ledger.noteStripeRefunds(payment, held('in_orbit'));
    const [asked] = (await world.find(order)).refunds;
    expect(asked).toMatchObject({ status: 'pending', attention: { reason: 'unknown_status' } });
    expect(await balances()).toEqual([600n, 400n]);
    expect(await world.decide('refund', asked!.id, action)).toMatchObject({ kind: 'applied' });
    await hours(2);
    expect(await questions(order)).toEqual([]);
    expect(await balances()).toEqual([300n, 200n]);
    expect(world.atHyperswitch.calls().calls).toEqual([]);
  });
});

describe('a reversal whose answer was lost', () => {
  it.each(['reset_after_commit', 'reset_before_commit', 'server_error_after_commit'] as const)(
    'while its refund failed: the sellers have all of it again, once (%s)',
    async (kind) => {
      await open();
      const { order, charge, intent } = await paid();
      await world.settle();
      const { refund } = await world.atStripe.createRefund({ charge, amount: 500 });
      await world.external.noteRefund(order, refund.id);
      world.atStripe.setFaults([{ kinds: [kind], on: ['reversals.create'], times: 2 }]);
      for (const due of await world.ledger.dueItems('reversal', 10)) await world.advance(due);
      await world.atStripe.updateRefund(refund.id, 'failed');
      await world.stripeTells('refund.failed', refund.id, intent);
      await hours(4);
      for (const one of (await world.find(order)).refunds)
        if (one.attention?.reason === 'refund_failed_after_reversal')
          await world.decide('refund', one.id, 'compensate');
      await hours(2);
      expect(await questions(order)).toEqual([]);
      expect(await balances()).toEqual([600n, 400n]);
      await expectSharesExact(world.url);
    },
  );
});

describe('a decision about a dispute of such a payment', () => {
  it('that Stripe does not hold any more asks a person, and nothing is asked of Hyperswitch', async () => {
    await open();
    const { order, charge, intent } = await paid();
    await world.settle();
    const { dispute } = await world.atStripe.createDispute({ charge });
    await world.stripeTells('charge.dispute.created', dispute.id, intent);
    await world.settle();
    expect(await balances()).toEqual([0n, 0n]);
    const [known] = (await world.find(order)).disputes;
    await world.ledger.disputeWithoutRecord({ id: known!.id, named: null, why: 'it is gone' });
    expect(await questions(order)).toHaveLength(1);
    const before = world.atHyperswitch.calls().calls.length;
    for (const action of ['adopt', 'funds_back']) await world.decide('dispute', known!.id, action);
    await world.settle();
    await hours(3);
    expect(world.atHyperswitch.calls().calls.length).toBe(before);
    expect(await questions(order)).toEqual([]);
    expect(await balances()).toEqual([0n, 0n]);
    await world.atStripe.moveDispute(dispute.id, { move: 'win' });
    await world.stripeTells('charge.dispute.closed', dispute.id, intent);
    await world.settle();
    await hours(2);
    expect(await balances()).toEqual([600n, 400n]);
    await expectSharesExact(world.url);
  });
});

describe('one part of the reading that fails for good', () => {
  it('disputes that this key may not read hide no refund', async () => {
    await open();
    const { order, charge, intent } = await paid();
    await world.settle();
    await world.atStripe.createRefund({ charge, amount: 500 });
    world.atStripe.setFaults([{ kinds: ['odd_403'], on: ['disputes.list'] }]);
    await world.stripeTells('charge.refunded', charge, intent);
    await world.settle();
    await hours(3);
    expect((await world.find(order)).refunds).toHaveLength(1);
    expect(await balances()).toEqual([300n, 200n]);
  });
});

describe('a refund on the way while the sellers are being paid', () => {
  it.each(['transfers.create', 'transfers.list', 'charges.read'])('is taken once: while %s waits', async (at) => {
    let armed = false;
    await open({
      async whileWaiting(endpoint) {
        if (!armed || endpoint !== at) return;
        armed = false;
        const { refund } = await world.atStripe.createRefund({ charge: names.charge, amount: 500 });
        await world.external.noteRefund(names.order, refund.id);
        await world.stripeTells('refund.created', refund.id, names.intent);
      },
    });
    const names = await paid({ transfer_group: 'shop-3' });
    armed = true;
    await world.settle();
    await hours(2);
    expect(await questions(names.order)).toEqual([]);
    await expectSharesExact(world.url);
  });
});

describe('what is shown of such an order', () => {
  it("its story has Stripe's events about it", async () => {
    await open();
    const { order, charge, intent } = await paid();
    await world.settle();
    const { refund } = await world.atStripe.createRefund({ charge, amount: 500 });
    await world.stripeTells('charge.refunded', charge, intent);
    await world.stripeTells('refund.updated', refund.id, intent);
    await world.settle();
    const { payment, refunds } = await world.find(order);
    const story = await world.ledger.storyOf([
      { kind: 'payment', id: payment!.id },
      { kind: 'refund', id: refunds[0]!.id },
    ] as never);
    expect(story.map(({ item }) => item).filter((item) => item.startsWith('webhook/'))).not.toEqual([]);
  });
});
