import { newPaymentId, newRefundId, type OrderId } from '../../../src/domain/ids.js';
import type { NewPayment, NewRefund } from '../../../src/ledger/marketplace/marketplace-types.js';
import type { TestLedger } from '../ledger-fixtures.js';
import { unique } from './fixtures.js';

/** A payment of this order that nobody has stored yet. */
export const aPayment = ({ clock }: Pick<TestLedger, 'clock'>, orderId: OrderId): NewPayment => ({
  id: newPaymentId(clock.nowMs()),
  orderId,
  hyperswitchPaymentId: unique('pay'),
});

/** A refund that nobody has stored yet. @param amount null: the remainder */
export const aRefund = (
  { clock }: Pick<TestLedger, 'clock'>,
  orderId: OrderId,
  amount: bigint | null = null,
): NewRefund => ({
  id: newRefundId(clock.nowMs()),
  orderId,
  amount,
  reason: 'requested_by_customer',
  hyperswitchRefundId: unique('ref'),
});
