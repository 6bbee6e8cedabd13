import { randomBytes } from 'node:crypto';

export type Fields = Readonly<Record<string, unknown>>;

export const INTENT_STATUSES = [
  'succeeded',
  'failed',
  'cancelled',
  'cancelled_post_capture',
  'processing',
  'requires_customer_action',
  'requires_merchant_action',
  'requires_payment_method',
  'requires_confirmation',
  'requires_capture',
  'partially_captured',
  'partially_captured_and_capturable',
  'partially_authorized_and_requires_capture',
  'conflicted',
  'expired',
] as const;
export type IntentStatus = (typeof INTENT_STATUSES)[number];

export const REFUND_STATUSES = ['pending', 'review', 'succeeded', 'failed'] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];

/** Amounts are whole minor units, as on the wire. */
export interface Payment {
  readonly id: string;
  readonly owner: Owner;
  readonly amount: number;
  readonly currency: string;
  readonly status: IntentStatus;
  readonly received: number;
  readonly clientSecret: string;
  readonly metadata: Fields | null;
  readonly captureMethod: string;
  readonly customerId: string | null;
  readonly returnUrl: string | null;
  /** Null until its connector was asked. */
  readonly transactionId: string | null;
  /** At the linked Stripe; null: there is none. */
  readonly chargeId: string | null;
  /** As Stripe calls it: `card`, `sepa_debit`, … */
  readonly method: string;
  readonly createdMs: number;
  readonly updatedMs: number;
  /** What its processor knows and Hyperswitch has not noticed yet. */
  readonly unseen: IntentStatus | null;
}

export interface Refund {
  readonly id: string;
  readonly owner: Owner;
  readonly paymentId: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: RefundStatus;
  readonly reason: string | null;
  readonly metadata: Fields | null;
  readonly origin: 'api' | 'dashboard';
  readonly type: 'instant' | 'scheduled';
  /** Null until its connector was asked. The API document shows it nowhere. */
  readonly connectorRefundId: string | null;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly unseen: RefundStatus | null;
}

/** Whose a key is; what another merchant made is not there for it. */
export interface Owner {
  readonly merchantId: string;
  readonly profileId: string;
}
export const SANDBOX_OWNER: Owner = { merchantId: 'merchant_sandbox', profileId: 'pro_sandbox' };
export const CONNECTOR = 'stripe';
export const CONNECTOR_ACCOUNT = 'mca_sandbox';
const MINUTE_MS = 60_000;

export const iso = (ms: number): string => new Date(ms).toISOString();

/** 30 characters with the prefix, as Hyperswitch makes them where the caller gives none. */
export const ownId = (prefix: 'pay' | 'ref'): string => `${prefix}_${base36(26)}`;
export const disputeId = (): string => `dp_${base36(20)}`;
/** As Stripe would name it, where none is linked. */
export const stripeId = (prefix: 'pi' | 're' | 'dp'): string => `${prefix}_3${base36(23)}`;
export const attemptId = (paymentId: string): string => `${paymentId}_1`;
export const clientSecretOf = (paymentId: string): string => `${paymentId}_secret_${base36(20)}`;

const base36 = (length: number): string => Array.from(randomBytes(length), (byte) => (byte % 36).toString(36)).join('');

/** What its buyer could still be charged; none once it is decided. */
const WAITING: ReadonlySet<IntentStatus> = new Set([
  'requires_payment_method',
  'requires_confirmation',
  'requires_customer_action',
  'requires_merchant_action',
  'processing',
  'requires_capture',
]);

/** What can still be captured of it, or could be once its buyer has paid. */
export const capturableOf = ({ amount, received, status }: Payment): number =>
  WAITING.has(status) ? amount : status === 'partially_captured_and_capturable' ? amount - received : 0;

function methodOf(stripeMethod: string): string {
  if (stripeMethod === 'card') return 'card';
  return /_debit$|_bank_account$/.test(stripeMethod) ? 'bank_debit' : 'bank_redirect';
}

/** PaymentsResponse of the API document, as far as an order without a customer fills it. */
export function paymentBody(payment: Payment, refunds: readonly Refund[], disputes: readonly Fields[]): Fields {
  const { amount, status } = payment;
  const failed = status === 'failed';
  return {
    payment_id: payment.id,
    merchant_id: payment.owner.merchantId,
    status,
    amount,
    net_amount: amount,
    amount_capturable: capturableOf(payment),
    amount_received: payment.received,
    connector: CONNECTOR,
    client_secret: payment.clientSecret,
    created: iso(payment.createdMs),
    currency: payment.currency,
    refunds: refunds.length === 0 ? null : refunds.map(refundBody),
    disputes: disputes.length === 0 ? null : disputes,
    capture_method: payment.captureMethod,
    payment_method: methodOf(payment.method),
    connector_transaction_id: payment.transactionId,
    merchant_connector_id: payment.transactionId === null ? null : CONNECTOR_ACCOUNT,
    error_code: failed ? 'card_declined' : null,
    error_message: failed ? 'Your card was declined.' : null,
    metadata: payment.metadata,
    customer_id: payment.customerId,
    return_url: payment.returnUrl,
    profile_id: payment.owner.profileId,
    attempt_count: 1,
    expires_on: iso(payment.createdMs + 15 * MINUTE_MS),
    updated: iso(payment.updatedMs),
  };
}

/** RefundResponse of the API document. */
export function refundBody(refund: Refund): Fields {
  const failed = refund.status === 'failed';
  return {
    refund_id: refund.id,
    payment_id: refund.paymentId,
    amount: refund.amount,
    currency: refund.currency,
    status: refund.status,
    reason: refund.reason,
    metadata: refund.metadata,
    error_message: failed ? 'The refund failed at the processor.' : null,
    error_code: failed ? 'expired_or_canceled_card' : null,
    unified_code: null,
    unified_message: null,
    created_at: iso(refund.createdMs),
    updated_at: iso(refund.updatedMs),
    connector: CONNECTOR,
    profile_id: refund.owner.profileId,
    merchant_connector_id: CONNECTOR_ACCOUNT,
    split_refunds: null,
  };
}
