import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { CONFIG_VARIABLES, type ConfigVariable, readConfig } from '../../src/config/config.js';
import { sourceFiles } from '../support/source-files.js';

const TEMPLATE = join(projectRoot(), '.env.template');

/** Used by docker-compose.yml itself, not by the product. */
const COMPOSE_ONLY = ['POSTGRES_PASSWORD'];

const HEAD = `# Every setting of servers and workers. Copy this file to .env and fill in what is marked "required" with values (a $(…) of
# an example is to be run). docker compose reads .env by itself; else node --env-file=.env bin/makegood.js … does.
# Left out means: the default shown here, or the feature is off. Durations: 500ms, 1s, 1m, 1h, 30d.
# The list is made from src/config/config-variables.ts: npx vitest run test/architecture/settings.test.ts -u

# required by docker-compose.yml, which makes DATABASE_URL of it; letters and digits only
POSTGRES_PASSWORD=
`;

function entry({ name, required, default: standard, description, example }: ConfigVariable): string {
  if (standard !== undefined) return `# ${description}\n${name}=${standard}\n`;
  const note = `# ${description}${required ? ' (required)' : ''}\n`;
  return required ? `${note}# for example ${name}=${example}\n${name}=\n` : `${note}# ${name}=${example}\n`;
}

it('.env.template lists every setting with its default and a line that explains it', async () => {
  await expect([HEAD, ...CONFIG_VARIABLES.map(entry)].join('\n')).toMatchFileSnapshot(TEMPLATE);
});

it('the contract and the schema of settings know the same variables', () => {
  // docs of the contract: what operators were promised; a variable may be added, never silently dropped
  const promised = `DATABASE_URL CREDENTIAL_ENCRYPTION_KEY API_TOKENS PORT HOST TEMPORAL_ADDRESS TEMPORAL_NAMESPACE
    TEMPORAL_TASK_QUEUE TEMPORAL_UI_URL TEMPORAL_API_KEY WORKER_METRICS_PORT AUTH_SERVER_URL AUTH_APP_NAME
    DESTINATION_ACCOUNT_ID STRIPE_SECRET_KEY STRIPE_API_BASE STRIPE_WEBHOOK_SECRET HYPERSWITCH_BASE_URL
    HYPERSWITCH_API_KEY HYPERSWITCH_WEBHOOK_SECRET MPP_SECRET_KEY TEMPO_RPC_URL TEMPO_CHAIN_ID TEMPO_CURRENCY
    TEMPO_PAYEE_KEY SETTLEMENT_BACKOFF_BASE=1s SETTLEMENT_BACKOFF_MAX=5m SETTLEMENT_HTTP_TIMEOUT=30s
    SETTLEMENT_SWEEP_INTERVAL=1m SETTLEMENT_OVERFLOW_BACKLOG=1000 SETTLEMENT_MAX_BATCH=50 SETTLEMENT_MAX_RPS=200
    SETTLEMENT_CHECKPOINT_AMOUNT=10000 SETTLEMENT_CHECKPOINT_INTERVAL=1s SETTLEMENT_CREDENTIAL_VALIDITY=1h
    SETTLEMENT_MIN_RETRY_WINDOW=2m SETTLE_FIRST_BUFFER=1MiB REVERSAL_WORKER_ENABLED=true REVERSAL_MAX_RETRIES=5 REVERSAL_CHECK_INTERVAL=1m
    REVERSAL_BACKOFF_BASE=1m REVERSAL_BACKOFF_MAX=1h REVERSAL_BALANCE_HORIZON=30d TRANSFER_RETRY_ENABLED=true
    TRANSFER_RETRY_MAX=5 TRANSFER_RETRY_INTERVAL=1m TRANSFER_RETRY_BACKOFF_BASE=1m TRANSFER_RETRY_BACKOFF_MAX=1h
    APPROVAL_THRESHOLD=10000 RELEASE_OVERDUE=30d`.split(/\s+/);
  const known = new Map(CONFIG_VARIABLES.map((variable) => [variable.name, variable.default]));
  const kept = promised.filter((one) => {
    const [name = '', standard] = one.split('=');
    return known.has(name) && (standard === undefined || known.get(name) === standard);
  });
  expect(kept).toEqual(promised);
});

