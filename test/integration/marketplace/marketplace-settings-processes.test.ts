import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/config.js';
import type { MarketplaceKind } from '../../../src/domain/marketplace/marketplace.js';
import { stripeTaskQueue } from '../../../src/domain/workflow-ids.js';
import type { Logger } from '../../../src/observability/logger.js';
import { startServer } from '../../../src/programs/main-server.js';
import { type ConnectedTemporal, startConnectedTemporal } from '../../support/connected-temporal.js';
import {
  type MarketplaceSettingsTest,
  NO_REVERSALS,
  NO_TRANSFERS,
  openMarketplaceSettings,
  paidOut,
  SOON,
} from '../../support/marketplace/settings.js';
import { marketplaceEnvironment } from '../../support/marketplace/world.js';
import {
  environmentFor,
  SERVICE_TOKEN,
  startProcess,
  type TestProcess,
} from '../../support/processes/start-process.js';
import { memoryLogger } from '../../support/settlements/settlement-world.js';
import { until } from '../../support/until.js';

/** What a worker and a server, as they are started in production, make of settings: intervals, horizons, values that are missing. */

let temporal: ConnectedTemporal;
let market: MarketplaceSettingsTest;
beforeAll(async () => {
  temporal = await startConnectedTemporal();
});
afterAll(() => temporal.dispose());
beforeEach(async () => {
  market = await openMarketplaceSettings(temporal);
});
afterEach(async () => {
  await market.stop();
  await Promise.all(processes.splice(0).map((process) => process.stop()));
  await market.dispose();
});
const processes: TestProcess[] = [];
/** One for all of them: a sweep that an ended process left behind is taken up by the next one. */
const PROCESS_QUEUE = `p-${crypto.randomUUID()}`;

/** A worker as it is started in production. */
async function workerProcess(env: Record<string, string>): Promise<TestProcess> {
  const process = await startProcess('worker', env);
  processes.push(process);
  return process;
}

const environment = (settings: Record<string, string>): Record<string, string> => ({
  ...(environmentFor({
    databaseUrl: market.test.url,
    temporalAddress: temporal.address,
    authServerUrl: 'http://127.0.0.1:9',
  }) as Record<string, string>),
  ...marketplaceEnvironment(market.stripe, market.hyperswitch),
  // Those of the fault tests, which the marketplace's own would replace.
  API_TOKENS: `till:service:${SERVICE_TOKEN}`,
  TEMPORAL_TASK_QUEUE: PROCESS_QUEUE,
  // There are no charges here.
  SETTLEMENT_SWEEP_INTERVAL: '1h',
  ...settings,
});
const without = (env: Record<string, string>, ...left: string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !left.includes(name)));
const STRIPE_VALUES = ['STRIPE_SECRET_KEY', 'STRIPE_API_BASE', 'STRIPE_WEBHOOK_SECRET'];
const HYPERSWITCH_VALUES = ['HYPERSWITCH_BASE_URL', 'HYPERSWITCH_API_KEY', 'HYPERSWITCH_WEBHOOK_SECRET'];

const pollersOf = async (queue: string): Promise<number> => {
  const ask = (taskQueueType: number) =>
    temporal.client.workflowService.describeTaskQueue({
      namespace: 'default',
      taskQueue: { name: queue },
      taskQueueType,
    });
  const answers = await Promise.all([ask(1), ask(2)]);
  return answers.reduce((sum, { pollers }) => sum + (pollers?.length ?? 0), 0);
};
const everyMsOf = async (kind: MarketplaceKind): Promise<number | undefined> => {
  const { spec } = await temporal.client.schedule.getHandle(`makegood-${kind}-sweep`).describe();
  return spec.intervals?.[0]?.every;
};
const sweepsSince = async (kind: MarketplaceKind, sinceMs: number): Promise<boolean> => {
  const [last] = await market.test.database.query<{ at: Date | null }>(
    'SELECT succeeded_at AS at FROM sweeps WHERE name = $1',
    [kind],
  );
  return (last?.at?.getTime() ?? 0) > sinceMs;
};

describe('a worker process', () => {
  it('without STRIPE_SECRET_KEY serves no Stripe queue and its rows wait; with it, they go on by its own sweep', async () => {
    const off = await market.with({ ...NO_REVERSALS, ...NO_TRANSFERS });
    const order = await off.paidOrder({ acct_1Ada: 6_000n });
    await market.stop();
    await market.makeAllDue();

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
    expect(await market.waitingRows('seller_transfers')).toHaveLength(1);
    for (const { id } of (await market.find(order.id)).transfers)
      expect(await market.wasStarted('transfer', id)).toBe(false);
    await keyless.stop();

    await workerProcess(environment(intervals));
    await market.untilOrder('the seller is paid', order, paidOut);
    expect(await pollersOf(stripeTaskQueue(PROCESS_QUEUE))).toBeGreaterThan(0);
  });

  it('asks a person when a balance has been too low for REVERSAL_BALANCE_HORIZON', async () => {
    const world = await market.with(NO_REVERSALS);
    const order = await world.paidOrder({ acct_1Ada: 6_000n });
    await market.untilOrder('the seller is paid', order, paidOut);
    await world.refund(order.id);
    await market.stop();
    market.stripe.setFaults([{ kinds: ['refused'], code: 'balance_insufficient', on: ['reversals.create'] }]);
    await workerProcess(environment({ REVERSAL_CHECK_INTERVAL: '1s', REVERSAL_BALANCE_HORIZON: '2s' }));
    await market.untilOrder('it waits', order, ({ reversals }) => reversals[0]?.status === 'waiting_balance');
    const asked = await until(
      'a person is asked',
      async () => {
        // As Stripe's event would: the seller's balance may have risen.
        await market.test.ledger.balanceRose('acct_1Ada');
        const { reversals } = await market.find(order.id);
        return reversals[0]?.attention ? reversals[0] : undefined;
      },
      { ...SOON, everyMs: 500 },
    );
    expect(asked).toMatchObject({ status: 'permanently_failed', attention: { reason: 'balance_horizon' } });
    expect(market.postsTo('reversals.create').length).toBeGreaterThan(1);
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
    const world = await market.with({});
    const paid = await world.paidOrder({ acct_1Ada: 6_000n });
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
      await market.test.database.query(
        `SELECT (SELECT count(*) FROM payments) AS payments, (SELECT count(*) FROM refunds) AS refunds,
           (SELECT count(*) FROM webhook_events) AS events, (SELECT count(*) FROM request_keys) AS keys`,
      )
    )[0];
});
