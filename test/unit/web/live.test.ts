import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { followChanges } from '../../../web/src/api/live.js';
import { queryClient } from '../../../web/src/api/queries.js';

class Source extends EventTarget {
  static readonly CLOSED = 2;
  static last: Source | undefined;
  readonly readyState = 1;
  constructor() {
    super();
    Source.last = this;
  }
  close(): void {}
}
const change = (id: string) =>
  Source.last?.dispatchEvent(new MessageEvent('change', { data: JSON.stringify({ kind: 'order', id }) }));

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', Source);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('a busy ledger breaks no reading off: what changes meanwhile is read once the one before has ended', async () => {
  const ends: (() => void)[] = [];
  const read = vi
    .spyOn(queryClient, 'invalidateQueries')
    .mockImplementation(() => new Promise<void>((resolve) => ends.push(resolve)));
  const leave = followChanges(() => undefined);
  for (let nth = 0; nth < 50; nth += 1) {
    change(`order ${nth}`);
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(read.mock.calls.length).toBe(1);
  ends.shift()?.();
  await vi.advanceTimersByTimeAsync(400);
  expect(read.mock.calls.length).toBe(2);
  change('the last one');
  leave();
  ends.shift()?.();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(read.mock.calls.length).toBe(2);
});
