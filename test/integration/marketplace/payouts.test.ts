import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPayoutReading } from '../../../src/calls/marketplace/payouts.js';
import { createPinnedReads } from '../../../src/calls/marketplace/pinned-reads.js';
import type { OrderId } from '../../../src/domain/ids.js';
import { createStripe } from '../../../src/providers/stripe/client.js';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { unique } from '../../support/marketplace/fixtures.js';

// What Stripe sends from sellers' balances to their banks: amount, arrival, failure, and the transfers in it where Stripe says so.

const ADA = 'acct_ada';
let world: DisputeWorld;
let readPayout: ReturnType<typeof createPayoutReading>;
beforeEach(async () => {
  world = await openDisputeWorld();
  const stripe = createStripe({
    secretKey: 'sk_test_sandbox',
    apiBase: world.atStripe.url,
    takeToken: () => Promise.resolve(() => undefined),
    timeoutMs: 2_000,
  });
  const pinned = createPinnedReads(world.ledger, { stripe, hyperswitch: undefined }).stripe;
  if (!pinned) throw new Error('Stripe is configured in this world');
  readPayout = createPayoutReading({ ledger: world.ledger, stripe: pinned });
});
afterEach(() => world.close());

/** Stripe's event of the payout arrives. */
async function told(payout: { readonly id: string }, type: string): Promise<void> {
  const event = { eventId: unique('evt'), type, objectId: payout.id, parentId: null, account: ADA, bodySha256: 'x' };
  await world.ledger.storeWebhook({ provider: 'stripe', ...event });
  await world.hears({ provider: 'stripe', ...event });
}
/** What the sweep does. @returns how many payouts were due */
async function sweep(): Promise<number> {
  const due = await world.ledger.duePayouts(100);
  for (const one of due) await readPayout(one);
  return due.length;
}
const sold = async (amount = 600n): Promise<OrderId> => {
  const order = await world.paid({ [ADA]: amount });
  await world.settle();
  return order;
};
const payout = (more: object = {}) =>
  world.atStripe.createPayout({ account: ADA, amount: 600, currency: 'usd', status: 'paid', ...more });
const transferOf = async (order: OrderId) => (await world.find(order)).transfers[0]!;
const found = async ({ id }: { readonly id: string }) => (await world.ledger.findPayout(id))!;
const readsOfContents = () =>
  world.atStripe.calls().calls.filter(({ endpoint }) => endpoint === 'balance_transactions.list').length;

describe('a payout that Stripe made by itself', () => {
  it('names the transfers in it, and each transfer the payout with its arrival', async () => {
    const [first, second] = [await sold(), await sold(250n)];
    const paid = await payout({ amount: 850 });
    const later = await sold(100n);
    await told(paid, 'payout.paid');
    expect(await found(paid)).toMatchObject({ status: 'paid', contents: 'unread', transfers: [] });
    expect(await sweep()).toBe(1);
    const transfers = [await transferOf(first), await transferOf(second)];
    expect(await found(paid)).toMatchObject({
      contents: 'listed',
      automatic: true,
      others: 0,
      attention: null,
      transfers: expect.arrayContaining(
        transfers.map(({ id, stripeTransferId, amount }) => ({
          transferId: id,
          stripeTransferId,
          amount,
          currency: 'USD',
        })),
      ),
    });
    const { arrivalAt } = await found(paid);
    expect(arrivalAt).not.toBeNull();
    for (const one of transfers) expect(one.payout).toEqual({ id: paid.id, status: 'paid', arrivalAt });
    expect((await transferOf(later)).payout).toBeNull();
    expect((await world.ledger.findItems(paid.id)).map(({ id }) => id).sort()).toEqual(
      transfers.map(({ id }) => id).sort(),
    );
  });

  it('is read once, and once more when it cannot fail any longer, however often it is told of', async () => {
    await sold();
    const paid = await payout();
    await told(paid, 'payout.paid');
    await sweep();
    await told(paid, 'payout.paid');
    world.clock.advance(DAY_MS);
    expect([await sweep(), readsOfContents()]).toEqual([0, 1]);
    world.clock.advance(9 * DAY_MS);
    expect([await sweep(), readsOfContents()]).toEqual([1, 1]);
    expect((await found(paid)).nextCheckAt).toBeNull();
  });

  it('is read page by page, and goes on where somebody died', async () => {
    for (let count = 0; count < 3; count += 1) await sold(BigInt(100 + count));
    const paid = await payout({ amount: 303 });
    await told(paid, 'payout.paid');
    const facts = { externalPayoutId: paid.id, status: 'paid' } as const;
    const [due] = await world.ledger.duePayouts(1);
    const line = (name: string) => ({
      balanceTransactionId: `txn_${name}`,
      stripeTransferId: `tr_${name}`,
      amount: 5n,
      currency: 'USD',
    });
    const page = { transfers: [line('a')], others: 2, next: 'txn_a' };
    expect(await world.ledger.savePayoutContents(facts, null, page)).toBe(true);
    expect(await world.ledger.savePayoutContents(facts, null, page)).toBe(false);
    expect(await found(paid)).toMatchObject({ contents: 'unread', others: 2 });
    expect(
      await world.ledger.savePayoutContents(facts, 'txn_a', { transfers: [line('b')], others: 1, next: null }),
    ).toBe(true);
    expect(await found(paid)).toMatchObject({ contents: 'listed', others: 3, nextCheckAt: expect.any(String) });
    expect((await found(paid)).transfers).toHaveLength(2);
    expect(due).toEqual({ externalPayoutId: paid.id, sellerAccount: ADA });
  });

  it('that was told of before it arrives is read a day after it should have, although no other event comes', async () => {
    await sold();
    const made = await payout({ status: 'in_transit' });
    await told(made, 'payout.created');
    await sweep();
    expect(await found(made)).toMatchObject({ status: 'in_transit', contents: 'unread' });
    await world.atStripe.updatePayout(made.id, 'paid');
    world.clock.advance(2 * DAY_MS);
    expect(await sweep()).toBe(0);
    world.clock.advance(DAY_MS + MINUTE_MS);
    expect(await sweep()).toBe(1);
    expect(await found(made)).toMatchObject({ status: 'paid', contents: 'listed' });
  });
});

