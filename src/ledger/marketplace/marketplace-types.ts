import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { OrderId, PaymentId, RefundId } from '../../domain/ids.js';
import type { JsonObject } from '../../domain/json.js';
import type { FeePolicy } from '../../domain/marketplace/lines.js';
import type { MarketplaceKind, NewOrderItem, Payment, Refund } from '../../domain/marketplace/marketplace.js';
import type { PaymentTerms } from '../../domain/marketplace/payment-capture.js';

export interface NewOrder {
  readonly id: OrderId;
  readonly currency: string;
  readonly items: readonly NewOrderItem[];
}

/** Our own client's Idempotency-Key; scoped to the token's name and the operation. */
export interface RequestKey {
  readonly principal: string;
  readonly operation: 'orders' | 'payments' | 'refunds' | 'captures';
  readonly key: string;
  readonly bodySha256: string;
}

/**
 * `begun`: go on, and finish with finishRequest; `itemId` is set when an earlier request with this key made the item and
 * did not answer (crash, unknown outcome): go on with that item. `answered`: the stored answer. `in_flight`: 409.
 * `other_body`: 422.
 */
export type BeginRequest =
  | { readonly kind: 'begun'; readonly itemId: string | null }
  | { readonly kind: 'answered'; readonly status: number; readonly answer: JsonObject }
  | { readonly kind: 'in_flight' | 'other_body' };

export type NewPaymentOutcome =
  /** `created`: one more row, not sent yet. `existing`: the order's one payment. */
  | { readonly kind: 'created' | 'existing'; readonly payment: Payment }
  | { readonly kind: 'order_not_found' }
  /** Its provider takes no such terms: nothing was stored. */
  | { readonly kind: 'not_made_so' }
  /** The payment failed or was cancelled for good. */
  | { readonly kind: 'closed'; readonly payment: Payment };

export interface NewPayment {
  readonly id: PaymentId;
  readonly orderId: OrderId;
  /** Derived from the payment's key (src/providers/hyperswitch/ids.ts), so that a repeated call makes nothing new. Null: it is made at Stripe. */
  readonly hyperswitchPaymentId: string | null;
  /** Left out: captured by itself, under the profile of the key, and nothing is passed on. At Stripe always so. */
  readonly terms?: PaymentTerms | undefined;
}

export interface NewRefund {
  readonly id: RefundId;
  readonly orderId: OrderId;
  /** Derived from the refund's key, as a payment's is; not used where the payment is Stripe's. */
  readonly hyperswitchRefundId: string | null;
  /** Null: what is left. */
  readonly amount: bigint | null;
  /** Left out: every line. */
  readonly lines?: RefundLines | undefined;
  /** Left out: as the setting says. */
  readonly fee?: FeePolicy | undefined;
  readonly reason: string;
}

/** The lines that a refund is about: some items, which say how much is refunded, or those of one seller. */
export type RefundLines =
  | { readonly items: readonly { readonly itemId: string; readonly amount: bigint }[] }
  | { readonly seller: string };

/** Why the lines that were chosen have no room; `item`: which one of the request, from 0. */
export type NoRoom =
  | { readonly kind: 'no_such_item'; readonly item: number }
  | { readonly kind: 'exceeds_item'; readonly item: number; readonly left: bigint }
  | { readonly kind: 'no_such_seller' }
  | { readonly kind: 'exceeds_seller'; readonly left: bigint };

export type NewRefundOutcome =
  | { readonly kind: 'created'; readonly refund: Refund }
  | { readonly kind: 'order_not_found' | 'not_paid' | 'captured_unknown' | 'made_at_stripe' | 'not_configured' }
  | { readonly kind: 'exceeds_paid'; readonly remainder: bigint }
  | NoRoom;

export interface MarketplaceItem {
  readonly kind: MarketplaceKind;
  readonly id: string;
}

export interface MarketplaceFilter {
  readonly status?: string;
  readonly needsAttention?: boolean;
  readonly orderId?: OrderId;
  /** Of an order: our client's Idempotency-Key, or what it was called before its import. Else: the key sent to Stripe. */
  readonly key?: string;
  readonly reason?: AttentionReason | undefined;
  readonly currency?: string | undefined;
  /** Of an order, payment, refund or dispute: one of those who share the order. */
  readonly seller?: string | undefined;
  /** Left out: not archived, or whatever is of the order or bears the key that is asked for. */
  readonly archived?: boolean | undefined;
  /** ISO 8601: made at this moment or later, and before that one. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Id of the last item of the page before this one: what is older follows. */
  readonly before?: string;
  readonly limit: number;
}

export interface DueItem {
  readonly kind: MarketplaceKind;
  readonly id: string;
  readonly orderId: OrderId;
  readonly sellerAccount: string | null;
  readonly amount: bigint;
  readonly currency: string;
}

/** An item that a sweep has found. */
export interface FoundDue extends DueItem {
  /** Since when, to the microsecond: whoever dates it anew meanwhile wants it to be found again. */
  readonly dueAt: string;
}

export interface NewWebhookEvent {
  readonly provider: 'hyperswitch' | 'stripe';
  readonly eventId: string;
  readonly type: string;
  readonly objectId: string | null;
  readonly parentId: string | null;
  readonly account: string | null;
  readonly bodySha256: string;
}

/** What finishes an event says of which time that it was due: one that is due anew since is not finished by an older reading. */
export interface Finishing extends Pick<NewWebhookEvent, 'provider' | 'eventId'> {
  /** When it was due next, as it was read before the provider was; undefined: it was not open. */
  readonly round: string | undefined;
}

export interface DueEvent extends NewWebhookEvent {
  readonly receivedAt: string;
}
