import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { CALLS_AT_ONCE } from '../../activities/bulkhead.js';
import { type ActivityDependencies, createActivities } from '../../activities/index.js';
import { createNotificationActivities } from '../../activities/notification-activities.js';
import { createRecorder } from '../calls/settlements/recorder.js';
import type { Config } from '../config/config.js';
import { systemClock } from '../domain/clock.js';
import { sweepIntervals } from '../domain/sweep-lanes.js';
import { notificationTaskQueue, stripeTaskQueue } from '../domain/workflow-ids.js';
import { createDatabase } from '../ledger/database.js';
import { createLedger, type Ledger } from '../ledger/ledger.js';
import { createSealer } from '../ledger/sealer.js';
import { createLogger, type Logger } from '../observability/logger.js';
import type { Nudge } from '../orchestration/marketplace.js';
import { createNotificationOrchestration } from '../orchestration/notifications.js';
import { prepareTemporal } from '../orchestration/prepare-temporal.js';
import { createSettlementOrchestration } from '../orchestration/settlements.js';
import { connectionOptions, createTemporalClient, type TemporalClient } from '../orchestration/temporal-client.js';
import { createAnchorDirectory } from '../providers/anchors/anchor-directory.js';
import { type AuthServer, createAuthServer } from '../providers/auth-server/client.js';
import type { AuthorizationReader } from '../providers/evm/authorizations.js';
import { createSender, type Sender } from '../providers/notifications/sender.js';
import type { Tempo } from '../providers/tempo/client.js';
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
import { loadTraces, type ProcessTraces } from './traces.js';

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

const PREPARE_EVERY_MS = 3 * 60_000;
const TRY_AGAIN_MS = 2_000;
/** Calls under way finish within this and their own limit together; what does not is unknown, and is asked again. */
const GRACE_BESIDE_THE_CALL_MS = 30_000;

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
    approvalThreshold: config.approvalThreshold,
    refundFee: config.refundFee,
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

  const { given, wake } = dependenciesOf(config, parts, {
    client,
    tempo,
    authorizations,
    logger,
    holdMs: options.holdMs,
  });
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
      await runUntilStopped({ config, activities, telling, traced, prepare, logger, stop: stop.signal, options });
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
  const { wake, orchestration, calls, resolution, processWebhook } = marketplace;
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
      chain: tempo,
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

interface RunOptions {
  readonly config: Config;
  readonly activities: ReturnType<typeof createActivities>;
  /** Undefined: there is nobody to be told. */
  readonly telling: ReturnType<typeof createNotificationActivities> | undefined;
  readonly traced: Awaited<ReturnType<ProcessTraces['worker']>> | undefined;
  readonly prepare: () => Promise<void>;
  readonly logger: Logger;
  readonly stop: AbortSignal;
  readonly options: WorkerRunOptions;
}

async function runUntilStopped(run: RunOptions): Promise<void> {
  const { config, activities, telling, traced, prepare, logger, stop, options } = run;
  const connection = await NativeConnection.connect(connectionOptions(config.temporal));
  try {
    await prepare();
    const workflowBundle = {
      codePath: options.workflowBundle ?? fileURLToPath(new URL('../../workflow-bundle.js', import.meta.url)),
    };
    const common = { connection, workflowBundle, namespace: config.temporal.namespace, ...traced };
    const workers = [await Worker.create({ ...settlementOptions(config), ...common, activities })];
    if (config.stripe) workers.push(await Worker.create({ ...stripeOptions(config), ...common, activities }));
    if (telling) workers.push(await Worker.create({ ...tellingOptions(config), ...common, activities: telling }));
    const healing = setInterval(() => {
      prepare().catch((error: unknown) =>
        logger.warn({ err: error }, 'Temporal could not be checked; the next check follows'),
      );
    }, options.prepareEveryMs ?? PREPARE_EVERY_MS);
    const shutdown = () => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    };
    stop.addEventListener('abort', shutdown, { once: true });
    logger.info({ taskQueue: config.temporal.taskQueue }, 'worker is ready');
    try {
      const running = workers.map((worker) => worker.run());
      if (stop.aborted) shutdown();
      // Where one ends, the other ends too, and both are made anew.
      await Promise.race(running).finally(shutdown);
      await Promise.all(running);
    } finally {
      clearInterval(healing);
      stop.removeEventListener('abort', shutdown);
    }
  } finally {
    await connection.close();
  }
}

function settlementOptions(config: Config): WorkerOptions {
  return {
    taskQueue: config.temporal.taskQueue,
    // Above all providers at their limits together (CALLS_AT_ONCE each), so that those that hang never fill all slots:
    // sweeps, decisions and reads of the ledger find one.
    maxConcurrentActivityTaskExecutions: 6 * CALLS_AT_ONCE,
    // A first attempt runs inside its workflow task and keeps both places for up to QUICK_LIMIT_MS. Two protocols of one auth
    // server may hang at once: with fewer places than this, others' settlements and the operators' queries would wait.
    maxConcurrentLocalActivityExecutions: 3 * CALLS_AT_ONCE,
    maxConcurrentWorkflowTaskExecutions: 3 * CALLS_AT_ONCE,
    maxConcurrentWorkflowTaskPolls: 4,
    maxConcurrentActivityTaskPolls: 4,
    // Never below the places for workflow tasks: with more of them inside first attempts than it may remember, it stands still.
    maxCachedWorkflows: 1_000,
    shutdownGraceTime: config.settlement.httpTimeoutMs + GRACE_BESIDE_THE_CALL_MS,
    shutdownForceTime: config.settlement.httpTimeoutMs + 2 * GRACE_BESIDE_THE_CALL_MS,
  };
}

/** An attempt that waits for its token holds only a promise, and the sellers' turns are taken among those that wait. */
const stripeOptions = (config: Config): WorkerOptions => ({
  taskQueue: stripeTaskQueue(config.temporal.taskQueue),
  maxConcurrentActivityTaskExecutions: 1_000,
  maxConcurrentLocalActivityExecutions: 200,
  maxConcurrentWorkflowTaskExecutions: 200,
  maxCachedWorkflows: 1_000,
  maxConcurrentActivityTaskPolls: 4,
  shutdownGraceTime: STRIPE_GRACE_MS,
  shutdownForceTime: STRIPE_GRACE_MS + GRACE_BESIDE_THE_CALL_MS,
});
/** A look and a call of twenty seconds each, and what is around them. */
const STRIPE_GRACE_MS = 60_000;

/** At most one message of each reason waits for a destination, so these are enough for several that hang. */
const tellingOptions = (config: Config): WorkerOptions => ({
  taskQueue: notificationTaskQueue(config.temporal.taskQueue),
  maxConcurrentActivityTaskExecutions: 200,
  maxConcurrentWorkflowTaskExecutions: 20,
  maxCachedWorkflows: 200,
  maxConcurrentActivityTaskPolls: 2,
  shutdownGraceTime: GRACE_BESIDE_THE_CALL_MS,
  shutdownForceTime: 2 * GRACE_BESIDE_THE_CALL_MS,
});

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
