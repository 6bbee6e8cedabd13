import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createResolution } from '../../src/calls/decisions/decide.js';
import { systemClock } from '../../src/domain/clock.js';
import type { SettlementId } from '../../src/domain/ids.js';
import { type ApiDependencies, createApi } from '../../src/http/api.js';
import type { MarketplaceRouteLedger } from '../../src/http/marketplace/marketplace-dependencies.js';
import type { Figures } from '../../src/ledger/figure-types.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { consoleRoutes } from './console-routes.js';
import { marketplaceRoutes } from './marketplace/routes.js';

export const TOKENS = {
  service: 'token-of-the-service-0001',
  viewer: 'token-of-the-viewer-0001',
  operator: 'token-of-the-operator-0001',
  approver: 'token-of-the-approver-0001',
  /** Of the person who also holds the operator's token. */
  operatorAsApprover: 'token-of-the-operator-0002',
} as const;

export const API_TOKENS: ApiDependencies['tokens'] = [
  { name: 'billing', role: 'service', token: TOKENS.service },
  { name: 'vera', role: 'viewer', token: TOKENS.viewer },
  { name: 'olga', role: 'operator', token: TOKENS.operator },
  { name: 'anna', role: 'approver', token: TOKENS.approver },
  { name: 'olga', role: 'approver', token: TOKENS.operatorAsApprover },
];

export const NO_FIGURES: Figures = {
  unsettled: [],
  unknown: 0,
  expiring: 0,
  parked: 0,
  suspectedElsewhere: 0,
  deliveryUnknown: 0,
  answersDue: 0,
  needsAttention: [],
  drift: [],
  compared: [],
  firstFailures: [],
  breakers: [],
  sweeps: [],
  destinations: [],
  marketplace: { open: [], unknown: [], webhooks: [], reads: [], payouts: { count: 0, oldestSeconds: 0 } },
};

export interface Sent {
  readonly method?: string;
  readonly token?: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
  readonly text: string;
}

export interface TestApi {
  readonly url: string;
  send(path: string, sent?: Sent): Promise<Answered>;
  /** Settlements that were handed to orchestration, in order. */
  readonly dispatched: SettlementId[];
  readonly woken: SettlementId[];
  readonly logged: string[];
  close(): Promise<void>;
}

/** The real API on a port of its own; the ledger is given, orchestration only remembers. */
export async function startApi(given: Pick<ApiDependencies, 'ledger'> & Partial<ApiDependencies>): Promise<TestApi> {
  const dispatched: SettlementId[] = [];
  const woken: SettlementId[] = [];
  const logged: string[] = [];
  const log = (subject: unknown, message?: string) => {
    logged.push(
      `${message ?? ''} ${JSON.stringify(subject, (_name, value) => (value instanceof Error ? value.message : value))}`,
    );
  };
  const app = createApi({
    metrics: createMetrics({ figures: () => given.ledger.figures() }),
    orchestration: {
      dispatch: (id) => dispatched.push(id),
      wake: (id) => {
        woken.push(id);
        return Promise.resolve();
      },
    },
    authServer: { destinationAccountId: undefined },
    resolution: resolutionOf(given.ledger as Partial<Ledger>),
    // A ledger that is given whole knows orders too.
    marketplace: marketplaceRoutes({ ledger: given.ledger as Partial<MarketplaceRouteLedger> }),
    reconciliation: { ledger: given.ledger as Partial<Ledger> as Ledger, start: () => undefined },
    optionalComponents: {},
    clock: systemClock,
    logger: { trace: log, debug: log, info: log, warn: log, error: log },
    tokens: API_TOKENS,
    corsOrigins: [],
    rateLimit: { windowMs: 60_000, max: 100_000, anonymousMax: 100_000 },
    version: '0.0.0-test',
    console: consoleRoutes({ ledger: given.ledger as Partial<Ledger> }),
    ...given,
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    send: (path, sent = {}) => send(`${url}${path}`, sent),
    dispatched,
    woken,
    logged,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An answer's status and code, or what has become of the item. */
export const summary = ({ status, body }: Answered): readonly [status: number, word: string] => [
  status,
  body.code ?? body.status,
];

/** Of a ledger that is given whole, with no provider to ask; any other knows no item. */
function resolutionOf(ledger: Partial<Ledger>): ApiDependencies['resolution'] {
  if (ledger.decide) return createResolution({ ledger: ledger as Ledger, stripe: undefined, chain: undefined });
  return {
    decide: () => Promise.resolve({ kind: 'not_found' }),
    approve: () => Promise.resolve({ kind: 'not_found' }),
    look: () => Promise.reject(new Error('nobody is asked here')),
  };
}

async function send(url: string, { method, token, json, body, headers }: Sent): Promise<Answered> {
  const payload = json === undefined ? body : JSON.stringify(json);
  const response = await fetch(url, {
    method: method ?? (payload === undefined ? 'GET' : 'POST'),
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(payload === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    body: payload as RequestInit['body'],
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : text,
  };
}
