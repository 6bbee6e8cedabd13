/** How much of one seller transfer a refund takes back. Integers only; amounts in minor units of the order's currency. */

export interface TransferShare {
  /** What the seller was promised when the order was paid. */
  readonly promised: bigint;
  /** Of it, never sent because a refund came first. */
  readonly withheld: bigint;
  /** Of it, taken back or about to be: every reversal that is not given up. */
  readonly reversed: bigint;
}

/**
 * The part of `promised` that is the buyer's again after `refunded` of `paid` went back: proportional, rounded down in
 * the seller's favour; the last refund takes exactly what is left, so rounding never drifts.
 */
export function dueBack(promised: bigint, refunded: bigint, paid: bigint): bigint {
  if (paid <= 0n || refunded < 0n || refunded > paid || promised < 0n) {
    throw new RangeError(`no share of ${promised} for ${refunded} refunded of ${paid} paid`);
  }
  return (promised * refunded) / paid;
}

/** The further share that is due now; never negative, and never above what the seller still has. */
export function shareOf(transfer: TransferShare, refunded: bigint, paid: bigint): bigint {
  const outstanding = dueBack(transfer.promised, refunded, paid) - transfer.withheld - transfer.reversed;
  return outstanding > 0n ? outstanding : 0n;
}

/** What the seller is owed again because refunds that were taken into account have failed since; usually 0. */
export function overtaken(transfer: TransferShare, refunded: bigint, paid: bigint): bigint {
  const excess = transfer.withheld + transfer.reversed - dueBack(transfer.promised, refunded, paid);
  return excess > 0n ? excess : 0n;
}
