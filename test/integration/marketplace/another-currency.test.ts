import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Order } from '../../../src/domain/marketplace/marketplace.js';
import { type MarketplaceTest, openMarketplaceTest } from '../../support/marketplace/time-skipping.js';
import { sweepThrough } from '../../support/sweeps.js';

/** Orders are in dollars, and the platform holds euros alone: what buyers pay becomes 0.92 of it. */

let market: MarketplaceTest;
let sellers = 0;
let seller: string;

beforeAll(async () => {
  market = await openMarketplaceTest({ linked: true });
  market.stripe.setSettlementDays(0);
  await settlesIn({ currency: 'eur', rate: 0.92 });
});
afterAll(async () => {
  await market.dispose();
});
beforeEach(() => {
  sellers += 1;
  seller = `acct_1Converted${sellers}`;
});

const settlesIn = (given: { currency: string; rate: number } | null) =>
  market.stripe.setAccount(market.stripe.platformAccount, { settlesIn: given });
const atStripe = (account: string) =>
  market.stripe.ledger().transfers.filter(({ destination }) => destination === account);
const reversalsOf = async (order: Pick<Order, 'id'>) => (await market.order(order)).reversals;
async function refunded(order: Order, amount?: bigint) {
  const refund = await market.refund(order, amount);
  await market.until('its reversals are there', async () =>
    (await reversalsOf(order)).some(({ refundId }) => refundId === refund),
  );
  const ids = (await reversalsOf(order)).filter(({ refundId }) => refundId === refund).map(({ id }) => id);
  await market.untilReversal('reversed', ...ids);
  return refund;
}

describe('an order whose money is in a balance of another currency', () => {
  it('pays its sellers in that currency, at the rate of its charge, from the charge', async () => {
    const other = `${seller}b`;
    const order = await market.sold({ [seller]: 6_001n, [other]: 3_998n });
    // 9,999 USD became 9,199 EUR.
    expect(atStripe(seller)).toMatchObject([
      { amount: 5_520, currency: 'eur', source_transaction: expect.any(String) },
    ]);
    expect(atStripe(other)).toMatchObject([{ amount: 3_678, currency: 'eur' }]);
    expect(order.transfers.map(({ amount, currency }) => `${amount} ${currency}`).sort()).toEqual([
      '3998 USD',
      '6001 USD',
    ]);
    expect(order.transfers.find(({ sellerAccount }) => sellerAccount === seller)?.conversion).toEqual({
      currency: 'EUR',
      amount: 5_520n,
      exchangeRate: '0.92',
    });
  });

  it('takes exactly what was sent back, whole and in parts', async () => {
    const whole = await market.sold({ [seller]: 1_001n });
    const parts = await market.sold({ [`${seller}b`]: 1_001n });
    await refunded(whole);
    for (const amount of [333n, 333n, undefined]) await refunded(parts, amount);
    for (const account of [seller, `${seller}b`])
      expect(atStripe(account)).toMatchObject([{ amount: 921, amount_reversed: 921, currency: 'eur' }]);
    const taken = (await reversalsOf(parts)).map(({ conversion }) => conversion);
    expect(taken.map((each) => each?.currency)).toEqual(['EUR', 'EUR', 'EUR']);
    expect(taken.reduce((sum, each) => sum + (each?.amount ?? 0n), 0n)).toBe(921n);
    expect((await market.order(parts)).transfers[0]).toMatchObject({ status: 'reversed', amountReversed: 1_001n });
  });

  it('whose answer was lost is found in that currency, and nothing moves twice', async () => {
    market.stripe.setFaults([
      { kinds: ['reset_after_commit'], on: ['transfers.create', 'reversals.create'], sellers: [seller], times: 2 },
    ]);
    const order = await market.sold({ [seller]: 700n });
    await refunded(order, 300n);
    market.stripe.setFaults([]);
    expect(atStripe(seller)).toMatchObject([{ amount: 644, amount_reversed: 276 }]);
  });

  it('is in another currency once more in the balance of a seller: what a reversal was there is read and shown, and compared with nothing', async () => {
    const pounds = (rate: number) => market.stripe.setAccount(seller, { settlesIn: { currency: 'gbp', rate } });
    await pounds(0.85);
    const order = await market.sold({ [seller]: 1_000n });
    await pounds(0.9);
    await market.stripe.setBalance({ account: seller, currency: 'gbp', available: 10_000 });
    await refunded(order, 500n);
    const [before] = await reversalsOf(order);
    expect(before).toMatchObject({ amount: 500n, conversion: { currency: 'EUR', amount: 460n }, seller: null });
    await sweepThrough(market.client, market.world.taskQueue, ['seller-side']);
    // Of 920 EUR he had 782 GBP; of 460 EUR 414 were taken, where this part had brought him 391.
    expect((await reversalsOf(order))[0]).toMatchObject({ seller: { currency: 'GBP', got: 391n, gave: 414n } });
  });

  it('says nothing of a seller whose balance has the currency of his transfer', async () => {
    const order = await market.sold({ [seller]: 1_000n });
    await refunded(order);
    await sweepThrough(market.client, market.world.taskQueue, ['seller-side']);
    expect((await reversalsOf(order))[0]).toMatchObject({ seller: null });
    const unread = await market.test.database.query('SELECT 1 FROM reversals WHERE seller_read_next_at IS NOT NULL');
    expect(unread).toEqual([]);
  });

  it('asks a person where a share is worth nothing there, and sends nothing', async () => {
    await settlesIn({ currency: 'eur', rate: 0.0006 });
    const order = await market.pay({ [seller]: 100n, [`${seller}b`]: 9_900n });
    await settlesIn({ currency: 'eur', rate: 0.92 });
    const small = order.transfers.find(({ sellerAccount }) => sellerAccount === seller)!;
    await market.untilIn('needs_attention', 'transfer', small.id);
    expect(await market.transfer(small.id)).toMatchObject({
      attention: { reason: 'conflict', detail: expect.stringContaining('less than the smallest amount of EUR') },
    });
    expect(atStripe(seller)).toEqual([]);
  });
});
