import type { Certainty } from '../calls/certainty.js';
import type { Attention } from '../decisions/attention.js';
import type { Reversal, SellerSide } from './marketplace.js';
import type { ReversalStatus } from './marketplace-status.js';
import type { Debt } from './offsets.js';

export type ReversalAnswer = {
  readonly id: string;
  /** What it is taken back for: one of these two. */
  readonly refund_id: string | null;
  readonly dispute_id: string | null;
  readonly transfer_id: string;
  readonly order_id: string;
  readonly seller_account: string;
  readonly amount: number;
  /** Of the amount, what somebody else's reversal at Stripe stands for; ours took the rest, if there is any. */
  readonly counted: number;
  readonly currency: string;
  readonly status: ReversalStatus;
  readonly certainty: Certainty;
  readonly retry_count: number;
  readonly next_retry_at: string | null;
  readonly stripe_transfer_id: string | null;
  readonly stripe_reversal_id: string | null;
  /** The seller owes it, and it is kept of his next transfers; null: it is asked of Stripe. */
  readonly debt: { readonly since: string; readonly state: Debt['state']; readonly transfer_id: string | null } | null;
  /** What it takes at Stripe, where its transfer was sent in another currency; null: the amount itself. */
  readonly conversion: ConversionAnswer | null;
  /** What it was for its seller, where his balance has another currency than the transfer; null: it has not, or that was not read yet. */
  readonly seller: SellerSideAnswer | null;
  readonly attention: AttentionAnswer | null;
  readonly workflow_id: string | null;
  readonly created_at: string;
};

export type ConversionAnswer = { readonly currency: string; readonly amount: number };

/** `difference`: what was taken of his balance beyond what this part had brought him; below 0: less was. */
export type SellerSideAnswer = {
  readonly currency: string;
  readonly got: number;
  readonly gave: number;
  readonly difference: number;
};

export type AttentionAnswer = { readonly [Member in keyof Attention]: Attention[Member] };

export const reversalAnswer = (reversal: Reversal): ReversalAnswer => ({
  id: reversal.id,
  refund_id: reversal.refundId,
  dispute_id: reversal.disputeId,
  transfer_id: reversal.transferId,
  order_id: reversal.orderId,
  seller_account: reversal.sellerAccount,
  amount: minorUnits(reversal.amount),
  counted: minorUnits(reversal.counted),
  currency: reversal.currency,
  status: reversal.status,
  certainty: reversal.certainty,
  retry_count: reversal.retryCount,
  next_retry_at: reversal.nextRetryAt,
  stripe_transfer_id: reversal.stripeTransferId,
  stripe_reversal_id: reversal.stripeReversalId,
  debt: reversal.debt && {
    since: reversal.debt.since,
    state: reversal.debt.state,
    transfer_id: reversal.debt.transferId,
  },
  conversion: reversal.conversion && {
    currency: reversal.conversion.currency,
    amount: minorUnits(reversal.conversion.amount),
  },
  seller: reversal.seller && sellerSide(reversal.seller),
  attention: reversal.attention,
  workflow_id: reversal.workflowId,
  created_at: reversal.createdAt,
});

const sellerSide = ({ currency, got, gave }: SellerSide): SellerSideAnswer => ({
  currency,
  got: minorUnits(got),
  gave: minorUnits(gave),
  difference: minorUnits(gave - got),
});

/** @throws RangeError rather than tell another amount than the ledger holds; whatever comes in is checked to fit */
export function minorUnits(amount: bigint): number {
  const number = Number(amount);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${amount} cannot be written as a JSON integer exactly`);
  return number;
}
