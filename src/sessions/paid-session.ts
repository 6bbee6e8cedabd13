import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { assertNever } from '../domain/assert-never.js';
import type { SettlementId } from '../domain/ids.js';
import type { JsonObject } from '../domain/json.js';
import type { SettleNowOutcome } from '../domain/settlements/settlement.js';
import { type FoundCredential, findCredential } from '../protocols/find-credential.js';
import type { Admission, AdmissionRequest, AdmitDependencies } from './admission.js';
import { admit, takenBefore } from './admit.js';
import { type ChannelOffer, channelOfferOf } from './channels/channel-offer.js';
import { RECEIPT_HEADER } from './channels/channel-receipt.js';
import {
  admitByChannel,
  type ChallengedBy,
  type ChannelRoute,
  type ChannelRouteDependencies,
  challengeByChannel,
} from './channels/channel-route.js';
import { isAboutChannel, readMppContent } from './channels/match-channel.js';
import { isHead } from './content-request.js';
import type { Described } from './discovery/discovery.js';
import { paidOperation } from './discovery/paid-operation.js';
import type { DeliveryRecorder } from './gate/delivery-recorder.js';
import { attach, type GateSettings } from './gate/payment-session.js';
import { createWithheldAnswer } from './gate/withheld-answer.js';
import { type ChallengeDependencies, type ChallengedPayer, makeChallenge } from './offers/challenge.js';
import type { Presented } from './offers/match-offer.js';
import { type RouteOffers, routeOffers, type SupportedSchemes } from './offers/offers.js';
import { resourceOf } from './offers/resource.js';
import { type PaidSessionOptions, refuse, type ValidityBounds } from './offers/route-options.js';
import type { SupportedSchemesKeeper } from './offers/supported-schemes.js';
import { type OfferedExtensions, offeredExtensions } from './offers/x402-extensions.js';
import { channelRefusal, type Problem, refusal, sendChallenge, sendProblem } from './refusals.js';

export interface PaidRouteDependencies extends GateSettings {
  /** Undefined: nothing is sold through the auth server. */
  readonly authServer: AuthServerSales | undefined;
  /** Undefined: nothing is sold by channels. */
  readonly channels: (ChannelRouteDependencies & { readonly deliveries: DeliveryRecorder }) | undefined;
  readonly bounds: ValidityBounds;
  /** PUBLIC_URL; default the origin of each request. */
  readonly publicUrl?: string;
  /** False: no response could be held back until it is paid for. */
  readonly holdsBack: () => boolean;
}

interface AuthServerSales {
  readonly admission: AdmitDependencies;
  readonly challenge: ChallengeDependencies;
  readonly supportedSchemes: SupportedSchemesKeeper;
  readonly deliveries: DeliveryRecorder;
  readonly settleNow: (id: SettlementId) => Promise<SettleNowOutcome>;
  readonly dispatch: (id: SettlementId) => unknown;
}

/** What `paidSession` gives: the middleware, which also says what it sells. */
export type PaidHandler = RequestHandler & Described;

/**
 * Express middleware: the handlers after it serve only who has paid, and charge by `req.paymentSession`.
 * @throws Error naming the option, at definition time
 */
export function createPaidRoute(options: PaidSessionOptions, dependencies: PaidRouteDependencies): PaidHandler {
  const route = routeOffers(options, dependencies.bounds);
  const { authServer, channels } = dependencies;
  const offers = authServer ? route.offers : [];
  if (authServer && authServer.challenge.mpp === undefined && offers.some((offer) => offer.protocol === 'mpp')) {
    refuse('protocols', 'mpp needs MPP_SECRET_KEY, which signs its challenges', "protocols: ['atxp', 'x402']");
  }
  const extensions = offeredExtensions(options, route.offers);
  const channel = channels && channelOfferOf(options, route.terms, channels.verifier.terms);
  const sold = { terms: route.terms, offers, channel };
  const described: Described = {
    openApi: (operation) => paidOperation(sold, operation),
    listed: extensions['bazaar'] !== undefined && offers.some((offer) => offer.protocol === 'x402'),
  };
  if (offers.length === 0 && channel === undefined) {
    const refuseAll: RequestHandler = (_req, res) => sendProblem(res, refusal('not_configured'));
    return Object.assign(refuseAll, described);
  }
  const served = { route: { ...route, offers }, extensions, channel, identify: options.identify, dependencies };
  // Express passes a rejection on to the error handlers.
  const sell: RequestHandler = (req, res, next) => serve(req, res, next, served);
  return Object.assign(sell, described);
}

