import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import type { MoneyKind, Order } from '../../src/domain/marketplace.js';
import { moneyWorkflowId, stripeTaskQueue } from '../../src/domain/workflow-ids.js';
import { startServer } from '../../src/main-server.js';
import type { Logger } from '../../src/observability/logger.js';
import { addSearchAttributes } from '../../src/orchestration/prepare-temporal.js';
import { type HyperswitchSandbox, startHyperswitchSandbox } from '../../src/sandbox/hyperswitch/start.js';
import { type StripeSandbox, startStripeSandbox } from '../../src/sandbox/stripe/start.js';
import { environmentFor, SERVICE_TOKEN, startProcess, type TestProcess } from '../support/crashing.js';
import { openTestLedger, type TestLedger } from '../support/ledger-fixtures.js';
import { type MarketplaceWorld, marketplaceEnvironment, startMarketplace } from '../support/marketplace-world.js';
import { memoryLogger } from '../support/settlement-world.js';
import { type DevServer, startDevServer } from '../support/temporal.js';
import { until } from '../support/until.js';

/** Switches, retries, waits and intervals of the marketplace: what each setting changes, seen from outside. */

const SOON = { limitMs: 20_000 };
const OFF = { REVERSAL_WORKER_ENABLED: 'false' };
const NO_TRANSFERS = { TRANSFER_RETRY_ENABLED: 'false' };

let server: DevServer;
let connection: Connection;
let native: NativeConnection;
let client: Client;
let test: TestLedger;
let stripe: StripeSandbox;
let hyperswitch: HyperswitchSandbox;
let taskQueue: string;
let world: MarketplaceWorld | undefined;
const processes: TestProcess[] = [];
/** One for all of them: a sweep that an ended process left behind is taken up by the next one. */
const PROCESS_QUEUE = `p-${crypto.randomUUID()}`;

beforeAll(async () => {
  server = await startDevServer();
  connection = await Connection.connect({ address: server.address });
  native = await NativeConnection.connect({ address: server.address });
  client = new Client({ connection });
  await addSearchAttributes(client, 'default');
});
afterAll(async () => {
  await native.close();
  await connection.close();
  await server.dispose();
});

beforeEach(async () => {
  taskQueue = `q-${crypto.randomUUID()}`;
  test = await openTestLedger();
  stripe = await startStripeSandbox({ clock: test.clock });
  hyperswitch = await startHyperswitchSandbox({
    clock: test.clock,
    auto: { pay: { to: 'succeeded', afterMs: 0 }, refund: { to: 'succeeded', afterMs: 0 } },
  });
});
afterEach(async () => {
  await stopWorld();
  await Promise.all(processes.splice(0).map((process) => process.stop()));
  await hyperswitch.close();
  await stripe.close();
  await test.dispose();
});

/** The marketplace with these settings; it takes the place of the one that ran before, on the same task queues. */
async function withSettings(settings: Record<string, string>): Promise<MarketplaceWorld> {
  await stopWorld();
  world = await startMarketplace({ connection: native, client, test, stripe, hyperswitch, taskQueue, settings });
  return world;
}

async function stopWorld(): Promise<void> {
  await world?.stop();
  world = undefined;
}

const postsTo = (endpoint: string) => stripe.calls().calls.filter((call) => call.endpoint === endpoint);
const found = async (id: Order['id']): Promise<Order> => {
  const order = await test.ledger.findOrder(id);
  if (!order) throw new Error(`there is no order ${id}`);
  return order;
};
const untilOrder = (what: string, { id }: Pick<Order, 'id'>, holds: (order: Order) => boolean) =>
  until(
    what,
    async () => {
      const order = await found(id);
      return holds(order) && order;
    },
    SOON,
  );
const paidOut = ({ transfers }: Order) => transfers.every(({ status }) => status === 'completed');
const takenBack = ({ reversals }: Order) => reversals.every(({ status }) => status === 'reversed');

