import { decimalsOf } from '../../../src/domain/marketplace/currencies.js';

/** Amounts are exact: digits in the smallest unit, never a float. */
export interface Money {
  readonly amount: string;
  /** Currency or asset, as it is written beside the amount. */
  readonly unit: string;
  readonly decimals: number;
}

/** @param amount a JSON integer or digits; anything else is no amount */
export function moneyOf(amount: unknown, unit: unknown, decimals?: number | null): Money | undefined {
  const digits = typeof amount === 'number' && Number.isSafeInteger(amount) ? String(amount) : amount;
  if (typeof digits !== 'string' || !/^-?[0-9]+$/.test(digits) || typeof unit !== 'string') return undefined;
  return { amount: digits, unit, decimals: decimals ?? decimalsOf(unit) };
}

export interface DigitGroups {
  /** `−` or nothing, and the digits before the point in groups of three. */
  readonly whole: string;
  /** With its point; empty where the unit has no decimals. */
  readonly fraction: string;
}

/** `-1234567` with 2 decimals is `−12,345` and `.67`. */
export function digitsOf({ amount, decimals }: Pick<Money, 'amount' | 'decimals'>): DigitGroups {
  const value = BigInt(amount);
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(?:[0-9]{3})+$)/g, ',');
  const fraction = digits.slice(digits.length - decimals);
  return { whole: value < 0n ? `−${whole}` : whole, fraction: decimals === 0 ? '' : `.${fraction}` };
}

/** As one reads it aloud and copies it: `12,345.67 USD`. */
export function moneyInWords(money: Money): string {
  const { whole, fraction } = digitsOf(money);
  return `${whole}${fraction} ${money.unit}`;
}
