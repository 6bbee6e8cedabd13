/** How much of one seller transfer a refund takes back. Integers only; amounts in minor units of the order's currency. */

export interface TransferShare {
  /** Of what the seller was promised, never sent because a refund came first. */
  readonly withheld: bigint;
  /** Of it, taken back or about to be: every reversal that is not given up. */
  readonly reversed: bigint;
}

/** How much of an order the buyer has back. */
export interface Refunded {
  readonly paid: bigint;
  readonly refunded: bigint;
  /** What the order's currency moves in at Stripe: `amountStep`. */
  readonly step: bigint;
}

/**
 * The part of `promised` that is the buyer's again after `refunded` of `paid` went back: proportional, rounded down to
 * whole steps in the seller's favour; the refund that completes the order takes exactly what is left, so rounding never
 * drifts.
 */
export function dueBack(promised: bigint, { paid, refunded, step }: Refunded): bigint {
  if (paid <= 0n || refunded < 0n || refunded > paid || promised < 0n || step <= 0n) {
    throw new RangeError(`no share of ${promised} for ${refunded} refunded of ${paid} paid, in steps of ${step}`);
  }
  if (refunded === paid) return promised;
  const proportion = (promised * refunded) / paid;
  return proportion - (proportion % step);
}

/** The further share that is due now, of `due` in all; never negative. */
export function shareOf({ withheld, reversed }: TransferShare, due: bigint): bigint {
  const outstanding = due - withheld - reversed;
  return outstanding > 0n ? outstanding : 0n;
}

/** What the seller is owed again because what was taken into account does not hold any more; usually 0. */
export function overtaken({ withheld, reversed }: TransferShare, due: bigint): bigint {
  const excess = withheld + reversed - due;
  return excess > 0n ? excess : 0n;
}
