import type { JsonObject } from '../../domain/json.js';
import { parseAtomic } from '../../domain/money.js';
import { objectAt, stringAt, valueAt } from '../../protocols/wire-json.js';
import { canonicalNetwork } from '../../protocols/x402-networks.js';
import { firstMismatch, type Mismatch, offeredMismatch, sameJson, unknownKey } from './match-json.js';
import type { Offer } from './offers.js';
import { type ResourceInfo, sameResource } from './resource.js';
import { extensionsMismatch, type OfferedExtensions } from './x402-extensions.js';

/**
 * The contracts that a Permit2 authorization for `upto` may name as its spender: x402's own, deployed at one address on
 * every chain, and its earlier deployment (x402 specification of the scheme `upto` for EVM).
 */
const UPTO_SPENDERS = ['0x4020a4f3b7b90cca423b9fabcc0ce57c6c240002', '0x4020633461b2895a48930ff97ee8fcde8e520002'];

/**
 * Whether an x402 credential answers exactly this accept: everything it states, in the envelope and in the signed part.
 * The signature itself is the auth server's to check.
 */
export function x402Mismatch(
  content: JsonObject,
  offer: Offer,
  accept: JsonObject,
  { resource, extensions }: { readonly resource: ResourceInfo; readonly extensions: OfferedExtensions },
): Mismatch {
  const payload = objectAt(content, 'payload');
  if (payload === undefined) return 'it has no payload';
  return firstMismatch(
    () => unknownKey(content, ['x402Version', 'scheme', 'network', 'accepted', 'resource', 'payload', 'extensions']),
    () => envelopeMismatch(content, offer, accept),
    () => extensionsMismatch(content['extensions'], extensions),
    () => resourceMismatch(content, resource),
    () => (offer.scheme === 'exact' ? eip3009Mismatch(payload, offer) : permit2Mismatch(payload, offer, accept)),
  );
}

function envelopeMismatch(content: JsonObject, offer: Offer, accept: JsonObject): Mismatch {
  const accepted = objectAt(content, 'accepted');
  const isV1 = valueAt(content, 'x402Version') === 1;
  if (!isV1 && valueAt(content, 'x402Version') !== 2) return 'its x402Version is neither 1 nor 2';
  if (!isV1 && accepted === undefined) return 'it does not state what it accepted';
  return firstMismatch(
    () =>
      isV1 && (stringAt(content, 'scheme') === undefined || stringAt(content, 'network') === undefined)
        ? 'it does not state scheme and network'
        : undefined,
    () =>
      Object.hasOwn(content, 'accepted') && accepted === undefined ? 'what it accepted is not readable' : undefined,
    () => (accepted ? offeredMismatch(accepted, accept, ['scheme', 'network', 'amount', 'asset', 'payTo']) : undefined),
    () =>
      Object.hasOwn(content, 'scheme') && content['scheme'] !== offer.scheme
        ? 'its scheme is not the one that was offered'
        : undefined,
    () =>
      Object.hasOwn(content, 'network') && canonicalNetwork(stringAt(content, 'network') ?? '') !== offer.network
        ? 'its network is not the one that was offered'
        : undefined,
  );
}

function resourceMismatch(content: JsonObject, resource: ResourceInfo): Mismatch {
  const stated = valueAt(content, 'resource');
  if (stated === undefined) return undefined;
  const object = typeof stated === 'string' ? { url: stated } : objectAt(content, 'resource');
  if (object === undefined) return 'its resource is not readable';
  const url = stringAt(object, 'url');
  const same = url !== undefined && sameResource(url, resource.url);
  return same && offeredMismatch({ ...object, url: resource.url }, resource, ['url']) === undefined
    ? undefined
    : 'its resource is not this one';
}

/** EIP-3009: the token is not in the signed fields; it is the verifying contract of the signature, which we name. */
function eip3009Mismatch(payload: JsonObject, offer: Offer): Mismatch {
  const signed = objectAt(payload, 'authorization');
  if (signed === undefined) return 'it holds no authorization';
  return firstMismatch(
    () => unknownKey(payload, ['signature', 'authorization']),
    () => unknownKey(signed, ['from', 'to', 'value', 'validAfter', 'validBefore', 'nonce']),
    () => (sameJson(signed['to'], offer.payTo) ? undefined : 'it pays somebody else'),
    () => amountMismatch(signed, 'value', offer),
    () => (Object.hasOwn(signed, 'validBefore') ? undefined : 'it does not state until when it is valid'),
  );
}

function permit2Mismatch(payload: JsonObject, offer: Offer, accept: JsonObject): Mismatch {
  const signed = objectAt(payload, 'permit2Authorization');
  const permitted = objectAt(signed, 'permitted');
  const witness = objectAt(signed, 'witness');
  if (signed === undefined || permitted === undefined || witness === undefined)
    return 'it holds no Permit2 authorization';
  const spender = stringAt(signed, 'spender')?.toLowerCase() ?? '';
  return firstMismatch(
    () => unknownKey(payload, ['signature', 'permit2Authorization']),
    () => unknownKey(signed, ['from', 'permitted', 'spender', 'nonce', 'deadline', 'witness']),
    () => unknownKey(permitted, ['token', 'amount']),
    () => unknownKey(witness, ['to', 'facilitator', 'validAfter', 'extra']),
    () => (sameJson(permitted['token'], offer.asset) ? undefined : 'it is for another token'),
    () => amountMismatch(permitted, 'amount', offer),
    () => (UPTO_SPENDERS.includes(spender) ? undefined : 'its spender is not the contract of the scheme'),
    () => (sameJson(witness['to'], offer.payTo) ? undefined : 'it pays somebody else'),
    () =>
      sameJson(witness['facilitator'], objectAt(accept, 'extra')?.['facilitatorAddress'])
        ? undefined
        : 'it names another facilitator',
    () => (Object.hasOwn(signed, 'deadline') ? undefined : 'it does not state until when it is valid'),
  );
}

function amountMismatch(signed: JsonObject, name: string, offer: Offer): Mismatch {
  const amount = parseAtomic(stringAt(signed, name) ?? '');
  return amount === offer.amount ? undefined : 'its signed amount is not the one that was offered';
}
