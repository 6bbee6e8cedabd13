import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OrderId, TransferId } from '../../../src/domain/ids.js';
import type { SellerTransfer } from '../../../src/domain/marketplace/marketplace.js';
import { hyperswitchPaymentId } from '../../../src/providers/hyperswitch/ids.js';
import { resolveSignal } from '../../../workflows/messages.js';
import { type TestApi, TOKENS } from '../../support/api.js';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { unique } from '../../support/marketplace/fixtures.js';
import { serveMarketplace } from '../../support/marketplace/http.js';
import { marketplaceSteps } from '../../support/marketplace/steps.js';
import { type MarketplaceTest, openMarketplaceTest } from '../../support/marketplace/time-skipping.js';
import { AT_ONCE } from '../../support/stand-ins.js';

/** Shares that are released months after the sale, over HTTP and through the real workflows; nothing is swept unless a test says so. */

let market: MarketplaceTest;
let api: TestApi;
let sellers = 0;
let seller: string;

beforeAll(async () => {
  market = await openMarketplaceTest({ linked: true });
  api = await serveMarketplace(market);
  await market.stripe.setBalance({ account: market.stripe.platformAccount, currency: 'usd', available: 10_000_000 });
});
afterAll(async () => {
  await api.close();
  await market.dispose();
});
beforeEach(() => {
  sellers += 1;
  seller = `acct_1Later${sellers}`;
});
afterEach(() => market.hyperswitch.setAuto(AT_ONCE));

const post = (path: string, json?: object) =>
  api.send(`/api/v1/${path}`, {
    method: 'POST',
    token: TOKENS.service,
    ...(json && { json }),
    headers: { 'Idempotency-Key': unique('key') },
  });
const line = (account: string, amount: number, release?: unknown) => ({
  seller_account: account,
  amount,
  description: 'goods',
  ...(release === undefined ? {} : { release }),
});

/** Ordered by our own client, and paid. */
async function sold(...items: object[]): Promise<{ order: OrderId; transfers: readonly SellerTransfer[] }> {
  await market.sleep(1_000);
  const made = await post('orders', { currency: 'usd', items });
  expect(made.status).toBe(201);
  const order = made.body.id as OrderId;
  await market.world.pay(order);
  return { order, transfers: (await market.order({ id: order })).transfers };
}
/** And an hour, so that nobody is woken at the moment at which his own timer of a day fires, which strands him at this server. */
async function days(count: number): Promise<void> {
  await market.sleep(HOUR_MS);
  for (let day = 0; day < count; day += 1) await market.sleep(DAY_MS);
}
const posts = (account = seller) => market.transferPosts(account).length;
const shown = async (id: TransferId) =>
  (await api.send(`/api/v1/transfers/${id}`, { token: TOKENS.viewer })).body as Record<string, unknown>;
const releaseIt = (id: TransferId) => post(`transfers/${id}/release`);

describe('a share with a date', () => {
  it('is sent at that date and not a day before, by its own timer, across another process in place of the first', async () => {
    const { transfers } = await sold(line(seller, 600, { after: '60d' }));
    const [{ id, release }] = transfers as [SellerTransfer];
    const state = await market.untilIn('waiting', 'transfer', id);
    expect(state.detail).toBe(`it is held until ${release.at}, when it is released`);
    await days(30);
    await market.restart();
    await days(29);
    expect(posts()).toBe(0);
    expect(await shown(id)).toMatchObject({
      status: 'held',
      release: { kind: 'after', at: release.at, released_at: null },
      held: { for: 'date', until: release.at },
    });
    await days(1);
    await market.sleep(MINUTE_MS);
    await market.untilTransfer('completed', id);
    expect(posts()).toBe(1);
    expect(await shown(id)).toMatchObject({ held: null, release: { released_at: expect.any(String) } });
  });

  it('waits at its date for the end of a dispute, and then goes on by itself', async () => {
    const { order, transfers } = await sold(line(seller, 600, { after: '20d' }));
    const [{ id }] = transfers as [SellerTransfer];
    await days(10);
    const opened = await market.hyperswitch.openDispute({ payment_id: hyperswitchPaymentId(order), inquiry: true });
    if (!('dispute' in opened)) throw new Error('no dispute was opened');
    await market.until('it is known', async () => (await market.order({ id: order })).disputes.length === 1);
    await days(15);
    expect(posts()).toBe(0);
    const [dispute] = (await market.order({ id: order })).disputes;
    expect(await shown(id)).toMatchObject({
      status: 'held',
      held: { for: 'dispute', id: dispute!.id },
      release: { released_at: expect.any(String) },
    });
    await market.hyperswitch.changeDispute(opened.dispute.id, { move: 'close_inquiry' });
    await market.untilTransfer('completed', id);
    expect(posts()).toBe(1);
  });

  it('whose money a dispute took and gave back is paid again at its date, and not before', async () => {
    const { order, transfers } = await sold(line(seller, 600, { after: '20d' }));
    const opened = await market.hyperswitch.openDispute({ payment_id: hyperswitchPaymentId(order) });
    if (!('dispute' in opened)) throw new Error('no dispute was opened');
    await market.untilTransfer('cancelled', transfers[0]!.id);
    await market.hyperswitch.changeDispute(opened.dispute.id, { move: 'win' });
    await market.until('it is promised again', async () => (await market.order({ id: order })).transfers.length === 2);
    const again = (await market.order({ id: order })).transfers.find(({ origin }) => origin === 'compensation')!;
    expect(again).toMatchObject({ amount: 600n, status: 'held', release: transfers[0]!.release });
    await days(19);
    expect(posts()).toBe(0);
    await days(1);
    await market.sleep(MINUTE_MS);
    await market.untilTransfer('completed', again.id);
    expect(posts()).toBe(1);
  });

  it('of which Temporal knows nothing is found by the sweep', async () => {
    await market.sleep(1_000);
    const paid = await marketplaceSteps(market.test).paid([
      { sellerAccount: seller, amount: 600n, description: 'goods', release: { kind: 'after', afterMs: 3 * DAY_MS } },
    ]);
    const id = paid.transfers[seller]!;
    await market.world.sweep();
    await days(2);
    await market.world.sweep();
    expect(await market.transfer(id)).toMatchObject({ status: 'held' });
    expect(posts()).toBe(0);
    await days(1);
    await market.sleep(MINUTE_MS);
    await market.world.sweep();
    await market.untilTransfer('completed', id);
    expect(posts()).toBe(1);
  });
});

