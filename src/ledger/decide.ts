import { assertNever } from '../domain/assert-never.js';
import type { AttentionReason } from '../domain/attention.js';
import type { Clock } from '../domain/clock.js';
import { type ActionRule, actionsOf, type DecidableKind, inWords, ruleOf } from '../domain/decisions.js';
import type { DecisionId } from '../domain/ids.js';
import type { Database } from './database.js';
import { type Held, type HeldAction, type Hold, holding, type Said } from './decidable.js';
import { PAYMENT } from './decide-payment.js';
import { REFUND } from './decide-refund.js';
import { REVERSAL } from './decide-reversal.js';
import { SETTLEMENT } from './decide-settlement.js';
import { TRANSFER } from './decide-transfer.js';
import { approveRow, decisionRow, insertDecision, someRequestWaits, withdrawRequests } from './decision-rows.js';
import type { Approval, ApproveOutcome, DecideOutcome, DecisionItem, DecisionRequest } from './decision-types.js';
import { isTaken } from './stripe-calls.js';
import { type Query, tell } from './transition.js';

const HOLD: { readonly [Kind in DecidableKind]: Hold } = {
  settlement: holding(SETTLEMENT),
  transfer: holding(TRANSFER),
  reversal: holding(REVERSAL),
  payment: holding(PAYMENT),
  refund: holding(REFUND),
};

export interface DecideOptions {
  /** What one person may not give up alone from here on; minor units, or hundredths of the asset's unit. */
  readonly approvalThreshold: bigint;
  readonly clock: Clock;
}

/**
 * What an operator decides about an item that needs attention, of whatever kind. The first decision wins; a later one is
 * recorded as ignored. Everything is one transaction on the locked row, so a decision never overtakes a call in flight.
 */
export function createDecisions(database: Database, options: DecideOptions) {
  return {
    decide: (request: DecisionRequest): Promise<DecideOutcome> =>
      unlessTaken(request, () => database.transaction((query) => decide(query, request, options))),

    /** Confirms a decision that needs a second person. */
    approve: (approval: Approval): Promise<ApproveOutcome> =>
      unlessTaken(approval, () => database.transaction((query) => approve(query, approval, options))),

    /** Which item a decision is about, whatever became of it; undefined: no such decision. */
    async decisionItem(id: DecisionId): Promise<DecisionItem | undefined> {
      const row = await decisionRow(database.query, id);
      return (
        row && { decisionId: id, kind: row.item_kind, itemId: row.item_id, action: row.action, evidence: row.evidence }
      );
    },
  };
}

async function decide(query: Query, request: DecisionRequest, options: DecideOptions): Promise<DecideOutcome> {
  const item = await HOLD[request.kind](query, request.itemId);
  if (!item) return { kind: 'not_found' };
  const { status } = item;
  // The same message again, after its acknowledgement was lost, is answered as the first time.
  const earlier = await decisionRow(query, request.id);
  if (earlier?.state === 'ignored') return { kind: 'not_waiting', status };
  if (earlier) return { kind: earlier.state, status, decisionId: request.id };
  if (!item.waits(request.action)) {
    await insertDecision(query, request, 'ignored');
    return { kind: 'not_waiting', status };
  }
  const asked = permitted(item, request.kind, request);
  if (asked.kind === 'refused') return asked;
  if (needsApprover(asked, { item, request, options })) return await askApprover(query, item, request);
  await withdrawRequests(query, request.kind, item.id, `overtaken by decision ${request.id}`);
  await insertDecision(query, request, 'applied');
  return {
    kind: 'applied',
    status: await asked.action.apply({ query, clock: options.clock }),
    decisionId: request.id,
  };
}

