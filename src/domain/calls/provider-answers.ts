import type { DisputeMovement, DisputeStatus } from '../marketplace/disputes.js';
import type { PaymentStatus, RefundStatus } from '../marketplace/marketplace-status.js';
import type { UnclearClass } from './answers.js';

/**
 * What Stripe's or Hyperswitch's answer to a money call shows, in our words; each client maps every possible answer onto
 * one of these by a total table. Only the client's own call is judged here: what the provider's records say beside it is
 * read separately.
 *
 * - `done`: the money call has taken effect, now or (`replayed`) at an earlier attempt with the same key.
 * - `refused`: understood, and answered with a no that the key keeps; nothing moved by this attempt.
 * - `short`: refused because a balance is too low; another generation may succeed later.
 * - `unclear`: timeout, reset, 5xx, unreadable: the money may have moved.
 * - `busy`: rate limit, lock, or an earlier attempt still at work. `executed: 'no'`: this attempt did nothing at all.
 * - `misdirected`: the provider does not let us in (401, revoked key), or not for this seller (403 that names an account).
 */
export type KeyedAnswer<Done> = { readonly requestId: string | null } & (
  | { readonly kind: 'done'; readonly value: Done; readonly replayed: boolean }
  | {
      readonly kind: 'refused';
      readonly why: KeyedRefusal;
      readonly code: string | null;
      readonly detail: string;
      readonly replayed: boolean;
    }
  | { readonly kind: 'short'; readonly detail: string; readonly replayed: boolean }
  | { readonly kind: 'unclear'; readonly why: UnclearClass; readonly detail: string; readonly replayed: boolean }
  | {
      readonly kind: 'busy';
      readonly executed: 'no' | 'perhaps';
      readonly retryAfterMs: number | null;
      readonly detail: string;
    }
  | { readonly kind: 'misdirected'; readonly scope: 'provider' | 'seller'; readonly detail: string }
);

/**
 * `missing`: the object the call names does not exist. `conflict`: the key or id stands for something else.
 * `not_able`: whom the money is for may not receive it now. `other`: every other no; the provider's records decide what it means.
 */
export type KeyedRefusal = 'missing' | 'conflict' | 'not_able' | 'other';

/** What a read shows. Reading moves nothing, so it may always be repeated. */
export type ReadAnswer<Found> =
  | { readonly kind: 'found'; readonly value: Found }
  | { readonly kind: 'missing'; readonly detail: string }
  | { readonly kind: 'unclear'; readonly detail: string }
  | { readonly kind: 'busy'; readonly retryAfterMs: number | null; readonly detail: string }
  | { readonly kind: 'misdirected'; readonly scope: 'provider' | 'seller'; readonly detail: string };

/** A seller transfer as Stripe holds it; amounts in minor units of `currency` (upper case here, lower case on the wire). */
export interface TransferFacts {
  readonly stripeTransferId: string;
  readonly amount: bigint;
  readonly amountReversed: bigint;
  readonly currency: string;
  readonly destination: string;
  readonly transferGroup: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly livemode: boolean;
  /** What it is in the seller's own account: `py_…`. */
  readonly destinationPayment?: string | undefined;
  /** ISO 8601 */
  readonly createdAt: string;
}

/**
 * How far Stripe has got with a reversal. Only the preview of pending reversals has a status; without one it is `done`.
 * `pending`: the money is reserved or waited for. `failed`, `canceled`: it has gone back, or never moved, for good.
 * `unknown`: a word that is in no document.
 */
export type ReversalState = 'done' | 'pending' | 'failed' | 'canceled' | 'unknown';

/** It takes money, or may still. */
export const isLive = ({ state }: Pick<ReversalFacts, 'state'>): boolean => state !== 'failed' && state !== 'canceled';

/** One reversal of a transfer as Stripe holds it. */
export interface ReversalFacts {
  readonly stripeReversalId: string;
  readonly stripeTransferId: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly state: ReversalState;
  /** What it is in the seller's own account: `pyr_…`. */
  readonly destinationPaymentRefund?: string | undefined;
  readonly createdAt: string;
}

