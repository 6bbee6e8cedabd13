import { expect, it, onTestFinished, vi } from 'vitest';
import { oneReading } from '../../../web/src/api/one-reading.js';

it('a busy ledger breaks no reading off: what changes meanwhile is read once the one before has ended', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const ends: (() => void)[] = [];
  const read = vi.fn<(items: readonly string[]) => Promise<void>>(() => new Promise((resolve) => ends.push(resolve)));
  const reading = oneReading(400, read);
  for (const item of ['a', 'b', 'c', 'd', 'e', 'e']) {
    reading.changed(item);
    await vi.advanceTimersByTimeAsync(150);
  }
  expect(read.mock.calls).toEqual([[['a', 'b', 'c']]]);
  ends.shift()?.();
  await vi.advanceTimersByTimeAsync(400);
  expect(read.mock.calls.slice(1)).toEqual([[['d', 'e']]]);
  reading.changed('f');
  reading.stop();
  ends.shift()?.();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(read.mock.calls.length).toBe(2);
});
