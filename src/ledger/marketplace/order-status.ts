import type { Clock } from '../../domain/clock.js';
import { newTransferId, type OrderId, type TransferId } from '../../domain/ids.js';
import { mustMove, type Query, recordEvent } from '../transition.js';
import { insertTransfer, type ReleaseColumns } from './compensation.js';
import type { MarketplaceItem } from './marketplace-types.js';
import { lockOrder } from './seller-shares.js';
import { settleShares } from './share-out.js';

type ShareToSend = ReleaseColumns & {
  readonly seller_account: string;
  readonly currency: string;
  readonly amount: string;
  readonly [column: string]: unknown;
};

/**
 * The buyer has paid: every seller is promised what is his, less the fees, by one transfer for each release of his lines. What was given back
 * before that is not promised to anybody.
 */
export async function orderPaid(query: Query, clock: Clock, order: OrderId): Promise<MarketplaceItem[]> {
  if (!(await moveOrder(query, order, 'paid'))) return [];
  const shares = await query<ShareToSend>(
    `SELECT i.seller_account, o.currency, i.release_kind, NULL AS released_at,
       (o.paid_at + i.release_after_ms * interval '1 millisecond')::text AS release_at, sum(i.amount - i.fee) AS amount
     FROM order_items i JOIN orders o ON o.id = i.order_id
     WHERE i.order_id = $1 AND i.seller_account IS NOT NULL
     GROUP BY i.seller_account, o.currency, o.paid_at, i.release_kind, i.release_after_ms
     HAVING sum(i.amount - i.fee) > 0 ORDER BY min(i.position)`,
    [order],
  );
  const started: MarketplaceItem[] = [];
  // Ids of one millisecond have no order of their own: sorted, so that transfers are listed as their items are.
  const ids = shares.map(() => newTransferId(clock.nowMs())).sort();
  for (const [nth, share] of shares.entries()) {
    const id = ids[nth] as TransferId;
    const { seller_account: sellerAccount, currency } = share;
    await insertTransfer(query, { id, order, sellerAccount, currency, amount: BigInt(share.amount), release: share });
    started.push({ kind: 'transfer', id });
  }
  // A part may have been captured and given back, and then the whole was captured after all.
  started.push(...(await settleShares(query, order)));
  await refreshOrder(query, order);
  return started;
}

/** The payment that paid this order (SQL), where a person is asked whether its money is there. */
export const questionedPayment = (order: string): string =>
  `SELECT id FROM payments WHERE order_id = ${order} AND status = 'succeeded' AND attention_reason IS NOT NULL`;

/** What paid the order is no question any more: what is unsent, and waited for that, is looked at now. */
export async function wakeTransfers(query: Query, order: OrderId): Promise<void> {
  await query(
    `UPDATE seller_transfers SET next_retry_at = clock_now(), next_check_at = clock_now()
     WHERE order_id = $1 AND next_check_at IS NOT NULL AND last_answer = 'later' AND runner IS NULL AND attention_reason IS NULL`,
    [order],
  );
}

export async function moveOrder(query: Query, id: OrderId, to: 'paid' | 'payment_failed'): Promise<boolean> {
  const order = await lockOrder(query, id);
  if (!order || (order.status !== 'pending' && order.status !== 'payment_failed') || order.status === to) return false;
  await mustMove(query, 'orders', {
    id,
    from: order.status,
    to,
    set: to === 'paid' ? 'paid_at = clock_now()' : 'paid_at = NULL',
  });
  await recordEvent(query, { kind: 'order', id, what: to });
  return true;
}

/** The buyer's side of the order, from its refunds. What never paid the order leaves it as it is. */
export async function refreshOrder(query: Query, id: OrderId): Promise<void> {
  const order = await lockOrder(query, id);
  if (!order || order.status === 'pending' || order.status === 'payment_failed') return;
  const [sum] = await query<{ refunded: string }>(
    `SELECT coalesce(sum(amount), 0) AS refunded FROM refunds WHERE order_id = $1 AND status = 'succeeded'`,
    [id],
  );
  const refunded = BigInt(sum?.refunded ?? 0);
  const to = refunded === 0n ? 'paid' : refunded >= order.amount ? 'refunded' : 'partially_refunded';
  if (to === order.status) return;
  await mustMove(query, 'orders', { id, from: order.status, to });
  await recordEvent(query, { kind: 'order', id, what: to });
}
