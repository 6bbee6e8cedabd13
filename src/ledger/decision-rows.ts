import type { DecidableKind } from '../domain/decisions.js';
import type { DecisionId } from '../domain/ids.js';
import type { JsonObject } from '../domain/json.js';
import type { Approval, DecisionRequest } from './decision-types.js';
import { type Query, tell } from './transition.js';

/** Sets of columns that are always written together. */
export const NO_ATTENTION = 'attention_reason = NULL, attention_since = NULL, attention_detail = NULL';

export interface DecisionRow {
  [column: string]: unknown;
  item_kind: DecidableKind;
  item_id: string;
  action: string;
  state: 'applied' | 'pending_approval' | 'ignored';
  by: string;
  evidence: JsonObject | null;
}

export async function decisionRow(query: Query, id: DecisionId): Promise<DecisionRow | undefined> {
  const [row] = await query<DecisionRow>(
    'SELECT item_kind, item_id, action, state, by, evidence FROM decisions WHERE id = $1',
    [id],
  );
  return row;
}

/** @throws when there is a decision with this id already: nothing may be done that is not recorded */
export async function insertDecision(
  query: Query,
  request: DecisionRequest,
  state: DecisionRow['state'],
): Promise<void> {
  const { id, kind, itemId, action, by, authenticated, note, evidence, verified } = request;
  await query(
    `INSERT INTO decisions (id, item_kind, item_id, action, state, by, authenticated, note, evidence)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [id, kind, itemId, action, state, by, authenticated, note, evidence === null ? null : JSON.stringify(evidence)],
  );
  await tell(query, {
    kind,
    id: itemId,
    what: `decision_${state}`,
    detail: { decision: id, action, by, authenticated, note, evidence, verified },
  });
}

/** The caller holds the item's row and has seen that the decision is pending. */
export async function approveRow(query: Query, { decisionId, by, note }: Approval): Promise<void> {
  const rows = await query(
    `UPDATE decisions SET state = 'applied', approved_by = $2, approval_note = $3, approved_at = clock_now()
     WHERE id = $1 AND state = 'pending_approval' RETURNING id`,
    [decisionId, by, note],
  );
  if (rows.length === 0) throw new Error(`decision ${decisionId} changed although its item is held`);
}

export async function someRequestWaits(query: Query, kind: DecidableKind, id: string): Promise<boolean> {
  const rows = await query(
    `SELECT 1 FROM decisions WHERE item_kind = $1 AND item_id = $2 AND state = 'pending_approval'`,
    [kind, id],
  );
  return rows.length > 0;
}

/** A request that nobody has approved yet is overtaken: by another decision, or because the question is gone. */
export async function withdrawRequests(query: Query, kind: DecidableKind, id: string, why: string): Promise<void> {
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
