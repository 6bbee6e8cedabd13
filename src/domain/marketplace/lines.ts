import type { CauseId } from '../ids.js';
import { smaller } from '../money.js';
import { dueBack } from './shares.js';

/** What the lines of an order are worth to whom, and what a cause gives back of each. Amounts in minor units, integers only. */

export interface Line {
  /** From 1. */
  readonly position: number;
  /** Null: the platform's own. */
  readonly seller: string | null;
  readonly amount: bigint;
  /** Of the amount, what the platform keeps. */
  readonly fee: bigint;
}

/** Who bears the fee of what is given back: `keep`: the seller gives it back first, as far as what he got reaches. */
export const FEE_POLICIES = ['keep', 'return_proportionally'] as const;
export type FeePolicy = (typeof FEE_POLICIES)[number];

/** Of one line, or of what belongs to no line (position 0). */
export interface Part {
  readonly position: number;
  readonly amount: bigint;
  /** Of what the seller of the line got. */
  readonly fromSeller: bigint;
}

export interface Lines {
  readonly lines: readonly Line[];
  /** What the buyer paid; more than the lines come to is the platform's. */
  readonly paid: bigint;
  /** What the currency moves in: `amountStep`. */
  readonly step: bigint;
  /** Of every cause that stands, or may. */
  readonly taken: readonly Part[];
}

export interface Given {
  readonly position: number;
  readonly amount: bigint;
}

/** The seller's own part of a line. */
const netOf = ({ amount, fee }: Line): bigint => amount - fee;

/** The fee of so many basis points: rounded down to whole steps, in the seller's favour. */
export function feeOf(amount: bigint, basisPoints: bigint, step: bigint): bigint {
  const fee = (amount * basisPoints) / 10_000n;
  return fee - (fee % step);
}

/** What is left of every line to be given back; position 0 last. Never below 0. */
export function leftOf({ lines, paid, taken }: Lines): Given[] {
  const beside = paid - sum(lines.map(({ amount }) => amount));
  const whole = [...lines.map(({ position, amount }) => ({ position, amount })), { position: 0, amount: beside }];
  return whole.map(({ position, amount }) => {
    const left = amount - sum(taken.filter((part) => part.position === position).map((part) => part.amount));
    return { position, amount: left > 0n ? left : 0n };
  });
}

/**
 * An amount over what is left of these lines, in proportion. Whole steps, the largest remainders first; all that is left where the
 * amount reaches that far, and no more.
 */
export function spread(amount: bigint, left: readonly Given[], step: bigint): Given[] {
  const total = sum(left.map((one) => one.amount));
  if (amount >= total) return left.filter((one) => one.amount > 0n);
  const quotas = left.map((one) => {
    const exact = one.amount * amount;
    const whole = exact / total;
    return { ...one, given: whole - (whole % step), rest: exact - (whole - (whole % step)) * total };
  });
  let open = amount - sum(quotas.map(({ given }) => given));
  const byRest = quotas.toSorted((one, other) => (other.rest > one.rest ? 1 : other.rest < one.rest ? -1 : 0));
  for (const most of [step, amount]) {
    for (const one of byRest) {
      const more = smaller(smaller(open, most), one.amount - one.given);
      one.given += more;
      open -= more;
    }
  }
  return quotas.filter(({ given }) => given > 0n).map(({ position, given }) => ({ position, amount: given }));
}

/**
 * What the sellers bear of what is given back of each line. Proportional: by how much of the line is given back in all, rounded
 * down to whole steps, so that several parts of one line come to exactly its net when it is given back whole.
 */
export function borne(order: Lines, given: readonly Given[], policy: FeePolicy): Part[] {
  return given.map(({ position, amount }) => {
    const line = order.lines.find((one) => one.position === position);
    if (!line || line.seller === null) return { position, amount, fromSeller: 0n };
    const before = order.taken.filter((part) => part.position === position);
    const left = netOf(line) - sum(before.map(({ fromSeller }) => fromSeller));
    const all = sum(before.map((part) => part.amount)) + amount;
    const share = policy === 'keep' && all < line.amount ? amount - (amount % order.step) : undefined;
    const due = share ?? proportional(line, all, order.step) - (netOf(line) - left);
    return { position, amount, fromSeller: within(due, left) };
  });
}

function proportional(line: Line, back: bigint, step: bigint): bigint {
  if (back >= line.amount) return netOf(line);
  const share = (netOf(line) * back) / line.amount;
  return share - (share % step);
}

