import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { withTimeout } from '../domain/timeout.js';
import type { Figures } from '../ledger/figure-types.js';
import { FIGURE_METRICS } from './figure-metrics.js';

export interface MetricsDependencies {
  /** Counts in Postgres; may reject or hang, the scrape answers all the same. */
  readonly figures: () => Promise<Figures>;
  /** Other components whose health is told as makegood_up, by name. */
  readonly components?: Readonly<Record<string, () => Promise<boolean>>>;
  /** Most that a scrape waits for any of these; below Prometheus' usual 10 s. */
  readonly scrapeTimeoutMs?: number;
  /** RECONCILE_INTERVAL; left out: its default. */
  readonly reconcileEveryMs?: number;
  /** Memory, event loop and garbage collection of this process. */
  readonly processMetrics?: boolean;
}

export interface Metrics {
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** @param request.route the path's template, so that no id becomes a label */
  observeRequest(request: { method: string; route: string; status: number; seconds: number }): void;
}

const HOUR_MS = 3_600_000;
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** A registry of its own for each server, so that two in one process (tests) do not meet. */
export function createMetrics(dependencies: MetricsDependencies): Metrics {
  const { figures, components = {}, scrapeTimeoutMs = 5_000 } = dependencies;
  const registry = new Registry();
  const interval = new Gauge({
    name: 'makegood_reconcile_interval_seconds',
    help: 'How often the ledger is to be compared with its providers.',
    registers: [registry],
  });
  interval.set((dependencies.reconcileEveryMs ?? HOUR_MS) / 1000);
  if (dependencies.processMetrics) collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'makegood_http_request_duration_seconds',
    help: 'Time from the request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });

  return {
    async scrape() {
      const now = await currentMetrics({ figures, components, scrapeTimeoutMs });
      const text = `${await registry.metrics()}\n${await now.metrics()}`;
      return { contentType: registry.contentType, text };
    },
    observeRequest({ method, route, status, seconds }) {
      requests.observe({ method: METHODS.has(method) ? method : 'other', route, status: String(status) }, seconds);
    },
  };
}

/**
 * Made anew for each scrape: what cannot be read now has no series at all, where a gauge that is kept would go on
 * telling its last value, or zero, of money that nobody has counted.
 */
async function currentMetrics(
  dependencies: Required<Omit<MetricsDependencies, 'processMetrics' | 'reconcileEveryMs'>>,
): Promise<Registry> {
  const { figures, components, scrapeTimeoutMs } = dependencies;
  const registry = new Registry();
  const up = new Gauge({
    name: 'makegood_up',
    help: '1 while the component answers.',
    labelNames: ['component'],
    registers: [registry],
  });
  const [counted] = await Promise.all([
    withTimeout(scrapeTimeoutMs, figures()).catch(() => undefined),
    ...Object.entries(components).map(async ([component, probe]) => {
      const well = await withTimeout(scrapeTimeoutMs, probe()).catch(() => false);
      up.set({ component }, well ? 1 : 0);
    }),
  ]);
  up.set({ component: 'postgres' }, counted ? 1 : 0);
  if (counted) addFigures(registry, counted);
  return registry;
}

function addFigures(registry: Registry, figures: Figures): void {
  for (const { name, help, type, labels, samples } of FIGURE_METRICS) {
    const options = { name, help, labelNames: labels, registers: [registry] };
    if (type === 'counter') {
      const counter = new Counter(options);
      for (const sample of samples(figures)) counter.inc(sample.labels, sample.value);
    } else {
      const gauge = new Gauge(options);
      for (const sample of samples(figures)) gauge.inc(sample.labels, sample.value);
    }
  }
}
