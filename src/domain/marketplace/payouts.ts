import type { PayoutFacts } from '../calls/payout-answers.js';
import type { Attention } from '../decisions/attention.js';
import type { TransferId } from '../ids.js';

/**
 * How much of a payout's contents is known. `unread`: not yet. `listed`: all of it. `not_told`: Stripe does not say. `unreadable`: Stripe
 * does not let us read the seller's account any more.
 */
export const PAYOUT_CONTENTS = ['unread', 'listed', 'not_told', 'unreadable'] as const;
export type PayoutContentsState = (typeof PAYOUT_CONTENTS)[number];

export const PAYOUT_STATUSES = ['pending', 'in_transit', 'paid', 'canceled', 'failed'] as const;
export type PayoutStatus = PayoutFacts['status'];

/** What Stripe sent from a seller's balance to his bank; times are ISO 8601. */
export interface Payout {
  readonly id: string;
  /** Ours, by which messages to people name it. */
  readonly ownId: string;
  readonly sellerAccount: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly status: PayoutStatus;
  readonly arrivalAt: string | null;
  readonly failureCode: string | null;
  readonly automatic: boolean | null;
  readonly contents: PayoutContentsState;
  readonly contentsDetail: string | null;
  readonly transfers: readonly PaidOut[];
  /** Payments to the seller in it that are no transfers of ours. */
  readonly others: number;
  readonly nextCheckAt: string | null;
  readonly attention: Attention | null;
  readonly failureEnded: 'paid_later' | 'dismissed' | null;
  readonly createdAt: string;
}

/** One transfer in a payout, as the seller got it. */
export interface PaidOut {
  /** Null: not in the ledger. */
  readonly transferId: TransferId | null;
  readonly stripeTransferId: string;
  readonly amount: bigint;
  readonly currency: string;
}

/** The payout that a transfer reached the seller's bank with. */
export interface PayoutOfTransfer {
  readonly id: string;
  readonly status: PayoutStatus;
  readonly arrivalAt: string | null;
}

/** What a person is told where a payout failed. */
export const payoutFailedInWords = (code: string | null): string =>
  `the bank of this seller did not take the payout (${code ?? 'Stripe names no reason'}): the money is back in his balance at Stripe, and nothing goes to his bank until he has mended his bank account there; ask him to`;

/** Stripe finishes its list within hours; after this it is not waited for any more. */
export const LIST_HORIZON_DAYS = 30;
/** An account that refuses us so long is not asked again by itself. */
export const REFUSAL_HORIZON_DAYS = 3;
/** So long after its arrival a payout that was paid may still fail, by Stripe's own words five business days. */
export const MAY_FAIL_DAYS = 7;