it('docker-compose.yml passes on only variables that exist', () => {
  const text = readFileSync(join(projectRoot(), 'docker-compose.yml'), 'utf8');
  const asked = [...text.matchAll(/\$\{([A-Z_]+)/g)].map((match) => match[1]);
  expect(new Set(asked)).toEqual(new Set(COMPOSE_ONLY));
  const { services } = z
    .object({
      services: z.record(
        z.string(),
        z.object({ build: z.unknown().optional(), environment: z.record(z.string(), z.string()).default({}) }),
      ),
    })
    .parse(parse(text, { merge: true }));
  const ours = Object.values(services).filter((service) => service.build !== undefined);
  expect(ours).toHaveLength(3);
  const names = CONFIG_VARIABLES.map((variable) => variable.name);
  for (const { environment } of ours) expect(names).toEqual(expect.arrayContaining(Object.keys(environment)));
});

it('the file that a stranger copies starts nothing until the required settings are filled in', () => {
  const lines = readFileSync(TEMPLATE, 'utf8').split('\n');
  const empty = lines.filter((line) => /^[A-Z_]+=$/.test(line)).map((line) => line.slice(0, -1));
  const required = CONFIG_VARIABLES.filter((variable) => variable.required).map((variable) => variable.name);
  expect(empty).toEqual([...COMPOSE_ONLY, ...required]);
});

/** The names of everything that a configuration holds, however deep. */
const namesIn = (value: unknown): string[] =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Map) &&
  !Buffer.isBuffer(value)
    ? Object.entries(value).flatMap(([name, inner]) => [name, ...namesIn(inner)])
    : [];

/** What no example can be: secrets, and files that exist. */
const GIVEN = {
  CREDENTIAL_ENCRYPTION_KEY: `1:${Buffer.alloc(32).toString('base64')}`,
  API_TOKENS: 'billing:service:0123456789abcdef',
  TEMPORAL_TLS_CERT: TEMPLATE,
  TEMPORAL_TLS_KEY: TEMPLATE,
  TEMPORAL_TLS_CA: TEMPLATE,
  STRIPE_SECRET_KEY: 'sk_test_1',
  HYPERSWITCH_API_KEY: 'snd_key_1',
  MPP_SECRET_KEY: 's'.repeat(32),
  NOTIFY_WEBHOOKS: `https://ops.example.com whsec_${Buffer.alloc(24).toString('base64')}`,
  NOTIFY_ESCALATE_WEBHOOKS: `https://pager.example.com whsec_${Buffer.alloc(24).toString('base64')}`,
  TEMPO_PAYEE_KEY: `0x${'11'.repeat(32)}`,
};

it('every setting is read by code', () => {
  const examples = CONFIG_VARIABLES.map(({ name, default: standard, example }) => [name, standard ?? example]);
  const config = readConfig({ ...Object.fromEntries(examples), ...GIVEN });
  const code = sourceFiles('src', 'activities', 'workflows').filter(({ path }) => !path.startsWith('src/config/'));
  const isRead = (name: string) => code.some(({ text }) => new RegExp(`\\b${name}\\b`).test(text));
  expect(namesIn(config).length).toBeGreaterThan(40);
  expect(namesIn(config).filter((name) => !isRead(name))).toEqual([]);
  expect(isRead('smtpUrl')).toBe(false);
});

it('what settings say to the ledger is the same in every program that opens it', () => {
  const opening = sourceFiles('src/programs').filter(({ text }) => text.includes('createLedger({'));
  expect(opening.length).toBeGreaterThan(1);
  expect(opening.filter(({ text }) => !text.includes('...ledgerSettings(config),')).map(({ path }) => path)).toEqual(
    [],
  );
});
