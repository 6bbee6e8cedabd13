import type { BackfillId } from '../../domain/ids.js';
import { isTaken } from '../calls/stripe-calls.js';
import type { Database } from '../database.js';
import { type Query, recordEvent } from '../transition.js';
import type { Backfill, BackfillResult, BackfillStart } from './historical-types.js';

/** Completed, and nobody knows under which id Stripe holds it: only what was imported can be so. */
const WITHOUT_ID = 'completed_at IS NOT NULL AND stripe_transfer_id IS NULL AND amount > 0';

/** Finding the ids of historical transfers at Stripe: the runs, what they are about, and what they found. */
export function createBackfills(database: Database) {
  return {
    /** Completed transfers without an id at Stripe; `makegood migrate` reports how many. */
    async countTransfersWithoutId(): Promise<number> {
      const [row] = await database.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM seller_transfers WHERE ${WITHOUT_ID}`,
      );
      return row?.count ?? 0;
    },

    /** Repeated with the same id, it does nothing more. */
    startBackfill: (backfill: Omit<Backfill, 'state'>): Promise<BackfillStart> =>
      database.transaction(async (query) => {
        const { id, apply, since, destination, requestedBy } = backfill;
        const [started] = await query(
          `INSERT INTO backfills (id, apply, since, destination, requested_by) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT DO NOTHING RETURNING id`,
          [id, apply, since, destination, requestedBy],
        );
        if (started) {
          await recordEvent(query, {
            kind: 'backfill',
            id,
            what: 'started',
            detail: { apply, since, destination, by: requestedBy },
          });
          return { kind: 'started', id };
        }
        const [known] = await query<{ id: BackfillId }>('SELECT id FROM backfills WHERE id = $1', [id]);
        if (known) return { kind: 'started', id };
        const [running] = await query<{ id: BackfillId }>(`SELECT id FROM backfills WHERE state = 'running'`);
        // Finished between the two statements: whoever asks again may start.
        return { kind: 'running', id: running?.id ?? id };
      }),

    async findBackfill(id: BackfillId): Promise<Backfill | undefined> {
      const [row] = await database.query<BackfillRow>(
        'SELECT id, apply, since, destination, requested_by, state FROM backfills WHERE id = $1',
        [id],
      );
      return row && toBackfill(row);
    },

    finishBackfill: (id: BackfillId): Promise<void> =>
      database.transaction(async (query) => {
        const [finished] = await query(
          `UPDATE backfills SET state = 'finished', finished_at = clock_now() WHERE id = $1 AND state = 'running' RETURNING id`,
          [id],
        );
        if (finished) await recordEvent(query, { kind: 'backfill', id, what: 'finished' });
      }),

    /** With `apply`, writes the id too; `taken` when another transfer has it already. The first result of a run stays. */
    recordBackfill: (result: BackfillResult, apply: boolean): Promise<BackfillResult> =>
      database.transaction(async (query) => {
        const { backfillId, transferId } = result;
        await query('SELECT 1 FROM seller_transfers WHERE id = $1 FOR UPDATE', [transferId]);
        const [stored] = await selectResults(query, 'backfill_id = $1 AND transfer_id = $2', [backfillId, transferId]);
        if (stored) return stored;
        const found = result.outcome === 'matched' ? await give(query, result, apply) : result;
        await query(
          `INSERT INTO backfill_results (backfill_id, transfer_id, outcome, stripe_transfer_id, candidates, detail)
           VALUES ($1, $2, $3, $4, $5, $6)`,
          [
            backfillId,
            transferId,
            found.outcome,
            found.stripeTransferId,
            JSON.stringify(found.candidates),
            found.detail,
          ],
        );
        await recordEvent(query, {
          kind: 'transfer',
          id: transferId,
          what: found.outcome === 'written' ? 'id_found' : 'id_looked_for',
          detail: {
            backfill: backfillId,
            outcome: found.outcome,
            stripe_transfer_id: found.stripeTransferId,
            detail: found.detail,
          },
        });
        return found;
      }),
  };
}

export interface BackfillRow {
  id: BackfillId;
  apply: boolean;
  since: Date | null;
  destination: string | null;
  requested_by: string;
  state: Backfill['state'];
}

export const toBackfill = (row: BackfillRow): Backfill => ({
  id: row.id,
  apply: row.apply,
  since: row.since?.toISOString() ?? null,
  destination: row.destination,
  requestedBy: row.requested_by,
  state: row.state,
});

const selectResults = (query: Query, where: string, values: readonly unknown[]): Promise<BackfillResult[]> =>
  query<BackfillResult>(
    `SELECT backfill_id AS "backfillId", transfer_id AS "transferId", outcome, stripe_transfer_id AS "stripeTransferId",
       candidates, detail FROM backfill_results WHERE ${where}`,
    values,
  );

/** Writes the id that was found, where the run may and nobody else has it. The caller holds the transfer's row. */
async function give(query: Query, result: BackfillResult, apply: boolean): Promise<BackfillResult> {
  const { backfillId, transferId, stripeTransferId } = result;
  const [rival] = await query<{ id: string }>(
    `SELECT id FROM seller_transfers WHERE stripe_transfer_id = $2 AND id <> $1
     UNION ALL SELECT transfer_id FROM backfill_results
       WHERE backfill_id = $3 AND stripe_transfer_id = $2 AND transfer_id <> $1 AND outcome IN ('matched', 'written') LIMIT 1`,
    [transferId, stripeTransferId, backfillId],
  );
  if (rival) return taken(result, rival.id);
  if (!apply) return result;
  await query('SAVEPOINT giving');
  try {
    const written = await query(
      `UPDATE seller_transfers SET stripe_transfer_id = $2 WHERE id = $1 AND ${WITHOUT_ID} RETURNING id`,
      [transferId, stripeTransferId],
    );
    if (written.length === 1) return { ...result, outcome: 'written' };
  } catch (error) {
    // Another run, import or answer wrote it in this very moment.
    if (!isTaken(error)) throw error;
    await query('ROLLBACK TO SAVEPOINT giving');
    return taken(result, 'another transfer');
  }
  return await hasOneAlready(query, result);
}

const taken = (result: BackfillResult, by: string): BackfillResult => ({
  ...result,
  outcome: 'taken',
  detail: `${result.stripeTransferId} belongs to transfer ${by} here; nothing was written`,
});

/** It was found by somebody else since it was listed. */
async function hasOneAlready(query: Query, result: BackfillResult): Promise<BackfillResult> {
  const [row] = await query<{ stripe_transfer_id: string | null }>(
    'SELECT stripe_transfer_id FROM seller_transfers WHERE id = $1',
    [result.transferId],
  );
  if (row?.stripe_transfer_id === result.stripeTransferId) return { ...result, outcome: 'written' };
  const has = row?.stripe_transfer_id ? `has the id ${row.stripe_transfer_id} by now` : 'is not a completed one';
  return { ...result, outcome: 'mismatch', detail: `the transfer ${has}; nothing was written` };
}
