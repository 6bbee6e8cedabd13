import { refundKey } from '../../domain/calls/idempotency-keys.js';
import type { Clock } from '../../domain/clock.js';
import { newRefundId, type OrderId, type PaymentId, type RefundId } from '../../domain/ids.js';
import type { FeePolicy } from '../../domain/marketplace/lines.js';
import { refreshOrder } from '../marketplace/order-status.js';
import { makeGood } from '../marketplace/restorations.js';
import { restoreShares, settleShares } from '../marketplace/share-out.js';
import { mustMove, type Query, recordEvent } from '../transition.js';

/**
 * A buyer has his money back although Hyperswitch holds no refund of it: Hyperswitch calls the payment cancelled after it was captured,
 * or two persons have said so. It is a refund that has no id there, and is never sent or read. Every function here runs in a transaction that holds the order and the payment.
 */

/** Those that stand, of the payment `of` (SQL). */
const standing = (of: string): string =>
  `SELECT id FROM refunds WHERE payment_id = ${of} AND origin = 'provider' AND hyperswitch_refund_id IS NULL AND connector_refund_id IS NULL AND status = 'succeeded'
   ORDER BY id DESC`;

/** The newest that stands, of the payment `of` (SQL). */
export const saidGivenBack = (of: string): string => `(${standing(of)} LIMIT 1)`;

interface GivenBack {
  readonly order: OrderId;
  readonly payment: PaymentId;
  readonly amount: bigint;
  readonly currency: string;
  readonly fee: FeePolicy;
  /** What the processor calls it, where it holds a refund that Hyperswitch has not named. */
  readonly connectorRefundId?: string | undefined;
}

/** A cause like every other refund: what is unsent is withheld, what was sent is demanded. */
export async function bookGivenBack(query: Query, clock: Clock, given: GivenBack): Promise<void> {
  const id = newRefundId(clock.nowMs());
  await query(
    `INSERT INTO refunds (id, order_id, payment_id, amount, currency, reason, origin, certainty, idempotency_key, connector_refund_id,
       fee, next_check_at)
     VALUES ($1, $2, $3, $4, $5, $7, 'provider', 'done', $6, $8, $9, clock_now())`,
    [
      id,
      given.order,
      given.payment,
      given.amount.toString(),
      given.currency,
      refundKey(id),
      given.connectorRefundId === undefined ? 'given back outside a refund' : 'made at the processor',
      given.connectorRefundId ?? null,
      given.fee,
    ],
  );
  const set = 'succeeded_at = clock_now(), next_check_at = NULL';
  await mustMove(query, 'refunds', { id, from: 'pending', to: 'succeeded', set });
  const detail = { amount: given.amount.toString(), outside_a_refund: true };
  await recordEvent(query, { kind: 'refund', id, what: 'succeeded', certainty: 'done', detail });
  await settleShares(query, given.order, id);
  await makeGood(query, given.order);
  await refreshOrder(query, given.order);
}

/** It was not so, or is not any more. */
export async function takeBackGivenBack(query: Query, order: OrderId, payment: PaymentId): Promise<void> {
  for (const { id } of await query<{ id: RefundId }>(standing('$1'), [payment])) await failGivenBack(query, order, id);
}

/** What is left with the sellers stays there, and what they paid back is asked about. */
export async function failGivenBack(query: Query, order: OrderId, id: RefundId): Promise<void> {
  await mustMove(query, 'refunds', { id, from: 'succeeded', to: 'failed', set: 'failed_at = clock_now()' });
  await recordEvent(query, { kind: 'refund', id, what: 'failed', detail: { outside_a_refund: true } });
  await restoreShares(query, order, id);
  await makeGood(query, order);
  await refreshOrder(query, order);
}
