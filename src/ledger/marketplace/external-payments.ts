import { paymentKey } from '../../domain/calls/idempotency-keys.js';
import type { GroupTransfer, StripeDispute, StripePayment, StripeRefund } from '../../domain/calls/provider-answers.js';
import type { Clock } from '../../domain/clock.js';
import { newDisputeId, newPaymentId, type OrderId, type PaymentId } from '../../domain/ids.js';
import { namesOf } from '../../domain/marketplace/charge-source.js';
import type { DisputeRules } from '../../domain/marketplace/disputes.js';
import type { FeePolicy } from '../../domain/marketplace/lines.js';
import type { Payment } from '../../domain/marketplace/marketplace.js';
import type { Database } from '../database.js';
import { followRecord, seeDispute } from '../money-that-leaves/dispute-readings.js';
import { followHolds } from '../money-that-leaves/held-transfers.js';
import { lookSoon } from '../money-that-leaves/payment-searches.js';
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
    /** The order whose payment Stripe calls one of these; undefined: none of ours. */
    async orderPaidBy(names: readonly string[]): Promise<OrderId | undefined> {
      const [row] = await database.query<{ order_id: OrderId }>(
        `SELECT order_id FROM payments p WHERE ${isCalled('$1')}`,
        [names],
      );
      return row?.order_id;
    },

    /** Those that no row of this ledger stands for. */
    async notOurs(transfers: readonly GroupTransfer[]): Promise<readonly GroupTransfer[]> {
      const rows = await database.query<{ known: string }>(
        `SELECT t.stripe_id AS known FROM unnest($1::text[], $2::text[]) AS t (stripe_id, mark)
         WHERE EXISTS (SELECT 1 FROM seller_transfers WHERE stripe_transfer_id = t.stripe_id OR id::text = t.mark)`,
        [transfers.map(({ stripeTransferId }) => stripeTransferId), transfers.map(({ mark }) => mark)],
      );
      const ours = new Set(rows.map(({ known }) => known));
      return transfers.filter(({ stripeTransferId }) => !ours.has(stripeTransferId));
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
        const follow = async (id: PaymentId) => [
          ...(await noteRefunds({ query, ...parts }, { order: orderId, payment: id, runner: null }, refunds)),
          ...(await noteDisputes(query, parts, { order: orderId, payment: id }, disputes)),
        ];
        // What went back since may have been told of before anybody could know of this payment.
        if (earlier?.kind === 'already') return { ...earlier, started: await follow(earlier.payment.id) };
        if (earlier) return earlier;
        if (payment.captured !== BigInt(order.amount) || payment.currency !== order.currency)
          return { kind: 'differs', amount: BigInt(order.amount), currency: order.currency };
        const id = await insert(query, parts.clock, { orderId, payment, by });
        await mustMove(query, 'payments', { id, from: 'pending', to: 'succeeded', set: 'next_check_at = NULL' });
        await recordEvent(query, { kind: 'payment', id, what: 'succeeded', certainty: 'done' });
        const started = [...(await orderPaid(query, parts.clock, orderId)), ...(await follow(id))];
        return { kind: 'taken', payment: await paymentOf(query, id), started };
      }),
  };
}

/** Of `payments p`: whether Stripe calls it one of these (SQL). */
const isCalled = (names: string): string =>
  `(p.connector IS NULL OR p.connector = 'stripe') AND (p.connector_transaction_id = ANY (${names}) OR p.charge_id = ANY (${names}))`;

/** Whoever is told of one payment at Stripe waits for the others: by its name, because it may not be there yet. */
export async function lockName(query: Query, name: string): Promise<void> {
  await query(`SELECT pg_advisory_xact_lock(hashtextextended('stripe payment ' || $1, 0))`, [name]);
}

/** What stands in the way of it, or stands for it already. What went back of it for another order shows that it is of that one. */
async function earlierOf(
  query: Query,
  { orderId, payment, refunds, disputes }: ExternalPayment,
): Promise<ExternalPaymentOutcome | undefined> {
  const { name } = payment;
  await lockName(query, name);
  const rows = await query<{ id: PaymentId; order_id: OrderId; provider: string; called: string | null }>(
    `SELECT id, order_id, provider, connector_transaction_id AS called FROM payments p
     WHERE order_id = $1 OR (${isCalled('$2')})
       OR id IN (SELECT payment_id FROM refunds WHERE connector_refund_id = ANY ($3))
       OR id IN (SELECT payment_id FROM disputes WHERE psp_account = 'stripe' AND provider_dispute_id = ANY ($4))`,
    [
      orderId,
      namesOf(payment),
      refunds.map(({ stripeRefundId }) => stripeRefundId),
      disputes.map(({ stripeDisputeId }) => stripeDisputeId),
    ],
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
    `INSERT INTO payments (id, order_id, amount, currency, provider, taken_elsewhere, connector, connector_transaction_id, certainty, idempotency_key,
       provider_status, provider_final, read_at, last_answer, next_check_at, workflow_id)
     VALUES ($1, $2, $3, $4, 'stripe', true, 'stripe', $5, 'done', $6, $7, true, clock_now(), 'read', clock_now(), 'payment/' || $1::uuid)`,
    [id, orderId, captured.toString(), currency, name, paymentKey(orderId), status],
  );
  // By an update, which is what has it looked at for money that goes back; at once, because its events may have come and gone by now.
  await query('UPDATE payments SET captured = amount WHERE id = $1', [id]);
  await lookSoon(query, id);
  await bookPlatform(query, orderId);
  const detail = { amount: captured.toString(), currency, stripe: name, by };
  await recordEvent(query, { kind: 'payment', id, what: 'taken_from_stripe', certainty: 'done', detail });
  return id;
}

/** What is not read as where its funds are holds what is unsent, whatever the policy: a person says what follows. */
async function noteDisputes(
  query: Query,
  { clock, disputeRules }: ExternalPaymentParts,
  { order, payment }: { readonly order: OrderId; readonly payment: PaymentId },
  disputes: readonly StripeDispute[],
): Promise<MarketplaceItem[]> {
  const started: MarketplaceItem[] = [];
  for (const held of disputes) {
    if (held.amount === 0n) continue;
    const seen = await seeDispute(query, payment, newDisputeId(clock.nowMs()), held);
    started.push(...seen.started);
    if (!seen.made) continue;
    started.push(...((await followRecord(query, disputeRules, { id: seen.disputeId, held, after: null })) ?? []));
    await query('UPDATE disputes SET holds = true WHERE id = $1 AND attention_reason IS NOT NULL', [seen.disputeId]);
  }
  return [...started, ...(await followHolds(query, order))];
}

async function paymentOf(query: Query, id: PaymentId): Promise<Payment> {
  const [row] = await query<PaymentRow>(`SELECT ${PAYMENT_COLUMNS} FROM payments WHERE id = $1`, [id]);
  if (!row) throw new Error(`payment ${id} is not in the ledger`);
  return toPayment(row);
}
