import { assertNever } from '../domain/assert-never.js';
import type { Clock } from '../domain/clock.js';
import { newDecisionId, parseDecisionId, parseRefundId, parseReversalId, parseTransferId } from '../domain/ids.js';
import type { SellerTransfer } from '../domain/marketplace.js';
import type { ApproveOutcome } from '../ledger/ledger-types.js';
import type { DecidableKind, DecisionItem, MoneyAction, MoneyDecideOutcome } from '../ledger/money-decision-types.js';
import { fromLedger } from './from-ledger.js';
import type { MarketplaceRouteDependencies, Unanswered } from './money-dependencies.js';
import {
  resolveRefundOperation,
  resolveReversalOperation,
  resolveTransferOperation,
  retryTransferOperation,
} from './money-operations.js';
import { REFUND_ACTIONS, REVERSAL_ACTIONS, type ResolveMoneyRequest, TRANSFER_ACTIONS } from './money-schemas.js';
import { notWaiting } from './not-waiting.js';
import { approveDecisionOperation } from './operations.js';
import { HttpProblem, retryAfter } from './problem.js';
import { type Call, type Reply, type Route, route } from './route.js';
import type { NoteRequest } from './schema-parts.js';

export interface DecisionRouteDependencies {
  readonly marketplace: Pick<MarketplaceRouteDependencies, 'ledger' | 'decide' | 'approve' | 'nudge'>;
  /** Of a settlement; also wakes its workflow. */
  readonly approveSettlement: (request: {
    readonly decisionId: DecisionItem['decisionId'];
    readonly by: string;
    readonly note: string;
  }) => Promise<ApproveOutcome>;
  readonly clock: Clock;
}

/** What persons decide about money that needs attention: retried, adopted, compensated, given up, and approved. */
export function decisionRoutes(dependencies: DecisionRouteDependencies): readonly Route[] {
  return [
    route(resolveTransferOperation, (call) => resolve(TRANSFER, call, dependencies)),
    route(resolveReversalOperation, (call) => resolve(REVERSAL, call, dependencies)),
    route(resolveRefundOperation, (call) => resolve(REFUND, call, dependencies)),
    route(retryTransferOperation, (call) => retryTransfer(call, dependencies)),
    route(approveDecisionOperation, (call) => approve(call, dependencies)),
  ];
}

interface Decidable {
  readonly kind: DecidableKind;
  readonly parse: (text: string) => string | undefined;
  readonly actions: readonly MoneyAction[];
}

const TRANSFER: Decidable = { kind: 'transfer', parse: parseTransferId, actions: TRANSFER_ACTIONS };
const REVERSAL: Decidable = { kind: 'reversal', parse: parseReversalId, actions: REVERSAL_ACTIONS };
const REFUND: Decidable = { kind: 'refund', parse: parseRefundId, actions: REFUND_ACTIONS };

const notFound = (kind: string) => new HttpProblem('not_found', `there is no ${kind} with this id`);

async function resolve(
  decidable: Decidable,
  { params, body, principal }: Call<ResolveMoneyRequest, unknown>,
  dependencies: DecisionRouteDependencies,
): Promise<Reply> {
  const { kind, actions } = decidable;
  const itemId = decidable.parse(params.id ?? '');
  if (itemId === undefined) throw notFound(kind);
  const action = actions.find((candidate) => candidate === body.action);
  if (!action) {
    throw new HttpProblem(
      'wrong_action',
      `a ${kind} is resolved with one of ${actions.join(', ')}: nothing was decided`,
      { errors: [{ pointer: '/action', message: `is none of ${actions.join(', ')}` }] },
    );
  }
  const { note, evidence } = body;
  return await decide({ kind, itemId, action, by: principal.name, note, evidence }, dependencies);
}

async function retryTransfer(
  { params, body, principal }: Call<NoteRequest, unknown>,
  dependencies: DecisionRouteDependencies,
): Promise<Reply> {
  const id = parseTransferId(params.id ?? '');
  const transfer = id && (await fromLedger(dependencies.marketplace.ledger.findTransfer(id)));
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

interface Asked {
  readonly kind: DecidableKind;
  readonly itemId: string;
  readonly action: MoneyAction;
  readonly by: string;
  readonly note: string;
  readonly evidence?: Readonly<Record<string, string | undefined>>;
}

async function decide(asked: Asked, { marketplace, clock }: DecisionRouteDependencies): Promise<Reply> {
  const { kind, itemId, action, by, note, evidence } = asked;
  const outcome = await fromLedger(
    marketplace.decide({
      id: newDecisionId(clock.nowMs()),
      kind,
      itemId,
      action,
      by,
      authenticated: true,
      note,
      evidence: evidence ? { ...evidence } : null,
    }),
  );
  if (outcome.kind === 'applied') marketplace.nudge({ kind, id: itemId });
  return answerOf(outcome, { kind, itemId });
}

/** Stripe is asked again by the same request. */
const PROVIDER_RETRY_SECONDS = 30;

function answerOf(
  outcome: MoneyDecideOutcome | Unanswered,
  { kind, itemId }: { readonly kind: string; readonly itemId: string },
): Reply {
  switch (outcome.kind) {
    case 'applied':
      return { status: 200, body: { id: itemId, status: outcome.status, decision_id: outcome.decisionId } };
    case 'pending_approval':
      return { status: 202, body: { id: itemId, status: 'pending_approval', decision_id: outcome.decisionId } };
    case 'not_found':
      throw notFound(kind);
    case 'not_waiting':
      throw notWaiting(outcome.status);
    case 'refused':
      throw new HttpProblem('decision_refused', `${outcome.detail}; nothing was decided`);
    case 'unanswered':
      throw new HttpProblem(
        'provider_unavailable',
        `${outcome.detail}; without Stripe's word nothing is decided: send the same decision again later`,
        { headers: retryAfter(PROVIDER_RETRY_SECONDS) },
      );
    default:
      return assertNever(outcome);
  }
}

async function approve(
  { params, body, principal }: Call<NoteRequest, unknown>,
  dependencies: DecisionRouteDependencies,
): Promise<Reply> {
  const { marketplace } = dependencies;
  const decisionId = parseDecisionId(params.id ?? '');
  const item = decisionId && (await fromLedger(marketplace.ledger.decisionItem(decisionId)));
  if (!item) throw noDecision();
  const approval = { decisionId: item.decisionId, by: principal.name, note: body.note };
  if (item.kind === 'settlement') {
    return approved(await fromLedger(dependencies.approveSettlement(approval)), item, approval.by);
  }
  const outcome = await fromLedger(marketplace.approve(approval));
  if (outcome.kind === 'applied') marketplace.nudge({ kind: item.kind, id: item.itemId });
  return approved(outcome, item, approval.by);
}

type Approved = MoneyDecideOutcome | Unanswered | ApproveOutcome;

function approved(outcome: Approved, item: DecisionItem, by: string): Reply {
  switch (outcome.kind) {
    case 'self_approval':
      throw new HttpProblem('self_approval', `${by} asked for this; another person has to approve it`);
    case 'not_found':
      throw noDecision();
    case 'applied':
    case 'pending_approval':
    case 'not_waiting':
    case 'refused':
    case 'unanswered':
      return answerOf(outcome, item);
    default:
      return assertNever(outcome);
  }
}

const noDecision = () => new HttpProblem('not_found', 'there is no decision with this id');
