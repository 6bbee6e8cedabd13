import type { Certainty } from '../calls/certainty.js';
import type { Attention } from '../decisions/attention.js';
import type { DisputeId, OrderId, PaymentId, RefundId, ReversalId, TransferId } from '../ids.js';
import type { Captured } from './captured.js';
import type { DisputeFunds, DisputeStatus } from './disputes.js';
import type { FeePolicy } from './lines.js';
import type { OrderStatus, PaymentStatus, RefundStatus, ReversalStatus, TransferStatus } from './marketplace-status.js';
import type { Debt } from './offsets.js';
import type { Capture, CaptureMethod, PassedOn } from './payment-capture.js';
import type { PayoutOfTransfer } from './payouts.js';
import type { HeldFor, Release, ReleaseTerms } from './releases.js';
import type { SellerState } from './seller-standing.js';
import type { Conversion } from './stripe-money.js';

/**
 * The marketplace's money as our own programs see it. Amounts are integers in minor units of `currency` (ISO 4217, upper
 * case); times are ISO 8601.
 */
export interface Order {
  readonly id: OrderId;
  /** What a historical order was called before it was imported; null for our own. */
  readonly reference: string | null;
  readonly status: OrderStatus;
  readonly currency: string;
  /** Of which only a part was captured: that part. */
  readonly amount: bigint;
  /** What it came to before that; null: it is what was ordered. */
  readonly ordered: bigint | null;
  readonly items: readonly OrderItem[];
  readonly platform: PlatformShare;
  readonly payment: Payment | null;
  readonly transfers: readonly SellerTransfer[];
  readonly refunds: readonly Refund[];
  readonly reversals: readonly Reversal[];
  readonly disputes: readonly Dispute[];
  readonly createdAt: string;
}

export const ITEM_KINDS = ['item', 'shipping', 'tax'] as const;

/** A line of an order. */
export interface NewOrderItem {
  /** Default: item. */
  readonly kind?: (typeof ITEM_KINDS)[number];
  /** Null: the platform's own. */
  readonly sellerAccount: string | null;
  readonly amount: bigint;
  /** Of the amount, what the platform keeps; default: nothing. */
  readonly fee?: bigint;
  /** When the seller's share may be sent; default: at once. */
  readonly release?: ReleaseTerms;
  readonly description: string;
}
export interface OrderItem extends Required<NewOrderItem> {
  readonly id: string;
  /** What it came to before only a part of the order was captured; null: it is what was ordered. */
  readonly ordered: bigint | null;
}

/** What is the platform's of an order. */
export interface PlatformShare {
  /** Its own lines, and what the buyer paid for none. */
  readonly amount: bigint;
  readonly fees: bigint;
  /** Its part of what is captured now, less what refunds and disputes leave it to bear; below 0: it lost money. */
  readonly kept: bigint;
}

/** Who took a buyer's money for us, and whose records alone make refunds and disputes of it causes. */
export const PAYMENT_PROVIDERS = ['hyperswitch', 'stripe'] as const;
export type PaymentProvider = (typeof PAYMENT_PROVIDERS)[number];
/** As people are told of them. */
export const PROVIDER_NAMES: Readonly<Record<PaymentProvider, string>> = {
  hyperswitch: 'Hyperswitch',
  stripe: 'Stripe',
};

/** How a payment is captured, and how far that has come. */
export interface Capturing {
  readonly method: CaptureMethod;
  /** Asked for here, the oldest first. */
  readonly parts: readonly Capture[];
  /** Since when its buyer's money has been held, as far as was read; null: it is not. */
  readonly heldSince: string | null;
  /** When it was asked that it, or what is left of it, be called off; null: nobody has, or that has ended. */
  readonly cancelAskedAt: string | null;
}

export interface Payment {
  readonly id: PaymentId;
  readonly orderId: OrderId;
  readonly provider: PaymentProvider;
  readonly status: PaymentStatus;
  readonly certainty: Certainty;
  readonly amount: bigint;
  /** What the buyer has paid, whatever the payment is called. */
  readonly captured: Captured;
  readonly currency: string;
  readonly capture: Capturing;
  /** That its order has named; null: the one of the key. */
  readonly profileId: string | null;
  readonly passedOn: PassedOn;
  /** The provider's own word. */
  readonly providerStatus: string | null;
  readonly hyperswitchPaymentId: string | null;
  /** Where Stripe is its provider, or carried it out for Hyperswitch: `pi_…`, or `ch_…`. */
  readonly stripePaymentId: string | null;
  readonly attention: Attention | null;
  readonly workflowId: string | null;
  readonly createdAt: string;
}

export interface Refund {
  readonly id: RefundId;
  readonly orderId: OrderId;
  readonly paymentId: PaymentId;
  readonly amount: bigint;
  readonly currency: string;
  readonly reason: string;
  readonly status: RefundStatus;
  readonly certainty: Certainty;
  readonly origin: 'api' | 'provider';
  /** What it gives back of which items; null: of every line the same part. */
  readonly items: readonly { readonly itemId: string; readonly amount: bigint }[] | null;
  readonly fee: FeePolicy;
  readonly hyperswitchRefundId: string | null;
  /** As far as it is known: `re_…`. */
  readonly stripeRefundId: string | null;
  /** Stripe has not sent it, because the platform's balance is too low. */
  readonly waiting: Wait | null;
  readonly attention: Attention | null;
  readonly workflowId: string | null;
  readonly createdAt: string;
}

