import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SweepLane } from '../../src/domain/sweep-lanes.js';
import { createTestDatabase } from '../support/database.js';
import { databaseNow, lanesBeside, lanesWithoutSuccess } from '../support/isolation/lanes.js';
import {
  createPendingWork,
  type PendingWork,
  PROVIDER_OF,
  WORK_KINDS,
  type WorkKind,
} from '../support/isolation/pending-work.js';
import {
  callsOf,
  clearFaults,
  hangPayouts,
  injectFault,
  PROVIDERS,
  type Provider,
} from '../support/isolation/provider-faults.js';
import { type Providers, startProviders } from '../support/isolation/providers.js';
import { startProcess, type TestProcess } from '../support/processes/start-process.js';
import { sql } from '../support/settlements/ledger-comparison.js';
import { charges, expectAllSettledOnce, type LoadWorld, startLoadWorld } from '../support/settlements/load-world.js';
import { type DevServer, startDevServer } from '../support/temporal.js';
import { until } from '../support/until.js';
import { sampleOf } from '../support/whole-or-sample.js';

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
  let providers: Providers;
  let pending: PendingWork;
  let worker: TestProcess;
  let dropDatabase: () => Promise<void>;

  beforeAll(async () => {
    const [server, { url, drop }] = await Promise.all([startDevServer(), createTestDatabase()]);
    temporal = server;
    dropDatabase = drop;
    providers = await startProviders({ databaseUrl: url, temporalAddress: temporal.address, namespace: 'isolation' });
    worker = await startProcess('worker', { PATH: process.env['PATH'], ...providers.env });
    pending = await createPendingWork(providers);
  }, 90_000);
  afterAll(async () => {
    worker.kill('SIGKILL');
    await worker.exited;
    await providers.close();
    await dropDatabase();
    await temporal.dispose();
  });

  let more: NodeJS.Timeout | undefined;
  afterEach(async () => {
    clearInterval(more);
    await clearFaults(providers);
  });

  /** Events and channels to be read come all the time; a pass over what was there once would end some day. */
  async function keepComing(
    own: readonly { readonly kind: WorkKind; readonly ids: readonly string[] }[],
  ): Promise<void> {
    for (const { kind, ids } of own) if (kind === 'payout') await pending.release(kind, ids);
    await pending.readChannelsNow();
  }

  const untilFinished = (what: string, kind: WorkKind, ids: readonly string[], patience = SOON) =>
    until(what, async () => (await pending.finished(kind, ids)).length === ids.length, patience);

  /**
   * Work for everybody; the ill one's own comes first, and nothing is demanded of it until it is well again.
   * @returns lanes of others without a success meanwhile
   */
  async function besides(
    ill: Provider,
    fallsIll: () => Promise<void>,
    sick: readonly WorkKind[],
  ): Promise<readonly SweepLane[]> {
    const own = await Promise.all(sick.map(async (kind) => ({ kind, ids: await pending.prepare(kind, HELD) })));
    const well = WORK_KINDS.filter((kind) => !sick.includes(kind));
    const others = await Promise.all(well.map(async (kind) => ({ kind, ids: await pending.prepare(kind, BESIDE) })));
    await fallsIll();
    const before = callsOf(providers, ill);
    for (const { kind, ids } of own) await pending.release(kind, ids);
    await pending.readChannelsNow();
    // Long enough for every lane to have begun something that hangs.
    await until('it is asked', () => Promise.resolve(callsOf(providers, ill) > before), SOON);
    const since = await databaseNow(providers);
    more = setInterval(() => void keepComing(own), 1_000);
    for (const { kind, ids } of others) await pending.release(kind, ids);
    await Promise.all(others.map(({ kind, ids }) => untilFinished(`every ${kind} is finished`, kind, ids)));
    let missing = lanesBeside(ill);
    const allSucceeded = async () => (missing = await lanesWithoutSuccess(providers, missing, since)).length === 0;
    await until('every other lane has succeeded', allSucceeded, SOON).catch(() => undefined);
    clearInterval(more);
    await clearFaults(providers);
    for (const { kind, ids } of own) {
      // Instead of the minute after which an event comes round again.
      if (kind === 'payout') await pending.release(kind, ids);
      await untilFinished(`every ${kind} is finished once it is well`, kind, ids, { limitMs: 60_000, everyMs: 100 });
    }
    return missing;
  }

  it.each(sampleOf('providers that hang', PROVIDERS, { nameOf: (provider) => provider, oneIn: 2 }))(
    '%s, the sweeps of all others succeed and their work is done',
    async (ill) => {
      const own = WORK_KINDS.filter((kind) => PROVIDER_OF[kind] === ill);
      expect(await besides(ill, () => injectFault(providers, ill, 'hung'), own)).toEqual([]);
    },
    150_000,
  );

  it('in its reads of payouts alone, transfers are made and no other sweep waits', async () => {
    expect(await besides('Stripe', () => Promise.resolve(hangPayouts(providers)), ['payout'])).toEqual([]);
  }, 150_000);
});
