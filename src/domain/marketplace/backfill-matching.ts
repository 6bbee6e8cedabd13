import type { TransferId } from '../ids.js';

/** A completed transfer of ours, of one order to one seller. */
export interface OurTransfer {
  readonly id: TransferId;
  /** Reference of the order, or its id: what Stripe's metadata[order_id] says. */
  readonly orderMark: string;
  readonly sellerAccount: string;
  /** Minor units of `currency`, which is upper case. */
  readonly amount: bigint;
  readonly currency: string;
  /** Null: the one that is looked for. */
  readonly stripeTransferId: string | null;
}

/** A transfer at Stripe whose metadata[order_id] is the mark of an order of ours. */
export interface Candidate {
  readonly stripeTransferId: string;
  readonly orderMark: string;
  readonly destination: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly livemode: boolean;
  /** The transfer of ours that its metadata[seller_transfer_id] names; null: none that we know. */
  readonly names: TransferId | null;
  /** The transfer of ours that has this id already. */
  readonly heldBy: TransferId | null;
}

/**
 * - `matched`: exactly one transfer at Stripe can be this one, and it can be no other of ours.
 * - `not_found`: none carries the order's mark.
 * - `ambiguous`: several could be it, or it could be several of ours; only a person can tell.
 * - `mismatch`: those that carry the mark differ in amount, currency, mode or destination.
 * - `taken`: the only one that fits is the id of a transfer of another order or seller.
 */
export interface Match {
  readonly transferId: TransferId;
  readonly outcome: 'matched' | 'not_found' | 'ambiguous' | 'mismatch' | 'taken';
  /** Set exactly with `matched`. */
  readonly stripeTransferId: string | null;
  /** At most {@link MOST_SHOWN}. */
  readonly candidates: readonly string[];
  readonly detail: string;
}

/** More candidates than these help nobody; the detail says how many there are. */
const MOST_SHOWN = 20;

/**
 * Finds the id at Stripe of each transfer that has none; it deduces and never guesses, because a wrong id would take
 * another payment back from the seller. What it says of one transfer does not change when ids that it found for others
 * are written, so a run that was interrupted half way goes on to the same report.
 *
 * @param ours all completed transfers of the orders in question, also those with an id: they explain candidates
 * @param candidates everything at Stripe that carries the mark of one of these orders, without gaps
 * @param livemode the mode of the Stripe account this ledger belongs to
 * @returns one match for each transfer without an id, in the order given
 */
export function matchTransfers(
  ours: readonly OurTransfer[],
  candidates: readonly Candidate[],
  livemode: boolean,
): readonly Match[] {
  const oursByOrder = byOrder(ours);
  const candidatesByOrder = byOrder(candidates);
  const matches = new Map<TransferId, Match>();
  for (const [mark, ofOrder] of oursByOrder) {
    for (const found of matchOrder(ofOrder, candidatesByOrder.get(mark) ?? [], livemode)) {
      matches.set(found.transferId, found);
    }
  }
  return ours.flatMap(({ id }) => matches.get(id) ?? []);
}

function byOrder<T extends { readonly orderMark: string }>(all: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const orders = new Map<string, T[]>();
  for (const one of all) {
    const known = orders.get(one.orderMark);
    if (known) known.push(one);
    else orders.set(one.orderMark, [one]);
  }
  return orders;
}

function matchOrder(ours: readonly OurTransfer[], candidates: readonly Candidate[], livemode: boolean): Match[] {
  // What is the id of a transfer of the same order and seller already, is explained by it.
  const explained = ({ heldBy, destination }: Candidate) =>
    ours.some(({ id, sellerAccount }) => id === heldBy && sellerAccount === destination);
  const free = candidates.filter((candidate) => !explained(candidate));
  const unnamed = free.filter(({ names }) => names === null);
  const wanted = ours.filter(({ stripeTransferId }) => stripeTransferId === null);
  const byName = new Map(wanted.map((one) => [one, matchNamed(one, free, livemode)]));
  // Who has found its own by name leaves the rest to the others.
  const searching = wanted.filter((one) => byName.get(one)?.outcome !== 'matched');

  return wanted.map((one) => {
    const found = byName.get(one);
    if (found) return found;
    const fitting = unnamed.filter((candidate) => fits(one, candidate, livemode));
    if (fitting.length > 0) return fitted(one, fitting, searching.filter((other) => sameFacts(one, other)).length);
    const unexplained = unnamed.filter((candidate) => !searching.some((other) => fits(other, candidate, livemode)));
    return missed(one, unexplained, livemode);
  });
}

