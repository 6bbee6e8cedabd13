import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { HyperswitchSandbox } from '../../../sandbox/hyperswitch/start.js';
import type { LoggedCall } from '../../../sandbox/stripe/control/call-log.js';
import type { StripeSandbox } from '../../../sandbox/stripe/start.js';
import type { RefundId, ReversalId, TransferId } from '../../../src/domain/ids.js';
import type { MarketplaceKind, Order, Reversal, SellerTransfer } from '../../../src/domain/marketplace/marketplace.js';
import { reversalId } from '../../../src/domain/marketplace/reversal-id.js';
import { marketplaceWorkflowId } from '../../../src/domain/workflow-ids.js';
import { type ItemState, stateQuery } from '../../../workflows/messages.js';
import { catchUp } from '../clock-following.js';
import { openTestLedger, type TestLedger } from '../ledger-fixtures.js';
import { startStandIns } from '../stand-ins.js';
import { createIdleWatch } from '../temporal-idle.js';
import { openTimeSkippingEnvironment } from '../time-skipping-environment.js';
import {
  type MarketActivities,
  type MarketplaceWorld,
  type MarketplaceWorldOptions,
  type Sellers,
  startMarketplace,
  startWorkers,
  type WorkflowBuild,
} from './world.js';

export interface MarketplaceTestOptions extends Pick<MarketplaceWorldOptions, 'settings' | 'decorate' | 'holdMs'> {
  readonly approvalThreshold?: bigint;
  /** Buyers pay at the Stripe account that pays the sellers. */
  readonly linked?: boolean;
  /** What the workers run, where others are to follow them: {@link MarketplaceTest.rebuilt}. */
  readonly build?: WorkflowBuild;
}

/**
 * The marketplace on a Temporal server whose clock a test moves. The ledger's clock follows it before each activity, and
 * both stand-ins go by the ledger's. Buyers pay and refunds succeed at once unless a test says otherwise.
 */
export interface MarketplaceTest {
  readonly env: TestWorkflowEnvironment;
  /** Not the environment's own: that one skips time while it waits for a result, over a day where somebody waits for a person. */
  readonly client: Client;
  readonly test: TestLedger;
  readonly stripe: StripeSandbox;
  readonly hyperswitch: HyperswitchSandbox;
  /** Replaced by {@link restart}. */
  world: MarketplaceWorld;
  /** Other settings, and another process in place of the first one; default: the same settings as before. */
  readonly restart: (options?: MarketplaceTestOptions) => Promise<void>;
  /** Workers of another build in place of those of before, who were started with one too. */
  readonly rebuilt: (build: WorkflowBuild) => Promise<void>;
  /** Moves the one clock on; what becomes due on the way is done on the way. At most a day and a bit at once. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Moves the one clock on, by more each time, whenever nothing is under way any more; seventeen minutes at most. */
  readonly until: (what: string, holds: () => Promise<boolean>) => Promise<void>;
  /** Ordered and paid; the sellers' transfers are under way. */
  readonly pay: (sellers: Sellers) => Promise<Order>;
  /** Ordered, paid, and every seller has its transfer. */
  readonly sold: (sellers: Sellers) => Promise<Order>;
  /** A refund made now; its reversals are under way. @param amount default: the remainder */
  readonly refund: (order: Pick<Order, 'id'>, amount?: bigint) => Promise<RefundId>;
  readonly order: (order: Pick<Order, 'id'>) => Promise<Order>;
  readonly reversal: (id: ReversalId) => Promise<Reversal>;
  readonly transfer: (id: TransferId) => Promise<SellerTransfer>;
  readonly untilReversal: (status: Reversal['status'], ...ids: ReversalId[]) => Promise<void>;
  readonly untilTransfer: (status: SellerTransfer['status'], ...ids: TransferId[]) => Promise<void>;
  /**
   * Asked of the workflow and not of the ledger, which is ahead of it: a terminated workflow whose task is still at work
   * would stop the test server's clock for good.
   */
  readonly untilIn: (phase: ItemState['phase'], kind: MarketplaceKind, id: string) => Promise<ItemState>;
  readonly handle: (kind: MarketplaceKind, id: string) => ReturnType<Client['workflow']['getHandle']>;
  /** Calls to Stripe that would take back from this transfer, in order. */
  readonly reversalPosts: (transfer: Pick<SellerTransfer, 'stripeTransferId'>) => LoggedCall[];
  /** Calls to Stripe that would pay this seller, in order. */
  readonly transferPosts: (sellerAccount: string) => LoggedCall[];
  readonly dispose: () => Promise<void>;
}

