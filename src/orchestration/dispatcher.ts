import { AsyncResource } from 'node:async_hooks';
import type { SettlementId } from '../domain/ids.js';
import type { SettlementProvider } from '../domain/settlements/settlement-providers.js';
import type { Startable } from './settlements.js';

export interface DispatcherDependencies {
  readonly startSettlement: (settlement: Startable) => Promise<void>;
  readonly ledger: {
    /** Providers with more pending rows than this. */
    crowded(threshold: number): Promise<readonly SettlementProvider[]>;
    /** Those that may be started now: pending, and their provider's breaker closed. */
    startable(ids: readonly SettlementId[]): Promise<Startable[]>;
  };
  /** Pending rows of one provider above which the sweep's shared workflows take over. */
  readonly overflowBacklog: number;
  readonly onFailure: (error: unknown) => void;
}

export interface Dispatcher {
  /** Never waits and never throws: what is not dispatched is found by the sweep. */
  dispatch(id: SettlementId): void;
  /** Resolves when what was taken so far has been started or given up. */
  stop(): Promise<void>;
}

const IN_FLIGHT = 20;
const LOOK_EVERY_MS = 1_000;

/**
 * Starts workflows off the request path. Its memory is bounded by the overflow threshold. Rows of a provider with more
 * pending ones than that, or whose breaker is open, or while Temporal does not answer, simply wait in
 * Postgres; those of other providers go on as ever.
 */
export function createDispatcher(dependencies: DispatcherDependencies): Dispatcher {
  const { startSettlement, ledger, overflowBacklog, onFailure } = dependencies;
  const queue: { readonly id: SettlementId; readonly begin: typeof startSettlement }[] = [];
  let draining: Promise<void> | undefined;
  let crowded: ReadonlySet<SettlementProvider> = new Set();
  let stopped = false;

  async function look(): Promise<void> {
    try {
      crowded = new Set(await ledger.crowded(overflowBacklog));
    } catch (error) {
      onFailure(error);
    }
  }
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  timer.unref();

  async function startNext(): Promise<void> {
    const next = new Map(queue.splice(0, IN_FLIGHT).map(({ id, begin }) => [id, begin]));
    try {
      const settlements = (await ledger.startable([...next.keys()])).filter(({ provider }) => !crowded.has(provider));
      await Promise.all(
        settlements.map((settlement) => (next.get(settlement.id) ?? startSettlement)(settlement).catch(onFailure)),
      );
    } catch (error) {
      onFailure(error);
    }
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) await startNext();
    draining = undefined;
  }

  return {
    dispatch(id) {
      if (stopped || queue.length >= overflowBacklog) return;
      // Bound to whoever asks: one drain starts the settlements of many requests, each of which has a trace of its own.
      queue.push({ id, begin: AsyncResource.bind(startSettlement) });
      draining ??= drain();
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await draining;
    },
  };
}
