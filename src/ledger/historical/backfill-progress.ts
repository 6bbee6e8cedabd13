import type { TransferFacts } from '../../domain/calls/provider-answers.js';
import type { BackfillId, TransferId } from '../../domain/ids.js';
import type { Candidate, OurTransfer } from '../../domain/marketplace/backfill-matching.js';
import { markOfTransfer, orderMarkOf } from '../../domain/marketplace/ours-at-stripe.js';
import type { Database } from '../database.js';
import type { Query } from '../transition.js';

/** One seller's account whose transfers at Stripe are listed once. */
export interface BackfillDestination {
  readonly destination: string;
  /** ISO 8601; nothing of ours was sent before. */
  readonly createdSince: string;
  /** The last transfer that was listed; null: none yet. */
  readonly cursor: string | null;
  readonly pages: number;
  readonly listed: boolean;
}

/** One page of Stripe's transfers to one destination. */
export interface ListedPage {
  readonly backfillId: BackfillId;
  readonly destination: string;
  /** Where the page began: a page that somebody else has stored meanwhile is stored once. */
  readonly after: string | null;
  readonly transfers: readonly TransferFacts[];
  readonly hasMore: boolean;
}

/** Orders of one destination that are still to be matched, with everything that can explain their candidates. */
export interface OrdersToMatch {
  /** Those without an id that wait for an answer. */
  readonly waiting: readonly TransferId[];
  readonly ours: readonly OurTransfer[];
  readonly candidates: readonly Candidate[];
}

export function createBackfillProgress(database: Database) {
  return {
    /** The unfinished destination that was tried longest ago; undefined when all are finished. */
    async nextDestination(id: BackfillId): Promise<string | undefined> {
      const [row] = await database.query<{ destination: string }>(
        `UPDATE backfill_destinations SET tried_at = clock_now() WHERE backfill_id = $1 AND destination = (
           SELECT destination FROM backfill_destinations WHERE backfill_id = $1 AND finished_at IS NULL
           ORDER BY tried_at NULLS FIRST, destination LIMIT 1) RETURNING destination`,
        [id],
      );
      return row?.destination;
    },

    /** Undefined: it is finished, or no part of this run. */
    async openDestination(id: BackfillId, destination: string): Promise<BackfillDestination | undefined> {
      const [row] = await database.query<DestinationRow>(
        `SELECT ${DESTINATION} FROM backfill_destinations
         WHERE backfill_id = $1 AND destination = $2 AND finished_at IS NULL`,
        [id, destination],
      );
      return row && toDestination(row);
    },

    /** Keeps what may be one of ours, and moves the cursor, as one. @returns how far it is now, whoever stored the page */
    saveListedPage: ({ backfillId, destination, after, transfers, hasMore }: ListedPage) =>
      database.transaction(async (query): Promise<BackfillDestination | undefined> => {
        const [moved] = await query<DestinationRow>(
          `UPDATE backfill_destinations SET pages = pages + 1, cursor = coalesce($4, cursor), listed = NOT $5
           WHERE backfill_id = $1 AND destination = $2 AND cursor IS NOT DISTINCT FROM $3 AND NOT listed
           RETURNING ${DESTINATION}`,
          [backfillId, destination, after, transfers.at(-1)?.stripeTransferId ?? null, hasMore && transfers.length > 0],
        );
        if (moved) await keepCandidates(query, backfillId, destination, transfers);
        const [row] = moved
          ? [moved]
          : await query<DestinationRow>(
              `SELECT ${DESTINATION} FROM backfill_destinations WHERE backfill_id = $1 AND destination = $2`,
              [backfillId, destination],
            );
        return row && toDestination(row);
      }),

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

    /** Its candidates have served: the report names them. */
    async closeDestination(id: BackfillId, destination: string): Promise<void> {
      await database.query(
        `WITH closed AS (
           UPDATE backfill_destinations SET finished_at = clock_now()
           WHERE backfill_id = $1 AND destination = $2 AND finished_at IS NULL RETURNING destination
         ) DELETE FROM backfill_candidates c USING closed WHERE c.backfill_id = $1 AND c.destination = closed.destination`,
        [id, destination],
      );
    },
  };
}

interface DestinationRow {
  destination: string;
  created_since: Date;
  cursor: string | null;
  pages: number;
  listed: boolean;
  [column: string]: unknown;
}
const DESTINATION = 'destination, created_since, cursor, pages, listed';

const toDestination = ({ destination, created_since, cursor, pages, listed }: DestinationRow): BackfillDestination => ({
  destination,
  createdSince: created_since.toISOString(),
  cursor,
  pages,
  listed,
});

interface ScopedRow {
  id: TransferId;
  order_mark: string;
  amount: string;
  currency: string;
  stripe_transfer_id: string | null;
  waiting: boolean;
  [column: string]: unknown;
}

async function keepCandidates(
  query: Query,
  id: BackfillId,
  destination: string,
  transfers: readonly TransferFacts[],
): Promise<void> {
  await query(
    `INSERT INTO backfill_candidates
       (backfill_id, stripe_transfer_id, destination, order_mark, amount, currency, livemode, named_transfer)
     SELECT $1, c.id, $2, c.mark, c.amount, c.currency, c.livemode, c.named
     FROM jsonb_to_recordset($3) AS c
       (id text, mark text, destination text, amount numeric, currency text, livemode boolean, named text)
     WHERE c.destination = $2 AND EXISTS (SELECT 1 FROM backfill_scope s
       WHERE s.backfill_id = $1 AND s.destination = $2 AND s.order_mark = c.mark)
     ON CONFLICT DO NOTHING`,
    [
      id,
      destination,
      JSON.stringify(
        transfers.map((one) => ({
          id: one.stripeTransferId,
          mark: orderMarkOf(one) ?? null,
          destination: one.destination,
          amount: one.amount.toString(),
          currency: one.currency,
          livemode: one.livemode,
          named: markOfTransfer(one) ?? null,
        })),
      ),
    ],
  );
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
