import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DisputeMovement,
  fundsOf,
  holdsUnsent,
  isTaken,
  lookAgainAfterMs,
  readAgainAfterMs,
  statusAtStripe,
  type Withdrawal,
  withdrawalsOf,
} from '../../../../src/domain/marketplace/disputes.js';
import { createCaseCounts } from '../../../support/case-counts.js';

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
const at = (minute: number) => new Date(1_700_000_000_000 + minute * MINUTE_MS).toISOString();
const movement = (id: string, amount: bigint, minute: number): DisputeMovement => ({
  id,
  amount,
  currency: 'USD',
  at: at(minute),
});
const told = (movements: readonly DisputeMovement[]) =>
  withdrawalsOf(movements).map(({ movementId, amount, backAt }) => `${movementId} ${amount}${backAt ? ' back' : ''}`);

/** Money that leaves, comes back in parts, and leaves again; several movements may share a moment. */
const movements = fc
  .array(fc.tuple(fc.bigInt({ min: -1_000n, max: 1_000n }), fc.integer({ min: 0, max: 3 })), { maxLength: 8 })
  .map((steps) => {
    let minute = 0;
    return steps.map(([amount, later], index) => movement(`txn_${index}`, amount, (minute += later)));
  });
const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n);

describe('what the movements of a dispute come to', () => {
  it.each<[string, readonly DisputeMovement[], readonly string[], string]>([
    ['nothing moved', [], [], 'none'],
    ['funds went out', [movement('a', -1_000n, 1)], ['a 1000'], 'out'],
    ['and came back', [movement('a', -1_000n, 1), movement('b', 1_000n, 2)], ['a 1000 back'], 'back'],
    ['in part', [movement('a', -1_000n, 1), movement('b', 400n, 2)], ['a 1000 back', 'b 600'], 'out'],
    [
      'and went out again',
      [movement('a', -900n, 1), movement('b', 900n, 2), movement('c', -900n, 3)],
      ['a 900 back', 'c 900'],
      'out',
    ],
    [
      'out twice, and one and a half of it back',
      [movement('a', -500n, 1), movement('b', -200n, 2), movement('c', 600n, 3)],
      ['a 500 back', 'b 200 back', 'c 100'],
      'out',
    ],
    ['more back than was out', [movement('a', -500n, 1), movement('b', 700n, 2)], ['a 500 back'], 'back'],
    ['a movement of a fee alone', [movement('a', 0n, 1)], [], 'none'],
    ['out and back in one moment', [movement('z', -5n, 1), movement('a', 5n, 1)], ['z 5 back'], 'back'],
  ])('%s', (_what, read, stretches, funds) => {
    expect(told(read)).toEqual(stretches);
    expect(fundsOf(withdrawalsOf(read))).toBe(funds);
  });

  it('is the same in whichever order, and however often, they are read', () => {
    fc.assert(
      fc.property(
        movements.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 })),
        ),
        ([all, shuffled]) => {
          expect(withdrawalsOf(shuffled)).toEqual(withdrawalsOf(all));
        },
      ),
    );
  });

  it('only grows and ends by what is read later: nothing that was told is told otherwise', () => {
    const cases = createCaseCounts();
    fc.assert(
      fc.property(movements, fc.nat(8), (all, seen) => {
        const whole = withdrawalsOf(all);
        // What Stripe held earlier is what had happened by then.
        const until = all[seen]?.at ?? at(10 ** 6);
        for (const earlier of withdrawalsOf(all.filter((one) => one.at < until))) {
          const later = whole.find(({ movementId }) => movementId === earlier.movementId);
          expect(later).toMatchObject({ amount: earlier.amount, outAt: earlier.outAt });
          if (earlier.backAt !== null) expect(later?.backAt).toBe(earlier.backAt);
          cases.count('was out and is back now', earlier.backAt === null && later?.backAt !== null);
        }
      }),
    );
    cases.expectAtLeast({ 'was out and is back now': 5 });
  });

  it('is out as much as went out and did not come back, and never less than nothing', () => {
    fc.assert(
      fc.property(movements, (all) => {
        let out = 0n;
        const inTime = all.toSorted(
          (a, b) => Date.parse(a.at) - Date.parse(b.at) || Number(a.amount > 0n) - Number(b.amount > 0n),
        );
        for (const { amount } of inTime) out = out - amount < 0n ? 0n : out - amount;
        const stretches = withdrawalsOf(all);
        expect(sum(stretches.filter(({ backAt }) => backAt === null).map(({ amount }) => amount))).toBe(out);
        expect(stretches.every(({ amount }) => amount > 0n)).toBe(true);
        expect(new Set(stretches.map(({ movementId }) => movementId)).size).toBe(stretches.length);
        expect(stretches.filter(({ restOf }) => restOf !== null).every((rest) => isPartOf(rest, stretches))).toBe(true);
      }),
    );
  });
});

