import { malformed, type Reading } from './claim.js';
import { type Fields, fieldsOf, sha256, textOf, usdcOf } from './fields.js';

/**
 * `{sourceAccountId, destinationAccountId, sourceAccountToken, options:[{network, currency, address, amount}],
 * paymentRequestId?}`: the amount of every option is what is charged, in decimal USDC.
 */
export function readAtxp(body: Fields): Reading {
  const token = textOf(body.sourceAccountToken);
  const requestId = textOf(body.paymentRequestId);
  if (token === undefined) {
    return { key: requestId ? `request:${requestId}` : null, problem: malformed('sourceAccountToken is missing') };
  }
  const key = requestId === undefined ? `atxp:${sha256(token)}` : `request:${requestId}`;
  const options = Array.isArray(body.options) ? body.options.map(fieldsOf) : [];
  const first = options[0];
  if (first === undefined) return { key, problem: malformed('options is empty: there is nothing to charge') };
  const amount = usdcOf(first.amount);
  if (amount === undefined) {
    return { key, problem: malformed('options[0].amount is not a decimal amount of at most six decimals') };
  }
  if (options.some((option) => usdcOf(option.amount) !== amount)) {
    return {
      key,
      problem: { status: 400, code: 'amount_mismatch', message: 'the options ask for different amounts' },
    };
  }
  const account = textOf(body.sourceAccountId);
  const owner = ownerOf(token);
  if (owner !== undefined && account !== undefined && owner !== account) {
    return { key, problem: { status: 400, code: 'account_mismatch', message: 'the token is of another account' } };
  }
  return {
    key,
    claim: {
      protocol: 'atxp',
      key,
      once: null,
      payer: owner ?? account ?? `token:${sha256(token).slice(0, 16)}`,
      confirmed: owner !== undefined || account === undefined,
      network: textOf(first.network) ?? 'unknown',
      amount,
      cap: amount,
      validAfterMs: null,
      collectableUntilMs: null,
      validUntilMs: null,
      channel: null,
      manages: null,
      typedData: null,
      echo: account === undefined ? {} : { sourceAccountId: account },
    },
  };
}

/** The sandbox's own tokens say whose they are; of any other it knows nothing, and believes what is stated. */
function ownerOf(token: string): string | undefined {
  const name = /^sandbox-token-(.+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.exec(token)?.[1];
  return name === undefined ? undefined : `atxp_acct_${name}`;
}
