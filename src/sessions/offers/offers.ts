import type { JsonObject } from '../../domain/json.js';
import { type AtomicAmount, formatDecimal } from '../../domain/money.js';
import type { Protocol } from '../../domain/settlements/settlement-status.js';
import type { Scheme } from '../../protocols/credential.js';
import { canonicalNetwork, v1NetworkName } from '../../protocols/x402-networks.js';
import type { ResourceInfo } from './resource.js';
import {
  channelEntry,
  checkRouteOptions,
  protocolTerms,
  type RouteOptions,
  type RouteTerms,
  refuse,
  type ValidityBounds,
} from './route-options.js';

/** What a route sells by one scheme of one protocol. Ours, never the client's. */
export interface Offer {
  readonly protocol: Protocol;
  readonly scheme: Scheme;
  /** CAIP-2. */
  readonly network: string;
  readonly asset: string;
  readonly payTo: string;
  /** Price, or the cap of a metered scheme; atomic units. */
  readonly amount: AtomicAmount;
  readonly decimals: number;
  readonly currency: string;
  readonly domain: { readonly name: string; readonly version: string };
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
const USDC = { name: 'USD Coin', version: '2' };
const EVM_ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/**
 * The offers of a route: one per protocol. A metered route offers only schemes that settle what was spent, because an
 * all-or-nothing scheme would move the whole cap for the first charge.
 *
 * @throws Error naming the option, at definition time
 */
export function routeOffers(options: RouteOptions, bounds: ValidityBounds): RouteOffers {
  const terms = checkRouteOptions(options, bounds);
  const byChannel = channelEntry(options) !== undefined;
  // Two kinds of session challenges on one route would be one too many: the channels of this server are the ones meant.
  const sold = protocolTerms(options).filter(({ protocol }) => !(byChannel && terms.metered && protocol === 'mpp'));
  const offers = sold.map(({ protocol, network, asset, payTo }): Offer => {
    const caip2 = canonicalNetwork(network);
    if (!/^[a-z0-9-]{3,8}:[A-Za-z0-9_-]{1,64}$/.test(caip2)) {
      refuse('network', `${network} is neither CAIP-2 nor a network name of x402`, "network: 'eip155:8453'");
    }
    if (protocol !== 'atxp') checkEvm(protocol, { network: caip2, asset, payTo });
    return {
      protocol,
      scheme: terms.metered ? SCHEMES[protocol].metered : SCHEMES[protocol].whole,
      network: caip2,
      asset,
      payTo,
      amount: terms.amount,
      decimals: options.decimals,
      currency: options.currency ?? 'USDC',
      domain: options.domain ?? USDC,
    };
  });
  return { terms, offers };
}

/** x402 and MPP are offered on EVM chains; their settlement elsewhere needs facts that no option gives. */
function checkEvm(protocol: Protocol, on: { network: string; asset: string; payTo: string }): void {
  if (!on.network.startsWith('eip155:'))
    refuse('network', `${protocol} is offered on EVM networks only`, "network: 'eip155:8453'");
  if (!EVM_ADDRESS.test(on.asset))
    refuse('asset', 'the address of the token', "asset: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913'");
  if (!EVM_ADDRESS.test(on.payTo))
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
