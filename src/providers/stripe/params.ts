import type { IntentParams, StripeRefundParams } from '../../domain/calls/made-at-stripe.js';
import type { ReversalParams, TransferParams } from '../../domain/calls/provider-answers.js';

/** What is refused here is a bug of ours, said before anything is sent. */

export function checkedTransfer(params: TransferParams): TransferParams {
  requireAmount(params.amount, 'a transfer');
  requireCurrency(params.currency, 'a transfer');
  requireId(params.destination, 'the destination of a transfer');
  return sorted(params);
}

export function checkedReversal(params: ReversalParams): ReversalParams {
  requireAmount(params.amount, 'a reversal');
  return sorted(params);
}

export function checkedIntent(params: IntentParams): IntentParams {
  requireAmount(params.amount, 'a payment');
  requireCurrency(params.currency, 'a payment');
  return sorted(params);
}

export function checkedRefund(params: StripeRefundParams): StripeRefundParams {
  requireAmount(params.amount, 'a refund');
  requireId(params.payment_intent, 'the payment of a refund');
  return sorted(params);
}

function requireCurrency(currency: string, what: string): void {
  if (/^[a-z]{3}$/.test(currency)) return;
  throw new RangeError(`${what} needs a currency like usd, not ${JSON.stringify(currency)}: nothing was sent`);
}

/** Always explicit: without an amount Stripe reverses all that is left. */
export function requireAmount(amount: number, what: string): number {
  if (Number.isSafeInteger(amount) && amount > 0) return amount;
  throw new RangeError(`${what} needs a whole amount from 1 to 2^53-1 minor units, not ${amount}: nothing was sent`);
}

/** A blank id would turn the path of one object into the path of its list; so would dots. */
export const isId = (text: string): boolean => /^[\x21-\x7e]{1,255}$/.test(text) && /\w/.test(text);

export function requireId(id: string, what: string): string {
  if (isId(id)) return id;
  throw new RangeError(`${what} needs an id like tr_1, not ${JSON.stringify(id)}: nothing was sent`);
}

const LONGEST_PAGE = 100;
export function requireLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= LONGEST_PAGE) return limit;
  throw new RangeError(`a page of Stripe's holds 1 to ${LONGEST_PAGE} objects, not ${limit}`);
}

/**
 * The same parameters are the same bytes on the wire, whatever order the ledger gave them back in (Postgres orders the
 * members of its JSON by length). Nothing is added or left out: the frozen record decides, not this version of the code.
 */
function sorted<Params extends object>(params: Params): Params {
  const entries = Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1));
  const inOrder = entries.map(([key, value]: [string, unknown]) => [
    key,
    typeof value === 'object' && value !== null && !Array.isArray(value) ? sorted(value) : value,
  ]);
  return Object.fromEntries(inOrder) as Params;
}
