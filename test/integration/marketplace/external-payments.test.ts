import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OrderId } from '../../../src/domain/ids.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { expectSharesExact } from '../../support/marketplace/ledger-comparison.js';
import { checkoutOf, SELLERS } from '../../support/marketplace/own-checkout.js';

// A team keeps its checkout: what its buyers pay and get back at Stripe is told by name, and read there.

let world: DisputeWorld;
/** Nothing waits for a person at the end. */
let over: boolean;
beforeEach(async () => {
  over = true;
  world = await openDisputeWorld();
});
afterEach(async () => {
  await world.settle();
  if (over) await expectSharesExact(world.url);
  await world.close();
});

const { charged, take, paid } = checkoutOf(() => world);

const statuses = async (order: OrderId) => {
  const { status, transfers, reversals, refunds } = await world.find(order);
  return {
    status,
    transfers: transfers.map((one) => [one.sellerAccount, one.amount, one.status]),
    refunds: refunds.map((one) => [one.stripeRefundId, one.amount, one.status]),
    reversals: reversals.map((one) => [one.amount, one.status]),
  };
};

describe('a payment that another checkout took', () => {
  it('pays its order once, however often it is told of and by whichever name, and each seller is sent his share of that charge', async () => {
    const { order, intent, charge } = await paid();
    expect(await take(order, intent)).toMatchObject({ kind: 'already' });
    expect(await take(order, charge)).toMatchObject({ kind: 'already' });
    await world.settle();
    expect(await take(order, intent)).toMatchObject({ kind: 'already' });
    expect(await statuses(order)).toMatchObject({
      status: 'paid',
      transfers: [
        ['acct_ada', 600n, 'completed'],
        ['acct_bob', 400n, 'completed'],
      ],
    });
    const sent = world.atStripe.ledger().transfers;
    expect(sent.map((one) => one.source_transaction)).toEqual([charge, charge]);
    expect((await world.find(order)).payment).toMatchObject({ provider: 'stripe', stripePaymentId: intent });
  });

  it('pays one order alone, also where two are told of it at once', async () => {
    const { intent } = await charged();
    const orders = [await world.ordered(SELLERS), await world.ordered(SELLERS)];
    const outcomes = await Promise.all(orders.map((order) => take(order, intent)));
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['pays_other', 'taken']);
    await world.settle();
    expect(world.atStripe.ledger().transfers).toHaveLength(2);
  });

  it('is said to pay its own order where a further one is told of it, also once the sellers of its own have been paid', async () => {
    const { order, intent } = await paid();
    await world.settle();
    expect(world.atStripe.ledger().transfers).toHaveLength(2);
    expect(await take(await world.ordered(SELLERS), intent)).toEqual({ kind: 'pays_other', orderId: order });
  });

  it.each([
    ['has another amount', 999, {}, 'differs'],
    ['is in another currency', 1_000, { currency: 'eur' }, 'differs'],
    ['is not captured', 1_000, { status: 'uncaptured' }, 'unfit'],
    ['is under way', 1_000, { status: 'pending' }, 'unfit'],
    ['has failed', 1_000, { status: 'failed' }, 'unfit'],
  ])('pays nothing where it %s', async (_what, amount, more, kind) => {
    const order = await world.ordered(SELLERS);
    const { intent } = await charged(amount, more);
    expect(await take(order, intent)).toMatchObject({ kind });
    await world.settle();
    expect(await statuses(order)).toMatchObject({ status: 'pending', transfers: [] });
  });

  it('pays nothing where it is in the other mode, or at another account', async () => {
    const order = await world.ordered(SELLERS);
    const { payment_intent: live } = await world.atStripe.createCapture({ amount: 1_000, currency: 'usd' }, true);
    for (const name of [live.id, 'pi_of_somebody_else'])
      expect(await take(order, name)).toMatchObject({ kind: 'unfit', detail: expect.stringContaining(name) });
    expect(await statuses(order)).toMatchObject({ status: 'pending' });
  });

  it('pays nothing where sellers were paid of it already, by whoever it was', async () => {
    const order = await world.ordered(SELLERS);
    const { intent } = await charged(1_000, { transfer_group: 'shop-17' });
    await world.atStripe.seed({
      transfers: [{ amount: 600, currency: 'usd', destination: 'acct_ada', transfer_group: 'shop-17' }],
    });
    expect(await take(order, intent)).toMatchObject({ kind: 'unfit', detail: expect.stringContaining('acct_ada') });
    expect(await statuses(order)).toMatchObject({ status: 'pending' });
  });

  it('is not believed while Stripe does not answer', async () => {
    const order = await world.ordered(SELLERS);
    const { intent } = await charged();
    world.atStripe.setFaults([{ kinds: ['unavailable'], on: ['refunds.list'], times: 1 }]);
    expect(await take(order, intent)).toMatchObject({ kind: 'unread' });
    expect(await statuses(order)).toMatchObject({ status: 'pending' });
    expect(await take(order, intent)).toMatchObject({ kind: 'taken' });
  });
});

