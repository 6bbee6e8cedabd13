import type { ReconciledPart } from '../../domain/reconciliation/parts.js';
import type { Database } from '../database.js';

/** Up to when a part was compared with nothing left out of it. */
export interface ComparedPart {
  readonly part: ReconciledPart;
  readonly ageSeconds: number;
}

/**
 * Of each part of the newest run how long ago the run began that last compared all of it; of one that never was, since it was first to be.
 * Where there was no run at all, every part of it waits since the schema was last brought up to date: `workflows` stands for them.
 */
export const comparedParts = (database: Database): Promise<readonly ComparedPart[]> =>
  database.query<ComparedPart & { [column: string]: unknown }>(
    `SELECT p.part, greatest(0, extract(epoch FROM clock_now() - coalesce(m.reached, (SELECT min(r.started_at) FROM reconciliation_parts q
         JOIN reconciliations r ON r.id = q.run_id WHERE q.part = p.part))))::float8 AS "ageSeconds"
     FROM reconciliation_parts p LEFT JOIN reconciliation_marks m USING (part)
     WHERE p.run_id = (SELECT run_id FROM reconciliation_parts ORDER BY run_id DESC LIMIT 1)
     UNION ALL SELECT 'workflows', greatest(0, extract(epoch FROM clock_now() - max(applied_at)))::float8 FROM schema_migrations
       WHERE NOT EXISTS (SELECT 1 FROM reconciliation_parts) HAVING max(applied_at) IS NOT NULL
     ORDER BY 1`,
  );
