import type { HyperswitchSandbox } from '../../../sandbox/hyperswitch/start.js';
import type { Seed } from '../../../sandbox/stripe/control/seed.js';
import type { OrderId } from '../../../src/domain/ids.js';
import { createHyperswitch } from '../../../src/providers/hyperswitch/client.js';
import { hyperswitchPaymentId, hyperswitchRefundId } from '../../../src/providers/hyperswitch/ids.js';
import type { TestLedger } from '../ledger-fixtures.js';
import { type OrderPut, putOrder, withoutTriggers } from './fixtures.js';

/** An order of one seller that was paid and sent, in all three ledgers. */
export interface SentOrder {
  readonly id: OrderId;
  readonly seller: string;
  readonly stripeTransferId: string;
  /** Of those that were refunded already; undefined otherwise. */
  readonly reversalId: string | undefined;
}

export interface SentOrdersWorld {
  readonly test: TestLedger;
  readonly stripe: { seed(seed: Seed): Promise<unknown> };
  readonly hyperswitch: Pick<HyperswitchSandbox, 'url' | 'apiKey'>;
}

const AT_ONCE = 8;
const TRANSFER_FROM = 2_000;
const NOT_YET = new Date('2100-01-01T00:00:00Z');

/**
 * Hundreds of orders in seconds: what years of trade have left, without a workflow for any of it.
 * @param sellers one for each order
 * @param state `refunded`: each order's whole share is due back, and nobody has taken it up
 */
export async function sentOrders(
  { test, stripe, hyperswitch }: SentOrdersWorld,
  sellers: readonly string[],
  state: 'sent' | 'refunded' = 'sent',
): Promise<SentOrder[]> {
  const client = createHyperswitch({ baseUrl: hyperswitch.url, apiKey: hyperswitch.apiKey });
  const orders: SentOrder[] = [];
  const seeded: Seed['transfers'] = [];
  const one = async (seller: string, nth: number): Promise<void> => {
    const amount = BigInt(TRANSFER_FROM + nth);
    const [paymentKey, refundKey] = [crypto.randomUUID(), crypto.randomUUID()];
    const money = { amount, currency: 'USD' };
    await client.createPayment(paymentKey, { ...money, metadata: { order_id: paymentKey, payment_id: paymentKey } });
    if (state === 'refunded')
      await client.createRefund(refundKey, {
        ...money,
        hyperswitchPaymentId: hyperswitchPaymentId(paymentKey),
        reason: 'requested_by_customer',
        metadata: { order_id: paymentKey, refund_id: refundKey },
      });
    const refund = {
      columns: { hyperswitch_refund_id: hyperswitchRefundId(refundKey) },
      reversals: [{ transfer: 0, amount, status: 'pending' as const, columns: { next_check_at: NOT_YET } }],
    };
    const put = await putOrder(test, {
      payment: { columns: { hyperswitch_payment_id: hyperswitchPaymentId(paymentKey) } },
      transfers: [{ seller, amount }],
      refunds: state === 'refunded' ? [refund] : [],
    });
    orders[nth] = sentOrder(put, seller);
    seeded.push(atStripe(put, seller, amount));
  };
  const left = sellers.entries();
  const lane = async () => {
    for (const [nth, seller] of left) await one(seller, nth);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  await stripe.seed({ transfers: seeded });
  // Due only now that Stripe knows the transfers: a worker that is alive already would be told that there are none.
  await withoutTriggers(test.database, (query) =>
    query('UPDATE reversals SET next_check_at = clock_now() WHERE next_check_at = $1', [NOT_YET]),
  );
  return orders;
}

const sentOrder = ({ id, transfers, reversals }: OrderPut, seller: string): SentOrder => ({
  id,
  seller,
  stripeTransferId: transfers[0]?.stripeTransferId ?? '',
  reversalId: reversals[0]?.id,
});

const atStripe = (
  { id, transfers }: OrderPut,
  destination: string,
  amount: bigint,
): NonNullable<Seed['transfers']>[number] => ({
  id: transfers[0]?.stripeTransferId ?? undefined,
  destination,
  amount: Number(amount),
  transfer_group: id,
  metadata: { order_id: id, seller_transfer_id: transfers[0]?.id ?? '' },
});

/** `count` times the same. */
export const times = (count: number, seller: string): string[] => Array.from({ length: count }, () => seller);
