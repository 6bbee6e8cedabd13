import type { DecisionId, SettlementId } from '../domain/ids.js';
import type { JsonObject } from '../domain/json.js';
import { toHundredths } from '../domain/money.js';
import { TEMPO } from '../domain/settlement-providers.js';
import type { SettlementStatus } from '../domain/settlement-status.js';
import type { Database } from './database.js';
import type { ApproveOutcome, DecideOutcome, DecisionRequest } from './ledger-types.js';
import { SETTLEMENT_COLUMNS, type SettlementRow } from './settlement-row.js';

type Query = Database['query'];
type Action = DecisionRequest['action'];
type Verdict =
  | { readonly do: 'apply' }
  | { readonly do: 'ask_approver' }
  | { readonly do: 'refuse'; readonly detail: string };
type WaitingRow = SettlementRow & { sealed_kind: string | null };

export interface DecideOptions {
  /** Amounts above this need two persons; hundredths of the asset's unit. */
  readonly approvalThreshold: bigint;
}

/**
 * What an operator decides about a settlement that needs attention. The first decision wins; a later one is recorded
 * as ignored. Everything is one transaction on the locked row, so a decision never overtakes a call in flight: an item
 * that is being sent is `pending`, and only `needs_attention` is decided upon.
 */
export function createDecisions(database: Database, options: DecideOptions) {
  return {
    decide: (request: DecisionRequest): Promise<DecideOutcome> =>
      database.transaction(async (query) => {
        const row = await lockSettlement(query, request.settlementId);
        if (!row) return { kind: 'not_found' };
        const earlier = await decidedBefore(query, request.id);
        if (earlier) return { kind: earlier, status: row.status, decisionId: request.id };
        if (!isWaiting(row)) {
          await insertDecision(query, request, 'ignored');
          return { kind: 'not_waiting', status: row.status };
        }
        const verdict = judge(row, request, options.approvalThreshold);
        switch (verdict.do) {
          case 'refuse':
            return { kind: 'refused', detail: verdict.detail };
          case 'ask_approver':
            return await askApprover(query, row, request);
          case 'apply':
            await withdrawWaiting(query, row.id);
            await insertDecision(query, request, 'applied');
            return {
              kind: 'applied',
              status: await apply(query, row, request),
              decisionId: request.id,
            };
        }
      }),

    /** Confirms a decision that needs a second person. @param request.by the approver's name, not the token */
    approve: (request: { decisionId: DecisionId; by: string; note: string }): Promise<ApproveOutcome> =>
      database.transaction(async (query) => {
        const [decision] = await query<DecisionRow>('SELECT * FROM decisions WHERE id = $1 FOR UPDATE', [
          request.decisionId,
        ]);
        if (!decision) return { kind: 'not_found' };
        if (decision.state !== 'pending_approval') return { kind: 'not_waiting', status: decision.state };
        if (decision.by === request.by) return { kind: 'self_approval' };
        const row = await lockSettlement(query, decision.item_id);
        if (!row || !isWaiting(row)) return { kind: 'not_waiting', status: row?.status ?? 'unknown' };
        await query(
          `UPDATE decisions SET state = 'applied', approved_by = $2, approval_note = $3, approved_at = clock_now() WHERE id = $1`,
          [decision.id, request.by, request.note],
        );
        await tell(query, row, 'approved', { decision: decision.id, by: request.by, note: request.note });
        const status = await apply(query, row, decision);
        return { kind: 'applied', status, decisionId: decision.id, settlementId: row.id };
      }),
  };
}

interface DecisionRow {
  id: DecisionId;
  item_id: SettlementId;
  action: Action;
  state: 'applied' | 'pending_approval' | 'ignored';
  by: string;
  note: string;
  evidence: JsonObject | null;
}

const isWaiting = (row: SettlementRow): boolean =>
  row.status === 'needs_attention' || (row.status === 'settled' && row.attention_reason === 'late_success');

/**
 * A retry moves nothing twice, so it is always honoured. A claim that the money moved elsewhere cannot be asked of the
 * auth server, so it needs evidence, and a second person when it comes from an unauthenticated signal or is large; of the
 * chain it is asked. A write-off gives money up, so absence must be proved, or a second person must agree.
 */
function judge(row: WaitingRow, request: DecisionRequest, threshold: bigint): Verdict {
  const small = toHundredths(row.spent, row.decimals) <= threshold;
  if (row.status === 'settled') {
    return request.action === 'settled'
      ? { do: 'apply' }
      : { do: 'refuse', detail: 'the money is in: acknowledge this late success with the action settled' };
  }
  switch (request.action) {
    case 'retry':
      return row.sealed_kind === 'body'
        ? { do: 'apply' }
        : { do: 'refuse', detail: 'there is nothing to send: the credential could not be decoded, or it was erased' };
    case 'settled':
      if (row.certainty === 'done' || request.provedOnChain) return { do: 'apply' };
      if (row.provider === TEMPO) return { do: 'refuse', detail: 'whether a capture is settled is asked of the chain' };
      if (!hasEvidence(request.evidence)) {
        return {
          do: 'refuse',
          detail: 'say where the money was seen: evidence {"tx_hash": "…"} or {"reference": "…"}',
        };
      }
      return small && request.authenticated ? { do: 'apply' } : { do: 'ask_approver' };
    case 'write_off':
      if (row.certainty === 'done') {
        return { do: 'refuse', detail: 'the provider says that the money moved: resolve with the action settled' };
      }
      return small && (row.certainty === 'absent' || row.certainty === 'not_sent')
        ? { do: 'apply' }
        : { do: 'ask_approver' };
  }
}

