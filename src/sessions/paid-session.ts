import type { NextFunction, Request as PaidRequest, RequestHandler, Response } from 'express';
import { assertNever } from '../domain/assert-never.js';
import type { SettlementId } from '../domain/ids.js';
import { findCredential } from '../protocols/find-credential.js';
import { type Admission, type AdmitDependencies, admit } from './admit.js';
import { type ChallengeDependencies, makeChallenge } from './challenge.js';
import type { DeliveryRecorder } from './delivery-recorder.js';
import type { FacilitiesKeeper } from './facilities.js';
import type { Presented } from './match-offer.js';
import { type RouteOffers, routeOffers } from './offers.js';
import { refusal, type SendProblem, sendChallenge } from './refusals.js';
import { ResponseGate, type SettleNowOutcome } from './response-gate.js';
import { type PaidSessionOptions, refuse, type ValidityBounds } from './route-options.js';

/** What a handler sees of the payment that its response is sold for. */
export interface PaymentSession {
  /** The most that this response may cost, in atomic units. */
  readonly cap: bigint;
  /** Charged so far. */
  readonly spent: bigint;
  /**
   * Charges atomic units; synchronous. Schemes that cannot be metered are all or nothing: the first charge takes the cap.
   * @returns false past the cap, or once the response was closed: nothing was charged, stop serving
   * @throws TypeError for anything but a non-negative bigint or digits
   */
  charge(amount: bigint | string): boolean;
  /** Gives the charge up: the response goes out free. False when it is too late, because the charge is durable already. */
  release(): boolean;
}

declare module 'express-serve-static-core' {
  interface Request {
    /** Set on routes behind `paidSession`, once a payment was accepted. */
    paymentSession?: PaymentSession;
  }
}

export interface PaidRouteDependencies {
  readonly admission: AdmitDependencies;
  readonly challenge: ChallengeDependencies;
  readonly facilities: FacilitiesKeeper;
  readonly deliveries: DeliveryRecorder;
  readonly bounds: ValidityBounds;
  readonly checkpointAmount: bigint;
  readonly checkpointIntervalMs: number;
  readonly settleNow: (id: SettlementId) => Promise<SettleNowOutcome>;
  readonly dispatch: (id: SettlementId) => unknown;
  /** Origin under which clients see this server; default that of each request. */
  readonly publicUrl?: string;
  readonly sendProblem: SendProblem;
}

/**
 * Express middleware: the handlers after it serve only who has paid, and charge by `req.paymentSession`.
 * @throws Error naming the option, at definition time
 */
export function createPaidRoute(options: PaidSessionOptions, dependencies: PaidRouteDependencies): RequestHandler {
  const route = routeOffers(options, dependencies.bounds);
  if (dependencies.challenge.mpp === undefined && route.offers.some((offer) => offer.protocol === 'mpp')) {
    refuse('protocols', 'mpp needs MPP_SECRET_KEY, which signs its challenges', "protocols: ['atxp', 'x402']");
  }
  // Express passes a rejection on to the error handlers.
  return (req, res, next) => serve(req, res, next, { route, dependencies });
}

interface Served {
  readonly route: RouteOffers;
  readonly dependencies: PaidRouteDependencies;
}

async function serve(
  req: PaidRequest,
  res: Response,
  next: NextFunction,
  { route, dependencies }: Served,
): Promise<void> {
  const { sendProblem, facilities } = dependencies;
  const startedAt = performance.now();
  const presented = presentedAt(req, route, {
    facilities: await facilities.knownFor(route.offers),
    publicUrl: dependencies.publicUrl,
  });
  const found = findCredential(req.headers);
  if (found === undefined) return challenge(res, presented, undefined, dependencies);
  const admission = await admit(
    { found, presented, terms: route.terms, route: route.terms.name ?? routeName(req) },
    dependencies.admission,
  );
  switch (admission.kind) {
    case 'challenge':
      return challenge(res, presented, admission.why, dependencies);
    case 'unavailable':
      return sendProblem(res, refusal('payment_unavailable', `Reason: ${admission.why}.`));
    case 'used':
      return sendProblem(res, refusal('credential_already_used'));
    case 'exposed':
      return sendProblem(res, refusal('exposure_exceeded'));
    case 'admitted': {
      const deadlineMs = route.terms.longestMs - (performance.now() - startedAt);
      if (attach(req, res, admission, { dependencies, deadlineMs })) next();
      return;
    }
    default:
      return assertNever(admission);
  }
}

async function challenge(
  res: Response,
  presented: Presented,
  why: string | undefined,
  dependencies: PaidRouteDependencies,
): Promise<void> {
  const { sendProblem } = dependencies;
  const made = await makeChallenge(presented, why, dependencies.challenge);
  if (made) sendChallenge(res, made, sendProblem, why && `Reason: ${why}.`);
  else sendProblem(res, refusal('payment_unavailable', 'Reason: the auth server cannot be reached.'));
}

/** @returns false when the client is gone already: the handler need not run */
function attach(
  req: PaidRequest,
  res: Response,
  admission: Extract<Admission, { kind: 'admitted' }>,
  { dependencies, deadlineMs }: { dependencies: PaidRouteDependencies; deadlineMs: number },
): boolean {
  const { session, held, settle } = admission;
  const { sendProblem } = dependencies;
  const gate = new ResponseGate(res, {
    session,
    held,
    settle,
    checkpointAmount: dependencies.checkpointAmount,
    checkpointIntervalMs: dependencies.checkpointIntervalMs,
    deadlineMs: Math.max(deadlineMs, 0),
    settleNow: dependencies.settleNow,
    dispatch: dependencies.dispatch,
    deliveries: dependencies.deliveries,
    refuse: (_, outcome) => sendProblem(res, refusal(outcome === 'refused' ? 'payment_refused' : 'payment_unknown')),
    log: dependencies.admission.log,
  });
  req.paymentSession = {
    cap: session.cap,
    get spent() {
      return session.spent();
    },
    charge(amount) {
      const charged = session.charge(amount);
      if (charged) gate.onCharge();
      return charged;
    },
    release: () => session.release(),
  };
  return !res.destroyed;
}

function presentedAt(
  req: PaidRequest,
  { offers, terms }: RouteOffers,
  { facilities, publicUrl }: Pick<Presented, 'facilities'> & { publicUrl: string | undefined },
): Presented {
  const path = `${req.baseUrl}${req.path}`;
  const origin = publicUrl?.replace(/\/+$/, '') ?? `${req.protocol}://${req.headers.host ?? 'localhost'}`;
  return {
    offers,
    facilities,
    path,
    resource: {
      url: `${origin}${path}`,
      ...(terms.description !== undefined && { description: terms.description }),
      ...(terms.mimeType !== undefined && { mimeType: terms.mimeType }),
    },
  };
}

/** The path as it was declared, so that one route stays one route whatever ids are in it. */
function routeName(req: PaidRequest): string {
  const route: { path?: string | RegExp } | undefined = req.route;
  return `${req.baseUrl}${route?.path?.toString() ?? ''}` || '/';
}
