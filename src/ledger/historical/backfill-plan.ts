import type { BackfillId, TransferId } from '../../domain/ids.js';
import type { Database } from '../database.js';

/** Transfers may have been sent before the row that an older system kept of them was made, but not this long before. */
const MARGIN = '30 days';
const SCOPE_PAGE = 2_000;

/** Which transfers a backfill answers for. */
export function createBackfillPlan(database: Database) {
  return {
    /** Whether it is settled already which transfers this run answers for. */
    async isPlanned(id: BackfillId): Promise<boolean> {
      const [row] = await database.query<{ planned: boolean }>(
        `SELECT state = 'finished' OR EXISTS (SELECT 1 FROM backfill_destinations WHERE backfill_id = b.id) AS planned
         FROM backfills b WHERE b.id = $1`,
        [id],
      );
      if (!row)
        throw new Error(`backfill ${id} is not in the ledger; the workflow and the database do not belong together`);
      return row.planned;
    },

    /** Takes one page of transfers into the scope. @returns the last of the page; null: there are no more */
    async planTransfers(id: BackfillId, after: TransferId | null): Promise<TransferId | null> {
      const [row] = await database.query<{ last: TransferId | null }>(
        `WITH page AS (
           SELECT b.id AS backfill_id, t.id, t.seller_account, coalesce(o.reference, o.id::text) AS order_mark
           FROM backfills b, seller_transfers t JOIN orders o ON o.id = t.order_id
           WHERE b.id = $1 AND t.completed_at IS NOT NULL AND coalesce(t.stripe_transfer_id, '') = ''
             AND (b.since IS NULL OR t.completed_at >= b.since) AND (b.destination IS NULL OR t.seller_account = b.destination)
             AND ($2::uuid IS NULL OR t.id > $2)
           ORDER BY t.id LIMIT $3
         ), kept AS (
           INSERT INTO backfill_scope (backfill_id, transfer_id, destination, order_mark)
           SELECT backfill_id, id, seller_account, order_mark FROM page ON CONFLICT DO NOTHING
         ) SELECT max(id::text) AS last FROM page`,
        [id, after, SCOPE_PAGE],
      );
      return row?.last ?? null;
    },

    /** After the last page: from now on the run is planned. */
    async planDestinations(id: BackfillId): Promise<void> {
      await database.query(
        `INSERT INTO backfill_destinations (backfill_id, destination, created_since)
         SELECT s.backfill_id, s.destination, min(least(t.created_at, t.completed_at)) - interval '${MARGIN}'
         FROM backfill_scope s JOIN seller_transfers t ON t.id = s.transfer_id
         WHERE s.backfill_id = $1 GROUP BY s.backfill_id, s.destination ON CONFLICT DO NOTHING`,
        [id],
      );
    },
  };
}
