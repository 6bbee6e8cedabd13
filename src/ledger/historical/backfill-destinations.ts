import type { TransferFacts } from '../../domain/calls/provider-answers.js';
import type { BackfillId } from '../../domain/ids.js';
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

/** How far a run has come through the sellers' accounts whose transfers it lists. */
export function createBackfillDestinations(database: Database) {
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
