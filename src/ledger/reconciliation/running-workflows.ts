import type { DriftItem } from '../../domain/reconciliation/drift.js';
import type { Database } from '../database.js';

/** An unfinished item that something should be taking further. */
export interface RunningItem extends DriftItem {
  /** UUID, or the place in the listing: what the next page begins after. */
  readonly place: string;
  readonly workflowId: string;
  readonly status: string;
  readonly amount: bigint;
  readonly currency: string;
  /** It was tried or read before: its workflow has existed. */
  readonly begun: boolean;
  readonly ageMs: number;
}

const TABLES = [
  ['settlement', 'settlements', `x.status IN ('pending', 'needs_attention')`, 'x.attempts > 0', 'x.spent', 'x.asset'],
  ['payment', 'payments', 'true', 'x.attempts > 0', 'x.amount', 'x.currency'],
  ['refund', 'refunds', 'true', 'x.attempts > 0', 'x.amount', 'x.currency'],
  ['transfer', 'seller_transfers', `x.status <> 'held'`, 'x.attempts > 0', 'x.amount', 'x.currency'],
  ['reversal', 'reversals', 'true', 'x.attempts > 0', 'x.amount', 'x.currency'],
  ['dispute', 'disputes', 'true', 'x.read_at IS NOT NULL', 'x.amount', 'x.currency'],
] as const;

/** Which workflows there should be. */
export function createRunningWorkflows(database: Database) {
  return {
    /** Unfinished items that are older than this, in order of kind and id. */
    async unfinishedItems(olderThanMs: number, after: string | null, limit: number): Promise<readonly RunningItem[]> {
      const rows = await database.query<Omit<RunningItem, 'amount'> & { amount: string; [column: string]: unknown }>(
        `SELECT kind, id, place, "workflowId", status, amount, currency, begun, "ageMs" FROM (${UNFINISHED}) unfinished
         WHERE $2::text IS NULL OR place > $2 COLLATE "C" ORDER BY place COLLATE "C" LIMIT $3`,
        [olderThanMs, after, limit],
      );
      return rows.map((row) => ({ ...row, amount: BigInt(row.amount) }));
    },

    /** Whether it is unfinished still. */
    async isUnfinished({ kind, id }: DriftItem): Promise<boolean> {
      const table = TABLES.find(([name]) => name === kind);
      if (!table) return false;
      const [row] = await database.query(
        `SELECT 1 FROM ${table[1]} x WHERE x.id = $1 AND x.next_check_at IS NOT NULL AND ${table[2]}`,
        [id],
      );
      return row !== undefined;
    },
  };
}

const UNFINISHED = TABLES.map(
  ([kind, table, only, begun, amount, currency]) =>
    `SELECT '${kind}' AS kind, x.id, '${kind}/' || x.id AS place, x.workflow_id AS "workflowId", x.status, ${amount}::text AS amount, ${currency} AS currency,
       ${begun} AS begun, (extract(epoch FROM clock_now() - x.created_at) * 1000)::float8 AS "ageMs" FROM ${table} x WHERE x.next_check_at IS NOT NULL AND x.workflow_id IS NOT NULL AND ${only}
       AND x.created_at < clock_now() - $1 * interval '1 millisecond'`,
).join(' UNION ALL ');
