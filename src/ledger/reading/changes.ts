import type { Database } from '../database.js';

/** Something happened to an item; `at` is ISO 8601. */
export interface Change {
  readonly seq: string;
  readonly kind: string;
  readonly id: string;
  readonly at: string;
}

/** How far the ledger has come: whatever happens later has a greater number, or one that was given out and not seen yet. */
export async function newestSeq(database: Database): Promise<string> {
  const [row] = await database.query<{ seq: string }>(
    'SELECT coalesce(max(seq), 0)::text AS seq FROM operation_events',
  );
  return row?.seq ?? '0';
}

/** What happened after this number, oldest first. */
export async function changesAfter(database: Database, seq: string, limit: number): Promise<readonly Change[]> {
  const rows = await database.query<{ seq: string; item_kind: string; item_id: string; at: Date }>(
    `SELECT seq::text, item_kind, item_id, at FROM operation_events WHERE seq > $1 ORDER BY seq LIMIT $2`,
    [seq, limit],
  );
  return rows.map((row) => ({
    seq: row.seq,
    kind: row.item_kind,
    // As lists name events.
    id: row.item_kind === 'webhook' ? row.item_id.replace('/', ':') : row.item_id,
    at: row.at.toISOString(),
  }));
}
