import type { Journal } from '../../stand-in/journal.js';
import { createTables, type Put, type Tables } from './tables.js';

/** Everything the stand-in holds. Reads see a commit at once; only an answer waits until it is durable. */
export interface Store extends Tables {
  /** Resolves once all rows, as one, survive a kill -9. */
  commit(puts: readonly Put[]): Promise<void>;
  /** Tells of every commit, right after it can be read. */
  watch(listener: (puts: readonly Put[]) => void): void;
  /** Resolves once everything that can be read now is durable. */
  durable(): Promise<void>;
  /** Applies one line of the journal. */
  replay(entry: Readonly<Record<string, unknown>>): void;
  clear(): Promise<void>;
}

export function createStore(journal: Journal): Store {
  const { put, forget, ...tables } = createTables();
  const listeners: ((puts: readonly Put[]) => void)[] = [];
  let lastCommit = Promise.resolve();
  return {
    ...tables,
    commit(puts) {
      if (puts.length === 0) return Promise.resolve();
      puts.forEach(put);
      const durable = journal.append({ t: 'put', puts });
      lastCommit = durable;
      for (const listener of listeners) listener(puts);
      return durable;
    },
    watch: (listener) => void listeners.push(listener),
    durable: () => lastCommit,
    replay(entry) {
      if (entry.t === 'reset') forget();
      else if (entry.t === 'put') (entry.puts as readonly Put[]).forEach(put);
    },
    clear() {
      forget();
      return journal.append({ t: 'reset' });
    },
  };
}
