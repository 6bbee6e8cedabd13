import type { Clock } from '../../domain/clock.js';
import { newReconciliationId, parseDriftId, parseReconciliationId, type ReconciliationId } from '../../domain/ids.js';
import { driftAnswer } from '../../domain/reconciliation/drift-answer.js';
import { reconciliationAnswer } from '../../domain/reconciliation/reconciliation-answer.js';
import type { Ledger } from '../../ledger/ledger.js';
import { fromLedger } from '../from-ledger.js';
import { namedItem } from '../marketplace/marketplace-list.js';
import { HttpProblem } from '../problem.js';
import { type Call, type Reply, type Route, route } from '../route.js';
import { pageOf } from '../schema-parts.js';
import {
  acceptDriftOperation,
  getDriftOperation,
  getReconciliationOperation,
  listDriftOperation,
  listReconciliationsOperation,
  startReconciliationOperation,
} from './reconciliation-operations.js';
import type {
  AcceptDriftRequest,
  DriftListQuery,
  NewReconciliationRequest,
  ReconciliationListQuery,
} from './reconciliation-schemas.js';

export interface ReconciliationRouteDependencies {
  readonly ledger: Pick<
    Ledger,
    'listDrifts' | 'findDrift' | 'acceptDrift' | 'listReconciliations' | 'findReconciliation' | 'beginReconciliation'
  >;
  /** Off the request path; never throws. What it misses the schedule takes up. */
  readonly start: (id: ReconciliationId, requestedBy: string) => void;
  readonly clock: Clock;
}

/** What the reconciler found, and its runs. */
export const reconciliationRoutes = (dependencies: ReconciliationRouteDependencies): readonly Route[] => [
  route(listDriftOperation, (call) => listDrift(call, dependencies)),
  route(getDriftOperation, (call) => getDrift(call, dependencies)),
  route(acceptDriftOperation, (call) => accept(call, dependencies)),
  route(listReconciliationsOperation, (call) => listRuns(call, dependencies)),
  route(getReconciliationOperation, (call) => getRun(call, dependencies)),
  route(startReconciliationOperation, (call) => start(call, dependencies)),
];

type Dependencies = ReconciliationRouteDependencies;

async function listDrift({ query }: Call<unknown, DriftListQuery>, { ledger }: Dependencies): Promise<Reply> {
  const limit = Number(query.limit);
  const { state, kind, item_id: itemId, cursor: before } = query;
  const found = await fromLedger(ledger.listDrifts({ state, kind, itemId, before, limit: limit + 1 }));
  return { status: 200, body: pageOf(found.map(driftAnswer), limit) };
}

async function getDrift({ params }: Call<unknown, unknown>, { ledger }: Dependencies): Promise<Reply> {
  const drift = await namedItem('drift', parseDriftId(params.id ?? ''), (id) => ledger.findDrift(id));
  return { status: 200, body: driftAnswer(drift) };
}

async function accept(
  { params, body, principal }: Call<AcceptDriftRequest, unknown>,
  { ledger }: Dependencies,
): Promise<Reply> {
  const id = parseDriftId(params.id ?? '');
  if (id === undefined) throw noDrift();
  const { name: by, role } = principal;
  const outcome = await fromLedger(
    ledger.acceptDrift({ id, by, authenticated: true, approves: role === 'approver', ...body }),
  );
  switch (outcome.kind) {
    case 'accepted':
      return { status: 200, body: driftAnswer(outcome.drift) };
    case 'pending':
      return { status: 202, body: driftAnswer(outcome.drift) };
    case 'changed':
      throw new HttpProblem(
        'changed_since',
        `it is told otherwise since you looked (version ${outcome.drift.version} now): nothing was accepted; read it again`,
      );
    case 'not_open':
      throw new HttpProblem('not_waiting', 'this drift is closed: nobody is asked about it any more');
    case 'no_approver':
    case 'no_token':
      throw new HttpProblem(
        'forbidden',
        'an approver confirms what another person has asked for: nothing was accepted',
      );
    case 'missing':
      throw noDrift();
  }
}

const noDrift = () => new HttpProblem('not_found', 'there is no drift with this id');

async function listRuns({ query }: Call<unknown, ReconciliationListQuery>, { ledger }: Dependencies): Promise<Reply> {
  const limit = Number(query.limit);
  const found = await fromLedger(ledger.listReconciliations(query.cursor, limit + 1));
  return { status: 200, body: pageOf(found.map(reconciliationAnswer), limit) };
}

async function getRun({ params }: Call<unknown, unknown>, { ledger }: Dependencies): Promise<Reply> {
  const run = await namedItem('reconciliation', parseReconciliationId(params.id ?? ''), (id) =>
    ledger.findReconciliation(id),
  );
  return { status: 200, body: reconciliationAnswer(run) };
}

async function start(
  { body, principal }: Call<NewReconciliationRequest, unknown>,
  dependencies: Dependencies,
): Promise<Reply> {
  const { ledger, clock } = dependencies;
  const asked = { id: newReconciliationId(clock.nowMs()), requestedBy: principal.name, since: body.since ?? null };
  const { id } = await fromLedger(ledger.beginReconciliation(asked));
  dependencies.start(id, principal.name);
  const run = await namedItem('reconciliation', id, (own) => ledger.findReconciliation(own));
  return { status: 202, body: reconciliationAnswer(run) };
}
