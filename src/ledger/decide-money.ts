import { assertNever } from '../domain/assert-never.js';
import type { AttentionReason } from '../domain/attention.js';
import type { Certainty } from '../domain/certainty.js';
import type { Clock } from '../domain/clock.js';
import type { DecisionId, OrderId, RefundId, ReversalId, TransferId } from '../domain/ids.js';
import type { JsonObject } from '../domain/json.js';
import { applyDecision } from './apply-decision.js';
import type { Database } from './database.js';
import { TABLE_OF } from './due-items.js';
import type {
  DecidableKind,
  DecisionItem,
  MoneyAction,
  MoneyDecideOutcome,
  MoneyDecisionRequest,
  Verification,
} from './money-decision-types.js';
import { isTaken } from './stripe-calls.js';
import { type Query, tell } from './transition.js';
import { withdrawRequests } from './waiting-decisions.js';

/** An item that may be decided upon, with its row held. */
export interface Decidable {
  readonly kind: DecidableKind;
  readonly id: TransferId & ReversalId & RefundId;
  readonly order_id: OrderId;
  readonly status: string;
  readonly certainty: Certainty;
  readonly amount: string;
  readonly attention_reason: AttentionReason | null;
  readonly attention_detail: string | null;
  /** Of a transfer: it was sent; of a reversal: its transfer's id at Stripe is known. */
  readonly ready: boolean;
}

export interface MoneyDecisionOptions {
  /** Write-offs from here on need two persons; minor units. */
  readonly approvalThreshold: bigint;
  readonly clock: Clock;
}

type Verdict = { readonly do: 'apply' | 'ask_approver' } | { readonly do: 'refuse'; readonly detail: string };

/**
 * What an operator decides about a transfer, reversal or refund that needs attention; as for settlements, the first
 * decision wins, a later one is recorded as ignored, and everything is one transaction on the locked row.
 */
export function createMoneyDecisions(database: Database, options: MoneyDecisionOptions) {
  return {
    async decideMoney(request: MoneyDecisionRequest): Promise<MoneyDecideOutcome> {
      try {
        return await database.transaction((query) => decide(query, request, options));
      } catch (error) {
        if (request.action !== 'adopt' || request.verified.kind !== 'found' || !isTaken(error)) throw error;
        return {
          kind: 'refused',
          detail: `${request.verified.stripeId} already belongs to another ${request.kind} here`,
        };
      }
    },

    /** Which item a decision is about, whatever became of it; undefined: no such decision. */
    async decisionItem(id: DecisionId): Promise<DecisionItem | undefined> {
      const [row] = await database.query<DecisionItem & { [column: string]: unknown }>(
        `SELECT id AS "decisionId", item_kind AS kind, item_id AS "itemId", action, evidence FROM decisions WHERE id = $1`,
        [id],
      );
      return row;
    },

    approveMoney: (approval: {
      decisionId: DecisionId;
      by: string;
      note: string;
      verified: Verification;
    }): Promise<MoneyDecideOutcome | { readonly kind: 'self_approval' }> =>
      database.transaction(async (query) => {
        const [asked] = await query<WaitingDecision>(
          'SELECT item_kind, item_id, action, state, by, note, evidence FROM decisions WHERE id = $1',
          [approval.decisionId],
        );
        if (!asked || asked.item_kind === 'settlement') return { kind: 'not_found' };
        const row = await lockItem(query, asked.item_kind, asked.item_id);
        if (asked.state !== 'pending_approval' || !row) return { kind: 'not_waiting', status: asked.state };
        if (asked.by === approval.by) return { kind: 'self_approval' };
        if (row.attention_reason === null) return { kind: 'not_waiting', status: row.status };
        const decision = { action: asked.action, evidence: asked.evidence, verified: approval.verified };
        const refuted = unproved(row, decision);
        if (refuted) return { kind: 'refused', detail: refuted };
        const rows = await query(
          `UPDATE decisions SET state = 'applied', approved_by = $2, approval_note = $3, approved_at = clock_now()
           WHERE id = $1 AND state = 'pending_approval' RETURNING id`,
          [approval.decisionId, approval.by, approval.note],
        );
        if (rows.length === 0) return { kind: 'not_waiting', status: row.status };
        await tell(query, {
          kind: row.kind,
          id: row.id,
          what: 'approved',
          detail: { decision: approval.decisionId, by: approval.by, note: approval.note },
        });
        const status = await applyDecision(query, row, decision, options.clock);
        return { kind: 'applied', status, decisionId: approval.decisionId };
      }),
  };
}