function hasEvidence(evidence: JsonObject | null): boolean {
  const given = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '';
  return evidence !== null && (given(evidence.tx_hash) || given(evidence.reference));
}

async function lockSettlement(query: Query, id: SettlementId): Promise<WaitingRow | undefined> {
  const [row] = await query<WaitingRow>(
    `SELECT ${SETTLEMENT_COLUMNS}, sealed_kind FROM settlements WHERE id = $1 FOR UPDATE`,
    [id],
  );
  return row;
}

async function apply(
  query: Query,
  row: WaitingRow,
  decision: { action: Action; evidence: JsonObject | null },
): Promise<SettlementStatus> {
  const [changed] = await query<{ status: SettlementStatus }>(APPLY[decision.action], [
    row.id,
    ...(decision.action === 'settled'
      ? [typeof decision.evidence?.tx_hash === 'string' ? decision.evidence.tx_hash : null]
      : []),
  ]);
  if (!changed) throw new Error(`settlement ${row.id} changed under its lock`);
  return changed.status;
}

const NO_ATTENTION = 'attention_reason = NULL, attention_since = NULL, attention_detail = NULL';
const ERASED = 'sealed = NULL, sealed_kind = NULL, sealed_key_id = NULL, erased_at = coalesce(erased_at, clock_now())';

const APPLY: Readonly<Record<Action, string>> = {
  retry: `UPDATE settlements SET status = 'pending', ${NO_ATTENTION}, next_check_at = clock_now() + interval '15 seconds'
    WHERE id = $1 AND status = 'needs_attention' RETURNING status`,
  settled: `UPDATE settlements SET status = 'settled', certainty = 'done', settled_at = coalesce(settled_at, clock_now()),
      tx_hash = coalesce($2, tx_hash), next_check_at = NULL, ${NO_ATTENTION}, ${ERASED}
    WHERE id = $1 AND status IN ('needs_attention', 'settled') RETURNING status`,
  write_off: `UPDATE settlements SET status = 'written_off', next_check_at = NULL, ${NO_ATTENTION}, ${ERASED}
    WHERE id = $1 AND status = 'needs_attention' RETURNING status`,
};

async function askApprover(query: Query, row: WaitingRow, request: DecisionRequest): Promise<DecideOutcome> {
  const [waiting] = await query(
    `SELECT 1 FROM decisions WHERE item_kind = 'settlement' AND item_id = $1 AND state = 'pending_approval'`,
    [row.id],
  );
  if (waiting) {
    await insertDecision(query, request, 'ignored');
    return { kind: 'not_waiting', status: row.status };
  }
  await insertDecision(query, request, 'pending_approval');
  await query(`UPDATE settlements SET attention_reason = 'approval_pending', attention_detail = $2 WHERE id = $1`, [
    row.id,
    `${request.by} asks to ${request.action} (decision ${request.id}); before that: ${row.attention_reason}: ${row.attention_detail}`,
  ]);
  return { kind: 'pending_approval', status: row.status, decisionId: request.id };
}

/** The same message again, after its acknowledgement was lost, is answered as the first time. */
async function decidedBefore(query: Query, id: DecisionId): Promise<'applied' | 'pending_approval' | undefined> {
  const [row] = await query<{ state: DecisionRow['state'] }>('SELECT state FROM decisions WHERE id = $1', [id]);
  return row && row.state !== 'ignored' ? row.state : undefined;
}

/** A decision that is applied overtakes a request that nobody confirmed yet. */
async function withdrawWaiting(query: Query, id: SettlementId): Promise<void> {
  await query(
    `UPDATE decisions SET state = 'ignored' WHERE item_kind = 'settlement' AND item_id = $1 AND state = 'pending_approval'`,
    [id],
  );
}

async function insertDecision(query: Query, request: DecisionRequest, state: DecisionRow['state']): Promise<void> {
  await query(
    `INSERT INTO decisions (id, item_kind, item_id, action, state, by, authenticated, note, evidence)
     VALUES ($1, 'settlement', $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`,
    [
      request.id,
      request.settlementId,
      request.action,
      state,
      request.by,
      request.authenticated,
      request.note,
      request.evidence === null ? null : JSON.stringify(request.evidence),
    ],
  );
  await tell(query, { id: request.settlementId }, `decision_${state}`, {
    decision: request.id,
    action: request.action,
    by: request.by,
    authenticated: request.authenticated,
    note: request.note,
    evidence: request.evidence,
  });
}

async function tell(query: Query, item: { id: SettlementId }, kind: string, detail: JsonObject): Promise<void> {
  await query(`INSERT INTO operation_events (item_kind, item_id, kind, detail) VALUES ('settlement', $1, $2, $3)`, [
    item.id,
    kind,
    JSON.stringify(detail),
  ]);
}
