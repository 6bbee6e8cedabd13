import { msToNumber } from '@temporalio/common/lib/time.js';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSweep, type SweepDependencies } from '../../../activities/sweep-settlements.js';
import { newSettlementId } from '../../../src/domain/ids.js';
import type { SettlementProvider } from '../../../src/domain/settlement-providers.js';
import type { DueSettlement } from '../../../src/ledger/sweep.js';
import { sweepPass } from '../../../workflows/policies.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

const silent = () => undefined;
const nothing = () => Promise.resolve(0);
const row = (protocol: 'x402' | 'atxp'): DueSettlement =>
  ({
    id: newSettlementId(1),
    protocol,
    provider: `auth-server:${protocol}`,
    status: 'pending',
    spent: '1',
    asset: 'USDC',
    decimals: 6,
  }) as DueSettlement;
/** A capture of a payment channel. */
const captureRow = (): DueSettlement => ({ ...row('x402'), protocol: 'mpp', provider: 'tempo' });

/** A sweep that finds these rows due, once. */
function sweepOf(due: DueSettlement[], crowded: readonly SettlementProvider[], maxPerSecond: number) {
  const startedAt: number[] = [];
  const batches: number[] = [];
  const providersOf: (readonly string[])[] = [];
  let page = due;
  const dependencies: SweepDependencies = {
    ledger: {
      abandonedSessions: () => Promise.resolve([]),
      abandonedRequests: () => Promise.resolve([]),
      closeAbandonedRequest: () => Promise.resolve(true),
      closeAbandoned: () => Promise.resolve(false),
      dueSettlements: () => {
        const found = page;
        page = [];
        return Promise.resolve(found);
      },
      crowded: () => Promise.resolve(Array.from(crowded)),
      markStarted: () => Promise.resolve(),
      unblock: nothing,
      eraseOverdue: nothing,
      reseal: nothing,
      sweepStarted: () => Promise.resolve(),
      sweepSucceeded: () => Promise.resolve(),
      openBreakers: () => Promise.resolve([]),
      startable: () => Promise.resolve([]),
    },
    captures: undefined,
    starter: {
      startSettlement: () => Promise.resolve(),
      wake: () => {
        startedAt.push(Date.now());
        return Promise.resolve();
      },
      startBatch: (settlements) => {
        batches.push(settlements.length);
        providersOf.push(Array.from(new Set(settlements.map(({ provider }) => provider))));
        startedAt.push(Date.now());
        return Promise.resolve('settlements/some');
      },
    },
    sweep: { intervalMs: 60_000, overflowBacklog: 10, maxBatch: 50, maxPerSecond },
    logger: { trace: silent, debug: silent, info: silent, warn: silent, error: silent },
  };
  return { run: createSweep(dependencies), startedAt, batches, providersOf };
}

async function finished<T>(work: Promise<T>): Promise<T> {
  const state = { done: false };
  const ended = work.finally(() => {
    state.done = true;
  });
  while (!state.done) await vi.advanceTimersByTimeAsync(1_000);
  return await ended;
}

it('keeps its heartbeat at the slowest pace that can be set, however large the batches', async () => {
  const { run, batches } = sweepOf(
    Array.from({ length: 150 }, () => row('x402')),
    ['auth-server:x402'],
    1,
  );
  const beats: number[] = [];
  const environment = new MockActivityEnvironment();
  environment.on('heartbeat', () => beats.push(Date.now()));
  const report = await finished(environment.run(run));
  expect(report).toMatchObject({ started: 150, batches: 3 });
  expect(batches).toEqual([50, 50, 50]);
  const gaps = beats.slice(1).map((at, index) => at - (beats[index] ?? 0));
  expect(Math.max(...gaps)).toBeLessThan(msToNumber(sweepPass.heartbeatTimeout ?? 0) * 0.8);
  expect((beats.at(-1) ?? 0) - (beats[0] ?? 0)).toBeGreaterThan(100_000);
});

it('starts no faster than its pace, and the few rows of another protocol before those of the crowded one', async () => {
  const due = [...Array.from({ length: 100 }, () => row('x402')), row('atxp'), row('atxp')];
  const { run, startedAt, batches } = sweepOf(due, ['auth-server:x402'], 10);
  await finished(new MockActivityEnvironment().run(run));
  expect(batches).toEqual([50, 50]);
  expect(startedAt).toHaveLength(4);
  const [first = 0, , third = 0, fourth = 0] = startedAt;
  // Two rows at ten a second, with a quarter of jitter; then fifty.
  expect(third - first).toBeGreaterThanOrEqual(150);
  expect(third - first).toBeLessThan(2_000);
  expect(fourth - third).toBeGreaterThanOrEqual(3_750);
});

it('never puts captures on chain into a batch with settlements of the auth server, although both are MPP', async () => {
  const mpp = Array.from(
    { length: 60 },
    () => ({ ...row('x402'), protocol: 'mpp', provider: 'auth-server:mpp' }) as const,
  );
  const due = mpp.flatMap((each) => [each, captureRow()]);
  const { run, batches, providersOf } = sweepOf(due, ['auth-server:mpp', 'tempo'], 10_000);
  await finished(new MockActivityEnvironment().run(run));
  expect(batches).toEqual([50, 10, 50, 10]);
  expect(providersOf).toEqual([['auth-server:mpp'], ['auth-server:mpp'], ['tempo'], ['tempo']]);
});

it('shares no workflow among the settlements of the auth server because captures pile up', async () => {
  const mpp = { ...row('x402'), protocol: 'mpp', provider: 'auth-server:mpp' } as const;
  const { run, batches, startedAt } = sweepOf([mpp, ...Array.from({ length: 20 }, captureRow)], ['tempo'], 10_000);
  await finished(new MockActivityEnvironment().run(run));
  expect(batches).toEqual([20]);
  expect(startedAt).toHaveLength(2);
});
