import type { OrderId } from '../../../src/domain/ids.js';
import { type DisputeWorld, type DisputeWorldOptions, openDisputeWorld } from './dispute-world.js';

export const ADA = 'acct_1Ada';
export const BOB = 'acct_1Bob';

/** An order of 10.00 USD at two sellers, 600 and 400, and what became of it. */
export interface TwoSellers {
  readonly world: DisputeWorld;
  readonly order: OrderId;
  /** At Stripe, of Ada and of Bob. */
  readonly balances: () => Promise<readonly bigint[]>;
  readonly disputes: () => Promise<readonly string[]>;
  readonly reversed: () => Promise<readonly string[]>;
  readonly compensations: () => Promise<readonly string[]>;
  /** What the sellers keep of the order, and what the platform does. */
  readonly sharesOut: () => Promise<readonly bigint[]>;
  /** Every payment that is due to be looked at is, after so many hours. */
  readonly searched: (afterHours: number) => Promise<void>;
  /** What the payment is called at Stripe. */
  readonly atStripe: () => Promise<string>;
}

/** Paid, and not sent yet. */
export async function twoSellersPaid(rules?: DisputeWorldOptions): Promise<TwoSellers> {
  const world = await openDisputeWorld(rules);
  const order = await world.paid({ [ADA]: 600n, [BOB]: 400n });
  return {
    world,
    order,
    balances: async () => [await world.balanceOf(ADA), await world.balanceOf(BOB)],
    disputes: async () =>
      (await world.find(order)).disputes.map(({ status, funds, out }) => `${status} ${funds} ${out}`),
    reversed: async () => (await world.find(order)).reversals.map(({ amount, status }) => `${amount} ${status}`),
    compensations: async () =>
      (await world.find(order)).transfers
        .filter(({ origin }) => origin === 'compensation')
        .map(({ amount, status, sellerAccount }) => `${amount} ${status} ${sellerAccount}`)
        .toSorted(),
    async sharesOut() {
      const rows = await world.database.query<{ left: string }>(
        'SELECT promised - due_back AS left FROM order_shares WHERE order_id = $1 ORDER BY seller_account NULLS LAST',
        [order],
      );
      return rows.map(({ left }) => BigInt(left));
    },
    async searched(afterHours) {
      world.clock.advance(afterHours * 3_600_000);
      for (const payment of await world.ledger.duePaymentSearches(10)) await world.calls.searchPayment(payment);
      await world.settle();
    },
    async atStripe() {
      const payment = (await world.find(order)).payment;
      const at = payment && (await world.ledger.paymentToSearch(payment.id))?.connectorTransactionId;
      if (!at) throw new Error(`order ${order} was not paid at Stripe`);
      return at;
    },
  };
}

/** Paid, and both sellers have their shares. */
export async function twoSellersSold(rules?: DisputeWorldOptions): Promise<TwoSellers> {
  const sold = await twoSellersPaid(rules);
  await sold.world.settle();
  return sold;
}
