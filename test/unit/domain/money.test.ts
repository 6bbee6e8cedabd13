import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatDecimal, parseAtomic, parseDecimal, toAtomic, toHundredths } from '../../../src/domain/money.js';

const amounts = fc.bigInt({ min: 0n, max: 10n ** 39n - 1n });
const decimals = fc.integer({ min: 0, max: 30 });

it('an amount survives the way to decimal text and back, whatever its size, and is never in exponent form', () => {
  fc.assert(
    fc.property(amounts, decimals, (amount, places) => {
      const text = formatDecimal(amount, places);
      expect(text).toMatch(/^\d+(\.\d*[1-9])?$/);
      expect(parseDecimal(text, places)).toBe(amount);
    }),
  );
  expect(formatDecimal(3000n, 6)).toBe('0.003');
  expect(formatDecimal(1n, 18)).toBe('0.000000000000000001');
});
it('only plain digits are an atomic amount', () => {
  for (const text of ['', '-1', '+1', '1.0', '1e3', ' 1', '0x1', '1'.repeat(40), '١'])
    expect(parseAtomic(text)).toBeUndefined();
  expect(parseAtomic('007')).toBe('7');
  expect(() => toAtomic(-1n)).toThrow('cannot be negative');
});
it('a decimal with more places than the asset has is refused, not rounded', () => {
  expect(parseDecimal('0.0000001', 6)).toBeUndefined();
  expect(parseDecimal('0.1000000', 6)).toBe(100_000n);
});
it('amounts compare with the approval threshold rounded up, so that no fraction slips below it', () => {
  expect(toHundredths(100_000_001n, 6)).toBe(10_001n);
  expect(toHundredths(5n, 0)).toBe(500n);
  fc.assert(
    fc.property(amounts, decimals, (amount, places) => {
      expect(toHundredths(amount, places) * 10n ** BigInt(places)).toBeGreaterThanOrEqual(amount * 100n);
    }),
  );
});
