import { assertNever } from '../../domain/assert-never.js';
import type { Clock } from '../../domain/clock.js';
import { type ApprovalThreshold, type AtStake, belowThreshold } from '../../domain/decisions/approval-threshold.js';
import type { AttentionReason } from '../../domain/decisions/attention.js';
import {
  type ActionRule,
  actionsOf,
  type DecidableKind,
  inWords,
  isForReason,
  notTakenBy,
  ruleOf,
} from '../../domain/decisions/decisions.js';
import type { DecisionId } from '../../domain/ids.js';
import { DEFAULT_DISPUTE_RULES, type DisputeRules } from '../../domain/marketplace/disputes.js';
import { DEFAULT_FEE_POLICY, type FeePolicy } from '../../domain/marketplace/lines.js';
import type { OffsetRules } from '../../domain/marketplace/offsets.js';
import { isTaken } from '../calls/stripe-calls.js';
import type { Database } from '../database.js';
import { type Query, recordEvent } from '../transition.js';
import { type LockedItem, type LockItem, locking, type PossibleAction, type Said, type Work } from './decidable.js';
import { DISPUTE } from './decide-dispute.js';
import { PAYMENT } from './decide-payment.js';
import { REFUND } from './decide-refund.js';
import { REVERSAL } from './decide-reversal.js';
import { SETTLEMENT } from './decide-settlement.js';
import { TRANSFER } from './decide-transfer.js';
import {
  approveFirst,
  approveRow,
  type DecisionRow,
  decisionRow,
  givenUpAlone,
  insertDecision,
  pendingRequest,
  type RestsOn,
  withdrawRequests,
} from './decision-rows.js';
import type { Approval, ApproveOutcome, DecideOutcome, DecisionItem, DecisionRequest } from './decision-types.js';

const HOLD: { readonly [Kind in DecidableKind]: LockItem } = {
  settlement: locking(SETTLEMENT),
  transfer: locking(TRANSFER),
  reversal: locking(REVERSAL),
  payment: locking(PAYMENT),
  refund: locking(REFUND),
  dispute: locking(DISPUTE),
};

export interface DecideOptions {
  readonly approvalThreshold: ApprovalThreshold;
  readonly clock: Clock;
  readonly disputeRules?: DisputeRules;
  readonly refundFee?: FeePolicy;
  /** Left out: nothing is kept of transfers. */
  readonly offsets?: OffsetRules | undefined;
}

/**
 * What an operator decides about an item that needs attention, of whatever kind. The first decision wins; a later one is
 * recorded as ignored. Everything is one transaction on the locked row, so a decision never overtakes a call in flight.
 */