describe('a share that waits for somebody', () => {
  it('is sent as soon as that is said, once, however often', async () => {
    const { transfers } = await sold(line(seller, 400), line(seller, 600, 'on_request'));
    const [now, later] = transfers as [SellerTransfer, SellerTransfer];
    await market.untilTransfer('completed', now.id);
    await days(5);
    expect(posts()).toBe(1);
    expect((await releaseIt(later.id)).status).toBe(200);
    await market.untilTransfer('completed', later.id);
    const again = await releaseIt(later.id);
    expect([again.status, again.body.status]).toEqual([200, 'completed']);
    await market.sleep(HOUR_MS);
    expect(posts()).toBe(2);
  });

  it('waits, released, for a refund that is pending, and is sent less by that when it has succeeded', async () => {
    const { order, transfers } = await sold(line(seller, 600, 'on_request'));
    const [{ id }] = transfers as [SellerTransfer];
    market.hyperswitch.setAuto({ pay: AT_ONCE.pay });
    const refund = await market.refund({ id: order }, 150n);
    await releaseIt(id);
    await days(1);
    expect(posts()).toBe(0);
    expect(await shown(id)).toMatchObject({ status: 'held', held: { for: 'refund', id: refund } });
    const { hyperswitchRefundId } = (await market.test.ledger.findRefund(refund))!;
    await market.hyperswitch.moveRefund(hyperswitchRefundId!, { to: 'succeeded' });
    await market.untilTransfer('completed', id);
    expect(await market.transfer(id)).toMatchObject({ amount: 450n, amountReversed: 0n });
    expect(posts()).toBe(1);
  });

  it('asks a person after RELEASE_OVERDUE, whose word by signal sends it', async () => {
    const { transfers } = await sold(line(seller, 600, 'on_request'));
    const [{ id }] = transfers as [SellerTransfer];
    await days(29);
    expect((await market.transfer(id)).attention).toBeNull();
    await days(1);
    await market.sleep(MINUTE_MS);
    await market.untilIn('needs_attention', 'transfer', id);
    expect(await shown(id)).toMatchObject({ status: 'held', attention: { reason: 'release_overdue' } });
    await market.handle('transfer', id).signal(resolveSignal, { action: 'release', by: 'ann', note: 'delivered' });
    await market.until('a second person is asked, because ann may be anybody', async () => {
      const { attention } = await market.transfer(id);
      return attention?.reason === 'approval_pending';
    });
    expect(posts()).toBe(0);
    await releaseIt(id);
    await market.untilTransfer('completed', id);
    expect(posts()).toBe(1);
  });

  it('has nothing to release once it was refunded, and says so', async () => {
    const { order, transfers } = await sold(line(seller, 600, 'on_request'));
    await market.refund({ id: order });
    await market.untilTransfer('cancelled', transfers[0]!.id);
    const answer = await releaseIt(transfers[0]!.id);
    expect([answer.status, answer.body.code]).toEqual([409, 'transfer_ended']);
    expect(posts()).toBe(0);
  });
});
