import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TransferId } from '../../../src/domain/ids.js';
import { resolveSignal } from '../../../workflows/messages.js';
import type { TestApi } from '../../support/api.js';
import { HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { serveMarketplace } from '../../support/marketplace/http.js';
import { type MarketplaceTest, openMarketplaceTest } from '../../support/marketplace/time-skipping.js';

/** Our own balance at Stripe is too low: nobody is blamed, nothing is counted, and what fits goes as soon as it fits. */

let market: MarketplaceTest;
let api: TestApi;
let shops = 0;
let seller: string;

beforeAll(async () => {
  // Not one failure is allowed, so that a wait that counted as one would end with a person.
  market = await openMarketplaceTest({ settings: { TRANSFER_RETRY_MAX: '0' } });
  api = await serveMarketplace(market);
});
afterAll(async () => {
  await api.close();
  await market.dispose();
});
beforeEach(async () => {
  shops += 1;
  seller = `acct_1Shop${shops}`;
  await balance(0);
});
afterEach(async () => {
  market.stripe.setWebhookFaults([]);
  market.stripe.setFaults([]);
  await balance(1_000_000);
  await market.sleep(2 * HOUR_MS);
  await market.until('nobody waits any more', async () => {
    const gates = await market.test.database.query('SELECT 1 FROM platform_gates');
    return gates.length === 0;
  });
});

const balance = (available: number) =>
  market.stripe.setBalance({ account: market.stripe.platformAccount, currency: 'usd', available });
/** Sellers of these amounts, one order each, in this order; each waits before the next is paid. */
async function waiting(...amounts: bigint[]): Promise<TransferId[]> {
  const ids: TransferId[] = [];
  for (const [nth, amount] of amounts.entries()) {
    const { transfers } = await market.pay({ [accountOf(nth)]: amount });
    const { id } = transfers[0]!;
    await market.untilTransfer('waiting_platform_balance', id);
    ids.push(id);
  }
  return ids;
}
const accountOf = (nth: number): string => `${seller}x${nth}`;
const posts = (count: number): number[] =>
  Array.from({ length: count }, (_, nth) => market.transferPosts(accountOf(nth)).length);
const statuses = (ids: readonly TransferId[]) => Promise.all(ids.map(async (id) => (await market.transfer(id)).status));

describe('while the balance is too low', () => {
  it('only the first is refused, the others are not even sent, and no retry is used up', async () => {
    const ids = await waiting(1_000n, 300n, 200n);
    await market.sleep(10 * HOUR_MS);
    expect(posts(3)).toEqual([1, 0, 0]);
    for (const id of ids)
      expect(await market.transfer(id)).toMatchObject({
        status: 'waiting_platform_balance',
        retryCount: 0,
        attention: null,
      });
  });

  it('says since when, and what is missing', async () => {
    await balance(120);
    const [id] = await waiting(1_000n);
    await market.until('the balance was read', async () => (await market.transfer(id!)).waiting?.missing === 880n);
    expect(await market.transfer(id!)).toMatchObject({
      waiting: { for: 'platform_balance', since: expect.any(String), missing: 880n },
    });
  });

  it('does not hold up other currencies', async () => {
    await waiting(1_000n);
    const euros = await market.world.order({ [`${seller}eur`]: 500n }, 'EUR');
    await market.stripe.setBalance({ account: market.stripe.platformAccount, currency: 'eur', available: 500 });
    await market.world.pay(euros.id);
    await market.until('euros are sent', async () => {
      const [transfer] = (await market.order(euros)).transfers;
      return transfer?.status === 'completed';
    });
    expect(market.transferPosts(`${seller}eur`)).toHaveLength(1);
  });
});

describe('when money comes', () => {
  it('what fits goes, the oldest that fits first, each sent once under a key of its own', async () => {
    const ids = await waiting(1_000n, 300n, 300n, 500n);
    const nowMs = market.test.clock.nowMs();
    await balance(700);
    await market.untilTransfer('completed', ids[1]!, ids[2]!);
    expect(market.test.clock.nowMs() - nowMs).toBeLessThan(MINUTE_MS);
    expect(await statuses(ids)).toEqual([
      'waiting_platform_balance',
      'completed',
      'completed',
      'waiting_platform_balance',
    ]);
    expect(posts(4)).toEqual([1, 1, 1, 0]);

    await balance(1_500);
    await market.untilTransfer('completed', ...ids);
    expect(posts(4)).toEqual([2, 1, 1, 1]);
    const keys = market.transferPosts(accountOf(0)).map(({ idempotencyKey }) => idempotencyKey);
    expect(keys).toEqual([ids[0], `${ids[0]}:g2`]);
  });

  it('the hourly read finds it also when nobody told of it', async () => {
    const ids = await waiting(400n, 100n);
    await market.sleep(MINUTE_MS);
    market.stripe.setWebhookFaults([{ kinds: ['lost'] }]);
    await balance(500);
    await market.sleep(HOUR_MS + MINUTE_MS);
    await market.untilTransfer('completed', ...ids);
    expect(posts(2)).toEqual([2, 1]);
  });
});

describe('somebody', () => {
  it('who tries it again has the balance read at once', async () => {
    const [id] = await waiting(400n);
    await market.sleep(MINUTE_MS);
    market.stripe.setWebhookFaults([{ kinds: ['lost'] }]);
    await balance(400);
    await market
      .handle('transfer', id!)
      .signal(resolveSignal, { action: 'retry', by: 'ann', note: 'the platform has paid in' });
    await market.untilTransfer('completed', id!);
    expect(posts(1)).toEqual([2]);
  });

  it('who is refunded meanwhile leaves nothing to be sent, and the next one has its turn', async () => {
    const { transfers, id: order } = await market.pay({ [accountOf(0)]: 900n });
    await market.untilTransfer('waiting_platform_balance', transfers[0]!.id);
    const [other] = (await market.pay({ [accountOf(1)]: 800n })).transfers;
    await market.untilTransfer('waiting_platform_balance', other!.id);
    await market.refund({ id: order });
    await market.untilTransfer('cancelled', transfers[0]!.id);
    market.stripe.setWebhookFaults([{ kinds: ['lost'] }]);
    await balance(800);
    await market.sleep(HOUR_MS + MINUTE_MS);
    await market.untilTransfer('completed', other!.id);
    expect(market.transferPosts(accountOf(0))).toHaveLength(1);
  });
});
