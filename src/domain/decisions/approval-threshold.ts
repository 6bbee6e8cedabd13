/**
 * What one person may not give up alone from here on. One number: of every currency, in its minor units, and of every asset
 * in hundredths of its unit. Else by currency or asset, in lower case (`usd`, `usdc`); of what is not listed, nothing.
 */
export type ApprovalThreshold = bigint | ReadonlyMap<string, bigint>;

/** What a decision gives up or pays again, by the name that the threshold has for its currency or asset. */
export interface AtStake {
  readonly amount: bigint;
  readonly currency: string;
}

/** undefined: two persons decide, whatever the amount. */
const limitOf = (threshold: ApprovalThreshold, currency: string): bigint | undefined =>
  typeof threshold === 'bigint' ? threshold : threshold.get(currency);

/**
 * Whether one person may decide this alone: with all that the same person has given up alone within a day, it stays below.
 * @param before what that came to, in the same currency
 */
export function belowThreshold(threshold: ApprovalThreshold, { amount, currency }: AtStake, before: bigint): boolean {
  const limit = limitOf(threshold, currency);
  return limit !== undefined && before + amount < limit;
}
