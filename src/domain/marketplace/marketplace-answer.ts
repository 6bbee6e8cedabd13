import type { Certainty } from '../calls/certainty.js';
import { type CapturingAnswer, capturingAnswer } from './capture-answer.js';
import { type DisputeAnswer, disputeAnswer } from './dispute-answer.js';
import type { FeePolicy } from './lines.js';
import type {
  Order,
  OrderItem,
  Payment,
  PaymentProvider,
  Refund,
  Reversal,
  Seller,
  SellerTransfer,
  Wait,
} from './marketplace.js';
import type { OrderStatus, PaymentStatus, RefundStatus, TransferStatus } from './marketplace-status.js';
import { type PayoutOfTransferAnswer, payoutOfTransferAnswer } from './payout-answer.js';
import { type HeldFor, heldInWords, type ReleaseKind, type ReleaseTermsAnswer, termsAnswer } from './releases.js';
import {
  type AttentionAnswer,
  type ConversionAnswer,
  minorUnits,
  type ReversalAnswer,
  reversalAnswer,
} from './reversal-answer.js';
import {
  balanceAnswer,
  type SellerBalance,
  type SellerBalanceAnswer,
  type SellerStoryAnswer,
  type SellerStoryLine,
  storyAnswer,
} from './seller-balance.js';
import type { SellerState } from './seller-standing.js';

/**
 * The marketplace's money as outsiders see it, in the API and with `--json`. Amounts are integers in minor
 * units of `currency` (ISO 4217, upper case), times ISO 8601. Type aliases and not interfaces, because an answer is also
 * kept as JSON for whoever sends the same request again.
 */
export type OrderAnswer = {
  readonly id: string;
  readonly status: OrderStatus;
  readonly currency: string;
  readonly amount: number;
  /** What it came to before only a part of it was captured; null: as ordered. */
  readonly ordered: number | null;
  readonly items: readonly OrderItemAnswer[];
  readonly platform: PlatformAnswer;
  readonly payment: PaymentOfOrder | null;
  readonly transfers: readonly TransferAnswer[];
  readonly refunds: readonly RefundAnswer[];
  readonly reversals: readonly ReversalAnswer[];
  readonly disputes: readonly DisputeAnswer[];
  /** What a historical order was called before it was imported. */
  readonly reference: string | null;
  readonly created_at: string;
};

export type OrderItemAnswer = {
  readonly id: string;
  readonly kind: OrderItem['kind'];
  /** Null: the platform's own. */
  readonly seller_account: string | null;
  readonly amount: number;
  /** The same of its line. */
  readonly ordered: number | null;
  /** Of the amount, what the platform keeps. */
  readonly fee: number;
  /** When its seller's share may be sent. */
  readonly release: ReleaseTermsAnswer;
  readonly description: string;
};

/** What is the platform's of an order; kept may be below 0. */
export type PlatformAnswer = { readonly amount: number; readonly fees: number; readonly kept: number };

/** Without the buyer's client secret, which only the answer to POST /api/v1/payments holds. */
export type PaymentAnswer = {
  readonly id: string;
  readonly order_id: string;
  readonly status: PaymentStatus;
  readonly amount: number;
  readonly currency: string;
};

/** Whoever asks where an order stands sees whether its payment waits for a person. */
export type PaymentOfOrder = PaymentAnswer & { readonly attention: AttentionAnswer | null };

/** As it is read on its own. */
export type PaymentDetails = PaymentOfOrder &
  CapturingAnswer & {
    /** What the buyer has surely paid; as much can be given back. */
    readonly captured: number;
    /** False: more may have been captured than that, or in another currency. */
    readonly captured_known: boolean;
    readonly certainty: Certainty;
    readonly provider: PaymentProvider;
    readonly provider_status: string | null;
    readonly hyperswitch_payment_id: string | null;
    readonly stripe_payment_id: string | null;
    readonly workflow_id: string | null;
    readonly created_at: string;
  };

