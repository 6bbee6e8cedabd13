import { createHash } from 'node:crypto';
import { malformed, type Problem } from './claim.js';

export type Fields = Readonly<Record<string, unknown>>;

export const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** The text of a field, or undefined when it is no non-empty string. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Digits only: signs, points and exponents are refused, as uint256 has none. */
export function wholeOf(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined;
  return typeof value === 'string' && /^\d{1,78}$/.test(value) ? BigInt(value) : undefined;
}

/** Decimal USDC as ATXP writes it (`0.003`) in millionths; more than six decimals or an exponent is refused. */
export function usdcOf(value: unknown): bigint | undefined {
  if (typeof value !== 'string') return undefined;
  const parts = /^(\d{1,30})(?:\.(\d{1,6})0*)?$/.exec(value);
  if (!parts) return undefined;
  return BigInt(parts[1] ?? '0') * 1_000_000n + BigInt((parts[2] ?? '').padEnd(6, '0'));
}

/** Millionths as decimal USDC without trailing zeros. */
export function usdcText(amount: bigint): string {
  const fraction = (amount % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '');
  return fraction === '' ? `${amount / 1_000_000n}` : `${amount / 1_000_000n}.${fraction}`;
}

export const sameText = (left: unknown, right: unknown): boolean =>
  typeof left === 'string' && typeof right === 'string' && left.toLowerCase() === right.toLowerCase();

/** What the resource server names instead of the most that was signed. */
export function overriddenAmount(body: Fields, most: bigint, source: string): bigint | Problem {
  const { amount } = fieldsOf(body.settlementOverrides);
  const override = typeof amount === 'string' ? wholeOf(amount) : undefined;
  if (override === undefined) return malformed('settlementOverrides.amount is not an atomic amount');
  return override <= most
    ? override
    : { status: 400, code: 'amount_exceeds_cap', message: `settlementOverrides.amount is over ${source}` };
}
