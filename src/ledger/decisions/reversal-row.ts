import type { AtStake } from '../../domain/decisions/approval-threshold.js';
import { inWords } from '../../domain/decisions/decisions.js';
import type { ReversalId } from '../../domain/ids.js';
import { type DecidedOfOthers, type ForeignReversal, undecidedOf } from '../../domain/marketplace/foreign-reversals.js';
import {
  type ConvertedTransfer,
  MixedCurrencies,
  OrderMoney,
  StripeMoney,
  shareFor,
} from '../../domain/marketplace/stripe-money.js';
import { larger } from '../../domain/money.js';
import { inMinorUnits, type Said } from './decidable.js';
import type { DecidableCall } from './decide-stripe-call.js';
import type { Verification } from './decision-types.js';

/** What decisions about a reversal read of it. */
export type ReversalRow = DecidableCall & {
  readonly id: ReversalId;
  /** What others took of its transfer and stands for other shares of it. */
  readonly counted_elsewhere: string;
  /** What other reversals of its transfer are going to ask Stripe for. */
  readonly about_to_take: string;
  readonly counted: string;
  /** Of its transfer where that was sent in another currency: the share that was sent, and what it was there. */
  readonly transfer_share: string;
  readonly transfer_currency: string | null;
  readonly transfer_sent: string | null;
  /** Of its transfer, something was counted by sum alone: nobody knows which of others' reversals that was. */
  readonly counted_without_id: boolean;
  readonly decided_of_others: DecidedOfOthers;
  /** Which reversals of others the person was told of; null: that was not kept. */
  readonly others_shown: readonly string[] | null;
  /** The seller owes it. */
  readonly owed: boolean;
  /** For how long an attempt still has it. */
  readonly held_ms: number | null;
};

/** Why nothing is decided: others took more than the person was told of. */
export function unseenOf(row: ReversalRow, reversals: readonly ForeignReversal[]): string | undefined {
  const unseen = reversals.filter(
    (one) => row.others_shown?.includes(one.id) === false && undecidedOf(one, row.decided_of_others) > 0n,
  );
  return unseen.length === 0
    ? undefined
    : `others took more since it was asked: ${inWords(unseen.map(({ id, amount }) => `${id} (${amount})`))}; retry looks again, and asks about all`;
}

export const foreignOf = ({ reversals }: Extract<Verification, { kind: 'taken_by_others' }>) =>
  reversals.map((one) => ({ ...one, amount: BigInt(one.amount) }));

/** Whoever goes on beside what others took says of all of it that it was for something else, or for this. */
export function atStake(row: ReversalRow, { verified }: Said): AtStake {
  const itself = inMinorUnits(row);
  if (verified.kind !== 'taken_by_others') return itself;
  const undecided = foreignOf(verified).reduce((sum, one) => sum + undecidedOf(one, row.decided_of_others), 0n);
  return { ...itself, amount: larger(itself.amount, asShare(row, verified, undecided)) };
}

/** What was read of its transfer at Stripe, in the currency of the share: the most of it that this covers. */
export function asShare(
  row: ReversalRow,
  { converted }: Pick<Extract<Verification, { kind: 'taken_by_others' }>, 'converted'>,
  amount: bigint,
): bigint {
  if (converted === undefined) return amount;
  const transfer = convertedTransfer(row);
  return shareFor(transfer, StripeMoney.read(amount, converted)).amount;
}

export function convertedTransfer(row: ReversalRow): ConvertedTransfer {
  const { transfer_share: share, transfer_currency: sentIn, transfer_sent: sent, currency } = row;
  if (sentIn === null || sent === null) throw new MixedCurrencies(currency, sentIn ?? 'none that was read');
  return { share: new OrderMoney(BigInt(share), currency), sent: StripeMoney.read(BigInt(sent), sentIn) };
}
