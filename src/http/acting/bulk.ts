import type { Resolution } from '../../calls/decisions/decide.js';
import { assertNever } from '../../domain/assert-never.js';
import type { Clock } from '../../domain/clock.js';
import type { ApprovalThreshold } from '../../domain/decisions/approval-threshold.js';
import { actionsFor, actionsOf, inWords, ruleOf } from '../../domain/decisions/decisions.js';
import { effectOf } from '../../domain/explanations/what-an-action-does.js';
import { newDecisionId } from '../../domain/ids.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { ItemSummary } from '../../ledger/reading/item-summaries.js';
import type { DecidedItem } from '../decisions/decisions.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem } from '../problem.js';
import { amountInWords, needsSecondPerson } from '../reading/second-person.js';
import type { Call, Reply } from '../route.js';
import { type BulkRequest, MOST_AT_ONCE } from './acting-operations.js';

export interface BulkDependencies {
  readonly ledger: Pick<Ledger, 'waitingItems' | 'decisionsNotTaken'>;
  readonly resolution: Resolution;
  readonly wake: (item: DecidedItem) => void;
  readonly clock: Clock;
  readonly approvalThreshold: ApprovalThreshold;
}

interface Outcome {
  readonly id: string;
  readonly outcome: 'would_decide' | 'decided' | 'pending_approval' | 'skipped' | 'refused' | 'unanswered';
  readonly status: string | null;
  readonly amount: string | null;
  readonly needs_second_person: boolean | null;
  readonly decision_id: string | null;
  readonly detail: string | null;
}

/**
 * The same decision about each of many items, one by one, on the way of every decision. Only what waits for the reason that was
 * previewed at the moment of its own decision: whatever has moved on meanwhile is passed over, and so is the rest once
 * nobody listens or the caller is shut out.
 */
export async function decideMany(
  { body, principal, isHeard }: Call<BulkRequest, unknown>,
  dependencies: BulkDependencies,
): Promise<Reply> {
  const { kind, reason, action, ids, dry_run: isPreview } = body;
  const { ledger } = dependencies;
  fit(body, await ledger.decisionsNotTaken());
  const asked = ids === undefined ? undefined : [...new Set(ids)];
  const found = await fromLedger(ledger.waitingItems({ kind, reason, ids: asked, limit: MOST_AT_ONCE + 1 }));
  const items = found.slice(0, MOST_AT_ONCE);
  const named = asked ?? items.map(({ id }) => id);
  const outcomes: Outcome[] = [];
  let stopped: string | undefined;
  for (const id of named) {
    const item = items.find((one) => one.id === id);
    if (!item) outcomes.push(skipped(id));
    else if (isPreview) outcomes.push(preview(item, body, dependencies));
    else if (stopped !== undefined) outcomes.push(skipped(id, stopped));
    else
      try {
        if (await fromLedger(isHeard()))
          outcomes.push(await decideOne(item, body, { ...dependencies, by: principal.name }));
        else outcomes.push(skipped(id, (stopped = UNHEARD)));
      } catch (error) {
        outcomes.push(unconfirmed(item, error, outcomes));
        stopped = UNCONFIRMED_BEFORE;
      }
  }
  const counted = outcomes.filter(({ outcome }) => ['would_decide', 'decided', 'pending_approval'].includes(outcome));
  return {
    status: 200,
    body: {
      dry_run: isPreview,
      effect: effectOf(kind, action),
      items: outcomes,
      amounts: sumsOf(items.filter(({ id }) => counted.some((one) => one.id === id))),
      more: asked === undefined && found.length > MOST_AT_ONCE,
    },
  };
}

/** @throws HttpProblem 422 */
function fit({ kind, action, reason }: BulkRequest, notTaken: readonly string[]): void {
  const actions = actionsFor(kind, reason, notTaken);
  if (ruleOf(kind, action) && actions.includes(action)) return;
  const message = ruleOf(kind, action)
    ? `is not for what waits for ${reason}: ${actions.join(', ')}`
    : `is none of ${actionsOf(kind).join(', ')}`;
  throw new HttpProblem(
    'wrong_action',
    `a ${kind} that waits for ${reason} is resolved with ${inWords(actions)}: nothing was decided`,
    {
      errors: [{ pointer: '/action', message }],
    },
  );
}

const skipped = (
  id: string,
  detail = 'it does not wait for this reason now: nothing was decided about it',
): Outcome => ({
  id,
  outcome: 'skipped',
  status: null,
  amount: null,
  needs_second_person: null,
  decision_id: null,
  detail,
});

const UNHEARD = 'whoever asked is not let in any more, or does not wait for the answer: nothing was decided about it';

const UNCONFIRMED_BEFORE = 'Postgres did not answer before its turn came: nothing was decided about it';

/**
 * What was decided before is told, whatever becomes of the rest.
 * @throws the error itself where nothing was decided before, or where it is no outage of Postgres
 */
function unconfirmed(item: ItemSummary, error: unknown, before: readonly Outcome[]): Outcome {
  const isOutage = error instanceof HttpProblem && error.code === 'ledger_unavailable';
  if (!isOutage || !before.some(({ outcome }) => outcome !== 'skipped')) throw error;
  return {
    ...skipped(item.id, error.message),
    outcome: 'unanswered',
    status: item.status,
    amount: amountInWords(item),
  };
}

const preview = (item: ItemSummary, { action }: BulkRequest, { approvalThreshold }: BulkDependencies): Outcome => ({
  id: item.id,
  outcome: 'would_decide',
  status: item.status,
  amount: amountInWords(item),
  needs_second_person: needsSecondPerson(item, action, approvalThreshold),
  decision_id: null,
  detail: null,
});

async function decideOne(
  item: ItemSummary,
  { kind, reason, action, note }: BulkRequest,
  { ledger, resolution, wake, clock, by }: BulkDependencies & { readonly by: string },
): Promise<Outcome> {
  const { id } = item;
  const [still] = await fromLedger(ledger.waitingItems({ kind, reason, ids: [id], limit: 1 }));
  if (!still) return skipped(id);
  const decision = { id: newDecisionId(clock.nowMs()), kind, itemId: id, action, by, note, authenticated: true };
  const outcome = await fromLedger(resolution.decide({ ...decision, evidence: null, seen: { reason } }));
  const told = (word: Outcome['outcome'], status: string | null, decisionId: string | null, detail: string | null) => ({
    id,
    outcome: word,
    status,
    amount: amountInWords(item),
    needs_second_person: word === 'decided' ? false : word === 'pending_approval' ? true : null,
    decision_id: decisionId,
    detail,
  });
  switch (outcome.kind) {
    case 'applied':
      wake({ kind, id });
      return told('decided', outcome.status, outcome.decisionId, null);
    case 'pending_approval':
      return told('pending_approval', outcome.status, outcome.decisionId, null);
    case 'not_found':
    case 'not_waiting':
    case 'asks_otherwise':
      return skipped(id);
    case 'refused':
    case 'unanswered':
      return told(outcome.kind, item.status, null, outcome.detail);
    default:
      return assertNever(outcome);
  }
}

function sumsOf(items: readonly ItemSummary[]) {
  const sums = new Map<string, ItemSummary>();
  for (const item of items) {
    const name = `${item.unit} ${item.decimals}`;
    const before = sums.get(name);
    sums.set(name, before ? { ...item, amount: (BigInt(before.amount) + BigInt(item.amount)).toString() } : item);
  }
  return [...sums.values()].map((sum) => ({ unit: sum.unit, amount: amountInWords(sum) }));
}
