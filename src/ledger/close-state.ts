import type { Database } from './database.js';

/** `ours`: this very close is in the ledger. `open`: it did not happen yet. `lost`: the sweep closed it, or it is no longer ours. */
export type CloseState = 'ours' | 'open' | 'lost';

/** What became of a close whose acknowledgement was lost. */
export async function closeStateIn(
  database: Database,
  table: 'payment_sessions' | 'channel_requests',
  { id, closeToken }: { readonly id: string; readonly closeToken: string },
): Promise<CloseState> {
  const [row] = await database.query<{ closed_by: string | null }>(
    `SELECT closed_by FROM ${table} WHERE id = $1 AND close_token = $2`,
    [id, closeToken],
  );
  if (!row) return 'lost';
  if (row.closed_by === null) return 'open';
  return row.closed_by === 'sweep' ? 'lost' : 'ours';
}