/** What is left of another one goes on where that ended. */
const isPartOf = ({ restOf, amount, outAt }: Withdrawal, all: readonly Withdrawal[]): boolean => {
  const whole = all.find(({ movementId }) => movementId === restOf);
  return whole?.backAt === outAt && whole.amount > amount;
};

describe('the words for a dispute', () => {
  it.each([
    ['warning_needs_response', 'inquiry'],
    ['warning_under_review', 'inquiry'],
    ['warning_closed', 'cancelled'],
    ['needs_response', 'open'],
    ['under_review', 'open'],
    ['won', 'won'],
    ['lost', 'lost'],
    ['prevented', 'cancelled'],
    ['a_word_of_tomorrow', 'open'],
    ['toString', 'open'],
  ])('%s is %s', (word, status) => expect(statusAtStripe(word)).toBe(status));

  it('decide by policy alone what is taken while funds are out', () => {
    for (const status of ['inquiry', 'open', 'won', 'cancelled'] as const) {
      expect(isTaken('reverse', status)).toBe(true);
      expect(isTaken('hold', status)).toBe(false);
      expect(isTaken('wait', status)).toBe(false);
    }
    expect((['reverse', 'hold', 'wait'] as const).map((policy) => isTaken(policy, 'lost'))).toEqual([true, true, true]);
  });

  it('hold what is unsent only while funds are out and nobody knows yet whose they are', () => {
    expect(holdsUnsent('hold', { status: 'open', funds: 'out' })).toBe(true);
    expect(holdsUnsent('hold', { status: 'lost', funds: 'out' })).toBe(false);
    expect(holdsUnsent('hold', { status: 'won', funds: 'back' })).toBe(false);
    expect(holdsUnsent('hold', { status: 'won', funds: 'out' })).toBe(false);
    expect(holdsUnsent('hold', { status: 'inquiry', funds: 'none' })).toBe(false);
    expect(holdsUnsent('wait', { status: 'open', funds: 'out' })).toBe(false);
    expect(holdsUnsent('reverse', { status: 'open', funds: 'out' })).toBe(false);
  });
});

describe('when a dispute is read again', () => {
  it.each([
    ['open', 0, 5 * MINUTE_MS],
    ['open', 60 * MINUTE_MS, 60 * MINUTE_MS],
    ['inquiry', 40 * DAY_MS, DAY_MS],
    ['lost', 0, DAY_MS],
    ['won', 3 * DAY_MS, 3 * DAY_MS],
    ['cancelled', 100 * DAY_MS, 30 * DAY_MS],
    ['lost', 181 * DAY_MS, null],
  ] as const)('%s and unchanged for %i ms', (status, since, again) =>
    expect(readAgainAfterMs(status, since)).toBe(again),
  );

  it('a payment is looked at ever less often, some twenty-five times in all', () => {
    let age = 0;
    let looks = 0;
    for (let wait = lookAgainAfterMs(age); wait !== null; wait = lookAgainAfterMs(age)) {
      age += wait;
      looks += 1;
    }
    expect(looks).toBeLessThan(30);
    expect(age).toBeGreaterThan(540 * DAY_MS);
  });
});
