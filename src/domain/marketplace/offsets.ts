import type { TransferId } from '../ids.js';

/** What a seller owes, and how much of it is kept of his next transfers. */

/** OFFSET and OFFSET_LIMIT. */
export interface OffsetRules {
  readonly on: boolean;
  /** Of one transfer, at most so many hundredths are kept. */
  readonly limitPercent: number;
}

/** How long a debt that nothing is paid of asks nobody, where REVERSAL_BALANCE_HORIZON does not say. */
export const DEFAULT_DEBT_HORIZON_MS = 30 * 86_400_000;

export const DEFAULT_OFFSET_RULES: OffsetRules = { on: false, limitPercent: 100 };

/** Of a reversal: the seller owes it, and it is kept of his next transfers instead of being asked of Stripe. */
export interface Debt {
  /** ISO 8601. */
  readonly since: string;
  /** `on_its_way`: kept of a transfer that is about to be sent, or was; `taken`: that transfer is with the seller. */
  readonly state: 'open' | 'on_its_way' | 'taken';
  /** The transfer that it is, or was, kept of; null while it is open. */
  readonly transferId: TransferId | null;
}

/** How much of a transfer may be kept at all, in whole steps of its currency: what is sent of it has to be one Stripe can send. */
export function roomForOffsets(amount: bigint, { limitPercent }: OffsetRules, step: bigint): bigint {
  const most = (amount * BigInt(limitPercent)) / 100n;
  // All of it leaves nothing to be sent.
  return most === amount ? amount : most - (most % step);
}

/** How much of one debt goes into the room that is left; 0: none. */
function partOfDebt(debt: bigint, room: bigint, step: bigint): bigint {
  if (debt >= room) return room;
  return debt - (debt % step);
}

export interface Lessened {
  readonly amount: bigint;
  /** The least that can be sent of it; undefined: nothing of it can be, as things are. */
  readonly least: bigint | undefined;
  readonly step: bigint;
}

/**
 * How much of each debt, the oldest first, is kept of a transfer. What is left of it can be sent, or nothing is left: a debt leaves nothing
 * behind that is neither the seller's nor kept for what he owes.
 */
export function keptOf(debts: readonly bigint[], { amount, least, step }: Lessened, rules: OffsetRules): bigint[] {
  const within = (most: bigint): bigint[] => {
    let room = most;
    return debts.map((debt) => {
      const part = room > 0n ? partOfDebt(debt, room, step) : 0n;
      room -= part;
      return part;
    });
  };
  const parts = within(roomForOffsets(amount, rules, step));
  const left = parts.reduce((rest, part) => rest - part, amount);
  if (left === 0n || (least !== undefined && left >= least)) return parts;
  const most = least === undefined || least > amount ? 0n : amount - least;
  return within(most - (most % step));
}

/** What of a share is to be taken now, where less than all of it can be. Digits are minor units. */
export interface LessToTake {
  /** Of the share, what nobody else's reversal stands for. */
  readonly toTake: bigint;
  /** Of the transfer, whoever took the rest. */
  readonly left: bigint;
  /** Of that, what other shares are about to take. */
  readonly spokenFor: bigint;
  /** What the seller has at Stripe now; undefined: that was not read. */
  readonly available: bigint | undefined;
  /** What a person wants taken; undefined: as much as there is. */
  readonly stated: bigint | undefined;
  readonly step: bigint;
  /** Whether what is not there may be kept of the seller's transfers. */
  readonly offsets: boolean;
}

/** The balance may be another one when the call arrives: then Stripe refuses, and the part waits as the whole did. */
export function planLess({
  toTake,
  left,
  spokenFor,
  available,
  stated,
  step,
  offsets,
}: LessToTake): { readonly take: bigint } | { readonly refuse: string } {
  const there = [toTake, left - spokenFor, ...(available === undefined ? [] : [available])].reduce((least, one) =>
    one < least ? one : least,
  );
  // The whole is taken as it is, also where it is odd: the last refund takes what is left.
  const most = there === toTake || there <= 0n ? there : there - (there % step);
  const others = spokenFor > 0n ? `, of which other shares take ${spokenFor}` : '';
  const known = `${left} are left of its transfer${others}${available === undefined ? '' : `, and the seller has ${available} at Stripe`}`;
  if (most <= 0n)
    return {
      refuse: `nothing of it can be taken: ${known}; ${offsets ? 'offset it, or go on waiting' : 'it goes on waiting'}`,
    };
  if (stated === undefined) return { take: most };
  if (stated <= 0n || stated % step !== 0n)
    return { refuse: `${stated} cannot be taken: it is no whole number of steps of ${step}` };
  return stated <= most ? { take: stated } : { refuse: `${stated} cannot be taken: ${known}` };
}
