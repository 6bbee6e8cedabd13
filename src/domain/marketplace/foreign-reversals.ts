import { assertNever } from '../assert-never.js';
import { isLive, type ReversalFacts, type TransferWithReversals } from '../calls/provider-answers.js';
import type { ForeignAction } from '../decisions/decisions.js';
import { smaller } from '../money.js';
import { markOfReversal } from './ours-at-stripe.js';

/** What the ledger knows of one transfer's reversals at Stripe. */
export interface Accounted {
  /** Of our reversals: what we write into `metadata[operation_id]`. */
  readonly operationIds: readonly string[];
  /** Of those that are ours without our mark, because a person adopted them. */
  readonly stripeIds: readonly string[];
  readonly decided: DecidedOfOthers;
}

/** Of others' reversals, by their ids at Stripe, how much persons have decided about; digits. */
export type DecidedOfOthers = Readonly<Record<string, string>>;

/** One that carries no mark of ours, with its amount in digits of minor units. */
export interface OthersReversal {
  readonly id: string;
  readonly amount: string;
  /** Left out by who knows only that it is the transfer's. */
  readonly currency?: string;
}

export const notedOf = ({ stripeReversalId, amount, currency }: ReversalFacts): OthersReversal => ({
  id: stripeReversalId,
  amount: `${amount}`,
  currency,
});

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

export function takenByOthers(
  { transfer, reversals }: TransferWithReversals,
  { operationIds, stripeIds }: Pick<Accounted, 'operationIds' | 'stripeIds'>,
): TakenByOthers {
  const live = reversals.filter(isLive);
  const foreign = live.filter(
    (one) => !stripeIds.includes(one.stripeReversalId) && !operationIds.includes(markOfReversal(one) ?? ''),
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

/** One of them as a decision knows it. */
export interface ForeignReversal {
  readonly id: string;
  readonly amount: bigint;
  /** Surely taken. */
  readonly settled: boolean;
}

/** What nobody has decided about yet. */
export function undecidedOf({ id, amount }: Pick<ForeignReversal, 'id' | 'amount'>, decided: DecidedOfOthers): bigint {
  const left = amount - BigInt(decided[id] ?? 0);
  return left > 0n ? left : 0n;
}

export interface ShareInQuestion {
  readonly amount: bigint;
  /** Surely nothing was moved under its present key. */
  readonly unsent: boolean;
  /** Of what others took, what stands for it already. */
  readonly counted: bigint;
  /** Of what others took, what stands for other shares of the transfer already. */
  readonly countedElsewhere: bigint;
}

/** What others took: all of it, and how much of it nobody has decided about. */
export interface OthersOfShare {
  readonly reversals: readonly ForeignReversal[];
  readonly decided: DecidedOfOthers;
  readonly left: bigint;
}

export type SharePlan = {
  readonly counted: bigint;
  /** Which of others' reversals it decides about, and how much of each. */
  readonly decides: ReadonlyMap<string, bigint>;
};

/**
 * How much of the share somebody else's reversals stand for; the rest is taken. Only what was surely taken is counted, once,
 * and never more is taken than is left. To count a share decides about so much; to take what is missing, or all, about all.
 */
export function planShare(
  action: ForeignAction,
  { amount, unsent, counted, countedElsewhere }: ShareInQuestion,
  { reversals, decided, left }: OthersOfShare,
): SharePlan | { readonly refuse: string } {
  const open = reversals.map((one) => ({ ...one, undecided: undecidedOf(one, decided) }));
  const settled = open.filter((one) => one.settled);
  const sum = (of: readonly bigint[]) => of.reduce((total, one) => total + one, 0n);
  // What was counted before ids were kept is in no list, only in the sum.
  const unused = sum(settled.map((one) => one.amount)) - countedElsewhere;
  const known = counted + sum(settled.map((one) => one.undecided));
  const free = unused < 0n ? 0n : smaller(unused, known);
  const missing = amount - free;
  const fits = fitting({ amount, free, missing, left });
  const all = new Map(open.map(({ id, undecided }) => [id, undecided]));
  switch (action) {
    case 'count_as_share':
      if (!unsent) return { refuse: UNDECIDED };
      return free >= amount
        ? { counted: amount, decides: firstOf(settled, amount - counted) }
        : { refuse: `others took ${free} that stand for no other share, less than the ${amount}: ${fits}` };
    case 'take_missing': {
      if (!unsent) return { refuse: UNDECIDED };
      if (free === 0n) return { refuse: `others took nothing that could stand for a part of it: ${fits}` };
      if (missing <= 0n) return { refuse: `nothing is missing of the ${amount}: ${fits}` };
      return missing <= left
        ? { counted: free, decides: all }
        : { refuse: `${missing} are missing and only ${left} are left: ${fits}` };
    }
    case 'take_all':
      if (!unsent && counted > 0n) return { refuse: UNDECIDED };
      return amount <= left
        ? { counted: 0n, decides: all }
        : { refuse: `only ${left} are left of the transfer, less than the ${amount}: ${fits}` };
    default:
      return assertNever(action);
  }
}

interface Room {
  readonly amount: bigint;
  readonly free: bigint;
  readonly missing: bigint;
  readonly left: bigint;
}

/** What an operator who was refused may say instead. */
function fitting({ amount, free, missing, left }: Room): ForeignAction | 'write_off' {
  if (missing <= 0n) return 'count_as_share';
  if (free > 0n && missing <= left) return 'take_missing';
  return amount <= left ? 'take_all' : 'write_off';
}

const UNDECIDED =
  'an earlier call may still be carried out, so its amount and key stay: Stripe is asked every hour, and what it has done ends the share by itself; 25 hours after it was first sent every answer is open again. Where nothing is counted yet, take_all repeats it now under the same key';

function firstOf(open: readonly { readonly id: string; readonly undecided: bigint }[], amount: bigint) {
  const parts = new Map<string, bigint>();
  let left = amount;
  for (const { id, undecided } of open) {
    const part = smaller(left, undecided);
    parts.set(id, part);
    left -= part;
  }
  return parts;
}
