import { hostname } from 'node:os';
import { Runtime } from '@temporalio/worker';
import { type ActivityDependencies, createActivities } from '../../activities/index.js';
import { createNotificationActivities } from '../../activities/notification-activities.js';
import { createRecorder } from '../calls/settlements/recorder.js';
import type { Config } from '../config/config.js';
import { systemClock } from '../domain/clock.js';
import { sweepIntervals } from '../domain/sweep-lanes.js';
import { createDatabase } from '../ledger/database.js';
import { createLedger, type Ledger } from '../ledger/ledger.js';
import { createSealer } from '../ledger/sealer.js';
import { createLogger, type Logger } from '../observability/logger.js';
import type { Nudge } from '../orchestration/marketplace.js';
import { createNotificationOrchestration } from '../orchestration/notifications.js';
import { prepareTemporal } from '../orchestration/prepare-temporal.js';
import { createSettlementOrchestration } from '../orchestration/settlements.js';
import { createTemporalClient, type TemporalClient } from '../orchestration/temporal-client.js';
import { createAnchorDirectory } from '../providers/anchors/anchor-directory.js';
import { type AuthServer, createAuthServer } from '../providers/auth-server/client.js';
import type { AuthorizationReader } from '../providers/evm/authorizations.js';
import { createSender, type Sender } from '../providers/notifications/sender.js';
import type { Tempo } from '../providers/tempo/client.js';
import { ledgerSettings } from './ledger-settings.js';
import { loadAuthorizations } from './load-authorizations.js';
import { loadTempo } from './load-tempo.js';
import {
  createMarketplaceProviders,
  createMarketplaceRuntime,
  type MarketplaceProviders,
} from './marketplace-runtime.js';
import { createReconcileRuntime } from './reconcile-runtime.js';
import { type ReadSettings, reloadOnHangup } from './reload.js';
import type { TempoRuntime } from './tempo-runtime.js';
import { runWorkersUntilStopped } from './temporal-workers.js';
import { loadTraces } from './traces.js';

/** What the test build wraps to kill the process before or after a chosen call. */
export interface WorkerParts extends MarketplaceProviders {
  readonly ledger: Ledger;
  readonly authServer: Pick<AuthServer, 'settle'>;
  readonly tempo: Tempo | undefined;
  readonly sender: Sender;
}

export interface WorkerRunOptions {
  readonly workflowBundle?: string;
  readonly decorate?: (parts: WorkerParts) => WorkerParts;
  /** Of settings that can be changed while it runs. */
  readonly read?: ReadSettings | undefined;
  /** How often namespace, search attributes and schedule are made sure of: a wiped Temporal heals within this time. */
  readonly prepareEveryMs?: number;
  /** How long a claim on marketplace money outlives its process; no setting, because it is a promise of the product. */
  readonly holdMs?: number | undefined;
}

const TRY_AGAIN_MS = 2_000;

/**
 * Runs until SIGTERM or SIGINT. Keeps trying while Temporal is away; refuses to start on an old schema or without a key
 * that live rows need.
 */
export async function runWorker(config: Config, options: WorkerRunOptions = {}): Promise<void> {
  const logger = createLogger({ level: config.logLevel, name: 'worker' });
  const endReloads = reloadOnHangup({ config, read: options.read, logger });
  const traces = await loadTraces(config, 'makegood-worker', logger);
  const database = createDatabase({
    url: config.databaseUrl,
    maxConnections: 20,
    onIdleError: (error) => logger.warn({ err: error }, 'an idle database connection broke; it is replaced'),
  });
  const sealer = createSealer(config.credentialKeys);
  const ledger = createLedger({
    database,
    sealer,
    clock: systemClock,
    ...ledgerSettings(config),
  });
  await ledger.assertReady();

  const authServer = createAuthServer({
    baseUrl: config.authServer?.url ?? 'http://auth-server.invalid',
    appName: config.authServer?.appName,
    clock: systemClock,
  });
  const [tempo, authorizations] = await Promise.all([loadTempo(config), loadAuthorizations(config)]);
  const parts = (options.decorate ?? ((same) => same))({
    ledger,
    authServer,
    tempo: tempo?.provider,
    sender: createSender({ mail: config.notifications?.mail, publicUrl: config.http.publicUrl, clock: systemClock }),
    ...createMarketplaceProviders(config, ledger),
  });

  const client = createTemporalClient(config.temporal, traces?.client);
  const prepare = () =>
    prepareTemporal({
      client,
      namespace: config.temporal.namespace,
      taskQueue: config.temporal.taskQueue,
      sweeps: sweepIntervals(config),
      reconcileEveryMs: config.reconcileIntervalMs,
    });

  Runtime.install({
    logger: runtimeLogger(logger),
    // Shutdown is ours: one place decides what ends and in which order.
    shutdownSignals: [],
    ...(config.workerMetricsPort === undefined
      ? {}
      : {
          telemetryOptions: {
            metrics: { prometheus: { bindAddress: `${config.http.host}:${config.workerMetricsPort}` } },
          },
        }),
  });
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());

  const { holdMs } = options;
  const { given, wake } = dependenciesOf(config, parts, { client, tempo, authorizations, logger, holdMs });
  const activities = createActivities(given);
  const telling =
    config.notifications &&
    createNotificationActivities({
      ledger: parts.ledger,
      sender: parts.sender,
      destinations: config.notifications.destinations,
      logger,
    });
  const traced = await traces?.worker();
  while (!stop.signal.aborted) {
    try {
      await runWorkersUntilStopped({
        config,
        activities,
        telling,
        traced,
        prepare,
        logger,
        stop: stop.signal,
        options,
      });
    } catch (error) {
      if (stop.signal.aborted) break;
      logger.warn(
        { err: error },
        'Temporal is not reachable or refused the worker; settlements wait in Postgres, trying again',
      );
      await pause(TRY_AGAIN_MS, stop.signal);
    }
  }
  await wake.stop();
  await client.connection.close();
  await database.close();
  await traces?.stop();
  endReloads();
}

