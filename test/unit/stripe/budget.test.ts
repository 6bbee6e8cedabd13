import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBudget, type Place } from '../../../src/providers/stripe/budget.js';

const ENDPOINT = 'reversals.create';
const SPACING_MS = 1_000 / 24;
/** The ledger's clock has nothing to do with ours. */
const LEDGER_AHEAD_MS = 5_000_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The row of places as the ledger keeps it; `answerMs` is how long the answer is on its way to the nth place. */
function placesInTheLedger(
  answerMs: (nth: number) => number = () => 1,
  ledgerNow: () => number = () => performance.now() + LEDGER_AHEAD_MS,
) {
  let nextAt = ledgerNow();
  let asked = 0;
  return vi.fn<() => Promise<Place>>(async () => {
    const nowMs = ledgerNow();
    const atMs = Math.max(nextAt, nowMs);
    nextAt = atMs + SPACING_MS;
    asked += 1;
    await pass(answerMs(asked - 1));
    return { atMs, nowMs };
  });
}

/** The process stands still for `stallMs` when the nth timer is due. */
const stallingTimer = (stallMs: (nth: number) => number) => {
  let slept = 0;
  return (ms: number) => pass(Math.max(0, ms) + stallMs(slept++));
};

/** When each of so many requests was let through. */
async function sent(takeToken: ReturnType<typeof createBudget>, count: number): Promise<number[]> {
  const times: number[] = [];
  const all = Array.from({ length: count }, async () => {
    await takeToken(ENDPOINT, 'acct_a');
    times.push(performance.now());
  });
  await vi.runAllTimersAsync();
  await Promise.all(all);
  return times.sort((one, other) => one - other);
}

const gaps = (times: readonly number[]) => times.slice(1).map((time, nth) => time - times[nth]!);

describe('a place', () => {
  it('is waited for by the ledger’s clock, however far it is from ours', async () => {
    const times = await sent(createBudget({ reserve: placesInTheLedger() }), 5);
    for (const gap of gaps(times)) expect(gap).toBeCloseTo(SPACING_MS, -0.5);
  });

  it('is not moved by an answer that came late but in time', async () => {
    const reserve = placesInTheLedger((nth) => (nth === 3 ? 30 : 1));
    const times = await sent(createBudget({ reserve }), 6);
    for (const gap of gaps(times)) expect(gap).toBeCloseTo(SPACING_MS, -0.5);
  });

  it('is let go when the ledger’s answer came after it, and the next one is used', async () => {
    const reserve = placesInTheLedger((nth) => (nth === 3 ? 90 : 1));
    const times = await sent(createBudget({ reserve }), 6);
    expect(reserve).toHaveBeenCalledTimes(1 + 7);
    expect(Math.min(...gaps(times))).toBeGreaterThan(SPACING_MS - 2);
  });

  it('is let go when the process stood still at it, and the next one is used', async () => {
    const reserve = placesInTheLedger();
    const times = await sent(createBudget({ reserve, sleep: stallingTimer((nth) => (nth === 3 ? 60 : 0)) }), 6);
    expect(reserve).toHaveBeenCalledTimes(1 + 7);
    expect(Math.min(...gaps(times))).toBeGreaterThan(SPACING_MS - 2);
  });

  it('is let go when it is the first of a process: how long that answer was on its way is not known', async () => {
    const reserve = placesInTheLedger((nth) => (nth === 0 ? 85 : 1));
    await sent(createBudget({ reserve }), 1);
    expect(reserve).toHaveBeenCalledTimes(2);
  });

  it('is used late by a process that is always late, so that nothing waits for ever', async () => {
    const reserve = placesInTheLedger();
    expect(await sent(createBudget({ reserve, sleep: stallingTimer(() => 60) }), 3)).toHaveLength(3);
    expect(reserve).toHaveBeenCalledTimes(3 * 6);
  });

  it('is not taken for missed because the two clocks do not run alike', async () => {
    const reserve = placesInTheLedger(undefined, () => 0.997 * performance.now());
    const takeToken = createBudget({ reserve });
    await sent(takeToken, 400);
    await vi.advanceTimersByTimeAsync(1_000);
    await sent(takeToken, 1);
    expect(reserve).toHaveBeenCalledTimes(1 + 400 + 1);
  });
});

it('lets no 26th request through within a second, whatever answers and timers are late in three processes', async () => {
  const nowAndThen = fc.array(fc.oneof({ weight: 6, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 150 })), {
    minLength: 8,
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(nowAndThen, { minLength: 4, maxLength: 4 }), async ([answers, stalls, more, others]) => {
      const nth = (list: readonly number[] | undefined) => (at: number) => list?.[at % list.length] ?? 1;
      // The first two answers of each come at once: what a process knows of the ledger's clock is the test above.
      const reserve = placesInTheLedger((at) => (at < 6 ? 1 : nth(answers)(at)));
      const processes = [stalls, more, others].map((late) =>
        createBudget({ reserve, sleep: stallingTimer((at) => nth(late)(at) - 1) }),
      );
      await Promise.all(processes.map((takeToken) => sent(takeToken, 1)));
      const times = (await Promise.all(processes.map((takeToken) => sent(takeToken, 40)))).flat();
      times.sort((one, other) => one - other);
      for (const [at, time] of times.slice(25).entries()) expect(time - times[at]!).toBeGreaterThanOrEqual(1_000);
    }),
    { numRuns: 200 },
  );
});

describe('between lanes', () => {
  it('goes in turn: one request never stands behind the thousand of another', async () => {
    const takeToken = createBudget({ reserve: placesInTheLedger() });
    const order: string[] = [];
    for (const lane of ['busy', 'busy', 'busy', 'busy', 'quiet'])
      void takeToken(ENDPOINT, lane).then(() => order.push(lane));
    await vi.runAllTimersAsync();
    expect(order).toEqual(['busy', 'quiet', 'busy', 'busy', 'busy']);
  });
});

it('refuses one request when the ledger cannot be asked, and goes on with the others', async () => {
  const reserve = placesInTheLedger().mockRejectedValueOnce(new Error('the ledger is away'));
  const takeToken = createBudget({ reserve });
  const both = Promise.allSettled([takeToken(ENDPOINT, 'acct_a'), takeToken(ENDPOINT, 'acct_a')]);
  await vi.runAllTimersAsync();
  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});
