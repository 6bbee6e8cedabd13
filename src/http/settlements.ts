import { assertNever } from '../domain/assert-never.js';
import type { Clock } from '../domain/clock.js';
import { newDecisionId, parseSettlementId, type SettlementId } from '../domain/ids.js';
import type { Settlement } from '../domain/settlement.js';
import { settlementAnswer } from '../domain/settlement-answer.js';
import type {
  ApproveOutcome,
  CreateOutcome,
  DecideOutcome,
  DecisionRequest,
  NewSettlement,
  SettlementFilter,
} from '../ledger/ledger-types.js';
import type { Logger } from '../observability/logger.js';
import type { Unanswered } from '../resolution/decide.js';
import { acceptSettlement } from './accept-settlement.js';
import { fromLedger } from './from-ledger.js';
import { notWaiting } from './not-waiting.js';
import {
  createSettlementOperation,
  getSettlementOperation,
  listSettlementsOperation,
  resolveSettlementOperation,
} from './operations.js';
import { HttpProblem, retryAfter } from './problem.js';
import { type Call, type Reply, type Route, route } from './route.js';
import { pageOf, wanted } from './schema-parts.js';
import { type ListQuery, type NewSettlementRequest, RESOLVE_ACTIONS, type ResolveRequest } from './schemas.js';

/** What the routes need of the ledger. */
export interface SettlementLedger {
  createSettlement(settlement: NewSettlement): Promise<CreateOutcome>;
  findSettlement(id: SettlementId): Promise<Settlement | undefined>;
  listSettlements(filter: SettlementFilter): Promise<readonly Settlement[]>;
  /** Asks the chain where the decision needs it. */
  decide(request: DecisionRequest): Promise<DecideOutcome | Unanswered>;
  approve(request: { decisionId: DecisionRequest['id']; by: string; note: string }): Promise<ApproveOutcome>;
}

