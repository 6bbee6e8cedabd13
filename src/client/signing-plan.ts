/** What a server says of a channel. It steers which provable amount is signed, and nothing else. */
interface Hints {
  readonly required?: bigint;
  readonly suggestedDeposit?: bigint;
}

/** All amounts are atomic units of the channel's token. */
export interface Situation {
  /** The highest amount the payer has provably signed or lost: own record, own signature shown back, settled on chain. */
  readonly base: bigint;
  /** The price of this request. */
  readonly amount: bigint;
  readonly hints: Hints;
  /** As read from chain, never as a server says. */
  readonly chain: { readonly deposit: bigint; readonly settled: bigint };
  readonly maxDeposit: bigint;
  /** A voucher for this request was refused, and no signature of ours explains why. */
  readonly alreadyRefusedOnce: boolean;
}

export type SigningPlan =
  | { readonly kind: 'sign'; readonly cumulative: bigint }
  /** The deposit falls short of `cumulative`; add `additional` and look at the chain again. */
  | { readonly kind: 'topUp'; readonly cumulative: bigint; readonly additional: bigint }
  | {
      readonly kind: 'refuse';
      readonly reason: 'hint_unprovable' | 'over_max_deposit';
      readonly cumulative: bigint;
    };

/**
 * Which cumulative amount to sign for one request. A voucher is money: whoever holds it may take all of it up to the
 * deposit, so at most one price is ever added to what is provably signed. Signing what a server asks for would let it name
 * the whole deposit.
 */
export function signingPlan(situation: Situation): SigningPlan {
  const { hints, chain, maxDeposit, amount } = situation;
  const base = highest(situation.base, chain.settled);
  const cumulative = provable(base, amount, hints.required) ?? base + amount;
  if (situation.alreadyRefusedOnce) return { kind: 'refuse', reason: 'hint_unprovable', cumulative };
  if (cumulative > maxDeposit) return { kind: 'refuse', reason: 'over_max_deposit', cumulative };
  if (cumulative <= chain.deposit) return { kind: 'sign', cumulative };
  const additional = bounded(hints.suggestedDeposit ?? 0n, cumulative - chain.deposit, maxDeposit - chain.deposit);
  return { kind: 'topUp', cumulative, additional };
}

/** A required amount within one price of the base: the exact sum that keeps both ledgers equal. */
function provable(base: bigint, amount: bigint, required: bigint | undefined): bigint | undefined {
  return required !== undefined && required > base && required <= base + amount ? required : undefined;
}

/**
 * What to put into a new channel: what the server suggests, at least one price, at most `maxDeposit`.
 * @returns undefined where one price is over `maxDeposit`
 */
export function openingDeposit(terms: {
  readonly amount: bigint;
  readonly suggestedDeposit?: bigint;
  readonly maxDeposit: bigint;
}): bigint | undefined {
  if (terms.amount > terms.maxDeposit) return undefined;
  return bounded(terms.suggestedDeposit ?? 0n, terms.amount, terms.maxDeposit);
}

export const highest = (first: bigint, ...others: readonly bigint[]): bigint =>
  others.reduce((most, one) => (one > most ? one : most), first);

const bounded = (wanted: bigint, least: bigint, most: bigint): bigint => {
  const raised = wanted > least ? wanted : least;
  return raised < most ? raised : most;
};
