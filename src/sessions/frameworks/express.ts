import type { Request as ExpressRequest, RequestHandler, Response } from 'express';
import { type CorsHandler, type CorsOptions, createCors } from '../cors.js';
import { createDocuments, type Described, type DiscoveryOptions, describedBy } from '../discovery/discovery.js';
import type { PaymentSession } from '../gate/payment-session.js';
import type { PaidSessionOptions as Options } from '../offers/route-options.js';
import type { PaidRequest } from '../paid-request.js';
import type { PaidRoute } from '../paid-session.js';
import { asError } from './as-error.js';
import { hostHeaderOf, onNodeResponse } from './node-response.js';

declare module 'express-serve-static-core' {
  interface Request {
    /** Set on routes behind `paidSession`, once a payment was accepted. */
    paymentSession?: PaymentSession;
  }
}

/** What a route sells and on which terms; `identify` looks at a request of Express. */
export type PaidSessionOptions = Options<ExpressRequest>;

export interface PaidSession {
  /**
   * Express middleware: the handlers after it serve only who has paid, and charge by `req.paymentSession`.
   * @throws Error naming the option, at definition time
   */
  (options: PaidSessionOptions): RequestHandler & Described;
  /** What lets pages of other origins buy: `app.use(paidSession.cors())`, before the paid routes. */
  readonly cors: (options?: CorsOptions) => CorsHandler;
  /** What tells of paid routes before anybody asks: `/openapi.json`, `/llms.txt` and `/.well-known/x402`, for `app.use`. */
  readonly discovery: (options: DiscoveryOptions) => RequestHandler;
}

interface Sales {
  readonly paidRoute: (options: PaidSessionOptions) => PaidRoute<ExpressRequest>;
  readonly publicUrl: string | undefined;
}

/** @param sales asked when the first route is declared */
export const expressPaidSessions = (sales: () => Sales): PaidSession =>
  Object.assign((options: PaidSessionOptions) => expressPaidSession(sales().paidRoute(options)), {
    cors: createCors,
    discovery: (options: DiscoveryOptions) => expressDiscovery(options, sales().publicUrl),
  });

/** Middleware of Express 4 and 5: the handlers after it serve only who has paid, and charge by `req.paymentSession`. */
export function expressPaidSession(route: PaidRoute<ExpressRequest>): RequestHandler & Described {
  const handler: RequestHandler = async (req, res, next) => {
    try {
      const session = await route(paidRequest(req, res), req);
      if (session === undefined) return;
      req.paymentSession = session;
      next();
    } catch (error) {
      // Express 4 looks at no promise: a rejection would end the process.
      next(typeof error === 'object' && error !== null ? error : asError(error));
    }
  };
  return describedBy(route, handler);
}

function expressDiscovery(options: DiscoveryOptions, publicUrl: string | undefined): RequestHandler {
  const documents = createDocuments(options, publicUrl);
  return (req, res, next) => {
    const answer = documents(req, () => originOf(req));
    if (answer === undefined) next();
    else onNodeResponse(req, res).answer(answer);
  };
}

const paidRequest = (req: ExpressRequest, res: Response): PaidRequest => ({
  ...onNodeResponse(req, res),
  originalUrl: req.originalUrl,
  origin: originOf(req),
  address: req.ip ?? '',
  route: routeName(req),
});

const originOf = (req: ExpressRequest): string => `${req.protocol}://${hostOf(req)}`;

/** Express 4 and 5 name this differently; both keep what `trust proxy` means in this function. */
function hostOf(req: ExpressRequest): string {
  const trusts = req.app.get('trust proxy fn') as ((address: string | undefined, hop: number) => boolean) | undefined;
  const forwarded = trusts?.(req.socket.remoteAddress, 0) ? req.get('x-forwarded-host') : undefined;
  const [first] = (forwarded ?? '').split(',', 1);
  return first?.trim() || hostHeaderOf(req);
}

/** Of a prefix Express tells what the client wrote, in any spelling and with any parameters: limits of credit go by none of it. */
function routeName(req: ExpressRequest): string {
  const route: { path?: string | RegExp } | undefined = req.route;
  const path = route?.path?.toString() ?? '';
  return req.baseUrl === '' ? path || '/' : `…${path}`;
}
