import { Challenge } from 'mppx';
import { Session } from 'mppx/tempo';
import { type FieldReader, fieldsOf } from './challenge-fields.js';
import type { ChannelDescriptor } from './channel-store.js';
import { channelKey, sameHex } from './channel-store.js';
import { SessionPaymentError } from './errors.js';

type Hex = `0x${string}`;

/** A voucher that the server says we signed. It proves itself by its signature, or it proves nothing. */
export interface ShownVoucher {
  readonly channelId: Hex;
  readonly cumulative: bigint;
  readonly signature: Hex;
}

/** What the server says about a channel of ours. Only `voucher` can raise what is signed, and only when it verifies. */
export interface SessionHints {
  readonly channelId?: Hex;
  readonly accepted?: bigint;
  readonly spent?: bigint;
  readonly deposit?: bigint;
  readonly required?: bigint;
  readonly descriptor?: ChannelDescriptor;
  readonly voucher?: ShownVoucher;
}

/** One challenge to pay with a voucher, read and checked field by field. */
export interface SessionTerms {
  readonly challenge: Challenge.Challenge;
  /** The header that the credential must stand in. */
  readonly header: string;
  readonly amount: bigint;
  readonly payee: Hex;
  readonly token: Hex;
  readonly escrow: Hex;
  readonly chainId: number;
  readonly suggestedDeposit?: bigint;
  readonly expiresAtMs?: number;
  readonly hints: SessionHints;
  /** Of the channel store: channels of another payee, token, escrow or chain are never touched. */
  readonly key: string;
}

const ESCROW = Session.Precompile.Constants.tip20ChannelEscrow;
const CREDENTIAL_HEADERS = ['authorization', 'payment-authorization'];

/**
 * The session challenge of a 402, among those of other schemes and methods, which are ignored.
 * @returns undefined where none is for this client
 * @throws SessionPaymentError where one is, and cannot be paid as it stands
 */
export function sessionTerms(headers: Headers): SessionTerms | undefined {
  const offered = splitSchemes(headers.get('WWW-Authenticate') ?? '').filter(isTempoSession);
  let first: unknown;
  for (const text of offered) {
    try {
      return readTerms(parse(text));
    } catch (error) {
      first ??= error;
    }
  }
  if (first !== undefined) throw first;
  return undefined;
}

const isTempoSession = (text: string): boolean =>
  /^Payment\s/i.test(text) && /\bmethod="tempo"/.test(text) && /\bintent="session"/.test(text);

/**
 * Cuts a header of several challenges into one text per scheme. mppx reads such a header as a whole and fails for all when
 * one is not of its form, which another payment method's may well be.
 */
function splitSchemes(header: string): string[] {
  const parts = header.match(/(?:"(?:\\.|[^"\\])*"|[^",])+/g) ?? [];
  return parts.reduce<string[]>((schemes, part) => {
    const text = part.trim();
    if (text === '') return schemes;
    const parameter = /^[!#$%&'*+.^_`|~\w-]+\s*=/.test(text);
    if (parameter && schemes.length > 0) schemes.push(`${schemes.pop()}, ${text}`);
    else schemes.push(text);
    return schemes;
  }, []);
}

function parse(text: string): Challenge.Challenge {
  try {
    return Challenge.deserialize(text);
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 200) : 'unknown';
    throw new SessionPaymentError('challenge_malformed', `the session challenge cannot be read (${why})`, {
      cause: error,
    });
  }
}

function readTerms(challenge: Challenge.Challenge): SessionTerms {
  const request = fieldsOf(challenge.request, 'request');
  const details = request.object('methodDetails');
  requireVersion(challenge);
  const amount = request.amount('amount');
  if (amount === 0n) throw new SessionPaymentError('challenge_malformed', "the challenge's request.amount is zero");
  const scope = {
    payee: request.address('recipient'),
    token: request.address('currency'),
    escrow: knownEscrow(details),
    chainId: details.chainId('chainId'),
  };
  return {
    challenge,
    header: credentialHeader(challenge),
    amount,
    ...scope,
    suggestedDeposit: request.optional('suggestedDeposit', (name) => request.amount(name)),
    expiresAtMs: challenge.expires === undefined ? undefined : Date.parse(challenge.expires),
    hints: readHints(details),
    key: channelKey(scope),
  };
}

function requireVersion(challenge: Challenge.Challenge): void {
  const { sessionProtocol } = challenge.request['methodDetails'] as Readonly<Record<string, unknown>>;
  if (sessionProtocol === 'v2') return;
  const stated = JSON.stringify(sessionProtocol)?.slice(0, 40) ?? 'none';
  throw new SessionPaymentError('unsupported_session', `the server speaks session protocol ${stated}, not v2`);
}

function knownEscrow(details: FieldReader): Hex {
  const stated = details.optional('escrowContract', (name) => details.address(name)) ?? ESCROW;
  if (sameHex(stated, ESCROW)) return ESCROW;
  throw new SessionPaymentError(
    'escrow_unknown',
    `the server wants deposits in ${stated}, not in the escrow ${ESCROW}`,
  );
}

/** A header of the server's choice would let it plant any header in a request. */
function credentialHeader(challenge: Challenge.Challenge): string {
  const header = Challenge.credentialHeader(challenge);
  if (CREDENTIAL_HEADERS.includes(header.toLowerCase())) return header;
  throw new SessionPaymentError('challenge_malformed', `the challenge wants its credential in the header ${header}`);
}

/** The flat hints and mppx's snapshot say the same in two forms; the flat ones win, a contradiction on the channel fails. */
function readHints(details: FieldReader): SessionHints {
  const snapshot = details.optional('sessionSnapshot', (name) => details.object(name));
  const flat = (name: string) => details.optional(name, (field) => details.amount(field));
  const either = (name: string) => flat(name) ?? snapshot?.amount(name);
  const channelId = details.optional('channelId', (name) => details.hash(name));
  const shown = snapshot?.hash('channelId');
  if (channelId !== undefined && shown !== undefined && !sameHex(channelId, shown))
    throw new SessionPaymentError(
      'challenge_malformed',
      "the challenge's channelId and its sessionSnapshot are of two channels",
    );
  return {
    channelId: channelId ?? shown,
    accepted: either('acceptedCumulative'),
    spent: either('spent'),
    deposit: either('deposit'),
    required: either('requiredCumulative'),
    ...(snapshot && readSnapshot(snapshot)),
  };
}

function readSnapshot(snapshot: FieldReader): Pick<SessionHints, 'descriptor' | 'voucher'> {
  // Read for their form alone: what they say is compared with the chain or with our own signature.
  for (const name of ['acceptedCumulative', 'deposit', 'requiredCumulative', 'settled', 'spent']) snapshot.amount(name);
  snapshot.chainId('chainId');
  snapshot.address('escrow');
  const voucher = snapshot.optional('highestVoucher', (name) => snapshot.object(name));
  return {
    descriptor: readDescriptor(snapshot.object('descriptor')),
    voucher: voucher && {
      channelId: voucher.hash('channelId'),
      cumulative: voucher.amount('cumulativeAmount'),
      signature: voucher.bytes('signature'),
    },
  };
}

function readDescriptor(descriptor: FieldReader): ChannelDescriptor {
  return {
    payer: descriptor.address('payer'),
    payee: descriptor.address('payee'),
    operator: descriptor.address('operator'),
    token: descriptor.address('token'),
    salt: descriptor.hash('salt'),
    authorizedSigner: descriptor.address('authorizedSigner'),
    expiringNonceHash: descriptor.hash('expiringNonceHash'),
  };
}
