import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueBack, overtaken, shareOf, type TransferShare } from '../../../src/domain/shares.js';

const money = (max: bigint) => fc.bigInt({ min: 0n, max });

/** An order with its transfers, and refunds that come to at most what was paid. */
const orders = fc.bigInt({ min: 1n, max: 10n ** 12n }).chain((paid) =>
  fc.record({
    paid: fc.constant(paid),
    promises: pieces(paid),
    refunds: pieces(paid),
  }),
);

/** Positive amounts that come to at most the whole; often exactly to it. */
function pieces(whole: bigint): fc.Arbitrary<bigint[]> {
  return fc.tuple(fc.array(money(whole), { maxLength: 8 }), fc.boolean()).map(([cuts, all]) => {
    const sorted = cuts.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const ends = all ? [...sorted, whole] : sorted;
    return ends.map((end, index) => end - (ends[index - 1] ?? 0n)).filter((piece) => piece > 0n);
  });
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

/** Takes back what each refund asks for, in the order given; `unsentFor`: so many of them come before the transfer is sent. */
function takeBack(
  promised: bigint,
  refunds: readonly bigint[],
  paid: bigint,
  unsentFor = 0,
): TransferShare & { steps: bigint[] } {
  let share: TransferShare = { promised, withheld: 0n, reversed: 0n };
  let refunded = 0n;
  const steps: bigint[] = [];
  for (const [index, refund] of refunds.entries()) {
    refunded += refund;
    const step = shareOf(share, refunded, paid);
    steps.push(step);
    share =
      index < unsentFor ? { ...share, withheld: share.withheld + step } : { ...share, reversed: share.reversed + step };
  }
  return { ...share, steps };
}

describe('what a refund takes back from a seller', () => {
  it('is never negative and never more than was promised, in each step and in total', () => {
    fc.assert(
      fc.property(orders, fc.nat(8), ({ paid, promises, refunds }, unsentFor) => {
        for (const promised of promises) {
          const { withheld, reversed, steps } = takeBack(promised, refunds, paid, unsentFor);
          for (const step of steps) expect(step).toBeGreaterThanOrEqual(0n);
          expect(withheld + reversed).toBeLessThanOrEqual(promised);
        }
      }),
    );
  });

  it('comes to the same whatever the order of the refunds, and whatever was withheld instead of reversed', () => {
    fc.assert(
      fc.property(
        orders.chain((order) =>
          fc.record({
            order: fc.constant(order),
            shuffled: fc.shuffledSubarray(order.refunds, { minLength: order.refunds.length }),
            unsentFor: fc.nat(8),
          }),
        ),
        ({ order: { paid, promises, refunds }, shuffled, unsentFor }) => {
          for (const promised of promises) {
            const one = takeBack(promised, refunds, paid);
            const other = takeBack(promised, shuffled, paid, unsentFor);
            expect(other.withheld + other.reversed).toBe(one.reversed);
            expect(one.reversed).toBe(dueBack(promised, sum(refunds), paid));
          }
        },
      ),
    );
  });

  it('is all of it once everything is refunded: the last refund sweeps what rounding left', () => {
    fc.assert(
      fc.property(orders, ({ paid, promises, refunds }) => {
        const rest = paid - sum(refunds);
        const all = rest > 0n ? [...refunds, rest] : refunds;
        for (const promised of promises) expect(takeBack(promised, all, paid).reversed).toBe(promised);
      }),
    );
  });

  it('grows with what is refunded, by never more than a unit above the proportion', () => {
    fc.assert(
      fc.property(orders, ({ paid, promises, refunds }) => {
        for (const promised of promises) {
          let refunded = 0n;
          let before = 0n;
          for (const refund of refunds) {
            refunded += refund;
            const due = dueBack(promised, refunded, paid);
            expect(due).toBeGreaterThanOrEqual(before);
            expect(due - before).toBeLessThanOrEqual((promised * refund) / paid + 1n);
            before = due;
          }
        }
      }),
    );
  });

  it('never takes more from all sellers together than the buyer got back', () => {
    fc.assert(
      fc.property(orders, ({ paid, promises, refunds }) => {
        const refunded = sum(refunds);
        expect(sum(promises.map((promised) => dueBack(promised, refunded, paid)))).toBeLessThanOrEqual(refunded);
      }),
    );
  });

  it('is nothing for a refund that was taken into account already', () => {
    fc.assert(
      fc.property(orders, ({ paid, promises, refunds }) => {
        for (const promised of promises)
          expect(shareOf(takeBack(promised, refunds, paid), sum(refunds), paid)).toBe(0n);
      }),
    );
  });

  it('rounds down in the seller’s favour', () => {
    expect(dueBack(333n, 1n, 1_000n)).toBe(0n);
    expect(dueBack(333n, 500n, 1_000n)).toBe(166n);
    expect(dueBack(333n, 999n, 1_000n)).toBe(332n);
    expect(dueBack(333n, 1_000n, 1_000n)).toBe(333n);
  });

  it('is refused for sums that cannot be', () => {
    for (const [promised, refunded, paid] of [
      [1n, 0n, 0n],
      [1n, -1n, 10n],
      [1n, 11n, 10n],
      [-1n, 1n, 10n],
    ] as const)
      expect(() => dueBack(promised, refunded, paid)).toThrow('no share');
  });
});

describe('what a seller is owed again', () => {
  it('is exactly what refunds that failed since had taken, and never while a further share is due', () => {
    fc.assert(
      fc.property(
        orders.chain((order) =>
          fc.record({ order: fc.constant(order), failed: fc.subarray(order.refunds), unsentFor: fc.nat(8) }),
        ),
        ({ order: { paid, promises, refunds }, failed, unsentFor }) => {
          const left = sum(refunds) - sum(failed);
          for (const promised of promises) {
            const taken = takeBack(promised, refunds, paid, unsentFor);
            const owed = overtaken(taken, left, paid);
            expect(owed).toBe(taken.withheld + taken.reversed - dueBack(promised, left, paid));
            if (owed > 0n) expect(shareOf(taken, left, paid)).toBe(0n);
          }
        },
      ),
    );
  });
});