/** A server for each file, or for each test that leaves something behind: a terminated workflow stops its clock. */
export async function openMarketplaceTest(options: MarketplaceTestOptions = {}): Promise<MarketplaceTest> {
  const env = await openTimeSkippingEnvironment();
  const client = new Client({ connection: env.connection });
  const test = await openTestLedger(options);
  const { ledger, clock } = test;
  const standIns = await startStandIns(clock, options);
  const { stripe, hyperswitch } = standIns;
  const taskQueue = `q-${crypto.randomUUID()}`;
  const idle = createIdleWatch();
  const switchboard = createSwitchboard();
  const connected = { connection: env.nativeConnection, test, taskQueue, follow: () => env.currentTimeMs() };
  const start = ({ settings, decorate = (same) => same, holdMs }: MarketplaceTestOptions) =>
    startMarketplace({
      ...connected,
      client: idle.client(client),
      stripe,
      hyperswitch,
      settings: settings ?? {},
      decorate: (parts) => decorate({ ...parts, ledger: idle.ledger(parts.ledger) }),
      ...(holdMs === undefined ? {} : { holdMs }),
      host: (activities) => switchboard.connect(activities),
    });
  const followClock = () => catchUp(clock, () => env.currentTimeMs());
  const found = async <T>(what: string, it: Promise<T | undefined>): Promise<T> => {
    const value = await it;
    if (value === undefined) throw new Error(`there is no ${what}`);
    return value;
  };

  const world = await start(options);
  const workersOf = (build: WorkflowBuild | undefined) =>
    startWorkers({ ...connected, ...(build && { build }) }, switchboard.activities());
  let workers = await workersOf(options.build);
  const market: MarketplaceTest = {
    env,
    client,
    test,
    stripe,
    hyperswitch,
    world,
    async restart(changed = options) {
      await idle.until(client, test.database);
      market.world = await start(changed);
    },
    async rebuilt(build) {
      await idle.until(client, test.database);
      await workers.stop();
      workers = await workersOf(build);
    },
    async sleep(ms) {
      await idle.until(client, test.database);
      await env.sleep(ms);
      await followClock();
    },
    async until(what, holds) {
      for (let seconds = 1; seconds <= 1024; seconds *= 2) {
        for (let looks = 0; looks < 5; looks += 1) {
          if (await holds()) return;
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        await idle.until(client, test.database);
        if (await holds()) return;
        if (seconds < 1024) await market.sleep(seconds * 1000);
      }
      throw new Error(`it never came true that ${what}`);
    },
    async pay(sellers) {
      await followClock();
      return await market.world.paidOrder(sellers);
    },
    async sold(sellers) {
      const order = await market.pay(sellers);
      await market.untilTransfer('completed', ...order.transfers.map(({ id }) => id));
      return await market.order(order);
    },
    async refund({ id }, amount) {
      await followClock();
      return await market.world.refund(id, amount ?? null);
    },
    order: ({ id }) => market.world.find(id),
    reversal: (id) => found(`reversal ${id}`, ledger.findReversal(id)),
    transfer: (id) => found(`transfer ${id}`, ledger.findTransfer(id)),
    untilReversal: (status, ...ids) =>
      market.until(`the reversal is ${status}`, async () => {
        const all = await Promise.all(ids.map((id) => ledger.findReversal(id)));
        return all.every((reversal) => reversal?.status === status);
      }),
    untilTransfer: (status, ...ids) =>
      market.until(`the transfer is ${status}`, async () => {
        const all = await Promise.all(ids.map(market.transfer));
        return all.every((transfer) => transfer.status === status);
      }),
    async untilIn(phase, kind, id) {
      let state: ItemState | undefined;
      await market.until(`${kind} ${id} is ${phase}`, async () => {
        state = await market
          .handle(kind, id)
          .query(stateQuery)
          .catch(() => undefined);
        return state?.phase === phase;
      });
      return await found('state', Promise.resolve(state));
    },
    handle: (kind, id) => client.workflow.getHandle(marketplaceWorkflowId(kind, id)),
    reversalPosts: ({ stripeTransferId }) =>
      stripe
        .calls()
        .calls.filter(
          ({ endpoint, path }) => endpoint === 'reversals.create' && path.includes(`/${stripeTransferId}/`),
        ),
    transferPosts: (sellerAccount) =>
      stripe
        .calls()
        .calls.filter(
          ({ endpoint, form }) =>
            endpoint === 'transfers.create' && new URLSearchParams(form).get('destination') === sellerAccount,
        ),
    async dispose() {
      await workers.stop();
      await standIns.close();
      await test.dispose();
      await env.teardown();
    },
  };
  return market;
}

/**
 * Workers that live as long as the test, whatever becomes of the activities behind them: the test server never takes back
 * a task from the sticky queue of a worker that is gone, and its clock stands.
 */
function createSwitchboard() {
  let current: MarketActivities | undefined;
  const connected = (): MarketActivities => {
    if (!current) throw new Error('no activities are connected');
    return current;
  };
  return {
    connect(activities: MarketActivities) {
      current = activities;
      return Promise.resolve({ stop: () => Promise.resolve() });
    },
    activities: () =>
      Object.fromEntries(
        Object.keys(connected()).map((name) => [
          name,
          (...given: never[]) =>
            (connected()[name as keyof MarketActivities] as (...all: never[]) => unknown)(...given),
        ]),
      ) as unknown as MarketActivities,
  };
}

/** The one reversal of an order with one seller and one refund. */
export const reversalOf = (refund: RefundId, order: Pick<Order, 'transfers'>, seller = 0): ReversalId => {
  const transfer = order.transfers[seller];
  if (!transfer) throw new Error(`the order has no seller ${seller}`);
  return reversalId(refund, transfer.id);
};

/** Milliseconds between calls, as the provider's end saw them. */
export const waitsBetween = (calls: readonly LoggedCall[]): number[] =>
  calls.slice(1).map(({ at }, index) => at - (calls[index]?.at ?? 0));
