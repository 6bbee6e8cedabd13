import type { CauseId } from '../ids.js';
import { smaller } from '../money.js';
import { dueBack } from './shares.js';

/** What the lines of an order are worth to whom, and what causes give back of them. Amounts in minor units, integers only. */

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
/** REFUND_FEE where it is not set. */
export const DEFAULT_FEE_POLICY: FeePolicy = 'return_proportionally';

export interface Lines {
  readonly lines: readonly Line[];
  /** What the buyer paid; more than the lines come to belongs to no line (position 0), and is the platform's. */
  readonly paid: bigint;
  /** What the currency moves in: `amountStep`. */
  readonly step: bigint;
}

/** So much of one line; position 0: of what belongs to none. */
export interface Given {
  readonly position: number;
  readonly amount: bigint;
}

export interface Part extends Given {
  /** Of what was given back before lines counted: what arithmetic took of the seller. Null: by the line. */
  readonly borne: bigint | null;
}

/** Why something is given back, with what it gives back of which lines. */
export interface LineCause {
  readonly id: CauseId;
  readonly amount: bigint;
  /** It says itself which lines it is about: what these have no room for is nobody else's. */
  readonly named: boolean;
  readonly policy: FeePolicy;
  /** Beside the amount, where the sellers bear it. */
  readonly fee: bigint;
  /** As they were written; none: it has not come to stand yet. */
  readonly parts: readonly Part[];
}

export interface Evaluated {
  /** By seller, what is the buyer's again of what he got. */
  readonly due: ReadonlyMap<string, bigint>;
  /** By cause, what each seller gives back for it; together exactly what is due. */
  readonly named: ReadonlyMap<CauseId, ReadonlyMap<string, bigint>>;
}

/** The seller's own part of a line. */
const netOf = ({ amount, fee }: Line): bigint => amount - fee;

/** The fee of so many basis points: rounded down to whole steps, in the seller's favour. */
export const feeOf = (amount: bigint, basisPoints: bigint, step: bigint): bigint =>
  whole((amount * basisPoints) / 10_000n, step);

/**
 * An amount over what is left of these lines, in proportion. Whole steps, the largest remainders first; all that is left where the
 * amount reaches that far, and no more.
 */
