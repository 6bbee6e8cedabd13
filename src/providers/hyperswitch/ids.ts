import { createHash } from 'node:crypto';

/**
 * Hyperswitch does not go by the Idempotency-Key header; what it refuses to create twice is a payment_id or refund_id.
 * So both are derived from the key, and whoever sends the call again, names the same object.
 */
export const hyperswitchPaymentId = (idempotencyKey: string): string => `pay_${derived(`payment:${idempotencyKey}`)}`;
export const hyperswitchRefundId = (idempotencyKey: string): string => `ref_${derived(`refund:${idempotencyKey}`)}`;

/** Letters, digits, - and _, as Hyperswitch allows them; its own ids and those made in its dashboard too. */
export const isHyperswitchId = (text: string): boolean => /^[A-Za-z0-9_-]{1,64}$/.test(text);

/** What Hyperswitch's schema asks for: 30 characters with the prefix. */
const DERIVED_LENGTH = 26;

/** SHA-256 in base 36, lowest digit first. Changing it would make every unfinished call a new one. */
function derived(operation: string): string {
  let rest = BigInt(`0x${createHash('sha256').update(operation).digest('hex')}`);
  let digits = '';
  while (digits.length < DERIVED_LENGTH) {
    digits += (rest % 36n).toString(36);
    rest /= 36n;
  }
  return digits;
}
