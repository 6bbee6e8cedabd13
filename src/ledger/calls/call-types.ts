import type { Certainty } from '../../domain/calls/certainty.js';
import type { Decision } from '../../domain/calls/next.js';
import type {
  PaymentReadFacts,
  RefundFacts,
  ReversalParams,
  TransferParams,
} from '../../domain/calls/provider-answers.js';
import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { CaptureId, DisputeId, OrderId, PaymentId, RefundId, ReversalId, TransferId } from '../../domain/ids.js';
import type { Accounted, OthersReversal } from '../../domain/marketplace/foreign-reversals.js';
import type { PaymentProvider } from '../../domain/marketplace/marketplace.js';
import type { PaymentStatus, ReversalStatus, TransferStatus } from '../../domain/marketplace/marketplace-status.js';
import type { PaymentTerms } from '../../domain/marketplace/payment-capture.js';
import type { StripeMoney } from '../../domain/marketplace/stripe-money.js';
import type { MarketplaceItem } from '../marketplace/marketplace-types.js';

/** A payment or refund that this process may send or read now. `certainty` is what was known before; `not_sent` needs no look. */
export interface ClaimedPayment {
  readonly id: PaymentId;
  readonly orderId: OrderId;
  readonly amount: bigint;
  readonly currency: string;
  readonly key: string;
  readonly certainty: Certainty;
  /** A no that came while an earlier attempt's outcome was unknown: it is only looked for, and not sent again. */
  readonly refusal: string | null;
  readonly hyperswitchPaymentId: string;
  /** Of one that is Stripe's, once that is known: `pi_…`. */
  readonly stripePaymentId: string | null;
  /** How it is made, and under which profile of Hyperswitch's. */
  readonly terms: PaymentTerms;
  /** Since it was made here, by the ledger's clock. */
  readonly ageMs: number;
  /** Given up here while its buyer can still pay it there. */
  readonly givenUp: boolean;
}

/** A payment that this process may cancel at its provider now. */
export interface ClaimedCancel {
  readonly key: string;
  /** At its provider. */
  readonly name: string;
  readonly amount: bigint;
  readonly currency: string;
}

/** One part of a payment that this process may capture now. */
export interface ClaimedCapture extends ClaimedCancel {
  readonly id: CaptureId;
  /** Of the payment, of which `amount` is the part. */
  readonly paymentAmount: bigint;
}

export type CaptureAsked =
  /** A row stands for it. */
  | { readonly kind: 'asked'; readonly id: CaptureId }
  | { readonly kind: 'exceeds'; readonly left: bigint }
  | { readonly kind: 'ended'; readonly status: PaymentStatus }
  /** The buyer's money is not held, as far as was read. */
  | { readonly kind: 'not_held'; readonly providerStatus: string | null }
  /** It captures itself; is being called off; its last part is captured; or another part is under way. */
  | { readonly kind: 'automatic' | 'cancelling' | 'closed' | 'under_way' };

export type CancelAsked =
  | { readonly kind: 'asked' }
  | { readonly kind: 'ended'; readonly status: PaymentStatus }
  /** Another checkout made it: nothing of it is sent from here. */
  | { readonly kind: 'capture_under_way' | 'elsewhere' };

export interface ClaimedRefund {
  readonly id: RefundId;
  readonly orderId: OrderId;
  readonly amount: bigint;
  readonly currency: string;
  readonly reason: string;
  readonly key: string;
  readonly certainty: Certainty;
  readonly refusal: string | null;
  readonly paymentId: PaymentId;
  readonly origin: 'api' | 'provider';
  readonly hyperswitchPaymentId: string;
  /** Of a payment that is Stripe's: `pi_…`. */
  readonly stripePaymentId: string | null;
  /** What Stripe calls it, once that is known: `re_…`. */
  readonly stripeRefundId: string | null;
  /** Stripe refused it for want of a balance. */
  readonly waits: boolean;
  /** Its payment's money is known to be in the balance of its own currency: that one is to cover it. */
  readonly unconverted: boolean;
  /** Null: Hyperswitch never had it, and two persons have said that the buyer has the money. */
  readonly hyperswitchRefundId: string | null;
  /** Since it was made here, by the ledger's clock. */
  readonly ageMs: number;
}

export type HyperswitchClaim<C> =
  | { readonly kind: 'claimed'; readonly claim: C }
  /** Nothing is to be sent; it may still be read, because a refund that succeeded can fail later. */
  | { readonly kind: 'final'; readonly claim: C }
  | { readonly kind: 'held'; readonly forMs: number };

/** What the provider said of one payment; refunds it knows are told one by one by {@link RefundReading}. */
export interface PaymentReading {
  readonly paymentId: PaymentId;
  /** Null: this was read without a claim (a webhook on a finished item). */
  readonly runner: string | null;
  readonly facts: PaymentReadFacts;
  /** When the sweep looks if nothing else does; null: soon. */
  readonly readAgainMs?: number | null;
}

export interface RefundReading {
  readonly refundId: RefundId;
  readonly runner: string | null;
  readonly facts: RefundFacts;
}

/** What the ledger did with a reading, and what must be started now; the sweep starts it otherwise. */
export interface Applied {
  readonly status: string;
  readonly started: readonly MarketplaceItem[];
}

