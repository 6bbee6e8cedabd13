import { paymentKey } from '../../domain/calls/idempotency-keys.js';
import type { StripeDispute, StripePayment, StripeRefund } from '../../domain/calls/provider-answers.js';
import type { Clock } from '../../domain/clock.js';
import { newDisputeId, newPaymentId, type OrderId, type PaymentId } from '../../domain/ids.js';
import type { DisputeRules } from '../../domain/marketplace/disputes.js';
import type { FeePolicy } from '../../domain/marketplace/lines.js';
import type { Payment } from '../../domain/marketplace/marketplace.js';
import type { Database } from '../database.js';
import { followRecord, seeDispute } from '../money-that-leaves/dispute-readings.js';
import { noteRefunds } from '../money-that-leaves/stripe-refunds.js';
import { mustMove, type Query, recordEvent } from '../transition.js';
import { bookPlatform } from './follow-lines.js';
import { PAYMENT_COLUMNS, type PaymentRow, toPayment } from './marketplace-rows.js';
import type { MarketplaceItem } from './marketplace-types.js';
import { orderPaid } from './order-status.js';

/** What was read at Stripe of a payment that another checkout took: it, and all that went back of it since. */
export interface ExternalPayment {
  readonly orderId: OrderId;
  readonly payment: StripePayment;
  readonly refunds: readonly StripeRefund[];
  readonly disputes: readonly StripeDispute[];
  /** Who said that it pays the order. */
  readonly by: string;
}

export type ExternalPaymentOutcome =
  | { readonly kind: 'taken' | 'already'; readonly payment: Payment; readonly started: readonly MarketplaceItem[] }
  | { readonly kind: 'order_not_found' }
  /** The order has another payment. */
  | { readonly kind: 'has_payment'; readonly paymentId: PaymentId }
  /** It pays another order. */
  | { readonly kind: 'pays_other'; readonly orderId: OrderId }
  /** It is not what the order comes to. */
  | { readonly kind: 'differs'; readonly amount: bigint; readonly currency: string };

export interface ExternalPaymentParts {
  readonly clock: Clock;
  readonly refundFee: FeePolicy;
  readonly disputeRules: DisputeRules;
}

/** Payments that a team's own checkout took at this Stripe account. */
export function createExternalPayments(database: Database, parts: ExternalPaymentParts) {
  return {
    /** The order whose payment Stripe calls so; undefined: none of ours. */
    async orderPaidBy(name: string): Promise<OrderId | undefined> {
      const [row] = await database.query<{ order_id: OrderId }>(
        `SELECT order_id FROM payments WHERE connector = 'stripe' AND connector_transaction_id = $1`,
        [name],
      );
      return row?.order_id;
    },

    /**
     * It pays the order. What went back of it before is taken of the sellers' shares in the same transaction, so that nothing is sent
     * of what the buyer has again. The same once more changes nothing.
     */
    takeExternalPayment: (external: ExternalPayment): Promise<ExternalPaymentOutcome> =>
      database.transaction(async (query) => {
        const { orderId, payment, refunds, disputes, by } = external;
        const [order] = await query<{ amount: string; currency: string }>(
          'SELECT amount, currency FROM orders WHERE id = $1 FOR UPDATE',
          [orderId],
        );
        if (!order) return { kind: 'order_not_found' };
        const earlier = await earlierOf(query, external);
        if (earlier) return earlier;
        if (payment.captured !== BigInt(order.amount) || payment.currency !== order.currency)
          return { kind: 'differs', amount: BigInt(order.amount), currency: order.currency };
        const id = await insert(query, parts.clock, { orderId, payment, by });
        await mustMove(query, 'payments', { id, from: 'pending', to: 'succeeded', set: 'next_check_at = NULL' });
        await recordEvent(query, { kind: 'payment', id, what: 'succeeded', certainty: 'done' });
        const started = [
          ...(await orderPaid(query, parts.clock, orderId)),
          ...(await noteRefunds({ query, ...parts }, { order: orderId, payment: id, runner: null }, refunds)),
          ...(await noteDisputes(query, parts, id, disputes)),
        ];
        return { kind: 'taken', payment: await paymentOf(query, id), started };
      }),
  };
}

/** What stands in the way of it, or stands for it already. */
async function earlierOf(
  query: Query,
  { orderId, payment: { name } }: ExternalPayment,
): Promise<ExternalPaymentOutcome | undefined> {
  // Two orders may be told of one payment at once: by its name, because it may not be there yet.
  await query(`SELECT pg_advisory_xact_lock(hashtextextended('stripe payment ' || $1, 0))`, [name]);
  const rows = await query<{ id: PaymentId; order_id: OrderId; provider: string; called: string | null }>(
    `SELECT id, order_id, provider, connector_transaction_id AS called FROM payments
     WHERE order_id = $1 OR (connector = 'stripe' AND connector_transaction_id = $2)`,
    [orderId, name],
  );
  const own = rows.find((row) => row.order_id === orderId);
  if (own?.provider === 'stripe' && own.called === name)
    return { kind: 'already', payment: await paymentOf(query, own.id), started: [] };
  if (own) return { kind: 'has_payment', paymentId: own.id };
  const [other] = rows;
  return other && { kind: 'pays_other', orderId: other.order_id };
}

async function insert(
  query: Query,
  clock: Clock,
  { orderId, payment, by }: Pick<ExternalPayment, 'orderId' | 'payment' | 'by'>,
): Promise<PaymentId> {
  const id = newPaymentId(clock.nowMs());
  const { name, captured, currency, status } = payment;
  await query(
    `INSERT INTO payments (id, order_id, amount, currency, provider, connector, connector_transaction_id, certainty, idempotency_key,
       provider_status, provider_final, read_at, last_answer, next_check_at, workflow_id)
     VALUES ($1, $2, $3, $4, 'stripe', 'stripe', $5, 'done', $6, $7, true, clock_now(), 'read', clock_now(), 'payment/' || $1::uuid)`,
    [id, orderId, captured.toString(), currency, name, paymentKey(orderId), status],
  );
  // By an update, which is what has it looked at for money that goes back.
  await query('UPDATE payments SET captured = amount WHERE id = $1', [id]);
  await bookPlatform(query, orderId);
  const detail = { amount: captured.toString(), currency, stripe: name, by };
  await recordEvent(query, { kind: 'payment', id, what: 'taken_from_stripe', certainty: 'done', detail });
  return id;
}

async function noteDisputes(
  query: Query,
  { clock, disputeRules }: ExternalPaymentParts,
  payment: PaymentId,
  disputes: readonly StripeDispute[],
): Promise<MarketplaceItem[]> {
  const started: MarketplaceItem[] = [];
  for (const held of disputes) {
    if (held.amount === 0n) continue;
    const seen = await seeDispute(query, payment, newDisputeId(clock.nowMs()), held);
    started.push(...seen.started, ...((await followRecord(query, disputeRules, { id: seen.disputeId, held })) ?? []));
  }
  return started;
}

async function paymentOf(query: Query, id: PaymentId): Promise<Payment> {
  const [row] = await query<PaymentRow>(`SELECT ${PAYMENT_COLUMNS} FROM payments WHERE id = $1`, [id]);
  if (!row) throw new Error(`payment ${id} is not in the ledger`);
  return toPayment(row);
}
