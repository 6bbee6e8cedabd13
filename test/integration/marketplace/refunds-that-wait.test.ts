import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RefundId } from '../../../src/domain/ids.js';
import { explainItem } from '../../../src/reading/explanations.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { expectSharesExact } from '../../support/marketplace/ledger-comparison.js';
import { shopAtStripe } from '../../support/marketplace/made-at-stripe.js';

// Refunds at Stripe that the platform's balance does not cover: nobody is to blame, and the buyer gets his money once, when there is some.

let world: DisputeWorld;
beforeEach(async () => {
  world = await openDisputeWorld();
});
afterEach(async () => {
  await world.settle();
  await expectSharesExact(world.url);
  await world.close();
});
const { paid, refund, hours, calls } = shopAtStripe(() => world);

const HOUR_MS = 3_600_000;
const balance = (available: number, currency = 'usd') =>
  world.atStripe.setBalance({ account: world.atStripe.platformAccount, currency, available });
const rise = async (available: number, currency = 'usd') => {
  await balance(available, currency);
  await world.stripeTells('balance.available', '');
};
const atStripe = () => world.atStripe.ledger().refunds;
const found = async (id: RefundId) => await world.ledger.findRefund(id);
const keys = () => calls('refunds.create').map(({ idempotencyKey }) => idempotencyKey);

/** Sellers have been paid, and the balance is spent. */
async function short(shortRefunds: 'refused' | 'pending', available = 120) {
  world.atStripe.setBuyers({ shortRefunds });
  const made = await paid();
  await world.settle();
  await balance(available);
  return { ...made, id: await refund(made.order, 500n) };
}

