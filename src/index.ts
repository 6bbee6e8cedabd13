import type { RequestHandler } from 'express';
import { readProcessConfig } from './config/config.js';
import { createLogger } from './observability/logger.js';
import { createPaidSessionRuntime, type PaidSessionRuntime } from './programs/runtime.js';
import { createTempoRuntime } from './programs/tempo-runtime.js';
import type { DiscoveryOptions, PaidHandler, PaidSessionOptions } from './sessions/index.js';

export type {
  DiscoveryOptions,
  PaidHandler,
  PaidSessionOptions,
  PaymentSession,
  PublishedRoute,
} from './sessions/index.js';

/** Makegood inside an application of your own: its paid routes, its lease, its connection to the ledger. */
export interface Makegood {
  /**
   * Express middleware: the handlers after it serve only who has paid, and charge by `req.paymentSession`.
   * @throws Error naming the option, at definition time
   */
  paidSession(options: PaidSessionOptions): PaidHandler;
  /** Express middleware that tells what paid routes sell: `/openapi.json`, `/llms.txt` and `/.well-known/x402`. */
  discovery(options: DiscoveryOptions): RequestHandler;
  /** Call it after your server has closed: writes what is on its way and gives the lease back. */
  stop(): Promise<void>;
}

const TRY_AGAIN_MS = 2_000;

/**
 * Reads the settings of `.env.template` from the environment. Until the ledger can be reached paid routes answer 503, and
 * it goes on trying; a wrong setting throws at once and names the variable.
 */
export function createMakegood(): Makegood {
  const config = readProcessConfig();
  const logger = createLogger({ level: config.logLevel, name: 'makegood' });
  const runtime: PaidSessionRuntime = createPaidSessionRuntime(config, {
    logger,
    tempo: config.tempo && createTempoRuntime(config.tempo),
  });
  let stopped = false;
  let retry: NodeJS.Timeout | undefined;

  function start(): void {
    runtime.start().catch((error: unknown) => {
      logger.error({ err: error }, 'paid routes answer 503 until the ledger can be used; trying again');
      if (!stopped) retry = setTimeout(start, TRY_AGAIN_MS).unref();
    });
  }
  start();

  return {
    paidSession: (options) => runtime.sessions.paidSession(options),
    discovery: (options) => runtime.sessions.discovery(options),
    async stop() {
      stopped = true;
      clearTimeout(retry);
      await runtime.stop();
    },
  };
}

let own: Makegood | undefined;

/**
 * The same for an application that needs only one: made from the environment when the first route is declared.
 * Settings, lease and connections are shared by all its routes.
 */
export function paidSession(options: PaidSessionOptions): PaidHandler {
  own ??= createMakegood();
  return own.paidSession(options);
}

/** Express middleware that tells what routes of {@link paidSession} sell. */
export function discovery(options: DiscoveryOptions): RequestHandler {
  own ??= createMakegood();
  return own.discovery(options);
}

/** Ends what {@link paidSession} has started. */
export async function stopMakegood(): Promise<void> {
  const ending = own;
  own = undefined;
  await ending?.stop();
}
