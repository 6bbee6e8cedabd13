import { assertNever } from '../../domain/assert-never.js';
import type { Clock } from '../../domain/clock.js';
import type { JsonObject } from '../../domain/json.js';
import { parseDecimal } from '../../domain/money.js';
import { type DecodedCredential, isUndecodable, type SettlementContext } from '../../protocols/credential.js';
import { decodeCredential } from '../../protocols/decode-credential.js';
import type { FoundCredential } from '../../protocols/find-credential.js';
import { arrayAt, canonicalJson, isObject, objectAt, stringAt, valueAt } from '../../protocols/wire-json.js';
import { canonicalNetwork } from '../../protocols/x402-networks.js';
import { type Mismatch, sameJson } from './match-json.js';
import { type MppIssuer, mppMismatch, readChallenge } from './match-mpp.js';
import { x402Mismatch } from './match-x402.js';
import { atxpOption, meantByV1, mppRequest, type Offer, type SupportedSchemes, x402Accept } from './offers.js';
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
  /** Of x402: what the route offers beside the payment itself. */
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
 * Holds a credential against our own offers. Whatever it states must be one of them, exactly, and no other; the context that
 * verify and settle get is built from that offer alone, so a credential can never choose what it is verified against.
 */
export function matchOffer(found: FoundCredential, presented: Presented, dependencies: MatchDependencies): Match {
  const offered = presented.offers.filter((candidate) => candidate.protocol === found.protocol);
  const answerable = offersOfOneAnswer(offered);
  const alone = readAlone(found, dependencies);
  const names = ([offer]: Offers) => alone.read !== undefined && namesOffer(alone.read.credential, offer);
  const named = answerable.filter(names).map((offers) => holdAgainst(offers, found, presented, dependencies));
  const [match, ...more] = named.filter(({ kind }) => kind === 'match');
  if (more.length > 0) return { kind: 'mismatch', why: 'it fits several offers', ...alone };
  const meant = match ?? named.find(({ kind }) => kind === 'undecided') ?? named[0];
  if (meant !== undefined) return meant;
  const [first] = answerable;
  if (first === undefined) return { kind: 'mismatch', why: 'this protocol is not offered here', ...alone };
  const held = holdAgainst(first, found, presented, dependencies);
  // It is for something else, so nothing that we may still hear is about it.
  return held.kind === 'undecided'
    ? { kind: 'mismatch', why: 'it is for something else than is offered', ...alone }
    : held;
}

type Offers = readonly [Offer, ...Offer[]];

/** ATXP makes one payment request of all its options; elsewhere each offer is answered by itself. */
function offersOfOneAnswer(offers: readonly Offer[]): readonly Offers[] {
  const [first, ...others] = offers;
  if (first?.protocol === 'atxp') return [[first, ...others]];
  return offers.map((offer) => [offer]);
}

function holdAgainst(
  offers: Offers,
  found: FoundCredential,
  presented: Presented,
  dependencies: MatchDependencies,
): Match {
  const [offer] = offers;
  const terms = offeredTerms(offers, presented, dependencies);
  if (terms === undefined) {
    const why = `the auth server has not told yet how ${offer.scheme} is settled here`;
    return { kind: 'undecided', why, ...readAlone(found, dependencies) };
  }
  const context = contextOf(found, terms, dependencies);
  const credential = decodeCredential(found.protocol, found.raw, context, offer.decimals);
  if (isUndecodable(credential))
    return { kind: 'mismatch', why: credential.undecodable, ...readAlone(found, dependencies) };
  const why =
    credential.scheme === offer.scheme
      ? (requestMismatch(found, terms, dependencies) ??
        termsMismatch(credential, terms, dependencies) ??
        amountMismatch(credential, offer))
      : 'its scheme is not the one that was offered';
  if (why === undefined) return { kind: 'match', credential, ...answered(credential, terms, context) };
  return { kind: 'mismatch', why, ...readAlone(found, dependencies, { offer, credential, context }) };
}

/** Whether it says that it is for the token of this offer, or leaves it open. None is a match that does not. */
function namesOffer({ protocol, content }: DecodedCredential, offer: Offer): boolean {
  if (protocol === 'atxp') return true;
  const accepted = objectAt(content, 'accepted') ?? content;
  const asked = protocol === 'x402' ? undefined : mppRequestIn(content);
  const asset = asked === undefined ? stringAt(accepted, 'asset') : stringAt(asked, 'currency');
  const chainId = Number(valueAt(objectAt(asked, 'methodDetails'), 'chainId'));
  const network = asked === undefined ? stringAt(accepted, 'network') : `eip155:${chainId}`;
  return canonicalNetwork(network ?? '') === offer.network && (asset === undefined || sameJson(asset, offer.asset));
}

