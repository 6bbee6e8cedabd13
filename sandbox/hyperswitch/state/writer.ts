import type { Journal } from '../../stand-in/journal.js';

/** The lines of everything that is kept, in one order. */
export interface Writer {
  write(line: object): Promise<void>;
  /** Resolves once everything written so far would survive a kill -9. */
  onDisk(): Promise<void>;
}

export function createWriter(journal: Journal): Writer {
  let written = Promise.resolve();
  return {
    onDisk: () => written,
    write(line) {
      written = journal.append(line);
      // Whoever answers waits for it and hears of it; not every line has somebody who answers.
      written.catch(() => undefined);
      return written;
    },
  };
}