/** A seller's share of an order. */
export interface SellerTransfer {
  readonly id: TransferId;
  readonly orderId: OrderId;
  readonly sellerAccount: string;
  /** What is sent: the promise less what refunds withheld before it was sent, and less what its seller owed. */
  readonly amount: bigint;
  /** What of it is kept because its seller owed it: for him it is paid. */
  readonly offset: bigint;
  readonly amountReversed: bigint;
  readonly currency: string;
  readonly status: TransferStatus;
  readonly certainty: Certainty;
  readonly origin: 'order' | 'import' | 'compensation';
  readonly stripeTransferId: string | null;
  /** What is sent where the platform's balance has another currency than the order, at which rate of Stripe's; null: the amount itself. */
  readonly conversion: (Conversion & { readonly exchangeRate: string | null }) | null;
  readonly retryCount: number;
  readonly nextRetryAt: string | null;
  readonly waiting: Wait | null;
  readonly release: Release;
  /** Null: it is not held, or is about to be let go. */
  readonly heldFor: HeldFor | null;
  /** With which it reached the seller's bank, or is on its way there; null: Stripe has not said. */
  readonly payout: PayoutOfTransfer | null;
  readonly attention: Attention | null;
  readonly workflowId: string | null;
  readonly createdAt: string;
}

/** Why a transfer or a refund is not sent yet, and nobody is asked about it. */
export interface Wait {
  readonly for: 'platform_balance' | 'seller';
  /** Since it first had to wait for anything. */
  readonly since: string;
  readonly detail: string;
  /** What the platform's balance was short of for it alone when Stripe was read last; null: not read yet, in another currency, or it is the seller. */
  readonly missing: bigint | null;
}

/** A connected account as far as anything of it was ever in doubt, with what is not with the seller yet. */
export interface Seller {
  readonly account: string;
  readonly state: SellerState;
  readonly reason: string | null;
  /** Since when that is known; null: it was never in doubt. */
  readonly since: string | null;
  /** What waits, or is with a person, newest first: as many as are answered at once. */
  readonly transfers: readonly SellerTransfer[];
  /** Of all of them. */
  readonly sums: readonly SellerSum[];
}

export interface SellerSum {
  readonly currency: string;
  readonly waiting: bigint;
  readonly withPerson: bigint;
}

export interface Reversal {
  readonly id: ReversalId;
  /** What it is taken back for: a refund, or a dispute. */
  readonly refundId: RefundId | null;
  readonly disputeId: DisputeId | null;
  readonly transferId: TransferId;
  readonly orderId: OrderId;
  readonly sellerAccount: string;
  readonly amount: bigint;
  /** Of the amount, what somebody else's reversal at Stripe stands for; the rest is taken by ours. */
  readonly counted: bigint;
  readonly currency: string;
  readonly status: ReversalStatus;
  readonly certainty: Certainty;
  readonly retryCount: number;
  readonly nextRetryAt: string | null;
  /** Of the transfer it takes back; null for a historical one whose id is not known. */
  readonly stripeTransferId: string | null;
  readonly stripeReversalId: string | null;
  /** Null: it is asked of Stripe. */
  readonly debt: Debt | null;
  /** What it takes where its transfer was sent in another currency; null: the amount itself. */
  readonly conversion: Conversion | null;
  readonly seller: SellerSide | null;
  readonly attention: Attention | null;
  readonly workflowId: string | null;
  readonly createdAt: string;
}

/**
 * What a reversal was for its seller, in minor units of the currency of his own balance: compared with no other amount of the order.
 * Null: his balance has the currency of the transfer, or it was not read yet.
 */
export interface SellerSide {
  readonly currency: string;
  /** What this part had brought him when he was paid. */
  readonly got: bigint;
  /** What was taken of his balance. */
  readonly gave: bigint;
}

/** A buyer's bank wants money back, or asks about it. */
export interface Dispute {
  readonly id: DisputeId;
  readonly orderId: OrderId;
  readonly paymentId: PaymentId;
  readonly amount: bigint;
  readonly currency: string;
  readonly status: DisputeStatus;
  readonly funds: DisputeFunds;
  /** Now out of our balance because of it. */
  readonly out: bigint;
  /** Of it, what DISPUTE_POLICY leaves with the platform so far. */
  readonly borneByPlatform: bigint;
  /** The processor, and what the dispute is called there. */
  readonly connector: string;
  readonly providerDisputeId: string;
  readonly hyperswitchDisputeId: string | null;
  /** Null: only the processor has told of it, so nothing follows from it yet. */
  readonly namedBy: 'hyperswitch' | 'stripe' | 'decision' | null;
  /** The words of whoever was read last. */
  readonly providerStatus: string | null;
  readonly reason: string | null;
  readonly attention: Attention | null;
  readonly workflowId: string | null;
  readonly createdAt: string;
}

/** The five kinds of items that have a workflow `<kind>/<id>`; the sweep and the inbox name items this way. */
export type MarketplaceKind = 'payment' | 'refund' | 'transfer' | 'reversal' | 'dispute';
