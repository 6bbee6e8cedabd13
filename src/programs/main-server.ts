import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Express } from 'express';
import type { Config } from '../config/config.js';
import { systemClock } from '../domain/clock.js';
import { TEMPO } from '../domain/settlements/settlement-providers.js';
import { withTimeout } from '../domain/timeout.js';
import { type ApiDependencies, createApi } from '../http/api.js';
import { type ChangeFeed, createChangeFeed } from '../http/reading/changes.js';
import { startFigureSampler } from '../http/reading/figure-sampler.js';
import type { Ledger } from '../ledger/ledger.js';
import { createLogger, type Logger } from '../observability/logger.js';
import { createMetrics } from '../observability/metrics.js';
import { type PaidSessions, type PublishedRoute, paidPaths } from '../sessions/index.js';
import { VERSION } from '../version.js';
import { consoleDependencies } from './console.js';
import { loadAuthorizations } from './load-authorizations.js';
import { loadTempo } from './load-tempo.js';
import { createMarketplaceRoutes } from './marketplace-routes.js';
import { type ReadSettings, reloadOnHangup } from './reload.js';
import { createPaidSessionRuntime, type PaidSessionRuntime, type RuntimeOptions } from './runtime.js';
import { loadTraces } from './traces.js';

/** Responses under way are finished within this; a longer stream is cut off, and its session closed like an abort. */
const DRAIN_MS = 30_000;
/** For what is still on its way to Postgres and Temporal after the last response. */
const FLUSH_MS = 10_000;

export interface RunningServer {
  readonly url: string;
  /** Stops accepting, finishes what is under way, gives the lease back. */
  stop(): Promise<void>;
}

export interface ServerOptions extends Pick<RuntimeOptions, 'decorate' | 'leaseMs' | 'holdMs' | 'traces'> {
  readonly logger?: Logger;
  /** Where the pages of the console are built; left out: where the build puts them. */
  readonly webRoot?: string | undefined;
  /** Paid routes that are served beside the API, and described with it. */
  readonly mount?: (app: Express, paidSession: PaidSessions['paidSession']) => readonly PublishedRoute[];
}

/**
 * The HTTP server: paid sessions, the API, metrics. Temporal may be away: settlements are taken and wait in Postgres.
 * @throws LedgerNotReady on an old schema or a missing encryption key
 */
export async function startServer(config: Config, options: ServerOptions = {}): Promise<RunningServer> {
  const logger = options.logger ?? createLogger({ level: config.logLevel, name: 'server' });
  const [tempo, authorizations] = await Promise.all([loadTempo(config), loadAuthorizations(config)]);
  const runtime = createPaidSessionRuntime(config, { ...options, tempo, authorizations, logger });
  const changes = createChangeFeed({ ledger: runtime.ledger, logger });
  const server = createServer(
    createApi(apiDependencies(config, runtime, { logger, mount: options.mount, webRoot: options.webRoot, changes })),
  );
  // Above the idle limit of common load balancers, so that they and not we end idle connections.
  server.keepAliveTimeout = 65_000;
  server.headersTimeout = 66_000;
  try {
    await runtime.start();
    server.listen(config.http.port, config.http.host);
    await once(server, 'listening');
  } catch (error) {
    await runtime.stop();
    throw error;
  }
  const stopSampling = startFigureSampler(runtime.ledger, logger);
  const url = urlOf(server);
  logger.info({ url }, 'server is ready');
  return {
    url,
    async stop() {
      logger.info({}, 'server stops: no new connections, responses under way are finished');
      stopSampling();
      changes.stop();
      await drain(server, logger);
      await withTimeout(FLUSH_MS, runtime.stop()).catch((error: unknown) =>
        logger.warn({ err: error }, 'not everything was flushed; the sweep closes and starts what is left'),
      );
    },
  };
}

/**
 * Runs until SIGTERM or SIGINT.
 * @param read of settings that can be changed while it runs
 * @throws before it listens, never afterwards
 */
