import type { ReconciliationId } from '../../domain/ids.js';
import type { Suspicion } from '../../domain/reconciliation/drift.js';
import { OVERLAP_MS, RECONCILED_PARTS, type ReconciledPart, SECOND_LOOK } from '../../domain/reconciliation/parts.js';
import type { Database } from '../database.js';
import { recordSuspicions } from './suspicions.js';

/** One part of a run, as far as it has come. */
export interface PartPlace {
  readonly part: ReconciledPart;
  /** ISO 8601 */
  readonly since: string;
  readonly until: string;
  readonly cursor: string | null;
  readonly pages: number;
  readonly listed: boolean;
}

/** What one page showed. */
export interface ReconciledPage {
  readonly runId: ReconciliationId;
  readonly part: ReconciledPart;
  /** Where the page began: one that somebody else has stored meanwhile is stored once. */
  readonly after: string | null;
  readonly listed: boolean;
  /** Where the next one begins. */
  readonly cursor: string | null;
  /** What a provider's list named. */
  readonly named: readonly string[];
  readonly lookedAt: number;
  readonly suspicions: readonly Suspicion[];
  /** What could not be read while the rest of the page was, by name; left out: nothing. */
  readonly uncompared?: readonly string[] | undefined;
  /** Nothing follows of what is paged now. */
  readonly last: boolean;
}

/** The runs that compare the ledger with its providers, and how far each has come. */
export function createReconciliations(database: Database) {
  return {
    /** @returns the run that is at work, this one or another; repeated with the same id, it does nothing more */
    beginReconciliation: async (run: {
      readonly id: ReconciliationId;
      readonly requestedBy: string;
      readonly since: string | null;
    }): Promise<{ readonly id: ReconciliationId; readonly begun: boolean }> => {
      const [begun] = await database.query(
        `INSERT INTO reconciliations (id, requested_by, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id`,
        [run.id, run.requestedBy, run.since],
      );
      if (begun) return { id: run.id, begun: true };
      const [running] = await database.query<{ id: ReconciliationId }>(
        `SELECT id FROM reconciliations WHERE id = $1 UNION ALL SELECT id FROM reconciliations WHERE state = 'running' LIMIT 1`,
        [run.id],
      );
      // Finished between the two statements: whoever asks again begins one.
      return { id: running?.id ?? run.id, begun: false };
    },

    /** Fixes what the run compares, and from when on. Without a date or an earlier run: all since the ledger met its provider. */
    planReconciliation: async (id: ReconciliationId, parts: readonly ReconciledPart[]): Promise<void> => {
      await database.query(
        `INSERT INTO reconciliation_parts (run_id, part, place, since, until)
         SELECT r.id, p.part, array_position($3::text[], p.part),
           coalesce(r.since, m.reached - $4 * interval '1 millisecond', (SELECT pinned_at FROM stripe_account),
             (SELECT min(created_at) FROM orders), r.started_at), r.started_at
         FROM reconciliations r CROSS JOIN unnest($2::text[]) AS p (part) LEFT JOIN reconciliation_marks m USING (part)
         WHERE r.id = $1 AND r.state = 'running' ON CONFLICT DO NOTHING`,
        [id, parts, RECONCILED_PARTS, OVERLAP_MS],
      );
    },

    /** What was compared to the end is where the next run goes on. Repeated, it goes on emptying what was named. */
    finishReconciliation: async (id: ReconciliationId): Promise<void> => {
      await database.transaction(async (query) => {
        const [finished] = await query(
          `UPDATE reconciliations SET state = 'finished', finished_at = clock_now() WHERE id = $1 AND state = 'running' RETURNING id`,
          [id],
        );
        if (!finished) return;
        await query(
          `INSERT INTO reconciliation_marks (part, reached)
           SELECT part, until FROM reconciliation_parts WHERE run_id = $1 AND finished_at IS NOT NULL AND left_because IS NULL AND uncompared = '{}'
           ON CONFLICT (part) DO UPDATE SET reached = greatest(reconciliation_marks.reached, excluded.reached)`,
          [id],
        );
      });
      // A first run names everything that there ever was: no one statement has the time to take all of it away.
      for (let left = FORGOTTEN_AT_ONCE; left === FORGOTTEN_AT_ONCE; ) left = await forgetNamed(database);
    },
  };
}

const FORGOTTEN_AT_ONCE = 20_000;

/** Also what a run that died at its end has left. @returns how many */
const forgetNamed = async (database: Database): Promise<number> =>
  (
    await database.query(
      `DELETE FROM reconciled_objects WHERE ctid = ANY (ARRAY(SELECT o.ctid FROM reconciled_objects o
         JOIN reconciliations r ON r.id = o.run_id WHERE r.state = 'finished' LIMIT ${FORGOTTEN_AT_ONCE})) RETURNING 1 AS one`,
      [],
    )
  ).length;