async function decide(
  query: Query,
  request: MoneyDecisionRequest,
  { approvalThreshold, clock }: MoneyDecisionOptions,
): Promise<MoneyDecideOutcome> {
  const row = await lockItem(query, request.kind, request.itemId);
  if (!row) return { kind: 'not_found' };
  const earlier = await decidedBefore(query, request, row);
  if (earlier) return earlier;
  // A transfer that was ever completed is not sent again, whatever is asked about it.
  const sent = row.kind === 'transfer' && request.action === 'retry' && row.ready;
  if (row.attention_reason === null || sent) {
    await insertDecision(query, request, 'ignored');
    return { kind: 'not_waiting', status: row.status };
  }
  const verdict = judge(row, request, approvalThreshold);
  if (verdict.do === 'refuse') return { kind: 'refused', detail: verdict.detail };
  if (verdict.do === 'ask_approver') return await askApprover(query, row, request);
  await withdrawRequests(query, row.kind, row.id, `overtaken by decision ${request.id}`);
  await insertDecision(query, request, 'applied');
  const status = await applyDecision(query, row, request, clock);
  return { kind: 'applied', status, decisionId: request.id };
}

/** The same message again, after its acknowledgement was lost, is answered as the first time. */
async function decidedBefore(
  query: Query,
  { id }: MoneyDecisionRequest,
  { status }: Decidable,
): Promise<MoneyDecideOutcome | undefined> {
  const [earlier] = await query<{ state: 'applied' | 'pending_approval' | 'ignored' }>(
    'SELECT state FROM decisions WHERE id = $1',
    [id],
  );
  if (!earlier) return undefined;
  return earlier.state === 'ignored'
    ? { kind: 'not_waiting', status }
    : { kind: earlier.state, status, decisionId: id };
}

interface WaitingDecision {
  [column: string]: unknown;
  item_kind: DecidableKind | 'settlement';
  item_id: string;
  action: MoneyAction;
  state: string;
  by: string;
  evidence: JsonObject | null;
}

const READY: Readonly<Record<DecidableKind, string>> = {
  transfer: 'x.completed_at IS NOT NULL',
  reversal: '(SELECT stripe_transfer_id IS NOT NULL FROM seller_transfers WHERE id = x.transfer_id)',
  refund: 'true',
};

async function lockItem(query: Query, kind: DecidableKind, id: string): Promise<Decidable | undefined> {
  const table = TABLE_OF[kind];
  await query(`SELECT 1 FROM orders WHERE id = (SELECT order_id FROM ${table} WHERE id = $1) FOR UPDATE`, [id]);
  if (kind === 'reversal') {
    await query(
      'SELECT 1 FROM seller_transfers WHERE id = (SELECT transfer_id FROM reversals WHERE id = $1) FOR UPDATE',
      [id],
    );
  }
  const [row] = await query<Decidable & { [column: string]: unknown }>(
    `SELECT $2 AS kind, x.id, x.order_id, x.status, x.certainty, x.amount, x.attention_reason, x.attention_detail,
       ${READY[kind]} AS ready FROM ${table} x WHERE x.id = $1 FOR UPDATE OF x`,
    [id, kind],
  );
  return row;
}

/**
 * A retry looks before it sends, so it is always honoured. Adopting is believed only with Stripe's own word. Giving money
 * up needs absence proved now, and two persons above the threshold or when nobody was authenticated. New money for a
 * seller always needs two.
 */
