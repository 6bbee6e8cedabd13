import { afterEach, describe, expect, it } from 'vitest';
import {
  type DisputeWorld,
  type DisputeWorldOptions,
  openDisputeWorld,
} from '../../support/marketplace/dispute-world.js';
import { expectSharesExact } from '../../support/marketplace/ledger-comparison.js';
import { checkoutOf, SELLERS } from '../../support/marketplace/own-checkout.js';

// Payments of another checkout: what ordinary shops do, and what goes wrong there.

let world: DisputeWorld;
const open = async (options: DisputeWorldOptions = {}) => {
  world = await openDisputeWorld(options);
};
afterEach(() => world.close());

const { charged, take, search, paid, balances, hours, questions } = checkoutOf(() => world);

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