/** One transfer or reversal that this process has claimed: it may look at Stripe now, and ask to send. */
export interface Claimed {
  readonly runner: string;
  readonly orderId: OrderId;
  readonly sellerAccount: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly certainty: Certainty;
  readonly generation: number;
  readonly attempts: number;
  readonly retryCount: number;
  /** Since the seller's balance was first found too low for it; null: it was not. */
  readonly shortForMs: number | null;
  /** Read Stripe's records before sending (key-age.ts). */
  readonly looksFirst: boolean;
}

export interface ClaimedTransfer extends Claimed {
  readonly id: TransferId;
  /** Of the row; ISO 8601. */
  readonly createdAt: string;
  /** Since the row was made, by the ledger's clock. */
  readonly ageMs: number;
  /** Others wait for the platform's balance in its currency. */
  readonly gated: boolean;
  /** The PaymentIntent that may have a charge to draw it from, and was not read yet. */
  /** It waited for its release: a payment at Stripe of which much may have gone back since it was looked at last. */
  readonly paymentToSearch: PaymentId | null;
  readonly paymentToRead: {
    readonly id: PaymentId;
    readonly paymentIntent: string;
    /** Its money is known to be in a balance of another currency: nothing is sent before it is read what it became there. */
    readonly isElsewhere: boolean;
  } | null;
  /** What Stripe is asked for, or was: where the charge's money is in another currency, that of its balance. */
  readonly atStripe: StripeMoney;
  /** Why there is no amount that can be sent; null: there is. */
  readonly unsendable: { readonly as: 'conflict' | 'retired'; readonly why: string } | null;
}

export interface ClaimedReversal extends Claimed {
  readonly id: ReversalId;
  /** Null: because of a dispute, whose record is read once more before the POST. */
  readonly refundId: RefundId | null;
  readonly disputeId: DisputeId | null;
  readonly transferId: TransferId;
  readonly stripeTransferId: string;
  /** To read the refund once more before the POST; null: given back outside any refund, and its payment is read. */
  readonly hyperswitchRefundId: string | null;
  /** What the refund has to be at Hyperswitch for the share to be due. */
  readonly refund: {
    readonly amount: bigint;
    readonly currency: string;
    readonly paymentId: PaymentId;
    readonly provider: PaymentProvider;
    readonly hyperswitchPaymentId: string | null;
    /** At the processor; of a refund that Hyperswitch has not named it is read there. */
    readonly connectorRefundId: string | null;
    readonly connectorTransactionId: string | null;
  };
  /** What is known of this transfer's reversals at Stripe; whatever else is there somebody else made. */
  readonly accounted: Accounted;
  /** What Stripe is asked for, or was. */
  readonly atStripe: StripeMoney;
  /** Its transfer was sent in another currency than its order's. */
  readonly isConverted: boolean;
}

/** Why nothing may be sent now. Only `failed` and `final` end it. */
export type StripeClaim<C> =
  | { readonly kind: 'claimed'; readonly claim: C }
  | { readonly kind: 'final'; readonly status: string }
  | { readonly kind: 'attention'; readonly reason: AttentionReason; readonly detail: string; readonly unknown: boolean }
  /** Another process holds it, its date is not due, its transfer is still on its way, or an earlier one goes first. */
  | { readonly kind: 'later'; readonly afterMs: number; readonly why: string }
  /** All of Stripe, or this seller at it, is parked. */
  | { readonly kind: 'parked'; readonly afterMs: number; readonly why: string }
  /** Its provider is parked and this process is the one that asks, read-only, whether it is over. */
  | { readonly kind: 'probe'; readonly provider: string; readonly sellerAccount: string }
  /** Nobody is to blame: what it waits for wakes it, and is asked about from time to time. */
  | { readonly kind: 'waiting'; readonly afterMs: number; readonly why: string }
  /** It waits, and this process is the one that reads at Stripe whether the wait is over. */
  | { readonly kind: 'read'; readonly of: 'platform_balance' | 'seller'; readonly sellerAccount: string }
  | { readonly kind: 'waiting_balance'; readonly afterMs: number };

/** The last word before the bytes leave, by the ledger's clock. */
export type SendPermit<Params> =
  | { readonly kind: 'send'; readonly key: string; readonly generation: number; readonly params: Params }
  /** The key may or may not be forgotten: look again later, send nothing. */
  | { readonly kind: 'read_only'; readonly afterMs: number }
  /** The claim lapsed, or nothing is due any more (refund no longer succeeded, transfer cancelled). */
  | { readonly kind: 'stop'; readonly why: string };

export type TransferPermit = SendPermit<TransferParams>;

export type ReversalPermit = SendPermit<ReversalParams>;

/** How one attempt ended. */
export interface CallOutcome<Id> {
  readonly id: Id;
  readonly runner: string;
  readonly decision: Decision;
  /** In the provider's words, cut; no secret. */
  readonly detail: string;
  readonly requestId: string | null;
  /** tr_… or trr_…; set exactly with `finish`. */
  readonly stripeId: string | null;
  /** How it was found: by our own call's answer, or in Stripe's records. */
  readonly source: 'answer' | 'lookup';
  /** Parks all of Stripe or this seller; set exactly with `park`. */
  readonly parks: 'stripe' | 'seller' | null;
  /** Which reversals of others a person is asked about, by their ids at Stripe. */
  readonly others?: readonly string[];
  /** Of a transfer that was found: what somebody else has reversed of it already. */
  readonly takenBack?: readonly OthersReversal[];
}

export interface Recorded {
  readonly status: TransferStatus | ReversalStatus;
  readonly started: readonly MarketplaceItem[];
}

/** What an absence proves; recorded before a permit is asked for. */
export interface Absence<Id> {
  readonly id: Id;
  readonly runner: string;
}
