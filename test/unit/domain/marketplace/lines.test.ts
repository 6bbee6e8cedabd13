import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CauseId } from '../../../../src/domain/ids.js';
import {
  borne,
  dueOfLines,
  FEE_POLICIES,
  feeOf,
  type Line,
  type Lines,
  leftOf,
  type Part,
  partsOfBefore,
  spread,
  withFee,
} from '../../../../src/domain/marketplace/lines.js';
import { dueBack } from '../../../../src/domain/marketplace/shares.js';
import { createCaseCounts } from '../../../support/case-counts.js';

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
const amountsOf = (parts: readonly { readonly amount: bigint }[]): bigint => sum(parts.map(({ amount }) => amount));
const netOf = ({ amount, fee }: Line): bigint => amount - fee;

/** Of the sellers or, where nobody is named, of the platform; in whole steps, some with a fee, some of it the whole line. */
const order = fc.constantFrom(1n, 1n, 10n, 100n).chain((step) =>
  fc.record({
    step: fc.constant(step),
    lines: fc
      .array(
        fc.record({
          seller: fc.constantFrom('acct_a', 'acct_a', 'acct_b', null),
          steps: fc.bigInt({ min: 1n, max: 10n ** 6n }),
          feeIn: fc.constantFrom(0n, 0n, 1n, 10n, 35n, 100n),
        }),
        { minLength: 1, maxLength: 6 },
      )
      .map((lines) =>
        lines.map(({ seller, steps, feeIn }, nth): Line => {
          const amount = steps * step;
          return { position: nth + 1, seller, amount, fee: seller === null ? 0n : feeOf(amount, feeIn * 100n, step) };
        }),
      ),
  }),
);
type Order = { readonly step: bigint; readonly lines: readonly Line[] };

const policy = fc.constantFrom(...FEE_POLICIES);
/** One refund: of one line, of one seller, or of every line; in thousandths of what is left of these. */
const refund = fc.record({
  of: fc.constantFrom<('line' | 'seller' | 'order')[]>('line', 'line', 'seller', 'order'),
  which: fc.nat(),
  thousandths: fc.integer({ min: 1, max: 1_000 }).map(BigInt),
  policy,
  /** Of the dashboard: nobody looks at what is typed in there. */
  odd: fc.boolean(),
});
type RefundOfLines = {
  of: 'line' | 'seller' | 'order';
  which: number;
  thousandths: bigint;
  policy: (typeof FEE_POLICIES)[number];
  odd: boolean;
};

const linesOf = ({ lines, step }: Order, taken: readonly Part[]): Lines => ({
  lines,
  step,
  paid: amountsOf(lines),
  taken,
});

/** The parts of one refund, in whole steps; none where nothing is left of what it is about. */
function partsOf(
  shop: Order,
  taken: readonly Part[],
  { of, which, thousandths, policy: bears, odd }: RefundOfLines,
): Part[] {
  const { lines, step } = shop;
  const line = lines[which % lines.length] as Line;
  const all = leftOf(linesOf(shop, taken));
  const left = all.filter(({ position }) => {
    if (of === 'order') return true;
    const own = lines.find((one) => one.position === position);
    return of === 'line' ? position === line.position : own !== undefined && own.seller === line.seller;
  });
  const some = (amountsOf(left) * thousandths) / 1_000n;
  const amount = odd ? some : some - (some % step);
  return borne(linesOf(shop, taken), spread(amount, left, step), bears);
}

describe('an amount over what is left of some lines', () => {
  it('is given whole as far as there is room, in whole steps, and no line gives more than it has left', () => {
    fc.assert(
      fc.property(
        order,
        fc.array(refund, { maxLength: 4 }),
        fc.bigInt({ min: 0n, max: 10n ** 8n }),
        (shop, before, wanted) => {
          const taken: Part[] = [];
          for (const one of before) taken.push(...partsOf(shop, taken, one));
          const left = leftOf(linesOf(shop, taken));
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
        const left = leftOf(linesOf(shop, []));
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
        const left = leftOf(linesOf(shop, []));
        const amount = wanted < amountsOf(left) ? wanted : amountsOf(left);
        expect(amountsOf(spread(amount, left, shop.step))).toBe(amount);
      }),
    );
  });
});

