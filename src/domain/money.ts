import type { Brand } from './brand.js';

/**
 * An amount in the asset's atomic unit, as the decimal digits every wire and every payload carries
 * (`bigint` cannot cross a JSON boundary). Never a float, never exponent form, never negative.
 */
export type AtomicAmount = Brand<string, 'AtomicAmount'>;

/** What the API (docs/openapi.json) admits on the wire: 1 to 39 digits, so that every amount also fits uint128. */
const ATOMIC = /^[0-9]{1,39}$/;

/** Digits of an amount without leading zeros; undefined when `text` is not a plain non-negative integer. */
export function parseAtomic(text: string): AtomicAmount | undefined {
  return ATOMIC.test(text) ? toAtomic(BigInt(text)) : undefined;
}

/** @throws RangeError for a negative amount: no promise of money is negative. */
export function toAtomic(amount: bigint): AtomicAmount {
  if (amount < 0n) throw new RangeError(`an amount cannot be negative: ${amount}`);
  return amount.toString() as AtomicAmount;
}

/** `3000` with 6 decimals is `0.003`: no trailing zeros, never exponent form (ATXP reads this one). */
export function formatDecimal(amount: bigint | AtomicAmount, decimals: number): string {
  const digits = BigInt(amount)
    .toString()
    .padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** The reverse of {@link formatDecimal}; undefined when `text` is not a decimal or has more digits than the asset. */
export function parseDecimal(text: string, decimals: number): bigint | undefined {
  const match = /^([0-9]{1,39})(?:\.([0-9]{1,78}))?$/.exec(text);
  if (!match) return undefined;
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  if (fraction.length > decimals) return undefined;
  return BigInt((match[1] ?? '0') + fraction.padEnd(decimals, '0'));
}

/** `Math.min` takes no bigint. */
export const smaller = (one: bigint, other: bigint): bigint => (one < other ? one : other);
export const larger = (one: bigint, other: bigint): bigint => (one > other ? one : other);

/** Scales an atomic amount to two decimals, rounding up, so that amounts of any asset compare with APPROVAL_THRESHOLD. */
export function toHundredths(amount: bigint | AtomicAmount, decimals: number): bigint {
  const atomic = BigInt(amount);
  if (decimals <= 2) return atomic * 10n ** BigInt(2 - decimals);
  const unit = 10n ** BigInt(decimals - 2);
  return (atomic + unit - 1n) / unit;
}