describe('what went back before it was told of', () => {
  it('is taken of the shares before anything is sent: a part', async () => {
    const order = await world.ordered(SELLERS);
    const { intent, charge } = await charged();
    await world.atStripe.createRefund({ charge, amount: 500 });
    expect(await take(order, intent)).toMatchObject({ kind: 'taken' });
    await world.settle();
    expect(await statuses(order)).toMatchObject({
      status: 'partially_refunded',
      transfers: [
        ['acct_ada', 300n, 'completed'],
        ['acct_bob', 200n, 'completed'],
      ],
      reversals: [],
    });
  });

  it('is taken of the shares before anything is sent: all of it, by a dispute', async () => {
    const order = await world.ordered(SELLERS);
    const { intent, charge } = await charged();
    await world.atStripe.createDispute({ charge });
    expect(await take(order, intent)).toMatchObject({ kind: 'taken' });
    await world.settle();
    expect(await statuses(order)).toMatchObject({
      transfers: [
        ['acct_ada', 0n, 'cancelled'],
        ['acct_bob', 0n, 'cancelled'],
      ],
    });
    expect((await world.find(order)).disputes).toMatchObject([{ funds: 'out', namedBy: 'stripe', attention: null }]);
    expect(world.atStripe.ledger().transfers).toHaveLength(0);
  });
});

