import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SweepLane } from '../../src/domain/sweep-lanes.js';
import { createTestDatabase } from '../support/database.js';
import { GOODS, type Good, openStock, PROVIDER_OF, type Stock } from '../support/neighbours/goods.js';
import { databaseNow, lanesBeside, lanesWithoutSuccess } from '../support/neighbours/lanes.js';
import { openTown, type Town } from '../support/neighbours/town.js';
import { callsOf, hangPayouts, heal, PROVIDERS, type Provider, trouble } from '../support/neighbours/troubles.js';
import { startProcess, type TestProcess } from '../support/settlements/crashing.js';
import { charges, expectAllSettledOnce, type LoadWorld, startLoadWorld } from '../support/settlements/load-world.js';
import { sql } from '../support/settlements/two-ledgers.js';
import { type DevServer, startDevServer } from '../support/temporal.js';
import { until } from '../support/until.js';

describe('while one provider is down', () => {
  /** A row that is not dispatched waits this long before the sweep looks at it. */
  const GRACE_MS = 15_000;
  const ill = charges(120, ['x402'], 'ill');
  const well = charges(20, ['mpp', 'atxp'], 'well');

  let temporal: DevServer;
  let world: LoadWorld;

  beforeAll(async () => {
    temporal = await startDevServer();
    world = await startLoadWorld({
      temporalAddress: temporal.address,
      namespace: 'healthy-neighbour',
      changes: { SETTLEMENT_OVERFLOW_BACKLOG: '30', SETTLEMENT_SWEEP_INTERVAL: '2s' },
    });
  });
  afterAll(async () => {
    await world.stop();
    await temporal.dispose();
  });

  const count = async (condition: string): Promise<number> => {
    const [row] = await sql<{ count: string }>(
      world.databaseUrl,
      `SELECT count(*) FROM settlements WHERE ${condition}`,
    );
    return Number(row?.count);
  };

  it('an outage of one provider with a great backlog never slows the settlements of another', async () => {
    world.sandbox.setDown(true, ['x402']);
    await world.submit(ill);
    await until(
      'the breaker is open and every server has seen the backlog',
      async () => {
        const [breaker] = await sql(
          world.databaseUrl,
          `SELECT 1 FROM provider_breakers WHERE state <> 'closed' AND opened_at < clock_now() - interval '2 seconds'`,
        );
        return breaker !== undefined;
      },
      { limitMs: 30_000 },
    );
    expect(await count(`status = 'pending' AND protocol = 'x402'`)).toBe(ill.length);

    const began = performance.now();
    await world.submit(well);
    await until('the healthy ones are settled', async () => (await count(`status = 'settled'`)) === well.length, {
      limitMs: 40_000,
    });
    expect(performance.now() - began).toBeLessThan(GRACE_MS * 0.8);

    world.sandbox.setDown(false);
    await world.drained(60_000);
    await expectAllSettledOnce(world.databaseUrl, world.sandbox, [...ill, ...well]);
  }, 150_000);
});

/** How many of each provider's own items are under way when it falls ill, and how many of the others' come then. */
const HELD = 20;
const BESIDE = 4;
/** Eight times the interval of the sweeps; a call to Stripe or Hyperswitch that hangs is given up after twenty seconds. */
const SOON = { limitMs: 18_000, everyMs: 50 };

describe('while one provider hangs', () => {
  let temporal: DevServer;
  let town: Town;
  let stock: Stock;
  let worker: TestProcess;
  let dropDatabase: () => Promise<void>;

  beforeAll(async () => {
    const [server, { url, drop }] = await Promise.all([startDevServer(), createTestDatabase()]);
    temporal = server;
    dropDatabase = drop;
    town = await openTown({ databaseUrl: url, temporalAddress: temporal.address, namespace: 'neighbours' });
    worker = await startProcess('worker', { PATH: process.env['PATH'], ...town.env });
    stock = await openStock(town);
  }, 90_000);
  afterAll(async () => {
    worker.kill('SIGKILL');
    await worker.exited;
    await town.close();
    await dropDatabase();
    await temporal.dispose();
  });

  let more: NodeJS.Timeout | undefined;
  afterEach(async () => {
    clearInterval(more);
    await heal(town);
  });

  /** Events and channels to be read come all the time; a pass over what was there once would end some day. */
  async function keepComing(own: readonly { readonly good: Good; readonly ids: readonly string[] }[]): Promise<void> {
    for (const { good, ids } of own) if (good === 'payout') await stock.release(good, ids);
    await stock.readChannelsNow();
  }

  const untilFinished = (what: string, good: Good, ids: readonly string[], patience = SOON) =>
    until(what, async () => (await stock.finished(good, ids)).length === ids.length, patience);

  /**
   * Work for everybody; the ill one's own comes first, and nothing is demanded of it until it is well again.
   * @returns lanes of others without a success meanwhile
   */
  async function besides(
    ill: Provider,
    fallsIll: () => Promise<void>,
    sick: readonly Good[],
  ): Promise<readonly SweepLane[]> {
    const own = await Promise.all(sick.map(async (good) => ({ good, ids: await stock.prepare(good, HELD) })));
    const well = GOODS.filter((good) => !sick.includes(good));
    const others = await Promise.all(well.map(async (good) => ({ good, ids: await stock.prepare(good, BESIDE) })));
    await fallsIll();
    const before = callsOf(town, ill);
    for (const { good, ids } of own) await stock.release(good, ids);
    await stock.readChannelsNow();
    // Long enough for every lane to have begun something that hangs.
    await until('it is asked', () => Promise.resolve(callsOf(town, ill) > before), SOON);
    const since = await databaseNow(town);
    more = setInterval(() => void keepComing(own), 1_000);
    for (const { good, ids } of others) await stock.release(good, ids);
    await Promise.all(others.map(({ good, ids }) => untilFinished(`every ${good} is finished`, good, ids)));
    let missing = lanesBeside(ill);
    const allSucceeded = async () => (missing = await lanesWithoutSuccess(town, missing, since)).length === 0;
    await until('every other lane has succeeded', allSucceeded, SOON).catch(() => undefined);
    clearInterval(more);
    await heal(town);
    for (const { good, ids } of own) {
      // Instead of the minute after which an event comes round again.
      if (good === 'payout') await stock.release(good, ids);
      await untilFinished(`every ${good} is finished once it is well`, good, ids, { limitMs: 60_000, everyMs: 100 });
    }
    return missing;
  }

  it.each(PROVIDERS)(
    '%s, the sweeps of all others succeed and their work is done',
    async (ill) => {
      const own = GOODS.filter((good) => PROVIDER_OF[good] === ill);
      expect(await besides(ill, () => trouble(town, ill, 'hung'), own)).toEqual([]);
    },
    150_000,
  );

  it('in its reads of payouts alone, transfers are made and no other sweep waits', async () => {
    expect(await besides('Stripe', () => Promise.resolve(hangPayouts(town)), ['payout'])).toEqual([]);
  }, 150_000);
});
