import type { PayoutFacts } from '../calls/provider-answers.js';
import type { TransferId } from '../ids.js';
import { type AttentionAnswer, minorUnits } from './reversal-answer.js';

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
  readonly attention: AttentionAnswer | null;
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

export type PayoutAnswer = {
  readonly id: string;
  readonly seller_account: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: PayoutStatus;
  readonly arrival_at: string | null;
  readonly failure_code: string | null;
  readonly automatic: boolean | null;
  readonly contents: { readonly state: PayoutContentsState; readonly detail: string; readonly others: number };
  readonly transfers: readonly {
    readonly id: string | null;
    readonly stripe_transfer_id: string;
    readonly amount: number;
    readonly currency: string;
  }[];
  readonly next_check_at: string | null;
  readonly attention: AttentionAnswer | null;
  readonly failure_ended: 'paid_later' | 'dismissed' | null;
  readonly created_at: string;
};

export type PayoutOfTransferAnswer = {
  readonly id: string;
  readonly status: PayoutStatus;
  readonly arrival_at: string | null;
};

export const payoutAnswer = (payout: Payout): PayoutAnswer => ({
  id: payout.id,
  seller_account: payout.sellerAccount,
  amount: minorUnits(payout.amount),
  currency: payout.currency,
  status: payout.status,
  arrival_at: payout.arrivalAt,
  failure_code: payout.failureCode,
  automatic: payout.automatic,
  contents: {
    state: payout.contents,
    detail: payout.contentsDetail ?? CONTENTS_IN_WORDS[payout.contents],
    others: payout.others,
  },
  transfers: payout.transfers.map(({ transferId, stripeTransferId, amount, currency }) => ({
    id: transferId,
    stripe_transfer_id: stripeTransferId,
    amount: minorUnits(amount),
    currency,
  })),
  next_check_at: payout.nextCheckAt,
  attention: payout.attention,
  failure_ended: payout.failureEnded,
  created_at: payout.createdAt,
});

export const payoutOfTransferAnswer = ({ id, status, arrivalAt }: PayoutOfTransfer): PayoutOfTransferAnswer => ({
  id,
  status,
  arrival_at: arrivalAt,
});

const CONTENTS_IN_WORDS: Readonly<Record<PayoutContentsState, string>> = {
  unread: 'not read yet',
  listed: 'every transfer in it is named',
  not_told: 'Stripe does not say',
  unreadable: 'Stripe does not let us read it',
};

/** What a person is told where a payout failed. */
export const payoutFailedInWords = (code: string | null): string =>
  `the bank of this seller did not take the payout (${code ?? 'Stripe names no reason'}): the money is back in his balance at Stripe, and nothing goes to his bank until he has mended his bank account there; ask him to`;

/** Stripe finishes its list within hours; after this it is not waited for any more. */
export const LIST_HORIZON_DAYS = 30;
/** An account that refuses us so long is not asked again by itself. */
export const REFUSAL_HORIZON_DAYS = 3;
/** So long after its arrival a payout that was paid may still fail, by Stripe's own words five business days. */
export const MAY_FAIL_DAYS = 7;
