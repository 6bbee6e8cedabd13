import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CauseId } from '../../../../src/domain/ids.js';
import {
  evaluate,
  FEE_POLICIES,
  type FeePolicy,
  feeOf,
  type Line,
  type LineCause,
  type Lines,
  partsOfBefore,
  roomOf,
  spread,
} from '../../../../src/domain/marketplace/lines.js';
import { dueBack } from '../../../../src/domain/marketplace/shares.js';
import { createCaseCounts } from '../../../support/case-counts.js';

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
const amountsOf = (parts: readonly { readonly amount: bigint }[]): bigint => sum(parts.map(({ amount }) => amount));
const netOf = ({ amount, fee }: Line): bigint => amount - fee;
const gotBy = (shop: Lines, seller: string): bigint =>
  sum(shop.lines.filter((line) => line.seller === seller).map(netOf));
const sellersOf = (shop: Lines): readonly string[] => [...new Set(shop.lines.flatMap(({ seller }) => seller ?? []))];

/** Of the sellers or, where nobody is named, of the platform; in whole steps, some with a fee, some of it the whole line. */
const order: fc.Arbitrary<Lines> = fc.constantFrom(1n, 1n, 10n, 100n).chain((step) =>
  fc
    .record({
      lines: fc.array(
        fc.record({
          seller: fc.constantFrom('acct_a', 'acct_a', 'acct_b', null),
          steps: fc.bigInt({ min: 1n, max: 10n ** 6n }),
          feeIn: fc.constantFrom(0n, 0n, 1n, 10n, 35n, 100n),
        }),
        { minLength: 1, maxLength: 6 },
      ),
      beside: fc.constantFrom(0n, 0n, 7n),
    })
    .map(({ lines, beside }) => {
      const made = lines.map(({ seller, steps, feeIn }, nth): Line => {
        const amount = steps * step;
        return { position: nth + 1, seller, amount, fee: seller === null ? 0n : feeOf(amount, feeIn * 100n, step) };
      });
      return { step, lines: made, paid: amountsOf(made) + beside * step };
    }),
);

const policy = fc.constantFrom(...FEE_POLICIES);
/** One refund: of one line, of one seller, or of every line; in thousandths of what is left of these. */
interface Asked {
  readonly of: 'line' | 'seller' | 'order';
  readonly which: number;
  readonly thousandths: bigint;
  readonly policy: FeePolicy;
  /** Of the dashboard: nobody looks at what is typed in there. */
  readonly odd: boolean;
}
const refund: fc.Arbitrary<Asked> = fc.record({
  of: fc.constantFrom<Asked['of'][]>('line', 'line', 'seller', 'order'),
  which: fc.nat(),
  thousandths: fc.integer({ min: 1, max: 1_000 }).map(BigInt),
  policy,
  odd: fc.boolean(),
});

const cause = (nth: number, given: Partial<LineCause>): LineCause => ({
  id: `cause ${nth}` as CauseId,
  amount: amountsOf(given.parts ?? []),
  named: true,
  policy: 'return_proportionally',
  fee: 0n,
  parts: [],
  ...given,
});
const byLine = (given: readonly { position: number; amount: bigint }[]) =>
  given.map((one) => ({ ...one, borne: null }));

/** Placed as it comes to stand, over what those before it left. */
function next(shop: Lines, before: readonly LineCause[], asked: Asked): LineCause {
  const { of, which, thousandths, odd } = asked;
  const line = shop.lines[which % shop.lines.length] as Line;
  const left = roomOf(shop, before).filter(({ position }) => {
    if (of === 'order') return true;
    const own = shop.lines.find((one) => one.position === position);
    return of === 'line' ? position === line.position : own !== undefined && own.seller === line.seller;
  });
  const some = (amountsOf(left) * thousandths) / 1_000n;
  const parts = byLine(spread(odd ? some : some - (some % shop.step), left, shop.step));
  return cause(before.length, { parts, named: of !== 'order', policy: asked.policy });
}
function all(shop: Lines, refunds: readonly Asked[]): LineCause[] {
  const causes: LineCause[] = [];
  for (const one of refunds) causes.push(next(shop, causes, one));
  return causes;
}

