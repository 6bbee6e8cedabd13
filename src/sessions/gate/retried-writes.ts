/** What may be told to the ledger a moment later, together with others, and again until it answers. */
export interface RetriedWrites<Note> {
  note(note: Note): void;
  /** Writes what is still remembered; for an orderly shutdown. */
  flush(): Promise<void>;
}

const RETRY_MS = 1_000;
/** Past this many the oldest are forgotten. */
const MOST_REMEMBERED = 10_000;

export function createRetriedWrites<Note>(
  write: (notes: readonly Note[]) => Promise<void>,
  gatherMs: number,
): RetriedWrites<Note> {
  let notes: Note[] = [];
  let timer: NodeJS.Timeout | undefined;

  function schedule(afterMs: number): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      void flush();
    }, afterMs).unref();
  }

  async function flush(): Promise<void> {
    const batch = notes;
    notes = [];
    if (batch.length === 0) return;
    try {
      await write(batch);
    } catch {
      notes = [...batch, ...notes].slice(-MOST_REMEMBERED);
      schedule(RETRY_MS);
    }
  }

  return {
    note(note) {
      notes.push(note);
      schedule(gatherMs);
    },
    flush,
  };
}
