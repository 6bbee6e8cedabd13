import type { Resolution, Unanswered, UnverifiedDecision } from '../../calls/decisions/decide.js';
import { assertNever } from '../../domain/assert-never.js';
import type { Clock } from '../../domain/clock.js';
import {
  actionsOf,
  DECIDABLE_KINDS,
  type DecidableKind,
  inWords,
  nothingToApprove,
  ruleOf,
} from '../../domain/decisions/decisions.js';
import {
  newDecisionId,
  parseDecisionId,
  parseDisputeId,
  parsePaymentId,
  parseRefundId,
  parseReversalId,
  parseSettlementId,
  parseTransferId,
} from '../../domain/ids.js';
import type { SellerTransfer } from '../../domain/marketplace/marketplace.js';
import type { ApproveOutcome, DecisionItem } from '../../ledger/decisions/decision-types.js';
import type { Ledger } from '../../ledger/ledger.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem, retryAfter } from '../problem.js';
import { type Call, type Reply, type Route, route } from '../route.js';
import type { NoteRequest } from '../schema-parts.js';
import { approveDecisionOperation, RESOLVE_OPERATIONS, retryTransferOperation } from './decision-operations.js';
import type { ResolveRequest } from './decision-schemas.js';
import { notWaiting } from './not-waiting.js';

export interface DecisionRouteDependencies {
  readonly ledger: Pick<Ledger, 'decisionItem' | 'findTransfer'>;
  readonly resolution: Resolution;
  /** Starts or wakes the item's workflow off the request path; never throws. What it misses is found by the sweep. */
  readonly wake: (item: DecidedItem) => void;
  readonly clock: Clock;
}

export interface DecidedItem {
  readonly kind: DecidableKind;
  readonly id: string;
}

/** What persons decide about items that need attention, of every kind, and what other persons approve. */
export function decisionRoutes(dependencies: DecisionRouteDependencies): readonly Route[] {
  return [
    ...DECIDABLE_KINDS.map((kind) => route(RESOLVE_OPERATIONS[kind], (call) => resolve(kind, call, dependencies))),
    route(retryTransferOperation, (call) => retryTransfer(call, dependencies)),
    route(approveDecisionOperation, (call) => approve(call, dependencies)),
  ];
}

const PARSE: { readonly [Kind in DecidableKind]: (text: string) => string | undefined } = {
  settlement: parseSettlementId,
  transfer: parseTransferId,
  reversal: parseReversalId,
  payment: parsePaymentId,
  refund: parseRefundId,
  dispute: parseDisputeId,
};

const notFound = (kind: string) => new HttpProblem('not_found', `there is no ${kind} with this id`);

async function resolve(
  kind: DecidableKind,
  { params, body, principal }: Call<ResolveRequest, unknown>,
  dependencies: DecisionRouteDependencies,
): Promise<Reply> {
  const itemId = PARSE[kind](params.id ?? '');
  if (itemId === undefined) throw notFound(kind);
  const { action, note, evidence, seen } = body;
  if (!ruleOf(kind, action)) {
    const actions = actionsOf(kind);
    throw new HttpProblem('wrong_action', `a ${kind} is resolved with ${inWords(actions)}: nothing was decided`, {
      errors: [{ pointer: '/action', message: `is none of ${actions.join(', ')}` }],
    });
  }
  return await decide({ kind, itemId, action, by: principal.name, note, evidence, seen }, dependencies);
}

async function retryTransfer(
  { params, body, principal }: Call<NoteRequest, unknown>,
  dependencies: DecisionRouteDependencies,
): Promise<Reply> {
  const id = parseTransferId(params.id ?? '');
  const transfer = id && (await fromLedger(dependencies.ledger.findTransfer(id)));
  if (!transfer) throw notFound('transfer');
  if (everCompleted(transfer)) {
    throw new HttpProblem(
      'already_completed',
      `the seller got this transfer (${transfer.stripeTransferId ?? 'its id at Stripe is not known'}): nothing is sent again`,
    );
  }
  return await decide(
    { kind: 'transfer', itemId: transfer.id, action: 'retry', by: principal.name, note: body.note },
    dependencies,
  );
}

/** Only money that surely reached the seller makes a transfer certain; whatever became of it later, it stays so. */
const everCompleted = ({ certainty, stripeTransferId }: SellerTransfer): boolean =>
  certainty === 'done' || stripeTransferId !== null;

type Asked = Pick<UnverifiedDecision, 'kind' | 'itemId' | 'action' | 'by' | 'note' | 'seen'> &
  Pick<ResolveRequest, 'evidence'>;

async function decide(asked: Asked, { resolution, wake, clock }: DecisionRouteDependencies): Promise<Reply> {
  const { evidence, ...said } = asked;
  const decision = { id: newDecisionId(clock.nowMs()), ...said, authenticated: true };
  const outcome = await fromLedger(resolution.decide({ ...decision, evidence: evidence ? { ...evidence } : null }));
  if (outcome.kind === 'applied') wake({ kind: asked.kind, id: asked.itemId });
  return answerOf(outcome, asked, asked.by);
}

async function approve(
  { params, body, principal }: Call<NoteRequest, unknown>,
  { ledger, resolution, wake }: DecisionRouteDependencies,
): Promise<Reply> {
  const decisionId = parseDecisionId(params.id ?? '');
  const item = decisionId && (await fromLedger(ledger.decisionItem(decisionId)));
  if (!item) throw notFound('decision');
  const outcome = await fromLedger(resolution.approve({ decisionId, by: principal.name, note: body.note }));
  if (outcome.kind === 'applied') wake({ kind: item.kind, id: item.itemId });
  if (outcome.kind === 'not_waiting') throw new HttpProblem('not_waiting', nothingToApprove(outcome.status, item));
  return answerOf(outcome, item, principal.name);
}

/** The provider is asked again by the same request. */
const PROVIDER_RETRY_SECONDS = 30;

function answerOf(
  outcome: ApproveOutcome | Unanswered,
  { kind, itemId }: Pick<DecisionItem, 'kind' | 'itemId'>,
  by: string,
): Reply {
  switch (outcome.kind) {
    case 'applied':
      return { status: 200, body: { id: itemId, status: outcome.status, decision_id: outcome.decisionId } };
    case 'pending_approval':
      return { status: 202, body: { id: itemId, status: 'pending_approval', decision_id: outcome.decisionId } };
    case 'not_found':
      throw notFound(kind);
    case 'not_waiting':
      throw notWaiting(outcome.status, outcome.request);
    case 'asks_otherwise':
      throw new HttpProblem('changed_since', `${outcome.detail}: nothing was decided; read it again`);
    case 'self_approval':
      throw new HttpProblem(
        'self_approval',
        `${by} asked for this, or has approved it already; another person has to approve it`,
      );
    case 'refused':
      throw new HttpProblem('decision_refused', `${outcome.detail}; nothing was decided`);
    case 'unanswered':
      throw new HttpProblem(
        'provider_unavailable',
        `${outcome.detail}; without the provider's word nothing is decided: send the same decision again later`,
        { headers: retryAfter(PROVIDER_RETRY_SECONDS) },
      );
    default:
      return assertNever(outcome);
  }
}
