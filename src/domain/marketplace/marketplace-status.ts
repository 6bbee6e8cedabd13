/** Statuses of the marketplace's money, with every move each may make. The database holds the same tables. */

export type OrderStatus = 'pending' | 'paid' | 'partially_refunded' | 'refunded' | 'payment_failed';
export type PaymentStatus = 'pending' | 'processing' | 'succeeded' | 'failed' | 'cancelled';
export type RefundStatus = 'pending' | 'review' | 'succeeded' | 'failed';
export type TransferStatus =
  | 'pending'
  | 'held'
  | WaitingStatus
  | 'failed'
  | 'cancelled'
  | 'completed'
  | 'reversal_pending'
  | 'partially_reversed'
  | 'reversed'
  | 'permanently_failed';
/**
 * Surely not sent, and nobody's failure: the platform's balance at Stripe is too low for it, or the seller cannot receive yet.
 */
export type WaitingStatus = 'waiting_platform_balance' | 'waiting_seller';
export type ReversalStatus = 'pending' | 'waiting_balance' | 'reversed' | 'permanently_failed' | 'written_off';

type Transitions<Status extends string> = Readonly<Record<Status, readonly Status[]>>;

/** A payment that the provider first called failed may still succeed; a refund that fails later gives the order back. */
export const ORDER_TRANSITIONS: Transitions<OrderStatus> = {
  pending: ['paid', 'payment_failed'],
  payment_failed: ['paid'],
  paid: ['partially_refunded', 'refunded'],
  partially_refunded: ['refunded', 'paid'],
  refunded: ['partially_refunded', 'paid'],
};

/** Succeeded is absorbing: evidence of money outlives an earlier no. */
export const PAYMENT_TRANSITIONS: Transitions<PaymentStatus> = {
  pending: ['processing', 'succeeded', 'failed', 'cancelled'],
  processing: ['pending', 'succeeded', 'failed', 'cancelled'],
  failed: ['pending', 'processing', 'succeeded', 'cancelled'],
  cancelled: ['succeeded'],
  succeeded: [],
};

/** A refund that succeeded can turn failed days later: the buyer's bank sent the money back. */
export const REFUND_TRANSITIONS: Transitions<RefundStatus> = {
  pending: ['review', 'succeeded', 'failed'],
  review: ['pending', 'succeeded', 'failed'],
  succeeded: ['failed'],
  failed: ['succeeded'],
};

/** Stripe's words for a refund (docs.stripe.com/api/refunds/object). */
const AT_STRIPE: Readonly<Record<string, RefundStatus>> = {
  pending: 'pending',
  requires_action: 'pending',
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'failed',
};
/** Undefined: a word that is in no document. */
export const refundStatusAtStripe = (word: string): RefundStatus | undefined =>
  Object.hasOwn(AT_STRIPE, word) ? AT_STRIPE[word] : undefined;

/**
 *  held, waiting_…
 *      ▲ │
 *      │ ▼
 *     pending ──► completed ──► reversal_pending ──► reversed
 *        │            ▲              │      ▲            ▲
 *        ▼            │              ▼      │            │
 *     failed ─────────┘      partially_reversed ─────────┘
 *
 * Whatever is not sent may come to wait, and is cancelled where refunds leave nothing of it; before it is sent it is pending again.
 * Once it is completed, its status is derived from its reversals by the SQL function `refresh_transfer`.
 */
export const TRANSFER_TRANSITIONS: Transitions<TransferStatus> = {
  pending: ['completed', 'failed', 'cancelled', 'held', 'waiting_platform_balance', 'waiting_seller'],
  held: ['pending', 'cancelled', 'permanently_failed'],
  waiting_platform_balance: ['pending', 'cancelled'],
  waiting_seller: ['pending', 'cancelled'],
  failed: ['completed', 'cancelled', 'permanently_failed', 'waiting_platform_balance', 'waiting_seller'],
  cancelled: [],
  completed: ['reversal_pending'],
  reversal_pending: ['reversed', 'partially_reversed', 'completed', 'permanently_failed'],
  partially_reversed: ['reversal_pending', 'reversed'],
  reversed: [],
  permanently_failed: [
    'reversal_pending',
    'reversed',
    'partially_reversed',
    'completed',
    'waiting_platform_balance',
    'waiting_seller',
  ],
};

/**
 * A written-off reversal that turns out to have moved the money is reversed: done is absorbing. One that was given up only
 * because its refund had failed is due again when the refund succeeds after all.
 */
export const REVERSAL_TRANSITIONS: Transitions<ReversalStatus> = {
  pending: ['waiting_balance', 'reversed', 'permanently_failed', 'written_off'],
  waiting_balance: ['pending', 'reversed', 'permanently_failed', 'written_off'],
  permanently_failed: ['pending', 'reversed', 'written_off'],
  written_off: ['reversed', 'pending'],
  reversed: [],
};

export const ORDER_STATUSES = Object.keys(ORDER_TRANSITIONS) as OrderStatus[];
export const PAYMENT_STATUSES = Object.keys(PAYMENT_TRANSITIONS) as PaymentStatus[];
export const REFUND_STATUSES = Object.keys(REFUND_TRANSITIONS) as RefundStatus[];
export const TRANSFER_STATUSES = Object.keys(TRANSFER_TRANSITIONS) as TransferStatus[];
export const REVERSAL_STATUSES = Object.keys(REVERSAL_TRANSITIONS) as ReversalStatus[];

export const isWaiting = (status: string): status is WaitingStatus =>
  status === 'waiting_platform_balance' || status === 'waiting_seller';
