import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OrderId, TransferId } from '../../../src/domain/ids.js';
import type { SellerTransfer } from '../../../src/domain/marketplace/marketplace.js';
import { hyperswitchPaymentId } from '../../../src/providers/hyperswitch/ids.js';
import { type TestApi, TOKENS } from '../../support/api.js';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { unique } from '../../support/marketplace/fixtures.js';
import { serveMarketplace } from '../../support/marketplace/http.js';
import { type MarketplaceTest, openMarketplaceTest } from '../../support/marketplace/time-skipping.js';
import { AT_ONCE } from '../../support/stand-ins.js';

/** One quarter of a marketplace: shares that wait for a date or for somebody, while the process and then the build are replaced. */

let market: MarketplaceTest;
let api: TestApi;

/** Says whose code a run is on, and is otherwise the same. */
const build = (name: string) => ({
  name,
  change(code: string): string {
    const changed = code.replace('state.detail = detail;', `state.detail = detail + ' [${name}]';`);
    if (changed === code) throw new Error('the words of a run are written elsewhere now');
    return changed;
  },
});

beforeAll(async () => {
  market = await openMarketplaceTest({ linked: true, build: build('first build') });
  api = await serveMarketplace(market);
  await market.stripe.setBalance({ account: market.stripe.platformAccount, currency: 'usd', available: 10_000_000 });
});
afterAll(async () => {
  await api.close();
  await market.dispose();
});

const post = (path: string, json?: object) =>
  api.send(`/api/v1/${path}`, {
    method: 'POST',
    token: TOKENS.service,
    ...(json && { json }),
    headers: { 'Idempotency-Key': unique('key') },
  });

interface Sold {
  readonly order: OrderId;
  readonly id: TransferId;
  readonly seller: string;
}
async function sold(seller: string, release: unknown): Promise<Sold> {
  await market.sleep(1_000);
  const made = await post('orders', {
    currency: 'usd',
    items: [{ seller_account: seller, amount: 600, description: 'goods', release }],
  });
  expect(made.status).toBe(201);
  const order = made.body.id as OrderId;
  await market.world.pay(order);
  const [transfer] = (await market.order({ id: order })).transfers as [SellerTransfer];
  return { order, id: transfer.id, seller };
}
const day = async (count = 1) => {
  for (let nth = 0; nth < count; nth += 1) await market.sleep(DAY_MS);
};
async function until(moment: number): Promise<void> {
  for (;;) {
    const left = moment - market.test.clock.nowMs();
    if (left <= 0) return;
    await market.sleep(Math.min(left, DAY_MS));
  }
}
const posts = ({ seller }: Sold) => market.transferPosts(seller).length;
/** On whose code the run of a share is. */
const codeOf = async ({ id }: Sold) => (await market.untilIn('waiting', 'transfer', id)).detail.match(/\[(.*)\]$/)?.[1];

async function disputed({ order }: Sold): Promise<string> {
  const opened = await market.hyperswitch.openDispute({ payment_id: hyperswitchPaymentId(order), inquiry: true });
  if (!('dispute' in opened)) throw new Error('no dispute was opened');
  await market.until('it is known', async () => (await market.order({ id: order })).disputes.length === 1);
  return opened.dispute.id;
}

it('each share is sent once, at its date or word and never before, over a quarter with a restart, a new build, disputes and refunds', async () => {
  const plain = await sold('acct_1Plain', { after: '90d' });
  const won = await sold('acct_1Won', { after: '90d' });
  const open = await sold('acct_1Open', { after: '90d' });
  const refunded = await sold('acct_1Refunded', { after: '90d' });
  const asked = await sold('acct_1Asked', 'on_request');
  const forgotten = await sold('acct_1Forgotten', 'on_request');
  const all = [plain, won, open, refunded, asked, forgotten];
  const dates = await Promise.all(
    [plain, won, open, refunded].map(async ({ id }) => (await market.transfer(id)).release.at),
  );
  const sent = () => all.filter((one) => posts(one) > 0).map(({ seller }) => seller);
  expect(await codeOf(plain)).toBe('first build');

  // Within the first month: a dispute that is over before the date.
  await day(10);
  const inquiry = await disputed(won);
  await day(10);
  await market.hyperswitch.changeDispute(inquiry, { move: 'close_inquiry' });
  await market.restart();
  await day(9);
  expect((await market.transfer(forgotten.id)).attention).toBeNull();
  expect(sent()).toEqual([]);

  // On the thirtieth day nobody has released what waits for somebody.
  await day(1);
  await market.sleep(MINUTE_MS);
  for (const one of [asked, forgotten]) {
    await market.untilIn('needs_attention', 'transfer', one.id);
    expect((await market.transfer(one.id)).attention).toMatchObject({ reason: 'release_overdue' });
  }

  // The second month: another build, which goes on with the runs of the first.
  await market.rebuilt(build('second build'));
  await day(2);
  expect(await codeOf(plain)).toBe('second build');
  expect((await post(`transfers/${asked.id}/release`)).status).toBe(200);
  await market.untilTransfer('completed', asked.id);
  expect(sent()).toEqual(['acct_1Asked']);

  // The third: a refund and a dispute that are open across the date.
  const date = Math.min(...dates.map((at) => Date.parse(at!)));
  await until(date - 2 * HOUR_MS);
  market.hyperswitch.setAuto({ pay: AT_ONCE.pay });
  const refund = await market.refund({ id: refunded.order }, 150n);
  const late = await disputed(open);
  await until(date - 5 * MINUTE_MS);
  expect(sent()).toEqual(['acct_1Asked']);

  await market.sleep(10 * MINUTE_MS);
  await market.untilTransfer('completed', plain.id, won.id);
  expect(sent()).toEqual(['acct_1Plain', 'acct_1Won', 'acct_1Asked']);
  for (const [one, at] of [
    [plain, dates[0]],
    [won, dates[1]],
  ] as const) {
    const [call] = market.transferPosts(one.seller);
    expect(call!.at - Date.parse(at!)).toBeGreaterThanOrEqual(0);
    expect(call!.at - Date.parse(at!)).toBeLessThan(5 * MINUTE_MS);
  }

  // Later they end, and what waited for them goes at once; the refund makes its share smaller.
  await market.rebuilt(build('third build'));
  await market.sleep(2 * HOUR_MS);
  expect(sent()).toEqual(['acct_1Plain', 'acct_1Won', 'acct_1Asked']);
  const { hyperswitchRefundId } = (await market.test.ledger.findRefund(refund))!;
  await market.hyperswitch.moveRefund(hyperswitchRefundId!, { to: 'succeeded' });
  await market.hyperswitch.changeDispute(late, { move: 'close_inquiry' });
  await market.untilTransfer('completed', refunded.id, open.id);
  expect(await market.transfer(refunded.id)).toMatchObject({ amount: 450n, amountReversed: 0n });
  expect(await market.transfer(forgotten.id)).toMatchObject({
    status: 'held',
    attention: { reason: 'release_overdue' },
  });
  await day(1);
  expect(all.map(posts)).toEqual([1, 1, 1, 1, 1, 0]);
  expect(market.stripe.ledger().transfers).toHaveLength(5);
}, 600_000);