interface Served {
  readonly route: RouteOffers;
  readonly extensions: OfferedExtensions;
  readonly channel: ChannelOffer | undefined;
  readonly identify: PaidSessionOptions['identify'];
  readonly dependencies: PaidRouteDependencies;
}

/** One request on its way through a paid route. */
interface Visit extends Served {
  readonly req: Request;
  readonly res: Response;
  readonly presented: Presented;
  readonly found: FoundCredential | undefined;
  /** What an MPP credential holds; undefined where there is none, or where it is not readable. */
  readonly content: JsonObject | undefined;
  readonly startedAt: number;
}

async function serve(req: Request, res: Response, next: NextFunction, served: Served): Promise<void> {
  const { route, dependencies } = served;
  const startedAt = performance.now();
  if (!dependencies.holdsBack()) {
    return sendProblem(res, refusal('payment_unavailable', 'Reason: nothing can be sold on the Node of this server.'));
  }
  const supportedSchemes = (await dependencies.authServer?.supportedSchemes.knownFor(route.offers)) ?? {
    x402: {},
    mpp: {},
  };
  const presented = presentedAt(req, served, supportedSchemes);
  const found = findCredential(req.headers);
  const content = found?.protocol === 'mpp' ? readMppContent(found.raw) : undefined;
  const visit: Visit = { ...served, req, res, presented, found, content, startedAt };
  if (found === undefined) return challenge(visit, refusal('payment_required'));
  // A channel is opened and fed by HEAD too; no handler runs for that.
  if (isForChannel(visit, found)) return payByChannelThen(next, visit, found);
  // There is nothing to sell in a head: it says what the whole answer would cost.
  if (isHead(req)) return challenge(visit, refusal('payment_required'));
  return payByAuthServerThen(next, visit, found);
}

/** Session credentials go to the channels of this server where the route sells by them, else to the auth server. */
function isForChannel({ channel, content, route }: Visit, found: FoundCredential): boolean {
  if (channel === undefined || found.protocol !== 'mpp') return false;
  return content === undefined ? !route.offers.some((offer) => offer.protocol === 'mpp') : isAboutChannel(content);
}

async function payByAuthServerThen(next: NextFunction, visit: Visit, found: FoundCredential): Promise<void> {
  const { authServer } = visit.dependencies;
  if (authServer === undefined) return challenge(visit, required('this protocol is not offered here'));
  const admission = await admit(knockOf(visit, found), authServer.admission);
  return serveByAuthServer(next, visit, admission, authServer);
}

function knockOf({ req, presented, route: { terms } }: Visit, found: FoundCredential): AdmissionRequest {
  return { found, presented, method: req.method, terms, route: terms.name ?? routeName(req) };
}

async function serveByAuthServer(
  next: NextFunction,
  visit: Visit,
  admission: Admission,
  authServer: AuthServerSales,
): Promise<void> {
  const { res, dependencies } = visit;
  switch (admission.kind) {
    case 'managed':
      nameCharge(res, admission.id);
      res.set('Cache-Control', 'no-store').status(204).end();
      return;
    case 'challenge':
      return challenge(visit, required(admission.why), admission.why, { givenTo: admission.givenTo });
    case 'refused':
      return challenge(visit, channelRefusal(admission.refusal), admission.refusal.detail);
    case 'unavailable':
      return sendProblem(res, refusal('payment_unavailable', `Reason: ${admission.why}.`));
    case 'used':
      nameCharge(res, admission.id);
      return sendProblem(res, refusal('credential_already_used'));
    case 'undecided':
      nameCharge(res, admission.id);
      return sendProblem(res, refusal('payment_unknown'));
    case 'exposed':
      return sendProblem(res, refusal('exposure_exceeded'));
    case 'limited':
      return sendProblem(res, tooManyReleased(admission.forMs));
    case 'admitted': {
      const headers = { 'Settlement-Id': admission.session.id };
      const settled = admission.paidBefore && { dispatch: nothing };
      const { session } = admission;
      const answer = createWithheldAnswer(session, authServer.admission.ledger, dependencies.log);
      if (attach(visit, { ...admission, ...authServer, ...settled, answer, headers }, dependencies)) next();
      return;
    }
    default:
      return assertNever(admission);
  }
}

