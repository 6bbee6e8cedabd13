import { encodePaymentRequiredHeader } from '@x402/core/http';
import type { PaymentRequired } from '@x402/core/types';
import { Challenge } from 'mppx';
import type { Clock } from '../../domain/clock.js';
import type { JsonObject } from '../../domain/json.js';
import { mppOpaque } from './challenge-opaque.js';
import type { MppIssuer } from './match-mpp.js';
import { offeredFor, type Presented } from './match-offer.js';
import { atxpOption, MPP_METHOD, meantByV1, mppRequest, type Offer, x402Accept, x402V1Accept } from './offers.js';
import { createPatience, type Patience } from './patience.js';
import type { RequestIdStock } from './request-id-stock.js';
import type { RequestIds } from './request-ids.js';
import { declaredExtensions } from './x402-extensions.js';

export interface ChallengeDependencies {
  readonly requestIdStock: RequestIdStock;
  readonly requestIds: RequestIds;
  readonly mpp: MppIssuer | undefined;
  /** Origin of the auth server, for the URL of a payment request. */
  readonly authServerUrl: string;
  readonly destinationAccountId?: string;
  readonly credentialValidityMs: number;
  readonly clock: Clock;
}

export interface ChallengeAnswer {
  readonly headers: Readonly<Record<string, string>>;
  /** What x402 says in a body; undefined where the route does not sell by x402 (the caller then sends a problem document). */
  readonly body?: JsonObject;
}

/** Whom a challenge is given to. */
export interface ChallengedPayer {
  /** The challenge of a route that sells by channels of this server; it needs no auth server. */
  readonly channel?: string | undefined;
  /** The channel at the auth server whose payer has proved himself. */
  readonly givenTo?: string | undefined;
  /** What is left of it is waited for ATXP, where something else is offered. */
  readonly patience?: Patience | undefined;
}

/** What a 402 waits for an auth server without which it has nothing to offer. */
const NOTHING_ELSE_MS = 3_000;

/**
 * The 402 of a route in all its protocols: x402 v1 as body and v2 as `PAYMENT-REQUIRED`, ATXP as
 * `X-ATXP-Payment-Request`, MPP as `WWW-Authenticate: Payment …`.
 *
 * @param error why a credential that was presented does not do; undefined when there was none
 * @returns undefined when no protocol can be offered now, because each needs the auth server, which does not answer
 */
export async function makeChallenge(
  presented: Presented,
  error: string | undefined,
  dependencies: ChallengeDependencies,
  { channel, givenTo, patience = createPatience() }: ChallengedPayer = {},
): Promise<ChallengeAnswer | undefined> {
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' };
  const x402 = x402Part(presented, error, dependencies);
  // Our accept is the library's PaymentRequirements, in the JSON type that the ledger keeps it in.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  if (x402) headers['PAYMENT-REQUIRED'] = encodePaymentRequiredHeader(x402.header as unknown as PaymentRequired);
  const mpp = [...mppPart(presented, givenTo, dependencies), ...(channel === undefined ? [] : [channel])].join(', ');
  if (mpp) headers['WWW-Authenticate'] = mpp;
  const atxp = await atxpPart(presented, x402 || mpp ? patience : createPatience(NOTHING_ELSE_MS), dependencies);
  if (atxp) headers['X-ATXP-Payment-Request'] = atxp;
  if (!x402 && !mpp && !atxp) return undefined;
  return { headers, ...(x402 && { body: x402.body }) };
}

function x402Part(
  presented: Presented,
  error: string | undefined,
  { credentialValidityMs }: ChallengeDependencies,
): { readonly header: JsonObject; readonly body: JsonObject } | undefined {
  const { resource, supportedSchemes } = presented;
  const extensions = declaredExtensions(presented.extensions);
  const offers = offersOf(presented, 'x402');
  const accepts = offers
    .map((offer) => x402Accept(offer, supportedSchemes, credentialValidityMs))
    .filter((accept) => accept !== undefined);
  if (accepts.length === 0) return undefined;
  const why = error === undefined ? {} : { error };
  const header = { x402Version: 2, ...why, resource, accepts, ...(extensions && { extensions }) };
  const inV1 = offers
    .filter((offer) => meantByV1(offer, offers))
    .map((offer) => x402V1Accept(offer, resource, credentialValidityMs))
    .filter((accept) => accept !== undefined);
  // Where v1 can pay nothing, its clients are lost anyway, and whoever reads bodies may know v2.
  return { header, body: inV1.length === 0 ? header : { x402Version: 1, ...why, accepts: inV1 } };
}

function mppPart(
  presented: Presented,
  givenTo: string | undefined,
  { mpp, clock, credentialValidityMs }: ChallengeDependencies,
): readonly string[] {
  if (mpp === undefined) return [];
  return offersOf(presented, 'mpp').flatMap((offer) => {
    const request = mppRequest(offer, presented.supportedSchemes);
    if (request === undefined) return [];
    const challenge = Challenge.from({
      secretKey: mpp.secretKey,
      realm: mpp.realm,
      method: MPP_METHOD,
      intent: offer.scheme,
      request: { ...request },
      expires: new Date(clock.nowMs() + credentialValidityMs).toISOString(),
      meta: mppOpaque(presented.target, givenTo),
    });
    return [Challenge.serialize(challenge)];
  });
}

async function atxpPart(
  presented: Presented,
  patience: Patience,
  { requestIdStock, requestIds, authServerUrl, destinationAccountId }: ChallengeDependencies,
): Promise<string | undefined> {
  const offers = offersOf(presented, 'atxp');
  const [first, ...others] = offers.map(atxpOption);
  if (first === undefined) return undefined;
  const options = [first, ...others].map((option) => ({ ...option }));
  const terms = { options, ...(destinationAccountId !== undefined && { destinationAccountId }) };
  const id = await requestIdStock.take(terms, patience);
  if (id === undefined) return undefined;
  return JSON.stringify({
    paymentRequestId: requestIds.issue(id, offeredFor(offers, presented.target)),
    paymentRequestUrl: `${authServerUrl.replace(/\/+$/, '')}/payment-request/${encodeURIComponent(id)}`,
    // Of all its options.
    chargeAmount: first.amount,
  });
}

const offersOf = (presented: Presented, protocol: Offer['protocol']): readonly Offer[] =>
  presented.offers.filter((offer) => offer.protocol === protocol);
