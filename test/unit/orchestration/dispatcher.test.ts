import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newSettlementId, type SettlementId } from '../../../src/domain/ids.js';
import { authServerOf, type SettlementProvider } from '../../../src/domain/settlements/settlement-providers.js';
import type { Protocol } from '../../../src/domain/settlements/settlement-status.js';
import { createDispatcher, type Dispatcher } from '../../../src/orchestration/dispatcher.js';
import type { Startable } from '../../../src/orchestration/settlements.js';

const THRESHOLD = 40;
const protocols = new Map<SettlementId, Protocol>();
const started: SettlementId[] = [];
const failures: unknown[] = [];
let crowded: readonly SettlementProvider[];
let begin: (settlement: Startable) => Promise<void>;
let dispatcher: Dispatcher;

beforeEach(() => {
  vi.useFakeTimers();
  protocols.clear();
  started.length = failures.length = 0;
  crowded = [];
  begin = () => Promise.resolve();
  dispatcher = createDispatcher({
    startSettlement: async (settlement) => {
      await begin(settlement);
      started.push(settlement.id);
    },
    ledger: {
      crowded: () => Promise.resolve(crowded),
      startable: (ids) =>
        Promise.resolve(
          ids.map(
            (id) =>
              ({
                id,
                protocol: protocols.get(id) ?? 'x402',
                provider: authServerOf(protocols.get(id) ?? 'x402'),
                spent: '1',
                asset: 'USDC',
                decimals: 6,
              }) as Startable,
          ),
        ),
    },
    overflowBacklog: THRESHOLD,
    onFailure: (error) => failures.push(error),
  });
});
afterEach(() => vi.useRealTimers());

function dispatch(protocol: Protocol = 'x402'): SettlementId {
  const id = newSettlementId(1);
  protocols.set(id, protocol);
  dispatcher.dispatch(id);
  return id;
}

describe('the dispatcher', () => {
  it('starts what it is given, and its end waits for all that it took', async () => {
    const ids = Array.from({ length: 35 }, () => dispatch());
    await dispatcher.stop();
    expect(started.sort()).toEqual(ids.sort());
    dispatch();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(started).toHaveLength(35);
  });

  it('leaves a crowded provider to the sweep, and starts the others as ever', async () => {
    crowded = ['auth-server:x402'];
    await vi.advanceTimersByTimeAsync(1_000);
    dispatch('x402');
    const other = dispatch('atxp');
    await vi.advanceTimersByTimeAsync(0);
    expect(started).toEqual([other]);
    crowded = [];
    await vi.advanceTimersByTimeAsync(1_000);
    const later = dispatch('x402');
    await vi.advanceTimersByTimeAsync(0);
    expect(started).toEqual([other, later]);
  });

  it('holds no more than the threshold in memory while Temporal hangs; the rest is left to the sweep', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    begin = () => gate;
    for (let count = 0; count < 10 * THRESHOLD; count += 1) dispatch();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(started).toEqual([]);
    release();
    await dispatcher.stop();
    // The one that was on its way when the queue began to fill, and the queue.
    expect(started).toHaveLength(1 + THRESHOLD);
  });

  it('tells of a start that fails and goes on with the next', async () => {
    const bad = dispatch();
    begin = (settlement) => (settlement.id === bad ? Promise.reject(new Error('Temporal is away')) : Promise.resolve());
    const good = dispatch();
    await dispatcher.stop();
    expect(started).toEqual([good]);
    expect(failures).toEqual([new Error('Temporal is away')]);
  });
});
