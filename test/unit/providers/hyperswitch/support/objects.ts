import { hyperswitchPaymentId, hyperswitchRefundId } from '../../../../../src/providers/hyperswitch/ids.js';

export const ORDER = '0198a0b0-0000-7000-8000-000000000001';
export const REFUND = '0198a0b0-0000-7000-8000-000000000002';
export const PAY = hyperswitchPaymentId(ORDER);
export const REF = hyperswitchRefundId(REFUND);

export const PAYMENT_CALL = { amount: 6540n, currency: 'usd', metadata: { order_id: ORDER, payment_id: 'p-1' } };
export const REFUND_CALL = {
  hyperswitchPaymentId: PAY,
  amount: 600n,
  currency: 'USD',
  reason: 'requested_by_customer',
  metadata: { order_id: ORDER, refund_id: REFUND },
};

export const payment = (more: Record<string, unknown> = {}) => ({
  payment_id: PAY,
  merchant_id: 'm',
  profile_id: 'pro_1',
  status: 'requires_payment_method',
  amount: 6540,
  amount_received: null,
  currency: 'USD',
  client_secret: `${PAY}_secret_x`,
  ...more,
});
export const refund = (more: Record<string, unknown> = {}) => ({
  refund_id: REF,
  payment_id: PAY,
  amount: 600,
  currency: 'USD',
  status: 'pending',
  reason: 'requested_by_customer',
  updated_at: '2026-11-21T03:00:00.000Z',
  connector: 'stripe',
  ...more,
});