function judge(row: Decidable, request: MoneyDecisionRequest, threshold: bigint): Verdict {
  const detail = unproved(row, request);
  if (detail) return { do: 'refuse', detail };
  switch (request.action) {
    case 'retry':
    case 'adopt':
      return { do: 'apply' };
    case 'write_off':
      return request.authenticated && BigInt(row.amount) < threshold ? { do: 'apply' } : { do: 'ask_approver' };
    case 'compensate':
      return { do: 'ask_approver' };
    default:
      return assertNever(request.action);
  }
}

const ACTIONS: Readonly<Record<DecidableKind, readonly MoneyAction[]>> = {
  transfer: ['retry', 'adopt', 'write_off'],
  reversal: ['retry', 'adopt', 'write_off'],
  refund: ['retry', 'compensate', 'write_off'],
};

/** Sent or given up: what a person is told of it can only be acknowledged. */
export const hasEnded = ({ kind, certainty, status, amount }: Decidable): boolean =>
  kind !== 'refund' &&
  (certainty === 'done' ||
    status === 'cancelled' ||
    status === 'written_off' ||
    (kind === 'transfer' && BigInt(amount) === 0n));

/** What is missing before this decision may be taken; undefined: nothing. */
function unproved(
  row: Decidable,
  { action, verified }: { action: MoneyAction; evidence: JsonObject | null; verified: Verification },
): string | undefined {
  if (!ACTIONS[row.kind].includes(action)) return `a ${row.kind} is resolved with ${ACTIONS[row.kind].join(', ')}`;
  if (hasEnded(row))
    return action === 'adopt'
      ? undefined
      : 'nothing can be sent or given up any more: acknowledge what is told with adopt';
  switch (action) {
    case 'retry':
      return row.kind === 'reversal' && !row.ready
        ? 'its transfer has no id at Stripe: makegood backfill-transfer-ids finds it, then retry'
        : undefined;
    case 'adopt':
      if (verified.kind === 'found') return undefined;
      return verified.kind === 'refuted' || verified.kind === 'unanswered'
        ? verified.detail
        : 'Stripe holds nothing that could be adopted';
    case 'write_off':
      if (row.kind === 'refund' || verified.kind === 'absent') return undefined;
      if (verified.kind === 'found') return `Stripe holds ${verified.stripeId}: resolve with adopt`;
      return verified.kind === 'not_needed' ? 'its absence at Stripe was not proved' : verified.detail;
    case 'compensate':
      return row.attention_reason === 'refund_failed_after_reversal' || row.attention_reason === 'approval_pending'
        ? undefined
        : 'nothing is owed to a seller: compensate is for a refund that failed after its reversal';
    default:
      return assertNever(action);
  }
}

async function askApprover(query: Query, row: Decidable, request: MoneyDecisionRequest): Promise<MoneyDecideOutcome> {
  const [waiting] = await query(
    `SELECT 1 FROM decisions WHERE item_kind = $1 AND item_id = $2 AND state = 'pending_approval'`,
    [row.kind, row.id],
  );
  if (waiting) {
    await insertDecision(query, request, 'ignored');
    return { kind: 'not_waiting', status: row.status };
  }
  await insertDecision(query, request, 'pending_approval');
  await query(
    `UPDATE ${TABLE_OF[row.kind]} SET attention_reason = 'approval_pending', attention_detail = $2 WHERE id = $1`,
    [
      row.id,
      `${request.by} asks to ${request.action} (decision ${request.id}); before that: ${row.attention_reason}: ${row.attention_detail}`,
    ],
  );
  return { kind: 'pending_approval', status: row.status, decisionId: request.id };
}

async function insertDecision(
  query: Query,
  request: MoneyDecisionRequest,
  state: 'applied' | 'pending_approval' | 'ignored',
): Promise<void> {
  const { id, kind, itemId, action, by, authenticated, note, evidence, verified } = request;
  await query(
    `INSERT INTO decisions (id, item_kind, item_id, action, state, by, authenticated, note, evidence)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING`,
    [id, kind, itemId, action, state, by, authenticated, note, evidence === null ? null : JSON.stringify(evidence)],
  );
  await tell(query, {
    kind,
    id: itemId,
    what: `decision_${state}`,
    detail: { decision: id, action, by, authenticated, note, evidence, verified },
  });
}