/** How far each part of a run has come. */
export function createReconciliationParts(database: Database) {
  return {
    /** The unfinished part that was tried longest ago, the second look after all others; undefined: all are finished. */
    async nextPart(id: ReconciliationId): Promise<ReconciledPart | undefined> {
      const [row] = await database.query<{ part: ReconciledPart }>(
        `UPDATE reconciliation_parts SET tried_at = clock_now() WHERE run_id = $1 AND part = (
           SELECT part FROM reconciliation_parts WHERE run_id = $1 AND finished_at IS NULL
           ORDER BY part = $2, tried_at NULLS FIRST, place LIMIT 1)
           AND EXISTS (SELECT 1 FROM reconciliations WHERE id = $1 AND state = 'running') RETURNING part`,
        [id, SECOND_LOOK],
      );
      return row?.part;
    },

    /** Undefined: it is finished, or no part of this run. */
    async openPart(id: ReconciliationId, part: ReconciledPart): Promise<PartPlace | undefined> {
      const [row] = await database.query<PartRow>(
        `SELECT ${PLACE} FROM reconciliation_parts p JOIN reconciliations r ON r.id = p.run_id
         WHERE run_id = $1 AND part = $2 AND p.finished_at IS NULL AND r.state = 'running'`,
        [id, part],
      );
      return row && toPlace(row);
    },

    /** Keeps what was seen, and moves the cursor, as one. @returns where the part is now, whoever stored the page */
    saveReconciledPage: (page: ReconciledPage) =>
      database.transaction(async (query): Promise<PartPlace | undefined> => {
        const { runId, part, after, listed, cursor, named, lookedAt, suspicions, uncompared = [], last } = page;
        const [moved] = await query<{ listed: boolean }>(
          `UPDATE reconciliation_parts SET pages = pages + 1, cursor = CASE WHEN $5 THEN NULL ELSE $4 END, looked_at = looked_at + $6,
             suspected = suspected + $7, listed = listed OR $5,
             uncompared = (SELECT coalesce(array_agg(DISTINCT name ORDER BY name), '{}') FROM unnest(uncompared || $10::text[]) AS name), finished_at = CASE WHEN $5 AND (listed OR $8) THEN clock_now() END
           WHERE run_id = $1 AND part = $2 AND cursor IS NOT DISTINCT FROM $3 AND listed = $9 AND finished_at IS NULL
           RETURNING listed`,
          [runId, part, after, cursor, last, lookedAt, suspicions.length, !LISTED.has(part), listed, uncompared],
        );
        if (moved) {
          await query(
            `INSERT INTO reconciled_objects (run_id, part, provider_id) SELECT $1, $2, unnest($3::text[]) ON CONFLICT DO NOTHING`,
            [runId, part, named],
          );
          await recordSuspicions(query, runId, suspicions);
        }
        const [row] = await query<PartRow>(
          `SELECT ${PLACE} FROM reconciliation_parts p WHERE run_id = $1 AND part = $2 AND finished_at IS NULL`,
          [runId, part],
        );
        return row && toPlace(row);
      }),

    /** It cannot be compared in this run, and the next one begins where this one did. */
    leavePart: async (id: ReconciliationId, part: ReconciledPart, why: string): Promise<void> => {
      await database.query(
        `UPDATE reconciliation_parts SET left_because = $3, finished_at = clock_now() WHERE run_id = $1 AND part = $2 AND finished_at IS NULL`,
        [id, part, why.slice(0, 1_000) || 'unknown reason'],
      );
    },

    /** When the second look may be taken: milliseconds from now. */
    async secondLookInMs(id: ReconciliationId, afterMs: number): Promise<number> {
      const [row] = await database.query<{ ms: number | null }>(
        `SELECT extract(epoch FROM max(suspected_at) + $2 * interval '1 millisecond' - clock_now()) * 1000 AS ms
         FROM drifts WHERE run_id = $1 AND state = 'suspected'`,
        [id, afterMs],
      );
      return Math.max(0, Math.ceil(row?.ms ?? 0));
    },
  };
}

/** Those that are listed at a provider first and compared with the ledger then. */
const LISTED: ReadonlySet<ReconciledPart> = new Set([
  'stripe-transfers',
  'stripe-reversals',
  'stripe-disputes',
  'stripe-payments',
  'stripe-refunds',
  'stripe-payouts',
  'hyperswitch-payments',
  'hyperswitch-refunds',
]);

interface PartRow {
  part: ReconciledPart;
  since: Date;
  until: Date;
  cursor: string | null;
  pages: number;
  listed: boolean;
  [column: string]: unknown;
}
const PLACE = 'p.part, p.since, p.until, p.cursor, p.pages, p.listed';

const toPlace = ({ since, until, part, cursor, pages, listed }: PartRow): PartPlace => ({
  part,
  since: since.toISOString(),
  until: until.toISOString(),
  cursor,
  pages,
  listed,
});