export type RefundAnswer = {
  readonly id: string;
  readonly order_id: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: RefundStatus;
  readonly origin: 'api' | 'provider';
  /** What it gives back of which items; null: of every line the same part. */
  readonly items: readonly { readonly item_id: string; readonly amount: number }[] | null;
  readonly fee: FeePolicy;
  readonly hyperswitch_refund_id: string | null;
  readonly stripe_refund_id: string | null;
  readonly waiting: WaitAnswer | null;
  readonly reversals: readonly ReversalAnswer[];
  readonly reason: string;
  readonly certainty: Certainty;
  readonly attention: AttentionAnswer | null;
  readonly workflow_id: string | null;
  readonly created_at: string;
};

export type TransferConversionAnswer = ConversionAnswer & { readonly exchange_rate: string | null };

export type TransferAnswer = {
  readonly id: string;
  readonly order_id: string;
  readonly seller_account: string;
  readonly amount: number;
  readonly offset: number;
  readonly amount_reversed: number;
  readonly currency: string;
  readonly status: TransferStatus;
  readonly certainty: Certainty;
  readonly stripe_transfer_id: string | null;
  /** What is sent at Stripe, and Stripe's rate, where the platform's balance has another currency than the order; null: the amount itself. */
  readonly conversion: TransferConversionAnswer | null;
  readonly retry_count: number;
  readonly next_retry_at: string | null;
  readonly waiting: WaitAnswer | null;
  readonly release: { readonly kind: ReleaseKind; readonly at: string | null; readonly released_at: string | null };
  /** What it waits for while it is held; null: nothing any more, or it is not held. */
  readonly held: HeldAnswer | null;
  readonly payout: PayoutOfTransferAnswer | null;
  readonly reversals: readonly ReversalAnswer[];
  readonly attention: AttentionAnswer | null;
  readonly workflow_id: string | null;
  readonly created_at: string;
};

export type WaitAnswer = {
  readonly for: Wait['for'];
  readonly since: string;
  readonly detail: string;
  readonly missing: number | null;
};

export type HeldAnswer = {
  readonly for: HeldFor['kind'];
  /** Of the dispute or refund. */
  readonly id: string | null;
  readonly until: string | null;
  readonly detail: string;
};

export type SellerAnswer = {
  readonly account: string;
  readonly state: SellerState;
  readonly reason: string | null;
  readonly since: string | null;
  readonly transfers: readonly TransferAnswer[];
  readonly sums: readonly { readonly currency: string; readonly waiting: number; readonly with_person: number }[];
  readonly balances: readonly SellerBalanceAnswer[];
  readonly story: readonly SellerStoryAnswer[];
};

export function orderAnswer(order: Order): OrderAnswer {
  const { reversals } = order;
  return {
    id: order.id,
    status: order.status,
    currency: order.currency,
    amount: minorUnits(order.amount),
    ordered: order.ordered === null ? null : minorUnits(order.ordered),
    items: order.items.map((item) => ({
      id: item.id,
      kind: item.kind,
      seller_account: item.sellerAccount,
      amount: minorUnits(item.amount),
      ordered: item.ordered === null ? null : minorUnits(item.ordered),
      fee: minorUnits(item.fee),
      release: termsAnswer(item.release),
      description: item.description,
    })),
    platform: {
      amount: minorUnits(order.platform.amount),
      fees: minorUnits(order.platform.fees),
      kept: minorUnits(order.platform.kept),
    },
    payment: order.payment && paymentOfOrder(order.payment),
    transfers: order.transfers.map((one) =>
      transferAnswer(
        one,
        reversals.filter(({ transferId }) => transferId === one.id),
      ),
    ),
    refunds: order.refunds.map((one) =>
      refundAnswer(
        one,
        reversals.filter(({ refundId }) => refundId === one.id),
      ),
    ),
    reversals: reversals.map(reversalAnswer),
    disputes: order.disputes.map((one) =>
      disputeAnswer(
        one,
        reversals.filter(({ disputeId }) => disputeId === one.id),
      ),
    ),
    reference: order.reference,
    created_at: order.createdAt,
  };
}

export const paymentAnswer = (payment: Payment): PaymentAnswer => ({
  id: payment.id,
  order_id: payment.orderId,
  status: payment.status,
  amount: minorUnits(payment.amount),
  currency: payment.currency,
});

