import { assertNever } from '../../domain/assert-never.js';
import type { Clock } from '../../domain/clock.js';
import type { JsonObject } from '../../domain/json.js';
import { parseDecimal } from '../../domain/money.js';
import { type DecodedCredential, isUndecodable, type SettlementContext } from '../../protocols/credential.js';
import { decodeCredential } from '../../protocols/decode-credential.js';
import type { FoundCredential } from '../../protocols/find-credential.js';
import { canonicalJson, isObject, valueAt } from '../../protocols/wire-json.js';
import { canonicalNetwork } from '../../protocols/x402-networks.js';
import { type Mismatch, sameJson } from './match-json.js';
import { type MppIssuer, mppMismatch } from './match-mpp.js';
import { x402Mismatch } from './match-x402.js';
import { atxpOption, mppRequest, type Offer, type SupportedSchemes, x402Accept } from './offers.js';
import type { RequestIds } from './request-ids.js';
import { type ResourceInfo, sameResource } from './resource.js';
import type { OfferedExtensions } from './x402-extensions.js';

export interface MatchDependencies {
  readonly mpp: MppIssuer | undefined;
  readonly requestIds: RequestIds;
  readonly credentialValidityMs: number;
  readonly destinationAccountId?: string;
  readonly clock: Clock;
}

/** Where the credential was presented: what was offered there, to be paid for what. */
export interface Presented {
  readonly offers: readonly Offer[];
  readonly supportedSchemes: SupportedSchemes;
  readonly resource: ResourceInfo;
  /** Of x402. */
  readonly extensions: OfferedExtensions;
  /** Path and query of the resource (`Resource`). */
  readonly target: string;
}

/** A credential, and the offer that it was held against, where there is one. */
export interface ReadCredential extends Partial<HeldAgainst> {
  readonly credential: DecodedCredential;
}

interface HeldAgainst {
  readonly offer: Offer;
  readonly context: SettlementContext;
}

/** `read`: what could be read of one that is no match. It may have been taken before, whatever is offered by now. */
export type Match =
  | ({ readonly kind: 'match'; readonly credential: DecodedCredential } & HeldAgainst)
  | { readonly kind: 'mismatch'; readonly why: string; readonly read?: ReadCredential }
  /** It may well be one of ours; what the auth server must tell us for that is not known now. */
  | { readonly kind: 'undecided'; readonly why: string; readonly read?: ReadCredential };

/**
 * Holds a credential against our own offers. Whatever it states must be one of them, exactly; the context that verify and
 * settle get is built from that offer alone, so a credential can never choose what it is verified against.
 */
export function matchOffer(found: FoundCredential, presented: Presented, dependencies: MatchDependencies): Match {
  const offer = presented.offers.find((candidate) => candidate.protocol === found.protocol);
  if (offer === undefined)
    return { kind: 'mismatch', why: 'this protocol is not offered here', ...readAlone(found, dependencies) };
  const terms = offeredTerms(offer, presented, dependencies);
  if (terms === undefined) {
    const why = `the auth server has not told yet how ${offer.scheme} is settled here`;
    return { kind: 'undecided', why, ...readAlone(found, dependencies) };
  }
  const context = contextOf(found, terms, dependencies);
  const credential = decodeCredential(found.protocol, found.raw, context, offer.decimals);
  if (isUndecodable(credential))
    return { kind: 'mismatch', why: credential.undecodable, ...readAlone(found, dependencies) };
  const read = { offer, credential, context };
  const why =
    credential.scheme === offer.scheme
      ? (requestMismatch(found, terms, dependencies) ??
        termsMismatch(credential, terms, dependencies) ??
        amountMismatch(credential, offer))
      : 'its scheme is not the one that was offered';
  if (why === undefined) return { kind: 'match', ...read };
  return { kind: 'mismatch', why, ...readAlone(found, dependencies, read) };
}

/** An MPP voucher is cumulative over its channel: it covers the offer (its terms were looked at) and need not equal it. */
const amountMismatch = ({ cap }: DecodedCredential, { scheme, amount }: Offer): Mismatch =>
  scheme === 'session' || cap === null || cap === amount ? undefined : 'its amount is not the one that was offered';

/**
 * By what it says itself, which is enough to know it again. Terms that it does not fit could name it otherwise than it was
 * taken: the identity of an x402 payment holds its network.
 */
export function readAlone(
  { protocol, raw, paymentRequestId }: FoundCredential,
  { requestIds }: MatchDependencies,
  otherwise?: ReadCredential,
): { readonly read?: ReadCredential } {
  const claimed = protocol === 'atxp' ? requestIds.read(paymentRequestId, '') : undefined;
  const ours = claimed === undefined || claimed.kind === 'unknown' ? {} : { paymentRequestId: claimed.id };
  const credential = decodeCredential(protocol, raw, ours);
  if (!isUndecodable(credential)) return { read: { ...otherwise, credential } };
  return otherwise ? { read: otherwise } : {};
}

