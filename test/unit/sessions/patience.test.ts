import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPatience } from '../../../src/sessions/offers/patience.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = new Promise<never>(() => {});

test('is one for all that a request waits for', async () => {
  const patience = createPatience();
  let waited = 0;
  const waiting = patience
    .outlast(never)
    .then(() => (waited += 1))
    .then(() => patience.outlast(never))
    .then(() => (waited += 1));
  await vi.advanceTimersByTimeAsync(39);
  expect(waited).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  await waiting;
  expect(waited).toBe(2);
});

test('ends with what it waited for, well or not, and leaves no timer behind', async () => {
  const patience = createPatience();
  await patience.outlast(Promise.resolve());
  await patience.outlast(Promise.reject(new Error('the auth server is down')));
  expect(vi.getTimerCount()).toBe(0);
});

test('a process that stood still has not waited for anybody', async () => {
  const patience = createPatience();
  let over = false;
  const waiting = patience.outlast(never).then(() => (over = true));
  // One turn of the loop that lasted so long.
  vi.advanceTimersByTime(1_000);
  await vi.advanceTimersByTimeAsync(34);
  expect(over).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await waiting;
});
