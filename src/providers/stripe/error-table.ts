import type Stripe from 'stripe';

/**
 * What an answer of Stripe's that is not the object asked for means; what follows is decided per class (answers.ts).
 *
 * - `throttled`: turned away before anything was done.
 * - `in_flight`: an earlier attempt with the same key is still at work.
 * - `short`: a balance is too low.
 * - `missing`: the object that the call names does not exist in this account and mode.
 * - `conflict`: the key stands for another call.
 * - `provider`: Stripe may not let us in any more; `seller`: not for this connected account. A read-only probe tells.
 * - `not_able`: the seller may not receive transfers now.
 * - `refused`: every other no.
 * - `failed`: Stripe's own failure; `unreadable`: not an answer of Stripe's. Either may have been carried out.
 */
export type StripeClass =
  | 'throttled'
  | 'in_flight'
  | 'short'
  | 'missing'
  | 'conflict'
  | 'provider'
  | 'seller'
  | 'not_able'
  | 'refused'
  | 'failed'
  | 'unreadable';

/** The library's list of codes without its "or any other string": a code that is misspelt here does not compile. */
type Listed<Code> = Code extends string ? (string extends Code ? never : Code) : never;
type DocumentedCode = Listed<Stripe.SetupIntent.LastSetupError.Code>;

/** `account`: depends on whether the call names a seller. */
type CodeMeaning = StripeClass | 'account';

/**
 * https://docs.stripe.com/error-codes, those that a transfer, a reversal or a look at one can meet. There is no code for
 * "already fully reversed": the caller reads the transfer after any refusal. A code that is not listed is a refusal.
 */
const CODES = {
  account_closed: 'refused',
  account_invalid: 'account',
  action_blocked: 'refused',
  amount_too_large: 'refused',
  amount_too_small: 'refused',
  anomalous_money_movement_request: 'refused',
  api_key_expired: 'provider',
  approval_required: 'refused',
  balance_insufficient: 'short',
  balance_invalid_parameter: 'refused',
  capability_not_active: 'not_able',
  country_unsupported: 'refused',
  idempotency_key_in_use: 'in_flight',
  insufficient_funds: 'short',
  livemode_mismatch: 'provider',
  lock_timeout: 'throttled',
  no_account: 'refused',
  not_allowed_on_standard_account: 'refused',
  parameter_invalid_empty: 'refused',
  parameter_invalid_integer: 'refused',
  parameter_invalid_string_blank: 'refused',
  parameter_invalid_string_empty: 'refused',
  parameter_missing: 'refused',
  parameter_unknown: 'refused',
  parameters_exclusive: 'refused',
  platform_account_required: 'provider',
  platform_api_key_expired: 'provider',
  rate_limit: 'throttled',
  request_blocked: 'refused',
  resource_missing: 'missing',
  secret_key_required: 'provider',
  status_transition_invalid: 'refused',
  testmode_charges_only: 'refused',
  tls_version_unsupported: 'provider',
  transfer_source_balance_parameters_mismatch: 'refused',
  transfers_not_allowed: 'not_able',
} as const satisfies Partial<Record<DocumentedCode, CodeMeaning>>;

/** Stripe gives these, and its list does not name them. */
const UNLISTED_CODES: Readonly<Record<string, CodeMeaning>> = {
  insufficient_capabilities_for_transfer: 'not_able',
};

/** Stripe's error, or what stands in for one when something else answered. */
export interface StripeError {
  readonly status: number;
  /** The wire's `error.type`, not the library's class: a 409 comes as the class of server errors. */
  readonly type: string;
  readonly code: string | null;
  readonly message: string;
}

/** Stripe gives some of these no code (stripe-node#1147). */
const LOW_BALANCE = /insufficient.*(?:funds|balance)/i;
/** The texts of a 403 for a connected account that left, or that was never ours, where it is not named. */
const NO_ACCESS_TO_ACCOUNT = /does not have access to account|access may have been revoked/i;
const ACCOUNT_ID = /\bacct_[A-Za-z0-9]+/g;
/** 424: a dependency of Stripe's failed. Neither says that nothing was done. */
const UNDECIDED: ReadonlySet<number> = new Set([408, 424]);

/**
 * Total over every status, type and code. A code says more than a status does, so it goes first; only where Stripe failed, or
 * something else answered, nothing in the answer says that nothing was done.
 * @param readable false when the error is not Stripe's own
 * @param account the seller that the call is for, where it names one
 */
export function classOf(error: StripeError, readable: boolean, account: string | null): StripeClass {
  const { status, type, code, message } = error;
  if (status >= 500) return 'failed';
  if (!readable || status < 400) return status === 429 ? 'in_flight' : 'unreadable';
  if (UNDECIDED.has(status)) return 'failed';
  const meaning = meaningOf(code);
  if (meaning === 'account') return aboutAccount(error, account);
  if (meaning !== undefined) return meaning;
  if (status === 429) return 'throttled';
  if (status === 401) return 'provider';
  if (status === 403) return isAboutSeller(error, account) ? 'seller' : 'provider';
  if (status === 409 && code === null) return 'in_flight';
  if (type === 'idempotency_error') return 'conflict';
  return LOW_BALANCE.test(message) ? 'short' : 'refused';
}

const MEANINGS: ReadonlyMap<string, CodeMeaning> = new Map(Object.entries({ ...CODES, ...UNLISTED_CODES }));

const meaningOf = (code: string | null): CodeMeaning | undefined => (code === null ? undefined : MEANINGS.get(code));

const accountsIn = (message: string): readonly string[] => message.match(ACCOUNT_ID) ?? [];

/** An account that is not valid: the seller's, unless the words name another one, such as our own. */
function aboutAccount({ status, message }: StripeError, account: string | null): StripeClass {
  const named = accountsIn(message);
  if (account !== null && (named.length === 0 || named.includes(account))) return 'seller';
  return status === 401 || status === 403 ? 'provider' : 'refused';
}

function isAboutSeller({ message }: StripeError, account: string | null): boolean {
  if (account === null) return false;
  const named = accountsIn(message);
  return named.includes(account) || (named.length === 0 && NO_ACCESS_TO_ACCOUNT.test(message));
}
