import { setTimeout as wait } from 'node:timers/promises';
import { InvalidArgumentError } from 'commander';
import type { CliContext } from '../context.js';
import { CLEAR } from '../printable.js';

/** What a command shows at one moment. */
export interface Picture {
  /** Redrawn each time on a terminal. */
  readonly lines: readonly string[];
  /** What is told where it goes into a file or another program: once for each value of `same`, which leaves ages out. */
  readonly entries: readonly { readonly same: string; readonly text: string }[];
}

export const WATCH_FLAGS = '--watch [seconds]';
export const WATCH_HELP = 'look again every so many seconds (2), until Ctrl-C; where it is piped, only what changed';

/** `--watch` alone is true. */
export type Watch = number | true;

export function watchSeconds(text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw new InvalidArgumentError('a whole number of seconds from 1 to 9999');
  return Number(text);
}

const EVERY_SECONDS = 2;

/** Until Ctrl-C, which is no failure. */
export async function watchPictures(context: CliContext, watch: Watch, look: () => Promise<Picture>): Promise<void> {
  const interrupted = context.interruption();
  const everyMs = (watch === true ? EVERY_SECONDS : watch) * 1_000;
  let shown: ReadonlySet<string> = new Set();
  while (!interrupted.aborted) {
    const { lines, entries } = await look();
    if (context.redraws) context.out(CLEAR + lines.join('\n'));
    else for (const { same, text } of entries) if (!shown.has(same)) context.out(text);
    shown = new Set(entries.map(({ same }) => same));
    await wait(everyMs, undefined, { signal: interrupted }).catch(() => undefined);
  }
}
