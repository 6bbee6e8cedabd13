import { parseChannelId } from '../domain/channels/channel.js';
import type { JsonObject } from '../domain/json.js';
import { type AtomicAmount, parseAtomic, parseDecimal, toAtomic } from '../domain/money.js';
import { channelIdOf } from './channel-id.js';
import type { DecodedCredential, Undecodable } from './credential.js';
import { accountName } from './payer.js';
import {
  fromBase64,
  identityPart,
  isObject,
  lowerHex,
  objectAt,
  parseJson,
  publicFacts,
  sha256,
  stringAt,
  undecodable,
  valueAt,
} from './wire-json.js';

const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/**
 * `Authorization: Payment …` of the Payment authentication scheme: `{challenge, payload, source}` (npm `mppx`, Credential
 * and Challenge). A `session` pays with a voucher on a channel and is metered; everything else is one charge.
 * @param decimals of the offered asset: ATXP's own challenges state decimal amounts
 */
export function decodeMpp(content: JsonObject, decimals: number): DecodedCredential | Undecodable {
  const challenge = objectAt(content, 'challenge');
  if (challenge === undefined) return undecodable('it answers no challenge');
  const payload = objectAt(content, 'payload') ?? {};
  const intent = stringAt(challenge, 'intent') ?? 'charge';
  if (intent === 'session' || isOfChannel(payload)) return session(content, challenge, payload);
  if (intent !== 'charge') return undecodable('its MPP intent is neither charge nor session');
  return charge(content, challenge, decimals);
}

/** Whoever settles it reads these parts as a session's, whatever its challenge says. */
const isOfChannel = (payload: JsonObject): boolean =>
  ['descriptor', 'action'].some((part) => valueAt(payload, part) !== undefined);

const PAYS = ['open', 'voucher'] as const;

/** What it asks of its channel is not to be paid from: a top-up, a close, or what we do not know. It may be ill-formed beside that. */
export function asksNoPayment(content: JsonObject): boolean {
  const action = valueAt(objectAt(content, 'payload'), 'action');
  return action !== undefined && !PAYS.some((known) => known === action);
}

function charge(content: JsonObject, challenge: JsonObject, decimals: number): DecodedCredential | Undecodable {
  const id = stringAt(challenge, 'id');
  if (id === undefined || id === '') return undecodable('its challenge has no id');
  const request = requestOf(challenge);
  if (request === undefined) return undecodable('the request of its challenge is not readable');
  const cap = chargeAmount(challenge, request, decimals);
  if (cap === undefined) return undecodable('its amount is not a plain number');
  const expires = stringAt(challenge, 'expires');
  const expiresAtMs = expires === undefined ? null : ISO_TIME.test(expires) ? Date.parse(expires) : Number.NaN;
  if (Number.isNaN(expiresAtMs)) return undecodable('its expiry is not an ISO 8601 time');
  const terms = { ...challenge, ...request };
  return {
    protocol: 'mpp',
    scheme: 'charge',
    identity: `mpp:charge:${identityPart(id)}`,
    metered: false,
    closesAtZero: false,
    cap,
    account: accountOf(stringAt(content, 'source')),
    // Whoever pays by one transaction shows nothing that the next one will show again.
    own: null,
    voucher: null,
    expiresAtMs,
    lookup: publicFacts({
      challengeId: id,
      method: stringAt(challenge, 'method'),
      currency: stringAt(terms, 'currency'),
      recipient: stringAt(terms, 'recipient'),
    }),
    content,
  };
}

const MANAGES = ['topUp', 'close'] as const;

/**
 * A session does not expire with its challenge: the payee can close the channel with the voucher at any later time. Its
 * cap is the voucher's cumulative amount, which bounds what this request can cost from above.
 */
