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
import { type Described, describedBy } from './discovery/discovery.js';
import { paidOperation } from './discovery/paid-operation.js';
import { readableBy } from './gate/answer-record.js';
import type { DeliveryRecorder } from './gate/delivery-recorder.js';
import { canBeHeld } from './gate/hold-wire.js';
import { attach, type GateSettings, type PaymentSession } from './gate/payment-session.js';
import { createWithheldAnswer } from './gate/withheld-answer.js';
import { type ChallengeDependencies, type ChallengedPayer, makeChallenge } from './offers/challenge.js';
import type { Presented } from './offers/match-offer.js';
import { type RouteOffers, routeOffers, type SupportedSchemes } from './offers/offers.js';
import { createPatience, type Patience } from './offers/patience.js';
import { receiptOf } from './offers/payment-response.js';
import { resourceOf } from './offers/resource.js';
import { type PaidSessionOptions, refuse, type ValidityBounds } from './offers/route-options.js';
import type { SupportedSchemesKeeper } from './offers/supported-schemes.js';
import { type OfferedExtensions, offeredExtensions } from './offers/x402-extensions.js';
import type { PaidRequest } from './paid-request.js';
import { isPreflight, PREFLIGHT_ANSWER } from './preflight.js';
import { channelRefusal, type Problem, refusal, sendChallenge, sendManaged, sendProblem } from './refusals.js';
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
 * Resolves to the session that the handler charges. Undefined: no handler runs, because the request was answered already, or
 * its client is gone. Rejects with what the route's own `identify` threw.
 */
export type PaidRoute<Asked> = ((request: PaidRequest, asked: Asked) => Promise<PaymentSession | undefined>) &
  Described;

/** @throws Error naming the option, at definition time */
export function createPaidRoute<Asked>(
  options: PaidSessionOptions<Asked>,
  dependencies: PaidRouteDependencies,
): PaidRoute<Asked> {
  const route = routeOffers(options, dependencies.bounds);
  const { authServer, channels } = dependencies;
  const offers = authServer ? route.offers : [];
  if (authServer && authServer.challenge.mpp === undefined && offers.some((offer) => offer.protocol === 'mpp')) {
    refuse('protocols', 'mpp needs MPP_SECRET_KEY, which signs its challenges', "protocols: ['atxp', 'x402']");
  }
  const extensions = offeredExtensions(options, route);
  const channel = channels && channelOfferOf(options, route.terms, channels.verifier.terms);
  const sold = { terms: route.terms, offers, channel };
  const described: Described = {
    openApi: (operation) => paidOperation(sold, operation),
    listed: extensions['bazaar'] !== undefined && offers.some((offer) => offer.protocol === 'x402'),
  };
  if (offers.length === 0 && channel === undefined) {
    const sellsNothing = async (request: PaidRequest) =>
      isPreflight(request.req) ? answerPreflight(request) : sendProblem(request, refusal('not_configured'));
    return describedBy(described, sellsNothing);
  }
  const { identify } = options;
  const served = { route: { ...route, offers }, extensions, channel, dependencies };
  const sells = async (request: PaidRequest, asked: Asked) =>
    isPreflight(request.req)
      ? answerPreflight(request)
      : serve(request, { ...served, identify: identify && (() => atOnce(identify(asked))) });
  return describedBy(described, sells);
}

/** A promise, which no type checker has kept out, would be one and the same identity to the ledger, whoever it is of. */
function atOnce(said: unknown): string | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  if (!(said instanceof Promise)) return said as string | undefined;
  said.catch(() => undefined);
  throw new TypeError(
    'identify returns a promise: look the client up before the paid route, and return what was found',
  );
}

function answerPreflight(request: PaidRequest): undefined {
  request.answer(PREFLIGHT_ANSWER);
}

interface Served {
  readonly route: RouteOffers;
  readonly extensions: OfferedExtensions;
  readonly channel: ChannelOffer | undefined;
  readonly identify: (() => string | undefined) | undefined;
  readonly dependencies: PaidRouteDependencies;
}

/** One request on its way through a paid route. */
interface Visit extends Served {
  readonly request: PaidRequest;
  readonly presented: Presented;
  readonly found: FoundCredential | undefined;
  /** What an MPP credential holds; undefined where there is none, or where it is not readable. */
  readonly content: JsonObject | undefined;
  readonly startedAt: number;
  /** Left for providers that the answer can do without. */
  readonly patience: Patience;
}

