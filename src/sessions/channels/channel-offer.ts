import { Challenge } from 'mppx';
import type { Channel, ChannelId, ChannelTerms, FoundChannel } from '../../domain/channels/channel.js';
import type { Clock } from '../../domain/clock.js';
import type { JsonObject } from '../../domain/json.js';
import type { SoldOffer } from '../gate/payment-session.js';
import { mppOpaque } from '../offers/challenge-opaque.js';
import type { MppIssuer } from '../offers/match-mpp.js';
import { currencyOf } from '../offers/offer-terms.js';
import { MPP_METHOD } from '../offers/offers.js';
import { channelEntry, positive, type RouteOptions, type RouteTerms, refuse } from '../offers/route-options.js';

/** What a route sells to holders of a payment channel. */
export interface ChannelOffer {
  readonly terms: ChannelTerms;
  /** Price, or the cap of a metered route; atomic units. Reserved before anything is served. */
  readonly amount: bigint;
  readonly suggestedDeposit: bigint;
  /** As handlers see it. */
  readonly sold: SoldOffer;
}

const DEPOSIT_OF_SO_MANY = 100n;

/**
 * What the route sells by channels; undefined where it does not.
 * @throws Error naming the option, at definition time
 */
export function channelOfferOf(
  options: RouteOptions,
  { amount }: Pick<RouteTerms, 'amount'>,
  terms: ChannelTerms,
): ChannelOffer | undefined {
  const entry = channelEntry(options);
  if (entry === undefined) return undefined;
  const differs = (stated: string | undefined, ours: string) => stated !== undefined && stated.toLowerCase() !== ours;
  const network = `eip155:${terms.chainId}`;
  if (differs(entry.network, network)) refuse('protocols', 'tempo is paid on TEMPO_CHAIN_ID', `network: '${network}'`);
  if (differs(entry.asset, terms.token))
    refuse('protocols', 'tempo is paid in TEMPO_CURRENCY', `asset: '${terms.token}'`);
  if (differs(entry.payTo, terms.payee))
    refuse('protocols', 'tempo is paid to the account of TEMPO_PAYEE_KEY', `payTo: '${terms.payee}'`);
  const asked = options.suggestedDeposit;
  const suggestedDeposit =
    asked === undefined ? BigInt(amount) * DEPOSIT_OF_SO_MANY : BigInt(positive('suggestedDeposit', asked));
  if (suggestedDeposit < BigInt(amount))
    refuse('suggestedDeposit', `below ${amount} no response could be paid for`, `suggestedDeposit: '${amount}'`);
  const sold: SoldOffer = {
    protocol: 'tempo',
    network,
    asset: terms.token,
    decimals: options.decimals,
    currency: entry.currency ?? currencyOf(options),
    amount: BigInt(amount),
  };
  return { terms, amount: BigInt(amount), suggestedDeposit, sold };
}

/** The members of `methodDetails` that say how a channel stands; everything else is the same for everybody. */
export const HINTS = [
  'channelId',
  'acceptedCumulative',
  'spent',
  'deposit',
  'requiredCumulative',
  'sessionSnapshot',
] as const;

/** The request of the challenge, in the form that npm mppx gives it (`Methods.session`), without hints. */
export function channelRequest({ terms, amount, suggestedDeposit }: ChannelOffer): JsonObject {
  return {
    amount: amount.toString(),
    currency: terms.token,
    recipient: terms.payee,
    suggestedDeposit: suggestedDeposit.toString(),
    unitType: 'request',
    methodDetails: { chainId: terms.chainId, escrowContract: terms.escrow, sessionProtocol: 'v2' },
  };
}

/**
 * How a channel stands, flat and as npm mppx' snapshot. `requiredCumulative` is the lowest voucher that pays for the next
 * response: it covers what is spent and the price, and it is one that was not presented before.
 *
 * @param amount 0 for a request that serves nothing
 */
export function channelHints({ channel, voucherUsed }: FoundChannel, amount: bigint, showVoucher: boolean): JsonObject {
  const { accepted, spent } = channel;
  const needed = spent + amount;
  const unused = amount > 0n && voucherUsed ? accepted + 1n : accepted;
  return {
    channelId: channel.id,
    acceptedCumulative: accepted.toString(),
    spent: spent.toString(),
    deposit: channel.deposit.toString(),
    requiredCumulative: (needed > unused ? needed : unused).toString(),
    ...(showVoucher && channel.highestVoucher !== null && { sessionSnapshot: snapshotOf(channel, needed) }),
  };
}

function snapshotOf(channel: Channel, requiredCumulative: bigint): JsonObject {
  const { highestVoucher } = channel;
  return {
    acceptedCumulative: channel.accepted.toString(),
    chainId: channel.chainId,
    channelId: channel.id,
    deposit: channel.deposit.toString(),
    descriptor: channel.descriptor,
    escrow: channel.escrow,
    ...(highestVoucher !== null && {
      highestVoucher: {
        channelId: channel.id,
        cumulativeAmount: highestVoucher.cumulative.toString(),
        signature: highestVoucher.signature,
      },
    }),
    requiredCumulative: requiredCumulative.toString(),
    settled: channel.settled.toString(),
    spent: channel.spent.toString(),
    units: channel.units,
  };
}

/** The value of one `WWW-Authenticate` challenge; its id is an HMAC over everything in it, hints included. */
export function channelChallenge(
  offer: ChannelOffer,
  on: { readonly path: string; readonly hints: JsonObject | undefined; readonly givenTo: ChannelId | undefined },
  { mpp, clock, validityMs }: { readonly mpp: MppIssuer; readonly clock: Clock; readonly validityMs: number },
): string {
  const request = channelRequest(offer);
  const methodDetails = { ...(request['methodDetails'] as JsonObject), ...on.hints };
  return Challenge.serialize(
    Challenge.from({
      secretKey: mpp.secretKey,
      realm: mpp.realm,
      method: MPP_METHOD,
      intent: 'session',
      request: { ...request, methodDetails },
      expires: new Date(clock.nowMs() + validityMs).toISOString(),
      meta: mppOpaque(on.path, on.givenTo),
    }),
  );
}