const paymentOfOrder = (payment: Payment): PaymentOfOrder => ({
  ...paymentAnswer(payment),
  attention: payment.attention,
});

export const paymentDetails = (payment: Payment): PaymentDetails => ({
  ...paymentOfOrder(payment),
  ...capturingAnswer(payment),
  captured: minorUnits(payment.captured.surely),
  captured_known: payment.captured.known,
  certainty: payment.certainty,
  provider: payment.provider,
  provider_status: payment.providerStatus,
  hyperswitch_payment_id: payment.hyperswitchPaymentId,
  stripe_payment_id: payment.stripePaymentId,
  workflow_id: payment.workflowId,
  created_at: payment.createdAt,
});

const waitAnswer = (wait: Wait | null): WaitAnswer | null =>
  wait && { ...wait, missing: wait.missing === null ? null : minorUnits(wait.missing) };

/** @param reversals those that came of this refund */
export const refundAnswer = (refund: Refund, reversals: readonly Reversal[]): RefundAnswer => ({
  id: refund.id,
  order_id: refund.orderId,
  amount: minorUnits(refund.amount),
  currency: refund.currency,
  status: refund.status,
  origin: refund.origin,
  items: refund.items && refund.items.map(({ itemId, amount }) => ({ item_id: itemId, amount: minorUnits(amount) })),
  fee: refund.fee,
  hyperswitch_refund_id: refund.hyperswitchRefundId,
  stripe_refund_id: refund.stripeRefundId,
  waiting: waitAnswer(refund.waiting),
  reversals: reversals.map(reversalAnswer),
  reason: refund.reason,
  certainty: refund.certainty,
  attention: refund.attention,
  workflow_id: refund.workflowId,
  created_at: refund.createdAt,
});

/** @param reversals those of this transfer */
export const transferAnswer = (transfer: SellerTransfer, reversals: readonly Reversal[]): TransferAnswer => ({
  id: transfer.id,
  order_id: transfer.orderId,
  seller_account: transfer.sellerAccount,
  amount: minorUnits(transfer.amount),
  offset: minorUnits(transfer.offset),
  amount_reversed: minorUnits(transfer.amountReversed),
  currency: transfer.currency,
  status: transfer.status,
  certainty: transfer.certainty,
  stripe_transfer_id: transfer.stripeTransferId,
  conversion: transfer.conversion && {
    currency: transfer.conversion.currency,
    amount: minorUnits(transfer.conversion.amount),
    exchange_rate: transfer.conversion.exchangeRate,
  },
  retry_count: transfer.retryCount,
  next_retry_at: transfer.nextRetryAt,
  waiting: waitAnswer(transfer.waiting),
  release: {
    kind: transfer.release.kind,
    at: transfer.release.at,
    released_at: transfer.release.releasedAt,
  },
  held: transfer.heldFor && heldAnswer(transfer.heldFor),
  payout: transfer.payout && payoutOfTransferAnswer(transfer.payout),
  reversals: reversals.map(reversalAnswer),
  attention: transfer.attention,
  workflow_id: transfer.workflowId,
  created_at: transfer.createdAt,
});

const heldAnswer = (held: HeldFor): HeldAnswer => ({
  for: held.kind,
  id: 'id' in held ? held.id : null,
  until: held.kind === 'date' ? held.until : null,
  detail: `held ${heldInWords(held)}`,
});

export interface OfSeller {
  /** Those of his transfers. */
  readonly reversals: readonly Reversal[];
  readonly balances: readonly SellerBalance[];
  readonly story: readonly SellerStoryLine[];
}

export const sellerAnswer = (seller: Seller, { reversals, balances, story }: OfSeller): SellerAnswer => ({
  account: seller.account,
  state: seller.state,
  reason: seller.reason,
  since: seller.since,
  transfers: seller.transfers.map((one) =>
    transferAnswer(
      one,
      reversals.filter(({ transferId }) => transferId === one.id),
    ),
  ),
  sums: seller.sums.map(({ currency, waiting, withPerson }) => ({
    currency,
    waiting: minorUnits(waiting),
    with_person: minorUnits(withPerson),
  })),
  balances: balances.map(balanceAnswer),
  story: story.map(storyAnswer),
});
