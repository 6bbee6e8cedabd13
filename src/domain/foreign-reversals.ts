import { assertNever } from './assert-never.js';
import { isLive, type ReversalFacts, type TransferWithReversals } from './provider-answers.js';

/** What the ledger knows of one transfer's reversals at Stripe. */
export interface Accounted {
  /** Of our reversals: what we write into `metadata[operation_id]`. */
  readonly operationIds: readonly string[];
  /** Of those that are ours without our mark, because a person adopted them. */
  readonly stripeIds: readonly string[];
  /** What others took that a person has decided about. */
  readonly decided: bigint;
}

/** What others than this ledger took of a transfer; minor units. */
export interface TakenByOthers {
  readonly reversals: readonly ReversalFacts[];
  /** Taken, or about to be. */
  readonly taken: bigint;
  /** Of it, surely taken. */
  readonly settled: bigint;
  /** Of the transfer, whoever took the rest. */
  readonly left: bigint;
}

/** By marks and ids, never by amounts: two equal reversals are two. */
export function takenByOthers(
  { transfer, reversals }: TransferWithReversals,
  { operationIds, stripeIds }: Pick<Accounted, 'operationIds' | 'stripeIds'>,
): TakenByOthers {
  const live = reversals.filter(isLive);
  const foreign = live.filter(
    ({ metadata, stripeReversalId }) =>
      !stripeIds.includes(stripeReversalId) && !operationIds.includes(metadata.operation_id ?? ''),
  );
  const sum = (of: readonly ReversalFacts[]) => of.reduce((total, { amount }) => total + amount, 0n);
  // A pending one may or may not be in the transfer's own sum.
  const gone = sum(live) > transfer.amountReversed ? sum(live) : transfer.amountReversed;
  return {
    reversals: foreign,
    taken: sum(foreign),
    settled: sum(foreign.filter(({ state }) => state === 'done')),
    left: gone > transfer.amount ? 0n : transfer.amount - gone,
  };
}

/** What a person can decide about a share of whose transfer somebody else took something. */
export type ForeignAction = 'count_as_share' | 'take_missing' | 'take_all';

export interface ShareInQuestion {
  readonly amount: bigint;
  /** Surely nothing was sent for it under its present key. */
  readonly unsent: boolean;
  /** Of what others took, what stands for other shares of the transfer already. */
  readonly countedElsewhere: bigint;
}

/**
 * How much of the share somebody else's reversals stand for; the rest is taken. Only what was surely taken is counted, once,
 * and never more is taken than is left.
 */
export function planShare(
  action: ForeignAction,
  { amount, unsent, countedElsewhere }: ShareInQuestion,
  { settled, left }: Pick<TakenByOthers, 'settled' | 'left'>,
): { readonly counted: bigint } | { readonly refuse: string } {
  const free = settled > countedElsewhere ? settled - countedElsewhere : 0n;
  switch (action) {
    case 'count_as_share':
      return free >= amount
        ? { counted: amount }
        : { refuse: `others took ${free} that stand for no other share, less than the ${amount}: take_missing` };
    case 'take_missing': {
      if (free === 0n) return { refuse: 'others took nothing that could stand for a part of it: take_all' };
      if (free >= amount) return { refuse: `nothing is missing of the ${amount}: count_as_share` };
      if (!unsent)
        return { refuse: 'an earlier call may still be carried out in full: take_all repeats it under the same key' };
      const missing = amount - free;
      return missing <= left ? { counted: free } : { refuse: `${missing} are missing and only ${left} are left` };
    }
    case 'take_all':
      return amount <= left
        ? { counted: 0n }
        : { refuse: `only ${left} are left of the transfer, less than the ${amount}: take_missing, or write_off` };
    default:
      return assertNever(action);
  }
}
