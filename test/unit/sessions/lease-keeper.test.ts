import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLeaseKeeper } from '../../../src/sessions/gate/lease-keeper.js';
import { FakeLedger } from './support/fake-ledger.js';

let ledger: FakeLedger;
let wallMs: number;
beforeEach(() => {
  vi.useFakeTimers();
  ledger = new FakeLedger();
  wallMs = 0;
});
afterEach(() => vi.useRealTimers());

async function started() {
  const keeper = createLeaseKeeper({ ledger, holder: 'test', clock: { nowMs: () => wallMs } });
  await keeper.start();
  return keeper;
}

test('a lease that is renewed every third keeps its process writing', async () => {
  const keeper = await started();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(keeper.mayWrite()).toBe(true);
  expect(keeper.current()?.lease.id).toBe('lease-1');
});

test('writing stops when half of the lease has passed unrenewed, and resumes with the next renewal', async () => {
  const keeper = await started();
  ledger.renewal = 'down';
  await vi.advanceTimersByTimeAsync(14_999);
  expect(keeper.mayWrite()).toBe(true);
  await vi.advanceTimersByTimeAsync(1);
  expect(keeper.mayWrite()).toBe(false);
  ledger.renewal = 'ok';
  await vi.advanceTimersByTimeAsync(1_000);
  expect(keeper.mayWrite()).toBe(true);
});

test('a renewal counts from the moment it was sent, not answered', async () => {
  const keeper = await started();
  const answers: ((kept: boolean) => void)[] = [];
  const slow = vi.spyOn(ledger, 'renewLease').mockImplementation(() => new Promise((resolve) => answers.push(resolve)));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(slow).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(9_000);
  expect(keeper.mayWrite()).toBe(false);
  answers[0]?.(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(keeper.mayWrite()).toBe(true);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(keeper.mayWrite()).toBe(false);
});

test('a renewal that hangs is not the last one', async () => {
  await started();
  const hung = vi.spyOn(ledger, 'renewLease').mockImplementation(() => new Promise(() => {}));
  await vi.advanceTimersByTimeAsync(45_000);
  expect(hung.mock.calls.length).toBeGreaterThanOrEqual(3);
});

test('a machine that was suspended, whose monotonic clock stood still, does not write', async () => {
  const keeper = await started();
  wallMs += 40_000;
  expect(keeper.mayWrite()).toBe(false);
});

test('a wall clock that is set back does not prolong the lease', async () => {
  const keeper = await started();
  ledger.renewal = 'down';
  wallMs -= 3_600_000;
  await vi.advanceTimersByTimeAsync(15_000);
  expect(keeper.mayWrite()).toBe(false);
});

test('after a lost lease a new one is taken, and sessions of the old one never write again', async () => {
  const keeper = await started();
  const old = keeper.current();
  ledger.renewal = 'lost';
  await vi.advanceTimersByTimeAsync(10_000);
  expect(keeper.current()?.lease.id).toBe('lease-2');
  expect([keeper.mayWrite(), keeper.current()?.mayWrite(), old?.mayWrite()]).toEqual([true, true, false]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(old?.mayWrite()).toBe(false);
});

test('a stopped keeper renews nothing and gives its lease back', async () => {
  const keeper = await started();
  const renew = vi.spyOn(ledger, 'renewLease');
  const end = vi.spyOn(ledger, 'endLease');
  await keeper.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([renew.mock.calls.length, end.mock.calls.length, keeper.current()]).toEqual([0, 1, undefined]);
});
