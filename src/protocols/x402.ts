import type { JsonObject, JsonValue } from '../domain/json.js';
import { type AtomicAmount, parseAtomic } from '../domain/money.js';
import type { DecodedCredential, SettlementContext, Undecodable } from './credential.js';
import {
  arrayAt,
  canonicalJson,
  identityPart,
  isObject,
  lowerHex,
  objectAt,
  publicFacts,
  sha256,
  stringAt,
  undecodable,
  valueAt,
} from './wire-json.js';
import { canonicalNetwork } from './x402-networks.js';

/** What the signed part of a credential states about itself, whatever the mechanism. */
interface SignedPart {
  /** Tells this payment from every other one on the same network. */
  readonly identity: string;
  readonly payer: string | null;
  readonly cap: AtomicAmount | null;
  readonly expiresAtMs: number | null;
  readonly facts: Readonly<Record<string, string | undefined>>;
}

/** Expiries past the year 9999 mean "never", and no database column could hold a uint256 of seconds. */
const LATEST_EXPIRY_SECONDS = 253_402_300_799n;

/**
 * x402 v1 (`X-PAYMENT`) and v2 (`PAYMENT-SIGNATURE`) payloads; which one it is, the content says, not the header.
 * Shapes: npm `@x402/core` types, and the scheme specifications of x402 for EVM (EIP-3009, Permit2) and Solana.
 *
 * The identity is taken from the signed part and the canonical network, and holds no asset: an EIP-3009 authorization
 * does not name its token, v1 does not name it anywhere, and v2 only claims it, so with the asset in it the same
 * authorization could appear under two identities and be charged twice. Without it the worst case is that a payer who
 * reuses one 32-byte nonce for two tokens is asked to sign again. Permit2 nonces are spent per owner whatever the token.
 */
export function decodeX402(content: JsonObject, context: SettlementContext): DecodedCredential | Undecodable {
  const accepted = objectAt(content, 'accepted');
  const version = valueAt(content, 'x402Version') ?? (accepted === undefined ? 1 : 2);
  if (version !== 1 && version !== 2) return undecodable('its x402Version is neither 1 nor 2');
  const requirements = requirementsFor(content, context);

  const stated = stringAt(accepted ?? content, 'scheme');
  const scheme = stringAt(requirements, 'scheme') ?? stated;
  if (scheme !== 'exact' && scheme !== 'upto') return undecodable('its x402 scheme is neither exact nor upto');
  if (stated !== undefined && stated !== scheme) return undecodable('its x402 scheme is not the one that was offered');
  const namedNetwork = stringAt(requirements, 'network') ?? stringAt(accepted ?? content, 'network');
  if (namedNetwork === undefined || namedNetwork === '') return undecodable('it names no network');
  const network = canonicalNetwork(namedNetwork);

  const signed = signedPart(content, network);
  if ('undecodable' in signed) return signed;
  const offeredAmount = stringAt(requirements, 'amount') ?? stringAt(requirements, 'maxAmountRequired');
  const cap = signed.cap ?? (offeredAmount === undefined ? null : parseAtomic(offeredAmount));
  if (cap === undefined) return undecodable('its amount is not a plain integer of atomic units');
  return {
    protocol: 'x402',
    scheme,
    version,
    identity: `x402:${networkPart(network)}:${signed.identity}`,
    metered: scheme === 'upto',
    closesAtZero: false,
    cap,
    account: signed.payer,
    own: signed.payer === null ? null : { name: signed.payer, good: true },
    voucher: null,
    expiresAtMs: signed.expiresAtMs,
    lookup: publicFacts({ network, asset: assetOf(requirements ?? accepted), ...signed.facts }),
    content,
  };
}

/**
 * The one accept that is charged: what the caller offered, else what the credential says it accepts. A caller may also
 * hand over a whole 402 body (`{accepts}`), as the ATXP SDK does; then the order of choice is that SDK's: network and
 * scheme of the credential, its network, any EVM offer, the first.
 */
export function requirementsFor(content: JsonObject, context: SettlementContext): JsonObject | undefined {
  const given = context.paymentRequirements;
  const accepted = objectAt(content, 'accepted');
  if (given === undefined) return accepted;
  const offers = arrayAt(given, 'accepts')?.filter(isObject);
  if (offers === undefined) return given;
  const claim = accepted ?? content;
  const network = canonicalNetwork(stringAt(claim, 'network') ?? '');
  const onNetwork = offers.filter((offer) => canonicalNetwork(stringAt(offer, 'network') ?? '') === network);
  return (
    onNetwork.find((offer) => stringAt(offer, 'scheme') === stringAt(claim, 'scheme')) ??
    onNetwork[0] ??
    offers.find((offer) => canonicalNetwork(stringAt(offer, 'network') ?? '').startsWith('eip155:')) ??
    offers[0]
  );
}

