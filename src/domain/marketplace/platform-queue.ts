/**
 * Transfers that wait for the platform's balance, and what it shows now. The oldest that fits goes first; a small one may go while
 * a big one waits, and all that go fit together.
 * @param waiting of one currency, the oldest first
 * @param left what is there and spoken for by nobody
 */
export function thatFit<Waiting extends { readonly amount: bigint }>(
  waiting: readonly Waiting[],
  left: bigint,
  most: number,
): readonly Waiting[] {
  const chosen: Waiting[] = [];
  let rest = left;
  for (const one of waiting) {
    if (chosen.length >= most) break;
    if (one.amount > rest) continue;
    chosen.push(one);
    rest -= one.amount;
  }
  return chosen;
}
