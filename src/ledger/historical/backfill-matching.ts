import type { BackfillId, TransferId } from '../../domain/ids.js';
import type { Candidate, OurTransfer } from '../../domain/marketplace/backfill-matching.js';
import type { Database } from '../database.js';

/** Orders of one destination that are still to be matched, with everything that can explain their candidates. */
export interface OrdersToMatch {
  /** Those without an id that wait for an answer. */
  readonly waiting: readonly TransferId[];
  readonly ours: readonly OurTransfer[];
  readonly candidates: readonly Candidate[];
}

/** What of one destination waits for an answer: with what was listed there, or without. */
export function createBackfillMatching(database: Database) {
  return {
    /** The next orders of a destination, whole: transfers of one order compete for the same candidates. */
    async ordersToMatch(id: BackfillId, destination: string, limit: number): Promise<OrdersToMatch> {
      const rows = await database.query<ScopedRow>(
        `WITH open AS (
           SELECT DISTINCT s.order_mark FROM backfill_scope s
           WHERE s.backfill_id = $1 AND s.destination = $2 AND NOT EXISTS (
             SELECT 1 FROM backfill_results r WHERE r.backfill_id = s.backfill_id AND r.transfer_id = s.transfer_id)
           ORDER BY s.order_mark LIMIT $3
         ), orders_of AS (
           SELECT DISTINCT s.order_mark, t.order_id FROM open
             JOIN backfill_scope s ON s.backfill_id = $1 AND s.destination = $2 AND s.order_mark = open.order_mark
             JOIN seller_transfers t ON t.id = s.transfer_id
         )
         SELECT t.id, o.order_mark, t.amount, t.currency, nullif(t.stripe_transfer_id, '') AS stripe_transfer_id,
           s.transfer_id IS NOT NULL AND r.transfer_id IS NULL AS waiting
         FROM orders_of o JOIN seller_transfers t ON t.order_id = o.order_id AND t.seller_account = $2
           LEFT JOIN backfill_scope s ON s.backfill_id = $1 AND s.transfer_id = t.id
           LEFT JOIN backfill_results r ON r.backfill_id = $1 AND r.transfer_id = t.id
         WHERE t.completed_at IS NOT NULL ORDER BY t.id`,
        [id, destination, limit],
      );
      const marks = Array.from(new Set(rows.map((row) => row.order_mark)));
      return {
        waiting: rows.filter((row) => row.waiting).map((row) => row.id),
        ours: rows.map((row) => ({
          id: row.id,
          orderMark: row.order_mark,
          sellerAccount: destination,
          amount: BigInt(row.amount),
          currency: row.currency,
          stripeTransferId: row.stripe_transfer_id,
        })),
        candidates: await candidatesOf(database, id, destination, marks),
      };
    },

    /** Those of a destination that have no answer yet; for one whose transfers cannot be listed. */
    async unanswered(id: BackfillId, destination: string, limit: number): Promise<readonly TransferId[]> {
      const rows = await database.query<{ transfer_id: TransferId }>(
        `SELECT s.transfer_id FROM backfill_scope s WHERE s.backfill_id = $1 AND s.destination = $2 AND NOT EXISTS (
           SELECT 1 FROM backfill_results r WHERE r.backfill_id = s.backfill_id AND r.transfer_id = s.transfer_id)
         ORDER BY s.transfer_id LIMIT $3`,
        [id, destination, limit],
      );
      return rows.map((row) => row.transfer_id);
    },
  };
}

interface ScopedRow {
  id: TransferId;
  order_mark: string;
  amount: string;
  currency: string;
  stripe_transfer_id: string | null;
  waiting: boolean;
  [column: string]: unknown;
}

async function candidatesOf(
  database: Database,
  id: BackfillId,
  destination: string,
  marks: readonly string[],
): Promise<readonly Candidate[]> {
  const rows = await database.query<{
    stripe_transfer_id: string;
    order_mark: string;
    amount: string;
    currency: string;
    livemode: boolean;
    names: TransferId | null;
    held_by: TransferId | null;
  }>(
    `SELECT c.stripe_transfer_id, c.order_mark, c.amount, c.currency, c.livemode, n.id AS names, h.id AS held_by
     FROM backfill_candidates c
       LEFT JOIN seller_transfers h ON h.stripe_transfer_id = c.stripe_transfer_id AND h.stripe_transfer_id <> ''
       LEFT JOIN seller_transfers n ON n.id = CASE WHEN c.named_transfer ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN c.named_transfer::uuid END
     WHERE c.backfill_id = $1 AND c.destination = $2 AND c.order_mark = ANY ($3) ORDER BY c.stripe_transfer_id`,
    [id, destination, marks],
  );
  return rows.map((row) => ({
    stripeTransferId: row.stripe_transfer_id,
    orderMark: row.order_mark,
    destination,
    amount: BigInt(row.amount),
    currency: row.currency,
    livemode: row.livemode,
    names: row.names,
    heldBy: row.held_by,
  }));
}