async function wasStarted(kind: MoneyKind, id: string): Promise<boolean> {
  try {
    await client.workflow.getHandle(moneyWorkflowId(kind, id)).describe();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Rows as the sweep finds them: due, never sent, nobody asked. */
const waitingRows = (table: 'seller_transfers' | 'reversals') =>
  test.database.query(
    `SELECT id FROM ${table} WHERE certainty = 'not_sent' AND attempts = 0 AND attention_reason IS NULL
       AND status = 'pending' AND next_check_at <= clock_now() + interval '1 minute'`,
  );
const makeAllDue = async (): Promise<void> => {
  for (const table of ['seller_transfers', 'reversals'])
    await test.database.query(`UPDATE ${table} SET next_check_at = clock_now() WHERE next_check_at IS NOT NULL`);
};

describe('REVERSAL_WORKER_ENABLED=false', () => {
  it('starts no reversal: the buyer is refunded, the rows wait, and enabling it lets the sweep start them', async () => {
    const off = await withSettings(OFF);
    const order = await off.paidOrder({ acct_1Ada: 6_000n, acct_1Bob: 4_000n });
    await untilOrder('both sellers are paid', order, paidOut);
    await off.refund(order.id);
    expect((await found(order.id)).status).toBe('refunded');
    await makeAllDue();
    await off.sweep();
    await off.sweep();
    const waiting = await found(order.id);
    expect(waiting.transfers.map(({ status }) => status)).toEqual(['reversal_pending', 'reversal_pending']);
    expect(await waitingRows('reversals')).toHaveLength(2);
    for (const { id } of waiting.reversals) expect(await wasStarted('reversal', id)).toBe(false);
    expect(postsTo('reversals.create')).toEqual([]);

    const on = await withSettings({});
    await on.sweep();
    const done = await untilOrder('both shares are back', order, takenBack);
    expect(done.transfers.map(({ status }) => status)).toEqual(['reversed', 'reversed']);
    expect(postsTo('reversals.create')).toHaveLength(2);
  });
});

describe('TRANSFER_RETRY_ENABLED=false', () => {
  it('sends no transfer: orders are paid and refunded, the rows wait, and enabling it sends what is left', async () => {
    const off = await withSettings(NO_TRANSFERS);
    const order = await off.paidOrder({ acct_1Ada: 6_000n, acct_1Bob: 4_000n });
    expect(order.status).toBe('paid');
    await off.refund(order.id, 5_000n);
    await makeAllDue();
    await off.sweep();
    await off.sweep();
    const waiting = await found(order.id);
    expect(waiting.status).toBe('partially_refunded');
    expect(waiting.transfers.map(({ status, amount }) => [status, amount])).toEqual([
      ['pending', 3_000n],
      ['pending', 2_000n],
    ]);
    expect(await waitingRows('seller_transfers')).toHaveLength(2);
    for (const { id } of waiting.transfers) expect(await wasStarted('transfer', id)).toBe(false);
    expect(postsTo('transfers.create')).toEqual([]);

    const on = await withSettings({});
    await on.sweep();
    await untilOrder('both sellers are paid', order, paidOut);
    expect(new Set(stripe.ledger().transfers.map(({ amount }) => amount))).toEqual(new Set([2_000, 3_000]));
    expect(stripe.ledger().transfers).toHaveLength(2);
  });

  it('does not stop reversals of what was sent before', async () => {
    const before = await withSettings({});
    const order = await before.paidOrder({ acct_1Ada: 6_000n });
    await untilOrder('the seller is paid', order, paidOut);
    const off = await withSettings(NO_TRANSFERS);
    await off.refund(order.id);
    const { transfers } = await untilOrder('the share is back', order, takenBack);
    expect(transfers.map(({ status }) => status)).toEqual(['reversed']);
  });
});

/** The retry policy that Temporal was given for this activity, and how often it ran. */
async function scheduleOf(kind: MoneyKind, id: string, activity: string) {
  const { events } = await client.workflow.getHandle(moneyWorkflowId(kind, id)).fetchHistory();
  const scheduled = (events ?? []).filter(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity,
  );
  const ids = new Set(scheduled.map(({ eventId }) => String(eventId)));
  const attempts = (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
    started && ids.has(String(started.scheduledEventId)) ? [started.attempt] : [],
  );
  const { retryPolicy } = scheduled[0]?.activityTaskScheduledEventAttributes ?? {};
  return {
    scheduled: scheduled.length,
    attempts,
    maximumAttempts: retryPolicy?.maximumAttempts,
    backoffCoefficient: retryPolicy?.backoffCoefficient,
    initialMs: inMs(retryPolicy?.initialInterval),
    maximumMs: inMs(retryPolicy?.maximumInterval),
  };
}

const inMs = (duration: { seconds?: unknown; nanos?: number | null } | null | undefined): number =>
  Number(duration?.seconds ?? 0) * 1_000 + (duration?.nanos ?? 0) / 1e6;

/** Milliseconds between calls of one kind, as Stripe saw them. */
const waitsOf = (endpoint: string): number[] =>
  postsTo(endpoint)
    .slice(1)
    .map(({ at }, index) => at - (postsTo(endpoint)[index]?.at ?? 0));

/** Never sooner than wanted; later only by what a busy machine takes. */
function expectWaits(waits: readonly number[], wanted: readonly number[]): void {
  expect(waits).toHaveLength(wanted.length);
  for (const [index, ms] of wanted.entries()) {
    expect(waits[index]).toBeGreaterThanOrEqual(ms);
    expect(waits[index]).toBeLessThan(ms + 1_500);
  }
}

const RETRIES = {
  REVERSAL_MAX_RETRIES: '3',
  REVERSAL_BACKOFF_BASE: '300ms',
  REVERSAL_BACKOFF_MAX: '900ms',
  TRANSFER_RETRY_MAX: '2',
  TRANSFER_RETRY_BACKOFF_BASE: '200ms',
  TRANSFER_RETRY_BACKOFF_MAX: '250ms',
};

describe('retries and waits', () => {
  it('of reversals are the policy that Temporal is given and the decision of the ledger', async () => {
    const market = await withSettings(RETRIES);
    const order = await market.paidOrder({ acct_1Ada: 6_000n });
    await untilOrder('the seller is paid', order, paidOut);
    stripe.setFaults([{ kinds: ['unavailable'], on: ['reversals.create'] }]);
    await market.refund(order.id);
    const { reversals } = await untilOrder('a person is asked', order, (now) =>
      now.reversals.every(({ attention }) => attention !== null),
    );
    expect(reversals).toMatchObject([
      { status: 'permanently_failed', certainty: 'unknown', retryCount: 3, attention: { reason: 'retries_exhausted' } },
    ]);
    expectWaits(waitsOf('reversals.create'), [300, 600, 900]);
    expect(await scheduleOf('reversal', reversals[0]?.id ?? '', 'reverseTransfer')).toMatchObject({
      attempts: [4],
      maximumAttempts: 4,
      backoffCoefficient: 2,
      initialMs: 300,
      maximumMs: 900,
    });
  });

  it('of seller transfers are their own', async () => {
    const market = await withSettings(RETRIES);
    stripe.setFaults([{ kinds: ['unavailable'], on: ['transfers.create'] }]);
    const order = await market.paidOrder({ acct_1Ada: 6_000n });
    const { transfers } = await untilOrder('a person is asked', order, (now) =>
      now.transfers.every(({ attention }) => attention !== null),
    );
    expect(transfers).toMatchObject([
      { certainty: 'unknown', retryCount: 2, attention: { reason: 'retries_exhausted' } },
    ]);
    expectWaits(waitsOf('transfers.create'), [200, 250]);
    expect(await scheduleOf('transfer', transfers[0]?.id ?? '', 'sendTransfer')).toMatchObject({
      attempts: [3],
      maximumAttempts: 3,
      backoffCoefficient: 2,
      initialMs: 200,
      maximumMs: 250,
    });
  });

  it('of nought mean one attempt and then a person', async () => {
    const market = await withSettings({ ...RETRIES, REVERSAL_MAX_RETRIES: '0' });
    const order = await market.paidOrder({ acct_1Ada: 6_000n });
    await untilOrder('the seller is paid', order, paidOut);
    stripe.setFaults([{ kinds: ['unavailable'], on: ['reversals.create'] }]);
    await market.refund(order.id);
    const { reversals } = await untilOrder('a person is asked', order, (now) =>
      now.reversals.every(({ attention }) => attention !== null),
    );
    expect(reversals).toMatchObject([{ retryCount: 0, attention: { reason: 'retries_exhausted' } }]);
    expect(postsTo('reversals.create')).toHaveLength(1);
  });
});

/** A worker as it is started in production. */
async function workerProcess(env: Record<string, string>): Promise<TestProcess> {
  const process = await startProcess('worker', env);
  processes.push(process);
  return process;
}

const environment = (settings: Record<string, string>): Record<string, string> => ({
  ...(environmentFor({
    databaseUrl: test.url,
    temporalAddress: server.address,
    authServerUrl: 'http://127.0.0.1:9',
  }) as Record<string, string>),
  ...marketplaceEnvironment(stripe, hyperswitch),
  // Those of the fault tests, which the marketplace's own would replace.
  API_TOKENS: `till:service:${SERVICE_TOKEN}`,
  TEMPORAL_TASK_QUEUE: PROCESS_QUEUE,
  ...settings,
});
const without = (env: Record<string, string>, ...left: string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !left.includes(name)));
const STRIPE_VALUES = ['STRIPE_SECRET_KEY', 'STRIPE_API_BASE', 'STRIPE_WEBHOOK_SECRET'];
const HYPERSWITCH_VALUES = ['HYPERSWITCH_BASE_URL', 'HYPERSWITCH_API_KEY', 'HYPERSWITCH_WEBHOOK_SECRET'];

const pollersOf = async (queue: string): Promise<number> => {
  const ask = (taskQueueType: number) =>
    client.workflowService.describeTaskQueue({ namespace: 'default', taskQueue: { name: queue }, taskQueueType });
  const answers = await Promise.all([ask(1), ask(2)]);
  return answers.reduce((sum, { pollers }) => sum + (pollers?.length ?? 0), 0);
};
const everyMsOf = async (kind: MoneyKind): Promise<number | undefined> => {
  const { spec } = await client.schedule.getHandle(`makegood-${kind}-sweep`).describe();
  return spec.intervals?.[0]?.every;
};
const sweepsSince = async (kind: MoneyKind, sinceMs: number): Promise<boolean> => {
  const [last] = await test.database.query<{ at: Date | null }>(
    'SELECT succeeded_at AS at FROM sweeps WHERE name = $1',
    [`${kind}s`],
  );
  return (last?.at?.getTime() ?? 0) > sinceMs;
};

describe('a worker process', () => {
  it('without STRIPE_SECRET_KEY serves no Stripe queue and its rows wait; with it, they go on by its own sweep', async () => {
    const off = await withSettings({ ...OFF, ...NO_TRANSFERS });
    const order = await off.paidOrder({ acct_1Ada: 6_000n });
    await stopWorld();
    await makeAllDue();

    const intervals = { TRANSFER_RETRY_INTERVAL: '2s', REVERSAL_CHECK_INTERVAL: '1s' };
    const keyless = await workerProcess(without(environment(intervals), ...STRIPE_VALUES));
    const startedMs = Date.now();
    await until('transfers were looked for', () => sweepsSince('transfer', startedMs), SOON);
    await until('reversals were looked for', () => sweepsSince('reversal', startedMs), SOON);
    expect(await Promise.all((['payment', 'transfer', 'refund', 'reversal'] as const).map(everyMsOf))).toEqual([
      2_000, 2_000, 1_000, 1_000,
    ]);
    expect(await pollersOf(PROCESS_QUEUE)).toBeGreaterThan(0);
    expect(await pollersOf(stripeTaskQueue(PROCESS_QUEUE))).toBe(0);
    expect(await waitingRows('seller_transfers')).toHaveLength(1);
    for (const { id } of (await found(order.id)).transfers) expect(await wasStarted('transfer', id)).toBe(false);
    await keyless.stop();

    await workerProcess(environment(intervals));
    await untilOrder('the seller is paid', order, paidOut);
    expect(await pollersOf(stripeTaskQueue(PROCESS_QUEUE))).toBeGreaterThan(0);
  });

  it('asks a person when a balance has been too low for REVERSAL_BALANCE_HORIZON', async () => {
    const market = await withSettings(OFF);
    const order = await market.paidOrder({ acct_1Ada: 6_000n });
    await untilOrder('the seller is paid', order, paidOut);
    await market.refund(order.id);
    await stopWorld();
    stripe.setFaults([{ kinds: ['refused'], code: 'balance_insufficient', on: ['reversals.create'] }]);
    await workerProcess(environment({ REVERSAL_CHECK_INTERVAL: '1s', REVERSAL_BALANCE_HORIZON: '2s' }));
    await untilOrder('it waits', order, ({ reversals }) => reversals[0]?.status === 'waiting_balance');
    const asked = await until(
      'a person is asked',
      async () => {
        // As Stripe's event would: the seller's balance may have risen.
        await test.ledger.balanceRose('acct_1Ada');
        const { reversals } = await found(order.id);
        return reversals[0]?.attention ? reversals[0] : undefined;
      },
      { ...SOON, everyMs: 500 },
    );
    expect(asked).toMatchObject({ status: 'permanently_failed', attention: { reason: 'balance_horizon' } });
    expect(postsTo('reversals.create').length).toBeGreaterThan(1);
  });
});

const quietLogger: Logger = memoryLogger();

describe('a server without the values of a group', () => {
  const post = (url: string, path: string, body: object) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${SERVICE_TOKEN}`,
        'Content-Type': 'application/json',
        'Idempotency-Key': crypto.randomUUID(),
      },
      body: JSON.stringify(body),
    });

  it('answers 503 not_configured where it would need them, stores nothing there, and takes orders', async () => {
    const market = await withSettings({});
    const paid = await market.paidOrder({ acct_1Ada: 6_000n });
    const env = without(environment({ PORT: '0' }), ...STRIPE_VALUES, ...HYPERSWITCH_VALUES);
    const running = await startServer(readConfig(env), { logger: quietLogger });
    try {
      const items = [{ seller_account: 'acct_1Ada', amount: 500, description: 'goods' }];
      const ordered = await post(running.url, '/api/v1/orders', { currency: 'usd', items });
      expect(ordered.status).toBe(201);
      const { id } = (await ordered.json()) as { id: string };
      const before = await counts();
      for (const [path, body] of [
        ['/api/v1/payments', { order_id: id }],
        ['/api/v1/refunds', { order_id: paid.id, reason: 'requested_by_customer' }],
        ['/webhooks/stripe', { id: 'evt_1' }],
        ['/webhooks/hyperswitch', { event_id: 'evt_1' }],
      ] as const) {
        const answer = await post(running.url, path, body);
        expect([path, answer.status]).toEqual([path, 503]);
        expect(await answer.json()).toMatchObject({ code: 'not_configured' });
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      }
      expect(await counts()).toEqual(before);
    } finally {
      await running.stop();
    }
  });

  it('takes no event of a provider whose secret alone is missing, and goes on with everything else', async () => {
    const env = without(environment({ PORT: '0' }), 'STRIPE_WEBHOOK_SECRET', 'HYPERSWITCH_WEBHOOK_SECRET');
    const running = await startServer(readConfig(env), { logger: quietLogger });
    try {
      for (const path of ['/webhooks/stripe', '/webhooks/hyperswitch'])
        expect(await (await post(running.url, path, {})).json()).toMatchObject({ code: 'not_configured' });
      const items = [{ seller_account: 'acct_1Ada', amount: 500, description: 'goods' }];
      const { id } = (await (await post(running.url, '/api/v1/orders', { currency: 'usd', items })).json()) as {
        id: string;
      };
      expect((await post(running.url, '/api/v1/payments', { order_id: id })).status).toBe(201);
    } finally {
      await running.stop();
    }
  });

  const counts = async () =>
    (
      await test.database.query(
        `SELECT (SELECT count(*) FROM payments) AS payments, (SELECT count(*) FROM refunds) AS refunds,
           (SELECT count(*) FROM webhook_events) AS events, (SELECT count(*) FROM request_keys) AS keys`,
      )
    )[0];
});
