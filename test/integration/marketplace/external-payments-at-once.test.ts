import { afterEach, describe, expect, it } from 'vitest';
import { paymentKey } from '../../../src/domain/calls/idempotency-keys.js';
import { newPaymentId } from '../../../src/domain/ids.js';
import { hyperswitchPaymentId } from '../../../src/providers/hyperswitch/ids.js';
import {
  type DisputeWorld,
  type DisputeWorldOptions,
  openDisputeWorld,
} from '../../support/marketplace/dispute-world.js';
import { beginRequest } from '../../support/marketplace/fixtures.js';
import { expectSharesExact } from '../../support/marketplace/ledger-comparison.js';
import { checkoutOf, SELLERS } from '../../support/marketplace/own-checkout.js';

// Payments of another checkout: readings that cross, and everything at once.

let world: DisputeWorld;
const open = async (options: DisputeWorldOptions = {}) => {
  world = await openDisputeWorld(options);
};
afterEach(() => world.close());

const { charged, take, search, paid, balances, hours, questions } = checkoutOf(() => world);

describe('one reading that tells of a refund that failed and of the one that was made instead', () => {
  /** Both shares were sent; of 600 given back the first refund failed, and the second is told of as well. */
  async function refundedInsteadOfOneThatFailed() {
    const { order, charge } = await paid();
    await world.settle();
    const first = await world.atStripe.createRefund({ charge, amount: 600 });
    await world.external.noteRefund(order, first.refund.id);
    await world.settle();
    await world.atStripe.updateRefund(first.refund.id, 'failed');
    const second = await world.atStripe.createRefund({ charge, amount: 600 });
    await world.external.noteRefund(order, second.refund.id);
    return order;
  }

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
    const order = await refundedInsteadOfOneThatFailed();
    await world.settle();
    expect(await questions(order)).toEqual([]);
    expect(await balances()).toEqual([240n, 160n]);
  });

  it('and what two persons were asked to pay again is not sent', async () => {
    await open();
    const order = await refundedInsteadOfOneThatFailed();
    const failed = (await world.find(order)).refunds.find(({ status }) => status === 'failed')!;
    await world.decide('refund', failed.id, 'compensate');
    await world.settle(['transfer']);
    expect(world.atStripe.ledger().transfers).toHaveLength(2);
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
    const held = world.atStripe.ledger().refunds.map(({ id, status }) => [id, status] as const);
    expect(new Map(known.map(({ stripeRefundId, status }) => [stripeRefundId, status]))).toEqual(new Map(held));
    expect(known).toHaveLength(held.length);
    expect(await questions(order)).toEqual([]);
    expect(await world.openEvents()).toBe(0);
    await expectSharesExact(world.url);
  });
});
