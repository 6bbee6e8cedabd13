import type { movableClock } from './ledger-fixtures.js';

type MovableClock = ReturnType<typeof movableClock>;

/** Puts the clock where the Temporal server's clock stands; never back. */
export async function catchUp(clock: MovableClock, nowMs: () => Promise<number>): Promise<void> {
  const behindMs = (await nowMs()) - clock.nowMs();
  if (behindMs > 0) clock.advance(behindMs);
}

/** Before each activity the movable clock is put where the Temporal server's clock stands. */
export const followingClock = <Activities extends object>(
  activities: Activities,
  clock: MovableClock,
  nowMs: () => Promise<number>,
): Activities => {
  const entries = Object.entries(activities).map(([name, run]) => [
    name,
    async (...args: never[]) => {
      await catchUp(clock, nowMs);
      return (run as (...given: never[]) => unknown)(...args);
    },
  ]);
  return Object.fromEntries(entries) as Activities;
};