export function spread(amount: bigint, left: readonly Given[], step: bigint): Given[] {
  const total = sumOf(left);
  if (amount >= total) return left.filter((one) => one.amount > 0n);
  const quotas = left.map((one) => {
    const exact = one.amount * amount;
    const given = whole(exact / total, step);
    return { ...one, given, rest: exact - given * total };
  });
  let open = amount - quotas.reduce((sum, { given }) => sum + given, 0n);
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

/** What is left of every line beside these causes, position 0 last; never below 0. */
export function roomOf(order: Lines, causes: readonly LineCause[]): Given[] {
  return roomBeside(
    order,
    placed(order, causes).flatMap(({ parts }) => parts),
  );
}

function roomBeside({ lines, paid }: Lines, taken: readonly Given[]): Given[] {
  const all = [...lines, { position: 0, amount: paid - sumOf(lines) }];
  return all.map(({ position, amount }) => ({
    position,
    amount: atLeast0(amount - sumOf(taken.filter((one) => one.position === position))),
  }));
}

/**
 * Where the causes lie now. They were placed when they came to stand; what lies on a line that has no room for it, because another one
 * came that names the line, moves to lines that have, and so does what had no room at all.
 */
function placed(order: Lines, causes: readonly LineCause[]): readonly LineCause[] {
  const parts = causes.map((cause) => ({ ...cause, parts: [...cause.parts] }));
  for (const { position, amount } of roomBeside(order, [])) {
    let over = parts
      .flatMap((one) => one.parts.filter((part) => part.position === position))
      .reduce((sum, one) => sum + one.amount, -amount);
    for (const cause of parts.toReversed()) {
      if (cause.named || over <= 0n) continue;
      cause.parts = cause.parts.map((part) => {
        const less = part.position === position ? smaller(atLeast0(over), part.amount) : 0n;
        over -= less;
        return { ...part, amount: part.amount - less };
      });
    }
  }
  for (const cause of parts) {
    const open = cause.amount - sumOf(cause.parts);
    if (cause.named || open <= 0n) continue;
    const room = roomBeside(
      order,
      parts.flatMap((one) => one.parts),
    );
    cause.parts.push(...spread(open, room, order.step).map((given) => ({ ...given, borne: null })));
  }
  return parts;
}

/** What the causes that stand, the oldest first, take back of whom. */
export function evaluate(order: Lines, causes: readonly LineCause[]): Evaluated {
  const now = placed(order, causes);
  const sellers = [...new Set(order.lines.flatMap(({ seller }) => seller ?? []))];
  const named = new Map<CauseId, Map<string, bigint>>();
  const due = new Map(sellers.map((seller) => [seller, 0n]));
  for (const [nth, { id }] of now.entries()) {
    const own = new Map<string, bigint>();
    for (const seller of sellers) {
      const after = dueOf(order, seller, now.slice(0, nth + 1));
      own.set(seller, after - (due.get(seller) ?? 0n));
      due.set(seller, after);
    }
    named.set(id, own);
  }
  for (const { id, fee } of now) if (fee > 0n) charge(order, { due, own: named.get(id) ?? new Map(), fee });
  return { due, named };
}

/** A fee is put onto the sellers of what is given back, in proportion, as far as what they got reaches. */
function charge(
  { lines, step }: Lines,
  { due, own, fee }: { readonly due: Map<string, bigint>; readonly own: Map<string, bigint>; readonly fee: bigint },
): void {
  const total = [...own.values()].reduce((sum, share) => sum + share, 0n);
  if (total === 0n) return;
  for (const [seller, share] of Array.from(own)) {
    const got = lines.filter((line) => line.seller === seller).reduce((sum, line) => sum + netOf(line), 0n);
    const room = atLeast0(got - (due.get(seller) ?? 0n));
    const extra = smaller(whole((fee * share) / total, step), room);
    own.set(seller, share + extra);
    due.set(seller, (due.get(seller) ?? 0n) + extra);
  }
}

/** What one seller bears: never more than he got, and exactly that once all of his lines, or the whole order, are back. */
function dueOf(order: Lines, seller: string, causes: readonly LineCause[]): bigint {
  const own = order.lines.filter((line) => line.seller === seller);
  const given = causes.flatMap(({ parts, policy }) => parts.map((part) => ({ ...part, policy })));
  const got = own.reduce((sum, line) => sum + netOf(line), 0n);
  const back = (line: Line) => given.filter(({ position }) => position === line.position);
  const byLine = own.some((line) => back(line).some(({ borne }) => borne === null));
  const allOf = (line: Line) => sumOf(back(line)) >= line.amount;
  if (backIn(order, given) >= order.paid || (byLine && own.every(allOf))) return got;
  return own.reduce((sum, line) => sum + borneOf(line, back(line), order.step), 0n);
}

/** No more of a line than it comes to. */
const backIn = (order: Lines, given: readonly Given[]): bigint =>
  roomBeside(order, []).reduce(
    (sum, { position, amount }) => sum + smaller(amount, sumOf(given.filter((one) => one.position === position))),
    0n,
  );

function borneOf(line: Line, given: readonly (Part & { readonly policy: FeePolicy })[], step: bigint): bigint {
  const byLine = given.filter(({ borne }) => borne === null);
  if (byLine.length > 0 && sumOf(given) >= line.amount) return netOf(line);
  const before = given.reduce((sum, { borne }) => sum + (borne ?? 0n), 0n);
  const by = (policy: FeePolicy) => sumOf(byLine.filter((part) => part.policy === policy));
  const proportional = whole((netOf(line) * by('return_proportionally')) / line.amount, step);
  return smaller(netOf(line), before + proportional + whole(by('keep'), step));
}

/** What each transfer promised: a seller may have several of an imported order. */
export interface Promised {
  readonly seller: string;
  readonly promised: bigint;
}

/**
 * Parts for what was given back before lines counted, the oldest first: each cause took its share of every seller by `dueBack`, and its
 * parts come to exactly that, so that nobody owes or is owed a cent because lines count from now on.
 */
export function partsOfBefore(
  order: Lines,
  promises: readonly Promised[],
  causes: readonly Pick<LineCause, 'id' | 'amount'>[],
): ReadonlyMap<CauseId, readonly Part[]> {
  const { lines, paid, step } = order;
  const sellers = [...new Set(promises.map(({ seller }) => seller))];
  const parts = new Map<CauseId, readonly Part[]>();
  const taken: Part[] = [];
  let refunded = 0n;
  for (const { id, amount } of causes) {
    const after = smaller(paid, refunded + amount);
    const given = spread(after - refunded, roomBeside(order, taken), step);
    const dueAt = (seller: string, at: bigint): bigint =>
      promises
        .filter((one) => one.seller === seller)
        .reduce((sum, { promised }) => sum + dueBack(promised, { paid, refunded: at, step }), 0n);
    const shares = sellers.flatMap((seller) => {
      const own = lines.filter((line) => line.seller === seller);
      return ontoLines(dueAt(seller, after) - dueAt(seller, refunded), own, { given, taken, step });
    });
    const own = [...lines.map(({ position }) => position), 0]
      .map((position) => ({ position, amount: at(given, position), borne: at(shares, position) }))
      .filter((part) => part.amount > 0n || part.borne > 0n);
    parts.set(id, own);
    taken.push(...own);
    refunded = after;
  }
  return parts;
}

/** Onto the lines of one seller: as what he got of what is given back of them, and the rest wherever there is room. */
function ontoLines(
  share: bigint,
  lines: readonly Line[],
  { given, taken, step }: { readonly given: readonly Given[]; readonly taken: readonly Part[]; readonly step: bigint },
): Given[] {
  // As exact as a fraction of a minor unit has to be to keep cents apart.
  const weights = lines.map((line) => (netOf(line) * at(given, line.position) * 1_000_000_000n) / line.amount);
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  const first = weights.map((weight) => (total === 0n ? 0n : whole((share * weight) / total, step)));
  let open = share;
  const rooms = lines.map((line) => {
    const used = taken
      .filter(({ position }) => position === line.position)
      .reduce((sum, { borne }) => sum + (borne ?? 0n), 0n);
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

const at = (given: readonly Given[], position: number): bigint =>
  given.find((one) => one.position === position)?.amount ?? 0n;
const whole = (amount: bigint, step: bigint): bigint => amount - (amount % step);
const atLeast0 = (amount: bigint): bigint => (amount > 0n ? amount : 0n);
const sumOf = (amounts: readonly { readonly amount: bigint }[]): bigint =>
  amounts.reduce((sum, { amount }) => sum + amount, 0n);