/** An offer in the form of its protocol. */
type OfferedTerms =
  | { readonly protocol: 'x402'; readonly offer: Offer; readonly accept: JsonObject; readonly presented: Presented }
  | { readonly protocol: 'mpp'; readonly offer: Offer; readonly request: JsonObject; readonly presented: Presented }
  | { readonly protocol: 'atxp'; readonly offer: Offer; readonly option: JsonObject; readonly presented: Presented };

function offeredTerms(
  offer: Offer,
  presented: Presented,
  { credentialValidityMs }: MatchDependencies,
): OfferedTerms | undefined {
  switch (offer.protocol) {
    case 'x402': {
      const accept = x402Accept(offer, presented.supportedSchemes, credentialValidityMs);
      return accept && { protocol: 'x402', offer, accept, presented };
    }
    case 'mpp': {
      const request = mppRequest(offer, presented.supportedSchemes);
      return request && { protocol: 'mpp', offer, request, presented };
    }
    case 'atxp':
      return { protocol: 'atxp', offer, option: { ...atxpOption(offer) }, presented };
    default:
      return assertNever(offer.protocol);
  }
}

function contextOf(found: FoundCredential, terms: OfferedTerms, dependencies: MatchDependencies): SettlementContext {
  const { destinationAccountId, requestIds } = dependencies;
  const common = destinationAccountId === undefined ? {} : { destinationAccountId };
  if (terms.protocol === 'x402') return { ...common, paymentRequirements: terms.accept };
  // The id of a challenge identifies an MPP payment, a nonce an x402 one: a request id could only confuse either.
  if (terms.protocol === 'mpp') return common;
  // One that is not for this is refused below, and tells whether it was taken.
  const claimed = requestIds.read(found.paymentRequestId, offeredFor(terms.offer, terms.presented.target));
  return { ...common, options: [terms.option], ...(claimed.kind !== 'unknown' && { paymentRequestId: claimed.id }) };
}

/** A payment request for something else is an answer to that; an id that cannot be ours counts for nothing. */
function requestMismatch(found: FoundCredential, terms: OfferedTerms, { requestIds }: MatchDependencies): Mismatch {
  if (terms.protocol !== 'atxp') return undefined;
  const claimed = requestIds.read(found.paymentRequestId, offeredFor(terms.offer, terms.presented.target));
  return claimed.kind === 'not_for_this' ? 'its payment request is not one of ours for this resource' : undefined;
}

/** What a payment request id is bound to. */
export const offeredFor = (offer: Offer, target: string): string =>
  canonicalJson({ ...atxpOption(offer), asset: offer.asset, target });

function termsMismatch(
  { content }: DecodedCredential,
  terms: OfferedTerms,
  { mpp, clock, destinationAccountId }: MatchDependencies,
): Mismatch {
  const { offer, presented } = terms;
  switch (terms.protocol) {
    case 'x402':
      return x402Mismatch(content, offer, terms.accept, presented);
    case 'mpp':
      if (mpp === undefined) return 'MPP is not offered here';
      return mppMismatch(
        content,
        { offer, request: terms.request, target: presented.target, nowMs: clock.nowMs() },
        mpp,
      );
    case 'atxp':
      return atxpMismatch(content, terms, destinationAccountId);
    default:
      return assertNever(terms);
  }
}

/** ATXP credentials may restate the options they answer; the amounts they are charged by are ours in any case. */
function atxpMismatch(
  content: JsonObject,
  { offer, presented: { resource } }: OfferedTerms,
  destinationAccountId: string | undefined,
): Mismatch {
  const options = valueAt(content, 'options');
  if (options !== undefined && (!Array.isArray(options) || options.length === 0)) return 'its options are not readable';
  for (const option of [...((options as readonly JsonObject[] | undefined) ?? []), content]) {
    if (!isObject(option)) return 'its options are not readable';
    if (!statesOffer(option, offer)) return 'its options are not the ones that were offered';
  }
  const stated = valueAt(content, 'resource');
  if (stated !== undefined && !(typeof stated === 'string' && sameResource(stated, resource.url)))
    return 'its resource is not this one';
  const destination = valueAt(content, 'destinationAccountId');
  return destination === undefined || destination === destinationAccountId
    ? undefined
    : 'its destination is somebody else';
}

/** Where it states network, currency, address, asset or amount, they are the offer's. */
function statesOffer(stated: JsonObject, offer: Offer): boolean {
  const own = atxpOption(offer);
  const says = (name: string, matches: (text: string) => boolean): boolean => {
    const value = valueAt(stated, name);
    const text = typeof value === 'number' ? String(value) : value;
    return text === undefined ? !Object.hasOwn(stated, name) : typeof text === 'string' && matches(text);
  };
  const pays = (text: string): boolean => sameJson(text, offer.payTo);
  return (
    says('network', (text) => text === own.network || canonicalNetwork(text.replaceAll('_', '-')) === offer.network) &&
    says('currency', (text) => text.toUpperCase() === own.currency.toUpperCase()) &&
    says('amount', (text) => parseDecimal(text, offer.decimals) === BigInt(offer.amount)) &&
    says('asset', (text) => sameJson(text, offer.asset)) &&
    says('address', pays) &&
    says('payTo', pays) &&
    says('destination', pays) &&
    says('recipient', pays)
  );
}