function session(content: JsonObject, challenge: JsonObject, payload: JsonObject): DecodedCredential | Undecodable {
  const descriptor = objectAt(payload, 'descriptor');
  const channelId = channelOf(challenge, payload);
  if (typeof channelId === 'object') return channelId;
  const channel = identityPart(channelId);
  const cumulative = parseAtomic(stringAt(payload, 'cumulativeAmount') ?? '');
  const manages = MANAGES.find((action) => action === stringAt(payload, 'action'));
  const problem = manages === 'topUp' ? topUpProblem(payload) : undefined;
  if (problem !== undefined) return undecodable(problem);
  // By its content alone a voucher would not be held against what its channel has paid, and would pay again under other text.
  if (manages !== 'topUp' && cumulative === undefined)
    return undecodable('its cumulative amount is not a plain integer in text');
  return {
    protocol: 'mpp',
    scheme: 'session',
    identity: `mpp:session:${channel}:${sessionIdentity(payload, cumulative)}`,
    ...(manages && { manages, channel }),
    metered: true,
    closesAtZero: true,
    // A top-up moves a deposit and carries no voucher: nothing may be charged on it.
    cap: cumulative ?? toAtomic(0n),
    account: accountOf(stringAt(descriptor, 'payer') ?? stringAt(content, 'source')),
    own: { name: `mpp:channel:${channel}`, good: true },
    voucher: cumulative === undefined ? null : { channel, cumulative },
    expiresAtMs: null,
    lookup: publicFacts({ channelId, cumulativeAmount: cumulative, method: stringAt(challenge, 'method') }),
    content,
  };
}

/** One channel has one name: under another it would have a sum of its own, and its voucher would pay once more. */
function channelOf(challenge: JsonObject, payload: JsonObject): string | Undecodable {
  const descriptor = objectAt(payload, 'descriptor');
  const stated = [payload, descriptor].map((where) => valueAt(where, 'channelId')).filter((id) => id !== undefined);
  const { read, form } = namesOf(stringAt(challenge, 'method'), stated);
  const known = stated.map(read);
  if (known.includes(undefined)) return undecodable(`its channel id is not ${form}`);
  const computed = channelIdOf(descriptor, objectAt(requestOf(challenge), 'methodDetails'));
  const [channelId, ...others] = [...(computed === undefined ? [] : [computed]), ...known];
  if (channelId === undefined) return undecodable('it names no channel');
  return others.every((other) => other === channelId) ? channelId : undecodable('its descriptor is of another channel');
}

/** Only Tempo's names are known to be 256 bits in hex; those of other methods are names to the letter. */
function namesOf(method: string | undefined, stated: readonly unknown[]) {
  const isHex = method === undefined || method === 'tempo' || stated.some((id) => /^0x/i.test(String(id)));
  return isHex
    ? { read: parseChannelId, form: '0x and 64 hex digits' }
    : { read: (id: unknown) => (typeof id === 'string' && id !== '' ? id : undefined), form: 'a name' };
}

const HEX = /^0x([0-9a-f]{2})+$/i;

/** It is its transaction, and says nothing of a voucher: whoever may name an amount here could take a voucher's place. */
function topUpProblem(payload: JsonObject): string | undefined {
  if (valueAt(payload, 'cumulativeAmount') !== undefined)
    return 'its top-up states a cumulative amount: a top-up carries no voucher';
  return HEX.test(stringAt(payload, 'transaction') ?? '') ? undefined : 'its top-up carries no transaction in hex';
}

/** A voucher is its channel and amount. A close bears the voucher that was paid with last, and is not that payment. */
function sessionIdentity(payload: JsonObject, cumulative: AtomicAmount | undefined): string {
  const action = stringAt(payload, 'action');
  if (action === 'topUp') return `topUp:${sha256(lowerHex(stringAt(payload, 'transaction') ?? ''))}`;
  return action === 'close' ? `${cumulative}:close` : `${cumulative}`;
}

/** The standard form is base64url of JSON; a caller of our API may have decoded it already. */
function requestOf(challenge: JsonObject): JsonObject | undefined {
  const request = valueAt(challenge, 'request');
  if (request === undefined) return {};
  const decoded = typeof request === 'string' ? parseJson(fromBase64(request) ?? '') : request;
  return isObject(decoded) ? decoded : undefined;
}

/**
 * `request.amount` is atomic digits (mppx); written with a decimal point it is a decimal. The flat `challenge.amount` of
 * ATXP's own challenges is a decimal, except for Solana, where it is atomic. Null: it states none.
 */
function chargeAmount(challenge: JsonObject, request: JsonObject, decimals: number): AtomicAmount | null | undefined {
  const standard = valueAt(request, 'amount');
  const flat = valueAt(challenge, 'amount');
  const amount = standard ?? flat;
  if (amount === undefined) return null;
  if (typeof amount !== 'string') return undefined;
  const atomic = standard === undefined ? stringAt(challenge, 'method') === 'solana' : !amount.includes('.');
  if (atomic) return parseAtomic(amount);
  const parsed = parseDecimal(amount, decimals);
  return parsed === undefined ? undefined : parseAtomic(parsed.toString());
}

const accountOf = (source: string | undefined): string | null =>
  source === undefined ? null : (accountName('mpp', source) ?? null);
