import { describe, expect, it } from 'vitest';
import { amountStep, hyperswitchUnit, parseCurrency } from '../../../../src/domain/marketplace/currencies.js';

describe('currencies', () => {
  it.each(['USD', 'usd', 'eUr', 'jpy', 'KWD', 'XCG', 'zwg'])('%s is in use', (text) => {
    expect(parseCurrency(text)).toBe(text.toUpperCase());
  });

  it.each(['', 'US', 'USDC', 'us d', 'XXX', 'XTS', 'XAU', 'DEM', 'BGN', 'HRK', 'ANG', '123', 'toString', 'ｕｓｄ'])(
    '%j is not',
    (text) => {
      expect(parseCurrency(text)).toBeUndefined();
    },
  );

  it('are known to the engine too, apart from those that are newer than it', () => {
    const known = new Set(Intl.supportedValuesOf('currency'));
    // Whoever adds a code that no standard knows has mistyped one.
    const ours = [...known, 'XCG', 'ZWG'].filter((code) => parseCurrency(code));
    expect(ours.length).toBeGreaterThanOrEqual(150);
  });

  it('move in steps of ten or a hundred where Stripe counts coarser than the standard', () => {
    expect(['BHD', 'JOD', 'KWD', 'OMR', 'TND'].map(amountStep)).toEqual([10n, 10n, 10n, 10n, 10n]);
    expect(['ISK', 'UGX'].map(amountStep)).toEqual([100n, 100n]);
    expect(['USD', 'EUR', 'JPY', 'KRW', 'HUF', 'TWD'].map(amountStep)).toEqual([1n, 1n, 1n, 1n, 1n, 1n]);
  });

  it('move in whole units of Hyperswitch wherever they move in whole steps of Stripe', () => {
    for (const code of Intl.supportedValuesOf('currency').filter((one) => parseCurrency(one))) {
      expect(amountStep(code) % hyperswitchUnit(code), code).toBe(0n);
    }
  });
});