export interface TransferWithReversals {
  readonly transfer: TransferFacts;
  /** All pages. */
  readonly reversals: readonly ReversalFacts[];
}

/** What stands behind a payment at Stripe, as far as it tells whether transfers may be drawn from it. */
export interface ChargeFacts {
  readonly chargeId: string;
  readonly captured: boolean;
  /** `card`, …; null: Stripe does not say. */
  readonly method: string | null;
  /** Its money is split at Stripe already, or belongs to another account. */
  readonly isSplit: boolean;
  readonly livemode: boolean;
  /** Of it, what was captured, in minor units of the currency that the buyer paid in. */
  readonly amountCaptured: bigint;
  readonly currency: string;
  /** Null: it is in no balance yet. */
  readonly balanceTransactionId: string | null;
}

/** One line of a balance at Stripe; the amount is gross, and negative where money left. */
export interface BalanceMovement {
  readonly amount: bigint;
  readonly currency: string;
  /** Stripe's own figure, where it was converted. */
  readonly exchangeRate: string | null;
}

/** A buyer's payment as Stripe holds it; amounts in minor units of `currency`, which is the buyer's. */
export interface StripePayment {
  /** `pi_…`; of one that no PaymentIntent made, its charge: `ch_…`. */
  readonly name: string;
  /** That paid it; null: none has. */
  readonly chargeId: string | null;
  readonly amount: bigint;
  /** 0: nothing was, or it failed after it was. */
  readonly captured: bigint;
  readonly currency: string;
  /** Stripe's own word, of the PaymentIntent where there is one. */
  readonly status: string;
  /** Its money is split at Stripe already, or belongs to another account. */
  readonly isSplit: boolean;
  /** Under which the transfers of its money stand; null: none was made of it. */
  readonly transferGroup: string | null;
  readonly livemode: boolean;
}

/** A transfer that stands in the group of a payment, whoever made it. */
export interface GroupTransfer {
  readonly stripeTransferId: string;
  readonly destination: string;
  /** The charge it was drawn from; null: the balance. */
  readonly source: string | null;
  /** Less what was reversed of it. */
  readonly left: bigint;
  /** The id of ours that it bears. */
  readonly mark: string | null;
}

/** Whether a connected account may receive transfers, in Stripe's own words. */
export interface SellerFacts {
  readonly sellerAccount: string;
  /** Of the capabilities that allow it, by name: `active`, `inactive`, `pending`. */
  readonly capabilities: Readonly<Record<string, string>>;
  readonly disabledReason: string | null;
}

/** Whose payments and refunds a key of Hyperswitch's sees. */
export interface HyperswitchOwner {
  readonly merchantId: string;
  /** Null where Hyperswitch names none. */
  readonly profileId: string | null;
}

/** What a status of Hyperswitch's means that no program can take further by itself. */
export type StatusQuestion = 'payment_amount_differs' | 'unknown_status';

/** What Hyperswitch's word for a payment says by itself of what was captured; `given_back`: outside any refund. */
export type CapturedByWord = 'nothing' | 'perhaps' | 'a_part' | 'the_whole' | 'given_back';

/** A payment as Hyperswitch holds it. */
export interface PaymentFacts {
  readonly hyperswitchPaymentId: string;
  readonly owner: HyperswitchOwner;
  readonly status: PaymentStatus;
  /** Hyperswitch's own word, for people. */
  readonly providerStatus: string;
  /** Null: it goes on by itself, or has ended as payments do. */
  readonly asks: StatusQuestion | null;
  readonly capturedByWord: CapturedByWord;
  /** Nothing more is captured of it. */
  readonly final: boolean;
  readonly amount: bigint;
  /** Captured so far; null where Hyperswitch does not say. */
  readonly amountReceived: bigint | null;
  readonly currency: string;
  /** Who carries it out for Hyperswitch: `stripe`, …; null: nobody yet. */
  readonly connector: string | null;
  /** What it is called there: at Stripe a PaymentIntent. */
  readonly connectorTransactionId: string | null;
  /** A secret of the buyer's browser: encrypted at rest, never logged, never in Temporal. */
  readonly clientSecret: string | null;
}

