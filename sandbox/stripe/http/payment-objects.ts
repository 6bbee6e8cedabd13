import type {
  BalanceTransactionRecord,
  ChargeRecord,
  ChargeStatus,
  IntentRecord,
  TransferRecord,
} from '../state/records.js';
import { seconds } from './plan.js';

/**
 * Charge, PaymentIntent and BalanceTransaction as Stripe's API writes them (npm stripe 23.1.0; test/contract/stripe-sandbox-shapes.test.ts
 * compares them with stripe-mock). A charge carries no list of its refunds: Stripe sends it only to who asks for it by name.
 */
export const transactionObject = (row: BalanceTransactionRecord, nowMs: number) => ({
  id: row.id,
  object: 'balance_transaction',
  amount: row.amount,
  available_on: row.availableOn,
  balance_type: 'payments',
  created: row.created,
  currency: row.currency,
  description: null,
  exchange_rate: row.exchangeRate,
  fee: row.fee,
  fee_details:
    row.fee === 0
      ? []
      : [
          {
            amount: row.fee,
            application: null,
            currency: row.currency,
            description: row.category.startsWith('dispute') ? 'Dispute fee' : 'Stripe processing fees',
            type: 'stripe_fee',
          },
        ],
  net: row.amount - row.fee,
  reporting_category: row.category,
  source: row.source,
  status: row.settled || row.availableOn <= seconds(nowMs) ? 'available' : 'pending',
  type: row.type,
});

const NOBODY = {
  address: { city: null, country: null, line1: null, line2: null, postal_code: null, state: null },
  email: null,
  name: null,
  phone: null,
  tax_id: null,
};

/** Of cards what Stripe's example shows; other methods show their type alone. */
function methodDetails({ method, amount, captured }: ChargeRecord) {
  if (method !== 'card') return { type: method, [method]: {} };
  const card = {
    amount_authorized: amount,
    authorization_code: null,
    brand: 'visa',
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
    country: 'US',
    exp_month: 8,
    exp_year: 2030,
    extended_authorization: { status: 'disabled' },
    fingerprint: 'SandboxCard00001',
    funding: 'credit',
    incremental_authorization: { status: 'unavailable' },
    installments: null,
    last4: '4242',
    mandate: null,
    multicapture: { status: 'unavailable' },
    network: 'visa',
    network_token: { used: false },
    network_transaction_id: null,
    overcapture: { maximum_amount_capturable: captured ? 0 : amount, status: 'unavailable' },
    regulated_status: 'unregulated',
    three_d_secure: null,
    transaction_link_id: null,
    wallet: null,
  };
  return { type: method, card };
}

export const capturedOf = ({ captured, part, amount }: ChargeRecord): number => (captured ? (part ?? amount) : 0);

/** What happened to a charge since. */
export interface ChargeHistory {
  readonly refunded: number;
  readonly disputed: boolean;
}

export const chargeObject = (row: ChargeRecord, { refunded, disputed }: ChargeHistory) => ({
  id: row.id,
  object: 'charge',
  amount: row.amount,
  amount_captured: capturedOf(row),
  amount_refunded: refunded,
  application: null,
  application_fee: null,
  application_fee_amount: null,
  balance_transaction: row.balanceTransaction,
  billing_details: NOBODY,
  calculated_statement_descriptor: null,
  captured: row.captured,
  created: row.created,
  currency: row.currency,
  customer: null,
  description: null,
  disputed,
  failure_balance_transaction: row.failureTransaction,
  failure_code: row.status === 'failed' ? 'payment_method_provider_decline' : null,
  failure_message: row.status === 'failed' ? 'The payment was declined.' : null,
  fraud_details: {},
  livemode: row.livemode,
  metadata: row.metadata,
  on_behalf_of: null,
  outcome: null,
  paid: row.status === 'succeeded',
  payment_intent: row.paymentIntent,
  payment_method: `pm_1${row.id.slice(4)}`,
  payment_method_details: methodDetails(row),
  receipt_email: null,
  receipt_number: null,
  receipt_url: null,
  refunded: refunded === row.amount,
  review: null,
  shipping: null,
  source_transfer: null,
  statement_descriptor: null,
  statement_descriptor_suffix: null,
  status: row.status,
  transfer_data: null,
  transfer_group: row.transferGroup,
});

