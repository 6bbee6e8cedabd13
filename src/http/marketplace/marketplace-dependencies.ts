import type { createExternalPayments } from '../../calls/marketplace/external-payments.js';
import type { PaymentSent } from '../../calls/marketplace/send-payment.js';
import type { PaymentId, RefundId } from '../../domain/ids.js';
import type { PaymentProvider } from '../../domain/marketplace/marketplace.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { MarketplaceItem, NewWebhookEvent } from '../../ledger/marketplace/marketplace-types.js';

/** What the marketplace's routes need; the composition root hands it in. */
export interface MarketplaceRouteDependencies {
  readonly ledger: MarketplaceRouteLedger;
  /** Where payments of new orders are made (PAYMENT_PROVIDER); default hyperswitch. */
  readonly paymentProvider?: PaymentProvider | undefined;
  /** STRIPE_SECRET_KEY is set: payments and refunds can be made at Stripe. */
  readonly paysByStripe?: boolean | undefined;
  /** undefined: HYPERSWITCH_… is not set, and no payment or refund is made there. */
  readonly hyperswitch:
    | {
        paymentIdFor(key: string): string;
        refundIdFor(key: string): string;
        /** HYPERSWITCH_PROFILE_ID, under which payments are made whose order names none. */
        readonly profileId?: string | undefined;
      }
    | undefined;
  /** undefined: STRIPE_SECRET_KEY is not set, and nothing that another checkout did can be read. */
  readonly external: ReturnType<typeof createExternalPayments> | undefined;
  /** The one call within the request: sends the payment, or reads it where it may have been sent before. */
  sendPayment(id: PaymentId): Promise<PaymentSent>;
  /** The one call within the request; what came of it is in the ledger afterwards. */
  sendRefund(id: RefundId): Promise<void>;
  /** Starts or wakes the item's workflow off the request path; never throws. What it misses is found by the sweep. */
  nudge(item: MarketplaceItem): void;
  /** Reads the provider about this event off the request path; never throws. What it misses is found by the sweep. */
  processWebhook(event: NewWebhookEvent): void;
  readonly webhooks: WebhookVerifiers;
}

export type MarketplaceRouteLedger = Pick<
  Ledger,
  | 'beginRequest'
  | 'finishRequest'
  | 'releaseRequest'
  | 'createOrder'
  | 'findOrder'
  | 'listOrders'
  | 'createPayment'
  | 'askCapture'
  | 'askCancel'
  | 'findPayment'
  | 'listPayments'
  | 'clientSecret'
  | 'createRefund'
  | 'findRefund'
  | 'listRefunds'
  | 'reversalsOfRefunds'
  | 'reversalsOfRefund'
  | 'findSeller'
  | 'sellerBalances'
  | 'sellerStory'
  | 'findTransfer'
  | 'listTransfers'
  | 'releaseHeld'
  | 'reversalsOfTransfer'
  | 'findReversal'
  | 'listReversals'
  | 'findDispute'
  | 'listDisputes'
  | 'reversalsOfDisputes'
  | 'decisionItem'
  | 'reversalsOfTransfers'
  | 'storeWebhook'
  | 'listPayouts'
  | 'findPayout'
  | 'dismissPayout'
>;

/** Each answers null for what was not signed for us, or is no event; one that is undefined has no secret configured. */
export interface WebhookVerifiers {
  readonly stripe?: (rawBody: Buffer, signature: string | undefined) => StripeNotice | null;
  readonly hyperswitch?: (rawBody: Buffer, signature: string | undefined) => HyperswitchNotice | null;
}

/** What an event of Stripe's says it is about. */
export interface StripeNotice {
  readonly eventId: string;
  readonly type: string;
  readonly objectId: string | null;
  /** The payment it says it is of: `pi_…` or `ch_…`. */
  readonly paymentId: string | null;
  /** The connected account it happened on. */
  readonly account: string | null;
}

export interface HyperswitchNotice {
  readonly eventId: string;
  readonly type: string;
  readonly paymentId: string | null;
  readonly refundId: string | null;
  readonly disputeId: string | null;
}
