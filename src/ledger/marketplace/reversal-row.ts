import type { Certainty } from '../../domain/calls/certainty.js';
import type { DisputeId, OrderId, RefundId, ReversalId, TransferId } from '../../domain/ids.js';
import type { Reversal } from '../../domain/marketplace/marketplace.js';
import type { ReversalStatus } from '../../domain/marketplace/marketplace-status.js';
import type { Debt } from '../../domain/marketplace/offsets.js';
import { conversionOfReversal, type ReversedMoney, sellerSide } from './conversions.js';
import { type AttentionColumns, toAttention } from './marketplace-rows.js';

/** A reversal as pg returns it. */
export interface ReversalRow extends AttentionColumns, ReversedMoney {
  id: ReversalId;
  refund_id: RefundId | null;
  dispute_id: DisputeId | null;
  transfer_id: TransferId;
  order_id: OrderId;
  seller_account: string;
  amount: string;
  counted: string;
  currency: string;
  status: ReversalStatus;
  certainty: Certainty;
  retry_count: number;
  next_retry_at: Date | null;
  /** Of its transfer. */
  stripe_transfer_id: string | null;
  stripe_reversal_id: string | null;
  debt_since: Date | null;
  offset_status: 'reserved' | 'moved' | null;
  offset_transfer: TransferId | null;
  workflow_id: string | null;
  created_at: Date;
}

const REVERSAL_COLUMNS = `v.id, v.refund_id, w.dispute_id, v.transfer_id, v.order_id, v.seller_account, v.amount, v.counted, v.currency, v.status,
  v.certainty, v.retry_count, v.next_retry_at, t.stripe_transfer_id, v.stripe_reversal_id, v.debt_since, k.status AS offset_status, k.transfer_id AS offset_transfer, v.attention_reason,
  v.attention_since, v.attention_detail, v.workflow_id, v.created_at, v.sent_amount, t.amount AS transfer_share,
  t.sent_currency AS transfer_currency, t.sent_amount AS transfer_sent, v.seller_currency, v.seller_got, v.seller_gave,
  CASE WHEN t.sent_amount IS NOT NULL THEN (SELECT ARRAY[b.share::text, b.taken::text] FROM taken_beside(v.transfer_id, v.id) b) END AS beside`;

export const SELECT_REVERSALS = `SELECT ${REVERSAL_COLUMNS} FROM reversals v JOIN seller_transfers t ON t.id = v.transfer_id
  LEFT JOIN dispute_withdrawals w ON w.id = v.withdrawal_id
  LEFT JOIN debt_offsets k ON k.reversal_id = v.id AND k.status <> 'reopened'`;

export const toReversal = (row: ReversalRow): Reversal => ({
  id: row.id,
  refundId: row.refund_id,
  disputeId: row.dispute_id,
  transferId: row.transfer_id,
  orderId: row.order_id,
  sellerAccount: row.seller_account,
  amount: BigInt(row.amount),
  counted: BigInt(row.counted),
  currency: row.currency,
  status: row.status,
  certainty: row.certainty,
  retryCount: row.retry_count,
  nextRetryAt: row.next_retry_at?.toISOString() ?? null,
  stripeTransferId: row.stripe_transfer_id,
  stripeReversalId: row.stripe_reversal_id,
  debt: toDebt(row),
  conversion: conversionOfReversal(row),
  seller: sellerSide(row),
  attention: toAttention(row),
  workflowId: row.workflow_id,
  createdAt: row.created_at.toISOString(),
});

const DEBT_STATES = { reserved: 'on_its_way', moved: 'taken' } as const;

function toDebt({ debt_since: since, offset_status: offset, offset_transfer: transferId }: ReversalRow): Debt | null {
  if (since === null) return null;
  return { since: since.toISOString(), state: offset === null ? 'open' : DEBT_STATES[offset], transferId };
}
