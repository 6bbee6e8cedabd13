import type { SettlementStatus } from '../../domain/settlements/settlement-status.js';
import type { AttemptOutcome } from '../../ledger/settlements/settlement-types.js';

interface Waiting {
  readonly outcome: AttemptOutcome;
  readonly resolve: (status: SettlementStatus | null) => void;
  readonly reject: (error: unknown) => void;
}

/** One commit holds this many attempts at most, so that a burst does not make the first of them wait for the last. */
const MAX_PER_COMMIT = 100;

/**
 * Attempts that end while a commit is under way share the next one. An activity reports success only after its own
 * outcome is durable. Where a shared commit fails, each is tried alone: one bad row fails alone.
 */
export function createRecorder(
  recordAttempts: (outcomes: readonly AttemptOutcome[]) => Promise<(SettlementStatus | null)[]>,
) {
  let waiting: Waiting[] = [];
  let busy = false;

  async function commit(batch: readonly Waiting[]): Promise<void> {
    try {
      const statuses = await recordAttempts(batch.map((entry) => entry.outcome));
      batch.forEach((entry, index) => entry.resolve(statuses[index] ?? null));
    } catch (error) {
      if (batch.length === 1) batch[0]?.reject(error);
      else for (const entry of batch) await commit([entry]);
    }
  }

  async function drain(): Promise<void> {
    busy = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_PER_COMMIT);
      waiting = waiting.slice(MAX_PER_COMMIT);
      await commit(batch);
    }
    busy = false;
  }

  return (outcome: AttemptOutcome): Promise<SettlementStatus | null> =>
    new Promise((resolve, reject) => {
      waiting.push({ outcome, resolve, reject });
      if (!busy) void drain();
    });
}
