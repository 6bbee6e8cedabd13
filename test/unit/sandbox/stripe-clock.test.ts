import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAgenda } from '../../../sandbox/stripe/state/movable-clock.js';

let nowMs: number;
const done: string[] = [];
const agenda = createAgenda({ nowMs: () => nowMs });

beforeEach(() => {
  vi.useFakeTimers();
  nowMs = 1_000;
  done.length = 0;
});
afterEach(() => {
  agenda.clear();
  vi.useRealTimers();
});

describe('work that waits for the clock', () => {
  it('is done although the timer strikes a millisecond before its time by the clock', () => {
    agenda.at(1_030, () => void done.push('late'));
    nowMs = 1_029;
    vi.advanceTimersByTime(30);
    expect(done).toEqual([]);
    nowMs = 1_030;
    vi.advanceTimersByTime(1);
    expect(done).toEqual(['late']);
  });

  it('is not polled for while the clock stands still', () => {
    agenda.at(1_030, () => void done.push('late'));
    vi.advanceTimersByTime(30);
    expect(vi.getTimerCount()).toBe(0);
    nowMs = 1_030;
    agenda.runDue();
    expect(done).toEqual(['late']);
  });
});