export function createDecisions(database: Database, options: DecideOptions) {
  return {
    decide: (request: DecisionRequest): Promise<DecideOutcome> =>
      unlessTaken(request, () => database.transaction((query) => decide(query, request, options))),

    /** What the settings here leave to nobody, whatever the catalogue has. */
    decisionsNotTaken: (): Promise<readonly string[]> => Promise.resolve(notTakenBy(options.offsets)),

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
  const { offsets } = options;
  const item = await HOLD[request.kind](query, request.itemId);
  if (!item) return { kind: 'not_found' };
  const { status } = item;
  // The same message again, after its acknowledgement was lost, is answered as the first time.
  const earlier = await decisionRow(query, request.id);
  if (earlier?.state === 'ignored') return notWaiting(item, await pendingRequest(query, request.kind, item.id));
  if (earlier) return { kind: earlier.state, status, decisionId: request.id };
  if (!item.waits(request.action)) return await ignore(query, item, request);
  if (!asksWhatWasSeen(item, request)) return { kind: 'asks_otherwise', detail: otherwise(item) };
  await withdrawOvertaken(query, request.kind, item);
  const pending = await pendingRequest(query, request.kind, item.id);
  const asked = permitted(item, request.kind, { ...request, offsets, reason: askedOf(item, pending) });
  if (asked.kind === 'refused') return asked;
  const restsOn = await whoseWord(query, asked, { item, request, options });
  if (restsOn === 'two') return await askApprover(query, item, { request, pending, atStake: asked.action.atStake });
  await withdrawRequests(query, request.kind, item.id, `overtaken by decision ${request.id}`);
  await insertDecision(query, request, {
    state: 'applied',
    restsOn,
    ...asked.action.atStake,
    ...waitedFor(item, pending),
  });
  return {
    kind: 'applied',
    status: await asked.action.apply(workOf(query, options, request.id)),
    decisionId: request.id,
  };
}

const asksWhatWasSeen = ({ reason, detail }: LockedItem, { seen }: DecisionRequest): boolean =>
  seen === undefined || (seen.reason === reason && (seen.detail === undefined || seen.detail === detail));

const otherwise = ({ reason }: LockedItem): string =>
  `it asks something else than was seen (${reason ?? 'nothing'} now)`;

const workOf = (
  query: Query,
  { clock, disputeRules = DEFAULT_DISPUTE_RULES, refundFee = DEFAULT_FEE_POLICY }: DecideOptions,
  decisionId: DecisionId,
): Work => ({
  query,
  clock,
  disputeRules,
  refundFee,
  decisionId,
});

async function approve(query: Query, approval: Approval, options: DecideOptions): Promise<ApproveOutcome> {
  const { decisionId, by, note } = approval;
  const found = await decisionRow(query, decisionId);
  const item = found && (await HOLD[found.item_kind](query, found.item_id));
  if (item) await withdrawOvertaken(query, found.item_kind, item);
  // Read again now that the item is held: every decision about it is taken under the lock of its row.
  const decision = item && (await decisionRow(query, decisionId));
  if (!decision) return { kind: 'not_found' };
  if (decision.state !== 'pending_approval') return { kind: 'not_waiting', status: decision.state };
  const { action, evidence, principal, first_approver: first } = decision;
  if (isSamePerson(by, principal) || isSamePerson(by, first)) return { kind: 'self_approval' };
  if (!item.waits(action)) return { kind: 'not_waiting', status: item.status };
  const said = {
    action,
    evidence,
    verified: approval.verified,
    offsets: options.offsets,
    reason: askedOf(item, decision),
  };
  const asked = permitted(item, decision.item_kind, said);
  if (asked.kind === 'refused') return asked;
  // A request that nobody authenticated counts for nobody, whatever name it bears: two persons have to approve it.
  const completes = principal !== null || first !== null;
  await (completes ? approveRow(query, approval) : approveFirst(query, approval));
  const what = completes ? 'approved' : 'approved_by_the_first_of_two';
  await recordEvent(query, { kind: decision.item_kind, id: item.id, what, detail: { decision: decisionId, by, note } });
  if (!completes) return { kind: 'pending_approval', status: item.status, decisionId };
  return { kind: 'applied', status: await asked.action.apply(workOf(query, options, decisionId)), decisionId };
}

/** An approval never answers a question that has come after its request. */
async function withdrawOvertaken(query: Query, kind: DecidableKind, item: LockedItem): Promise<void> {
  if (item.reason !== 'approval_pending')
    await withdrawRequests(query, kind, item.id, 'something else is asked since, or nothing');
}

/** API_TOKENS refuses names that differ in case alone; the one of today may have stood there otherwise yesterday. */
const isSamePerson = (one: string, other: string | null): boolean => one.toLowerCase() === other?.toLowerCase();

type Permitted =
  | { readonly kind: 'permitted'; readonly rule: ActionRule; readonly action: PossibleAction }
  | { readonly kind: 'refused'; readonly detail: string };

interface SaidOf extends Said {
  readonly action: string;
  /** What the item waits for; while an approval is pending, what it waited for before. */
  readonly reason: AttentionReason | null;
}

/** Whether this may be decided about this item at all, by however many persons. */
function permitted(item: LockedItem, kind: DecidableKind, said: SaidOf): Permitted {
  const rule = ruleOf(kind, said.action);
  const action = item.on(said.action, said);
  if (!rule || !action) return { kind: 'refused', detail: `a ${kind} is resolved with ${inWords(actionsOf(kind))}` };
  const unfit = action.acknowledges ? undefined : notForThis(said, rule);
  const detail = unfit ?? action.missing;
  return detail === undefined ? { kind: 'permitted', rule, action } : { kind: 'refused', detail };
}

const notForThis = ({ action, reason }: SaidOf, rule: ActionRule): string | undefined =>
  isForReason(rule, reason)
    ? undefined
    : `${action} is for what waits for ${inWords(rule.reasons ?? [])}, and this does not`;

/** What is asked of it but for a request that waits for its approval; null: nothing. */
const askedOf = (item: LockedItem, pending: Pick<DecisionRow, 'asked_reason'> | undefined): AttentionReason | null =>
  pending?.asked_reason ?? (pending !== undefined && item.reason === 'approval_pending' ? null : item.reason);

interface Judged {
  readonly item: LockedItem;
  readonly request: DecisionRequest;
  readonly options: DecideOptions;
}

/** One rule for every kind and every way; see `persons` in the catalogue. */
async function whoseWord(
  query: Query,
  { rule, action }: Extract<Permitted, { kind: 'permitted' }>,
  { item, request, options }: Judged,
): Promise<RestsOn> {
  // That money moved twice, and was given back since, is nothing that anybody may say.
  if (action.acknowledges && item.reason !== 'conflict') return 'nobody';
  switch (rule.persons) {
    case 'none':
      return 'nobody';
    case 'two':
      return 'two';
    case 'none_if_confirmed':
      return action.confirmed === true ? 'nobody' : 'two';
    case 'by_amount_unless_confirmed':
      if (action.confirmed === true) return 'nobody';
      return request.authenticated && (await mayAlone(query, action, { item, request, options })) ? 'one' : 'two';
    case 'by_amount':
      // What nothing bears out takes two; where nothing could, one whom we know may say it, and a bare word may not.
      if (action.confirmed === false || (!request.authenticated && action.confirmed !== true)) return 'two';
      return (await mayAlone(query, action, { item, request, options })) ? 'one' : 'two';
    default:
      return assertNever(rule.persons);
  }
}

/** Summed under the lock of the person, so that many small ones at once do not pass where one large one would not. */
async function mayAlone(query: Query, { atStake }: PossibleAction, { request, options }: Judged): Promise<boolean> {
  const principal = request.authenticated ? request.by : null;
  const before = await givenUpAlone(query, principal, atStake.currency);
  return belowThreshold(options.approvalThreshold, atStake, before);
}

interface Asking {
  readonly request: DecisionRequest;
  readonly pending: DecisionRow | undefined;
  readonly atStake: AtStake;
}

async function askApprover(
  query: Query,
  item: LockedItem,
  { request, pending, atStake }: Asking,
): Promise<DecideOutcome> {
  const { id, kind, by, action, authenticated } = request;
  // One request at a time; what nobody was authenticated for keeps no known person from asking.
  if (pending && !(authenticated && pending.principal === null)) return await ignore(query, item, request, pending);
  await withdrawRequests(query, kind, item.id, `overtaken by request ${id} of ${by}`);
  const before = waitedFor(item, pending);
  await insertDecision(query, request, { state: 'pending_approval', restsOn: 'two', ...atStake, ...before });
  const takes = authenticated ? '' : ', claimed by nobody we know: it takes two persons';
  const asked = before.askedReason === null ? 'nothing was asked' : `${before.askedReason}: ${before.askedDetail}`;
  await query(
    `UPDATE ${item.table} SET attention_reason = 'approval_pending', attention_since = coalesce(attention_since, clock_now()),
       attention_detail = $2 WHERE id = $1`,
    [item.id, `${by} asks to ${action} (decision ${id}${takes}); before that: ${asked}`],
  );
  return { kind: 'pending_approval', status: item.status, decisionId: id };
}

const waitedFor = (item: LockedItem, pending: DecisionRow | undefined) =>
  pending?.asked_reason
    ? { askedReason: pending.asked_reason, askedDetail: pending.asked_detail }
    : { askedReason: item.reason, askedDetail: item.detail };

async function ignore(
  query: Query,
  item: LockedItem,
  request: DecisionRequest,
  pending?: DecisionRow,
): Promise<DecideOutcome> {
  await insertDecision(query, request, { state: 'ignored', ...item.atStake, ...waitedFor(item, undefined) });
  return notWaiting(item, pending);
}

const notWaiting = ({ status }: LockedItem, pending: DecisionRow | undefined): DecideOutcome => ({
  kind: 'not_waiting',
  status,
  ...(pending && { request: pending.id }),
});

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
