import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { CALLS_AT_ONCE } from '../../activities/bulkhead.js';
import type { createActivities } from '../../activities/index.js';
import type { createNotificationActivities } from '../../activities/notification-activities.js';
import type { Config } from '../config/config.js';
import { notificationTaskQueue, stripeTaskQueue } from '../domain/workflow-ids.js';
import type { Logger } from '../observability/logger.js';
import { connectionOptions } from '../orchestration/temporal-client.js';
import type { ProcessTraces } from './traces.js';

const PREPARE_EVERY_MS = 3 * 60_000;
/** Calls under way finish within this and their own limit together; what does not is unknown, and is asked again. */
const GRACE_BESIDE_THE_CALL_MS = 30_000;

interface RunOptions {
  readonly config: Config;
  readonly activities: ReturnType<typeof createActivities>;
  /** Undefined: there is nobody to be told. */
  readonly telling: ReturnType<typeof createNotificationActivities> | undefined;
  readonly traced: Awaited<ReturnType<ProcessTraces['worker']>> | undefined;
  readonly prepare: () => Promise<void>;
  readonly logger: Logger;
  readonly stop: AbortSignal;
  readonly options: {
    readonly workflowBundle?: string;
    readonly prepareEveryMs?: number;
  };
}

/** One worker for each task queue, on one connection. @throws when Temporal is not reachable or refuses one */
export async function runWorkersUntilStopped(run: RunOptions): Promise<void> {
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
