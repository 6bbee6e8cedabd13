import type { Startable } from './settlements.js';

export interface DispatcherDependencies {
  readonly startSettlement: (settlement: Startable) => Promise<void>;
  readonly ledger: {
    backlog(atMost: number): Promise<number>;
    openBreakers(): Promise<string[]>;
  };
  /** Pending rows above which the sweep's shared workflows take over. */
  readonly overflowBacklog: number;
  readonly onFailure: (settlement: Startable, error: unknown) => void;
}

export interface Dispatcher {
  /** Never waits and never throws: what is not dispatched is found by the sweep. */
  dispatch(settlement: Startable): void;
  /** Resolves when what was taken so far has been started or given up. */
  stop(): Promise<void>;
}

const IN_FLIGHT = 20;
const LOOK_EVERY_MS = 1_000;

/**
 * Starts workflows off the request path. Its memory is bounded by the overflow threshold; above it, while a provider's
 * breaker is open, or when Temporal does not answer, rows simply wait in Postgres.
 */
export function createDispatcher(dependencies: DispatcherDependencies): Dispatcher {
  const { startSettlement, ledger, overflowBacklog, onFailure } = dependencies;
  const queue: Startable[] = [];
  const running = new Set<Promise<void>>();
  let closedProviders: ReadonlySet<string> = new Set();
  let overflowing = false;
  let stopped = false;

  async function look(): Promise<void> {
    try {
      const [breakers, backlog] = await Promise.all([ledger.openBreakers(), ledger.backlog(overflowBacklog + 1)]);
      closedProviders = new Set(breakers);
      overflowing = backlog > overflowBacklog;
    } catch {
      // Postgres is away: the last view holds, and every workflow checks the ledger itself before it sends.
    }
  }
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  timer.unref();

  function pump(): void {
    while (running.size < IN_FLIGHT) {
      const settlement = queue.shift();
      if (!settlement) return;
      const work: Promise<void> = startSettlement(settlement)
        .catch((error: unknown) => onFailure(settlement, error))
        .finally(() => {
          running.delete(work);
          pump();
        });
      running.add(work);
    }
  }

  return {
    dispatch(settlement) {
      if (stopped || overflowing || queue.length >= overflowBacklog) return;
      if (closedProviders.has(`auth-server:${settlement.protocol}`)) return;
      queue.push(settlement);
      pump();
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      while (running.size > 0) await Promise.all(running);
    },
  };
}
