import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { thatFit } from '../../../../src/domain/marketplace/platform-queue.js';

const waiting = (...amounts: bigint[]) => amounts.map((amount, place) => ({ place, amount }));
const chosen = (amounts: bigint[], left: bigint, most = 100) =>
  thatFit(waiting(...amounts), left, most).map(({ place }) => place);

const queues = fc.record({
  amounts: fc.array(fc.bigInt({ min: 1n, max: 1_000n }), { maxLength: 30 }),
  left: fc.bigInt({ min: -500n, max: 5_000n }),
  most: fc.integer({ min: 1, max: 40 }),
});

describe('the queue for a balance', () => {
  it('lets a small one go while a big one waits, and the oldest that fits first', () => {
    expect(chosen([1_000n, 300n, 500n, 300n], 700n)).toEqual([1, 3]);
    expect(chosen([700n, 300n], 700n)).toEqual([0]);
    expect(chosen([5n, 5n], 0n)).toEqual([]);
    expect(chosen([5n, 5n], -5n)).toEqual([]);
    expect(chosen([5n, 5n, 5n], 100n, 1)).toEqual([0]);
  });

  it('never lets more go than there is, keeps the order, and leaves nobody behind who fits', () => {
    fc.assert(
      fc.property(queues, ({ amounts, left, most }) => {
        const rows = waiting(...amounts);
        const go = thatFit(rows, left, most);
        const sum = go.reduce((total, { amount }) => total + amount, 0n);
        if (go.length > 0) expect(sum).toBeLessThanOrEqual(left);
        expect(go.length).toBeLessThanOrEqual(most);
        expect(go).toEqual(go.toSorted((one, other) => one.place - other.place));
        // The oldest that fits at all is the first that goes.
        expect(go[0]).toEqual(rows.find(({ amount }) => amount <= left));
        if (go.length < most)
          for (const one of rows.filter((row) => !go.includes(row))) {
            const older = go.filter(({ place }) => place < one.place);
            expect(one.amount).toBeGreaterThan(left - older.reduce((total, { amount }) => total + amount, 0n));
          }
      }),
    );
  });
});