function mppRequestIn(content: JsonObject): JsonObject {
  const challenge = objectAt(content, 'challenge');
  const request = challenge && readChallenge(challenge)?.request;
  // It is JSON already, in the type that npm mppx gives it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (request ?? {}) as JsonObject;
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

/** An offer in the form of its protocol; of ATXP all of them, and `offer` is the first. */
type OfferedTerms =
  | { readonly protocol: 'x402'; readonly offer: Offer; readonly accept: JsonObject; readonly presented: Presented }
  | { readonly protocol: 'mpp'; readonly offer: Offer; readonly request: JsonObject; readonly presented: Presented }
  | { readonly protocol: 'atxp'; readonly offer: Offer; readonly offers: Offers; readonly presented: Presented };

function offeredTerms(
  offers: Offers,
  presented: Presented,
  { credentialValidityMs }: MatchDependencies,
): OfferedTerms | undefined {
  const [offer] = offers;
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
      return { protocol: 'atxp', offer, offers, presented };
    default:
      return assertNever(offer.protocol);
  }
}

const optionsOf = (offers: readonly Offer[]): readonly JsonObject[] =>
  offers.map((offer): JsonObject => ({ ...atxpOption(offer) }));

/** What of the offers the credential is for. Where an ATXP credential leaves it open, the auth server chooses among them. */
function answered(
  { content }: DecodedCredential,
  terms: OfferedTerms,
  context: SettlementContext,
): Pick<HeldAgainst, 'offer' | 'context'> {
  if (terms.protocol !== 'atxp') return { offer: terms.offer, context };
  const offers = optionsAnswered(content, terms.offers) ?? terms.offers;
  return { offer: offers[0], context: { ...context, options: optionsOf(offers) } };
}

function contextOf(found: FoundCredential, terms: OfferedTerms, dependencies: MatchDependencies): SettlementContext {
  const { destinationAccountId, requestIds } = dependencies;
  const common = destinationAccountId === undefined ? {} : { destinationAccountId };
  if (terms.protocol === 'x402') return { ...common, paymentRequirements: terms.accept };
  // The id of a challenge identifies an MPP payment, a nonce an x402 one: a request id could only confuse either.
  if (terms.protocol === 'mpp') return common;
  // One that is not for this is refused below, and tells whether it was taken.
  const claimed = requestIds.read(found.paymentRequestId, offeredFor(terms.offers, terms.presented.target));
  return {
    ...common,
    options: optionsOf(terms.offers),
    ...(claimed.kind !== 'unknown' && { paymentRequestId: claimed.id }),
  };
}

/** A payment request for something else is an answer to that; an id that cannot be ours counts for nothing. */
function requestMismatch(found: FoundCredential, terms: OfferedTerms, { requestIds }: MatchDependencies): Mismatch {
  if (terms.protocol !== 'atxp') return undefined;
  const claimed = requestIds.read(found.paymentRequestId, offeredFor(terms.offers, terms.presented.target));
  return claimed.kind === 'not_for_this' ? 'its payment request is not one of ours for this resource' : undefined;
}

/** What a payment request id is bound to: one option, as ever, or all of several. */
export function offeredFor(offers: readonly Offer[], target: string): string {
  const [first, ...others] = offers.map((offer): JsonObject => ({ ...atxpOption(offer), asset: offer.asset }));
  return canonicalJson(others.length === 0 ? { ...first, target } : { options: [first ?? {}, ...others], target });
}

function termsMismatch(
  { content, version }: DecodedCredential,
  terms: OfferedTerms,
  { mpp, clock, destinationAccountId }: MatchDependencies,
): Mismatch {
  const { offer, presented } = terms;
  switch (terms.protocol) {
    case 'x402':
      if (version === 1 && !meantByV1(offer, presented.offers)) return 'x402 v1 cannot say which token it pays';
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
  { offers, presented: { resource } }: Extract<OfferedTerms, { protocol: 'atxp' }>,
  destinationAccountId: string | undefined,
): Mismatch {
  const options = valueAt(content, 'options');
  if (options !== undefined && !(Array.isArray(options) && options.length > 0 && options.every(isObject)))
    return 'its options are not readable';
  if (optionsAnswered(content, offers) === undefined) return 'its options are not the ones that were offered';
  const stated = valueAt(content, 'resource');
  if (stated !== undefined && !(typeof stated === 'string' && sameResource(stated, resource.url)))
    return 'its resource is not this one';
  const destination = valueAt(content, 'destinationAccountId');
  return destination === undefined || destination === destinationAccountId
    ? undefined
    : 'its destination is somebody else';
}

/** The offers that a credential may be for: all that it does not exclude. Undefined: it states something else beside them, or instead. */
function optionsAnswered(content: JsonObject, offers: Offers): Offers | undefined {
  const left = offers.filter((offer) => statesOffer(content, offer));
  const stated = arrayAt(content, 'options')?.filter(isObject) ?? [];
  if (!stated.every((option) => left.some((offer) => statesOffer(option, offer)))) return undefined;
  const [first, ...others] =
    stated.length === 0 ? left : left.filter((offer) => stated.some((option) => statesOffer(option, offer)));
  return first && [first, ...others];
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
