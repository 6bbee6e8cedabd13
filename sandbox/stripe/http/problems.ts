/** A refusal as Stripe words it: `{error: {type, code?, param?, message, doc_url?}}` (docs.stripe.com/api/errors). */
export interface Problem {
  readonly status: number;
  readonly type: 'invalid_request_error' | 'idempotency_error' | 'api_error' | 'card_error';
  readonly code?: string | undefined;
  readonly param?: string | undefined;
  readonly message: string;
}

export function problemBody({ type, code, param, message }: Problem): { readonly error: object } {
  const known = code === undefined ? {} : { code, doc_url: `https://stripe.com/docs/error-codes/${dashed(code)}` };
  return { error: { ...known, message, ...(param === undefined ? {} : { param }), type } };
}

const dashed = (code: string): string => code.replaceAll('_', '-');

interface Details {
  readonly code?: string;
  readonly param?: string;
}

export const invalid = (message: string, details: Details = {}, status = 400): Problem => ({
  status,
  type: 'invalid_request_error',
  message,
  ...details,
});

/** In the path 404, in a parameter 400. */
export const missing = (what: string, id: string, param: string): Problem =>
  invalid(`No such ${what}: '${id}'`, { code: 'resource_missing', param }, PATH_IDS.has(param) ? 404 : 400);
const PATH_IDS: ReadonlySet<string> = new Set([
  'id',
  'intent',
  'transfer',
  'payout',
  'refund',
  'dispute',
  'capability',
]);

/** The text is matched by integrations: Stripe has no code for it (github.com/stripe/stripe-ruby/issues/1058). */
export const alreadyReversed = (transfer: string): Problem =>
  invalid(`The transfer ${transfer} is already fully reversed.`);

export const overRemainder = (amount: number, remainder: number): Problem =>
  invalid(`The amount ${amount} is greater than the unreversed amount ${remainder} of this transfer.`, {
    param: 'amount',
  });

export const insufficient = (account: string, currency: string): Problem =>
  invalid(`Insufficient funds: the available ${currency} balance of ${account} is too low.`, {
    code: 'balance_insufficient',
  });

/** Stripe's words: integrations match them. */
export const platformShort: Problem = invalid(
  'You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance by creating Charges using the 4000000000000077 test card. See: https://stripe.com/docs/testing#available-balance',
  { code: 'balance_insufficient' },
);

/** What Stripe answers to platforms; its list of codes lacks this one. */
export const noCapability: Problem = invalid(
  'Your destination account needs to have at least one of the following capabilities enabled: transfers, crypto_transfers, legacy_payments',
  { code: 'insufficient_capabilities_for_transfer', param: 'destination' },
);

export const rejected: Problem = invalid('The requested transfer cannot be created.', {
  code: 'transfers_not_allowed',
  param: 'destination',
});

export const accountInvalid = (account: string): Problem =>
  invalid(
    `The key provided has no access to account '${account}' (or it does not exist); access may have been revoked.`,
    { code: 'account_invalid' },
    403,
  );

/** A no without a code that names nobody: firewalls, risk rules and new features answer so. */
export const notAllowed = (message = 'This request is not allowed.', code?: string): Problem =>
  invalid(message, code === undefined ? {} : { code }, 403);

export const platformOnly: Problem = invalid(
  'Only a platform transfers to connected accounts; leave out Stripe-Account.',
  { code: 'platform_account_required' },
  403,
);

export const keyInUse: Problem = invalid(
  'Another request with this idempotency key is still in progress; try again in a moment.',
  { code: 'idempotency_key_in_use' },
  409,
);

export const keyMisused = (key: string, difference: string): Problem => ({
  status: 400,
  type: 'idempotency_error',
  message: `A repeated idempotency key must come with the same request; '${key}' first came with ${difference}.`,
});

export const rateLimited: Problem = invalid('Too many requests in one second.', { code: 'rate_limit' }, 429);

export const locked = (id: string): Problem =>
  invalid(
    `${id} is being changed by another request at this moment; send requests for one object one by one.`,
    {
      code: 'lock_timeout',
    },
    429,
  );

export const unauthorized = (message: string, code?: string): Problem =>
  invalid(message, code === undefined ? {} : { code }, 401);

export const serverError = (status = 500): Problem => ({
  status,
  type: 'api_error',
  message: 'Something went wrong on our side; what became of the request is not known.',
});

export const noSuchRoute = (method: string, path: string): Problem =>
  invalid(`Unrecognized request URL (${method}: ${path}).`, {}, 404);
