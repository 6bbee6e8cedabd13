import { describe, expect, it } from 'vitest';
import {
  amountStep,
  hyperswitchUnit,
  isRetired,
  parseCurrency,
  parseHistoricalCurrency,
  unitsAtHyperswitch,
  unitsAtStripe,
  whyNotSold,
} from '../../../../src/domain/marketplace/currencies.js';
import { CONSTRAINTS } from '../../../support/marketplace/hyperswitch-constraints.js';

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

  const known = Intl.supportedValuesOf('currency').filter((code) => parseCurrency(code));
  /** By the tables of the engine (Unicode CLDR), which are neither provider's. */
  const digitsOf = (currency: string) =>
    new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;
  const apart = (decimalsAt: (code: string) => number) =>
    Object.fromEntries(
      known.filter((code) => digitsOf(code) !== decimalsAt(code)).map((code) => [code, decimalsAt(code)]),
    );

  it('have as many decimals at each provider as the engine knows, but for those that it writes otherwise itself', () => {
    // The engine writes none where they are no longer coined; ISO 4217, Stripe and Hyperswitch do.
    const uncoined = 'AFN ALL COP HUF IDR IQD IRR KPW LAK LBP MMK PKR RSD SOS SYP YER'.split(' ');
    const ours = Object.fromEntries(
      uncoined.filter((code) => digitsOf(code) === 0).map((code) => [code, code === 'IQD' ? 3 : 2]),
    );
    expect(apart((code) => unitsAtStripe(code).decimals)).toEqual({ ...ours, ISK: 2, UGX: 2 });
    expect(apart((code) => unitsAtHyperswitch(code).decimals)).toEqual({ ...ours, ISK: 2 });
  });

  it('are written alike by both providers but for one, in which nothing is sold', () => {
    const unlike = known.filter((code) => unitsAtStripe(code).decimals !== unitsAtHyperswitch(code).decimals);
    expect(unlike).toEqual(['UGX']);
    expect(known.filter((code) => whyNotSold(code) !== undefined)).toEqual(['UGX']);
  });

  it('of the document of Hyperswitch are each in use here, were once, or are named', () => {
    const theirs = CONSTRAINTS.words.Currency ?? [];
    expect(theirs.length).toBeGreaterThan(140);
    expect(theirs.filter((code) => parseHistoricalCurrency(code) === undefined)).toEqual(['CLF']);
  });

  it.each(['BGN', 'HRK', 'ANG', 'SLL', 'ZWL', 'CUC'])(
    '%s was one: it is imported, and nothing is sold in it',
    (code) => {
      expect(isRetired(code)).toBe(true);
      expect(parseCurrency(code)).toBeUndefined();
      expect(parseHistoricalCurrency(code.toLowerCase())).toBe(code);
    },
  );
});