/** A payload that two mechanisms could read is refused: the provider might charge the one that we did not look at. */
function signedPart(content: JsonObject, network: string): SignedPart | Undecodable {
  const payload = objectAt(content, 'payload');
  const mechanisms = ['authorization', 'permit2Authorization', 'transaction'].filter(
    (key) => valueAt(payload, key) !== undefined,
  );
  if (mechanisms.length > 1) return undecodable('its payload can be read as more than one payment');
  if (mechanisms[0] === 'authorization') return eip3009(objectAt(payload, 'authorization'));
  if (mechanisms[0] === 'permit2Authorization') return permit2(objectAt(payload, 'permit2Authorization'));
  if (mechanisms[0] === 'transaction') return transaction(stringAt(payload, 'transaction'), network);
  return byContent(content);
}

function eip3009(authorization: JsonObject | undefined): SignedPart | Undecodable {
  const value = stringAt(authorization, 'value');
  return evmAuthorization(authorization, {
    kind: 'eip3009',
    amount: value ?? null,
    until: valueAt(authorization, 'validBefore') ?? valueAt(authorization, 'deadline'),
    facts: { to: lowerHexOf(stringAt(authorization, 'to')), value },
  });
}

function permit2(authorization: JsonObject | undefined): SignedPart | Undecodable {
  const permitted = objectAt(authorization, 'permitted');
  const value = stringAt(permitted, 'amount');
  const asset = lowerHexOf(stringAt(permitted, 'token'));
  return evmAuthorization(authorization, {
    kind: 'permit2',
    amount: value ?? null,
    until: valueAt(authorization, 'deadline'),
    facts: {
      to: lowerHexOf(stringAt(objectAt(authorization, 'witness'), 'to')),
      value,
      ...(asset === undefined ? {} : { asset }),
    },
  });
}

interface EvmTerms {
  readonly kind: 'eip3009' | 'permit2';
  readonly amount: string | null;
  readonly until: JsonValue | undefined;
  readonly facts: Readonly<Record<string, string | undefined>>;
}

function evmAuthorization(authorization: JsonObject | undefined, terms: EvmTerms): SignedPart | Undecodable {
  const from = stringAt(authorization, 'from')?.toLowerCase();
  if (from === undefined || !/^0x[0-9a-f]{40}$/.test(from)) return undecodable('its payer is not an EVM address');
  const number = uint256(valueAt(authorization, 'nonce'));
  if (number === undefined) return undecodable('its nonce is not a 256-bit integer');
  const nonce = `0x${number.toString(16).padStart(64, '0')}`;
  const cap = terms.amount === null ? null : parseAtomic(terms.amount);
  if (cap === undefined) return undecodable('its amount is not a plain integer of atomic units');
  const until = terms.until === undefined ? null : uint256(terms.until);
  if (until === undefined) return undecodable('its expiry is not a number of seconds');
  return {
    identity: `${terms.kind}:${from}:${nonce}`,
    payer: from,
    cap,
    expiresAtMs: until === null || until > LATEST_EXPIRY_SECONDS ? null : Number(until) * 1000,
    facts: { ...terms.facts, from, nonce },
  };
}

/**
 * Solana and other chains whose payload is one transaction, partly signed. On Solana the signatures are left out of the
 * digest: the fee payer's slot is still empty, so anybody could fill it with noise and make "another" payment of it.
 */
function transaction(encoded: string | undefined, network: string): SignedPart | Undecodable {
  if (encoded === undefined || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(encoded))
    return undecodable('its transaction is not base64');
  const bytes = Buffer.from(encoded, 'base64');
  const signatures = bytes[0] ?? 0;
  const start = 1 + 64 * signatures;
  const message =
    network.startsWith('solana:') && signatures < 128 && bytes.length > start ? bytes.subarray(start) : bytes;
  if (message.length === 0) return undecodable('its transaction is empty');
  const digest = sha256(message);
  return {
    identity: `transaction:${digest}`,
    payer: null,
    cap: null,
    expiresAtMs: null,
    facts: { transactionSha256: digest },
  };
}

/** Mechanisms we do not know: the signed part by its content, without the envelope that clients may vary freely. */
function byContent(content: JsonObject): SignedPart | Undecodable {
  const payload = valueAt(content, 'payload');
  if (payload === undefined) return undecodable('it has no payload');
  const digest = sha256(canonicalJson(payload));
  return {
    identity: `content:${digest}`,
    payer: null,
    cap: null,
    expiresAtMs: null,
    facts: { contentSha256: digest },
  };
}

/** Decimal or 0x-hex digits (both are on the wire, with or without leading zeros), or an integer that JSON kept exact. */
function uint256(value: JsonValue | undefined): bigint | undefined {
  const digits = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof digits !== 'string' || !/^([0-9]{1,100}|0[xX][0-9a-fA-F]{1,100})$/.test(digits)) return undefined;
  const number = BigInt(digits.toLowerCase());
  return number < 1n << 256n ? number : undefined;
}

const networkPart = (network: string): string =>
  /^[A-Za-z0-9-]{1,32}:[A-Za-z0-9_-]{1,64}$/.test(network) ? network : identityPart(network);

const lowerHexOf = (text: string | undefined): string | undefined => (text === undefined ? undefined : lowerHex(text));

const assetOf = (requirements: JsonObject | undefined): string | undefined =>
  lowerHexOf(stringAt(requirements, 'asset'));
