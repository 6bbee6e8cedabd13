import { smaller } from '../money.js';

/**
 * Disputes: what a processor's own record of one means for money. Funds are out or back by what was moved, never by what a
 * status is called.
 */

/** `inquiry`: the bank asks, and nothing is taken. `cancelled`: it ended without a judgement. */
export type DisputeStatus = 'inquiry' | 'open' | 'won' | 'lost' | 'cancelled';
export const DISPUTE_STATUSES = [
  'inquiry',
  'open',
  'won',
  'lost',
  'cancelled',
] as const satisfies readonly DisputeStatus[];
export type DisputeFunds = 'none' | 'out' | 'back';

/** What becomes of sellers' shares while the funds of a dispute are out (DISPUTE_POLICY). */
export type DisputePolicy = 'reverse' | 'hold' | 'wait';

export interface DisputeRules {
  readonly policy: DisputePolicy;
  /** What sellers are charged beside each time funds go out (DISPUTE_FEE), by currency; of what is not listed, nothing. */
  readonly fees: ReadonlyMap<string, bigint>;
}

/** Shares are taken back as soon as funds are out, and the platform bears the fees. */
export const DEFAULT_DISPUTE_RULES: DisputeRules = { policy: 'reverse', fees: new Map() };

/** What Stripe moved because of a dispute: one of its balance transactions. */
export interface DisputeMovement {
  /** `txn_…` */
  readonly id: string;
  /** Below zero: out of our balance; above: back into it. Minor units of `currency`. */
  readonly amount: bigint;
  /** Of the balance, which need not be the charge's. */
  readonly currency: string;
  /** ISO 8601 */
  readonly at: string;
}

/** A stretch of time during which this much of a dispute was out of our balance. */
export interface Withdrawal {
  /** Of the movement that began it; the same however often and in whichever order the movements are read. */
  readonly movementId: string;
  readonly amount: bigint;
  readonly outAt: string;
  /** Null: it is out. */
  readonly backAt: string | null;
  /** What was left of another one, which came back in part: the movement that began that one. Null: it went out whole. */
  readonly restOf: string | null;
}

/**
 * Every time funds went out, with the end of it. What comes back ends the oldest first; of one that comes back in part the rest
 * goes on as a stretch of its own, begun by the movement that brought the part. More than went out is none of a seller's.
 * A later reading only adds stretches and ends them: it changes none.
 */
export function withdrawalsOf(movements: readonly DisputeMovement[]): readonly Withdrawal[] {
  const all: Withdrawal[] = [];
  for (const { id, amount, at } of inOrder(movements)) {
    if (amount < 0n) all.push({ movementId: id, amount: -amount, outAt: at, backAt: null, restOf: null });
    else giveBack(all, { id, amount, at });
  }
  return all;
}

function giveBack(all: Withdrawal[], { id, amount, at }: { id: string; amount: bigint; at: string }): void {
  let left = amount;
  for (const [place, stretch] of all.entries()) {
    if (left === 0n) return;
    if (stretch.backAt !== null) continue;
    const part = smaller(left, stretch.amount);
    all[place] = { ...stretch, backAt: at };
    left -= part;
    const rest = stretch.amount - part;
    if (rest > 0n) all.push({ movementId: id, amount: rest, outAt: at, backAt: null, restOf: stretch.movementId });
  }
}

/** By time; of one moment what went out first, so that what came back finds it. */
function inOrder(movements: readonly DisputeMovement[]): readonly DisputeMovement[] {
  const once = new Map(movements.map((one) => [one.id, one]));
  return [...once.values()].sort(
    (one, other) =>
      Date.parse(one.at) - Date.parse(other.at) ||
      Number(one.amount > 0n) - Number(other.amount > 0n) ||
      (one.id < other.id ? -1 : 1),
  );
}

/** What the ledger holds a dispute to be about. */
export interface DisputedPayment {
  /** What the payment is called at the processor; null: that is not known. */
  readonly payment: string | null;
  /** Of the order. */
  readonly currency: string;
}

interface DisputeRecord {
  readonly charge: string;
  readonly paymentIntent: string | null;
  readonly amount: bigint;
  readonly currency: string;
  readonly movements: readonly DisputeMovement[];
}

/** Whether the processor's record is of this payment; null: what it is called there is not known. */
export const isOfPayment = (
  { payment }: Pick<DisputedPayment, 'payment'>,
  held: Pick<DisputeRecord, 'charge' | 'paymentIntent'>,
): boolean | null => (payment === null ? null : payment === held.paymentIntent || payment === held.charge);

/**
 * What was moved, in the order's currency. Where the balance has another one, Stripe moves that, at the rate of its day, and no amount
 * of the order's follows from it; but what it takes first is what the dispute is about, which is in the order's currency.
 * undefined: nobody can know.
 */
