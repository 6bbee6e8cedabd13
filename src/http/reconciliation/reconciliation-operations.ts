import { OPERATORS } from '../allowed-roles.js';
import { READS_ONE, READS_PAGE } from '../read-operations.js';
import { NOTHING, type Operation } from '../route.js';
import {
  AcceptDriftRequest,
  DriftAnswer,
  DriftListAnswer,
  DriftListQuery,
  NewReconciliationRequest,
  ReconciliationAnswer,
  ReconciliationListAnswer,
  ReconciliationListQuery,
} from './reconciliation-schemas.js';

export const listDriftOperation = {
  ...READS_PAGE,
  id: 'listDrift',
  path: '/api/v1/drift',
  summary: 'Where the ledger and a provider tell different things, newest first.',
  query: DriftListQuery,
  answers: { 200: { description: 'A page of drift.', schema: DriftListAnswer } },
} satisfies Operation<unknown, DriftListQuery>;

export const getDriftOperation = {
  ...READS_ONE,
  id: 'getDrift',
  path: '/api/v1/drift/{id}',
  summary: 'One drift: what the ledger says, what the provider says, and when both were last looked at.',
  answers: { 200: { description: 'The drift.', schema: DriftAnswer } },
} satisfies Operation;

export const acceptDriftOperation = {
  id: 'acceptDrift',
  method: 'POST',
  path: '/api/v1/drift/{id}/accept',
  summary:
    'Say that it is right as it is, as you saw it. No money moves; said differently later, it is told again. From APPROVAL_THRESHOLD on an approver confirms it by the same request.',
  roles: OPERATORS,
  body: AcceptDriftRequest,
  query: NOTHING,
  answers: {
    200: { description: 'Closed and recorded.', schema: DriftAnswer },
    202: { description: 'Recorded; a second person has to confirm it.', schema: DriftAnswer },
  },
  problems: ['not_waiting', 'changed_since', 'ledger_unavailable'],
} satisfies Operation<AcceptDriftRequest>;

export const listReconciliationsOperation = {
  ...READS_PAGE,
  id: 'listReconciliations',
  path: '/api/v1/reconciliations',
  summary: 'Runs that compare the ledger with its providers, newest first.',
  query: ReconciliationListQuery,
  answers: { 200: { description: 'A page of runs.', schema: ReconciliationListAnswer } },
} satisfies Operation<unknown, ReconciliationListQuery>;

export const getReconciliationOperation = {
  ...READS_ONE,
  id: 'getReconciliation',
  path: '/api/v1/reconciliations/{id}',
  summary: 'One run, and how far it is.',
  answers: { 200: { description: 'The run.', schema: ReconciliationAnswer } },
} satisfies Operation;

export const startReconciliationOperation = {
  id: 'startReconciliation',
  method: 'POST',
  path: '/api/v1/reconciliations',
  summary: 'Compare now. One run at a time: while one is at work, it is the answer. Nothing is moved by it.',
  roles: OPERATORS,
  body: NewReconciliationRequest,
  query: NOTHING,
  answers: { 202: { description: 'The run that is at work.', schema: ReconciliationAnswer } },
  problems: ['ledger_unavailable'],
} satisfies Operation<NewReconciliationRequest>;

export const RECONCILIATION_OPERATIONS: readonly Operation[] = [
  listDriftOperation,
  getDriftOperation,
  acceptDriftOperation,
  listReconciliationsOperation,
  getReconciliationOperation,
  startReconciliationOperation,
];