describe('what sellers bear of what is given back of their lines', () => {
  it('is nothing where none of their lines is given back', () => {
    fc.assert(
      fc.property(order, fc.array(refund, { maxLength: 6 }), (shop, refunds) => {
        const taken: Part[] = [];
        for (const one of refunds) {
          const own = partsOf(shop, taken, one);
          const about = new Set(own.map(({ position }) => position));
          if (one.of !== 'order')
            for (const position of about)
              expect(shop.lines.find((line) => line.position === position)?.seller).toBe(
                shop.lines[one.which % shop.lines.length]?.seller,
              );
          taken.push(...own);
        }
        const due = dueOfLines(shop.lines, taken);
        for (const [seller, amount] of due) {
          const own = shop.lines.filter((line) => line.seller === seller).map(({ position }) => position);
          if (taken.every(({ position }) => !own.includes(position))) expect(amount).toBe(0n);
        }
      }),
    );
  });

  it('is exactly what they got once all of their lines are given back, whatever the parts, their order and who bore the fee', () => {
    const cases = createCaseCounts();
    fc.assert(
      fc.property(order, fc.array(refund, { maxLength: 12 }), policy, (shop, refunds, last) => {
        const taken: Part[] = [];
        for (const one of refunds) {
          const own = partsOf(shop, taken, one);
          cases.count(one.of, own.length > 0);
          taken.push(...own);
        }
        const rest = leftOf(linesOf(shop, taken)).filter(({ amount }) => amount > 0n);
        taken.push(...borne(linesOf(shop, taken), rest, last));
        for (const { fromSeller } of taken) expect(fromSeller % shop.step).toBe(0n);
        for (const line of shop.lines) {
          const own = taken.filter(({ position }) => position === line.position);
          expect(amountsOf(own)).toBe(line.amount);
          expect(sum(own.map(({ fromSeller }) => fromSeller))).toBe(line.seller === null ? 0n : netOf(line));
        }
        const due = dueOfLines(shop.lines, taken);
        for (const [seller, amount] of due)
          expect(amount).toBe(sum(shop.lines.filter((line) => line.seller === seller).map(netOf)));
      }),
    );
    cases.expectAtLeast({ line: 50, seller: 20, order: 20 });
  });

  it('never grows by more than the part of the line they got, where the platform gives back its part of the fee', () => {
    fc.assert(
      fc.property(order, fc.array(refund, { maxLength: 6 }), (shop, refunds) => {
        const taken: Part[] = [];
        for (const one of refunds) {
          taken.push(...partsOf(shop, taken, { ...one, policy: 'return_proportionally' }));
          for (const line of shop.lines) {
            const own = taken.filter(({ position }) => position === line.position);
            const borneOf = sum(own.map(({ fromSeller }) => fromSeller));
            expect(borneOf * line.amount).toBeLessThanOrEqual(netOf(line) * amountsOf(own));
            expect((borneOf + shop.step) * line.amount).toBeGreaterThan(
              (line.seller === null ? 0n : netOf(line)) * amountsOf(own),
            );
          }
        }
      }),
    );
  });

  it('is first of all theirs, where the platform keeps its fee: as much as is given back, as far as what they got reaches', () => {
    const line: Line = { position: 1, seller: 'acct_a', amount: 1_000n, fee: 100n };
    const shop = { step: 1n, lines: [line] };
    const half = borne(linesOf(shop, []), [{ position: 1, amount: 500n }], 'keep');
    expect(half).toEqual([{ position: 1, amount: 500n, fromSeller: 500n }]);
    expect(borne(linesOf(shop, half), [{ position: 1, amount: 500n }], 'keep')[0]?.fromSeller).toBe(400n);
    expect(borne(linesOf(shop, []), [{ position: 1, amount: 500n }], 'return_proportionally')[0]?.fromSeller).toBe(
      450n,
    );
  });
});

describe('what was given back before lines counted', () => {
  const causes = (shop: Order) =>
    fc
      .array(fc.bigInt({ min: 1n, max: amountsOf(shop.lines) }), { maxLength: 5 })
      .map((amounts) => amounts.map((amount, nth) => ({ id: `cause ${nth}` as CauseId, amount })));

  it('is put onto the lines so that every seller has given back to the cent what arithmetic took of him', () => {
    fc.assert(
      fc.property(
        order.chain((shop) => fc.record({ shop: fc.constant(shop), before: causes(shop) })),
        ({ shop: { lines, step }, before }) => {
          const paid = amountsOf(lines);
          const sellers = [...new Set(lines.flatMap(({ seller }) => seller ?? []))];
          const promises = sellers.map((seller) => ({
            seller,
            promised: sum(lines.filter((line) => line.seller === seller).map(netOf)),
          }));
          const parts = partsOfBefore({ lines, step, paid }, { promises, causes: before });
          let refunded = 0n;
          const taken: Part[] = [];
          for (const { id, amount } of before) {
            refunded = refunded + amount < paid ? refunded + amount : paid;
            taken.push(...(parts.get(id) ?? []));
            expect(amountsOf(taken)).toBe(refunded);
            const due = dueOfLines(lines, taken);
            for (const { seller, promised } of promises)
              expect([seller, due.get(seller)]).toEqual([seller, dueBack(promised, { paid, refunded, step })]);
          }
          for (const { amount } of leftOf({ lines, step, paid, taken })) expect(amount).toBeGreaterThanOrEqual(0n);
        },
      ),
    );
  });
});

describe('a fee that leaves with the money of a dispute', () => {
  it('is put onto the sellers of what is disputed, never beyond what they got, nor more than it is', () => {
    fc.assert(
      fc.property(
        order,
        fc.array(refund, { maxLength: 3 }),
        refund,
        fc.bigInt({ min: 0n, max: 10_000n }),
        (shop, before, one, fee) => {
          const taken: Part[] = [];
          for (const earlier of before) taken.push(...partsOf(shop, taken, earlier));
          const parts = partsOf(shop, taken, one);
          const charged = withFee(linesOf(shop, taken), parts, fee);
          expect(amountsOf(charged)).toBe(amountsOf(parts));
          const extra =
            sum(charged.map(({ fromSeller }) => fromSeller)) - sum(parts.map(({ fromSeller }) => fromSeller));
          expect(extra).toBeGreaterThanOrEqual(0n);
          expect(extra).toBeLessThanOrEqual(fee);
          for (const line of shop.lines)
            expect(
              sum(
                [...taken, ...charged]
                  .filter(({ position }) => position === line.position)
                  .map(({ fromSeller }) => fromSeller),
              ),
            ).toBeLessThanOrEqual(line.seller === null ? 0n : netOf(line));
        },
      ),
    );
  });
});

it.each([
  ['a tenth', 999n, 1_000n, 1n, 99n],
  ['of fils, in tens', 9_990n, 1_000n, 10n, 990n],
  ['nothing', 999n, 0n, 1n, 0n],
  ['all of it', 999n, 10_000n, 1n, 999n],
])('a fee in basis points is rounded down in the seller’s favour: %s', (_what, amount, basisPoints, step, fee) => {
  expect(feeOf(amount, basisPoints, step)).toBe(fee);
});
