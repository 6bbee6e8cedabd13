import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { DisputeId, OrderId, PaymentId } from '../../domain/ids.js';
import type { DisputeFunds, DisputeStatus } from '../../domain/marketplace/disputes.js';
import type { Dispute } from '../../domain/marketplace/marketplace.js';
import { toAttention } from '../marketplace/marketplace-rows.js';

/** A dispute as pg returns it. */
export interface DisputeRow {
  id: DisputeId;
  order_id: OrderId;
  payment_id: PaymentId;
  amount: string;
  currency: string;
  status: DisputeStatus;
  funds: DisputeFunds;
  out: string;
  borne: string;
  psp_account: string;
  provider_dispute_id: string;
  hyperswitch_dispute_id: string | null;
  named_by: Dispute['namedBy'];
  provider_status: string | null;
  reason: string | null;
  attention_reason: AttentionReason | null;
  attention_since: Date | null;
  attention_detail: string | null;
  workflow_id: string | null;
  created_at: Date;
}

/**
 * The most that a decision about a dispute can move or give up, of disputes `d`, their payments `p` and orders `o`. What moves is in the
 * currency of the order: of a dispute in another one it is all that can be out of the order.
 */
export const AT_STAKE = {
  amount: 'CASE WHEN d.currency = o.currency THEN d.amount ELSE p.captured END',
  currency: 'o.currency',
} as const;

const outOf = (which: string): string =>
  `coalesce((SELECT sum(w.amount) FROM dispute_withdrawals w WHERE w.dispute_id = d.id AND w.back_at IS NULL${which}), 0)`;

/** Of `disputes d`. */
export const SELECT_DISPUTES = `SELECT d.id, d.order_id, d.payment_id, d.amount, d.currency, d.status, d.funds, d.psp_account,
    d.provider_dispute_id, d.hyperswitch_dispute_id, d.named_by, d.provider_status, d.reason, d.attention_reason, d.attention_since,
    d.attention_detail, d.workflow_id, d.created_at, ${outOf('')} AS out, ${outOf(' AND w.platform_bears')} AS borne
  FROM disputes d`;

export const toDispute = (row: DisputeRow): Dispute => ({
  id: row.id,
  orderId: row.order_id,
  paymentId: row.payment_id,
  amount: BigInt(row.amount),
  currency: row.currency,
  status: row.status,
  funds: row.funds,
  out: BigInt(row.out),
  borneByPlatform: BigInt(row.borne),
  connector: row.psp_account,
  providerDisputeId: row.provider_dispute_id,
  hyperswitchDisputeId: row.hyperswitch_dispute_id,
  namedBy: row.named_by,
  providerStatus: row.provider_status,
  reason: row.reason,
  attention: toAttention(row),
  workflowId: row.workflow_id,
  createdAt: row.created_at.toISOString(),
});
