import type { AtStake } from '../../domain/decisions/approval-threshold.js';
import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { DecidableKind } from '../../domain/decisions/decisions.js';
import type { DecisionId } from '../../domain/ids.js';
import type { JsonObject } from '../../domain/json.js';
import { type MarketplaceTable, type Query, recordEvent } from '../transition.js';
import type { Approval, DecisionRequest } from './decision-types.js';

/** Sets of columns that are always written together. */
export const NO_ATTENTION = 'attention_reason = NULL, attention_since = NULL, attention_detail = NULL';

/** On how many persons' word a decision stands; `nobody`: it gives nothing up, or the provider itself has said so. */
export type RestsOn = 'nobody' | 'one' | 'two';

export interface DecisionRow {
  [column: string]: unknown;
  id: DecisionId;
  item_kind: DecidableKind;
  item_id: string;
  action: string;
  state: 'applied' | 'pending_approval' | 'ignored';
  /** Who asked; null: nobody was authenticated, whatever name it bears. */
  principal: string | null;
  first_approver: string | null;
  evidence: JsonObject | null;
  asked_reason: AttentionReason | null;
  asked_detail: string | null;
}

const COLUMNS =
  'id, item_kind, item_id, action, state, principal, first_approver, evidence, asked_reason, asked_detail';

export async function decisionRow(query: Query, id: DecisionId): Promise<DecisionRow | undefined> {
  const [row] = await query<DecisionRow>(`SELECT ${COLUMNS} FROM decisions WHERE id = $1`, [id]);
  return row;
}

/** The one that waits for its approval; the caller holds the item's row. */
export async function pendingRequest(query: Query, kind: DecidableKind, id: string): Promise<DecisionRow | undefined> {
  const [row] = await query<DecisionRow>(
    `SELECT ${COLUMNS} FROM decisions WHERE item_kind = $1 AND item_id = $2 AND state = 'pending_approval'`,
    [kind, id],
  );
  return row;
}

export interface RecordedDecision extends AtStake {
  readonly state: DecisionRow['state'];
  /** Left out of what is ignored. */
  readonly restsOn?: RestsOn;
  readonly askedReason: AttentionReason | null;
  readonly askedDetail: string | null;
}

/** @throws when there is a decision with this id already: nothing may be done that is not recorded */
export async function insertDecision(
  query: Query,
  request: DecisionRequest,
  recorded: RecordedDecision,
): Promise<void> {
  const { id, kind, itemId, action, by, authenticated, note, evidence, verified } = request;
  const { state, restsOn = null, amount, currency, askedReason, askedDetail } = recorded;
  await query(
    `INSERT INTO decisions (id, item_kind, item_id, action, state, by, authenticated, note, evidence, rests_on, amount,
       currency, asked_reason, asked_detail)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    [
      id,
      kind,
      itemId,
      action,
      state,
      by,
      authenticated,
      note,
      evidence === null ? null : JSON.stringify(evidence),
      restsOn,
      amount.toString(),
      currency,
      askedReason,
      askedDetail,
    ],
  );
  await recordEvent(query, {
    kind,
    id: itemId,
    what: `decision_${state}`,
    detail: { decision: id, action, by, authenticated, note, evidence, verified },
  });
}

/** The caller holds the item's row and has seen that the decision is pending. */
export const approveRow = (query: Query, approval: Approval): Promise<void> =>
  change(query, approval, `state = 'applied', approved_by = $2, approval_note = $3, approved_at = clock_now()`);

/** Of a request that nobody authenticated: it takes another one after this. */
export const approveFirst = (query: Query, approval: Approval): Promise<void> =>
  change(query, approval, 'first_approver = $2, first_approval_note = $3, first_approved_at = clock_now()');

async function change(query: Query, { decisionId, by, note }: Approval, set: string): Promise<void> {
  const rows = await query(`UPDATE decisions SET ${set} WHERE id = $1 AND state = 'pending_approval' RETURNING id`, [
    decisionId,
    by,
    note,
  ]);
  if (rows.length === 0) throw new Error(`decision ${decisionId} changed although its item is held`);
}

/**
 * What this person has given up or accepted as drift alone within a day, in this currency; null: all whom nobody authenticated, who share one
 * budget. No other decision of the same person is taken until this transaction ends.
 */
export async function givenUpAlone(query: Query, principal: string | null, currency: string): Promise<bigint> {
  const whose = principal === null ? 'nobody' : `person ${principal.toLowerCase()}`;
  await query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`makegood: decisions of ${whose}`]);
  const [row] = await query<{ total: string }>(
    `SELECT coalesce(sum(amount), 0) AS total FROM (
       SELECT amount FROM decisions
       WHERE state = 'applied' AND rests_on = 'one' AND currency = $2 AND requested_at > clock_now() - interval '24 hours'
         AND (lower(principal) = lower($1) OR ($1::text IS NULL AND principal IS NULL))
       UNION ALL SELECT alone_amount FROM drifts
       WHERE alone_amount IS NOT NULL AND lower(currency) = $2 AND closed_at > clock_now() - interval '24 hours'
         AND (lower(alone_principal) = lower($1) OR ($1::text IS NULL AND alone_principal IS NULL))) AS alone`,
    [principal, currency],
  );
  return BigInt(row?.total ?? 0);
}

/** Whether a person has given up exactly what would be asked: the same evidence is no new question. */
export async function isGivenUp(
  query: Query,
  kind: DecidableKind,
  id: string,
  { reason, detail }: { readonly reason: AttentionReason; readonly detail: string },
): Promise<boolean> {
  const [row] = await query<{ given_up: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM decisions WHERE item_kind = $1 AND item_id = $2 AND action = 'write_off' AND state = 'applied'
       AND asked_reason = $3 AND asked_detail = $4) AS given_up`,
    [kind, id, reason, detail],
  );
  return row?.given_up === true;
}

/** A request that nobody has approved yet is overtaken: by another decision, or because the question is gone. */
export async function withdrawRequests(query: Query, kind: DecidableKind, id: string, why: string): Promise<void> {
  const withdrawn = await query<{ id: DecisionId }>(
    `UPDATE decisions SET state = 'ignored' WHERE item_kind = $1 AND item_id = $2 AND state = 'pending_approval' RETURNING id`,
    [kind, id],
  );
  for (const { id: decision } of withdrawn)
    await recordEvent(query, { kind, id, what: 'request_withdrawn', detail: { decision, why } });
}

export async function dropAttention(
  query: Query,
  table: Exclude<MarketplaceTable, 'orders'> | 'disputes',
  id: string,
): Promise<void> {
  await query(`UPDATE ${table} SET ${NO_ATTENTION} WHERE id = $1`, [id]);
}