/** A fee that leaves with the amount, put onto the sellers of these parts in proportion, as far as what they got reaches. */
export function withFee(order: Lines, parts: readonly Part[], fee: bigint): Part[] {
  const room = parts.map(({ position, fromSeller }) => {
    const line = order.lines.find((one) => one.position === position);
    const taken = sum(order.taken.filter((part) => part.position === position).map((part) => part.fromSeller));
    return line === undefined || line.seller === null ? 0n : netOf(line) - taken - fromSeller;
  });
  const weights = parts.map(({ position, fromSeller }) => ({ position, amount: fromSeller }));
  // Only as much as is borne at all can be spread by it; what one seller has no room for stays with the platform.
  const extra = spreadByWeight(fee, weights, order.step);
  return parts.map((part, nth) => ({
    ...part,
    fromSeller: part.fromSeller + within(extra[nth] ?? 0n, room[nth] ?? 0n),
  }));
}

function spreadByWeight(amount: bigint, weights: readonly Given[], step: bigint): bigint[] {
  const total = sum(weights.map((one) => one.amount));
  return weights.map((one) => {
    const share = total === 0n ? 0n : (amount * one.amount) / total;
    return share - (share % step);
  });
}

/** How much of what each seller got the causes that stand take back: of no line more than its net. */
export function dueOfLines(lines: readonly Line[], standing: readonly Part[]): ReadonlyMap<string, bigint> {
  const due = new Map<string, bigint>();
  for (const line of lines) {
    if (line.seller === null) continue;
    const taken = sum(
      standing.filter(({ position }) => position === line.position).map(({ fromSeller }) => fromSeller),
    );
    due.set(line.seller, (due.get(line.seller) ?? 0n) + within(taken, netOf(line)));
  }
  return due;
}

export interface Before {
  /** What each transfer promised: a seller may have several of an imported order. */
  readonly promises: readonly { readonly seller: string; readonly promised: bigint }[];
  /** The oldest first, what stands before what may. */
  readonly causes: readonly { readonly id: CauseId; readonly amount: bigint }[];
}

/**
 * Parts for what was given back before lines counted: each cause took its share of every seller by `dueBack`, and its parts come
 * to exactly that, so that nobody owes or is owed a cent because lines count from now on.
 */
export function partsOfBefore(
  order: Omit<Lines, 'taken'>,
  { promises, causes }: Before,
): ReadonlyMap<CauseId, readonly Part[]> {
  const { lines, paid, step } = order;
  const parts = new Map<CauseId, readonly Part[]>();
  const taken: Part[] = [];
  let refunded = 0n;
  for (const { id, amount } of causes) {
    const after = smaller(paid, refunded + amount);
    const given = spread(after - refunded, leftOf({ ...order, taken }), step);
    const bornBy = (seller: string): bigint =>
      sum(
        promises
          .filter((one) => one.seller === seller)
          .map(
            ({ promised }) =>
              dueBack(promised, { paid, refunded: after, step }) - dueBack(promised, { paid, refunded, step }),
          ),
      );
    const sellers = [...new Set(promises.map(({ seller }) => seller))];
    const shares = sellers.flatMap((seller) =>
      ontoLines(
        bornBy(seller),
        lines.filter((one) => one.seller === seller),
        { given, taken, step },
      ),
    );
    const own = [...lines.map(({ position }) => position), 0]
      .map((position) => ({
        position,
        amount: given.find((one) => one.position === position)?.amount ?? 0n,
        fromSeller: shares.find((one) => one.position === position)?.amount ?? 0n,
      }))
      .filter((part) => part.amount > 0n || part.fromSeller > 0n);
    parts.set(id, own);
    taken.push(...own);
    refunded = after;
  }
  return parts;
}

/** Onto the lines of one seller: as what is given back of them, and what that has no room for wherever there is some. */
function ontoLines(
  share: bigint,
  lines: readonly Line[],
  { given, taken, step }: { readonly given: readonly Given[]; readonly taken: readonly Part[]; readonly step: bigint },
): Given[] {
  const weights = lines.map(
    ({ position }) => given.find((one) => one.position === position) ?? { position, amount: 0n },
  );
  const first = spreadByWeight(share, weights, step);
  let open = share;
  const rooms = lines.map((line) => {
    const used = sum(taken.filter(({ position }) => position === line.position).map(({ fromSeller }) => fromSeller));
    return { position: line.position, amount: 0n, room: netOf(line) - used };
  });
  for (const most of [first, lines.map(() => share)]) {
    for (const [nth, one] of rooms.entries()) {
      const more = smaller(smaller(open, most[nth] ?? 0n), one.room - one.amount);
      one.amount += more;
      open -= more;
    }
  }
  return rooms;
}

const within = (amount: bigint, most: bigint): bigint => (amount < 0n ? 0n : smaller(amount, most));
const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
