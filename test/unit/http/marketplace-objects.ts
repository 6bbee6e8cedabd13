import type { OrderId, PaymentId, RefundId, ReversalId, TransferId } from '../../../src/domain/ids.js';
import type { Order, Payment, Refund, Reversal, SellerTransfer } from '../../../src/domain/marketplace/marketplace.js';

const AT = '2026-11-21T10:00:00.000Z';
export const id = (digit: number): string => `0197d7a4-6f00-7000-8000-${String(digit).padStart(12, '0')}`;

export const ORDER_ID = id(1) as OrderId;
export const PAYMENT_ID = id(2) as PaymentId;
export const REFUND_ID = id(3) as RefundId;
export const TRANSFER_ID = id(4) as TransferId;
export const REVERSAL_ID = '0197d7a4-6f00-8000-8000-000000000005' as ReversalId;

export const aPayment = (change: Partial<Payment> = {}): Payment => ({
  id: PAYMENT_ID,
  orderId: ORDER_ID,
  status: 'pending',
  certainty: 'not_sent',
  amount: 1_000n,
  captured: { surely: 0n, known: true },
  capture: { method: 'automatic', parts: [], heldSince: null, cancelAskedAt: null },
  profileId: null,
  passedOn: {},
  currency: 'USD',
  providerStatus: null,
  attention: null,
  provider: 'hyperswitch',
  hyperswitchPaymentId: 'pay_1',
  stripePaymentId: null,
  workflowId: `payment/${PAYMENT_ID}`,
  createdAt: AT,
  ...change,
});
export const aRefund = (change: Partial<Refund> = {}): Refund => ({
  id: REFUND_ID,
  orderId: ORDER_ID,
  paymentId: PAYMENT_ID,
  amount: 500n,
  currency: 'USD',
  reason: 'broken',
  status: 'pending',
  certainty: 'not_sent',
  origin: 'api',
  items: null,
  fee: 'return_proportionally',
  hyperswitchRefundId: 'ref_1',
  stripeRefundId: null,
  attention: null,
  workflowId: `refund/${REFUND_ID}`,
  createdAt: AT,
  ...change,
});
export const aTransfer = (change: Partial<SellerTransfer> = {}): SellerTransfer => ({
  id: TRANSFER_ID,
  orderId: ORDER_ID,
  sellerAccount: 'acct_a',
  amount: 600n,
  amountReversed: 0n,
  currency: 'USD',
  status: 'completed',
  certainty: 'done',
  origin: 'order',
  stripeTransferId: 'tr_1',
  retryCount: 0,
  nextRetryAt: null,
  waiting: null,
  release: { kind: 'immediately', at: null, releasedAt: null },
  heldFor: null,
  attention: null,
  workflowId: `transfer/${TRANSFER_ID}`,
  createdAt: AT,
  ...change,
});
export const aReversal = (change: Partial<Reversal> = {}): Reversal => ({
  id: REVERSAL_ID,
  refundId: REFUND_ID,
  disputeId: null,
  transferId: TRANSFER_ID,
  orderId: ORDER_ID,
  sellerAccount: 'acct_a',
  amount: 300n,
  counted: 0n,
  currency: 'USD',
  status: 'pending',
  certainty: 'not_sent',
  retryCount: 2,
  nextRetryAt: AT,
  stripeTransferId: 'tr_1',
  stripeReversalId: null,
  attention: null,
  workflowId: `reversal/${REVERSAL_ID}`,
  createdAt: AT,
  ...change,
});
export const anOrder = (change: Partial<Order> = {}): Order => ({
  id: ORDER_ID,
  reference: null,
  status: 'paid',
  currency: 'USD',
  amount: 1_000n,
  ordered: null,
  items: [
    {
      id: id(6),
      kind: 'item',
      sellerAccount: 'acct_a',
      amount: 1_000n,
      ordered: null,
      fee: 0n,
      description: 'a lamp',
      release: { kind: 'immediately' },
    },
  ],
  platform: { amount: 0n, fees: 0n, kept: 0n },
  payment: null,
  transfers: [],
  refunds: [],
  reversals: [],
  disputes: [],
  createdAt: AT,
  ...change,
});
