import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ReversalId } from '../../../src/domain/ids.js';
import type { Order } from '../../../src/domain/marketplace/marketplace.js';
import { rereadSignal } from '../../../workflows/messages.js';
import type { TestApi } from '../../support/api.js';
import { HOUR_MS } from '../../support/durations.js';
import { forceColumns } from '../../support/marketplace/fixtures.js';
import { serveMarketplace } from '../../support/marketplace/http.js';
import { type MarketplaceTest, openMarketplaceTest, reversalOf } from '../../support/marketplace/time-skipping.js';
import { AT_ONCE } from '../../support/stand-ins.js';

/** Which reversals are sent at all, when, and in what order. */

const SWITCHED_OFF = { REVERSAL_WORKER_ENABLED: 'false' };
let market: MarketplaceTest;
let api: TestApi;
let sellers = 0;

beforeAll(async () => {
  market = await openMarketplaceTest();
  api = await serveMarketplace(market);
});
afterAll(async () => {
  await api.close();
  await market.dispose();
});
afterEach(() => {
  market.stripe.setFaults([]);
  market.hyperswitch.setAuto(AT_ONCE);
});

async function soldByOne(amount = 1_000n) {
  sellers += 1;
  const order = await market.sold({ [`acct_1Due${sellers}`]: amount });
  const [transfer] = order.transfers;
  if (!transfer) throw new Error('the seller was not paid');
  return { order, transfer };
}
const calls = (order: Pick<Order, 'transfers'>) =>
  order.transfers.flatMap((transfer) => market.reversalPosts(transfer).map(({ status }) => status));
const inAnHour = () => new Date(market.test.clock.nowMs() + HOUR_MS);
const change = (id: ReversalId, columns: Readonly<Record<string, unknown>>) =>
  forceColumns(market.test.database, 'reversals', id, columns);

describe('while reversals are switched off', () => {
  beforeAll(() => market.restart({ settings: SWITCHED_OFF }));

  it('a webhook finishes the buyer and leaves reversal_pending with next_retry_at set; switched on, the sweep goes on', async () => {
    await api.close();
    api = await serveMarketplace(market);
    const { order, transfer } = await soldByOne();
    market.hyperswitch.setAuto({ ...AT_ONCE, refund: undefined });
    const refund = await market.refund(order);
    const { hyperswitchRefundId } = (await market.test.ledger.findRefund(refund)) ?? {};
    expect(await market.test.ledger.findRefund(refund)).toMatchObject({ status: 'pending' });
    expect((await market.transfer(transfer.id)).status).toBe('completed');

    await market.hyperswitch.moveRefund(hyperswitchRefundId ?? '', { to: 'succeeded' });
    await market.until('the buyer has it', async () => (await market.order(order)).status === 'refunded');
    const id = reversalOf(refund, order);
    const nowMs = market.test.clock.nowMs();
    const pending = await market.transfer(transfer.id);
    expect(pending.status).toBe('reversal_pending');
    expect(Date.parse(pending.nextRetryAt ?? '')).toBeLessThanOrEqual(nowMs);
    expect(await market.reversal(id)).toMatchObject({ status: 'pending', nextRetryAt: pending.nextRetryAt });

    await market.world.sweep();
    await market.sleep(HOUR_MS);
    await market.world.sweep();
    expect(calls(order)).toEqual([]);

    await market.restart({});
    await market.world.sweep();
    await market.untilReversal('reversed', id);
    expect(calls(order)).toEqual([200]);
  });

  it('nothing that is not reversal_pending and due is sent when they are switched on', async () => {
    await market.restart({ settings: SWITCHED_OFF });
    const sold = await Promise.all(Array.from({ length: 6 }, () => soldByOne()));
    const [due, later, waiting, asked, givenUp, unrefunded] = sold.map(({ order }) => order) as [Order, ...Order[]];
    const ids: ReversalId[] = [];
    for (const order of [due, later, waiting, asked, givenUp] as Order[])
      ids.push(reversalOf(await market.refund(order), order));
    const [dueId, laterId, waitingId, askedId, givenUpId] = ids as [ReversalId, ...ReversalId[]];
    // Found by the sweep at once, but its date is in an hour.
    await change(laterId as ReversalId, { next_retry_at: inAnHour() });
    await change(waitingId as ReversalId, {
      status: 'waiting_balance',
      certainty: 'absent',
      waiting_since: new Date(),
      next_retry_at: null,
      next_check_at: inAnHour(),
    });
    await change(askedId as ReversalId, {
      status: 'permanently_failed',
      attention_reason: 'retries_exhausted',
      attention_since: new Date(),
      attention_detail: 'every attempt failed',
      next_retry_at: null,
      next_check_at: null,
    });
    await change(givenUpId as ReversalId, { status: 'written_off', next_retry_at: null, next_check_at: null });

    await market.restart({});
    await market.world.sweep();
    await market.untilReversal('reversed', dueId);
    await market.untilIn('waiting_to_retry', 'reversal', laterId as ReversalId);
    await market.world.sweep();
    expect(sold.map(({ order }) => calls(order))).toEqual([[200], [], [], [], [], []]);
    expect((await market.order(unrefunded as Order)).transfers[0]?.status).toBe('completed');
  });
});