describe('a refund that is made at Stripe', () => {
  const takenBack = (refund: string) => ({
    status: 'partially_refunded',
    refunds: [[refund, 500n, 'succeeded']],
    reversals: [
      [300n, 'reversed'],
      [200n, 'reversed'],
    ],
  });

  it.each(['told by the API', 'told by an event', 'found by nobody telling'])(
    'takes the shares back once: %s',
    async (how) => {
      const { order, charge, intent } = await paid();
      await world.settle();
      const { refund } = await world.atStripe.createRefund({ charge, amount: 500 });
      for (let time = 0; time < 2; time += 1) {
        if (how === 'told by the API')
          expect(await world.external.noteRefund(order, refund.id)).toMatchObject({ kind: 'noted' });
        else if (how === 'told by an event') await world.stripeTells('charge.refunded', charge, intent);
        else {
          world.clock.advance(3 * 3_600_000);
          for (const due of await world.ledger.duePaymentSearches(10)) await world.calls.searchPayment(due);
        }
        await world.settle();
      }
      expect(await statuses(order)).toMatchObject(takenBack(refund.id));
      expect(await world.openEvents()).toBe(0);
    },
  );

  it('takes nothing while it is pending, and what it took before it failed is paid again as two persons say', async () => {
    const { order, charge, intent } = await paid();
    await world.settle();
    const { refund } = await world.atStripe.createRefund({ charge, amount: 500, status: 'pending' });
    expect(await world.external.noteRefund(order, refund.id)).toMatchObject({ kind: 'noted' });
    await world.settle();
    expect(await statuses(order)).toMatchObject({ refunds: [[refund.id, 500n, 'pending']], reversals: [] });
    await world.atStripe.updateRefund(refund.id, 'succeeded');
    await world.stripeTells('refund.updated', refund.id, intent);
    await world.settle();
    expect(await statuses(order)).toMatchObject(takenBack(refund.id));
    await world.atStripe.updateRefund(refund.id, 'failed');
    await world.stripeTells('refund.failed', refund.id, intent);
    await world.settle();
    const [failed] = (await world.find(order)).refunds;
    expect(failed).toMatchObject({ status: 'failed', attention: { reason: 'refund_failed_after_reversal' } });
    expect(await world.decide('refund', failed!.id, 'compensate')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(await world.balanceOf('acct_ada')).toBe(600n);
    expect((await world.find(order)).status).toBe('paid');
  });

  it('that has failed since takes nothing: it is read right before each reversal', async () => {
    const { order, charge } = await paid();
    await world.settle();
    const { refund } = await world.atStripe.createRefund({ charge, amount: 500 });
    expect(await world.external.noteRefund(order, refund.id)).toMatchObject({ kind: 'noted' });
    await world.atStripe.updateRefund(refund.id, 'failed');
    await world.settle();
    expect(world.atStripe.ledger().reversals ?? []).toHaveLength(0);
    expect(await statuses(order)).toMatchObject({ status: 'paid', refunds: [[refund.id, 500n, 'failed']] });
  });

  it('of another payment is none of this order', async () => {
    const { order } = await paid();
    const other = await charged();
    const { refund } = await world.atStripe.createRefund({ charge: other.charge, amount: 500 });
    expect(await world.external.noteRefund(order, refund.id)).toMatchObject({ kind: 'unfit' });
    expect(await statuses(order)).toMatchObject({ status: 'paid', refunds: [] });
  });
});

describe('a dispute at Stripe', () => {
  it('takes the shares back as its funds go, and gives them back when they come: nobody has to name it', async () => {
    const { order, charge, intent } = await paid();
    await world.settle();
    const { dispute } = await world.atStripe.createDispute({ charge });
    await world.stripeTells('charge.dispute.created', dispute.id, intent);
    await world.settle();
    expect(await statuses(order)).toMatchObject({
      reversals: [
        [600n, 'reversed'],
        [400n, 'reversed'],
      ],
    });
    await world.atStripe.moveDispute(dispute.id, { move: 'win' });
    await world.stripeTells('charge.dispute.closed', dispute.id, intent);
    await world.settle();
    const now = await world.find(order);
    expect(now.disputes).toMatchObject([{ status: 'won', funds: 'back', attention: null }]);
    expect(await world.balanceOf('acct_ada')).toBe(600n);
  });
});

describe('whoever dies while it is told of', () => {
  const PATH = [
    ['stripe', 'readPayment'],
    ['stripe', 'transfersInGroup'],
    ['stripe', 'refundsOf'],
    ['stripe', 'disputesOf'],
    ['ledger', 'orderPaidBy'],
    ['ledger', 'takeExternalPayment'],
  ] as const;

  it.each(PATH.flatMap(([of, call]) => (['before', 'after'] as const).map((moment) => [moment, of, call] as const)))(
    'leaves nothing half done: %s %s.%s',
    async (moment, of, call) => {
      const order = await world.ordered(SELLERS);
      const { intent, charge } = await charged(1_000, { transfer_group: 'shop-18' });
      await world.atStripe.createRefund({ charge, amount: 500 });
      const dying = world.dying(of, call, moment);
      await expect(dying.takePayment(order, intent, 'shop')).rejects.toThrow('died');
      expect(await take(order, intent)).toMatchObject({ kind: expect.stringMatching(/^(taken|already)$/) });
      await world.settle();
      expect(await statuses(order)).toMatchObject({
        status: 'partially_refunded',
        transfers: [
          ['acct_ada', 300n, 'completed'],
          ['acct_bob', 200n, 'completed'],
        ],
      });
      expect(world.atStripe.ledger().transfers).toHaveLength(2);
    },
  );

  it.each([
    ['before', 'refundsOf'],
    ['after', 'refundsOf'],
    ['before', 'noteStripeRefunds'],
    ['after', 'noteStripeRefunds'],
  ] as const)('of a refund, takes the shares back once: %s %s', async (moment, call) => {
    const { order, charge } = await paid();
    await world.settle();
    const { refund } = await world.atStripe.createRefund({ charge, amount: 500 });
    const dying = world.dying(call === 'refundsOf' ? 'stripe' : 'ledger', call, moment);
    await expect(dying.noteRefund(order, refund.id)).rejects.toThrow('died');
    expect(await world.external.noteRefund(order, refund.id)).toMatchObject({ kind: 'noted' });
    await world.settle();
    expect(await statuses(order)).toMatchObject({ refunds: [[refund.id, 500n, 'succeeded']] });
    expect([await world.balanceOf('acct_ada'), await world.balanceOf('acct_bob')]).toEqual([300n, 200n]);
  });
});

describe('a payment that Hyperswitch made', () => {
  it('pays no second order by its name at Stripe', async () => {
    const first = await world.paid(SELLERS);
    const name = (await world.find(first)).payment!.stripePaymentId!;
    const order = await world.ordered(SELLERS);
    expect(await take(order, name)).toEqual({ kind: 'pays_other', orderId: first });
    expect(await statuses(order)).toMatchObject({ status: 'pending' });
  });

  it('asks a person where another order was told to be paid by it before Hyperswitch named it, and pays no seller', async () => {
    const order = await world.ordered(SELLERS);
    const { intent } = await charged();
    expect(await take(order, intent)).toMatchObject({ kind: 'taken' });
    const second = await world.paid(SELLERS);
    const { payment } = await world.find(second);
    const read = await world.readAtHyperswitch(payment!.hyperswitchPaymentId!);
    await world.ledger.applyPayment({
      paymentId: payment!.id,
      runner: null,
      facts: { ...read, connectorTransactionId: intent },
    });
    await world.settle();
    const now = await world.find(second);
    expect(now.payment).toMatchObject({ attention: { reason: 'conflict', detail: expect.stringContaining(order) } });
    expect(now.transfers.map(({ status }) => status)).toEqual(['pending', 'pending']);
    over = false;
  });
});
