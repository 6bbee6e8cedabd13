import { readProcessConfig } from '../config/config.js';
import { createLogger } from '../observability/logger.js';
import type { PaidSessionOptions } from '../sessions/offers/route-options.js';
import type { PaidRoute } from '../sessions/paid-session.js';
import type { SessionLog } from '../sessions/session-log.js';
import { createPaidSessionRuntime, type PaidSessionRuntime } from './runtime.js';
import { createTempoRuntime } from './tempo-runtime.js';

/** Makegood inside an application of its own, whatever its frameworks: no type of any of them is seen from here. */
export interface Embedded {
  readonly paidRoute: <Asked>(options: PaidSessionOptions<Asked>) => PaidRoute<Asked>;
  readonly publicUrl: string | undefined;
  readonly log: SessionLog;
  readonly stop: () => Promise<void>;
}

const TRY_AGAIN_MS = 2_000;

/** Reads the settings from the environment, and goes on trying until the ledger can be reached. */
export function embed(): Embedded {
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
    paidRoute: (options) => runtime.sessions.paidRoute(options),
    publicUrl: config.http.publicUrl,
    log: logger,
    async stop() {
      stopped = true;
      clearTimeout(retry);
      await runtime.stop();
    },
  };
}

let own: Embedded | undefined;

/** The one of this process, whatever the framework of each of its routes: made when the first route is declared. */
export function shared(): Embedded {
  own ??= embed();
  return own;
}

/** Ends what `paidSession` has started, of all frameworks. Call it after your server has closed. */
export async function stopMakegood(): Promise<void> {
  const ending = own;
  own = undefined;
  await ending?.stop();
}
