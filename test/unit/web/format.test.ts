import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimalsOf } from '../../../src/domain/marketplace/currencies.js';
import { digitsOf, moneyInWords, moneyOf } from '../../../web/src/format/money.js';
import { absolute, relative, spanOf } from '../../../web/src/format/time.js';

describe('amounts in the console', () => {
  it.each([
    [4_500, 'EUR', '45.00 EUR'],
    [5, 'USD', '0.05 USD'],
    [120_000, 'JPY', '120,000 JPY'],
    [12_500, 'KWD', '12.500 KWD'],
    ['-1234567', 'USD', '−12,345.67 USD'],
    ['0', 'USD', '0.00 USD'],
  ])('%s %s is %s', (amount, unit, words) => {
    const money = moneyOf(amount, unit);
    expect(money && moneyInWords(money)).toBe(words);
  });

  it('keep every digit of whatever length', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 78n), max: 10n ** 78n }),
        fc.integer({ min: 0, max: 78 }),
        (amount, decimals) => {
          const { whole, fraction } = digitsOf({ amount: amount.toString(), decimals });
          expect(BigInt(`${whole}${fraction}`.replace('−', '-').replaceAll(/[,.]/g, ''))).toBe(amount);
          expect(fraction).toHaveLength(decimals === 0 ? 0 : decimals + 1);
        },
      ),
    );
  });

  it.each([1.5, Number.MAX_SAFE_INTEGER + 1, '1e3', '1.0', '', null, undefined, {}])('%s is no amount', (amount) => {
    expect(moneyOf(amount, 'USD')).toBeUndefined();
  });

  it('have as many decimals as the engine knows, but for two that Stripe writes otherwise', () => {
    const known = Intl.supportedValuesOf('currency');
    const unlike = ['JPY', 'KWD', 'USD', 'CLP', 'TND', 'XOF', 'BHD', 'VND', 'ISK', 'UGX']
      .filter((code) => known.includes(code))
      .filter((currency) => {
        const { maximumFractionDigits } = new Intl.NumberFormat('en', {
          style: 'currency',
          currency,
        }).resolvedOptions();
        return maximumFractionDigits !== decimalsOf(currency);
      });
    expect(unlike).toEqual(['ISK', 'UGX']);
  });
});

describe('times in the console', () => {
  const NOW = Date.parse('2026-03-14T02:40:00Z');
  it.each([
    ['2026-03-14T02:39:58Z', 'now'],
    ['2026-03-14T02:39:20Z', '40 s ago'],
    ['2026-03-14T02:37:10Z', '2 min ago'],
    ['2026-03-14T04:45:00Z', 'in 2 h 5 min'],
    ['2026-03-12T22:40:00Z', '1 d 4 h ago'],
    ['2026-01-01T00:00:00Z', '72 d ago'],
    ['not a time', 'not a time'],
  ])('%s is %s', (at, words) => {
    expect(relative(at, NOW)).toBe(words);
  });

  it('are had exactly, in UTC', () => {
    expect(absolute('2026-03-14T04:40:00+02:00')).toBe('2026-03-14 02:40:00 UTC');
    expect(spanOf(900)).toBe('15 min');
  });
});