/** What a transfer is in the seller's account: a payment to him, which names the transfer it came of. */
export const destinationPaymentObject = (row: TransferRecord) => ({
  ...chargeObject(
    {
      ...row,
      id: row.destinationPayment,
      paymentIntent: '',
      captured: true,
      status: 'succeeded',
      method: 'stripe_account',
      metadata: {},
      failureTransaction: null,
      intentGroup: null,
    },
    { refunded: row.amountReversed, disputed: false },
  ),
  payment_intent: null,
  payment_method: null,
  source_transfer: row.id,
});

const INTENT_STATUSES: Readonly<Record<ChargeStatus, string>> = {
  succeeded: 'succeeded',
  pending: 'processing',
  failed: 'requires_payment_method',
};

/** The PaymentIntent of a charge: one each. */
export const paymentIntentObject = (row: ChargeRecord) => ({
  id: row.paymentIntent,
  object: 'payment_intent',
  allowed_payment_method_types: null,
  amount: row.amount,
  amount_capturable: row.captured || row.status === 'failed' ? 0 : row.amount,
  amount_details: {},
  amount_received: row.status === 'succeeded' ? capturedOf(row) : 0,
  application: null,
  application_fee_amount: null,
  automatic_payment_methods: null,
  canceled_at: null,
  cancellation_reason: null,
  capture_method: row.captured && row.part === undefined ? 'automatic' : 'manual',
  client_secret: `${row.paymentIntent}_secret_sandbox`,
  confirmation_method: 'automatic',
  created: row.created,
  currency: row.currency,
  customer: null,
  customer_account: null,
  description: null,
  excluded_payment_method_types: null,
  last_payment_error: null,
  latest_charge: row.id,
  livemode: row.livemode,
  managed_payments: null,
  metadata: row.metadata,
  next_action: null,
  on_behalf_of: null,
  payment_method: row.status === 'failed' ? null : `pm_1${row.id.slice(4)}`,
  payment_method_configuration_details: null,
  payment_method_options: {},
  payment_method_types: [row.method],
  processing: null,
  receipt_email: null,
  review: null,
  setup_future_usage: null,
  shipping: null,
  statement_descriptor: null,
  statement_descriptor_suffix: null,
  status: row.captured || row.status !== 'succeeded' ? INTENT_STATUSES[row.status] : 'requires_capture',
  transfer_data: null,
  transfer_group: row.intentGroup,
});

type Charged = ReturnType<typeof paymentIntentObject>;
/** What is null of one that was charged may be something of one that was not. */
export type IntentObject = Omit<
  Charged,
  'canceled_at' | 'cancellation_reason' | 'customer' | 'next_action' | 'latest_charge'
> & {
  readonly customer: string | null;
  readonly canceled_at: number | null;
  readonly cancellation_reason: string | null;
  readonly next_action: object | null;
  readonly latest_charge: string | null;
};

/** One that nobody has paid, or that was called off. @param charge that was refused */
export const openIntentObject = (row: IntentRecord, charge: string | null = null): IntentObject => ({
  ...paymentIntentObject(NOT_CHARGED),
  id: row.id,
  amount: row.amount,
  amount_capturable: 0,
  canceled_at: row.canceledAt,
  cancellation_reason: row.canceledAt === null ? null : (row.cancellationReason ?? 'abandoned'),
  capture_method: row.captureMethod ?? 'automatic',
  client_secret: `${row.id}_secret_sandbox`,
  created: row.created,
  currency: row.currency,
  customer: row.customer ?? null,
  latest_charge: charge,
  livemode: row.livemode,
  metadata: row.metadata,
  next_action: row.status === 'requires_action' ? { type: 'use_stripe_sdk', use_stripe_sdk: {} } : null,
  payment_method: row.status === 'requires_payment_method' ? null : `pm_1${row.id.slice(4)}`,
  status: row.status,
  transfer_group: row.transferGroup,
});

const NOT_CHARGED: ChargeRecord = {
  platform: '',
  livemode: false,
  id: '',
  paymentIntent: '',
  amount: 0,
  currency: '',
  captured: true,
  created: 0,
  status: 'failed',
  method: 'card',
  metadata: {},
  balanceTransaction: null,
  failureTransaction: null,
  transferGroup: null,
  intentGroup: null,
};