async function payByChannelThen(next: NextFunction, visit: Visit, found: FoundCredential): Promise<void> {
  const { req, res, content, dependencies } = visit;
  const { authServer, channels } = dependencies;
  const route = channelRouteOf(visit);
  if (channels === undefined || route === undefined) return sendProblem(res, refusal('not_configured'));
  const admission = await admitByChannel(req, { raw: found.raw, content }, route, channels);
  switch (admission.kind) {
    case 'refused': {
      // The route may have sold by the auth server's sessions before: what that has taken is not asked for again.
      const taken = authServer && (await takenBefore(knockOf(visit, found), authServer.admission));
      if (taken) return serveByAuthServer(next, visit, taken, authServer);
      return challenge(visit, channelRefusal(admission.refusal), admission.refusal.detail, admission);
    }
    case 'unavailable':
      return sendProblem(res, refusal('payment_unavailable', `Reason: ${admission.why}.`));
    case 'limited':
      return sendProblem(res, tooManyReleased(admission.forMs));
    case 'managed':
      res.set({
        'Cache-Control': 'no-store',
        ...(admission.receipt !== null && { [RECEIPT_HEADER]: admission.receipt }),
      });
      res.status(204).end();
      return;
    case 'admitted': {
      // What a channel pays is on chain already, so there is nothing to settle first and nothing to start.
      const onClose = { settle: 'after', settleNow: neverSettled, dispatch: nothing } as const;
      if (attach(visit, { ...admission, ...onClose, deliveries: channels.deliveries }, dependencies)) next();
      return;
    }
    default:
      return assertNever(admission);
  }
}

const tooManyReleased = (forMs: number): Problem => ({
  ...refusal('too_many_released'),
  retryAfterSeconds: Math.ceil(forMs / 1000),
});

/** By this the payer, and whoever he asks, finds what became of his money. */
function nameCharge(res: Response, id: SettlementId | undefined): void {
  if (id !== undefined) res.setHeader('Settlement-Id', id);
}

const neverSettled = (): Promise<SettleNowOutcome> => Promise.resolve('unknown');
const nothing = (): void => undefined;

const required = (why: string) => refusal('payment_required', `Reason: ${why}.`);

function channelRouteOf({ channel, identify, route, presented, req }: Visit): ChannelRoute | undefined {
  if (channel === undefined) return undefined;
  const { longestMs, name } = route.terms;
  return { offer: channel, name: name ?? routeName(req), path: presented.target, longestMs, identify };
}

/** @param why a credential that was presented does not do; the x402 body repeats it */
async function challenge(
  visit: Visit,
  problem: Problem,
  why?: string,
  by: ChallengedBy & Pick<ChallengedPayer, 'givenTo'> = {},
): Promise<void> {
  const { req, res, presented, content, dependencies } = visit;
  const { authServer, channels } = dependencies;
  const route = channelRouteOf(visit);
  const byChannel = channels && route && (await challengeByChannel(req, { claims: content, ...by }, route, channels));
  const made = authServer
    ? await makeChallenge(presented, why, authServer.challenge, { channel: byChannel, givenTo: by.givenTo })
    : byChannel && { headers: { 'Cache-Control': 'no-store', 'WWW-Authenticate': byChannel } };
  if (made) sendChallenge(res, made, problem);
  else sendProblem(res, refusal('payment_unavailable', 'Reason: the auth server cannot be reached.'));
}

function presentedAt(
  req: Request,
  { route: { offers, terms }, extensions, dependencies }: Served,
  supportedSchemes: SupportedSchemes,
): Presented {
  const { target, url } = resourceOf(req, dependencies.publicUrl);
  return {
    offers,
    supportedSchemes,
    extensions,
    target,
    resource: {
      url,
      ...(terms.description !== undefined && { description: terms.description }),
      ...(terms.mimeType !== undefined && { mimeType: terms.mimeType }),
    },
  };
}

/** The path as it was declared, so that one route stays one route whatever ids are in it. */
function routeName(req: Request): string {
  const route: { path?: string | RegExp } | undefined = req.route;
  return `${req.baseUrl}${route?.path?.toString() ?? ''}` || '/';
}