export interface SettlementRouteDependencies {
  readonly ledger: SettlementLedger;
  readonly orchestration: {
    /** Starts the workflow off the request path; never throws. */
    dispatch(id: SettlementId): void;
    /** Nudges the workflow after a decision; what it misses is found by the sweep. */
    wake(id: SettlementId): Promise<void>;
  };
  /** undefined: AUTH_SERVER_URL is not set, and no new settlement is taken. */
  readonly authServer: { readonly destinationAccountId: string | undefined } | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function settlementRoutes(dependencies: SettlementRouteDependencies): readonly Route[] {
  return [
    route(createSettlementOperation, (call) => create(call, dependencies)),
    route(listSettlementsOperation, (call) => list(call, dependencies)),
    route(getSettlementOperation, (call) => get(call, dependencies)),
    route(resolveSettlementOperation, (call) => resolve(call, dependencies)),
  ];
}

const NOT_CONFIGURED_RETRY_SECONDS = 300;
const PROVIDER_RETRY_SECONDS = 30;

async function create(
  { body }: Call<NewSettlementRequest, unknown>,
  { authServer, clock, ledger, orchestration }: SettlementRouteDependencies,
): Promise<Reply> {
  if (!authServer) {
    throw new HttpProblem(
      'not_configured',
      'settlements need AUTH_SERVER_URL: nothing was stored, keep the credential',
      {
        headers: retryAfter(NOT_CONFIGURED_RETRY_SECONDS),
      },
    );
  }
  const settlement = acceptSettlement(body, { nowMs: clock.nowMs(), ...authServer });
  const outcome = await fromLedger(ledger.createSettlement(settlement));
  if (outcome.kind === 'conflict') throw conflict(outcome.on);
  if (outcome.kind === 'created') orchestration.dispatch(outcome.settlement.id);
  return { status: 202, body: settlementAnswer(outcome.settlement) };
}

function conflict(on: 'key' | 'identity'): HttpProblem {
  return on === 'key'
    ? new HttpProblem(
        'key_conflict',
        'this key stands for a request with other content, which goes on: nothing was stored',
      )
    : new HttpProblem(
        'credential_already_used',
        'this credential is being settled under another key, and is charged once: nothing was stored',
      );
}

async function list({ query }: Call<unknown, ListQuery>, { ledger }: SettlementRouteDependencies): Promise<Reply> {
  if (query.order_id !== undefined) return { status: 200, body: { items: [], next_cursor: null } };
  const limit = Number(query.limit);
  const found = await fromLedger(
    ledger.listSettlements({
      status: query.status,
      needsAttention: wanted(query.needs_attention),
      protocol: query.protocol,
      key: query.key,
      before: query.cursor as SettlementId | undefined,
      // One more than asked for tells whether there is a next page.
      limit: limit + 1,
    }),
  );
  return { status: 200, body: pageOf(found.map(settlementAnswer), limit) };
}

async function get({ params }: Call<unknown, unknown>, { ledger }: SettlementRouteDependencies): Promise<Reply> {
  const id = parseSettlementId(params.id ?? '');
  const settlement = id && (await fromLedger(ledger.findSettlement(id)));
  if (!settlement) throw noSettlement();
  return { status: 200, body: settlementAnswer(settlement) };
}

const noSettlement = () => new HttpProblem('not_found', 'there is no settlement with this id');

async function resolve(
  { params, body, principal }: Call<ResolveRequest, unknown>,
  dependencies: SettlementRouteDependencies,
): Promise<Reply> {
  const { ledger, clock } = dependencies;
  const settlementId = parseSettlementId(params.id ?? '');
  if (!settlementId) throw noSettlement();
  const action = RESOLVE_ACTIONS.find((candidate) => candidate === body.action);
  if (!action) {
    throw new HttpProblem(
      'wrong_action',
      `a settlement is resolved with one of ${RESOLVE_ACTIONS.join(', ')}: nothing was decided`,
      {
        errors: [{ pointer: '/action', message: `is none of ${RESOLVE_ACTIONS.join(', ')}` }],
      },
    );
  }
  const outcome = await fromLedger(
    ledger.decide({
      id: newDecisionId(clock.nowMs()),
      settlementId,
      action,
      by: principal.name,
      authenticated: true,
      note: body.note,
      evidence: body.evidence ? { ...body.evidence } : null,
    }),
  );
  switch (outcome.kind) {
    case 'applied':
      wake(settlementId, dependencies);
      return { status: 200, body: { id: settlementId, status: outcome.status, decision_id: outcome.decisionId } };
    case 'pending_approval':
      return { status: 202, body: { id: settlementId, status: 'pending_approval', decision_id: outcome.decisionId } };
    case 'not_found':
      throw noSettlement();
    case 'not_waiting':
      throw notWaiting(outcome.status);
    case 'refused':
      throw new HttpProblem('decision_refused', `${outcome.detail}; nothing was decided`);
    case 'unanswered':
      throw new HttpProblem(
        'provider_unavailable',
        `${outcome.detail}; without the chain's word nothing is decided: send the same decision again later`,
        { headers: retryAfter(PROVIDER_RETRY_SECONDS) },
      );
    default:
      return assertNever(outcome);
  }
}

/** Confirms another person's decision about a settlement. */
export async function approveSettlement(
  request: { readonly decisionId: DecisionRequest['id']; readonly by: string; readonly note: string },
  dependencies: SettlementRouteDependencies,
): Promise<ApproveOutcome> {
  const outcome = await dependencies.ledger.approve(request);
  if (outcome.kind === 'applied') wake(outcome.settlementId, dependencies);
  return outcome;
}

/** Off the request path: the decision stands in the ledger, and a workflow that is not woken is found by the sweep. */
function wake(id: SettlementId, { orchestration, logger }: SettlementRouteDependencies): void {
  orchestration
    .wake(id)
    .catch((error: unknown) =>
      logger.warn({ settlement: id, err: error }, 'the workflow was not told of the decision; the sweep will find it'),
    );
}
