import { setTimeout as wait } from 'node:timers/promises';

/** Far longer than any of these waits takes, on a slow machine too; a promise that is not kept by then counts as broken. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 250;

/** Looks until it holds; false when the patience ran out first. */
export async function untilHolds(holds: () => Promise<boolean>): Promise<boolean> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    if (await holds()) return true;
    if (performance.now() > giveUpAt) return false;
    await wait(LOOK_EVERY_MS);
  }
}