export async function runServer(
  config: Config,
  { read, mount }: Pick<ServerOptions, 'mount'> & { readonly read?: ReadSettings | undefined } = {},
): Promise<void> {
  const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  const logger = createLogger({ level: config.logLevel, name: 'server' });
  const endReloads = reloadOnHangup({ config, read, logger });
  const traces = await loadTraces(config, 'makegood-server', logger);
  const server = await startServer(config, { logger, traces, mount });
  await stopped;
  await server.stop();
  await traces?.stop();
  endReloads();
}

function apiDependencies(
  config: Config,
  runtime: PaidSessionRuntime,
  {
    logger,
    mount,
    webRoot,
    changes,
  }: { readonly logger: Logger; readonly changes: ChangeFeed } & Pick<ServerOptions, 'mount' | 'webRoot'>,
): ApiDependencies {
  const { ledger, dispatcher, sessions } = runtime;
  const components = { temporal: () => runtime.temporalAnswers() };
  return {
    ledger,
    marketplace: createMarketplaceRoutes(config, runtime, logger),
    resolution: runtime.marketplace.resolution,
    reconciliation: {
      ledger,
      start: (id, requestedBy) =>
        void runtime
          .startReconciliation(id, requestedBy)
          .catch((error: unknown) =>
            logger.warn({ reconciliation: id, err: error }, 'a run could not be started; the schedule takes it up'),
          ),
    },
    orchestration: { dispatch: (id) => dispatcher.dispatch(id), wake: (id) => runtime.wake(id) },
    authServer: config.authServer && { destinationAccountId: config.authServer.destinationAccountId },
    optionalComponents: {
      ...components,
      paid_sessions: () => Promise.resolve(sessions.ready()),
      auth_server: async () => (await ledger.openBreakers()).every((provider) => provider === TEMPO),
      tempo: async () =>
        config.tempo === undefined ? 'not_configured' : !(await ledger.openBreakers()).includes(TEMPO),
      stripe: providerHealth('stripe', config.stripe, ledger),
      hyperswitch: providerHealth('hyperswitch', config.hyperswitch, ledger),
    },
    metrics: createMetrics({
      figures: () => ledger.figures(),
      components,
      processMetrics: true,
      reconcileEveryMs: config.reconcileIntervalMs,
    }),
    clock: systemClock,
    logger,
    tokens: config.apiTokens,
    corsOrigins: config.http.corsOrigins,
    rateLimit: config.http.rateLimit,
    trustProxy: config.http.trustProxy,
    console: consoleDependencies(config, { ledger, changes, webRoot }),
    version: VERSION,
    mount: mount && ((app) => mountPaid(app, mount, sessions.paidSession)),
  };
}

function mountPaid(app: Express, mount: NonNullable<ServerOptions['mount']>, paidSession: PaidSessions['paidSession']) {
  const routes = mount(app, paidSession);
  // What it says of OpenAPI is not asked for: the API has a document, which they are put into.
  app.use(paidSession.discovery({ title: 'Makegood', version: VERSION, routes }));
  return paidPaths(routes);
}

/** A provider that is parked lets nobody in; one parked seller at it is nobody else's business. */
const providerHealth =
  (name: string, settings: unknown, ledger: Pick<Ledger, 'unavailableProviders'>) =>
  async (): Promise<boolean | 'not_configured'> =>
    settings === undefined ? 'not_configured' : !(await ledger.unavailableProviders()).includes(name);

async function drain(server: Server, logger: Logger): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  // A connection that is kept alive is idle only after its response; look again until none is left.
  const sweeping = setInterval(() => server.closeIdleConnections(), 100);
  try {
    await withTimeout(DRAIN_MS, closed);
  } catch {
    logger.warn({}, `responses took longer than ${DRAIN_MS / 1000} s and were cut off; what they charged is kept`);
    server.closeAllConnections();
    await closed;
  } finally {
    clearInterval(sweeping);
  }
}

function urlOf(server: Server): string {
  const at = server.address();
  if (at === null || typeof at === 'string') throw new Error('the server listens on no port');
  return `http://${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}`;
}
