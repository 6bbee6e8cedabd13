import type { Payout, PayoutContentsState, PayoutOfTransfer, PayoutStatus } from './payouts.js';
import { type AttentionAnswer, minorUnits } from './reversal-answer.js';

/** Payouts as outsiders see them, in the API and with `--json`. */
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
