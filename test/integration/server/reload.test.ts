import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryPath } from '../../support/child-processes.js';
import { createTestDatabase } from '../../support/database.js';
import { type RunningCommand, startCommand } from '../../support/processes/command.js';
import { environmentFor } from '../../support/processes/start-process.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';

/** Settings are changed under processes as an operator starts them, by a file and SIGHUP. */

const [OLD, NEW] = ['token-of-before-the-reload', 'token-of-after-the-reload'];
const file = temporaryPath('settings');
const write = (settings: Readonly<Record<string, string>>) =>
  writeFileSync(
    file,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
const BEFORE = { API_TOKENS: `billing:service:${OLD}`, LOG_LEVEL: 'info' };
const AFTER = { API_TOKENS: `billing:service:${NEW},olga:operator:${OLD}x`, LOG_LEVEL: 'debug' };

let temporal: DevServer;
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  [temporal, database] = await Promise.all([startDevServer(), createTestDatabase()]);
  const { API_TOKENS: _fromTheFile, ...others } = environmentFor({
    databaseUrl: database.url,
    temporalAddress: temporal.address,
    authServerUrl: 'http://127.0.0.1:1',
  });
  env = { ...others, SETTINGS_FILE: file, STRIPE_SECRET_KEY: 'sk_test_reload', STRIPE_API_BASE: 'http://127.0.0.1:1' };
});
afterAll(async () => {
  rmSync(file, { force: true });
  await temporal.dispose();
  await database.drop();
});

/** @returns the lines that it wrote since, up to the one that holds this */
async function reload(running: RunningCommand, says: string): Promise<string[]> {
  const from = running.lines.length;
  process.kill(running.pid, 'SIGHUP');
  await running.says(says, from);
  return running.lines.slice(from);
}

describe('a server', () => {
  let server: RunningCommand;
  const status = async (token: string) =>
    (await fetch(`${server.url}/api/v1/settlements?limit=1`, { headers: { Authorization: `Bearer ${token}` } })).status;

  beforeAll(async () => {
    write(BEFORE);
    server = await startCommand('server', env);
  });
  afterAll(() => server.stop());

  it('takes tokens and its log level over, and names what needs a restart', async () => {
    expect([await status(OLD), await status(NEW)]).toEqual([200, 401]);
    expect(server.lines.filter((line) => line.includes('"level":"debug"'))).toEqual([]);
    write({ ...AFTER, PORT: '1', SETTLEMENT_HTTP_TIMEOUT: '7s' });
    const told = await reload(server, 'need a restart');
    expect(told.join('\n')).toContain('"taken":["API_TOKENS","LOG_LEVEL"]');
    expect(told.at(-1)).toContain('these settings need a restart: PORT, SETTLEMENT_HTTP_TIMEOUT');
    expect([await status(OLD), await status(NEW)]).toEqual([401, 200]);
    await fetch(`${server.url}/healthz`);
    await server.says('"level":"debug"');
    expect(server.lines.join('\n')).not.toContain(NEW);
  });

  it('changes nothing by a file that is wrong, and says why without a value', async () => {
    write({ ...AFTER, API_TOKENS: `billing:service:${OLD},ada:admin:${NEW}`, RATE_LIMIT_MAX: 'none' });
    const told = (await reload(server, 'nothing was changed')).join('\n');
    expect(told).toMatch(/API_TOKENS entry 2 has no role.*RATE_LIMIT_MAX \W+none\W+ is not a whole number/);
    expect([told.includes(OLD), told.includes(NEW)]).toEqual([false, false]);
    expect([await status(OLD), await status(NEW)]).toEqual([401, 200]);

    rmSync(file);
    expect((await reload(server, 'nothing was changed')).join('\n')).toContain(
      'SETTINGS_FILE names a file that cannot be read',
    );
    expect(await status(NEW)).toBe(200);
    write({});
    expect((await reload(server, 'nothing was changed')).join('\n')).toContain('API_TOKENS is missing');
    expect(await status(NEW)).toBe(200);
  });

  it('takes rates over: how often a token and a stranger may ask', async () => {
    write({ ...AFTER, RATE_LIMIT_MAX: '1', RATE_LIMIT_ANONYMOUS_MAX: '1' });
    await reload(server, '"taken":["RATE_LIMIT_MAX","RATE_LIMIT_ANONYMOUS_MAX"]');
    expect([await status(NEW), await status(OLD)]).toEqual([429, 429]);
    write({ ...AFTER, RATE_LIMIT_MAX: '1000', RATE_LIMIT_ANONYMOUS_MAX: '1000' });
    await reload(server, '"taken":["RATE_LIMIT_MAX","RATE_LIMIT_ANONYMOUS_MAX"]');
    expect([await status(NEW), await status(OLD)]).toEqual([200, 401]);
    expect((await reload(server, 'settings were read again')).join('\n')).toContain('nothing is new');
  });
});

it('a worker takes the rates of its providers over', async () => {
  write(BEFORE);
  const worker = await startCommand('worker', env);
  try {
    write({ ...BEFORE, STRIPE_MAX_RPS: '7', SETTLEMENT_MAX_RPS: '3', TEMPORAL_NAMESPACE: 'another' });
    const told = await reload(worker, 'need a restart');
    expect(told.join('\n')).toContain('"taken":["SETTLEMENT_MAX_RPS","STRIPE_MAX_RPS"]');
    expect(told.at(-1)).toContain('these settings need a restart: TEMPORAL_NAMESPACE');
  } finally {
    await worker.stop();
  }
});
