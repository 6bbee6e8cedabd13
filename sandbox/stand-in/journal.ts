import { mkdir, open, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';

/** An append-only file of JSON lines; a promise of `append` resolves once the line would survive a kill -9 or a power cut. */
export interface Journal {
  append(entry: object): Promise<void>;
  /** Writes what is still queued and closes the file. */
  close(): Promise<void>;
}

type Entry = Readonly<Record<string, unknown>>;

interface Opened {
  readonly journal: Journal;
  readonly entries: readonly Entry[];
}

/** Keeps nothing: for tests that end with the process. */
const memoryJournal: Journal = { append: () => Promise.resolve(), close: () => Promise.resolve() };

/**
 * Opens the journal of that name and returns what it holds; without a directory nothing outlives the process. A last line
 * without its newline was never acknowledged, so it is cut off; anything else that cannot be read stops the start, because
 * a ledger with a hole is worse than none.
 * @throws Error naming the file and line that cannot be read
 */
export async function openJournal(stateDir: string | undefined, name: string): Promise<Opened> {
  if (stateDir === undefined) return { journal: memoryJournal, entries: [] };
  const path = join(stateDir, name);
  await mkdir(stateDir, { recursive: true });
  const entries = await recover(path);
  const file = await open(path, 'a');
  await syncDirectory(stateDir);

  let queue: string[] = [];
  let flushing: Promise<void> | undefined;
  const flush = async (): Promise<void> => {
    if (queue.length === 0) return;
    const lines = queue.join('');
    queue = [];
    await file.appendFile(lines);
    await file.datasync();
  };
  // Answers that arrive together share one fsync; a line queued while one is running waits for the next.
  let lastBatch: Promise<void> = Promise.resolve();
  const schedule = (): Promise<void> => {
    flushing ??= lastBatch.then(() => {
      flushing = undefined;
      lastBatch = flush();
      return lastBatch;
    });
    return flushing;
  };
  return {
    entries,
    journal: {
      append(entry) {
        queue.push(`${JSON.stringify(entry)}\n`);
        return schedule();
      },
      async close() {
        await schedule();
        await file.close();
      },
    },
  };
}

async function recover(path: string): Promise<Entry[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const whole = text.lastIndexOf('\n') + 1;
  if (whole < text.length) await truncate(path, Buffer.byteLength(text.slice(0, whole)));
  return text
    .slice(0, whole)
    .split('\n')
    .slice(0, -1)
    .map((line, index) => {
      try {
        return JSON.parse(line) as Entry;
      } catch {
        throw new Error(
          `${path} line ${index + 1} is not JSON: the sandbox's ledger is damaged; delete the file to start an empty one`,
        );
      }
    });
}

/** Without this a crash could lose the file itself, not only its last lines. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
