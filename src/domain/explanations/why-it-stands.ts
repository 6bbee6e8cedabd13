import type { DecidableKind } from '../decisions/decisions.js';
import type { DisputeStatus } from '../marketplace/disputes.js';
import type {
  OrderStatus,
  PaymentStatus,
  RefundStatus,
  ReversalStatus,
  TransferStatus,
} from '../marketplace/marketplace-status.js';
import type { SettlementStatus } from '../settlements/settlement-status.js';

interface StatusOf {
  readonly settlement: SettlementStatus;
  readonly order: OrderStatus;
  readonly payment: PaymentStatus;
  readonly refund: RefundStatus;
  readonly transfer: TransferStatus;
  readonly reversal: ReversalStatus;
  readonly dispute: DisputeStatus;
}

export type ExplainedKind = keyof StatusOf;

/** What each status means, for whoever reads it for the first time; why a person is asked stands beside it. */
const WHY: { readonly [Kind in ExplainedKind]: Readonly<Record<StatusOf[Kind], string>> } = {
  settlement: {
    open: 'the paid response is being served',
    pending: 'the response was served and its charge waits to be collected',
    settled: 'the charge is collected',
    released: 'the response ended without anything to charge',
    needs_attention: 'the charge cannot be collected without a person',
    written_off: 'a person has given the charge up',
  },
  order: {
    pending: 'the buyer has not paid it yet',
    paid: 'the buyer has paid it',
    partially_refunded: 'the buyer has paid it and got a part back',
    refunded: 'the buyer has paid it and got everything back',
    payment_failed: 'its payment has ended without the money',
  },
  payment: {
    pending: 'the buyer has not paid yet, or its provider has not said so',
    processing: 'its provider has the payment and has not called it final',
    succeeded: 'its provider calls it succeeded, which is for good',
    failed: 'its provider calls it failed',
    cancelled: 'it was cancelled, because nobody paid in time or somebody called it off',
  },
  refund: {
    pending: 'its provider has not called it final',
    review: 'its provider reviews it by hand',
    succeeded: 'its provider calls it succeeded: the buyer is finished',
    failed: 'its provider calls it failed',
  },
  transfer: {
    pending: "the seller's share is due and has not been sent",
    held: 'it waits for its release, or for the end of a dispute or refund of its order',
    waiting_platform_balance: 'our available balance at Stripe is too low for it',
    waiting_seller: 'the seller cannot receive money at Stripe yet',
    failed: 'an attempt has failed, and it is tried again',
    cancelled: 'what was given back left nothing of it to send',
    completed: 'Stripe has it: the seller is paid',
    reversal_pending: 'a share of it is being taken back from the seller',
    partially_reversed: 'a part of it was taken back from the seller',
    reversed: 'all of it was taken back from the seller',
    permanently_failed: 'it could not be sent, or a share of it could not be taken back',
  },
  reversal: {
    pending: "the seller's share of what the buyer got back is due",
    waiting_balance: "the seller's balance at Stripe is too low for it",
    reversed: "the seller's share was taken back",
    permanently_failed: 'it could not be taken back',
    written_off: 'it was given up: by a person, or because its cause holds no more',
  },
  dispute: {
    inquiry: "the buyer's bank asks, and takes nothing for that",
    open: 'the bank has not decided',
    won: 'the bank has decided for us; what its funds did decides what follows',
    lost: 'the bank has decided for the buyer; what its funds did decides what follows',
    cancelled: 'it ended without a judgement',
  },
};

/** @param status one of the kind's own */
export function whyItStands(kind: DecidableKind | 'order', status: string): string {
  const words: Readonly<Record<string, string>> = WHY[kind];
  const why = Object.hasOwn(words, status) ? words[status] : undefined;
  if (why === undefined) throw new Error(`${kind} has no status ${status}`);
  return why;
}
