import type { DecisionId } from '../domain/ids.js';
import { type Query, tell } from './transition.js';

/** Sets of columns that are always written together. */
export const NO_ATTENTION = 'attention_reason = NULL, attention_since = NULL, attention_detail = NULL';

/** A request that nobody has approved yet is overtaken: by another decision, or because the question is gone. */
export async function withdrawRequests(
  query: Query,
  kind: 'transfer' | 'reversal' | 'refund',
  id: string,
  why: string,
): Promise<void> {
  const withdrawn = await query<{ id: DecisionId }>(
    `UPDATE decisions SET state = 'ignored' WHERE item_kind = $1 AND item_id = $2 AND state = 'pending_approval' RETURNING id`,
    [kind, id],
  );
  for (const { id: decision } of withdrawn)
    await tell(query, { kind, id, what: 'request_withdrawn', detail: { decision, why } });
}

export async function dropAttention(
  query: Query,
  table: 'refunds' | 'seller_transfers' | 'reversals',
  id: string,
): Promise<void> {
  await query(`UPDATE ${table} SET ${NO_ATTENTION} WHERE id = $1`, [id]);
}
