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

/** The code in upper case; undefined when no such currency is in use. */
export function parseCurrency(text: string): string | undefined {
  const code = text.toUpperCase();
  return CURRENCIES.has(code) ? code : undefined;
}

/**
 * Stripe counts these in smaller steps than it moves: the last digit of a three-decimal currency has to be 0, and krónur
 * and Ugandan shillings come whole although they are written with two decimals (https://docs.stripe.com/currencies).
 */
const STEPS: Readonly<Record<string, bigint>> = {
  BHD: 10n,
  IQD: 10n,
  JOD: 10n,
  KWD: 10n,
  LYD: 10n,
  OMR: 10n,
  TND: 10n,
  ISK: 100n,
  UGX: 100n,
};

/** Every amount of this currency that is to move has to be a multiple of this; minor units. */
export const amountStep = (currency: string): bigint => STEPS[currency] ?? 1n;

/**
 * Hyperswitch counts Ugandan shillings without decimals, as ISO 4217 does, while Stripe, and with it this product, writes
 * them with two (juspay/hyperswitch, crates/common_enums: `is_zero_decimal_currency`). All other currencies in use are
 * written alike by both.
 */
const HYPERSWITCH_UNITS: Readonly<Record<string, bigint>> = { UGX: 100n };

/** So many of our minor units are one of Hyperswitch's. */
export const hyperswitchUnit = (currency: string): bigint => HYPERSWITCH_UNITS[currency] ?? 1n;

/**
 * Why no order is taken in it; undefined: orders are. Hyperswitch hands its own minor units to Stripe as they are
 * (`MinorUnitForConnector` of its connector): of 5,000 whole shillings Stripe would charge 50, and the sellers would be paid 5,000.
 */
export const whyNotSold = (currency: string): string | undefined =>
  hyperswitchUnit(currency) === 1n
    ? undefined
    : 'is counted otherwise by Hyperswitch than by Stripe, which would charge a hundredth';

/** How many of the digits of an amount in minor units are decimals, as Stripe and this product write them. */
export const decimalsOf = (currency: string): number =>
  WITHOUT_DECIMALS.has(currency) ? 0 : WITH_THREE.has(currency) ? 3 : 2;

const WITHOUT_DECIMALS: ReadonlySet<string> = new Set(
  'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' '),
);
const WITH_THREE: ReadonlySet<string> = new Set('BHD IQD JOD KWD LYD OMR TND'.split(' '));
