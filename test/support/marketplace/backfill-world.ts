import type { Client } from '@temporalio/client';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { createBackfillActivities } from '../../../activities/backfill-activities.js';
import type { StripeSandbox } from '../../../sandbox/stripe/start.js';
import { type BackfillId, newBackfillId, type TransferId } from '../../../src/domain/ids.js';
import { stripeTaskQueue } from '../../../src/domain/workflow-ids.js';
import {
  type BackfillLine,
  type BackfillProgress,
  createBackfillReader,
} from '../../../src/ledger/historical/backfill-report.js';
import type { HistoricalTransfer } from '../../../src/ledger/historical/historical-types.js';
import { createBackfillOrchestration } from '../../../src/orchestration/backfills.js';
import { createBudget } from '../../../src/providers/stripe/budget.js';
import { createStripe, type Stripe } from '../../../src/providers/stripe/client.js';
import type { TestLedger } from '../ledger-fixtures.js';
import { memoryLogger } from '../settlements/settlement-world.js';
import { workflowsInThisThread } from '../workflow-bundle.js';
import { unique } from './fixtures.js';

export interface BackfillWorldOptions {
  readonly connection: NativeConnection;
  readonly client: Client;
  readonly test: TestLedger;
  readonly stripe: Pick<StripeSandbox, 'url'>;
  readonly taskQueue?: string;
  readonly decorate?: (stripe: Stripe) => Stripe;
}

/** The real workflow, activities and ledger of backfills in a worker of this process, against the Stripe stand-in. */
export interface BackfillWorld {
  readonly taskQueue: string;
  readonly logger: ReturnType<typeof memoryLogger>;
  /** Recorded and started, as the command does it. */
  start(options?: { apply?: boolean; since?: string; destination?: string }): Promise<BackfillId>;
  progress(id: BackfillId): Promise<BackfillProgress>;
  /** The whole report, by transfer. */
  report(id: BackfillId): Promise<ReadonlyMap<TransferId, BackfillLine>>;
  stop(): Promise<void>;
}

export async function startBackfillWorld(options: BackfillWorldOptions): Promise<BackfillWorld> {
  const { client, test, taskQueue = `q-${crypto.randomUUID()}`, decorate = (same) => same } = options;
  const { ledger, database, clock } = test;
  const logger = memoryLogger();
  const takeToken = createBudget(ledger, 100);
  const activities = createBackfillActivities({
    ledger,
    stripe: decorate(createStripe({ secretKey: 'sk_test_sandbox', apiBase: options.stripe.url, takeToken })),
    logger: logger as never,
    monotonicMs: () => performance.now(),
  });
  const worker = await Worker.create({
    connection: options.connection,
    taskQueue: stripeTaskQueue(taskQueue),
    ...workflowsInThisThread(),
    activities,
    maxCachedWorkflows: 100,
  });
  const running = worker.run();
  const reader = createBackfillReader(database);
  return {
    taskQueue,
    logger,
    async start({ apply = false, since, destination } = {}) {
      const backfill = {
        id: newBackfillId(clock.nowMs()),
        apply,
        since: since ?? null,
        destination: destination ?? null,
        requestedBy: 'nora',
      };
      const { kind, id } = await ledger.startBackfill(backfill);
      if (kind === 'running') throw new Error(`backfill ${id} is at work already`);
      await createBackfillOrchestration(client, taskQueue).startBackfill(backfill);
      return id;
    },
    async progress(id) {
      const progress = await reader.backfillProgress(id);
      if (!progress) throw new Error(`there is no backfill ${id}`);
      return progress;
    },
    async report(id) {
      const lines = await reader.backfillLines(id, null, 100_000);
      return new Map(lines.map((line) => [line.transferId, line]));
    },
    async stop() {
      worker.shutdown();
      await running;
    },
  };
}

const CREATED = '2025-03-01T10:00:00Z';

/** A line of history as the import reads it; each of an order and payment of its own unless it says otherwise. */
export const history = (changes: Partial<HistoricalTransfer> = {}): HistoricalTransfer => ({
  order: unique('order'),
  currency: 'USD',
  paid: 1_000_000n,
  hyperswitchPaymentId: unique('pay'),
  sellerAccount: 'acct_1',
  amount: 9_000n,
  stripeTransferId: null,
  createdAt: CREATED,
  ...changes,
});

/** @throws where the ledger refuses it */
export async function imported({ ledger }: TestLedger, line: HistoricalTransfer): Promise<TransferId> {
  const outcome = await ledger.importTransfer(line);
  if (outcome.kind !== 'imported') throw new Error(`${line.order}: ${JSON.stringify(outcome)}`);
  return outcome.transferId;
}

/** The transfer at Stripe that a line of history tells of, an hour later. */
export const atStripe = (line: HistoricalTransfer, changes: object = {}) => ({
  destination: line.sellerAccount,
  amount: Number(line.amount),
  currency: line.currency.toLowerCase(),
  created: Math.floor(Date.parse(line.createdAt) / 1000) + 3_600,
  metadata: { order_id: line.order },
  ...changes,
});
