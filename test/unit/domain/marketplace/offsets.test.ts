import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keptOf, planLess, roomForOffsets } from '../../../../src/domain/marketplace/offsets.js';

const on = (limitPercent: number) => ({ on: true, limitPercent });
const amount = fc.bigInt({ min: 1n, max: 1_000_000n });
const sum = (of: readonly bigint[]) => of.reduce((total, one) => total + one, 0n);
const step = fc.constantFrom(1n, 10n, 100n);

describe('of a transfer', () => {
  it('all of it can be kept, or a part in whole steps', () => {
    expect(roomForOffsets(1_005n, on(100), 10n)).toBe(1_005n);
    expect(roomForOffsets(1_000n, on(33), 1n)).toBe(330n);
    expect(roomForOffsets(1_000n, on(33), 100n)).toBe(300n);
    expect(roomForOffsets(1_000n, on(1), 100n)).toBe(0n);
  });

  it('what is kept of it for several debts is within the limit, and leaves what Stripe can send', () => {
    fc.assert(
      fc.property(
        amount,
        fc.integer({ min: 1, max: 100 }),
        step,
        fc.array(amount, { maxLength: 5 }),
        (steps, limit, by, debts) => {
          const whole = steps * by;
          const parts = keptOf(debts, { amount: whole, least: 0n, step: by }, on(limit));
          expect(debts.map((debt, place) => parts[place]! >= 0n && parts[place]! <= debt)).not.toContain(false);
          const kept = sum(parts);
          expect(kept * 100n <= whole * BigInt(limit)).toBe(true);
          expect((whole - kept) % by).toBe(0n);
        },
      ),
    );
  });

  it('what a debt leaves of it can be sent, or it leaves nothing, and what could be kept beside that is kept', () => {
    fc.assert(
      fc.property(
        amount,
        fc.bigInt({ min: 1n, max: 2_000_000n }),
        fc.integer({ min: 1, max: 100 }),
        fc.array(amount, { maxLength: 5 }),
        (whole, least, limit, debts) => {
          const kept = sum(keptOf(debts, { amount: whole, least, step: 1n }, on(limit)));
          const freely = sum(keptOf(debts, { amount: whole, least: 0n, step: 1n }, on(limit)));
          expect(kept === 0n || kept === whole || whole - kept >= least).toBe(true);
          const most = whole > least ? whole - least : 0n;
          expect(kept).toBe(freely === whole || freely < most ? freely : most);
          expect([0n, whole]).toContain(sum(keptOf(debts, { amount: whole, least: undefined, step: 1n }, on(limit))));
        },
      ),
    );
    expect(keptOf([997n], { amount: 1_000n, least: 4n, step: 1n }, on(100))).toEqual([996n]);
    expect(keptOf([600n, 397n], { amount: 1_000n, least: 14n, step: 10n }, on(100))).toEqual([600n, 380n]);
  });
});

describe('of a share that is not all there', () => {
  const share = {
    toTake: 800n,
    left: 1_000n,
    spokenFor: 0n,
    available: 300n,
    stated: undefined,
    step: 1n,
    offsets: true,
  };

  it('what the seller has is taken, and no more than is left of the transfer', () => {
    expect(planLess(share)).toEqual({ take: 300n });
    expect(planLess({ ...share, available: undefined })).toEqual({ take: 800n });
    expect(planLess({ ...share, left: 200n })).toEqual({ take: 200n });
    expect(planLess({ ...share, spokenFor: 900n })).toEqual({ take: 100n });
    expect(planLess({ ...share, step: 100n, available: 399n })).toEqual({ take: 300n });
  });

  it('all of it is taken where it is there after all, also an odd rest', () => {
    expect(planLess({ ...share, toTake: 805n, available: 900n, step: 10n })).toEqual({ take: 805n });
  });

  it.each([
    [{ available: 0n }, /nothing of it can be taken/],
    [{ spokenFor: 1_200n }, /1000 are left of its transfer, of which other shares take 1200/],
    [{ left: 0n }, /0 are left of its transfer/],
    [{ available: -50n }, /the seller has -50 at Stripe/],
    [{ stated: 301n }, /301 cannot be taken/],
    [{ stated: 0n }, /no whole number of steps/],
    [{ stated: 25n, step: 10n }, /no whole number of steps of 10/],
  ])('%o is refused', (change, why) => {
    expect(planLess({ ...share, ...change })).toEqual({ refuse: expect.stringMatching(why) });
  });

  it('a person may state less', () => {
    expect(planLess({ ...share, stated: 120n })).toEqual({ take: 120n });
  });
});
