import type { Client } from '@temporalio/client';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { createDecisionActivities } from '../../../activities/decision-activities.js';
import { createPaymentActivities, createStripeActivities } from '../../../activities/marketplace-activities.js';
import type { MarketplaceActivities } from '../../../activities/marketplace-contract.js';
import type { SweepActivities } from '../../../activities/sweep-contract.js';
import { createSweeps } from '../../../activities/sweeps/sweep-lanes.js';
import type { HyperswitchSandbox } from '../../../sandbox/hyperswitch/start.js';
import type { StripeSandbox } from '../../../sandbox/stripe/start.js';
import { type Config, readConfig } from '../../../src/config/config.js';
import { refundKey } from '../../../src/domain/calls/idempotency-keys.js';
import {
  newOrderId,
  newPaymentId,
  newRefundId,
  type OrderId,
  type PaymentId,
  type RefundId,
} from '../../../src/domain/ids.js';
import type { Order, PaymentProvider } from '../../../src/domain/marketplace/marketplace.js';
import { type CaptureMethod, PLAIN_TERMS } from '../../../src/domain/marketplace/payment-capture.js';
import { sweepIntervals } from '../../../src/domain/sweep-lanes.js';
import { stripeTaskQueue } from '../../../src/domain/workflow-ids.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import {
  createMarketplaceProviders,
  createMarketplaceRuntime,
  type MarketplaceProviders,
  type MarketplaceRuntime,
} from '../../../src/programs/marketplace-runtime.js';
import { hyperswitchPaymentId, hyperswitchRefundId } from '../../../src/providers/hyperswitch/ids.js';
import { followingClock } from '../clock-following.js';
import type { TestLedger } from '../ledger-fixtures.js';
import { memoryLogger } from '../settlements/settlement-world.js';
import { ORDER_LANES, sweepThrough } from '../sweeps.js';
import { workflowsInThisThread } from '../workflow-bundle.js';
import { beginRequest } from './fixtures.js';

export type MarketActivities = MarketplaceActivities & SweepActivities;

export interface MarketplaceWorldOptions {
  readonly connection: NativeConnection;
  readonly client: Client;
  readonly test: TestLedger;
  readonly stripe: Pick<StripeSandbox, 'url'>;
  readonly hyperswitch: Pick<HyperswitchSandbox, 'url' | 'apiKey'>;
  readonly taskQueue?: string;
  /** Settings of the environment beside the defaults: REVERSAL_BACKOFF_BASE, … */
  readonly settings?: Readonly<Record<string, string>>;
  /** Wraps the ledger and the providers, for crashes and delays. */
  readonly decorate?: (parts: MarketplaceProviders & { ledger: Ledger }) => MarketplaceProviders & { ledger: Ledger };
  /** How long a claim outlives its process; default as in production. */
  readonly holdMs?: number;
  /** Given: the ledger's clock follows the Temporal server's skipped time before each activity. */
  readonly follow?: () => Promise<number>;
  /** Carries the activities out; default: {@link startWorkers}. */
  readonly host?: (activities: MarketActivities) => Promise<Hosted>;
}

export interface Hosted {
  stop(): Promise<void>;
}

/** Amounts in minor units by seller account. */
export type Sellers = Readonly<Record<string, bigint>>;

/** The marketplace's real workflows, activities, ledger and clients; only Stripe and Hyperswitch are stand-ins. */
export interface MarketplaceWorld extends MarketplaceRuntime {
  readonly taskQueue: string;
  readonly logger: ReturnType<typeof memoryLogger>;
  /** An order as our own clients make it; nothing is paid. */
  order(sellers: Sellers, currency?: string): Promise<Order>;
  /** Its payment's row alone; nothing is sent. */
  placePayment(order: OrderId, captureMethod?: CaptureMethod): Promise<PaymentId>;
  /** The one call of POST /payments, and the start of what it leads to. */
  pay(order: OrderId): Promise<void>;
  /** Ordered and paid at once: the sandbox must carry payments out by itself. */
  paidOrder(sellers: Sellers): Promise<Order>;
  /** The one call of POST /refunds. @param amount null: the remainder */
  refund(order: OrderId, amount?: bigint | null): Promise<RefundId>;
  find(order: OrderId): Promise<Order>;
  sweep(): Promise<void>;
  stop(): Promise<void>;
}