it('of a payout that its owner made it is said that Stripe does not say what is in it', async () => {
  const order = await sold();
  const own = await payout({ automatic: false });
  await told(own, 'payout.paid');
  await sweep();
  expect(await found(own)).toMatchObject({ contents: 'not_told', automatic: false, transfers: [] });
  expect((await transferOf(order)).payout).toBeNull();
  expect(readsOfContents()).toBe(0);
});

describe('a payout that failed', () => {
  it('after it was paid is read again, asks a person, and stands in the story of its transfers', async () => {
    const order = await sold();
    const paid = await payout();
    await told(paid, 'payout.paid');
    await sweep();
    world.clock.advance(2 * DAY_MS);
    await world.atStripe.updatePayout(paid.id, 'failed', 'account_closed');
    await told(paid, 'payout.failed');
    expect(await found(paid)).toMatchObject({
      status: 'failed',
      failureCode: 'account_closed',
      attention: { reason: 'payout_failed', detail: expect.stringContaining('account_closed') },
    });
    await sweep();
    expect(readsOfContents()).toBe(2);
    const { payout: of, id } = await transferOf(order);
    expect(of).toMatchObject({ id: paid.id, status: 'failed' });
    const lines = await world.database.query<{ status: string }>(
      `SELECT detail ->> 'status' AS status FROM operation_events WHERE item_id = $1 AND kind = 'in_payout' ORDER BY seq`,
      [id],
    );
    expect(lines.map(({ status }) => status)).toEqual(['paid', 'failed']);
    const figures = await world.ledger.noteWhoIsAsked(10);
    expect(figures.noted).toBe(1);
  });

  it('is asked about until a later payout of the seller arrives; one that was made before says nothing', async () => {
    await sold();
    const before = await payout({ amount: 100, status: 'in_transit' });
    world.clock.advance(HOUR_MS);
    const failed = await payout({ amount: 100, status: 'failed' });
    await told(failed, 'payout.failed');
    await world.atStripe.updatePayout(before.id, 'paid');
    await told(before, 'payout.paid');
    expect((await found(failed)).attention).not.toBeNull();
    world.clock.advance(DAY_MS);
    const other = await payout({ amount: 100, status: 'pending' });
    await told(other, 'payout.created');
    expect((await found(failed)).attention).not.toBeNull();
    await world.atStripe.updatePayout(other.id, 'paid');
    await told(other, 'payout.paid');
    expect(await found(failed)).toMatchObject({ attention: null, failureEnded: 'paid_later' });
  });

  it('is asked about until a person says that nothing is left to do', async () => {
    await sold();
    const failed = await payout({ status: 'failed' });
    await told(failed, 'payout.failed');
    expect(await world.ledger.dismissPayout(failed.id, { by: 'olga', note: 'the seller has gone' })).toBe(true);
    expect(await world.ledger.dismissPayout(failed.id, { by: 'olga', note: 'the seller has gone' })).toBe(false);
    await told(failed, 'payout.failed');
    expect(await found(failed)).toMatchObject({ attention: null, failureEnded: 'dismissed' });
  });
});

describe('a payout that cannot be read', () => {
  it('because Stripe is away comes round again, ever less often, and is read when Stripe is back', async () => {
    await sold();
    const paid = await payout();
    await told(paid, 'payout.paid');
    world.atStripe.setFaults([{ kinds: ['unavailable'], on: ['balance_transactions.list'] }]);
    await sweep();
    expect(await found(paid)).toMatchObject({ contents: 'unread', nextCheckAt: expect.any(String) });
    expect(await sweep()).toBe(0);
    for (let hours = 0; hours < 30 * 24; hours += 1) {
      world.clock.advance(HOUR_MS);
      await sweep();
    }
    expect(readsOfContents()).toBeGreaterThan(30);
    expect(readsOfContents()).toBeLessThan(45);
    expect(await found(paid)).toMatchObject({ contents: 'unread', nextCheckAt: expect.any(String), attention: null });
    world.atStripe.setFaults([]);
    world.clock.advance(DAY_MS);
    await sweep();
    expect(await found(paid)).toMatchObject({ contents: 'listed' });
  });

  it('because the seller has disconnected ends clearly after some days, and is read when he is back', async () => {
    const order = await sold();
    const paid = await payout();
    await told(paid, 'payout.paid');
    await world.atStripe.setAccount(ADA, { access: 'revoked' });
    await sweep();
    expect(await found(paid)).toMatchObject({ contents: 'unread', nextCheckAt: expect.any(String) });
    world.clock.advance(4 * DAY_MS);
    await sweep();
    expect(await found(paid)).toMatchObject({ contents: 'unreadable', nextCheckAt: null, attention: null });
    await world.atStripe.setAccount(ADA, { access: 'granted' });
    const event = { type: 'account.application.authorized', objectId: 'ca_1', parentId: null, account: ADA };
    await world.hears({ provider: 'stripe', eventId: unique('evt'), bodySha256: 'x', ...event });
    expect(await sweep()).toBe(1);
    expect((await transferOf(order)).payout).toMatchObject({ id: paid.id });
  });
});