async function serve(request: PaidRequest, served: Served): Promise<PaymentSession | undefined> {
  const { route, dependencies } = served;
  const startedAt = performance.now();
  if (!dependencies.holdsBack()) {
    return sendProblem(
      request,
      refusal('payment_unavailable', 'Reason: nothing can be sold on the Node of this server.'),
    );
  }
  const found = findCredential(request.req.headers);
  const patience = createPatience(dependencies.challengePatienceMs);
  const asked = { paidBy: found?.protocol, sellsOtherwise: served.channel !== undefined, patience };
  const supportedSchemes = (await dependencies.authServer?.supportedSchemes.knownFor(route.offers, asked)) ?? {
    x402: {},
    mpp: {},
  };
  const presented = presentedAt(request, served, supportedSchemes);
  const content = found?.protocol === 'mpp' ? readMppContent(found.raw) : undefined;
  const visit: Visit = { ...served, request, presented, found, content, startedAt, patience };
  if (found === undefined) return challenge(visit, refusal('payment_required'));
  if (!canBeHeld(request.res)) {
    const why = 'Reason: an answer to an injected request cannot be held back until it is paid for.';
    return sendProblem(request, refusal('payment_unavailable', why));
  }
  // A channel is opened and fed by HEAD too; no handler runs for that.
  if (isForChannel(visit, found)) return payThroughChannel(visit, found);
  // There is nothing to sell in a head: it says what the whole answer would cost.
  if (isHead(request)) return challenge(visit, refusal('payment_required'));
  return payThroughAuthServer(visit, found);
}

/** Session credentials go to the channels of this server where the route sells by them, else to the auth server. */
function isForChannel({ channel, content, route }: Visit, found: FoundCredential): boolean {
  if (channel === undefined || found.protocol !== 'mpp') return false;
  return content === undefined ? !route.offers.some((offer) => offer.protocol === 'mpp') : isAboutChannel(content);
}

async function payThroughAuthServer(visit: Visit, found: FoundCredential): Promise<PaymentSession | undefined> {
  const { authServer } = visit.dependencies;
  if (authServer === undefined) return challenge(visit, required('this protocol is not offered here'));
  const admission = await admit(knockOf(visit, found), authServer.admission);
  return serveByAuthServer(visit, admission, authServer);
}

function knockOf({ request, presented, route: { terms } }: Visit, found: FoundCredential): AdmissionRequest {
  const { req, route } = request;
  return { found, presented, method: req.method ?? '', terms, route: terms.name ?? route, body: requestBody(request) };
}

async function serveByAuthServer(
  visit: Visit,
  admission: Admission,
  authServer: AuthServerSales,
): Promise<PaymentSession | undefined> {
  const { request, dependencies } = visit;
  switch (admission.kind) {
    case 'managed':
      return sendManaged(request, namingCharge(admission.id));
    case 'challenge':
      return challenge(visit, required(admission.why), admission.why, { givenTo: admission.givenTo });
    case 'refused':
      return challenge(visit, channelRefusal(admission.refusal), admission.refusal.detail);
    case 'unavailable':
      return sendProblem(request, refusal('payment_unavailable', `Reason: ${admission.why}.`));
    case 'again':
      request.res.once('finish', () => authServer.deliveries.note({ id: admission.id, delivery: 'delivered' }));
      return giveAgain(request, admission);
    case 'under_way':
      return sendProblem(request, refusal('answer_under_way'), namingCharge(admission.id));
    case 'name_used':
      return sendProblem(request, refusal('payment_identifier_used'));
    case 'used': {
      const { id, receipt } = admission;
      const problem = refusal('credential_already_used', receipt && NOT_KEPT);
      return sendProblem(request, problem, { ...receipt, ...namingCharge(id) });
    }
    case 'undecided':
      return sendProblem(request, refusal('payment_unknown'), namingCharge(admission.id));
    case 'exposed':
      return sendProblem(request, refusal('exposure_exceeded'));
    case 'limited':
      return sendProblem(request, tooManyReleased(admission.forMs));
    case 'admitted': {
      const { session, paidBefore, version } = admission;
      const headers = { ...namingCharge(session.id), ...paidBefore };
      const settled = paidBefore && { dispatch: nothing };
      const answer = createWithheldAnswer(
        session,
        { ledger: authServer.admission.ledger, log: dependencies.log },
        (facts) => receiptOf(facts, version),
      );
      return attach(visit, { ...admission, ...authServer, ...settled, answer, headers }, dependencies);
    }
    default:
      return assertNever(admission);
  }
}

