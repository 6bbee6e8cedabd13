import type { CliContext } from './context.js';

const PROGRESS_EVERY_MS = 2_000;

/** Says on standard error how far long work has come, whenever it is called and the last time is long enough ago. */
export function everySoOften({ clock, err }: Pick<CliContext, 'clock' | 'err'>, text: () => string): () => void {
  let dueMs = clock.nowMs() + PROGRESS_EVERY_MS;
  return () => {
    if (clock.nowMs() < dueMs) return;
    dueMs = clock.nowMs() + PROGRESS_EVERY_MS;
    err(text());
  };
}
