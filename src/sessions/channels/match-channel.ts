import { Challenge } from 'mppx';
import { type ChannelId, parseChannelId } from '../../domain/channels/channel.js';
import type { ChannelRefusal } from '../../domain/channels/channel-problems.js';
import type { JsonObject } from '../../domain/json.js';
import {
  fromBase64,
  isObject,
  MAX_CREDENTIAL_BYTES,
  objectAt,
  parseJson,
  stringAt,
} from '../../protocols/wire-json.js';
import { readOpaque } from '../offers/challenge-opaque.js';
import { sameJson } from '../offers/match-json.js';
import { type MppIssuer, readChallenge } from '../offers/match-mpp.js';
import { MPP_METHOD } from '../offers/offers.js';
import { type ChannelOffer, channelRequest, HINTS } from './channel-offer.js';

const ACTIONS = ['open', 'voucher', 'topUp', 'close'] as const;
export type ChannelAction = (typeof ACTIONS)[number];

/** A credential that answers a challenge of ours for this offer; what its payload claims is not verified yet. */
export interface ChannelCredential {
  /** As it came, without the scheme's name. Secret. */
  readonly raw: string;
  readonly challengeId: string;
  /** The channel whose payer alone was given this challenge; undefined: anybody could have asked for it. */
  readonly givenTo: ChannelId | undefined;
  readonly action: ChannelAction;
  readonly channelId: ChannelId;
  /** 0 for a top-up, which carries no voucher. */
  readonly cumulative: bigint;
  readonly signature: string;
}

export interface MatchedOn {
  readonly offer: ChannelOffer;
  readonly path: string;
  readonly nowMs: number;
  readonly mpp: MppIssuer;
}

/** `expired`: everything matches but its time. It pays for nothing, and may still say who asks. */
export interface MatchedCredential {
  readonly kind: 'match' | 'expired';
  readonly credential: ChannelCredential;
}

export type ChannelMatch = MatchedCredential | { readonly kind: 'refused'; readonly refusal: ChannelRefusal };

const refuse = (problem: ChannelRefusal['problem'], detail: string): ChannelMatch => ({
  kind: 'refused',
  refusal: { problem, detail },
});

/** The content of an MPP credential; undefined when it is not readable as one. */
export function readMppContent(raw: string): JsonObject | undefined {
  if (raw.length > MAX_CREDENTIAL_BYTES) return undefined;
  const content = parseJson(fromBase64(raw) ?? '');
  return isObject(content) ? content : undefined;
}

/** Whether an MPP credential is about a channel, however wrong the rest of it may be. */
export const isAboutChannel = (content: JsonObject): boolean =>
  stringAt(objectAt(content, 'challenge'), 'intent') === 'session' ||
  ACTIONS.some((action) => action === stringAt(objectAt(content, 'payload'), 'action'));

/** Holds a credential against our own offer, as far as that needs neither ledger nor chain. */
export function matchChannel(raw: string, content: JsonObject | undefined, on: MatchedOn): ChannelMatch {
  const stated = objectAt(content, 'challenge');
  const payload = objectAt(content, 'payload');
  if (stated === undefined || payload === undefined)
    return refuse('malformed-credential', 'The credential is not readable: it must hold a challenge and a payload.');
  const challenge = readChallenge(stated);
  if (challenge === undefined)
    return refuse('malformed-credential', 'The challenge of the credential is not readable.');
  if (!Challenge.verify(challenge, { secretKey: on.mpp.secretKey }))
    return refuse(
      'invalid-challenge',
      'The challenge of the credential was not issued by this server, or was changed.',
    );
  const other = differenceOf(challenge, on);
  if (other !== undefined)
    return refuse('invalid-challenge', `The ${other} of the credential's challenge is not what is offered here.`);
  if (!sourceSpends(content, payload, on.offer.terms.chainId))
    return refuse(
      'verification-failed',
      'The source of the credential is neither the payer of the channel nor its signer.',
    );
  const match = matchPayload(raw, challenge, payload);
  const expired = !(Date.parse(challenge.expires ?? '') > on.nowMs);
  return match.kind === 'match' && expired ? { ...match, kind: 'expired' } : match;
}

/** The name of what is not ours; hints may be of any time, because vouchers are judged by what is true now. */
function differenceOf(challenge: Challenge.Challenge, { offer, path, mpp }: MatchedOn): string | undefined {
  if (challenge.realm !== mpp.realm) return 'realm';
  if (challenge.method !== MPP_METHOD) return 'method';
  if (challenge.intent !== 'session') return 'intent';
  if (!readOpaque(challenge).isFor(path)) return 'resource';
  const stated = parseJson(JSON.stringify(challenge.request));
  if (!isObject(stated)) return 'request';
  const details = Object.entries(objectAt(stated, 'methodDetails') ?? {}).filter(
    ([name]) => !(HINTS as readonly string[]).includes(name),
  );
  return sameJson({ ...stated, methodDetails: Object.fromEntries(details) }, channelRequest(offer))
    ? undefined
    : 'request';
}

/** Where the client says who it is (`did:pkh:eip155:<chain>:<address>`), it is one who may spend from the channel. */
function sourceSpends(content: JsonObject | undefined, payload: JsonObject, chainId: number): boolean {
  if (content === undefined || !Object.hasOwn(content, 'source')) return true;
  const source = (stringAt(content, 'source') ?? '').toLowerCase();
  const descriptor = objectAt(payload, 'descriptor');
  return ['payer', 'authorizedSigner'].some(
    (name) => source === `did:pkh:eip155:${chainId}:${stringAt(descriptor, name) ?? ''}`.toLowerCase(),
  );
}

function matchPayload(raw: string, challenge: Challenge.Challenge, payload: JsonObject): ChannelMatch {
  const action = ACTIONS.find((known) => known === stringAt(payload, 'action'));
  if (action === undefined)
    return refuse('invalid-payload', `The action of the payload is none of ${ACTIONS.join(', ')}.`);
  const channelId = parseChannelId(stringAt(payload, 'channelId'));
  if (channelId === undefined) return refuse('invalid-payload', 'The payload names no channel (0x and 64 hex digits).');
  if (objectAt(payload, 'descriptor') === undefined)
    return refuse('invalid-payload', 'The payload has no descriptor of its channel.');
  const givenTo = parseChannelId(readOpaque(challenge).givenTo);
  const common = { raw, challengeId: challenge.id, givenTo, action, channelId };
  if (action === 'topUp') return { kind: 'match', credential: { ...common, cumulative: 0n, signature: '' } };
  const cumulative = stringAt(payload, 'cumulativeAmount') ?? '';
  if (!/^[0-9]{1,29}$/.test(cumulative))
    return refuse('invalid-payload', 'The cumulativeAmount of the payload is not a string of digits.');
  const signature = stringAt(payload, 'signature') ?? '';
  if (!/^0x[0-9a-fA-F]{2,4096}$/.test(signature))
    return refuse('invalid-payload', 'The signature of the payload is not hex digits after 0x.');
  return {
    kind: 'match',
    credential: { ...common, cumulative: BigInt(cumulative), signature: signature.toLowerCase() },
  };
}
