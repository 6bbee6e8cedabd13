import type { CapturedByWord, StatusQuestion } from '../../domain/calls/provider-answers.js';
import type { DisputeStatus } from '../../domain/marketplace/disputes.js';
import type { PaymentStatus, RefundStatus } from '../../domain/marketplace/marketplace-status.js';

/** Every word of Hyperswitch's IntentStatus (API document of the v1 API; common_enums of the code). */
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
  | 'partially_captured_and_processing'
  | 'partially_authorized_and_requires_capture'
  | 'conflicted'
  | 'expired';

export interface Meaning<Status, Question> {
  readonly status: Status;
  readonly asks: Question | null;
}
interface PaymentMeaning extends Meaning<PaymentStatus, StatusQuestion> {
  readonly capturedByWord: CapturedByWord;
  readonly final: boolean;
}

const goesOn = (status: PaymentStatus, capturedByWord: CapturedByWord = 'nothing'): PaymentMeaning => ({
  status,
  asks: null,
  capturedByWord,
  final: status === 'succeeded' || status === 'failed' || status === 'cancelled',
});
/** Money that nobody asked for in this form: not the order's amount, and not nothing either. */
const amountDiffers = (capturedByWord: CapturedByWord, final = false): PaymentMeaning => ({
  status: 'processing',
  asks: 'payment_amount_differs',
  capturedByWord,
  final,
});
/** It goes no further unless a person does something at Hyperswitch, or says what it means. */
const stuck = (capturedByWord: CapturedByWord): PaymentMeaning => ({
  status: 'processing',
  asks: 'unknown_status',
  capturedByWord,
  final: false,
});

/**
 * Only the whole payment counts as succeeded, and only what can never be paid any more is final: money that was partly
 * taken, or given back outside a refund, stays `processing` and is a question for a person.
 */
const PAYMENT_MEANING: Readonly<Record<IntentWord, PaymentMeaning>> = {
  succeeded: goesOn('succeeded', 'the_whole'),
  failed: goesOn('failed'),
  cancelled: goesOn('cancelled'),
  expired: goesOn('cancelled'),
  processing: goesOn('processing'),
  partially_captured_and_processing: goesOn('processing', 'a_part'),
  requires_payment_method: goesOn('pending'),
  requires_confirmation: goesOn('pending'),
  requires_customer_action: goesOn('pending'),
  partially_captured: amountDiffers('a_part', true),
  partially_captured_and_capturable: amountDiffers('a_part'),
  partially_authorized_and_requires_capture: amountDiffers('nothing'),
  conflicted: amountDiffers('perhaps'),
  cancelled_post_capture: amountDiffers('given_back', true),
  // We ask for automatic capture: whoever changed that has to capture, or to cancel.
  requires_capture: stuck('nothing'),
  requires_merchant_action: stuck('nothing'),
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

/** A word of a later Hyperswitch: nobody knows what it means for the money, so nothing ends and a person is asked. */
export const paymentMeaning = (word: string): PaymentMeaning =>
  Object.hasOwn(PAYMENT_MEANING, word) ? PAYMENT_MEANING[word as IntentWord] : stuck('perhaps');

export const refundMeaning = (word: string): Meaning<RefundStatus, 'unknown_status'> =>
  Object.hasOwn(REFUND_STATUS, word)
    ? { status: REFUND_STATUS[word as RefundWord], asks: null }
    : { status: 'review', asks: 'unknown_status' };

/** Every word of Hyperswitch's DisputeStatus. An expired one was not answered in time, an accepted one was given up. */
export type DisputeWord =
  | 'dispute_opened'
  | 'dispute_challenged'
  | 'dispute_expired'
  | 'dispute_accepted'
  | 'dispute_cancelled'
  | 'dispute_won'
  | 'dispute_lost';

const DISPUTE_STATUS: Readonly<Record<DisputeWord, DisputeStatus>> = {
  dispute_opened: 'open',
  dispute_challenged: 'open',
  dispute_expired: 'lost',
  dispute_accepted: 'lost',
  dispute_cancelled: 'cancelled',
  dispute_won: 'won',
  dispute_lost: 'lost',
};

/** Before a dispute there is an inquiry; a word that is in no document is followed on. */
export function disputeMeaning(stage: string, word: string): DisputeStatus {
  const status = Object.hasOwn(DISPUTE_STATUS, word) ? DISPUTE_STATUS[word as DisputeWord] : 'open';
  return stage === 'pre_dispute' && status === 'open' ? 'inquiry' : status;
}