describe('an amount over what is left of some lines', () => {
  it('is given whole as far as there is room, in whole steps, and no line gives more than it has left', () => {
    fc.assert(
      fc.property(
        order,
        fc.array(refund, { maxLength: 4 }),
        fc.bigInt({ min: 0n, max: 10n ** 8n }),
        (shop, before, wanted) => {
          const left = roomOf(shop, all(shop, before));
          const amount = wanted - (wanted % shop.step);
          const given = spread(amount, left, shop.step);
          const room = amountsOf(left);
          expect(amountsOf(given)).toBe(amount < room ? amount : room);
          for (const one of given) {
            expect(one.amount).toBeLessThanOrEqual(left.find(({ position }) => position === one.position)!.amount);
            if (before.every(({ odd }) => !odd)) expect(one.amount % shop.step).toBe(0n);
          }
        },
      ),
    );
  });

  it('is in proportion: no line gives a step more or less than its part', () => {
    fc.assert(
      fc.property(order, fc.integer({ min: 1, max: 1_000 }), (shop, thousandths) => {
        const left = roomOf(shop, []);
        const total = amountsOf(left);
        const some = (total * BigInt(thousandths)) / 1_000n;
        const amount = some - (some % shop.step);
        const given = new Map(spread(amount, left, shop.step).map((one) => [one.position, one.amount]));
        for (const one of left) {
          const exact = one.amount * amount;
          expect((given.get(one.position) ?? 0n) * total - exact).toBeLessThanOrEqual(shop.step * total);
          expect(exact - (given.get(one.position) ?? 0n) * total).toBeLessThanOrEqual(shop.step * total);
        }
      }),
    );
  });

  it('of the dashboard, which is no whole steps, is given whole all the same', () => {
    fc.assert(
      fc.property(order, fc.bigInt({ min: 1n, max: 10n ** 8n }), (shop, wanted) => {
        const left = roomOf(shop, []);
        const amount = wanted < amountsOf(left) ? wanted : amountsOf(left);
        expect(amountsOf(spread(amount, left, shop.step))).toBe(amount);
      }),
    );
  });
});

