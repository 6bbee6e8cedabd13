import { msToNumber } from '@temporalio/common/lib/time.js';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { passMs } from '../../../activities/sweeps/lane-pass.js';
import { createSweeps, type SweepDependencies } from '../../../activities/sweeps/sweep-lanes.js';
import { newSettlementId } from '../../../src/domain/ids.js';
import { SWEEP_LANES, type SweepLane, sweepIntervals } from '../../../src/domain/sweep-lanes.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import { sweepPass } from '../../../workflows/policies.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

const EVERY_MS = 60_000;
const INTERVALS = sweepIntervals({
  settlement: { sweepIntervalMs: EVERY_MS },
  transferRetry: { checkIntervalMs: EVERY_MS },
  reversal: { checkIntervalMs: EVERY_MS },
});
const silent = () => undefined;
const never = () => new Promise<never>(() => undefined);
const CHANNEL = `0x${'a'.repeat(64)}`;
const EVENT = { provider: 'stripe', eventId: 'evt_1', type: 'payout.paid' };
const DUE = { id: newSettlementId(1), status: 'pending' };

/** Everything has one thing to do, again and again, and whatever is not asked for hangs in no way. */
const LEDGER = {
  abandonedSessions: () => Promise.resolve([]),
  abandonedRequests: () => Promise.resolve([]),
  dueSettlements: () => Promise.resolve([DUE]),
  crowded: () => Promise.resolve([]),
  busyProviders: () => Promise.resolve([]),
  openBreakers: () => Promise.resolve([]),
  markStarted: () => Promise.resolve(),
  unblock: () => Promise.resolve(0),
  startable: () => Promise.resolve([]),
  channelsToLookAt: () => Promise.resolve([]),
  channelsToRead: () => Promise.resolve([CHANNEL]),
  recordChainState: () => Promise.resolve(),
  dueItems: (kind: string) => Promise.resolve([{ kind, id: '1' }]),
  markItemsStarted: () => Promise.resolve(),
  dueWebhooks: () => Promise.resolve([EVENT]),
  eraseOverdue: () => Promise.resolve(0),
  eraseNamedAnswers: () => Promise.resolve(0),
  reseal: () => Promise.resolve(0),
  pruneChannels: () => Promise.resolve(0),
} as unknown as Ledger;

type Changes = Partial<Omit<SweepDependencies, 'ledger'>> & {
  readonly ledger?: Partial<Record<keyof Ledger, unknown>>;
};

function sweepsWith({ ledger = {}, ...changes }: Changes = {}) {
  const succeeded: string[] = [];
  const sweeps = createSweeps({
    ledger: {
      ...LEDGER,
      sweepStarted: () => Promise.resolve(),
      sweepSucceeded: (lane: string) => {
        succeeded.push(lane);
        return Promise.resolve();
      },
      ...ledger,
    } as never,
    settlements: {
      starter: {
        startSettlement: () => Promise.resolve(),
        wake: () => Promise.resolve(),
        startBatch: () => Promise.resolve('settlements/some'),
      },
      sweep: { overflowBacklog: 10, maxBatch: 50, maxPerSecond: 200 },
    },
    money: { starter: { wake: () => Promise.resolve(true) } },
    processWebhook: () => Promise.resolve('acted'),
    chain: {
      readChain: () => Promise.resolve({ kind: 'read', deposit: 1n, settled: 0n, closeRequestedAtMs: null }),
      policy: { threshold: 1n, intervalMs: 1_000 },
    },
    intervals: INTERVALS,
    logger: { trace: silent, debug: silent, info: silent, warn: silent, error: silent },
    ...changes,
  });
  return { sweeps, succeeded };
}

/** One pass of one lane, with how long it took and how it beat. */
async function passOf(lane: SweepLane, changes?: Changes) {
  const { sweeps, succeeded } = sweepsWith(changes);
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  const beganMs = Date.now();
  const beats = [beganMs];
  environment.on('heartbeat', () => beats.push(Date.now()));
  const state: { ended?: 'well' | 'failed' } = {};
  const pass = environment.run((each: SweepLane) => sweeps.sweepLane(each), lane);
  void Promise.allSettled([pass]).then(([outcome]) => {
    state.ended = outcome.status === 'fulfilled' ? 'well' : 'failed';
    return state;
  });
  while (!state.ended) await vi.advanceTimersByTimeAsync(500);
  const tookMs = Date.now() - beganMs;
  beats.push(Date.now());
  const longestSilenceMs = Math.max(...beats.slice(1).map((at, nth) => at - (beats[nth] ?? 0)));
  return { ended: state.ended, tookMs, longestSilenceMs, succeeded };
}

const HEARTBEAT_MS = msToNumber(sweepPass.heartbeatTimeout ?? 0);
const LIMIT_MS = msToNumber(sweepPass.startToCloseTimeout ?? 0);