/** Metadata that names a transfer of ours leaves no doubt which one it is, unless two do. */
function matchNamed(one: OurTransfer, candidates: readonly Candidate[], livemode: boolean): Match | undefined {
  const naming = candidates.filter(({ names }) => names === one.id);
  if (naming.length === 0) return undefined;
  if (naming.length > 1) return match(one, 'ambiguous', naming, `${naming.length} transfers at Stripe name this one`);
  const fitting = naming.filter((candidate) => fits(one, candidate, livemode));
  return fitting.length === 1 ? fitted(one, fitting, 1) : missed(one, naming, livemode);
}

/** @param rivals how many of ours, this one counted, could be any of these */
function fitted(one: OurTransfer, fitting: readonly Candidate[], rivals: number): Match {
  const [only] = fitting;
  if (only === undefined || fitting.length > 1 || rivals > 1) {
    const here = rivals === 1 ? 'this transfer' : `${rivals} transfers of ours with the same order, seller and amount`;
    return match(one, 'ambiguous', fitting, `${fitting.length} at Stripe could be ${here}`);
  }
  if (only.heldBy !== null) {
    return match(one, 'taken', fitting, `${only.stripeTransferId} is the id of transfer ${only.heldBy} already`);
  }
  return match(one, 'matched', fitting, 'order, seller, amount, currency and mode agree, and nothing else does');
}

function missed(one: OurTransfer, near: readonly Candidate[], livemode: boolean): Match {
  const [first, ...others] = [...near].sort(byId);
  if (first === undefined) {
    return match(
      one,
      'not_found',
      [],
      `no transfer at Stripe to ${one.sellerAccount} carries order_id ${one.orderMark}`,
    );
  }
  const more = others.length > 0 ? `; and ${others.length} more differ` : '';
  return match(one, 'mismatch', near, `${first.stripeTransferId} has ${differences(one, first, livemode)}${more}`);
}

function match(one: OurTransfer, outcome: Match['outcome'], candidates: readonly Candidate[], detail: string): Match {
  const ids = [...candidates].sort(byId).map(({ stripeTransferId }) => stripeTransferId);
  const stripeTransferId = outcome === 'matched' ? (ids[0] ?? null) : null;
  return { transferId: one.id, outcome, stripeTransferId, candidates: ids.slice(0, MOST_SHOWN), detail };
}

const byId = (one: Candidate, other: Candidate): number => (one.stripeTransferId < other.stripeTransferId ? -1 : 1);

const sameFacts = (one: OurTransfer, other: OurTransfer): boolean =>
  one.sellerAccount === other.sellerAccount && one.amount === other.amount && one.currency === other.currency;

const fits = (one: OurTransfer, candidate: Candidate, livemode: boolean): boolean =>
  candidate.destination === one.sellerAccount &&
  candidate.amount === one.amount &&
  candidate.currency === one.currency &&
  candidate.livemode === livemode;

const mode = (livemode: boolean): string => (livemode ? 'live' : 'test');

function differences(one: OurTransfer, candidate: Candidate, livemode: boolean): string {
  const pairs: readonly (readonly [what: string, theirs: string, ours: string])[] = [
    ['amount', `${candidate.amount}`, `${one.amount}`],
    ['currency', candidate.currency, one.currency],
    ['mode', mode(candidate.livemode), mode(livemode)],
    ['destination', candidate.destination, one.sellerAccount],
  ];
  const differing = pairs.filter(([, theirs, expected]) => theirs !== expected);
  const held = candidate.heldBy === null ? [] : [`and is the id of transfer ${candidate.heldBy} already`];
  return [...differing.map(([what, theirs, expected]) => `${what} ${theirs} instead of ${expected}`), ...held].join(
    ', ',
  );
}
