import { OPERATORS, SERVICES } from '../allowed-roles.js';
import { READS_ONE, READS_PAGE } from '../read-operations.js';
import { NOTHING, type Operation } from '../route.js';
import { cancelPaymentOperation, capturePaymentOperation } from './capture-operations.js';
import { externalPaymentOperation, externalRefundOperation } from './external-operations.js';
import { IDEMPOTENCY_KEY, KEY_PROBLEMS } from './key-header.js';
import { DisputeAnswer, ReversalAnswer } from './marketplace-parts.js';
import {
  DisputeListAnswer,
  ListDisputesQuery,
  ListOrdersQuery,
  ListPaymentsQuery,
  ListRefundsQuery,
  ListReversalsQuery,
  ListTransfersQuery,
  type MarketplaceListQuery,
  NewOrderRequest,
  NewPaymentRequest,
  NewRefundRequest,
  OrderAnswer,
  OrderListAnswer,
  PaymentAnswer,
  PaymentDetails,
  PaymentListAnswer,
  RefundAnswer,
  RefundListAnswer,
  ReversalListAnswer,
  TransferAnswer,
  TransferListAnswer,
  WebhookAnswer,
} from './marketplace-schemas.js';
import { PAYOUT_OPERATIONS } from './payout-operations.js';
import { SellerAnswer } from './seller-schemas.js';

export const createOrderOperation = {
  id: 'createOrder',
  method: 'POST',
  path: '/api/v1/orders',
  summary: 'What a buyer is to pay, and which sellers share it.',
  roles: SERVICES,
  body: NewOrderRequest,
  exactIntegers: true,
  headers: IDEMPOTENCY_KEY,
  query: NOTHING,
  answers: { 201: { description: 'The order.', schema: OrderAnswer } },
  problems: [...KEY_PROBLEMS, 'ledger_unavailable'],
} satisfies Operation<NewOrderRequest>;

export const listOrdersOperation = {
  ...READS_PAGE,
  id: 'listOrders',
  path: '/api/v1/orders',
  summary: 'Orders, newest first.',
  query: ListOrdersQuery,
  answers: { 200: { description: 'A page of orders.', schema: OrderListAnswer } },
} satisfies Operation<unknown, MarketplaceListQuery>;

export const getOrderOperation = {
  ...READS_ONE,
  id: 'getOrder',
  path: '/api/v1/orders/{id}',
  summary: 'One order, with its payment, transfers, refunds, reversals and disputes.',
  answers: { 200: { description: 'The order.', schema: OrderAnswer } },
} satisfies Operation;

export const createPaymentOperation = {
  id: 'createPayment',
  method: 'POST',
  path: '/api/v1/payments',
  summary: 'Let the buyer pay an order. An order has one payment, however often it is asked for.',
  roles: SERVICES,
  body: NewPaymentRequest,
  headers: IDEMPOTENCY_KEY,
  query: NOTHING,
  answers: {
    201: { description: 'The payment, made at the payment provider.', schema: PaymentAnswer },
    200: { description: 'The same payment, asked for under another key.', schema: PaymentAnswer },
  },
  problems: [
    ...KEY_PROBLEMS,
    'not_found',
    'payment_closed',
    'payment_differs',
    'payment_unknown',
    'not_configured',
    'ledger_unavailable',
  ],
} satisfies Operation<NewPaymentRequest>;

export const listPaymentsOperation = {
  ...READS_PAGE,
  id: 'listPayments',
  path: '/api/v1/payments',
  summary: "Buyers' payments, newest first.",
  query: ListPaymentsQuery,
  answers: { 200: { description: 'A page of payments.', schema: PaymentListAnswer } },
} satisfies Operation<unknown, MarketplaceListQuery>;

export const getPaymentOperation = {
  ...READS_ONE,
  id: 'getPayment',
  path: '/api/v1/payments/{id}',
  summary: 'One payment, with what was captured of it.',
  answers: { 200: { description: 'The payment.', schema: PaymentDetails } },
} satisfies Operation;

export const createRefundOperation = {
  id: 'createRefund',
  method: 'POST',
  path: '/api/v1/refunds',
  summary: "Give the buyer back what was paid, or a part of it; the sellers' shares are taken back afterwards.",
  roles: SERVICES,
  body: NewRefundRequest,
  exactIntegers: true,
  headers: IDEMPOTENCY_KEY,
  query: NOTHING,
  answers: {
    202: {
      description: 'The refund, durable; its status tells how far the payment provider has come.',
      schema: RefundAnswer,
    },
  },
  problems: [
    ...KEY_PROBLEMS,
    'not_found',
    'order_not_paid',
    'refund_exceeds_paid',
    'refund_elsewhere',
    'not_configured',
    'ledger_unavailable',
  ],
} satisfies Operation<NewRefundRequest>;

export const listRefundsOperation = {
  ...READS_PAGE,
  id: 'listRefunds',
  path: '/api/v1/refunds',
  summary: 'What buyers got back or are to get back, newest first.',
  query: ListRefundsQuery,
  answers: { 200: { description: 'A page of refunds.', schema: RefundListAnswer } },
} satisfies Operation<unknown, MarketplaceListQuery>;

