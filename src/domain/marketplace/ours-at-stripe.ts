import { isLive, type ReversalFacts, type TransferFacts } from '../calls/provider-answers.js';
import type { Reversal, SellerTransfer } from './marketplace.js';
import { moneyAtStripe, OrderMoney, type StripeMoney } from './stripe-money.js';

/**
 * What is ours at Stripe: told by the marks that we write into the metadata of transfers and reversals (their wire form is
 * TransferParams and ReversalParams), never by amounts, because two equal partial refunds are two.
 */

/** The id of the seller transfer that it bears; undefined: none, so it is not ours, or older than we are. */
export const markOfTransfer = ({ metadata }: Pick<TransferFacts, 'metadata'>): string | undefined =>
  metadata['seller_transfer_id'];

/** What it says of its order: our caller's reference, or the order's id. */
export const orderMarkOf = ({ metadata }: Pick<TransferFacts, 'metadata'>): string | undefined => metadata['order_id'];

/** The id of the reversal that it bears. */
export const markOfReversal = ({ metadata }: Pick<ReversalFacts, 'metadata'>): string | undefined =>
  metadata['operation_id'];

/** Whether it was made under this key of that reversal. */
export const isOfGeneration = (
  { metadata }: Pick<ReversalFacts, 'metadata'>,
  generation: number | undefined,
): boolean => metadata['generation'] === String(generation);

export const transfersOf = <Facts extends Pick<TransferFacts, 'metadata'>>(
  id: string,
  members: readonly Facts[],
): readonly Facts[] => members.filter((one) => markOfTransfer(one) === id);

/** Whatever became of them: a failed or canceled one took nothing. */
export const reversalsOf = (id: string, reversals: readonly ReversalFacts[]): readonly ReversalFacts[] =>
  reversals.filter((one) => markOfReversal(one) === id);

/** The one that takes this share, or may still. */
export const liveReversalOf = (id: string, reversals: readonly ReversalFacts[]): ReversalFacts | undefined =>
  reversalsOf(id, reversals).find(isLive);

export const transferAtStripe = ({
  amount,
  currency,
  conversion,
}: Pick<SellerTransfer, 'amount' | 'currency' | 'conversion'>): StripeMoney =>
  moneyAtStripe(new OrderMoney(amount, currency), conversion);

export const reversalAtStripe = ({
  amount,
  counted,
  currency,
  conversion,
}: Pick<Reversal, 'amount' | 'counted' | 'currency' | 'conversion'>): StripeMoney =>
  moneyAtStripe(new OrderMoney(amount - counted, currency), conversion);

/** Whether it moves this money to this seller; currencies in upper case. */
export const isTransferOf = (
  found: Pick<TransferFacts, 'amount' | 'currency' | 'destination'>,
  { money, sellerAccount }: { readonly money: StripeMoney; readonly sellerAccount: string },
): boolean => isMoney(found, money) && found.destination === sellerAccount;

/** The currency before the amount: amounts of different ones are never compared. */
export const isMoney = (
  found: { readonly amount: bigint; readonly currency: string },
  { amount, currency }: StripeMoney,
): boolean => found.currency === currency && found.amount === amount;

/** As far as Postgres' clock and Stripe's may be apart: further, and a transfer of ours would be taken for absent. */
const CLOCKS_APART_MS = 24 * 3_600_000;

/** Since when a transfer of ours can have been made at Stripe. @param createdAt of its row; ISO 8601 */
export const madeSince = (createdAt: string): Date => new Date(Date.parse(createdAt) - CLOCKS_APART_MS);
