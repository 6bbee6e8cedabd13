import type { OrderId, ReversalId, TransferId } from '../ids.js';
import { minorUnits } from './reversal-answer.js';

/** Of one seller and one currency, what refunds and disputes took of him, and what of that he owes still. */
export interface SellerBalance {
  readonly currency: string;
  /** Still to be taken back, in whatever way. */
  readonly owed: bigint;
  /** Of that, kept of his next transfers, because a person said so. */
  readonly toOffset: bigint;
  /** Of that, kept of transfers that are on their way to him. */
  readonly onItsWay: bigint;
  /** Kept of transfers that he has. */
  readonly offset: bigint;
  /** Taken back at Stripe. */
  readonly taken: bigint;
  readonly givenUp: bigint;
}

export interface SellerStoryLine {
  /** ISO 8601. */
  readonly at: string;
  /** As in the story of the reversal. */
  readonly what: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly reversal: ReversalId;
  readonly order: OrderId;
  /** That it takes back. */
  readonly transfer: TransferId;
  /** That it is kept of; null: of none. */
  readonly keptOf: TransferId | null;
}

export type SellerBalanceAnswer = {
  readonly currency: string;
  readonly owed: number;
  readonly to_offset: number;
  readonly on_its_way: number;
  readonly offset: number;
  readonly taken: number;
  readonly given_up: number;
};

export type SellerStoryAnswer = {
  readonly at: string;
  readonly what: string;
  readonly amount: number;
  readonly currency: string;
  readonly reversal_id: string;
  readonly order_id: string;
  readonly transfer_id: string;
  readonly offset_transfer_id: string | null;
};

export const balanceAnswer = (balance: SellerBalance): SellerBalanceAnswer => ({
  currency: balance.currency,
  owed: minorUnits(balance.owed),
  to_offset: minorUnits(balance.toOffset),
  on_its_way: minorUnits(balance.onItsWay),
  offset: minorUnits(balance.offset),
  taken: minorUnits(balance.taken),
  given_up: minorUnits(balance.givenUp),
});

export const storyAnswer = (line: SellerStoryLine): SellerStoryAnswer => ({
  at: line.at,
  what: line.what,
  amount: minorUnits(line.amount),
  currency: line.currency,
  reversal_id: line.reversal,
  order_id: line.order,
  transfer_id: line.transfer,
  offset_transfer_id: line.keptOf,
});
