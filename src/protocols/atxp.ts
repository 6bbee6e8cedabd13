import type { JsonObject, JsonValue } from '../domain/json.js';
import { type AtomicAmount, parseAtomic, parseDecimal } from '../domain/money.js';
import type { DecodedCredential, SettlementContext, Undecodable } from './credential.js';
import { accountName } from './payer.js';
import {
  arrayAt,
  fromBase64,
  identityPart,
  isObject,
  parseJson,
  publicFacts,
  sha256,
  stringAt,
  undecodable,
  valueAt,
} from './wire-json.js';

/** Wrappers around wrappers are noise; real credentials have at most two. */
const MAX_WRAPPERS = 4;

/**
 * `X-ATXP-PAYMENT`: JSON `{sourceAccountId, sourceAccountToken, options}`, plain or base64, or the bare token (atxp-dev/sdk,
 * packages/atxp-server/src/protocol.ts). Whatever the wrapping, the identity is the digest of the token itself, together
 * with the payment request id where we issued it: one token may answer many of our requests, each once.
 * @param decimals of the offered asset: ATXP amounts are decimal
 */
export function decodeAtxp(raw: string, context: SettlementContext, decimals: number): DecodedCredential | Undecodable {
  const outer = unwrap(raw);
  const content = isObject(outer) ? outer : typeof outer === 'string' ? { sourceAccountToken: outer } : undefined;
  const given = stringAt(content, 'sourceAccountToken')?.trim();
  const token = given === undefined ? undefined : tokenIn(given);
  if (content === undefined || given === undefined || token === undefined)
    return undecodable('it carries no source token');
  const cap = capOf(content, decimals);
  if (cap === undefined) return undecodable('its amount is not a plain decimal number');
  const requestId = context.paymentRequestId === undefined ? '' : `:${identityPart(context.paymentRequestId)}`;
  const account = stringAt(content, 'sourceAccountId') ?? context.sourceAccountId;
  return {
    protocol: 'atxp',
    scheme: 'atxp',
    identity: `atxp:${sha256(token)}${requestId}`,
    metered: true,
    closesAtZero: false,
    cap,
    account: account === undefined ? null : (accountName('atxp', account) ?? null),
    // Anybody may have many tokens, so one of them is no reason for credit.
    own: { name: `atxp:${sha256(token)}`, good: false },
    voucher: null,
    expiresAtMs: null,
    lookup: publicFacts({ sourceAccountId: account, paymentRequestId: context.paymentRequestId }),
    content: { ...content, sourceAccountToken: given },
  };
}

/** The JSON value inside any wrapping, or the text itself when it is not JSON; undefined: text that cannot be a token. */
function unwrap(text: string, wrappers = MAX_WRAPPERS): JsonValue | undefined {
  const trimmed = text.trim();
  const inner = /^[{"]/.test(trimmed) ? trimmed : wrappedJson(trimmed);
  if (inner === undefined) return /^[\x21-\x7e]+$/.test(trimmed) && !/^[[\]}]/.test(trimmed) ? trimmed : undefined;
  const value = parseJson(inner);
  return typeof value === 'string' && wrappers > 0 ? unwrap(value, wrappers - 1) : value;
}

/** Most tokens are accidentally valid base64: it is a wrapping only when what it holds is JSON. */
function wrappedJson(text: string): string | undefined {
  const decoded = fromBase64(text)?.trim();
  return decoded !== undefined && /^[{"]/.test(decoded) && parseJson(decoded) !== undefined ? decoded : undefined;
}

function tokenIn(text: string, wrappers = MAX_WRAPPERS): string | undefined {
  const value = unwrap(text);
  if (typeof value === 'string') return value === '' ? undefined : value;
  const nested = isObject(value) ? stringAt(value, 'sourceAccountToken') : undefined;
  // A token that is itself a JSON document is opaque to us: its text is what the auth server compares.
  return nested !== undefined && wrappers > 0 ? tokenIn(nested, wrappers - 1) : text === '' ? undefined : text;
}

/** The first option's amount, else the credential's own; null where it states none or another currency's. */
function capOf(content: JsonObject, decimals: number): AtomicAmount | null | undefined {
  const first = arrayAt(content, 'options')?.[0];
  const option = isObject(first) ? first : undefined;
  const amount = valueAt(option, 'amount') ?? valueAt(content, 'amount');
  if (amount === undefined) return null;
  const text = typeof amount === 'number' ? String(amount) : amount;
  const parsed = typeof text === 'string' ? parseDecimal(text, decimals) : undefined;
  return parsed === undefined ? undefined : parseAtomic(parsed.toString());
}
