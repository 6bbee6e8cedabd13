import { CONFIG_VARIABLES, type Config, ConfigError } from '../config/config.js';
import type { Environment, VariableName } from '../config/config-variables.js';
import type { Logger } from '../observability/logger.js';

/** The settings as they would be at a start now. @throws ConfigError */
export type ReadSettings = () => { readonly env: Environment; readonly config: Config };

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * What may change under a running process, and how. A configuration is handed on by reference and these parts of it are read at
 * each use, so they are changed where they stand; everything else is built into what was made of it.
 */
const TAKE_OVER: Partial<Record<VariableName, (running: Config, now: Config) => void>> = {
  // The list itself stays: whoever holds it knows from now on who may call.
  API_TOKENS: (running, now) =>
    void (running.apiTokens as Config['apiTokens'][number][]).splice(0, Infinity, ...now.apiTokens),
  LOG_LEVEL: (running, now) => {
    (running as Writable<Config>).logLevel = now.logLevel;
  },
  RATE_LIMIT_MAX: (running, now) => {
    (running.http.rateLimit as Writable<Config['http']['rateLimit']>).max = now.http.rateLimit.max;
  },
  RATE_LIMIT_ANONYMOUS_MAX: (running, now) => {
    const rateLimit: Writable<Config['http']['rateLimit']> = running.http.rateLimit;
    rateLimit.anonymousMax = now.http.rateLimit.anonymousMax;
  },
  SETTLEMENT_MAX_RPS: (running, now) => {
    (running.settlement as Writable<Config['settlement']>).maxRps = now.settlement.maxRps;
  },
  STRIPE_MAX_RPS: (running, now) => {
    if (running.stripe) (running.stripe as Writable<NonNullable<Config['stripe']>>).maxRps = now.stripe?.maxRps;
  },
};

/** What can be changed without a restart, for the documents. */
export const RELOADABLE = Object.keys(TAKE_OVER) as readonly VariableName[];

export interface ReloadOptions {
  readonly config: Config;
  /** Undefined: the settings stand in the environment alone, and SIGHUP ends the process as ever. */
  readonly read: ReadSettings | undefined;
  readonly logger: Logger & { level: string };
}

/** At SIGHUP settings are read again. A file that is wrong changes nothing. @returns ends it */
export function reloadOnHangup({ config, read, logger }: ReloadOptions): () => void {
  if (read === undefined) return () => undefined;
  let { env } = read();
  const reload = () => {
    const now = readOrSay(read, logger);
    if (now === undefined) return;
    const changed = CONFIG_VARIABLES.map(({ name }) => name as VariableName).filter(
      (name) => env[name] !== now.env[name],
    );
    const taken = changed.filter((name) => TAKE_OVER[name]);
    for (const name of taken) TAKE_OVER[name]?.(config, now.config);
    logger.level = config.logLevel;
    const left = changed.filter((name) => !TAKE_OVER[name]);
    // What is left is compared again next time: it stays to be told until a restart.
    env = { ...env, ...Object.fromEntries(taken.map((name) => [name, now.env[name]])) };
    logger.info(
      { taken },
      taken.length === 0 ? 'settings were read again: nothing is new' : 'settings were read again',
    );
    if (left.length > 0) logger.warn({ settings: left }, `these settings need a restart: ${left.join(', ')}`);
  };
  process.on('SIGHUP', reload);
  return () => process.off('SIGHUP', reload);
}

function readOrSay(read: ReadSettings, logger: Logger): ReturnType<ReadSettings> | undefined {
  try {
    return read();
  } catch (error) {
    // Whatever a file holds, nobody is there to catch it: the process would end. Its words may quote a secret.
    if (!(error instanceof ConfigError)) {
      const what = error instanceof Error ? error.name : typeof error;
      logger.error({}, `settings could not be read again (${what}), nothing was changed`);
      return undefined;
    }
    const wrong = error.problems.map(({ variable, problem }) => `${variable} ${problem}`);
    logger.error({ wrong }, `settings were read again and cannot be used, nothing was changed: ${wrong.join('; ')}`);
    return undefined;
  }
}
