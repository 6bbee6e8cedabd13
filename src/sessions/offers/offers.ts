import type { JsonObject } from '../../domain/json.js';
import { formatDecimal } from '../../domain/money.js';
import type { Protocol } from '../../domain/settlements/settlement-status.js';
import type { Scheme } from '../../protocols/credential.js';
import { lowerHex } from '../../protocols/wire-json.js';
import { v1NetworkName } from '../../protocols/x402-networks.js';
import { checkOfferList } from './offer-list.js';
import { checkChannelEntry, type OfferTerms, offerTerms } from './offer-terms.js';
import type { ResourceInfo } from './resource.js';
import {
  channelEntry,
  checkRouteOptions,
  entriesOf,
  type RouteOptions,
  type RouteTerms,
  refuse,
  type ValidityBounds,
} from './route-options.js';

/** What a route sells by one scheme of one protocol. Ours, never the client's. */
export interface Offer extends OfferTerms {
  readonly scheme: Scheme;
}

export interface RouteOffers {
  readonly terms: RouteTerms;
  readonly offers: readonly Offer[];
}

/** What only the auth server can say about how a scheme is settled through it. */
export interface SupportedSchemes {
  /** CAIP-2 network → address of the facilitator that settles `upto` there. */
  readonly x402: Readonly<Record<string, string>>;
  /** Details of an MPP method's session challenges. */
  readonly mpp: Readonly<Record<string, JsonObject>>;
}

const SCHEMES: Readonly<Record<Protocol, { readonly whole: Scheme; readonly metered: Scheme }>> = {
  atxp: { whole: 'atxp', metered: 'atxp' },
  x402: { whole: 'exact', metered: 'upto' },
  mpp: { whole: 'charge', metered: 'session' },
};
const EVM_ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/**
 * The offers of a route: one for each token of each protocol. A metered route offers only schemes that settle what was spent,
 * because an all-or-nothing scheme would move the whole cap for the first charge.
 *
 * @throws Error naming the option, at definition time
 */
export function routeOffers(options: RouteOptions, bounds: ValidityBounds): RouteOffers {
  const terms = checkRouteOptions(options, bounds);
  const channels = channelEntry(options);
  if (channels !== undefined) checkChannelEntry(channels);
  const offers = entriesOf(options).flatMap(({ protocol, ...entry }): Offer[] => {
    if (protocol === 'tempo') return [];
    const offer = offerTerms({ protocol, ...entry }, { options, terms });
    if (protocol !== 'atxp') checkEvm(offer);
    return [{ ...offer, scheme: terms.metered ? SCHEMES[protocol].metered : SCHEMES[protocol].whole }];
  });
  checkOfferList(offers);
  // Two kinds of session challenges on one route would be one too many: the channels of this server are the ones meant.
  const byChannel = channels !== undefined && terms.metered;
  return { terms, offers: offers.filter(({ protocol }) => !(byChannel && protocol === 'mpp')) };
}

/** x402 and MPP are offered on EVM chains; their settlement elsewhere needs facts that no option gives. */
function checkEvm({ protocol, network, asset, payTo }: OfferTerms): void {
  if (!network.startsWith('eip155:'))
    refuse('network', `${protocol} is offered on EVM networks only`, "network: 'eip155:8453'");
  if (!EVM_ADDRESS.test(asset))
    refuse('asset', 'the address of the token', "asset: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913'");
  if (!EVM_ADDRESS.test(payTo))
    refuse('payTo', 'an EVM address', "payTo: '0x209693Bc6afc0C5328bA36FaF03C514EF312287C'");
}

/**
 * The x402 v2 accept of an offer: what the 402 says, and what verify and settle get as requirements.
 * @returns undefined while the facilitator that `upto` must name is not known
 */
export function x402Accept(
  offer: Offer,
  supportedSchemes: SupportedSchemes,
  credentialValidityMs: number,
): JsonObject | undefined {
  const facilitator = supportedSchemes.x402[offer.network];
  if (offer.scheme === 'upto' && facilitator === undefined) return undefined;
  return {
    scheme: offer.scheme,
    network: offer.network,
    amount: offer.amount,
    asset: offer.asset,
    payTo: offer.payTo,
    maxTimeoutSeconds: Math.floor(credentialValidityMs / 1000),
    extra: { ...offer.domain, ...(offer.scheme === 'upto' && { facilitatorAddress: facilitator }) },
  };
}

