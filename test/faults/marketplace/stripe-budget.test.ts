import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporalTool } from '../../../sandbox/stack/tools.js';
import type { CallsView } from '../../../sandbox/stripe/control/call-log.js';
import { stripeTaskQueue } from '../../../src/domain/workflow-ids.js';
import { type BudgetWorld, type Stoppable, startBudgetWorld } from '../../support/marketplace/budget-world.js';
import { putOrder } from '../../support/marketplace/fixtures.js';
import { sentOrders } from '../../support/marketplace/sent-orders.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { until } from '../../support/until.js';
import { sizeOf } from '../../support/whole-or-sample.js';

/** What Stripe allows each endpoint (docs.stripe.com/rate-limits). */
const PER_SECOND = 25;
/** All endpoints together; less than two of them could use, so that it is felt. */
const OVERALL = 40;
/** Ten seconds and more of all that Stripe allows: a limit that is broken is broken in the first of them. */
const REVERSALS = sizeOf({ whole: 450, sample: 160 });
const TRANSFERS = sizeOf({ whole: 150, sample: 50 });
const HISTORICAL = sizeOf({ whole: 150, sample: 60 });
/** More than are through before everybody has stood still twice. */
const WHILE_STOPPED = sizeOf({ whole: 150, sample: 110 });
const SELLERS = Array.from({ length: 30 }, (_, nth) => `acct_1Seller${nth}`);

let temporal: DevServer;
let world: BudgetWorld;
let workers: readonly Stoppable[];
beforeAll(async () => {
  temporal = await startDevServer();
  world = await startBudgetWorld({
    temporalAddress: temporal.address,
    namespace: 'budget',
    changes: { STRIPE_MAX_RPS: String(OVERALL) },
  });
  await world.stripe.control('limits', { perEndpoint: PER_SECOND, overall: OVERALL });
}, 120_000);
afterAll(async () => {
  await world.stop();
  await temporal.dispose();
});

const sellers = (count: number) => Array.from({ length: count }, (_, nth) => SELLERS[nth % SELLERS.length] ?? '');
const count = async (statement: string): Promise<number> =>
  (await world.test.database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${statement}`))[0]?.count ??
  -1;
const reversed = () => count(`reversals WHERE status = 'reversed'`);
const overTheLimit = ({ endpoints }: CallsView) =>
  Object.entries(endpoints).filter(
    ([, { throttled, mostInOneSecond }]) => throttled > 0 || mostInOneSecond > PER_SECOND,
  );
/** Requests of whatever kind within any second, as Stripe saw them. */
const mostInOneSecond = ({ calls }: CallsView): number =>
  Math.max(...calls.map(({ at }, nth) => calls.slice(nth).filter((other) => other.at - at < 1_000).length));

describe('two workers and a backfill with more to do than Stripe allows', () => {
  let calls: CallsView;
  beforeAll(async () => {
    await sentOrders(world, sellers(REVERSALS), 'refunded');
    for (const seller of sellers(TRANSFERS))
      await putOrder(world.test, { transfers: [{ seller, amount: 900, status: 'pending' }] });
    for (let nth = 0; nth < HISTORICAL; nth += 1)
      await world.test.ledger.importTransfer({
        order: `order-${nth}`,
        currency: 'USD',
        paid: 700n,
        hyperswitchPaymentId: `pay_old${nth}`,
        sellerAccount: `acct_1Old${nth}`,
        amount: 700n,
        stripeTransferId: null,
        createdAt: new Date(Date.now() - 86_400_000).toISOString(),
      });
    // Half of the transfers are looked for in Stripe's lists, where the backfill reads as well.
    await world.stripe.control('faults', {
      rules: [{ kinds: ['reset_after_commit'], on: ['transfers.create'], times: TRANSFERS / 2 }],
    });
    workers = await world.startWorkers(2);
    await world.startBackfill();
    await until(
      'everything is done',
      async () =>
        (await count(`reversals WHERE status <> 'reversed'`)) === 0 &&
        (await count(`seller_transfers WHERE completed_at IS NULL`)) === 0 &&
        (await count(`backfills WHERE state <> 'finished'`)) === 0,
      { limitMs: 240_000, everyMs: 500 },
    );
    calls = await world.stripe.calls();
  }, 300_000);

  it('never meet the limit, on any endpoint', () => {
    expect(overTheLimit(calls)).toEqual([]);
    expect(calls.endpoints['transfers.list']?.calls).toBeGreaterThan(HISTORICAL);
  });

  it('never meet the limit of all endpoints together, and come close to it', () => {
    expect(mostInOneSecond(calls)).toBeLessThanOrEqual(OVERALL);
    expect(mostInOneSecond(calls)).toBeGreaterThan(OVERALL * 0.8);
  });
});

it('is not exceeded either when Stripe or a worker stands still now and then, with requests on their way', async () => {
  const before = await reversed();
  await sentOrders(world, sellers(WHILE_STOPPED), 'refunded');
  await until('they are under way', async () => (await reversed()) >= before + 10, { limitMs: 60_000 });
  for (const [stopped, ms] of [world.stripe, ...workers].flatMap((one) => [[one, 150] as const, [one, 700] as const])) {
    stopped.kill('SIGSTOP');
    await pause(ms);
    stopped.kill('SIGCONT');
    await pause(200);
  }
  await until('all are through', async () => (await reversed()) === before + WHILE_STOPPED, { limitMs: 60_000 });
  const seen = await world.stripe.calls();
  expect(overTheLimit(seen)).toEqual([]);
  expect(mostInOneSecond(seen)).toBeLessThanOrEqual(OVERALL);
}, 180_000);

describe('a limit that an operator sets on the queue', () => {
  const limit = async (rps: string): Promise<void> => {
    const queue = ['--task-queue', stripeTaskQueue(world.taskQueue), '--task-queue-type', 'activity'];
    const at = ['--address', temporal.address, '--namespace', world.namespace];
    const args = ['task-queue', 'config', 'set', ...queue, ...at, '--queue-rps-limit', rps];
    await promisify(execFile)(temporalTool('temporal', process.env), args);
  };

  it('slows reversals down at once, and default gives them their pace back', async () => {
    await limit('3');
    const before = await reversed();
    await sentOrders(world, sellers(120), 'refunded');
    await until('some are through', async () => (await reversed()) >= before + 30, { limitMs: 60_000 });
    await limit('default');
    await until('all are through', async () => (await reversed()) === before + 120, { limitMs: 60_000 });
    const seen = await world.stripe.calls();
    expect(overTheLimit(seen)).toEqual([]);
    const at = seen.calls
      .filter(({ endpoint }) => endpoint === 'reversals.create')
      .map((call) => call.at)
      .slice(-120);
    const perSecond = (from: number, to: number) => ((to - from) / (at[to]! - at[from]!)) * 1000;
    const [slow, fast] = [perSecond(5, 25), perSecond(60, 110)];
    // bench/README.md says what it was on a quiet machine; how fast a busy one is proves nothing.
    console.log('reversals a second:', fast.toFixed(1), 'of', PER_SECOND, 'allowed; limited to 3:', slow.toFixed(1));
    expect(slow).toBeLessThan(6);
    expect(fast).toBeGreaterThan(2 * slow);
  }, 180_000);
});
