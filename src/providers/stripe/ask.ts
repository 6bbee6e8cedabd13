import type StripeLibrary from 'stripe';
import type { Outcome } from './answers.js';

/** One name per endpoint that Stripe limits by itself; the token budget is counted under it. */
export type StripeEndpoint =
  | 'account'
  | 'accounts.read'
  | 'balance'
  | 'balance_transactions.read'
  | 'balance_transactions.list'
  | 'charges.read'
  | 'payment_intents.create'
  | 'payment_intents.read'
  | 'payment_intents.list'
  | 'payment_intents.search'
  | 'payment_intents.cancel'
  | 'payment_intents.capture'
  | 'transfers.create'
  | 'transfers.read'
  | 'transfers.list'
  | 'reversals.create'
  | 'reversals.list'
  | 'payouts.read'
  | 'payouts.list'
  | 'disputes.read'
  | 'disputes.list'
  | 'refunds.create'
  | 'refunds.list';

/** Asked with the token in hand, immediately before the bytes leave. @returns why nothing may leave any more; undefined: it may */
export type Stopped = () => Promise<string | undefined>;

/** Takes the token, makes the request, reads what came back. */
export type Ask = (
  endpoint: StripeEndpoint,
  asked: { readonly what: string; readonly account?: string; readonly stopped?: Stopped | undefined },
  call: (stripe: StripeLibrary) => Promise<object>,
) => Promise<Outcome>;
