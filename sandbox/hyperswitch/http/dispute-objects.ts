import type { StripeStatus } from '../connector/stripe-status.js';
import { CONNECTOR, CONNECTOR_ACCOUNT, type Fields, iso, type Owner } from './objects.js';

export const DISPUTE_STATUSES = [
  'dispute_opened',
  'dispute_expired',
  'dispute_accepted',
  'dispute_cancelled',
  'dispute_challenged',
  'dispute_won',
  'dispute_lost',
] as const;
export type DisputeStatus = (typeof DISPUTE_STATUSES)[number];

export const DISPUTE_STAGES = ['pre_dispute', 'dispute', 'pre_arbitration', 'arbitration', 'dispute_reversal'] as const;
export type DisputeStage = (typeof DISPUTE_STAGES)[number];

/** Amounts are whole minor units; on the wire they are text. */
export interface Dispute {
  readonly id: string;
  readonly owner: Owner;
  readonly paymentId: string;
  readonly attemptId: string;
  readonly amount: number;
  readonly currency: string;
  /** Null: Hyperswitch has heard nothing of it yet, and shows it nowhere. */
  readonly status: DisputeStatus | null;
  readonly stage: DisputeStage;
  /** As its connector words it. */
  readonly connectorStatus: string;
  readonly connectorDisputeId: string;
  readonly reason: string;
  readonly challengeByMs: number;
  /** When Hyperswitch first heard of it. */
  readonly createdMs: number;
  readonly updatedMs: number;
  /** What is known at Stripe, whatever Hyperswitch heard of it. */
  readonly atStripe: {
    readonly status: StripeStatus;
    readonly openedAs: StripeStatus;
    readonly openedMs: number;
    /** How often its funds have moved at the linked Stripe. */
    readonly bookings: number;
    /** At an account that is not the linked one. */
    readonly elsewhere: boolean;
  };
}
/** One that Hyperswitch has heard of. */
export type HeardDispute = Dispute & { readonly status: DisputeStatus };

export const isHeard = (dispute: Dispute): dispute is HeardDispute => dispute.status !== null;

/** DisputeResponsePaymentsRetrieve of the API document: what a payment shows of its disputes, their amount not. */
export const disputeOfPayment = (dispute: HeardDispute): Fields => ({
  dispute_id: dispute.id,
  dispute_stage: dispute.stage,
  dispute_status: dispute.status,
  connector_status: dispute.connectorStatus,
  connector_dispute_id: dispute.connectorDisputeId,
  connector_reason: dispute.reason,
  connector_reason_code: null,
  challenge_required_by: iso(dispute.challengeByMs),
  connector_created_at: iso(dispute.atStripe.openedMs),
  // Stripe's connector never says when.
  connector_updated_at: null,
  created_at: iso(dispute.createdMs),
});

/** DisputeResponse of the API document. */
export const disputeBody = (dispute: HeardDispute): Fields => ({
  ...disputeOfPayment(dispute),
  payment_id: dispute.paymentId,
  attempt_id: dispute.attemptId,
  amount: String(dispute.amount),
  currency: dispute.currency,
  connector: CONNECTOR,
  profile_id: dispute.owner.profileId,
  merchant_connector_id: CONNECTOR_ACCOUNT,
});
