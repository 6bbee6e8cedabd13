import type { SellerFacts } from '../calls/provider-answers.js';

/** `waiting`: cannot receive yet, which time or the seller ends. `gone`: deauthorised or rejected, which nothing of ours ends. */
export type SellerState = 'able' | 'waiting' | 'gone';

/** Whether a seller can receive, and why not in a word of Stripe's or ours. */
export type SellerStanding =
  | { readonly state: 'able'; readonly reason: null }
  | { readonly state: Exclude<SellerState, 'able'>; readonly reason: string };

const ABLE: SellerStanding = { state: 'able', reason: null };
/** Stripe does not let us in to the account any more, or knows none of this name. */
export const DEAUTHORISED: SellerStanding = { state: 'gone', reason: 'deauthorised' };

/**
 * Whoever was rejected does not come back by himself. Any one of the capabilities that Stripe asks for is enough
 * (docs.stripe.com/connect/account-capabilities).
 */
export function standingOf({ capabilities, disabledReason }: SellerFacts): SellerStanding {
  if (disabledReason?.startsWith('rejected.')) return { state: 'gone', reason: disabledReason };
  if (Object.values(capabilities).includes('active')) return ABLE;
  return { state: 'waiting', reason: disabledReason ?? `transfers_${capabilities['transfers'] ?? 'not_requested'}` };
}