/** What each lane waits for; the ledger itself is what all of them wait for. */
const HANGING: readonly (readonly [what: string, lanes: readonly SweepLane[], changes: Changes])[] = [
  ['the chain', ['chain'], { chain: { readChain: never, policy: { threshold: 1n, intervalMs: 1_000 } } }],
  ['a read at Stripe', ['stripe-read'], { processWebhook: never }],
  [
    'Temporal, asked for settlements',
    ['settlement-atxp', 'settlement-x402', 'settlement-mpp', 'settlement-tempo'],
    {
      settlements: {
        starter: { startSettlement: never, wake: never, startBatch: never },
        sweep: { overflowBacklog: 10, maxBatch: 50, maxPerSecond: 200 },
      },
    },
  ],
  [
    'Temporal, asked for orders',
    ['payment', 'refund', 'transfer', 'reversal'],
    { money: { starter: { wake: never } } },
  ],
  ...SWEEP_LANES.map((lane) => ['the ledger', [lane], { ledger: { sweepStarted: never } }] as const),
];

describe.each(HANGING)('while %s hangs', (_what, lanes, changes) => {
  it.each(lanes)('the pass of %s keeps its heartbeat, ends within its budget and is no success', async (lane) => {
    const pass = await passOf(lane, changes);
    expect(pass.ended).toBe('failed');
    expect(pass.succeeded).toEqual([]);
    expect(pass.longestSilenceMs).toBeLessThan(HEARTBEAT_MS * 0.8);
    expect(pass.tookMs).toBeLessThanOrEqual(passMs(INTERVALS[lane]) + 41_000);
  });
});

describe('while a provider hangs', () => {
  it('every lane that does not ask it succeeds', async () => {
    const hanging = { ...HANGING[0]![2], ...HANGING[1]![2] };
    const asked = new Set<SweepLane>(['chain', 'stripe-read', 'stripe-event', 'hyperswitch-event']);
    for (const lane of SWEEP_LANES.filter((each) => !asked.has(each)))
      expect([lane, (await passOf(lane, hanging)).ended]).toEqual([lane, 'well']);
  });

  it('a call that hangs is given up alone: what else is due beside it is done', async () => {
    const read: string[] = [];
    const ids = ['hangs', ...Array.from({ length: 19 }, (_, nth) => `channel ${nth}`)];
    const { ended } = await passOf('chain', {
      ledger: { channelsToRead: (most: number) => Promise.resolve(ids.splice(0, most)) },
      chain: {
        readChain: (id) => {
          if ((id as string) === 'hangs') return never();
          read.push(id);
          return Promise.resolve({ kind: 'read', deposit: 1n, settled: 0n, closeRequestedAtMs: null });
        },
        policy: { threshold: 1n, intervalMs: 1_000 },
      },
    });
    expect(ended).toBe('well');
    expect(read).toHaveLength(19);
  });

  it('nothing more is asked of a provider that answered nothing, and its pass is no success', async () => {
    let asked = 0;
    const events = Array.from({ length: 100 }, () => EVENT);
    const { ended, tookMs } = await passOf('stripe-read', {
      ledger: { dueWebhooks: (_lane: string, most: number) => Promise.resolve(events.splice(0, most)) },
      processWebhook: () => {
        asked += 1;
        return Promise.resolve('left');
      },
    });
    expect([ended, asked]).toEqual(['failed', 8]);
    expect(tookMs).toBeLessThan(1_000);
  });
});

it('a ledger so slow that finding the work takes longer than a short pass has does not keep it waiting for ever', async () => {
  const slowly =
    <T>(value: T) =>
    () =>
      new Promise<T>((resolve) => setTimeout(resolve, passMs(EVERY_MS) + 1_000, value));
  const woken: string[] = [];
  const { ended } = await passOf('payment', {
    ledger: { dueItems: slowly([{ kind: 'payment', id: 'the payment' }]) },
    money: {
      starter: {
        wake: ({ id }) => {
          woken.push(id);
          return Promise.resolve(true);
        },
      },
    },
  });
  const settlement = await passOf('settlement-x402', {
    ledger: { dueSettlements: slowly([DUE]) },
    settlements: {
      starter: {
        startSettlement: () => Promise.resolve(),
        wake: () => {
          woken.push('the charge');
          return Promise.resolve();
        },
        startBatch: () => Promise.resolve('settlements/some'),
      },
      sweep: { overflowBacklog: 10, maxBatch: 50, maxPerSecond: 200 },
    },
  });
  expect([ended, settlement.ended]).toEqual(['well', 'well']);
  expect(woken).toEqual(['the payment', 'the charge']);
});

it('the longest pass that can be set ends well within the limit that Temporal has for it', () => {
  expect(passMs(24 * 3_600_000) + 40_000).toBeLessThan(LIMIT_MS * 0.8);
});

it('an older worker says which lane it does not have, and is not asked again', async () => {
  const { sweeps } = sweepsWith();
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  await expect(
    environment.run((lane: SweepLane) => sweeps.sweepLane(lane), 'of-tomorrow' as SweepLane),
  ).rejects.toMatchObject({
    nonRetryable: true,
    message: expect.stringContaining('of-tomorrow'),
  });
});