async function approve(query: Query, approval: Approval, options: DecideOptions): Promise<ApproveOutcome> {
  const { decisionId, by, note } = approval;
  const found = await decisionRow(query, decisionId);
  const item = found && (await HOLD[found.item_kind](query, found.item_id));
  // Read again now that the item is held: every decision about it is taken under the lock of its row.
  const decision = item && (await decisionRow(query, decisionId));
  if (!decision) return { kind: 'not_found' };
  if (decision.state !== 'pending_approval') return { kind: 'not_waiting', status: decision.state };
  if (decision.by === by) return { kind: 'self_approval' };
  const { action, evidence } = decision;
  if (!item.waits(action)) return { kind: 'not_waiting', status: item.status };
  const asked = permitted(item, decision.item_kind, { action, evidence, verified: approval.verified });
  if (asked.kind === 'refused') return asked;
  await approveRow(query, approval);
  await tell(query, {
    kind: decision.item_kind,
    id: item.id,
    what: 'approved',
    detail: { decision: decisionId, by, note },
  });
  return { kind: 'applied', status: await asked.action.apply({ query, clock: options.clock }), decisionId };
}

type Permitted =
  | { readonly kind: 'permitted'; readonly rule: ActionRule; readonly action: HeldAction }
  | { readonly kind: 'refused'; readonly detail: string };

/** Whether this may be decided about this item at all, by however many persons. */
function permitted(item: Held, kind: DecidableKind, said: Said & { readonly action: string }): Permitted {
  const rule = ruleOf(kind, said.action);
  const action = item.on(said.action, said);
  if (!rule || !action) return { kind: 'refused', detail: `a ${kind} is resolved with ${inWords(actionsOf(kind))}` };
  const unfit = action.acknowledges ? undefined : notForThis(item, said.action, rule);
  const detail = unfit ?? action.missing;
  return detail === undefined ? { kind: 'permitted', rule, action } : { kind: 'refused', detail };
}

function notForThis(item: Held, action: string, { reasons }: ActionRule): string | undefined {
  const reason = reasonOf(item);
  return reasons === undefined || (reason !== undefined && reasons.includes(reason))
    ? undefined
    : `${action} is for what waits for ${inWords(reasons)}, and this does not`;
}

/** While an approval is pending, what the item waited for before it was asked for. */
function reasonOf({ reason, detail }: Held): AttentionReason | undefined {
  if (reason !== 'approval_pending') return reason ?? undefined;
  return /; before that: ([a-z_]+): /.exec(detail ?? '')?.[1] as AttentionReason | undefined;
}

interface Judged {
  readonly item: Held;
  readonly request: DecisionRequest;
  readonly options: DecideOptions;
}

/** One rule for every kind and every way; see `persons` in the catalogue. */
function needsApprover(
  { rule, action }: Extract<Permitted, { kind: 'permitted' }>,
  { item, request, options }: Judged,
): boolean {
  if (action.acknowledges) return false;
  switch (rule.persons) {
    case 'none':
      return false;
    case 'two':
      return true;
    case 'none_if_confirmed':
      return action.confirmed !== true;
    case 'by_amount':
      if (action.confirmed === false || (!request.authenticated && action.confirmed !== true)) return true;
      return item.atStake.amount >= options.approvalThreshold;
    default:
      return assertNever(rule.persons);
  }
}

async function askApprover(query: Query, item: Held, request: DecisionRequest): Promise<DecideOutcome> {
  const { id, kind, by, action } = request;
  const { status } = item;
  if (await someRequestWaits(query, kind, item.id)) {
    await insertDecision(query, request, 'ignored');
    return { kind: 'not_waiting', status };
  }
  await insertDecision(query, request, 'pending_approval');
  await query(`UPDATE ${item.table} SET attention_reason = 'approval_pending', attention_detail = $2 WHERE id = $1`, [
    item.id,
    `${by} asks to ${action} (decision ${id}); before that: ${item.reason}: ${item.detail}`,
  ]);
  return { kind: 'pending_approval', status, decisionId: id };
}

/** What Stripe shows may be another item's already: then it is not this one's, whoever says so. */
async function unlessTaken<Outcome>(
  { verified }: Pick<DecisionRequest, 'verified'>,
  work: () => Promise<Outcome>,
): Promise<Outcome | { readonly kind: 'refused'; readonly detail: string }> {
  try {
    return await work();
  } catch (error) {
    if (verified.kind !== 'found' || !isTaken(error)) throw error;
    return {
      kind: 'refused',
      detail: `${verified.providerId ?? 'what was found'} already belongs to another item here`,
    };
  }
}
