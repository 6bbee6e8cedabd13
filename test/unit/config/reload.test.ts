import { afterEach, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/config.js';
import type { Environment } from '../../../src/config/config-variables.js';
import { createAuthenticate } from '../../../src/http/auth.js';
import { createMarketplaceProviders } from '../../../src/programs/marketplace-runtime.js';
import { RELOADABLE, reloadOnHangup } from '../../../src/programs/reload.js';
import { readDocument } from '../../support/documents.js';
import { memoryLogger } from '../../support/settlements/settlement-world.js';
import { key } from './support/settings.js';

const BASE = {
  DATABASE_URL: 'postgres://makegood@127.0.0.1/makegood',
  CREDENTIAL_ENCRYPTION_KEY: key(),
  API_TOKENS: 'ada:viewer:0123456789abcdef',
  STRIPE_SECRET_KEY: 'sk_test_reload',
};
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function running(before: Environment = {}) {
  let env: Environment = { ...BASE, ...before };
  const config = readConfig(env);
  const logger = Object.assign(memoryLogger(), { level: 'info' });
  ends.push(reloadOnHangup({ config, read: () => ({ env, config: readConfig(env) }), logger: logger as never }));
  return {
    config,
    logger,
    reload: (now: Environment): void => {
      env = { ...BASE, ...now };
      process.emit('SIGHUP');
    },
  };
}

it('what was handed on sees what is new: tokens by the list, rates by the object', async () => {
  const { config, logger, reload } = running();
  const authenticate = createAuthenticate(config.apiTokens);
  const asked: number[] = [];
  const { stripe } = createMarketplaceProviders(config, {
    takeToken: (_endpoint: string, { overall }: { overall: number }) => {
      asked.push(overall);
      return Promise.reject(new Error('nothing is sent here'));
    },
  } as never);
  const ask = () =>
    stripe
      ?.inLane('probe')
      .readPlatformBalance()
      .catch(() => undefined);
  await ask();
  reload({
    API_TOKENS: 'bob:operator:fedcba9876543210',
    STRIPE_MAX_RPS: '7',
    SETTLEMENT_MAX_RPS: '3',
    LOG_LEVEL: 'warn',
  });
  await ask();
  expect(asked).toEqual([25, 7]);
  expect(authenticate('Bearer 0123456789abcdef')).toBeUndefined();
  expect(authenticate('Bearer fedcba9876543210')).toEqual({ name: 'bob', role: 'operator' });
  expect([config.settlement.maxRps, logger.level]).toEqual([3, 'warn']);
});

it('what needs a restart is named each time until it has had one', () => {
  const { config, logger, reload } = running();
  reload({ PORT: '4000' });
  reload({ PORT: '4000', LOG_LEVEL: 'debug' });
  expect(config.http.port).toBe(3000);
  const warned = logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
  expect(warned).toEqual(Array.from({ length: 2 }, () => 'these settings need a restart: PORT'));
});

it('docs/observability.md lists what can be changed without a restart', () => {
  const [, section = ''] = readDocument('docs/observability.md').split('## Changing settings without a restart');
  expect(section.match(/`[A-Z]+_[A-Z_]+`/g)?.slice(0, RELOADABLE.length + 1)).toEqual(
    ['SETTINGS_FILE', ...RELOADABLE].map((name) => `\`${name}\``),
  );
});

it('a reading that fails in a way that nobody foresaw changes nothing, ends nothing and is not quoted', () => {
  const logger = Object.assign(memoryLogger(), { level: 'info' });
  const config = readConfig(BASE);
  let fails = false;
  const read = () => {
    if (fails) throw new URIError('of hunter2');
    return { env: BASE, config };
  };
  ends.push(reloadOnHangup({ config, read, logger: logger as never }));
  fails = true;
  expect(() => process.emit('SIGHUP')).not.toThrow();
  expect(JSON.stringify(logger.lines)).toContain('settings could not be read again (URIError)');
  expect(JSON.stringify(logger.lines)).not.toContain('hunter2');
});
