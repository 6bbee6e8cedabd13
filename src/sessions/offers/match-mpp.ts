import { Challenge, PaymentRequest } from 'mppx';
import { parseChannelId } from '../../domain/channels/channel.js';
import type { JsonObject } from '../../domain/json.js';
import { parseAtomic } from '../../domain/money.js';
import { channelIdOf } from '../../protocols/channel-id.js';
import { objectAt, stringAt } from '../../protocols/wire-json.js';
import { readOpaque } from './challenge-opaque.js';
import { firstMismatch, type Mismatch, sameJson, unknownKey } from './match-json.js';
import { MPP_METHOD, type Offer } from './offers.js';

export const CHALLENGE_EXPIRED = 'its challenge has expired';

export interface MppIssuer {
  readonly secretKey: string;
  readonly realm: string;
}

/** What was offered, where, and at which time the answer is looked at (Unix ms). */
export interface MppOffered {
  readonly offer: Offer;
  readonly request: JsonObject;
  readonly target: string;
  readonly nowMs: number;
}

/**
 * Whether an MPP credential answers a challenge of ours for exactly this offer. The challenge proves itself by its id, an
 * HMAC over everything in it (npm mppx, Challenge.verify), so it needs no storage and any server knows it.
 */
export function mppMismatch(content: JsonObject, offered: MppOffered, issuer: MppIssuer): Mismatch {
  const stated = objectAt(content, 'challenge');
  const payload = objectAt(content, 'payload');
  if (stated === undefined || payload === undefined) return 'it has no challenge or no payload';
  const challenge = readChallenge(stated);
  if (challenge === undefined) return 'its challenge is not readable';
  return firstMismatch(
    () => unknownKey(content, ['challenge', 'payload', 'source']),
    () => unknownKey(stated, ['id', 'realm', 'method', 'intent', 'request', 'expires', 'opaque']),
    () =>
      Challenge.verify(challenge, { secretKey: issuer.secretKey }) ? undefined : 'its challenge is not one of ours',
    () =>
      challenge.realm === issuer.realm && challenge.method === MPP_METHOD
        ? undefined
        : 'its challenge is for another realm or method',
    () => (challenge.intent === offered.offer.scheme ? undefined : 'its intent is not the one that was offered'),
    // To the letter: other text that decodes to the same request would be sent on to whoever settles it.
    () =>
      stated['request'] === PaymentRequest.serialize(offered.request)
        ? undefined
        : 'its request is not the one that was offered',
    () => (readOpaque(challenge).isFor(offered.target) ? undefined : 'its resource is not this one'),
    () => (Date.parse(challenge.expires ?? '') > offered.nowMs ? undefined : CHALLENGE_EXPIRED),
    () => sourceMismatch(content, offered.offer),
    () => (offered.offer.scheme === 'session' ? voucherMismatch(payload, offered) : chargeMismatch(payload)),
  );
}

/** The challenge that a credential states; undefined: it is none. Whose it is has to be verified. */
export function readChallenge(stated: JsonObject): Challenge.Challenge | undefined {
  const request = stringAt(stated, 'request');
  if (request === undefined) return undefined;
  try {
    return Challenge.Schema.parse({ ...stated, request: PaymentRequest.deserialize(request) });
  } catch {
    return undefined;
  }
}

/** `did:pkh:eip155:<chain>:<address>`, where the payer says who it is. */
function sourceMismatch(content: JsonObject, offer: Offer): Mismatch {
  if (!Object.hasOwn(content, 'source')) return undefined;
  const source = stringAt(content, 'source') ?? '';
  return source.startsWith(`did:pkh:${offer.network}:`) ? undefined : 'its source is on another network';
}

/** A charge with the parts of a voucher would be read as a session by those who settle it. */
function chargeMismatch(payload: JsonObject): Mismatch {
  return unknownKey(payload, ['type', 'signature', 'hash']);
}

const TOP_UP = ['action', 'type', 'channelId', 'descriptor', 'transaction', 'additionalDeposit'];
const ACTIONS = ['open', 'voucher', 'topUp', 'close'] as const;

function voucherMismatch(payload: JsonObject, { offer, request }: MppOffered): Mismatch {
  const descriptor = objectAt(payload, 'descriptor');
  const details = objectAt(request, 'methodDetails');
  const action = ACTIONS.find((known) => known === stringAt(payload, 'action'));
  const cumulative = parseAtomic(stringAt(payload, 'cumulativeAmount') ?? '');
  const agrees = (name: string, offered: string | undefined) =>
    descriptor === undefined ||
    offered === undefined ||
    !Object.hasOwn(descriptor, name) ||
    sameJson(descriptor[name], offered);
  return firstMismatch(
    () => (action === undefined ? `its action is none of ${ACTIONS.join(', ')}` : undefined),
    () => channelMismatch(payload, details),
    () => (action === 'topUp' ? unknownKey(payload, TOP_UP) : undefined),
    () =>
      action === 'topUp' ||
      (cumulative !== undefined && (action === 'close' || BigInt(cumulative) >= BigInt(offer.amount)))
        ? undefined
        : 'its voucher does not cover the offer',
    () => (agrees('payee', offer.payTo) ? undefined : 'its channel pays somebody else'),
    () => (agrees('token', offer.asset) ? undefined : 'its channel holds another token'),
    () => (agrees('operator', stringAt(details, 'operator')) ? undefined : 'its channel has another operator'),
  );
}

/** The id of a channel follows from its descriptor, chain and escrow: another one beside that would be a second name of it. */
function channelMismatch(payload: JsonObject, details: JsonObject | undefined): Mismatch {
  const channelId = parseChannelId(stringAt(payload, 'channelId'));
  if (channelId === undefined) return 'its channel id is not 0x and 64 hex digits';
  if (!Object.hasOwn(payload, 'descriptor')) return undefined;
  return channelId === channelIdOf(objectAt(payload, 'descriptor'), details)
    ? undefined
    : 'its descriptor is of another channel';
}
