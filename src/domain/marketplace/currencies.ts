/**
 * Currencies in use, ISO 4217 table A.1 as of 2026: no precious metals, units of account or test codes, and nothing that
 * was replaced (HRK and BGN by EUR, ANG by XCG, SLL by SLE, ZWL by ZWG, CUC by CUP). A list of ours, because the one a
 * JavaScript engine knows depends on its build and keeps what is long gone.
 */
const CODES =
  'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC ' +
  'CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ' +
  'ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK ' +
  'MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE ' +
  'SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF ' +
  'YER ZAR ZMW ZWG';
const CURRENCIES: ReadonlySet<string> = new Set(CODES.split(' '));

/**
 * What was money when earlier systems moved it: HRK and BGN (EUR since), ANG (XCG), SLL (SLE), ZWL (ZWG), CUC (CUP), and older
 * ones that Stripe has had. Orders are imported in them, and nothing is sent in them: Stripe refuses to reverse them.
 */
const RETIRED: ReadonlySet<string> = new Set('ANG BGN BYR CUC EEK HRK LTL LVL MRO SLL STD VEF ZMK ZWL'.split(' '));

export const isRetired = (currency: string): boolean => RETIRED.has(currency);

/** The code in upper case, of what is or was in use; undefined when there never was such a currency at Stripe. */
export function parseHistoricalCurrency(text: string): string | undefined {
  const code = text.toUpperCase();
  return isRetired(code) ? code : parseCurrency(code);
}

/** The code in upper case; undefined when no such currency is in use. */
export function parseCurrency(text: string): string | undefined {
  const code = text.toUpperCase();
  return CURRENCIES.has(code) ? code : undefined;
}

/** How a provider writes and moves the amounts of a currency. */
interface Units {
  /** Digits of its minor unit. */
  readonly decimals: 0 | 2 | 3;
  /** Every amount has to be a multiple of this; minor units. */
  readonly step: bigint;
}

const units = (codes: string, decimals: Units['decimals'], step: bigint): readonly (readonly [string, Units])[] =>
  codes.split(' ').map((code) => [code, { decimals, step }]);

const OTHERS: Units = { decimals: 2, step: 1n };

/**
 * Stripe's: https://docs.stripe.com/currencies ("Minor units in API amounts"). The last digit of a three-decimal currency has to be 0,
 * and krónur and Ugandan shillings come whole although they are written with two decimals. This product writes amounts as Stripe does.
 */
const AT_STRIPE: ReadonlyMap<string, Units> = new Map([
  ...units('BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF', 0, 1n),
  ...units('BHD IQD JOD KWD LYD OMR TND', 3, 10n),
  ...units('ISK UGX', 2, 100n),
]);

/** Hyperswitch's: juspay/hyperswitch, crates/common_enums/src/enums.rs (`is_zero_decimal_currency`, `is_three_decimal_currency`). */
const AT_HYPERSWITCH: ReadonlyMap<string, Units> = new Map([
  ...units('BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF', 0, 1n),
  ...units('BHD IQD JOD KWD LYD OMR TND', 3, 1n),
]);

export const unitsAtStripe = (currency: string): Units => AT_STRIPE.get(currency) ?? OTHERS;
export const unitsAtHyperswitch = (currency: string): Units => AT_HYPERSWITCH.get(currency) ?? OTHERS;

/** Every amount of this currency that is to move has to be a multiple of this; minor units. */
export const amountStep = (currency: string): bigint => unitsAtStripe(currency).step;

/** So many of our minor units are one of Hyperswitch's. It has no currency with more decimals than Stripe writes. */
export const hyperswitchUnit = (currency: string): bigint =>
  10n ** BigInt(unitsAtStripe(currency).decimals - unitsAtHyperswitch(currency).decimals);

/**
 * Why no order is taken in it; undefined: orders are. Hyperswitch hands its own minor units to Stripe as they are
 * (`MinorUnitForConnector` of its connector): of 5,000 whole shillings Stripe would charge 50, and the sellers would be paid 5,000.
 */
export const whyNotSold = (currency: string): string | undefined =>
  hyperswitchUnit(currency) === 1n
    ? undefined
    : 'is counted otherwise by Hyperswitch than by Stripe, which would charge a hundredth';

/** How many of the digits of an amount in minor units are decimals, as Stripe and this product write them. */
export const decimalsOf = (currency: string): number => unitsAtStripe(currency).decimals;
