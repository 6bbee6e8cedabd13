import type { PaymentStatus, RefundStatus } from '../../domain/marketplace-status.js';

/** Every word of Hyperswitch's IntentStatus (API document of the v1 API). */
export type IntentWord =
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'cancelled_post_capture'
  | 'processing'
  | 'requires_customer_action'
  | 'requires_merchant_action'
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_capture'
  | 'partially_captured'
  | 'partially_captured_and_capturable'
  | 'partially_authorized_and_requires_capture'
  | 'conflicted'
  | 'expired';

/**
 * Only the whole payment counts as succeeded, and only what can never be paid any more is final: money that was partly
 * taken, or given back outside a refund, stays `processing` and in sight.
 */
const PAYMENT_STATUS: Readonly<Record<IntentWord, PaymentStatus>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
  expired: 'cancelled',
  processing: 'processing',
  requires_capture: 'processing',
  partially_captured: 'processing',
  partially_captured_and_capturable: 'processing',
  partially_authorized_and_requires_capture: 'processing',
  conflicted: 'processing',
  cancelled_post_capture: 'processing',
  requires_payment_method: 'pending',
  requires_confirmation: 'pending',
  requires_customer_action: 'pending',
  requires_merchant_action: 'pending',
};

/** The document's four words, and the two spellings of a manual review that its code and connectors use. */
export type RefundWord = 'pending' | 'review' | 'succeeded' | 'failed' | 'manual_review' | 'ManualReview';

const REFUND_STATUS: Readonly<Record<RefundWord, RefundStatus>> = {
  pending: 'pending',
  review: 'review',
  manual_review: 'review',
  ManualReview: 'review',
  succeeded: 'succeeded',
  failed: 'failed',
};

/** Undefined: a word that is not in the document, so nobody knows what it means for the money. */
export const paymentStatus = (word: string): PaymentStatus | undefined =>
  Object.hasOwn(PAYMENT_STATUS, word) ? PAYMENT_STATUS[word as IntentWord] : undefined;

export const refundStatus = (word: string): RefundStatus | undefined =>
  Object.hasOwn(REFUND_STATUS, word) ? REFUND_STATUS[word as RefundWord] : undefined;
