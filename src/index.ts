import type { RequestHandler } from 'express';
import { embed, shared } from './programs/embedded.js';
import { createCors } from './sessions/cors.js';
import {
  expressPaidSession,
  expressPaidSessions,
  type PaidSession,
  type PaidSessionOptions,
} from './sessions/frameworks/express.js';

export { stopMakegood } from './programs/embedded.js';
export type { CorsHandler, CorsOptions } from './sessions/cors.js';
export type { PaidSession, PaidSessionOptions } from './sessions/frameworks/express.js';
export type { PaymentSession, SoldOffer } from './sessions/gate/payment-session.js';
export type { ProtocolTerms } from './sessions/offers/route-options.js';

/** Makegood inside an application of your own: its paid routes, its lease, its connection to the ledger. */
export interface Makegood {
  readonly paidSession: PaidSession;
  /** Call it after your server has closed: writes what is on its way and gives the lease back. */
  stop(): Promise<void>;
}

/**
 * Reads the settings of `.env.template` from the environment. Until the ledger can be reached paid routes answer 503, and
 * it goes on trying; a wrong setting throws at once and names the variable.
 */
export function createMakegood(): Makegood {
  const { paidRoute, stop } = embed();
  return { paidSession: expressPaidSessions(paidRoute), stop };
}

/**
 * The same for an application that needs only one: made from the environment when the first route is declared.
 * Settings, lease and connections are shared by all its routes, those of `makegood/node` and `makegood/fastify` too.
 */
export function paidSession(options: PaidSessionOptions): RequestHandler {
  return expressPaidSession(shared().paidRoute(options));
}

/** What lets pages of other origins buy: `app.use(paidSession.cors())`, before the paid routes. It reads no settings. */
paidSession.cors = createCors;
