import type { Certainty } from '../../domain/calls/certainty.js';
import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { OrderId, PaymentId, RefundId } from '../../domain/ids.js';
import type { Captured } from '../../domain/marketplace/captured.js';
import type { PaymentProvider } from '../../domain/marketplace/marketplace.js';
import type { PaymentStatus } from '../../domain/marketplace/marketplace-status.js';
import type { CaptureMethod, PassedOn } from '../../domain/marketplace/payment-capture.js';
import type { Holdable } from '../calls/holds.js';
import { saidGivenBack } from '../money-that-leaves/given-back.js';
import type { Query } from '../transition.js';
import { lockOrderOf } from './seller-shares.js';

export interface LockedPayment extends Holdable {
  id: PaymentId;
  order_id: OrderId;
  amount: string;
  currency: string;
  status: PaymentStatus;
  provider_status: string | null;
  certainty: Certainty;
  idempotency_key: string;
  provider: PaymentProvider;
  taken_elsewhere: boolean;
  hyperswitch_payment_id: string | null;
  connector_transaction_id: string | null;
  refusal: string | null;
  captured: string;
  captured_known: boolean;
  cancel_asked_at: Date | null;
  cancel_asked_by: 'expiry' | 'decision' | 'request' | null;
  cancel_certainty: Certainty;
  cancel_attempts: number;
  written_off_at: Date | null;
  provider_final: boolean;
  attention_reason: AttentionReason | null;
  /** The refund by which two persons have said that the buyer has the money. */
  said_given_back: RefundId | null;
  capture_method: CaptureMethod;
  profile_id: string | null;
  passed_on: PassedOn;
  /** Nothing more is to be captured of it. */
  captures_closed_at: Date | null;
  /** The part that paid the order. */
  accepted: string | null;
  /** For how long the buyer's money has been held; null: it is not. */
  held_money_ms: number | null;
  age_ms: number;
}

const COLUMNS = `id, order_id, amount, currency, status, provider_status, certainty, idempotency_key, provider, taken_elsewhere, hyperswitch_payment_id, connector_transaction_id,
  refusal, captured, captured_known, cancel_asked_at, cancel_asked_by, cancel_certainty, cancel_attempts, written_off_at, provider_final, attention_reason, runner,
  capture_method, profile_id, passed_on, captures_closed_at, accepted,
  (extract(epoch FROM clock_now() - authorized_at) * 1000)::float8 AS held_money_ms,
  ${saidGivenBack('payments.id')} AS said_given_back,
  (extract(epoch FROM runner_until - clock_now()) * 1000)::float8 AS held_ms,
  (extract(epoch FROM clock_now() - created_at) * 1000)::float8 AS age_ms`;

export const capturedIn = (row: Pick<LockedPayment, 'captured' | 'captured_known'>): Captured => ({
  surely: BigInt(row.captured),
  known: row.captured_known,
});

export const isOpen = (status: PaymentStatus): boolean => status === 'pending' || status === 'processing';

/** Order first, then the payment: the order of all locks. */
export async function lockWithOrder(query: Query, id: PaymentId): Promise<LockedPayment> {
  await lockOrderOf(query, 'payments', id);
  return await lockPayment(query, id);
}

export async function lockPayment(query: Query, id: PaymentId): Promise<LockedPayment> {
  const [row] = await query<LockedPayment & { [column: string]: unknown }>(
    `SELECT ${COLUMNS} FROM payments WHERE id = $1 FOR UPDATE`,
    [id],
  );
  if (!row) throw new Error(`payment ${id} is not in the ledger`);
  return row;
}