/**
 * The accept of an offer as clients of x402 v1 read it (npm `x402` 1.2.0, `PaymentRequirementsSchema`). It says `amount`
 * beside `maxAmountRequired`, because ATXP's client reads that of the same body.
 *
 * @returns undefined where v1 knows no such scheme or network
 */
export function x402V1Accept(
  offer: Offer,
  resource: ResourceInfo,
  credentialValidityMs: number,
): JsonObject | undefined {
  const network = v1NetworkName(offer.network);
  if (offer.scheme !== 'exact' || network === undefined) return undefined;
  return {
    scheme: offer.scheme,
    network,
    maxAmountRequired: offer.amount,
    amount: offer.amount,
    resource: resource.url,
    description: resource.description ?? '',
    mimeType: resource.mimeType ?? '',
    payTo: offer.payTo,
    maxTimeoutSeconds: Math.floor(credentialValidityMs / 1000),
    asset: offer.asset,
    extra: { ...offer.domain },
  };
}

/**
 * A payment of x402 v1 by `exact` states its network, payee and amount, and nowhere its token: of offers that agree in these it
 * can mean only one. That is the first, and its clients are shown no other.
 */
export const meantByV1 = (offer: Offer, offers: readonly Offer[]): boolean =>
  offer.scheme !== 'exact' || offers.find((other) => sameToV1(other, offer)) === offer;

const sameToV1 = (one: Offer, other: Offer): boolean =>
  one.protocol === other.protocol &&
  one.scheme === other.scheme &&
  one.network === other.network &&
  one.amount === other.amount &&
  lowerHex(one.payTo) === lowerHex(other.payTo);

/** ATXP names its networks itself (@atxp/common, type Network). */
const ATXP_NETWORKS: Readonly<Record<string, string>> = {
  'eip155:8453': 'base',
  'eip155:84532': 'base_sepolia',
  'eip155:480': 'world',
  'eip155:4801': 'world_sepolia',
  'eip155:137': 'polygon',
  'eip155:80002': 'polygon_amoy',
};

/** The one ATXP option of an offer; its amount is decimal. */
export function atxpOption(offer: Offer): { network: string; currency: string; address: string; amount: string } {
  return {
    network: ATXP_NETWORKS[offer.network] ?? offer.network,
    currency: offer.currency,
    address: offer.payTo,
    amount: formatDecimal(offer.amount, offer.decimals),
  };
}

/** MPP payments are made on Tempo (npm mppx, tempo charge and session). */
export const MPP_METHOD = 'tempo';
const DETAILS_OF_A_SESSION = ['escrowContract', 'authorizedSigner', 'operator'] as const;

/**
 * The request of an MPP challenge (npm mppx, `Methods.charge` and `Methods.session` on the wire): atomic amounts.
 * @returns undefined while the channel contract of a session is not known
 */
export function mppRequest(offer: Offer, supportedSchemes: SupportedSchemes): JsonObject | undefined {
  const chainId = Number(offer.network.slice('eip155:'.length));
  const common = { amount: offer.amount, currency: offer.asset, recipient: offer.payTo };
  if (offer.scheme === 'charge') return { ...common, methodDetails: { chainId } };
  const tempo = supportedSchemes.mpp[MPP_METHOD];
  if (tempo === undefined || typeof tempo['escrowContract'] !== 'string') return undefined;
  if (tempo['chainId'] !== undefined && Number(tempo['chainId']) !== chainId) return undefined;
  const details = Object.fromEntries(
    DETAILS_OF_A_SESSION.flatMap((name) => (typeof tempo[name] === 'string' ? [[name, tempo[name]]] : [])),
  );
  return {
    ...common,
    unitType: 'request',
    suggestedDeposit: offer.amount,
    methodDetails: { chainId, sessionProtocol: 'v2', ...details },
  };
}
