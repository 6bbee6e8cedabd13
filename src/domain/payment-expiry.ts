/**
 * What a buyer has begun and left: nothing was authorised, so nothing is lost when it is cancelled. Whatever else a payment
 * is called may be money on its way.
 */
const ABANDONED: ReadonlySet<string> = new Set([
  'requires_payment_method',
  'requires_confirmation',
  'requires_customer_action',
]);

/** @param ageMs since the payment was made here, by the ledger's clock */
export const isAbandoned = (providerStatus: string | null, { ageMs, expiryMs }: Age): boolean =>
  providerStatus !== null && ABANDONED.has(providerStatus) && ageMs >= expiryMs;

export interface Age {
  readonly ageMs: number;
  readonly expiryMs: number;
}

const FIVE_MINUTES_MS = 5 * 60_000;
const A_DAY_MS = 86_400_000;

/**
 * How long a payment that should have ended is left alone: as long as it is overdue, so that each wait is twice the one
 * before, up to a day. Null: it is young, and read at its workflow's own pace. Webhooks bring what happens meanwhile.
 */
export const overdueReadMs = ({ ageMs, expiryMs }: Age): number | null =>
  ageMs < expiryMs ? null : Math.min(Math.max(ageMs - expiryMs, FIVE_MINUTES_MS), A_DAY_MS);
