import { AT_ONCE } from '../stand-ins.js';
import type { BudgetWorld } from './budget-world.js';
import { withoutTriggers } from './fixtures.js';
import { sentOrders } from './sent-orders.js';

const ABLE = Array.from({ length: 10 }, (_, nth) => `acct_1Able${nth}`);
const UNABLE = Array.from({ length: 5 }, (_, nth) => `acct_1Unable${nth}`);
const PLATFORM = 'acct_1SandboxPlatform0000000';

/** Everything for which Stripe is called, so many of each. The world must have buyers pay at Stripe. */
export function backlogOfAllCalls(world: BudgetWorld, ofEach: number) {
  const { stripe, hyperswitch, test } = world;
  const each = (sellers: readonly string[]) =>
    Array.from({ length: ofEach }, (_, nth) => sellers[nth % sellers.length] ?? '');

  const setBalance = (available: number) =>
    stripe.control('balances', { account: PLATFORM, currency: 'eur', available });
  async function setTransfers(transfers: 'active' | 'inactive'): Promise<void> {
    for (const account of UNABLE) await stripe.control('accounts', { account, transfers });
  }

  /** Ordered and paid, one order for each. */
  async function sell(shop: string, sellers: readonly string[], currency: string, method = 'card'): Promise<void> {
    hyperswitch.setAuto({ ...AT_ONCE, pay: { ...AT_ONCE.pay, method } });
    for (const seller of sellers) {
      const items = [{ seller_account: seller, amount: 900, description: 'a lamp' }];
      await post(shop, 'payments', { order_id: (await post(shop, 'orders', { currency, items })).id });
    }
  }

  /** Orders of years, with what their payments are called at Stripe. @returns their payments at Hyperswitch */
  async function sentLongAgo(state: 'sent' | 'refunded'): Promise<readonly string[]> {
    const orders = await sentOrders(world, each(ABLE), state);
    const { payments } = hyperswitch.ledger();
    return await withoutTriggers(test.database, async (query) => {
      const rows = await query<{ at_hyperswitch: string }>(
        `UPDATE payments p SET connector = 'stripe', connector_transaction_id = known.there
         FROM unnest($1::text[], $2::text[]) AS known (id, there)
         WHERE p.hyperswitch_payment_id = known.id AND p.order_id = ANY ($3) RETURNING p.hyperswitch_payment_id AS at_hyperswitch`,
        [payments.map(({ id }) => id), payments.map(({ transactionId }) => transactionId), orders.map(({ id }) => id)],
      );
      return rows.map((row) => row.at_hyperswitch);
    });
  }

  return {
    /**
     * Refunds of what was sent; transfers that are drawn from the buyer's charge, that are not because he paid otherwise and there is
     * no balance, and to sellers who are not able. @returns the payments that are to be disputed
     */
    async arrive(shop: string): Promise<readonly string[]> {
      await setBalance(0);
      await setTransfers('inactive');
      await sentLongAgo('refunded');
      const disputed = await sentLongAgo('sent');
      await sell(shop, each(ABLE), 'usd');
      await sell(shop, each(ABLE), 'eur', 'sepa_debit');
      await sell(shop, each(UNABLE), 'usd');
      return disputed;
    },

    /** Both providers tell of them, and every payment is to be looked at. */
    async dispute(payments: readonly string[]): Promise<void> {
      for (const payment of payments) await hyperswitch.openDispute({ payment_id: payment });
      await withoutTriggers(test.database, (query) => query('UPDATE payments SET disputes_look_at = clock_now()'));
    },

    /** What was waited for is there, and Stripe tells. */
    async heal(): Promise<void> {
      await setBalance(100_000_000);
      await setTransfers('active');
    },
  };
}

async function post(shop: string, path: string, body: object): Promise<{ readonly id: string }> {
  const answer = await fetch(`${shop}/api/v1/${path}`, {
    method: 'POST',
    headers: {
      Authorization: 'Bearer shop-token-0123456789',
      'Content-Type': 'application/json',
      'Idempotency-Key': crypto.randomUUID(),
    },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as { readonly id: string };
}