describe('what sellers bear of what is given back', () => {
  it('is nothing for what names lines of others, whatever else stands', () => {
    fc.assert(
      fc.property(order, fc.array(refund, { maxLength: 6 }), (shop, refunds) => {
        const causes = all(shop, refunds);
        const { due } = evaluate(shop, causes);
        for (const seller of sellersOf(shop)) {
          const own = shop.lines.filter((line) => line.seller === seller).map(({ position }) => position);
          if (causes.every(({ parts }) => parts.every(({ position }) => !own.includes(position))))
            expect([seller, due.get(seller)]).toEqual([seller, 0n]);
        }
      }),
    );
  });

  it('is exactly what they got once everything is given back, whatever the parts, their order, who bore the fee and what failed', () => {
    const cases = createCaseCounts();
    fc.assert(
      fc.property(
        order,
        fc.array(refund, { maxLength: 12 }),
        fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
        policy,
        (shop, refunds, stands, last) => {
          const standing = all(shop, refunds).filter((_, nth) => stands[nth]);
          for (const [nth, one] of refunds.entries()) cases.count(one.of, stands[nth] === true);
          const rest = roomOf(shop, standing).filter(({ amount }) => amount > 0n);
          const causes = [...standing, cause(99, { parts: byLine(rest), policy: last })];
          const { due, named } = evaluate(shop, causes);
          for (const seller of sellersOf(shop)) {
            expect([seller, due.get(seller)]).toEqual([seller, gotBy(shop, seller)]);
            expect(sum([...named.values()].map((shares) => shares.get(seller) ?? 0n))).toBe(due.get(seller));
          }
        },
      ),
    );
    cases.expectAtLeast({ line: 50, seller: 20, order: 20 });
  });

  it('is never negative, never more than they got, in whole steps, and told cause by cause, whatever stands', () => {
    fc.assert(
      fc.property(
        order,
        fc.array(refund, { maxLength: 8 }),
        fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
        (shop, refunds, stands) => {
          const causes = all(shop, refunds).filter((_, nth) => stands[nth]);
          const { due, named } = evaluate(shop, causes);
          for (const seller of sellersOf(shop)) {
            const shares = [...named.values()].map((one) => one.get(seller) ?? 0n);
            expect(sum(shares)).toBe(due.get(seller));
            for (const share of shares) {
              expect(share).toBeGreaterThanOrEqual(0n);
              expect(share % shop.step).toBe(0n);
            }
            expect(due.get(seller)).toBeLessThanOrEqual(gotBy(shop, seller));
          }
        },
      ),
    );
  });

  it('is the part of each line they got, less than a step short of it, where the platform gives back its part of the fee', () => {
    fc.assert(
      fc.property(order, fc.array(refund, { maxLength: 6 }), (shop, refunds) => {
        const causes = all(
          shop,
          refunds.map((one) => ({ ...one, policy: 'return_proportionally' as const })),
        );
        const { due } = evaluate(shop, causes);
        for (const seller of sellersOf(shop)) {
          const own = shop.lines.filter((line) => line.seller === seller);
          const back = (line: Line) =>
            amountsOf(causes.flatMap(({ parts }) => parts).filter(({ position }) => position === line.position));
          const exact = sum(own.map((line) => (netOf(line) * back(line)) / line.amount));
          expect(due.get(seller)).toBeLessThanOrEqual(exact + shop.step * BigInt(own.length));
          expect(due.get(seller)).toBeGreaterThan(exact - shop.step * BigInt(own.length) - 1n);
        }
      }),
    );
  });

  it('is first of all theirs where the platform keeps its fee: as much as is given back, as far as what they got reaches', () => {
    const shop: Lines = {
      step: 1n,
      paid: 1_000n,
      lines: [{ position: 1, seller: 'acct_a', amount: 1_000n, fee: 100n }],
    };
    const dueFor = (...amounts: readonly [bigint, FeePolicy][]) =>
      evaluate(
        shop,
        amounts.map(([amount, bears], nth) => cause(nth, { parts: byLine([{ position: 1, amount }]), policy: bears })),
      ).due.get('acct_a');
    expect(dueFor([500n, 'keep'])).toBe(500n);
    expect(dueFor([500n, 'keep'], [450n, 'keep'])).toBe(900n);
    expect(dueFor([500n, 'return_proportionally'])).toBe(450n);
    expect(dueFor([500n, 'return_proportionally'], [300n, 'keep'])).toBe(750n);
  });
});

describe('causes that come to lie on one line', () => {
  const shop: Lines = {
    step: 1n,
    paid: 10_000n,
    lines: [
      { position: 1, seller: 'acct_ada', amount: 6_000n, fee: 0n },
      { position: 2, seller: 'acct_bob', amount: 4_000n, fee: 0n },
    ],
  };
  const dashboard = (amount: bigint, parts: readonly [position: number, amount: bigint][]) =>
    cause(0, { amount, named: false, parts: byLine(parts.map(([position, each]) => ({ position, amount: each }))) });
  const item = (position: number, amount: bigint) => cause(1, { parts: byLine([{ position, amount }]) });
  const dues = (...causes: readonly LineCause[]) => Object.fromEntries(evaluate(shop, causes).due);

  it('leave it to the one that names it, and what was spread moves to lines with room', () => {
    const spreadOut = dashboard(6_000n, [
      [1, 3_600n],
      [2, 2_400n],
    ]);
    expect(dues(spreadOut)).toEqual({ acct_ada: 3_600n, acct_bob: 2_400n });
    expect(dues(spreadOut, item(2, 4_000n))).toEqual({ acct_ada: 6_000n, acct_bob: 4_000n });
  });

  it('take what had no room as soon as there is some', () => {
    expect(dues(dashboard(10_000n, [[2, 4_000n]]))).toEqual({ acct_ada: 6_000n, acct_bob: 4_000n });
  });

  it('twice by name are the platform’s loss, and nobody else’s', () => {
    const twice = [item(1, 6_000n), cause(2, { parts: byLine([{ position: 1, amount: 4_000n }]) })];
    expect(dues(...twice)).toEqual({ acct_ada: 6_000n, acct_bob: 0n });
  });
});

