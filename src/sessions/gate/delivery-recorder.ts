import type { SettlementId } from '../../domain/ids.js';
import type { DeliveryNote, SessionLedger } from '../session-ledger.js';

export interface DeliveryRecorder {
  /** Remembers what became of a billed response; written a moment later, together with others. */
  note(id: SettlementId, delivery: 'delivered' | 'aborted'): void;
  /** Writes what is still remembered; for an orderly shutdown. */
  flush(): Promise<void>;
}

/** Long enough to share a statement, short enough that the console is never far behind. */
const GATHER_MS = 50;
const RETRY_MS = 1_000;
/** Past this many the oldest are forgotten: their rows stay `unknown`, which is what we then know. */
const MOST_REMEMBERED = 10_000;

export function createDeliveryRecorder(ledger: Pick<SessionLedger, 'recordDeliveries'>): DeliveryRecorder {
  let notes: DeliveryNote[] = [];
  let timer: NodeJS.Timeout | undefined;

  function schedule(afterMs: number): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      void write();
    }, afterMs).unref();
  }

  async function write(): Promise<void> {
    const batch = notes;
    notes = [];
    if (batch.length === 0) return;
    try {
      await ledger.recordDeliveries(batch);
    } catch {
      notes = [...batch, ...notes].slice(-MOST_REMEMBERED);
      schedule(RETRY_MS);
    }
  }

  return {
    note(id, delivery) {
      notes.push({ id, delivery });
      schedule(GATHER_MS);
    },
    flush: () => write(),
  };
}
