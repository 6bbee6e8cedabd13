/**
 * What a buyer has begun and left: nothing was authorised, so nothing is lost when it is cancelled. Whatever else a payment
 * is called may be money on its way.
 */
const LEFT: ReadonlySet<string> = new Set([
  'requires_payment_method',
  'requires_confirmation',
  'requires_customer_action',
  // Stripe's word for the same
  'requires_action',
]);

/** Its buyer has not paid it, and nothing is on its way. */
export const isLeft = (providerStatus: string): boolean => LEFT.has(providerStatus);

/** @param ageMs since the payment was made here, by the ledger's clock */
export const isAbandoned = (providerStatus: string | null, { ageMs, expiryMs }: Age): boolean =>
  providerStatus !== null && isLeft(providerStatus) && ageMs >= expiryMs;

export interface Age {
  readonly ageMs: number;
  readonly expiryMs: number;
}
