import type { CaptureId, OrderId, RefundId, ReversalId, TransferId } from '../ids.js';

/**
 * The idempotency keys of calls to Hyperswitch and Stripe. Each comes from a business id alone, never from an amount, an
 * attempt, a run or a random number, so that whoever sends the call again, sends the same key. No two kinds of call can share
 * one, because their ids differ. The key of a settlement is kept in its row: what its caller gave, the payment request id, or
 * the identity of its credential, which of a voucher is the channel and the cumulative amount.
 */
export const paymentKey = (order: OrderId): string => order;
/** Of the call that cancels it: another endpoint, so another key. */
export const paymentCancelKey = (order: OrderId): string => `${order}:cancel`;
/** At Stripe, which repeats its first answer to a key: a cancel takes effect once by itself, so each has a key of its own. */
export const stripeCancelKey = (order: OrderId, nth: number): string => `${order}:cancel:${nth}`;
/** Hyperswitch honours no key here: what is read of the payment tells whether it was carried out. Stripe does, for a day. */
export const captureKey = (capture: CaptureId): string => capture;
export const refundKey = (refund: RefundId): string => refund;

/**
 * @param generation 1 for the first. A later one exists only after evidence that the earlier ones moved nothing:
 *   Stripe repeats its first answer to a key for at least 24 hours, and after that may carry it out anew
 */
export const transferKey = (transfer: TransferId, generation: number): string => generational(transfer, generation);
export const reversalKey = (reversal: ReversalId, generation: number): string => generational(reversal, generation);

/** Of a call whose key Stripe forgets: of the first generation its id, or what its key was made from. */
export function generational(id: string, generation: number): string {
  if (!Number.isSafeInteger(generation) || generation < 1) {
    throw new RangeError(`a generation is counted from 1, not ${generation}`);
  }
  return generation === 1 ? id : `${id}:g${generation}`;
}