async function payThroughChannel(visit: Visit, found: FoundCredential): Promise<PaymentSession | undefined> {
  const { request, content, dependencies } = visit;
  const { authServer, channels } = dependencies;
  const route = channelRouteOf(visit);
  if (channels === undefined || route === undefined) return sendProblem(request, refusal('not_configured'));
  const admission = await admitByChannel(request, { raw: found.raw, content }, route, channels);
  switch (admission.kind) {
    case 'refused': {
      // The route may have sold by the auth server's sessions before: what that has taken is not asked for again.
      const taken = authServer && (await takenBefore(knockOf(visit, found), authServer.admission));
      if (taken) return serveByAuthServer(visit, taken, authServer);
      return challenge(visit, channelRefusal(admission.refusal), admission.refusal.detail, admission);
    }
    case 'unavailable':
      return sendProblem(request, refusal('payment_unavailable', `Reason: ${admission.why}.`));
    case 'limited':
      return sendProblem(request, tooManyReleased(admission.forMs));
    case 'managed':
      return sendManaged(request, admission.receipt === null ? {} : { [RECEIPT_HEADER]: admission.receipt });
    case 'admitted': {
      // What a channel pays is on chain already, so there is nothing to settle first and nothing to start.
      const onClose = { settle: 'after', settleNow: neverSettled, dispatch: nothing } as const;
      const { offer } = route;
      const attached = { ...admission, ...onClose, offer: offer.sold, deliveries: channels.deliveries };
      return attach(visit, attached, dependencies);
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
const namingCharge = (id: SettlementId | undefined): Readonly<Record<string, string>> =>
  id === undefined ? {} : { 'Settlement-Id': id };

/** What layers before this one have said by now is about this request; an answer keeps only what was said after them. */
function giveAgain(
  request: PaidRequest,
  { id, answer, receipt }: Pick<Extract<Admission, { kind: 'again' }>, 'id' | 'answer' | 'receipt'>,
): undefined {
  const headers: Record<string, string | string[]> = {};
  const { headers: stored, ...readable } = readableBy(answer, request.req.headers['accept-encoding']);
  for (const [name, value] of stored) {
    const said = headers[name];
    // A field may have been sent in several lines.
    if (said !== undefined) headers[name] = [said, value].flat(2);
    else headers[name] = typeof value === 'string' ? value : [...value];
  }
  request.answerAgain({ ...readable, headers: { ...headers, ...receipt, ...namingCharge(id) } });
}

const NOT_KEPT =
  'It was paid for and served; its answer was a stream, or too large to be kept, or was kept for as long as this route keeps answers.';

const neverSettled = (): Promise<SettleNowOutcome> => Promise.resolve('unknown');
const nothing = (): void => undefined;

const required = (why: string) => refusal('payment_required', `Reason: ${why}.`);

function channelRouteOf({ channel, identify, route, presented, request }: Visit): ChannelRoute | undefined {
  if (channel === undefined) return undefined;
  const { longestMs, name } = route.terms;
  return { offer: channel, name: name ?? request.route, path: presented.target, longestMs, identify };
}

/** @param why a credential that was presented does not do; the x402 body repeats it */
async function challenge(
  visit: Visit,
  problem: Problem,
  why?: string,
  by: ChallengedBy & Pick<ChallengedPayer, 'givenTo'> = {},
): Promise<undefined> {
  const { request, presented, content, dependencies, patience } = visit;
  const { authServer, channels } = dependencies;
  const route = channelRouteOf(visit);
  const byChannel =
    channels && route && (await challengeByChannel(request, { claims: content, ...by }, route, channels));
  const made = authServer
    ? await makeChallenge(presented, why, authServer.challenge, { channel: byChannel, givenTo: by.givenTo, patience })
    : byChannel && { headers: { 'Cache-Control': 'no-store', 'WWW-Authenticate': byChannel } };
  if (made) return sendChallenge(request, made, problem);
  return sendProblem(request, refusal('payment_unavailable', 'Reason: the auth server cannot be reached.'));
}

function presentedAt(
  request: PaidRequest,
  { route: { offers, terms }, extensions, dependencies }: Served,
  supportedSchemes: SupportedSchemes,
): Presented {
  const { target, url } = resourceOf(request, dependencies.publicUrl);
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
