import type { BackfillId, TransferId } from '../../domain/ids.js';
import type { Database } from '../database.js';
import { type BackfillRow, toBackfill } from './backfills.js';
import type { Backfill, BackfillResult } from './historical-types.js';

export interface BackfillProgress extends Backfill {
  /** ISO 8601 */
  readonly startedAt: string;
  readonly destinations: number;
  readonly destinationsFinished: number;
  /** Pages of transfers read from Stripe. */
  readonly pages: number;
  readonly transfers: number;
  readonly outcomes: Readonly<Partial<Record<BackfillResult['outcome'], number>>>;
}

/** One line of the report, with what a person needs to find the transfer. */
export interface BackfillLine extends BackfillResult {
  readonly orderMark: string;
  readonly sellerAccount: string;
  readonly amount: bigint;
  readonly currency: string;
}

/** What the person who started a backfill sees of it; nothing here is asked of Temporal. */
export function createBackfillReader(database: Database) {
  return {
    async backfillProgress(id: BackfillId): Promise<BackfillProgress | undefined> {
      const [row] = await database.query<ProgressRow>(
        `SELECT b.id, b.apply, b.since, b.destination, b.requested_by, b.state, b.started_at,
           d.destinations::int, d.finished::int, d.pages::int,
           (SELECT count(*)::int FROM backfill_scope s WHERE s.backfill_id = b.id) AS transfers,
           (SELECT coalesce(jsonb_object_agg(r.outcome, r.count), '{}') FROM (
              SELECT outcome, count(*) FROM backfill_results WHERE backfill_id = b.id GROUP BY outcome) r) AS outcomes
         FROM backfills b, LATERAL (
           SELECT count(*) AS destinations, count(finished_at) AS finished, coalesce(sum(pages), 0) AS pages
           FROM backfill_destinations WHERE backfill_id = b.id) d
         WHERE b.id = $1`,
        [id],
      );
      return (
        row && {
          ...toBackfill(row),
          startedAt: row.started_at.toISOString(),
          destinations: row.destinations,
          destinationsFinished: row.finished,
          pages: row.pages,
          transfers: row.transfers,
          outcomes: row.outcomes,
        }
      );
    },

    /** In the order of the transfers' ids. */
    async backfillLines(id: BackfillId, after: TransferId | null, limit: number): Promise<readonly BackfillLine[]> {
      const rows = await database.query<LineRow>(
        `SELECT r.transfer_id, r.outcome, r.stripe_transfer_id, r.candidates, r.detail, s.order_mark,
           t.seller_account, t.amount, t.currency
         FROM backfill_results r JOIN backfill_scope s USING (backfill_id, transfer_id)
           JOIN seller_transfers t ON t.id = r.transfer_id
         WHERE r.backfill_id = $1 AND ($2::uuid IS NULL OR r.transfer_id > $2) ORDER BY r.transfer_id LIMIT $3`,
        [id, after, limit],
      );
      return rows.map((row) => ({
        backfillId: id,
        transferId: row.transfer_id,
        outcome: row.outcome,
        stripeTransferId: row.stripe_transfer_id,
        candidates: row.candidates,
        detail: row.detail,
        orderMark: row.order_mark,
        sellerAccount: row.seller_account,
        amount: BigInt(row.amount),
        currency: row.currency,
      }));
    },
  };
}

interface ProgressRow extends BackfillRow {
  started_at: Date;
  destinations: number;
  finished: number;
  pages: number;
  transfers: number;
  outcomes: BackfillProgress['outcomes'];
  [column: string]: unknown;
}

interface LineRow {
  transfer_id: TransferId;
  outcome: BackfillResult['outcome'];
  stripe_transfer_id: string | null;
  candidates: readonly string[];
  detail: string;
  order_mark: string;
  seller_account: string;
  amount: string;
  currency: string;
  [column: string]: unknown;
}
