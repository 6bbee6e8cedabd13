import type { BackfillId, OrderId, TransferId } from '../../domain/ids.js';

/** One line of `makegood import-transfers`. */
export interface HistoricalTransfer {
  /** The order's id at the time; Stripe's metadata[order_id]. */
  readonly order: string;
  readonly currency: string;
  /** What the buyer paid for the whole order. */
  readonly paid: bigint;
  readonly hyperswitchPaymentId: string;
  readonly sellerAccount: string;
  readonly amount: bigint;
  readonly stripeTransferId: string | null;
  /** ISO 8601 */
  readonly createdAt: string;
}

export type ImportOutcome =
  | { readonly kind: 'imported' | 'same'; readonly transferId: TransferId; readonly orderId: OrderId }
  | { readonly kind: 'conflict'; readonly detail: string };

export interface Backfill {
  readonly id: BackfillId;
  readonly apply: boolean;
  readonly since: string | null;
  readonly destination: string | null;
  readonly requestedBy: string;
  readonly state: 'running' | 'finished';
}

/** `running`: another one is at work, and two would report each other's findings as taken; nothing was started. */
export type BackfillStart = { readonly kind: 'started' | 'running'; readonly id: BackfillId };

export interface BackfillResult {
  readonly backfillId: BackfillId;
  readonly transferId: TransferId;
  readonly outcome: 'matched' | 'written' | 'not_found' | 'ambiguous' | 'mismatch' | 'taken';
  readonly stripeTransferId: string | null;
  readonly candidates: readonly string[];
  readonly detail: string;
}
