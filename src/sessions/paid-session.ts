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
import type { KeptAnswer } from './gate/answer-record.js';
import type { DeliveryRecorder } from './gate/delivery-recorder.js';
import { attach, type GateSettings } from './gate/payment-session.js';
import { createWithheldAnswer } from './gate/withheld-answer.js';
import { type ChallengeDependencies, type ChallengedPayer, makeChallenge } from './offers/challenge.js';
import { offeredExtensions } from './offers/extensions.js';
import type { Presented } from './offers/match-offer.js';
import { type RouteOffers, routeOffers } from './offers/offers.js';
import { createPatience, type Patience } from './offers/patience.js';
import { type Receipt, receiptOf } from './offers/payment-response.js';
import { resourceOf } from './offers/resource.js';
import { type PaidSessionOptions, refuse, type ValidityBounds } from './offers/route-options.js';
import type { SupportedSchemesKeeper } from './offers/supported-schemes.js';
import { answerPreflight, isPreflight } from './preflight.js';
import { channelRefusal, type Problem, refusal, sendChallenge, sendProblem } from './refusals.js';
import { requestBody } from './request-body.js';

export interface PaidRouteDependencies extends GateSettings {
  /** Undefined: nothing is sold through the auth server. */
  readonly authServer: AuthServerSales | undefined;
  /** Undefined: nothing is sold by channels. */
  readonly channels: (ChannelRouteDependencies & { readonly deliveries: DeliveryRecorder }) | undefined;
  readonly bounds: ValidityBounds;
  /** PUBLIC_URL; default the origin of each request. */
  readonly publicUrl?: string;
  /** How long a 402 waits for what it can do without. */
  readonly challengePatienceMs: number | undefined;
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

/**
 * Express middleware: the handlers after it serve only who has paid, and charge by `req.paymentSession`.
 * @throws Error naming the option, at definition time
 */
export function createPaidRoute(options: PaidSessionOptions, dependencies: PaidRouteDependencies): RequestHandler {
  const route = routeOffers(options, dependencies.bounds);
  const { authServer, channels } = dependencies;
  const offers = authServer ? route.offers : [];
  if (authServer && authServer.challenge.mpp === undefined && offers.some((offer) => offer.protocol === 'mpp')) {
    refuse('protocols', 'mpp needs MPP_SECRET_KEY, which signs its challenges', "protocols: ['atxp', 'x402']");
  }
  const channel = channels && channelOfferOf(options, route.terms, channels.verifier.terms);
  if (offers.length === 0 && channel === undefined) {
    return (req, res) => (isPreflight(req) ? answerPreflight(res) : sendProblem(res, refusal('not_configured')));
  }
  const served = { route: { ...route, offers }, channel, identify: options.identify, dependencies };
  // Express passes a rejection on to the error handlers.
  return (req, res, next) => (isPreflight(req) ? answerPreflight(res) : serve(req, res, next, served));
}

interface Served {
  readonly route: RouteOffers;
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
  /** Left for providers that the answer can do without. */
  readonly patience: Patience;
}

async function serve(req: Request, res: Response, next: NextFunction, served: Served): Promise<void> {
  const { route, dependencies } = served;
  const startedAt = performance.now();
  if (!dependencies.holdsBack()) {
    return sendProblem(res, refusal('payment_unavailable', 'Reason: nothing can be sold on the Node of this server.'));
  }
  const found = findCredential(req.headers);
  const patience = createPatience(dependencies.challengePatienceMs);
  const asked = { paidBy: found?.protocol, sellsOtherwise: served.channel !== undefined, patience };
  const supportedSchemes = (await dependencies.authServer?.supportedSchemes.knownFor(route.offers, asked)) ?? {
    x402: {},
    mpp: {},
  };
  const presented = presentedAt(req, route, { supportedSchemes, publicUrl: dependencies.publicUrl });
  const content = found?.protocol === 'mpp' ? readMppContent(found.raw) : undefined;
  const visit: Visit = { ...served, req, res, presented, found, content, startedAt, patience };
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
  const body = requestBody(req);
  return { found, presented, method: req.method, terms, route: terms.name ?? routeName(req), body };
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
    case 'again':
      nameCharge(res, admission.id);
      res.once('finish', () => authServer.deliveries.note({ id: admission.id, delivery: 'delivered' }));
      return giveAgain(res, admission.answer, admission.receipt);
    case 'under_way':
      nameCharge(res, admission.id);
      return sendProblem(res, refusal('answer_under_way'));
    case 'name_used':
      return sendProblem(res, refusal('payment_identifier_used'));
    case 'used':
      nameCharge(res, admission.id);
      for (const [name, value] of Object.entries(admission.receipt ?? {})) res.setHeader(name, value);
      return sendProblem(res, refusal('credential_already_used', admission.receipt && NOT_KEPT));
    case 'undecided':
      nameCharge(res, admission.id);
      return sendProblem(res, refusal('payment_unknown'));
    case 'exposed':
      return sendProblem(res, refusal('exposure_exceeded'));
    case 'limited':
      return sendProblem(res, tooManyReleased(admission.forMs));
    case 'admitted': {
      const { session, paidBefore, version } = admission;
      const headers = { 'Settlement-Id': session.id, ...paidBefore };
      const settled = paidBefore && { dispatch: nothing };
      const answer = createWithheldAnswer(
        session,
        { ledger: authServer.admission.ledger, log: dependencies.log },
        (facts) => receiptOf(facts, version),
      );
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

/** What layers before this one have said by now is about this request; an answer keeps only what was said after them. */
function giveAgain(res: Response, { status, headers, body }: KeptAnswer, receipt: Receipt): void {
  res.statusCode = status;
  for (const [name, value] of [...headers, ...Object.entries(receipt)])
    res.setHeader(name, typeof value === 'string' ? value : [...value]);
  const hasBody = status >= 200 && status !== 204 && status !== 304;
  if (hasBody) res.setHeader('Content-Length', body.length);
  res.end(hasBody ? body : undefined);
}

const NOT_KEPT =
  'It was paid for and served; its answer was a stream, or too large to be kept, or was kept for as long as this route keeps answers.';

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
  const { req, res, presented, content, dependencies, patience } = visit;
  const { authServer, channels } = dependencies;
  const route = channelRouteOf(visit);
  const byChannel = channels && route && (await challengeByChannel(req, { claims: content, ...by }, route, channels));
  const made = authServer
    ? await makeChallenge(presented, why, authServer.challenge, { channel: byChannel, givenTo: by.givenTo, patience })
    : byChannel && { headers: { 'Cache-Control': 'no-store', 'WWW-Authenticate': byChannel } };
  if (made) sendChallenge(res, made, problem);
  else sendProblem(res, refusal('payment_unavailable', 'Reason: the auth server cannot be reached.'));
}

function presentedAt(
  req: Request,
  { offers, terms }: RouteOffers,
  { supportedSchemes, publicUrl }: Pick<Presented, 'supportedSchemes'> & { publicUrl: string | undefined },
): Presented {
  const { target, url } = resourceOf(req, publicUrl);
  return {
    offers,
    supportedSchemes,
    target,
    extensions: offeredExtensions(terms),
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
