import type { DisputeFunds } from '../marketplace/disputes.js';
import type { PaymentProvider } from '../marketplace/marketplace.js';
import type { PaymentStatus, RefundStatus } from '../marketplace/marketplace-status.js';
import type { CaptureMethod } from '../marketplace/payment-capture.js';

/** What the ledger holds of each kind, as far as it can be compared. Amounts in minor units. */
interface Held {
  readonly id: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly status: string;
  /** A call is at work or its outcome is not known yet: its own workflow reads the provider about it. */
  readonly underWay: boolean;
}

export interface HeldTransfer extends Held {
  readonly stripeTransferId: string | null;
  readonly sellerAccount: string;
}

export interface HeldReversal extends Held {
  readonly stripeReversalId: string | null;
  /** Of its transfer. */
  readonly stripeTransferId: string | null;
}

export interface HeldDispute {
  readonly id: string;
  readonly providerDisputeId: string;
  readonly currency: string;
  readonly funds: DisputeFunds;
  /** Out of our balance now. */
  readonly out: bigint;
  /** A person said where its funds are, or is being asked. */
  readonly asked: boolean;
}

export interface HeldPayment extends Held {
  readonly provider: PaymentProvider;
  /** What it is called there. */
  readonly providerPaymentId: string;
  readonly status: PaymentStatus;
  /** Null: not known. */
  readonly captured: bigint | null;
  /** A part that was captured paid its order, whatever the rest of it is called. */
  readonly paidByPart: boolean;
  /** Left out: by itself. */
  readonly captureMethod?: CaptureMethod;
  /** Nobody follows it any more. */
  readonly final: boolean;
}

export interface HeldRefund extends Held {
  readonly provider: PaymentProvider;
  readonly providerRefundId: string;
  readonly providerPaymentId: string;
  readonly status: RefundStatus;
  readonly final: boolean;
}

export interface HeldPayout {
  readonly id: string;
  readonly externalPayoutId: string;
  readonly sellerAccount: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly status: string;
  /** It is read again by itself. */
  readonly underWay: boolean;
}

/** A charge by an authorization of EIP-3009: x402 `exact`. */
export interface HeldAuthorization {
  readonly id: string;
  readonly status: string;
  readonly network: string;
  readonly asset: string;
  readonly from: string;
  readonly nonce: string;
  readonly spent: bigint;
  readonly symbol: string;
  /** When it was closed or settled; ISO 8601. */
  readonly changedAt: string;
  readonly underWay: boolean;
}
