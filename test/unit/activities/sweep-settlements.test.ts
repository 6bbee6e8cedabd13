import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSettlementSweep } from '../../../activities/sweeps/sweep-settlements.js';
import { newSettlementId } from '../../../src/domain/ids.js';
import { authServerOf, type SettlementProvider, TEMPO } from '../../../src/domain/settlements/settlement-providers.js';
import type { DueSettlement } from '../../../src/ledger/settlements/settlement-sweep.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

const silent = () => undefined;
const X402: SettlementProvider = authServerOf('x402');
const MPP: SettlementProvider = authServerOf('mpp');
const row = (changes: Partial<DueSettlement> = {}): DueSettlement =>
  ({
    id: newSettlementId(1),
    protocol: 'x402',
    provider: X402,
    status: 'pending',
    spent: '1',
    asset: 'USDC',
    decimals: 6,
    ...changes,
  }) as DueSettlement;

interface Found {
  readonly due: readonly DueSettlement[];
  readonly provider?: SettlementProvider;
  readonly crowded?: readonly SettlementProvider[];
  readonly busy?: readonly SettlementProvider[];
  readonly maxPerSecond: number;
  readonly endsAfterMs?: number;
}

/** A pass that finds these rows due until each was started. */
async function passOver({ due, provider = X402, crowded = [], busy = [provider], maxPerSecond, endsAfterMs }: Found) {
  const startedAt: number[] = [];
  const sizes: number[] = [];
  let left = due;
  const start = (rows: readonly DueSettlement[]) => {
    startedAt.push(Date.now());
    sizes.push(rows.length);
    left = left.filter((each) => !rows.includes(each));
    return Promise.resolve();
  };
  const work = createSettlementSweep(provider, {
    ledger: {
      dueSettlements: (_provider, limit) => Promise.resolve(left.slice(0, limit)),
      crowded: () => Promise.resolve([...crowded]),
      busyProviders: () => Promise.resolve([...busy]),
      markStarted: () => Promise.resolve(),
      unblock: () => Promise.resolve(0),
      openBreakers: () => Promise.resolve([]),
      startable: () => Promise.resolve([]),
    },
    starter: {
      startSettlement: (one) => start([one]),
      wake: (one) => start([one]),
      startBatch: (rows) => start(rows).then(() => 'settlements/some'),
    },
    sweep: { overflowBacklog: 10, maxBatch: 50, maxPerSecond },
    logger: { trace: silent, debug: silent, info: silent, warn: silent, error: silent },
  });
  const endMs = Date.now() + (endsAfterMs ?? 3_600_000);
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const state = { done: false };
  const ended = work({ over: () => Date.now() >= endMs, sleep }).finally(() => {
    state.done = true;
  });
  while (!state.done) await vi.advanceTimersByTimeAsync(100);
  return { report: await ended, startedAt, sizes };
}
const many = (count: number, changes: Partial<DueSettlement> = {}) => Array.from({ length: count }, () => row(changes));
const tookMs = (at: readonly number[]) => (at.at(-1) ?? 0) - (at[0] ?? 0);

it('starts no faster than its pace, and those that wait for a person before the crowd', async () => {
  const asked = many(2, { status: 'needs_attention' });
  const { sizes, startedAt } = await passOver({ due: [...many(100), ...asked], crowded: [X402], maxPerSecond: 10 });
  expect(sizes).toEqual([1, 1, 50, 50]);
  const [first = 0, , third = 0, fourth = 0] = startedAt;
  // Two rows at ten a second, with a quarter of jitter; then fifty.
  expect(third - first).toBeGreaterThanOrEqual(150);
  expect(third - first).toBeLessThan(2_000);
  expect(fourth - third).toBeGreaterThanOrEqual(3_750);
});

it('keeps the slowest pace that can be set, in batches of a few seconds each', async () => {
  const { sizes, startedAt, report } = await passOver({ due: many(50), crowded: [X402], maxPerSecond: 1 });
  expect(report).toMatchObject({ started: 50, batches: 10 });
  expect(new Set(sizes)).toEqual(new Set([5]));
  expect(tookMs(startedAt)).toBeGreaterThanOrEqual(45_000 * 0.75);
});

it('shares the pace of the auth server with its other protocols that have work, and not with the chain', async () => {
  const busy: readonly SettlementProvider[] = [X402, MPP, TEMPO];
  const shared = await passOver({ due: many(100), busy, maxPerSecond: 10 });
  expect(tookMs(shared.startedAt)).toBeGreaterThanOrEqual(99 * 200 * 0.75);
  const chain = await passOver({ due: many(100, { provider: TEMPO }), provider: TEMPO, busy, maxPerSecond: 10 });
  expect(tookMs(chain.startedAt)).toBeLessThanOrEqual(100 * 100 * 1.25);
});

it('shares workflows only where its own provider is crowded', async () => {
  const { sizes } = await passOver({ due: many(20), crowded: [TEMPO], maxPerSecond: 10_000 });
  expect(new Set(sizes)).toEqual(new Set([1]));
});

it('begins nothing more when its time is up', async () => {
  const { report } = await passOver({ due: many(100), maxPerSecond: 10, endsAfterMs: 2_000 });
  expect(report.started).toBeGreaterThanOrEqual(15);
  expect(report.started).toBeLessThanOrEqual(30);
});
