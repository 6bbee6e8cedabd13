import type { BalanceTransactionRecord, ChargeRecord, DisputeRecord, RefundRecord } from '../state/records.js';
import { transactionObject } from './payment-objects.js';

/** Refund and Dispute as Stripe's API writes them. */
export const refundObject = (row: RefundRecord, { paymentIntent, method }: ChargeRecord) => ({
  id: row.id,
  object: 'refund',
  amount: row.amount,
  balance_transaction: row.balanceTransaction,
  charge: row.charge,
  created: row.created,
  currency: row.currency,
  customer: null,
  customer_account: null,
  destination_details: { [method]: method === 'card' ? { type: 'refund' } : {}, type: method },
  ...(row.failureTransaction === null
    ? {}
    : {
        failure_balance_transaction: row.failureTransaction,
        failure_reason: row.short ? 'insufficient_funds' : 'expired_or_canceled_card',
      }),
  metadata: row.metadata,
  payment_intent: paymentIntent,
  payment_method: null,
  ...(row.status === 'pending' ? { pending_reason: row.short ? 'insufficient_funds' : 'processing' } : {}),
  reason: row.reason ?? null,
  receipt_number: null,
  source_transfer_reversal: null,
  status: row.status,
  transfer_reversal: null,
});

const NO_EVIDENCE = {
  access_activity_log: null,
  billing_address: null,
  cancellation_policy: null,
  cancellation_policy_disclosure: null,
  cancellation_rebuttal: null,
  customer_communication: null,
  customer_email_address: null,
  customer_name: null,
  customer_purchase_ip: null,
  customer_signature: null,
  duplicate_charge_documentation: null,
  duplicate_charge_explanation: null,
  duplicate_charge_id: null,
  enhanced_evidence: {},
  product_description: null,
  receipt: null,
  refund_policy: null,
  refund_policy_disclosure: null,
  refund_refusal_explanation: null,
  service_date: null,
  service_documentation: null,
  shipping_address: null,
  shipping_carrier: null,
  shipping_date: null,
  shipping_documentation: null,
  shipping_tracking_number: null,
  uncategorized_file: null,
  uncategorized_text: null,
};

/** A bank gives about so long for an answer. */
const ANSWER_WITHIN_SECONDS = 14 * 86_400;
const FRAUD = '10.4';

interface AroundDispute {
  readonly charge: ChargeRecord;
  readonly transactions: readonly BalanceTransactionRecord[];
  /** Of the whole charge. */
  readonly refunded: number;
  readonly nowMs: number;
}

export const disputeObject = (row: DisputeRecord, { charge, transactions, refunded, nowMs }: AroundDispute) => ({
  id: row.id,
  object: 'dispute',
  amount: row.amount,
  balance_transactions: transactions.map((each) => transactionObject(each, nowMs)),
  charge: row.charge,
  created: row.created,
  currency: row.currency,
  enhanced_eligibility_types: [],
  evidence: NO_EVIDENCE,
  evidence_details: {
    due_by: row.created + ANSWER_WITHIN_SECONDS,
    enhanced_eligibility: {},
    has_evidence: row.submissions > 0,
    past_due: nowMs / 1000 > row.created + ANSWER_WITHIN_SECONDS,
    submission_count: row.submissions,
  },
  is_charge_refundable: REFUNDABLE.has(row.status) && refunded < charge.amount,
  livemode: row.livemode,
  metadata: row.metadata,
  payment_intent: charge.paymentIntent,
  payment_method_details: {
    ...(charge.method === 'card'
      ? {
          card: {
            brand: 'visa',
            case_type: row.inquiry ? 'inquiry' : 'chargeback',
            network: 'visa',
            network_reason_code: FRAUD,
          },
        }
      : {}),
    type: charge.method,
  },
  reason: 'fraudulent',
  status: row.status,
});

/** While the bank only asks, and once it decided for the platform. */
export const REFUNDABLE: ReadonlySet<DisputeRecord['status']> = new Set([
  'warning_needs_response',
  'warning_under_review',
  'warning_closed',
  'won',
]);
