import { embed, shared } from './programs/embedded.js';
import { expressPaidSessions, type PaidSession } from './sessions/frameworks/express.js';

export { stopMakegood } from './programs/embedded.js';
export type { CorsHandler, CorsOptions } from './sessions/cors.js';
export type { Described, DiscoveryOptions, PublishedRoute } from './sessions/discovery/discovery.js';
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
  const embedded = embed();
  return { paidSession: expressPaidSessions(() => embedded), stop: embedded.stop };
}

/**
 * The same for an application that needs only one: made from the environment when the first route is declared.
 * Settings, lease and connections are shared by all its routes, those of `makegood/node` and `makegood/fastify` too.
 */
export const paidSession: PaidSession = expressPaidSessions(shared);
