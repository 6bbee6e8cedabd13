/** What Stripe calls the state of a dispute; with `warning_` it is an inquiry, which took nothing. */
export const STRIPE_STATUSES = [
  'warning_needs_response',
  'warning_under_review',
  'warning_closed',
  'needs_response',
  'under_review',
  'won',
  'lost',
  'prevented',
] as const;
export type StripeStatus = (typeof STRIPE_STATUSES)[number];
