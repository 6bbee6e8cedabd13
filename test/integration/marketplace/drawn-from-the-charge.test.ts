import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Order } from '../../../src/domain/marketplace/marketplace.js';
import type { TestApi } from '../../support/api.js';
import { serveMarketplace } from '../../support/marketplace/http.js';
import { type MarketplaceTest, openMarketplaceTest } from '../../support/marketplace/time-skipping.js';

/** Buyers pay at this Stripe account: sellers are paid of their money while it is still pending. */

let market: MarketplaceTest;
let api: TestApi;
let sellers = 0;
let seller: string;

beforeAll(async () => {
  market = await openMarketplaceTest({ linked: true });
  api = await serveMarketplace(market);
  await balance(0);
});
afterAll(async () => {
  await api.close();
  await market.dispose();
});
beforeEach(() => {
  sellers += 1;
  seller = `acct_1Drawn${sellers}`;
});

const balance = (available: number) =>
  market.stripe.setBalance({ account: market.stripe.platformAccount, currency: 'usd', available });

const formsTo = (account: string) => market.transferPosts(account).map(({ form }) => new URLSearchParams(form));
const chargeOf = async (order: Pick<Order, 'id'>): Promise<unknown> => {
  const [payment] = await market.test.database.query<{ charge_id: string }>(
    'SELECT charge_id FROM payments WHERE order_id = $1',
    [order.id],
  );
  return payment?.charge_id;
};
const atStripe = (account: string) =>
  market.stripe.ledger().transfers.filter(({ destination }) => destination === account);
const sentOf = async (order: Order) =>
  await market.test.database.query<{ detail: Record<string, unknown> }>(
    `SELECT detail FROM operation_events WHERE item_kind = 'transfer' AND item_id = $1 AND kind = 'sent' ORDER BY seq`,
    [order.transfers[0]!.id],
  );

describe('a transfer', () => {
  it('names the charge of its order and no group, and succeeds while nothing is available', async () => {
    const other = `${seller}b`;
    const order = await market.sold({ [seller]: 600n, [other]: 400n });
    const charge = await chargeOf(order);
    expect(charge).toMatch(/^ch_/);
    for (const account of [seller, other]) {
      const [form] = formsTo(account);
      expect(form?.get('source_transaction')).toBe(charge);
      expect(form?.has('transfer_group')).toBe(false);
    }
    expect((await sentOf(order))[0]?.detail).not.toHaveProperty('no_source');
  });

  it('whose answer was lost is found although Stripe has named the group itself', async () => {
    market.stripe.setFaults([{ kinds: ['reset_after_commit'], on: ['transfers.create'], sellers: [seller], times: 1 }]);
    const order = await market.sold({ [seller]: 700n });
    const [transfer] = atStripe(seller);
    expect(atStripe(seller)).toHaveLength(1);
    expect(transfer).toMatchObject({ id: order.transfers[0]?.stripeTransferId });
    expect(transfer?.transfer_group).toMatch(/^group_/);
    expect(formsTo(seller)).toHaveLength(1);
  });

  it('that Stripe will not draw from the charge comes from the balance, under a new key', async () => {
    await balance(10_000);
    market.stripe.setFaults([{ kinds: ['refused'], on: ['transfers.create'], sellers: [seller], times: 1 }]);
    const order = await market.sold({ [seller]: 800n });
    await balance(0);
    const [first, second] = formsTo(seller);
    expect(first?.get('source_transaction')).toMatch(/^ch_/);
    expect(second?.has('source_transaction')).toBe(false);
    expect(second?.get('transfer_group')).toBe(order.id);
    expect((await sentOf(order))[1]?.detail).toMatchObject({
      generation: 2,
      no_source: 'Stripe did not let it be drawn from the charge',
    });
  });
});
