import type { JsonObject } from '../../domain/json.js';
import type { Protocol } from '../../domain/settlements/settlement-status.js';
import { isObject } from '../../protocols/wire-json.js';
import type { ChannelOffer } from '../channels/channel-offer.js';
import { MPP_METHOD, type Offer } from '../offers/offers.js';
import type { RouteTerms } from '../offers/route-options.js';

/** What a route sells here and now: its offers through the auth server, and the one by channels of this server. */
export interface Sold {
  readonly terms: Pick<RouteTerms, 'metered' | 'description'>;
  readonly offers: readonly Offer[];
  readonly channel: ChannelOffer | undefined;
}

/**
 * An OpenAPI operation of a paid route: what `given` says of it, with `x-payment-info` and the answer 402 (npm mppx,
 * `discovery`). Made from the offers that the 402 is made from; the 402 is what counts.
 */
export function paidOperation(sold: Sold, given: JsonObject = {}): JsonObject {
  const offers = paymentOffers(sold);
  const responses = isObject(given['responses']) ? given['responses'] : { 200: { description: 'What was paid for.' } };
  if (offers.length === 0) return { ...given, responses };
  return {
    ...given,
    'x-payment-info': { offers },
    responses: {
      ...responses,
      402: { description: 'Payment required: the headers say how.', headers: headersOf(sold) },
    },
  };
}

/** By the names that npm mppx has for them, where it has any: an `exact` accept of x402 is its `evm/charge`. */
const METHODS: Readonly<Record<Protocol, string>> = { atxp: 'atxp', x402: 'evm', mpp: MPP_METHOD };

/** Each way to pay; amounts are atomic units, for a metered route the most that one response may cost. */
function paymentOffers({ terms, offers, channel }: Sold): readonly JsonObject[] {
  const described = terms.description === undefined ? {} : { description: terms.description };
  return [
    ...offers.map((offer) => ({
      protocol: offer.protocol,
      method: METHODS[offer.protocol],
      intent: intentOf(offer, terms.metered),
      amount: offer.amount,
      currency: offer.asset,
      decimals: offer.decimals,
      network: offer.network,
      recipient: offer.payTo,
      ...described,
    })),
    ...(channel === undefined
      ? []
      : [
          {
            protocol: 'mpp',
            method: MPP_METHOD,
            intent: 'session',
            amount: channel.amount.toString(),
            currency: channel.terms.token,
            network: `eip155:${channel.terms.chainId}`,
            recipient: channel.terms.payee,
            suggestedDeposit: channel.suggestedDeposit.toString(),
            ...described,
          },
        ]),
  ];
}

function intentOf({ scheme }: Offer, metered: boolean): string {
  if (scheme === 'charge' || scheme === 'session') return scheme;
  return metered ? 'upto' : 'charge';
}

const HEADERS: Readonly<Record<Protocol, string>> = {
  atxp: 'X-ATXP-Payment-Request',
  x402: 'PAYMENT-REQUIRED',
  mpp: 'WWW-Authenticate',
};

function headersOf({ offers, channel }: Sold): JsonObject {
  const protocols: readonly Protocol[] = [
    ...offers.map((offer) => offer.protocol),
    ...(channel ? ['mpp' as const] : []),
  ];
  return Object.fromEntries(protocols.map((protocol) => [HEADERS[protocol], { schema: { type: 'string' } }]));
}