interface Surroundings {
  readonly client: TemporalClient;
  readonly tempo: TempoRuntime | undefined;
  readonly authorizations: AuthorizationReader | undefined;
  readonly logger: Logger;
  readonly holdMs: number | undefined;
}

function dependenciesOf(
  config: Config,
  parts: WorkerParts,
  { client, tempo, authorizations, logger, holdMs }: Surroundings,
): { readonly given: ActivityDependencies; readonly wake: Nudge } {
  const { ledger, stripe, hyperswitch } = parts;
  const processName = `${hostname()}:${process.pid}:${Date.now().toString(36)}`;
  const monotonicMs = () => performance.now();
  const { settlement } = config;
  const { backoffBaseMs, backoffMaxMs, httpTimeoutMs } = settlement;
  const timings = { backoffBaseMs, backoffMaxMs, httpTimeoutMs };
  const marketplace = createMarketplaceRuntime({
    config,
    ledger,
    providers: parts,
    chain: parts.tempo,
    temporal: client,
    logger,
    processName,
    holdMs,
  });
  const { wake, orchestration, calls, resolution, processWebhook, readPayout } = marketplace;
  const starter = createSettlementOrchestration(client, config.temporal.taskQueue, timings);
  const given: ActivityDependencies = {
    settlement: {
      ledger: { ...ledger, recordAttempt: createRecorder((outcomes) => ledger.recordAttempts(outcomes)) },
      authServer: parts.authServer,
      tempo: parts.tempo,
      timings,
      logger,
      processName,
      monotonicMs,
    },
    sweeps: {
      ledger,
      settlements: {
        starter,
        sweep: {
          overflowBacklog: settlement.overflowBacklog,
          maxBatch: settlement.maxBatch,
          // Read at each pass: it can be changed while this runs.
          get maxPerSecond() {
            return settlement.maxRps;
          },
        },
      },
      money: { starter: orchestration },
      processWebhook,
      searchPayment: calls?.searchPayment,
      readPayout,
      readSellerSide: marketplace.readSellerSide,
      chain: tempo,
      retentionAfterMs: config.retentionAfterMs,
      anchors: config.auditAnchorDir === undefined ? undefined : createAnchorDirectory(config.auditAnchorDir),
      telling: config.notifications && {
        starter: createNotificationOrchestration(client, config.temporal.taskQueue),
        destinations: config.notifications.destinations,
        rules: config.notifications.rules,
      },
      intervals: sweepIntervals(config),
      logger,
    },
    resolution,
    calls,
    stripe: stripe && {
      ledger,
      stripe,
      hyperswitch,
      readDispute: calls?.readDispute,
      searchPayment: calls?.searchPayment,
      timings: marketplace.timings,
      balanceHorizonMs: config.reversal.balanceHorizonMs,
      wake,
      processName,
      monotonicMs,
      holdMs,
    },
    backfill: stripe && { ledger, stripe, logger, monotonicMs },
    reconcile: createReconcileRuntime({
      ledger,
      providers: parts,
      chain: authorizations,
      temporal: client,
      marketplace: orchestration,
      settlements: starter,
      logger,
    }),
  };
  return { given, wake };
}

/** The SDK's own messages join ours; what it calls info is detail to an operator. */
function runtimeLogger(logger: Logger) {
  const write = (level: 'trace' | 'debug' | 'info' | 'warn' | 'error', message: string, meta?: object) =>
    logger[level === 'info' ? 'debug' : level]({ ...meta }, message);
  return {
    log: (level: 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR', message: string, meta?: object) =>
      write(level.toLowerCase() as 'trace', message, meta),
    trace: (message: string, meta?: object) => write('trace', message, meta),
    debug: (message: string, meta?: object) => write('debug', message, meta),
    info: (message: string, meta?: object) => write('info', message, meta),
    warn: (message: string, meta?: object) => write('warn', message, meta),
    error: (message: string, meta?: object) => write('error', message, meta),
  };
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