describe('a refund that Stripe refuses because the balance is too low', () => {
  it('waits, says what is missing, and takes nothing of anybody', async () => {
    const { id, order } = await short('refused');
    expect(await found(id)).toMatchObject({
      status: 'pending',
      certainty: 'absent',
      attention: null,
      waiting: { for: 'platform_balance', since: expect.any(String), missing: 380n },
    });
    expect((await world.find(order)).transfers.map(({ amountReversed }) => amountReversed)).toEqual([0n, 0n]);
    expect(atStripe()).toEqual([]);
    const told = await explainItem(world.ledger, { kind: 'refund', id, orderId: order }, world.clock.nowMs());
    expect(told).toMatchObject({ why: expect.stringContaining('balance at Stripe is too low') });
  });

  it('is sent under a key of its own as soon as Stripe tells of money, once', async () => {
    const { id, order } = await short('refused');
    await rise(700);
    await world.settle();
    expect(await found(id)).toMatchObject({ status: 'succeeded', waiting: null });
    expect(keys()).toEqual([id, `${id}:g2`]);
    expect(atStripe()).toMatchObject([{ amount: 500, status: 'succeeded' }]);
    expect((await world.find(order)).transfers.map(({ amountReversed }) => amountReversed)).toEqual([300n, 200n]);
  });

  it('is looked at every hour, and not sent while the balance that was read does not cover it', async () => {
    const { id } = await short('refused');
    await hours(30);
    expect(keys()).toEqual([id]);
    await balance(200);
    await hours(2);
    expect(await found(id)).toMatchObject({ status: 'pending', waiting: { missing: 300n } });
    await balance(500);
    await hours(2);
    expect(await found(id)).toMatchObject({ status: 'succeeded' });
    expect(atStripe()).toHaveLength(1);
  });

  it('that somebody made in the meantime is not made again', async () => {
    const { id, charge } = await short('refused');
    await world.atStripe.createRefund({ charge, amount: 500, metadata: { refund_id: id } });
    await rise(900);
    await world.settle();
    expect(await found(id)).toMatchObject({ status: 'succeeded', stripeRefundId: atStripe()[0]?.id });
    expect(keys()).toEqual([id]);
  });

  it('is not sent beside what somebody made in the dashboard meanwhile, without our mark: a person says whether it is the same', async () => {
    const { id, charge } = await short('refused');
    for (const amount of [300, 200]) await world.atStripe.createRefund({ charge, amount, metadata: {} });
    await rise(900);
    await world.settle();
    expect((await world.ledger.findRefund(id))?.attention).toMatchObject({ reason: 'conflict' });
    expect(atStripe().map(({ amount }) => amount)).toEqual([200, 300]);
    expect(keys()).toEqual([id]);

    expect(await world.decide('refund', id, 'write_off')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(atStripe()).toHaveLength(2);
  });

  it('is sent beside it once a person has said that it is another one', async () => {
    const { id, charge } = await short('refused');
    await world.atStripe.createRefund({ charge, amount: 300, metadata: {} });
    await rise(900);
    await world.settle();
    expect(await world.decide('refund', id, 'retry')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(await found(id)).toMatchObject({ status: 'succeeded' });
    expect(atStripe()).toHaveLength(2);
  });

  it('waits with its key where an earlier answer was lost, until that key is surely forgotten', async () => {
    world.atStripe.setBuyers({ shortRefunds: 'refused' });
    const { order } = await paid();
    await world.settle();
    await balance(0);
    world.atStripe.setFaults([{ kinds: ['reset_before_commit'], on: ['refunds.create'], times: 1 }]);
    const id = await refund(order, 500n);
    await world.calls.advanceRefund(id);
    expect(await found(id)).toMatchObject({ status: 'pending', certainty: 'unknown', waiting: { missing: 500n } });
    await balance(900);
    await hours(22);
    expect(new Set(keys())).toEqual(new Set([id]));
    await hours(6);
    expect(await found(id)).toMatchObject({ status: 'succeeded', waiting: null });
    expect(keys().at(-1)).toBe(`${id}:g2`);
    expect(atStripe()).toHaveLength(1);
  });

  it('compares nothing with a balance in another currency than its own: it is tried hourly', async () => {
    world.atStripe.setBuyers({ shortRefunds: 'refused' });
    const made = await begunInEuros();
    await balance(0, 'usd');
    await balance(10, 'eur');
    const id = await refund(made.order, 500n);
    expect(await found(id)).toMatchObject({ status: 'pending', waiting: { missing: null } });
    await hours(3);
    const tried = keys().length;
    expect(tried).toBeGreaterThan(1);
    expect(tried).toBeLessThan(6);
    await rise(100_000, 'eur');
    await world.settle();
    expect(await found(id)).toMatchObject({ status: 'succeeded' });
    expect(atStripe()).toHaveLength(1);
  });
});

describe('a refund that Stripe holds until the balance covers it', () => {
  it('is shown as waiting, read hourly, and takes its shares once Stripe has sent it', async () => {
    const { id, order } = await short('pending');
    expect(atStripe()).toMatchObject([{ status: 'pending', pending_reason: 'insufficient_funds' }]);
    expect(await found(id)).toMatchObject({
      status: 'pending',
      certainty: 'done',
      attention: null,
      waiting: { for: 'platform_balance', missing: null },
    });
    expect(await world.calls.advanceRefund(id)).toMatchObject({ kind: 'open', afterMs: HOUR_MS });
    const name = atStripe()[0]?.id ?? '';
    await world.atStripe.updateRefund(name, 'succeeded');
    await world.stripeTells('balance.available', '');
    await world.settle();
    expect(await found(id)).toMatchObject({ status: 'succeeded', waiting: null });
    expect((await world.find(order)).transfers.map(({ amountReversed }) => amountReversed)).toEqual([300n, 200n]);
    expect(keys()).toEqual([id]);
  });

  it('is shown as waiting where somebody made it in the dashboard, of what another checkout took', async () => {
    const order = await world.ordered({ acct_ada: 1_000n });
    const { payment_intent: intent, charge } = await world.atStripe.createCapture({ amount: 1_000, currency: 'usd' });
    await world.external.takePayment(order, intent.id, 'shop');
    await balance(0);
    await world.atStripe.createRefund({ charge: charge.id, amount: 500, whenShort: 'pending' });
    await world.stripeTells('charge.refunded', charge.id, intent.id);
    await world.settle();
    expect((await world.find(order)).refunds).toMatchObject([
      { origin: 'provider', status: 'pending', waiting: { for: 'platform_balance' } },
    ]);
    await world.atStripe.updateRefund(atStripe()[0]?.id ?? '', 'succeeded');
    await hours(2);
    expect((await world.find(order)).refunds).toMatchObject([{ status: 'succeeded', waiting: null }]);
  });

  it('has failed where Stripe gave it up: the buyer got nothing, and it may be asked for anew', async () => {
    const { id, order } = await short('pending');
    const name = atStripe()[0]?.id ?? '';
    await world.atStripe.updateRefund(name, 'failed');
    await world.stripeTells('refund.failed', name);
    await world.settle();
    expect(await found(id)).toMatchObject({ status: 'failed', waiting: null, attention: null });
    await balance(100_000);
    await refund(order, 500n);
    expect(atStripe().map(({ status }) => status)).toEqual(['succeeded', 'failed']);
  });
});

async function begunInEuros() {
  const { begun, buyerPays } = shopAtStripe(() => world);
  const made = await begun();
  await buyerPays(made.intent, { settles_in: 'eur', exchange_rate: 0.9 });
  await world.calls.advancePayment(made.payment);
  await world.settle();
  return made;
}