export function movedIn(
  currency: string,
  held: Pick<DisputeRecord, 'amount' | 'currency' | 'movements'>,
): readonly DisputeMovement[] | undefined {
  const { movements } = held;
  if (movements.every((one) => one.currency === currency)) return movements;
  const [first, ...more] = movements;
  const isAll = more.length === 0 && first !== undefined && first.amount < 0n && held.currency === currency;
  return isAll ? [{ ...first, amount: -held.amount, currency }] : undefined;
}

/**
 * Why nothing follows from the processor's record: amounts of different currencies are never compared, and a dispute of another
 * payment is another dispute. undefined: it fits.
 */
export function unfitRecord({ payment, currency }: DisputedPayment, held: DisputeRecord): string | undefined {
  if (isOfPayment({ payment }, held) === false)
    return `Stripe's record is of payment ${held.paymentIntent ?? held.charge}, and this one of ${payment}`;
  const strange = movedIn(currency, held) ? undefined : held.movements.findLast((one) => one.currency !== currency);
  if (strange)
    return `Stripe moved ${strange.amount} ${strange.currency} (${strange.id}) because of it, and the order is in ${currency}`;
  return held.currency === currency
    ? undefined
    : `it is about ${held.amount} ${held.currency}, and the order is in ${currency}`;
}

export function fundsOf(withdrawals: readonly Pick<Withdrawal, 'backAt'>[]): DisputeFunds {
  if (withdrawals.length === 0) return 'none';
  return withdrawals.some(({ backAt }) => backAt === null) ? 'out' : 'back';
}

/** Stripe's words (docs.stripe.com/api/disputes/object); one that is in no document is followed on. */
const STRIPE_STATUS: Readonly<Record<string, DisputeStatus>> = {
  warning_needs_response: 'inquiry',
  warning_under_review: 'inquiry',
  warning_closed: 'cancelled',
  needs_response: 'open',
  under_review: 'open',
  won: 'won',
  lost: 'lost',
  charge_refunded: 'cancelled',
  prevented: 'cancelled',
};

export const statusAtStripe = (word: string): DisputeStatus =>
  Object.hasOwn(STRIPE_STATUS, word) ? (STRIPE_STATUS[word] ?? 'open') : 'open';

/** It may still move money by itself at any time. */
export const isOpenDispute = (status: DisputeStatus): boolean => status === 'inquiry' || status === 'open';

/**
 * Whether what is out is taken back from the sellers now. Once it is, it stays so until the funds are back, whatever the setting
 * or the status becomes.
 */
export const isTaken = (policy: DisputePolicy, status: DisputeStatus): boolean =>
  policy === 'reverse' || status === 'lost';

/** Whether what was not sent yet of its order waits for the end of it. What stays out of one that was not lost is the platform's. */
export const holdsUnsent = (
  policy: DisputePolicy,
  { status, funds }: { readonly status: DisputeStatus; readonly funds: DisputeFunds },
): boolean => policy === 'hold' && funds === 'out' && isOpenDispute(status);

const MINUTE_MS = 60_000;
/** What the processor alone tells of may be named at any moment. */
export const UNNAMED_AGAIN_MS = 10 * MINUTE_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * How long a dispute is left alone after a reading: as long as its last change is old, from five minutes up to a day while it is
 * open; webhooks bring what happens sooner. One that has ended is read now and then, because banks begin again: each wait is twice
 * the one before, up to thirty days. Null: it is over for good.
 */
export function readAgainAfterMs(status: DisputeStatus, sinceChangeMs: number): number | null {
  if (isOpenDispute(status)) return Math.min(Math.max(sinceChangeMs, 5 * MINUTE_MS), DAY_MS);
  if (sinceChangeMs > ENDED_FOR_GOOD_MS) return null;
  return Math.min(Math.max(sinceChangeMs, DAY_MS), 30 * DAY_MS);
}

/** Card networks know no step this long after the one before (pre-arbitration, arbitration). */
const ENDED_FOR_GOOD_MS = 180 * DAY_MS;

/**
 * How long after this look a payment is looked at for disputes nobody told of: as long as it is old, from an hour up to thirty days.
 * Null: no network takes a dispute any more.
 */
export const lookAgainAfterMs = (ageMs: number): number | null =>
  ageMs > DISPUTABLE_FOR_MS ? null : Math.min(Math.max(ageMs, 60 * MINUTE_MS), 30 * DAY_MS);

/** Visa and Mastercard: 540 days from the transaction, whatever was agreed about the delivery. */
const DISPUTABLE_FOR_MS = 540 * DAY_MS;