/** What `readConfig` needs beside the tests' own settings. */
export const marketplaceEnvironment = (
  stripe: { readonly url: string },
  hyperswitch: { readonly url: string; readonly apiKey: string },
): Record<string, string> => ({
  CREDENTIAL_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  API_TOKENS: 'shop:service:shop-token-0123456789',
  STRIPE_SECRET_KEY: 'sk_test_sandbox',
  STRIPE_MAX_RPS: '100',
  STRIPE_API_BASE: stripe.url,
  STRIPE_WEBHOOK_SECRET: 'whsec_sandbox',
  HYPERSWITCH_BASE_URL: hyperswitch.url,
  HYPERSWITCH_API_KEY: hyperswitch.apiKey,
  HYPERSWITCH_WEBHOOK_SECRET: 'sandbox-hyperswitch-hash-key',
});

export async function startMarketplace(options: MarketplaceWorldOptions): Promise<MarketplaceWorld> {
  const { client, test, taskQueue = `q-${crypto.randomUUID()}` } = options;
  const config = readConfig({
    DATABASE_URL: test.url,
    ...marketplaceEnvironment(options.stripe, options.hyperswitch),
    TEMPORAL_TASK_QUEUE: taskQueue,
    ...options.settings,
  });
  const logger = memoryLogger();
  const parts = (options.decorate ?? ((same) => same))({
    ledger: test.ledger,
    ...createMarketplaceProviders(config, test.ledger),
  });
  const processName = `test-${crypto.randomUUID()}`;
  const runtime = createMarketplaceRuntime({
    config,
    ledger: parts.ledger,
    providers: parts,
    chain: undefined,
    temporal: client,
    logger: logger as never,
    processName,
  });
  const activities = activitiesOf({ config, parts, runtime, logger, processName, holdMs: options.holdMs });
  const host = options.host ?? ((given) => startWorkers({ ...options, taskQueue }, given));
  const hosted = await host(activities);
  const world = { ...runtime, taskQueue, logger, ...commerce(test, runtime) };
  return {
    ...world,
    async sweep() {
      await sweepThrough(client, taskQueue, ORDER_LANES);
    },
    stop: () => hosted.stop(),
  };
}

interface Made {
  readonly config: Config;
  readonly parts: MarketplaceProviders & { ledger: Ledger };
  readonly runtime: MarketplaceRuntime;
  readonly logger: ReturnType<typeof memoryLogger>;
  readonly processName: string;
  readonly holdMs: number | undefined;
}

const noCharge = () => Promise.reject(new Error('there are no charges in this world'));
const noCharges = { startSettlement: noCharge, wake: noCharge, startBatch: noCharge };

function activitiesOf({ config, parts, runtime, logger, processName, holdMs }: Made): MarketActivities {
  const { ledger, stripe, hyperswitch } = parts;
  const { calls, resolution, orchestration, processWebhook, wake, timings } = runtime;
  if (!stripe || !calls) throw new Error('both providers are configured in this world');
  return {
    ...createStripeActivities({
      ledger,
      stripe,
      hyperswitch,
      readDispute: calls.readDispute,
      timings,
      balanceHorizonMs: config.reversal.balanceHorizonMs,
      wake,
      processName,
      monotonicMs: () => performance.now(),
      ...(holdMs === undefined ? {} : { holdMs }),
    }),
    ...createPaymentActivities(calls),
    ...createDecisionActivities(resolution),
    ...createSweeps({
      ledger,
      settlements: {
        starter: noCharges,
        sweep: { overflowBacklog: 1_000, maxBatch: 50, maxPerSecond: 1_000 },
      },
      money: { starter: orchestration },
      processWebhook,
      searchPayment: calls.searchPayment,
      readSellerSide: runtime.readSellerSide,
      chain: undefined,
      intervals: sweepIntervals(config),
      logger: logger as never,
    }),
  };
}