describe('what was given back before lines counted', () => {
  it('is put onto the lines so that every seller has given back to the cent what arithmetic took of him', () => {
    fc.assert(
      fc.property(
        order.chain((shop) =>
          fc.record({
            shop: fc.constant(shop),
            amounts: fc.array(fc.bigInt({ min: 1n, max: shop.paid }), { maxLength: 5 }),
          }),
        ),
        ({ shop, amounts }) => {
          const promises = sellersOf(shop).map((seller) => ({ seller, promised: gotBy(shop, seller) }));
          const before = amounts.map((amount, nth) => cause(nth, { amount, named: false }));
          const parts = partsOfBefore(shop, promises, before);
          const causes: LineCause[] = [];
          let refunded = 0n;
          for (const one of before) {
            refunded = refunded + one.amount < shop.paid ? refunded + one.amount : shop.paid;
            causes.push({ ...one, parts: parts.get(one.id) ?? [] });
            expect(amountsOf(causes.flatMap((each) => each.parts))).toBe(refunded);
            const { due } = evaluate(shop, causes);
            for (const { seller, promised } of promises)
              expect([seller, due.get(seller)]).toEqual([
                seller,
                dueBack(promised, { paid: shop.paid, refunded, step: shop.step }),
              ]);
          }
        },
      ),
    );
  });

  it('goes by what the seller got of each line, so that a line with a high fee is no cheaper afterwards', () => {
    const shop: Lines = {
      step: 1n,
      paid: 100_000n,
      lines: [
        { position: 1, seller: 'acct_a', amount: 60_000n, fee: 30_000n },
        { position: 2, seller: 'acct_a', amount: 40_000n, fee: 0n },
      ],
    };
    const half = cause(0, { amount: 50_000n, named: false });
    const parts = partsOfBefore(shop, [{ seller: 'acct_a', promised: 70_000n }], [half]).get(half.id) ?? [];
    const after = (position: number, amount: bigint) =>
      evaluate(shop, [{ ...half, parts }, cause(1, { parts: byLine([{ position, amount }]) })]).due.get('acct_a');
    expect(after(2, 10_000n)).toBe(45_000n);
    expect(after(1, 15_000n)).toBe(42_500n);
  });
});

it('a fee that leaves with the money of a dispute is put onto the sellers of it, never beyond what they got, nor more than it is', () => {
  fc.assert(
    fc.property(
      order,
      fc.array(refund, { minLength: 1, maxLength: 4 }),
      fc.bigInt({ min: 0n, max: 10_000n }),
      (shop, refunds, fee) => {
        const causes = all(shop, refunds);
        const plain = evaluate(shop, causes);
        const charged = evaluate(
          shop,
          causes.map((one, nth) => (nth === causes.length - 1 ? { ...one, fee } : one)),
        );
        const of = (one: typeof plain) => sum([...one.due.values()]);
        expect(of(charged) - of(plain)).toBeGreaterThanOrEqual(0n);
        expect(of(charged) - of(plain)).toBeLessThanOrEqual(fee);
        for (const [seller, due] of charged.due) {
          expect(due).toBeLessThanOrEqual(gotBy(shop, seller));
          expect(sum([...charged.named.values()].map((shares) => shares.get(seller) ?? 0n))).toBe(due);
        }
      },
    ),
  );
});

it.each([
  ['a tenth', 999n, 1_000n, 1n, 99n],
  ['of fils, in tens', 9_990n, 1_000n, 10n, 990n],
  ['nothing', 999n, 0n, 1n, 0n],
  ['all of it', 999n, 10_000n, 1n, 999n],
])('a fee in basis points is rounded down in the seller’s favour: %s', (_what, amount, basisPoints, step, fee) => {
  expect(feeOf(amount, basisPoints, step)).toBe(fee);
});
