import type { Suspicion } from './drift.js';
import type { HeldPayment, HeldRefund } from './ledger-rows.js';

/** What the ledger says of payments and refunds, whose provider tells something else of them, or nothing. */

export const money = ({ amount, currency }: { readonly amount: bigint; readonly currency: string }): string =>
  `${amount} ${currency}`;

export const paymentSays = (row: HeldPayment): string =>
  `${row.status}: ${money(row)}${row.captured === null ? '' : `, ${row.captured} captured`}`;

export const refundSays = (row: HeldRefund): string => `${row.status}: ${money(row)} of ${row.providerPaymentId}`;

export const missingPayment = (row: HeldPayment): Suspicion => ({
  kind: 'payment_missing',
  provider: row.provider,
  providerId: row.providerPaymentId,
  parentId: null,
  item: { kind: 'payment', id: row.id },
  amount: row.amount,
  currency: row.currency,
  ledgerSays: paymentSays(row),
  providerSays: 'no such payment',
});

export const missingRefund = (row: HeldRefund): Suspicion => ({
  kind: 'refund_missing',
  provider: row.provider,
  providerId: row.providerRefundId,
  parentId: row.providerPaymentId,
  item: { kind: 'refund', id: row.id },
  amount: row.amount,
  currency: row.currency,
  ledgerSays: refundSays(row),
  providerSays: 'no such refund',
});
