import type { ChargeFacts, StripePayment } from '../calls/provider-answers.js';

/**
 * Why no transfer is drawn from this charge; undefined: it may be, in the currency of its balance. Only money of cards: other
 * methods can fail after they were called captured, and Stripe would take the transfer back.
 */
export function unfitAsSource({ chargeId, captured, method, isSplit }: ChargeFacts): string | undefined {
  if (!captured) return `${chargeId} is not captured`;
  if (method !== 'card')
    return `${chargeId} was paid by ${method ?? 'a method that Stripe does not name'}, not by card`;
  return isSplit ? `${chargeId} is split at Stripe already` : undefined;
}

/** By which Stripe may name a payment. */
export const namesOf = ({ name, chargeId }: Pick<StripePayment, 'name' | 'chargeId'>): readonly string[] =>
  chargeId === null ? [name] : [name, chargeId];
