import { withTimeout } from '../domain/timeout.js';
import type { Figures } from '../ledger/figure-types.js';
import { healthOperation, metricsOperation, readyOperation } from './operations.js';
import { HttpProblem, retryAfter } from './problem.js';
import { type Reply, type Route, route } from './route.js';

export interface HealthDependencies {
  readonly ledger: {
    schemaState(): Promise<'current' | 'behind' | 'ahead'>;
    figures(): Promise<Figures>;
  };
  /** What the server can run without, by name; false or a rejection means degraded. */
  readonly optionalComponents: Readonly<Record<string, () => Promise<boolean | 'not_configured'>>>;
  readonly metrics: { scrape(): Promise<{ readonly contentType: string; readonly text: string }> };
}

/** A probe that waits longer is itself a sign of ill health. */
const PROBE_MS = 2_000;

export function healthRoutes(dependencies: HealthDependencies): readonly Route[] {
  return [
    route(healthOperation, () => Promise.resolve({ status: 200, body: { status: 'ok' } })),
    route(readyOperation, () => ready(dependencies)),
    route(metricsOperation, async () => {
      const { contentType, text } = await dependencies.metrics.scrape();
      return { status: 200, body: text, contentType };
    }),
  ];
}

/** Money is safe as long as Postgres keeps it: nothing else makes the server unready. */
async function ready({ ledger, optionalComponents }: HealthDependencies): Promise<Reply> {
  const [schema, ...optional] = await Promise.all([
    withTimeout(PROBE_MS, ledger.schemaState()).catch(() => 'unreachable' as const),
    ...Object.entries(optionalComponents).map(async ([name, probe]) => {
      const well = await withTimeout(PROBE_MS, probe()).catch(() => false);
      return [name, well === 'not_configured' ? well : well ? 'ok' : 'degraded'] as const;
    }),
  ]);
  if (schema === 'unreachable') throw notReady('Postgres does not answer: paid routes and POST answer 503 meanwhile');
  if (schema === 'behind') throw notReady('the database schema is older than this server: run makegood migrate');
  const components = {
    postgres: 'ok',
    schema: schema === 'current' ? 'ok' : 'degraded',
    ...Object.fromEntries(optional),
  };
  const degraded = Object.values(components).includes('degraded');
  return { status: 200, body: { status: degraded ? 'degraded' : 'ready', components } };
}

const notReady = (detail: string) => new HttpProblem('not_ready', detail, { headers: retryAfter(5) });
