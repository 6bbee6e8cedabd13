import type { MarketplaceModelWorld } from './model-world.js';

/**
 * What has left under a key of its own before its release, or while a refund of its order was open: the story is written under the order's
 * lock, so its places are the order in which things came to be. What was released, taken and is paid again on the same terms was released with
 * what it makes good, and says so where it is promised.
 */
export async function leftTooEarly({ database, stripe }: MarketplaceModelWorld): Promise<readonly object[]> {
  const early = await database.query<{ transfer: string; key: string; refund: string | null }>(
    `WITH sent AS (SELECT item_id, idempotency_key AS key, min(seq) AS seq FROM operation_events
         WHERE item_kind = 'transfer' AND kind = 'sent' GROUP BY item_id, idempotency_key)
     SELECT t.id AS transfer, s.key, open.refund FROM sent s JOIN seller_transfers t ON t.id::text = s.item_id AND t.release_kind <> 'immediately'
       LEFT JOIN LATERAL (
         SELECT r.id AS refund FROM refunds r WHERE r.order_id = t.order_id AND (SELECT kind FROM operation_events e
           WHERE e.item_kind = 'refund' AND e.item_id = r.id::text AND e.seq < s.seq
             AND kind IN ('created', 'found', 'pending', 'review', 'succeeded', 'failed') ORDER BY e.seq DESC LIMIT 1)
           IN ('created', 'found', 'pending', 'review') LIMIT 1) AS open ON true
     WHERE open.refund IS NOT NULL OR NOT EXISTS (SELECT 1 FROM operation_events e
       JOIN seller_transfers o ON o.id::text = e.item_id AND o.order_id = t.order_id AND o.seller_account = t.seller_account
         AND o.release_kind = t.release_kind AND o.release_at IS NOT DISTINCT FROM t.release_at
       WHERE e.item_kind = 'transfer' AND e.kind = 'released' AND e.seq < s.seq AND (o.id = t.id OR EXISTS (
         SELECT 1 FROM operation_events p WHERE p.item_kind = 'transfer' AND p.item_id = s.item_id AND p.kind = 'promised'
           AND p.detail ->> 'released_at' IS NOT NULL AND e.seq < p.seq)))`,
  );
  const unreleased = await database.query<{ id: string }>(
    `SELECT id FROM seller_transfers WHERE release_kind <> 'immediately' AND released_at IS NULL`,
  );
  const there = new Set(stripe.transfers().map(({ metadata }) => metadata.seller_transfer_id));
  return [...early, ...unreleased.filter(({ id }) => there.has(id))];
}
