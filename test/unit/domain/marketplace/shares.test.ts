import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dueBack,
  overtaken,
  type Refunded,
  shareOf,
  type TransferShare,
} from '../../../../src/domain/marketplace/shares.js';
import { createCaseCounts } from '../../../support/case-counts.js';

const money = (max: bigint) => fc.bigInt({ min: 0n, max });

/**
 * An order with its transfers, in whole steps of its currency, and refunds that come to at most what was paid: those of
 * the provider's dashboard may have any amount.
 */
const orders = fc
  .record({ step: fc.constantFrom(1n, 1n, 10n, 100n), steps: fc.bigInt({ min: 1n, max: 10n ** 12n }) })
  .chain(({ step, steps }) =>
    fc.record({
      step: fc.constant(step),
      paid: fc.constant(step * steps),
      promises: pieces(steps).map((counts) => counts.map((count) => count * step)),
      refunds: fc.oneof(
        pieces(step * steps),
        pieces(steps).map((counts) => counts.map((count) => count * step)),
      ),
    }),
  );
/** As an earlier system left it: promises need not be whole steps. */
const imported = orders.chain((order) => pieces(order.paid).map((promises) => ({ ...order, promises })));

/** Positive amounts that come to at most the whole; often exactly to it. */
function pieces(whole: bigint): fc.Arbitrary<bigint[]> {
  return fc.tuple(fc.array(money(whole), { maxLength: 8 }), fc.boolean()).map(([cuts, all]) => {
    const sorted = cuts.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const ends = all ? [...sorted, whole] : sorted;
    return ends.map((end, index) => end - (ends[index - 1] ?? 0n)).filter((piece) => piece > 0n);
  });
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

type Paid = Omit<Refunded, 'refunded'>;
const after = ({ paid, step }: Paid, refunded: bigint): Refunded => ({ paid, step, refunded });

/** Takes back what each refund asks for, in the order given; `unsentFor`: so many of them come before the transfer is sent. */
function takeBack(
  promised: bigint,
  refunds: readonly bigint[],
  order: Paid,
  unsentFor = 0,
): TransferShare & { taken: bigint[] } {
  let share: TransferShare = { withheld: 0n, reversed: 0n };
  let refunded = 0n;
  const taken: bigint[] = [];
  for (const [index, refund] of refunds.entries()) {
    refunded += refund;
    const due = shareOf(share, dueBack(promised, after(order, refunded)));
    taken.push(due);
    share =
      index < unsentFor ? { ...share, withheld: share.withheld + due } : { ...share, reversed: share.reversed + due };
  }
  return { ...share, taken };
}

it('the orders of these properties have sellers, refunds, and refunds of everything', () => {
  const cases = createCaseCounts();
  for (const { paid, promises, refunds } of fc.sample(fc.oneof(orders, imported), 1_000)) {
    cases.count('with a promise and a refund', promises.length > 0 && refunds.length > 0);
    cases.count('with several of each', promises.length > 1 && refunds.length > 1);
    cases.count('refunded whole', sum(refunds) === paid);
  }
  const least = { 'with a promise and a refund': 500, 'with several of each': 200, 'refunded whole': 100 };
  expect(() => cases.expectAtLeast(least)).not.toThrow();
});

describe('what a refund takes back from a seller', () => {
  it('is never negative and never more than was promised, in each step and in total', () => {
    fc.assert(
      fc.property(fc.oneof(orders, imported), fc.nat(8), ({ promises, refunds, ...order }, unsentFor) => {
        for (const promised of promises) {
          const { withheld, reversed, taken } = takeBack(promised, refunds, order, unsentFor);
          for (const each of taken) expect(each).toBeGreaterThanOrEqual(0n);
          expect(withheld + reversed).toBeLessThanOrEqual(promised);
        }
      }),
    );
  });

  it('is always an amount that Stripe moves, whatever a refund in the dashboard came to', () => {
    fc.assert(
      fc.property(orders, fc.nat(8), ({ promises, refunds, ...order }, unsentFor) => {
        for (const promised of promises)
          for (const each of takeBack(promised, refunds, order, unsentFor).taken) expect(each % order.step).toBe(0n);
      }),
    );
  });

  it('of a share that was never whole steps is whole steps too, until the last refund takes the rest as it was sent', () => {
    fc.assert(
      fc.property(imported, ({ promises, refunds, ...order }) => {
        const part = refunds.filter((_, index) => sum(refunds.slice(0, index + 1)) < order.paid);
        for (const promised of promises) {
          for (const each of takeBack(promised, part, order).taken) expect(each % order.step).toBe(0n);
          expect(takeBack(promised, [...part, order.paid - sum(part)], order).reversed).toBe(promised);
        }
      }),
    );
  });

  it('comes to the same whatever the order of the refunds, and whatever was withheld instead of reversed', () => {
    fc.assert(
      fc.property(
        fc.oneof(orders, imported).chain((order) =>
          fc.record({
            order: fc.constant(order),
            shuffled: fc.shuffledSubarray(order.refunds, { minLength: order.refunds.length }),
            unsentFor: fc.nat(8),
          }),
        ),
        ({ order: { promises, refunds, ...order }, shuffled, unsentFor }) => {
          for (const promised of promises) {
            const one = takeBack(promised, refunds, order);
            const other = takeBack(promised, shuffled, order, unsentFor);
            expect(other.withheld + other.reversed).toBe(one.reversed);
            expect(one.reversed).toBe(dueBack(promised, after(order, sum(refunds))));
          }
        },
      ),
    );
  });

  it('is all of it once everything is refunded: the last refund sweeps what rounding left', () => {
    fc.assert(
      fc.property(fc.oneof(orders, imported), ({ promises, refunds, ...order }) => {
        const rest = order.paid - sum(refunds);
        const all = rest > 0n ? [...refunds, rest] : refunds;
        for (const promised of promises) expect(takeBack(promised, all, order).reversed).toBe(promised);
      }),
    );
  });

  it('is the proportion, less than a step short of it', () => {
    fc.assert(
      fc.property(orders, ({ promises, refunds, ...order }) => {
        const refunded = sum(refunds);
        for (const promised of promises) {
          const due = dueBack(promised, after(order, refunded));
          expect(due * order.paid).toBeLessThanOrEqual(promised * refunded);
          expect((due + order.step) * order.paid).toBeGreaterThan(promised * refunded);
        }
      }),
    );
  });

  it('grows with what is refunded, by never more than a step above the proportion', () => {
    fc.assert(
      fc.property(orders, ({ promises, refunds, ...order }) => {
        for (const promised of promises) {
          let refunded = 0n;
          let before = 0n;
          for (const refund of refunds) {
            refunded += refund;
            const due = dueBack(promised, after(order, refunded));
            expect(due).toBeGreaterThanOrEqual(before);
            expect(due - before).toBeLessThanOrEqual((promised * refund) / order.paid + order.step);
            before = due;
          }
        }
      }),
    );
  });

  it('never takes more from all sellers together than the buyer got back', () => {
    fc.assert(
      fc.property(fc.oneof(orders, imported), ({ promises, refunds, ...order }) => {
        const refunded = sum(refunds);
        expect(sum(promises.map((promised) => dueBack(promised, after(order, refunded))))).toBeLessThanOrEqual(
          refunded,
        );
      }),
    );
  });

  it('is nothing for a refund that was taken into account already', () => {
    fc.assert(
      fc.property(fc.oneof(orders, imported), ({ promises, refunds, ...order }) => {
        for (const promised of promises)
          expect(shareOf(takeBack(promised, refunds, order), dueBack(promised, after(order, sum(refunds))))).toBe(0n);
      }),
    );
  });

  it.each([
    ['cents', 1n, 333n, 1_000n, [1n, 500n, 999n, 1_000n], [0n, 166n, 332n, 333n]],
    ['fils, in tens', 10n, 3_330n, 10_000n, [30n, 5_000n, 9_999n, 10_000n], [0n, 1_660n, 3_320n, 3_330n]],
    [
      'krónur, in hundreds',
      100n,
      33_300n,
      100_000n,
      [300n, 50_000n, 99_999n, 100_000n],
      [0n, 16_600n, 33_200n, 33_300n],
    ],
    ['fils that came from elsewhere', 10n, 3_333n, 10_000n, [5_000n, 9_999n, 10_000n], [1_660n, 3_330n, 3_333n]],
  ])('rounds down in the seller’s favour: %s', (_what, step, promised, paid, refunded, due) => {
    expect(refunded.map((amount) => dueBack(promised, { paid, step, refunded: amount }))).toEqual(due);
  });

  it('is refused for sums that cannot be', () => {
    for (const [promised, refunded, paid, step] of [
      [1n, 0n, 0n, 1n],
      [1n, -1n, 10n, 1n],
      [1n, 11n, 10n, 1n],
      [-1n, 1n, 10n, 1n],
      [1n, 1n, 10n, 0n],
    ] as const)
      expect(() => dueBack(promised, { refunded, paid, step })).toThrow('no share');
  });
});

describe('what a seller is owed again', () => {
  it('is exactly what refunds that failed since had taken, and never while a further share is due', () => {
    fc.assert(
      fc.property(
        orders.chain((order) =>
          fc.record({ order: fc.constant(order), failed: fc.subarray(order.refunds), unsentFor: fc.nat(8) }),
        ),
        ({ order: { promises, refunds, ...order }, failed, unsentFor }) => {
          const left = after(order, sum(refunds) - sum(failed));
          for (const promised of promises) {
            const taken = takeBack(promised, refunds, order, unsentFor);
            const due = dueBack(promised, left);
            const owed = overtaken(taken, due);
            expect(owed).toBe(taken.withheld + taken.reversed - due);
            expect(owed % order.step).toBe(0n);
            if (owed > 0n) expect(shareOf(taken, due)).toBe(0n);
          }
        },
      ),
    );
  });
});
