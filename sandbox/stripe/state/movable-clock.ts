import type { Clock } from '../../../src/domain/clock.js';

/** The stand-in's clock: the base clock plus an offset that a switch moves, in either direction. */
export interface MovableClock extends Clock {
  offsetMs(): number;
  move(offsetMs: number): void;
}

export function createMovableClock(base: Clock): MovableClock {
  let offset = 0;
  return {
    nowMs: () => base.nowMs() + offset,
    offsetMs: () => offset,
    move(offsetMs) {
      offset = offsetMs;
    },
  };
}

/** Work that waits for the stand-in's clock. */
export interface Agenda {
  at(dueMs: number, work: () => void): void;
  /** Does what is due; called whenever somebody could notice, and by a timer. */
  runDue(): void;
  clear(): void;
}

export function createAgenda(clock: Clock): Agenda {
  let waiting: { readonly dueMs: number; readonly work: () => void }[] = [];
  let timer: NodeJS.Timeout | undefined;

  const runDue = (): void => {
    const now = clock.nowMs();
    const due = waiting.filter(({ dueMs }) => dueMs <= now);
    if (due.length === 0) return;
    waiting = waiting.filter(({ dueMs }) => dueMs > now);
    for (const { work } of due.sort((left, right) => left.dueMs - right.dueMs)) work();
    arm();
  };
  /**
   * A clock that stands still is not polled: after the timer has struck, only the next call looks. One that runs is looked
   * at again, because a timer may strike a millisecond early by it.
   */
  const arm = (): void => {
    clearTimeout(timer);
    const next = Math.min(...waiting.map(({ dueMs }) => dueMs));
    if (!Number.isFinite(next)) return;
    const armedAt = clock.nowMs();
    const strike = (): void => {
      runDue();
      if (clock.nowMs() > armedAt) arm();
    };
    timer = setTimeout(strike, Math.min(Math.max(next - armedAt, 0), LONGEST_TIMER_MS));
    timer.unref();
  };
  return {
    at(dueMs, work) {
      waiting.push({ dueMs, work });
      arm();
    },
    runDue,
    clear() {
      waiting = [];
      clearTimeout(timer);
    },
  };
}

/** Node's limit; what waits longer is looked at by whoever calls next. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
