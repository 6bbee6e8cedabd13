import type { PaymentReadFacts } from './provider-answers.js';

/** A payment that is made from here at Stripe. */
export interface MadeIntent extends PaymentReadFacts {
  /** `pi_…` */
  readonly stripePaymentId: string;
  /** The id of ours that it bears. */
  readonly mark: string | null;
  /** ISO 8601 */
  readonly createdAt: string;
}

/** Frozen with the key before the first call. */
export interface IntentParams {
  readonly amount: number;
  /** Lower case, as Stripe wants it. */
  readonly currency: string;
  readonly capture_method: 'automatic' | 'manual';
  /** `cus_…` */
  readonly customer?: string;
  readonly transfer_group: string;
  /** What the shop passes on, and ours, which nothing of that can be named like. */
  readonly metadata: {
    readonly order_id: string;
    readonly payment_id: string;
    readonly generation: string;
    readonly [name: string]: string;
  };
}

/** Frozen with the key before the first call. The amount is always explicit: Stripe's default would give back all that is left. */
export interface StripeRefundParams {
  readonly payment_intent: string;
  readonly amount: number;
  /** Without the order's id: Hyperswitch's connector writes one of its own under that name. */
  readonly metadata: { readonly refund_id: string; readonly generation: string };
}