describe('a date in the future', () => {
  it('is kept, whoever sweeps and nudges; on that date it is sent, once', async () => {
    await market.restart({ settings: SWITCHED_OFF });
    const { order } = await soldByOne();
    const id = reversalOf(await market.refund(order), order);
    const date = inAnHour();
    await change(id, { next_retry_at: date });
    await market.restart({});
    for (let minutes = 0; minutes < 55; minutes += 11) {
      await change(id, { next_check_at: new Date(0) });
      await market.world.sweep();
      await market.untilIn('waiting_to_retry', 'reversal', id);
      await market.handle('reversal', id).signal(rereadSignal);
      await market.sleep(11 * 60_000);
    }
    expect(calls(order)).toEqual([]);
    await market.untilReversal('reversed', id);
    const [transfer] = order.transfers;
    const posts = market.reversalPosts(transfer ?? { stripeTransferId: null });
    expect(posts).toHaveLength(1);
    expect(posts[0]?.at).toBeGreaterThanOrEqual(date.getTime());
  });
});

describe('two refunds of one transfer', () => {
  it('are taken back one at a time, first in first out: the second waits while the first is tried again', async () => {
    const { order, transfer } = await soldByOne();
    market.stripe.setFaults([{ kinds: ['unavailable'], times: 2 }]);
    const first = reversalOf(await market.refund(order, 300n), order);
    await market.until('it failed once', async () => (await market.reversal(first)).retryCount === 1);
    const second = reversalOf(await market.refund(order, 300n), order);
    await market.untilReversal('reversed', first, second);
    const keys = market.reversalPosts(transfer).map(({ idempotencyKey }) => idempotencyKey);
    expect(keys).toEqual([first, first, first, second]);
    expect(
      market.stripe.ledger().reversals.filter(({ transfer: of }) => of === transfer.stripeTransferId),
    ).toHaveLength(2);
  });

  it('do not hold each other up once the first one needs a person', async () => {
    const { order, transfer } = await soldByOne();
    market.stripe.setFaults([{ kinds: ['refused'], times: 1 }]);
    const first = reversalOf(await market.refund(order, 300n), order);
    await market.untilReversal('permanently_failed', first);
    expect((await market.reversal(first)).attention).toMatchObject({ reason: 'provider_config' });
    const second = reversalOf(await market.refund(order, 700n), order);
    await market.untilReversal('reversed', second);
    expect(await market.transfer(transfer.id)).toMatchObject({ status: 'permanently_failed', amountReversed: 700n });
  });
});