/** One of several that follow each other. Its workers keep no run: the test server gives nobody else what waits for one that is gone. */
export interface WorkflowBuild {
  readonly name: string;
  /** Of the code that a worker of production runs. */
  readonly change: (code: string) => string;
}

/** One worker for each of the two task queues, in this process. */
export async function startWorkers(
  {
    connection,
    test,
    follow,
    taskQueue,
    build,
  }: Pick<MarketplaceWorldOptions, 'connection' | 'test' | 'follow'> & { taskQueue: string; build?: WorkflowBuild },
  activities: MarketActivities,
): Promise<Hosted> {
  const followed = follow ? followingClock(activities, test.clock, follow) : activities;
  const workers: { worker: Worker; running: Promise<void> }[] = [];
  for (const queue of [taskQueue, stripeTaskQueue(taskQueue)]) {
    const worker = await Worker.create({
      connection,
      taskQueue: queue,
      ...workflowsInThisThread(build?.change),
      ...(build && { identity: build.name }),
      activities: followed,
      maxCachedWorkflows: build ? 0 : 1_000,
      maxConcurrentActivityTaskExecutions: 1_000,
      maxConcurrentLocalActivityExecutions: 200,
    });
    workers.push({ worker, running: worker.run() });
  }
  return {
    async stop() {
      for (const { worker } of workers) worker.shutdown();
      await Promise.all(workers.map(({ running }) => running));
    },
  };
}

/** What our own clients do, as the server would: rows, the one call, the start of what it leads to. */
export function commerce(
  { ledger, clock }: TestLedger,
  { calls, wake }: MarketplaceRuntime,
  provider: PaymentProvider = 'hyperswitch',
) {
  if (!calls) throw new Error('Hyperswitch is configured in this world');
  const find = async (id: OrderId): Promise<Order> => {
    const order = await ledger.findOrder(id);
    if (!order) throw new Error(`there is no order ${id}`);
    return order;
  };
  const order = async (sellers: Sellers, currency = 'USD'): Promise<Order> => {
    const items = Object.entries(sellers).map(([sellerAccount, amount]) => ({
      sellerAccount,
      amount,
      description: 'goods',
    }));
    const id = newOrderId(clock.nowMs());
    return await ledger.createOrder({ id, currency, items }, await beginRequest({ ledger }, 'orders'));
  };
  const placePayment = async (id: OrderId, captureMethod: CaptureMethod = 'automatic'): Promise<PaymentId> => {
    const outcome = await ledger.createPayment(
      {
        id: newPaymentId(clock.nowMs()),
        orderId: id,
        hyperswitchPaymentId: provider === 'stripe' ? null : hyperswitchPaymentId(id),
        terms: { ...PLAIN_TERMS, captureMethod },
      },
      await beginRequest({ ledger }, 'payments'),
    );
    if (!('payment' in outcome)) throw new Error(outcome.kind);
    return outcome.payment.id;
  };
  const pay = async (orderId: OrderId): Promise<void> => {
    const id = await placePayment(orderId);
    await calls.advancePayment(id);
    wake([{ kind: 'payment', id }]);
  };
  const placeRefund = async (orderId: OrderId, amount: bigint | null = null): Promise<RefundId> => {
    const id = newRefundId(clock.nowMs());
    const hyperswitchId = hyperswitchRefundId(refundKey(id));
    const outcome = await ledger.createRefund(
      { id, orderId, amount, reason: 'requested_by_customer', hyperswitchRefundId: hyperswitchId },
      await beginRequest({ ledger }, 'refunds'),
    );
    if (outcome.kind !== 'created') throw new Error(outcome.kind);
    return id;
  };
  return {
    find,
    order,
    placePayment,
    pay,
    placeRefund,
    async paidOrder(sellers: Sellers): Promise<Order> {
      const made = await order(sellers);
      await pay(made.id);
      return await find(made.id);
    },
    async refund(orderId: OrderId, amount: bigint | null = null): Promise<RefundId> {
      const id = await placeRefund(orderId, amount);
      await calls.advanceRefund(id);
      wake([{ kind: 'refund', id }]);
      return id;
    },
  };
}
