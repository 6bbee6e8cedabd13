import { ACTING_OPERATIONS } from './acting/acting-operations.js';
import { READERS, SERVICES } from './allowed-roles.js';
import { SESSION_OPERATIONS } from './console/session-operations.js';
import { DECISION_OPERATIONS } from './decisions/decision-operations.js';
import { MARKETPLACE_OPERATIONS } from './marketplace/marketplace-operations.js';
import { READS_ONE, READS_PAGE } from './read-operations.js';
import { READING_OPERATIONS } from './reading/reading-operations.js';
import { NOTHING, type Operation } from './route.js';
import {
  HealthAnswer,
  ListQuery,
  NewSettlementRequest,
  ReadyAnswer,
  SettlementAnswer,
  SettlementListAnswer,
} from './settlements/settlement-schemas.js';

const KIB = 1024;

export const createSettlementOperation = {
  id: 'createSettlement',
  method: 'POST',
  path: '/api/v1/settlements',
  summary:
    'Take over the charge of a served response; it is collected exactly once, however long the auth server is down.',
  roles: SERVICES,
  body: NewSettlementRequest,
  bodyLimitBytes: 256 * KIB,
  query: NOTHING,
  answers: {
    202: {
      description:
        'The settlement, durable. Sent again with the same key and content: its present state. A credential that cannot be decoded waits for an operator.',
      schema: SettlementAnswer,
    },
  },
  problems: ['key_conflict', 'credential_already_used', 'spent_over_cap', 'not_configured', 'ledger_unavailable'],
} satisfies Operation<NewSettlementRequest>;

export const listSettlementsOperation = {
  ...READS_PAGE,
  id: 'listSettlements',
  path: '/api/v1/settlements',
  summary: 'Settlements, newest first.',
  query: ListQuery,
  answers: { 200: { description: 'A page of settlements.', schema: SettlementListAnswer } },
} satisfies Operation<unknown, ListQuery>;

export const getSettlementOperation = {
  ...READS_ONE,
  id: 'getSettlement',
  path: '/api/v1/settlements/{id}',
  summary: 'One settlement.',
  answers: { 200: { description: 'The settlement.', schema: SettlementAnswer } },
} satisfies Operation;

export const healthOperation = {
  id: 'health',
  method: 'GET',
  path: '/healthz',
  summary: 'The process is alive.',
  roles: 'public',
  body: NOTHING,
  query: NOTHING,
  answers: { 200: { description: 'Alive.', schema: HealthAnswer } },
  problems: [],
} satisfies Operation;

export const readyOperation = {
  id: 'ready',
  method: 'GET',
  path: '/readyz',
  summary: 'The server can take requests; without Temporal or a provider it still can, and says so.',
  roles: 'public',
  body: NOTHING,
  query: NOTHING,
  answers: { 200: { description: 'Ready, perhaps degraded.', schema: ReadyAnswer } },
  problems: ['not_ready'],
} satisfies Operation;

export const metricsOperation = {
  id: 'metrics',
  method: 'GET',
  path: '/metrics',
  summary: 'Prometheus metrics; money is counted in Postgres at this moment.',
  roles: READERS,
  body: NOTHING,
  query: NOTHING,
  answers: { 200: { description: 'Prometheus text.', type: 'text/plain' } },
  problems: [],
} satisfies Operation;

export const openApiOperation = {
  id: 'openapi',
  method: 'GET',
  path: '/openapi.json',
  summary: 'This description.',
  roles: 'public',
  body: NOTHING,
  query: NOTHING,
  answers: { 200: { description: 'OpenAPI 3.1.', type: 'application/json' } },
  problems: [],
} satisfies Operation;

export const OPERATIONS: readonly Operation[] = [
  createSettlementOperation,
  listSettlementsOperation,
  getSettlementOperation,
  ...MARKETPLACE_OPERATIONS,
  ...DECISION_OPERATIONS,
  ...READING_OPERATIONS,
  ...ACTING_OPERATIONS,
  ...SESSION_OPERATIONS,
  healthOperation,
  readyOperation,
  metricsOperation,
  openApiOperation,
];