/** What was read of a payment, whoever its provider is. */
export type PaymentReadFacts = Omit<PaymentFacts, 'hyperswitchPaymentId' | 'owner'>;

/** A refund as Hyperswitch holds it. */
export interface RefundFacts {
  readonly hyperswitchRefundId: string;
  readonly hyperswitchPaymentId: string;
  readonly profileId: string | null;
  readonly status: RefundStatus;
  /** Hyperswitch's own word, for people. */
  readonly providerStatus: string;
  readonly asks: Extract<StatusQuestion, 'unknown_status'> | null;
  readonly amount: bigint;
  readonly currency: string;
  readonly reason: string | null;
  readonly updatedAt: string | null;
  /** What the processor calls it: `re_…`; null: Hyperswitch does not say. */
  readonly connectorRefundId: string | null;
}

/** A dispute as Hyperswitch names it. Where its funds are is not in it: its words for that are not to be relied on. */
export interface NamedDispute {
  readonly hyperswitchDisputeId: string;
  readonly hyperswitchPaymentId: string;
  readonly profileId: string | null;
  /** Of the processor that holds it, in Hyperswitch's words: `stripe`. */
  readonly connector: string;
  /** The processor's own id: what the dispute is known by, whoever tells of it. */
  readonly providerDisputeId: string;
  /** What its words say, for people: nothing about money follows from them. */
  readonly status: DisputeStatus;
  /** Hyperswitch's own words for stage and status, for people. */
  readonly providerStatus: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly reason: string | null;
}

/** A dispute as Stripe holds it. */
export interface StripeDispute {
  readonly stripeDisputeId: string;
  readonly charge: string;
  readonly paymentIntent: string | null;
  /** Disputed, in the charge's currency; what was moved is in the movements. */
  readonly amount: bigint;
  readonly currency: string;
  /** Stripe's own word. */
  readonly status: string;
  readonly reason: string | null;
  readonly movements: readonly DisputeMovement[];
  readonly createdAt: string;
}

/** A refund as Stripe holds it. */
export interface StripeRefund {
  readonly stripeRefundId: string;
  readonly charge: string | null;
  readonly paymentIntent: string | null;
  readonly amount: bigint;
  readonly currency: string;
  /** Stripe's own word: pending, requires_action, succeeded, failed, canceled. */
  readonly status: string;
  /** Stripe sends it once the platform's balance covers it. */
  readonly isShort?: boolean;
  /** What it is made from at Hyperswitch, whose connector writes that on it: one of its refunds, or an attempt to pay, of which all was cancelled. */
  readonly madeFrom: { readonly kind: 'refund' | 'attempt'; readonly id: string } | null;
  /** The id of ours that it bears. */
  readonly mark?: string | null;
  /** Stripe itself made it as it let go of money that was only held: `surely` by its word; `perhaps`: no balance shows it. */
  readonly ofHeld?: 'surely' | 'perhaps';
  readonly createdAt: string;
}

/** Frozen with the key before the first call; every attempt of one generation sends exactly this. */
export interface TransferParams {
  readonly amount: number;
  /** Lower case, as Stripe wants it. */
  readonly currency: string;
  readonly destination: string;
  /** Left out beside a source: Stripe then names the group itself. */
  readonly transfer_group?: string;
  /** The buyer's charge, whose money it is, pending or not; left out: it comes from the available balance. */
  readonly source_transaction?: string;
  readonly metadata: {
    readonly order_id: string;
    readonly seller_transfer_id: string;
    readonly generation: string;
  };
}

/** Frozen with the key before the first call. The amount is always explicit: Stripe's default would take all that is left. */
export interface ReversalParams {
  readonly amount: number;
  readonly metadata: {
    /** Our reversal's id: what a look-up recognises as ours. */
    readonly operation_id: string;
    /** What it is taken back for: a refund, or a dispute and what it is called at the processor. */
    readonly refund_id?: string;
    readonly dispute_id?: string;
    readonly provider_dispute_id?: string;
    readonly order_id: string;
    readonly generation: string;
    readonly reason: string;
  };
}
