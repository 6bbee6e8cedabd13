import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReversalId } from '../../../src/domain/ids.js';
import type { Order } from '../../../src/domain/marketplace/marketplace.js';
import { resolveSignal, resolveUpdate } from '../../../workflows/messages.js';
import type { TestApi } from '../../support/api.js';
import { HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { serveMarketplace } from '../../support/marketplace/http.js';
import { type MarketplaceTest, openMarketplaceTest, reversalOf } from '../../support/marketplace/time-skipping.js';

/** A seller's balance is too low: nobody is blamed, nothing is counted, and the money is taken once it is there. */

let market: MarketplaceTest;
let api: TestApi;
let sellers = 0;

beforeAll(async () => {
  market = await openMarketplaceTest({
    // Not one failure is allowed, so that a wait that counted as one would end with a person.
    settings: { REVERSAL_MAX_RETRIES: '0', REVERSAL_BALANCE_HORIZON: '30h' },
  });
  api = await serveMarketplace(market);
});
afterAll(async () => {
  await api.close();
  await market.dispose();
});
let seller: string;
beforeEach(() => {
  sellers += 1;
  seller = `acct_1Poor${sellers}`;
});
// Whoever still waits is through, so that no later test carries its probes along.
afterEach(async () => {
  market.stripe.setWebhookFaults([]);
  await balance(1_000_000);
});

const balance = (available: number) => market.stripe.setBalance({ account: seller, currency: 'usd', available });

/** Orders of 10.00 each from this seller, refunded one after the other while the balance is too low. */
async function waiting(count: number): Promise<{ orders: Order[]; ids: ReversalId[] }> {
  const orders: Order[] = [];
  for (let nth = 0; nth < count; nth += 1) orders.push(await market.sold({ [seller]: 1_000n }));
  await balance(999);
  const ids: ReversalId[] = [];
  for (const order of orders) {
    const id = reversalOf(await market.refund(order), order);
    await market.until('it waits', async () => (await market.reversal(id)).status === 'waiting_balance');
    ids.push(id);
  }
  return { orders, ids };
}
const askedFor = (orders: readonly Order[]): number[] =>
  orders.map(({ transfers }) => transfers.flatMap((transfer) => market.reversalPosts(transfer)).length);
const statuses = (ids: readonly ReversalId[]) => Promise.all(ids.map(async (id) => (await market.reversal(id)).status));
const reversedInOrder = async (ids: readonly ReversalId[]) => {
  const rows = await market.test.database.query<{ id: ReversalId }>(
    'SELECT id FROM reversals WHERE id = ANY ($1) ORDER BY reversed_at',
    [ids],
  );
  return rows.map(({ id }) => id);
};

describe('while the balance is too low', () => {
  it('one reversal of the seller asks, the oldest, more and more seldom, and no retry is used up', async () => {
    const { orders, ids } = await waiting(4);
    expect(askedFor(orders)).toEqual([1, 0, 0, 0]);
    await market.sleep(10 * HOUR_MS);
    const [first = 0, ...others] = askedFor(orders);
    expect(others).toEqual([0, 0, 0]);
    // After 1, 2, 4, 8, 16, 32 minutes, then every hour.
    expect(first).toBeGreaterThan(10);
    expect(first).toBeLessThan(18);
    for (const id of ids)
      expect(await market.reversal(id)).toMatchObject({ status: 'waiting_balance', retryCount: 0, attention: null });
    for (const { transfers } of orders)
      expect(await market.transfer(transfers[0]!.id)).toMatchObject({ status: 'reversal_pending' });
  });

  it('other sellers, and other orders’ buyers, notice nothing', async () => {
    const { orders } = await waiting(1);
    const rich = await market.sold({ [`acct_1Rich${sellers}`]: 1_000n });
    await market.untilReversal('reversed', reversalOf(await market.refund(rich), rich));
    expect((await market.order(orders[0]!)).status).toBe('refunded');
  });

  it('a decision that nobody needed within a day is put on record and not lost with the run', async () => {
    const { ids } = await waiting(1);
    const handle = market.handle('reversal', ids[0]!);
    const { runId } = await handle.describe();
    await handle.signal(resolveSignal, { action: 'retry', by: 'ann', note: 'while it waits' });
    await market.sleep(12 * HOUR_MS);
    const decided = () => market.test.database.query('SELECT action, by, state FROM decisions WHERE item_id = $1', ids);
    expect(await decided()).toEqual([]);
    await market.sleep(13 * HOUR_MS);
    expect((await handle.describe()).runId).not.toBe(runId);
    expect(await decided()).toEqual([{ action: 'retry', by: 'ann', state: 'ignored' }]);
  });
});

describe('when Stripe tells of money', () => {
  it('the oldest asks at once and the others follow one by one, oldest first, as far as the money goes', async () => {
    const { orders, ids } = await waiting(4);
    const nowMs = market.test.clock.nowMs();
    await balance(2_500);
    await market.untilReversal('reversed', ...ids.slice(0, 2));
    expect(market.test.clock.nowMs() - nowMs).toBeLessThan(MINUTE_MS);
    await market.until('the third was asked for', () => Promise.resolve(askedFor(orders)[2] === 1));
    expect(await statuses(ids)).toEqual(['reversed', 'reversed', 'waiting_balance', 'waiting_balance']);

    await balance(5_000);
    await market.untilReversal('reversed', ...ids);
    expect(await reversedInOrder(ids)).toEqual(ids);
    expect(askedFor(orders)).toEqual([2, 1, 2, 1]);
    const gates = await market.test.database.query('SELECT * FROM seller_gates WHERE seller_account = $1', [seller]);
    expect(gates).toEqual([]);
  });

  it.each(['forged', 'stale'] as const)('a %s event wakes nobody', async (kind) => {
    const { orders, ids } = await waiting(1);
    market.stripe.setWebhookFaults([{ kinds: [kind] }]);
    await balance(2_000);
    await market.stripe.webhooksIdle();
    const told = market.stripe.events().findLast(({ event }) => 'account' in event && event.account === seller);
    expect(told?.deliveries.map(({ status }) => status)).toEqual([400]);
    await market.sleep(1_000);
    expect(askedFor(orders)).toEqual([1]);
    expect(await statuses(ids)).toEqual(['waiting_balance']);
  });

  it('the probe finds the money also when nobody told of it', async () => {
    const { orders, ids } = await waiting(2);
    market.stripe.setWebhookFaults([{ kinds: ['lost'] }]);
    await balance(2_000);
    await market.sleep(HOUR_MS);
    await market.untilReversal('reversed', ...ids);
    const reversed = market.stripe.ledger().reversals.map(({ transfer }) => transfer);
    for (const { transfers } of orders)
      expect(reversed.filter((id) => id === transfers[0]?.stripeTransferId)).toHaveLength(1);
  });
});

describe('past the horizon', () => {
  it('a person is asked for each in turn, and a retry goes on once the money is there', async () => {
    const { ids } = await waiting(2);
    await market.sleep(29 * HOUR_MS);
    expect(await statuses(ids)).toEqual(['waiting_balance', 'waiting_balance']);
    await market.sleep(2 * HOUR_MS);
    await market.untilReversal('permanently_failed', ids[0]!);
    // The schedule that a production has finds the next one.
    await market.world.sweep();
    await market.untilReversal('permanently_failed', ...ids);
    for (const id of ids)
      expect(await market.reversal(id)).toMatchObject({
        certainty: 'absent',
        attention: { reason: 'balance_horizon' },
      });
    await market.untilIn('needs_attention', 'reversal', ids[0]!);
    await balance(2_000);
    for (const id of ids) {
      const retry = { action: 'retry', by: 'ann', note: 'the seller has paid in' };
      const answer = await market.handle('reversal', id).executeUpdate(resolveUpdate, { args: [retry] });
      expect(answer).toMatchObject({ outcome: 'applied', status: 'pending' });
    }
    await market.untilReversal('reversed', ...ids);
  });
});
