import type { DisputeFunds, DisputeStatus } from './disputes.js';
import type { Dispute, Reversal } from './marketplace.js';
import { type AttentionAnswer, minorUnits, type ReversalAnswer, reversalAnswer } from './reversal-answer.js';

/** As outsiders see it, like the rest of the marketplace's money. */
export type DisputeAnswer = {
  readonly id: string;
  readonly order_id: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: DisputeStatus;
  readonly funds: DisputeFunds;
  /** Out now because of it; and of that, what DISPUTE_POLICY leaves with the platform so far. */
  readonly out: number;
  readonly borne_by_platform: number;
  readonly connector: string;
  readonly provider_dispute_id: string;
  readonly hyperswitch_dispute_id: string | null;
  readonly provider_status: string | null;
  readonly reason: string | null;
  readonly reversals: readonly ReversalAnswer[];
  readonly attention: AttentionAnswer | null;
  readonly workflow_id: string | null;
  readonly created_at: string;
};

/** @param reversals those that came of this dispute */
export const disputeAnswer = (dispute: Dispute, reversals: readonly Reversal[]): DisputeAnswer => ({
  id: dispute.id,
  order_id: dispute.orderId,
  amount: minorUnits(dispute.amount),
  currency: dispute.currency,
  status: dispute.status,
  funds: dispute.funds,
  out: minorUnits(dispute.out),
  borne_by_platform: minorUnits(dispute.borneByPlatform),
  connector: dispute.connector,
  provider_dispute_id: dispute.providerDisputeId,
  hyperswitch_dispute_id: dispute.hyperswitchDisputeId,
  provider_status: dispute.providerStatus,
  reason: dispute.reason,
  reversals: reversals.map(reversalAnswer),
  attention: dispute.attention,
  workflow_id: dispute.workflowId,
  created_at: dispute.createdAt,
});
