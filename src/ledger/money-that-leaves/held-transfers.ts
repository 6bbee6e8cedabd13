import type { DisputeId, OrderId, TransferId } from '../../domain/ids.js';
import type { TransferStatus } from '../../domain/marketplace/marketplace-status.js';
import { followReleases, letGo } from '../calls/releases.js';
import type { MarketplaceItem } from '../marketplace/marketplace-types.js';
import { mustMove, type Query, recordEvent } from '../transition.js';

/** What is not sent yet of an order waits for the end of a dispute. Every function here runs in a transaction that holds the order. */

/** The dispute for whose end what is unsent of the order waits; undefined: nothing of it does. */
export async function holdingDispute(query: Query, order: OrderId): Promise<DisputeId | undefined> {
  const [row] = await query<{ id: DisputeId }>(
    'SELECT id FROM disputes WHERE order_id = $1 AND holds ORDER BY id LIMIT 1',
    [order],
  );
  return row?.id;
}

/** Surely not sent, and due: held. The caller holds its row. */
export async function holdTransfer(
  query: Query,
  id: TransferId,
  because: Readonly<Record<string, string>>,
): Promise<void> {
  await mustMove(query, 'seller_transfers', {
    id,
    from: 'pending',
    to: 'held',
    set: `runner = NULL, runner_until = NULL, next_retry_at = NULL, next_check_at = clock_now() + interval '1 day'`,
  });
  await recordEvent(query, { kind: 'transfer', id, what: 'held', detail: because });
}

/**
 * A dispute has begun to hold the order, or holds it no more: what is held otherwise than it should be is looked at now. What has a release
 * of its own goes on by that.
 */
export async function followHolds(query: Query, order: OrderId): Promise<MarketplaceItem[]> {
  const dispute = await holdingDispute(query, order);
  const rows = await query<{ id: TransferId; status: TransferStatus }>(
    `SELECT id, status FROM seller_transfers WHERE order_id = $1 AND status = $2 AND certainty IN ('not_sent', 'absent')
       AND (status = 'pending' OR release_kind = 'immediately')
       AND attention_reason IS NULL AND (runner IS NULL OR runner_until < clock_now()) ORDER BY id FOR UPDATE`,
    [order, dispute === undefined ? 'held' : 'pending'],
  );
  for (const { id } of rows) {
    if (dispute !== undefined) await holdTransfer(query, id, { dispute });
    else await letGo(query, id);
  }
  if (dispute !== undefined) return [];
  return [...rows.map(({ id }) => ({ kind: 'transfer' as const, id })), ...(await followReleases(query, order))];
}

/** Nobody can read what becomes of it, and a person has said what follows: nothing waits for it any more. */
export async function stopHolding(query: Query, dispute: DisputeId): Promise<void> {
  const [held] = await query<{ order_id: OrderId }>(
    'UPDATE disputes SET holds = false WHERE id = $1 AND holds RETURNING order_id',
    [dispute],
  );
  if (held) await followHolds(query, held.order_id);
}