export const getRefundOperation = {
  ...READS_ONE,
  id: 'getRefund',
  path: '/api/v1/refunds/{id}',
  summary: 'One refund, with the reversals that came of it.',
  answers: { 200: { description: 'The refund.', schema: RefundAnswer } },
} satisfies Operation;

export const listTransfersOperation = {
  ...READS_PAGE,
  id: 'listTransfers',
  path: '/api/v1/transfers',
  summary: "Sellers' shares of orders, newest first.",
  query: ListTransfersQuery,
  answers: { 200: { description: 'A page of transfers.', schema: TransferListAnswer } },
} satisfies Operation<unknown, MarketplaceListQuery>;

export const getTransferOperation = {
  ...READS_ONE,
  id: 'getTransfer',
  path: '/api/v1/transfers/{id}',
  summary: "One seller's share of an order, with what was taken back of it.",
  answers: { 200: { description: 'The transfer.', schema: TransferAnswer } },
} satisfies Operation;

export const releaseTransferOperation = {
  id: 'releaseTransfer',
  method: 'POST',
  path: '/api/v1/transfers/{id}/release',
  summary:
    "Release a seller's share that waits for it: it is sent once no dispute and no refund of its order is open. Said again it changes nothing.",
  roles: [...SERVICES, ...OPERATORS],
  body: NOTHING,
  query: NOTHING,
  answers: {
    200: {
      description: 'The transfer as it is now, also where it was released or sent before.',
      schema: TransferAnswer,
    },
  },
  problems: ['not_found', 'transfer_ended', 'ledger_unavailable'],
} satisfies Operation;

export const getSellerOperation = {
  ...READS_ONE,
  id: 'getSeller',
  path: '/api/v1/sellers/{account}',
  summary: 'Whether a seller can receive, what waits for him or is with a person, and what he owes.',
  answers: { 200: { description: 'The seller.', schema: SellerAnswer } },
} satisfies Operation;

export const listReversalsOperation = {
  ...READS_PAGE,
  id: 'listReversals',
  path: '/api/v1/reversals',
  summary: 'What refunds take back from sellers, newest first.',
  query: ListReversalsQuery,
  answers: { 200: { description: 'A page of reversals.', schema: ReversalListAnswer } },
} satisfies Operation<unknown, MarketplaceListQuery>;

export const getReversalOperation = {
  ...READS_ONE,
  id: 'getReversal',
  path: '/api/v1/reversals/{id}',
  summary: 'One reversal.',
  answers: { 200: { description: 'The reversal.', schema: ReversalAnswer } },
} satisfies Operation;

export const listDisputesOperation = {
  ...READS_PAGE,
  id: 'listDisputes',
  path: '/api/v1/disputes',
  summary: 'What buyers have disputed at their banks, newest first.',
  query: ListDisputesQuery,
  answers: { 200: { description: 'A page of disputes.', schema: DisputeListAnswer } },
} satisfies Operation<unknown, MarketplaceListQuery>;

export const getDisputeOperation = {
  ...READS_ONE,
  id: 'getDispute',
  path: '/api/v1/disputes/{id}',
  summary: 'One dispute, with where its funds are and the reversals that came of it.',
  answers: { 200: { description: 'The dispute.', schema: DisputeAnswer } },
} satisfies Operation;

/** Far above any event of either provider, which would be sent for days in vain. */
const WEBHOOK_LIMIT_BYTES = 1024 * 1024;

const webhook = {
  method: 'POST',
  roles: 'public',
  body: NOTHING,
  rawBody: true,
  bodyLimitBytes: WEBHOOK_LIMIT_BYTES,
  query: NOTHING,
  answers: {
    200: {
      description: 'Stored, now or at an earlier delivery. Types and ids that nobody knows are stored too.',
      schema: WebhookAnswer,
    },
  },
  problems: ['invalid_signature', 'body_too_large', 'not_configured', 'ledger_unavailable'],
} as const;

export const stripeWebhookOperation = {
  ...webhook,
  id: 'stripeWebhook',
  path: '/webhooks/stripe',
  summary: 'Where Stripe sends its events, of this account and of connected ones.',
  headers: {
    'Stripe-Signature': { description: 'Over the bytes of the body.', schema: { type: 'string' } },
  },
} satisfies Operation;

export const hyperswitchWebhookOperation = {
  ...webhook,
  id: 'hyperswitchWebhook',
  path: '/webhooks/hyperswitch',
  summary: 'Where Hyperswitch sends its events.',
  headers: {
    'X-Webhook-Signature-512': {
      description: 'Over the bytes of the body.',
      schema: { type: 'string' },
    },
  },
} satisfies Operation;

export const MARKETPLACE_OPERATIONS: readonly Operation[] = [
  createOrderOperation,
  listOrdersOperation,
  getOrderOperation,
  createPaymentOperation,
  listPaymentsOperation,
  getPaymentOperation,
  capturePaymentOperation,
  cancelPaymentOperation,
  createRefundOperation,
  externalPaymentOperation,
  externalRefundOperation,
  listRefundsOperation,
  getRefundOperation,
  listTransfersOperation,
  getTransferOperation,
  releaseTransferOperation,
  getSellerOperation,
  listReversalsOperation,
  getReversalOperation,
  listDisputesOperation,
  getDisputeOperation,
  ...PAYOUT_OPERATIONS,
  hyperswitchWebhookOperation,
  stripeWebhookOperation,
];
