import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { atxpBody, post } from '../../support/sandbox-bodies.js';

let stateDir: string;
let file: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'makegood-sandbox-'));
  file = join(stateDir, 'auth-server.jsonl');
});
afterEach(() => rm(stateDir, { recursive: true }));

const withSandbox = async <T>(use: (url: string) => Promise<T>): Promise<T> => {
  const sandbox = await startAuthServerSandbox({ stateDir });
  try {
    return await use(sandbox.url);
  } finally {
    await sandbox.close();
  }
};
const settle = (url: string, body: unknown) => post(`${url}/settle/atxp`, body);
const view = async (url: string, what: string) =>
  (await (await fetch(`${url}/_sandbox/${what}`)).json()) as Record<string, never>;

describe('the journal', () => {
  it('brings back money, balances and counts after a restart', async () => {
    const body = atxpBody();
    const before = await withSandbox(async (url) => {
      await post(`${url}/_sandbox/accounts`, { payer: 'atxp_acct_alice', balance: '15000' }, { method: 'PUT' });
      await settle(url, body);
      await settle(url, body);
      await settle(url, { ...body, destinationAccountId: 'other' });
      return [await view(url, 'ledger'), await view(url, 'calls')];
    });
    await withSandbox(async (url) => {
      const [ledger, calls] = [await view(url, 'ledger'), await view(url, 'calls')];
      expect(ledger).toEqual(before[0]);
      expect(calls.keys).toEqual(before[1]?.keys);
      expect(calls.totals).toMatchObject({ settleCalls: 3, keysWithDifferingBodies: 1 });
      expect((await settle(url, body)).json.alreadySettled).toBe(true);
      expect((await settle(url, atxpBody())).status).toBe(402);
    });
  });

  it('drops a torn last line and goes on cleanly behind it', async () => {
    await withSandbox((url) => settle(url, atxpBody()));
    const whole = (await stat(file)).size;
    await appendFile(file, '{"t":"debit","key":"half');
    await withSandbox(async (url) => {
      expect((await stat(file)).size).toBe(whole);
      await settle(url, atxpBody());
    });
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { t: string }).t)).toEqual(['call', 'debit', 'call', 'debit']);
  });

  it('refuses to start over a ledger with a hole', async () => {
    await appendFile(file, 'nonsense\n{"t":"reset"}\n');
    await expect(startAuthServerSandbox({ stateDir })).rejects.toThrow(/auth-server\.jsonl line 1 is not JSON/);
  });

  it('stays empty after a reset', async () => {
    await withSandbox(async (url) => {
      await settle(url, atxpBody());
      await post(`${url}/_sandbox/reset`, {});
    });
    await withSandbox(async (url) => expect((await view(url, 'ledger')).debits).toEqual([]));
  });
});
