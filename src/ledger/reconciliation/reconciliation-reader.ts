import type { ReconciliationId } from '../../domain/ids.js';
import type { ReconciliationFacts } from '../../domain/reconciliation/reconciliation-answer.js';
import type { Database } from '../database.js';

/** One run, for people. */
export interface Reconciliation extends ReconciliationFacts {
  readonly id: ReconciliationId;
}

/** What runs have done; read by people's surfaces alone. */
export function createReconciliationReader(database: Database) {
  const read = async (where: string, values: readonly unknown[]): Promise<readonly Reconciliation[]> =>
    (
      await database.query<Row>(
        `SELECT r.id, r.requested_by, r.since, r.state, r.started_at, r.finished_at, (SELECT coalesce(jsonb_agg(jsonb_build_object(
             'part', p.part, 'since', to_char(p.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'pages', p.pages, 'lookedAt', p.looked_at, 'suspected', p.suspected,
             'finished', p.finished_at IS NOT NULL, 'leftBecause', p.left_because, 'uncompared', to_jsonb(p.uncompared)) ORDER BY p.place), '[]')
           FROM reconciliation_parts p WHERE p.run_id = r.id) AS parts
         FROM reconciliations r ${where}`,
        values,
      )
    ).map(toReconciliation);
  return {
    findReconciliation: async (id: ReconciliationId): Promise<Reconciliation | undefined> =>
      (await read('WHERE r.id = $1', [id]))[0],
    listReconciliations: (before: string | undefined, limit: number): Promise<readonly Reconciliation[]> =>
      read('WHERE $1::uuid IS NULL OR r.id < $1 ORDER BY r.id DESC LIMIT $2', [before ?? null, limit]),
  };
}

interface Row {
  id: ReconciliationId;
  requested_by: string;
  since: Date | null;
  state: Reconciliation['state'];
  started_at: Date;
  finished_at: Date | null;
  parts: Reconciliation['parts'];
  [column: string]: unknown;
}

const toReconciliation = (row: Row): Reconciliation => ({
  id: row.id,
  requestedBy: row.requested_by,
  since: row.since?.toISOString() ?? null,
  state: row.state,
  startedAt: row.started_at.toISOString(),
  finishedAt: row.finished_at?.toISOString() ?? null,
  parts: row.parts,
});
