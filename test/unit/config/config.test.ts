import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CONFIG_VARIABLES, ConfigError, readConfig, readOperatorConfig } from '../../../src/config/config.js';

import { HYPERSWITCH, key, REQUIRED, STRIPE, TEMPO } from './support/settings.js';

const directory = mkdtempSync(join(tmpdir(), 'makegood-config-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe('settings that can be used', () => {
  it('need only the database, the key and the tokens; the rest has the defaults of the contract', () => {
    const config = readConfig(REQUIRED);
    expect(config).toMatchObject({
      http: { port: 3000, host: '127.0.0.1', corsOrigins: [] },
      temporal: { address: '127.0.0.1:7233', namespace: 'default', taskQueue: 'makegood', tls: undefined },
      settlement: {
        backoffBaseMs: 1_000,
        backoffMaxMs: 300_000,
        httpTimeoutMs: 30_000,
        sweepIntervalMs: 60_000,
        overflowBacklog: 1000,
        maxBatch: 50,
        maxRps: 200,
        checkpointAmount: 10_000n,
        checkpointIntervalMs: 1_000,
        credentialValidityMs: 3_600_000,
        minRetryWindowMs: 120_000,
      },
      approvalThreshold: 10_000n,
      reversal: {
        enabled: true,
        maxRetries: 5,
        checkIntervalMs: 60_000,
        backoffBaseMs: 60_000,
        backoffMaxMs: 3_600_000,
        balanceHorizonMs: 30 * 86_400_000,
      },
      transferRetry: {
        enabled: true,
        maxRetries: 5,
        checkIntervalMs: 60_000,
        backoffBaseMs: 60_000,
        backoffMaxMs: 3_600_000,
      },
    });
    for (const group of ['authServer', 'stripe', 'hyperswitch', 'tempo', 'mppSecretKey'] as const) {
      expect(config).toHaveProperty(group, undefined);
    }
    expect(config.http.rateLimit.max).toBeGreaterThan(5_000);
  });

  it('give a bare key the id 1, and encrypt with the first of several', () => {
    const [old, fresh] = [key(), key()];
    expect(readConfig({ ...REQUIRED, CREDENTIAL_ENCRYPTION_KEY: old }).credentialKeys).toEqual([
      { id: '1', key: Buffer.from(old, 'base64') },
    ]);
    expect(readConfig({ ...REQUIRED, CREDENTIAL_ENCRYPTION_KEY: `k2:${fresh},${old}` }).credentialKeys).toEqual([
      { id: 'k2', key: Buffer.from(fresh, 'base64') },
      { id: '1', key: Buffer.from(old, 'base64') },
    ]);
  });

  it('takes one number for every currency, or one for each currency and asset, in any case', () => {
    const of = (APPROVAL_THRESHOLD: string) => readConfig({ ...REQUIRED, APPROVAL_THRESHOLD }).approvalThreshold;
    expect(of('0')).toBe(0n);
    expect(of('usd:10000, JPY:15000,eip155:8453/erc20:0xA1:5')).toEqual(
      new Map([
        ['usd', 10_000n],
        ['jpy', 15_000n],
        ['eip155:8453/erc20:0xa1', 5n],
      ]),
    );
  });

  it('let one person hold several tokens, and a token hold a colon', () => {
    const API_TOKENS = 'ada:operator:0123456789abcde:1,ada:approver:0123456789abcde:2';
    expect(readConfig({ ...REQUIRED, API_TOKENS }).apiTokens).toEqual([
      { name: 'ada', role: 'operator', token: '0123456789abcde:1' },
      { name: 'ada', role: 'approver', token: '0123456789abcde:2' },
    ]);
  });

  it.each([
    ['500ms', 500],
    ['1s', 1_000],
    ['1m', 60_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
  ])('read the duration %s as %d ms', (SETTLEMENT_BACKOFF_MAX, ms) => {
    const config = readConfig({ ...REQUIRED, SETTLEMENT_BACKOFF_BASE: '1ms', SETTLEMENT_BACKOFF_MAX });
    expect(config.settlement.backoffMaxMs).toBe(ms);
  });

  it('turn a whole group on', () => {
    const config = readConfig({
      ...REQUIRED,
      ...STRIPE,
      ...HYPERSWITCH,
      ...TEMPO,
      AUTH_SERVER_URL: 'https://auth.example/',
      STRIPE_WEBHOOK_SECRET: 'whsec_new,whsec_old',
    });
    expect(config.authServer?.url).toBe('https://auth.example');
    expect(config.stripe?.webhookSecrets).toEqual(['whsec_new', 'whsec_old']);
    expect(config.hyperswitch).toMatchObject({
      webhookSecrets: undefined,
    });
    expect(config.tempo?.chainId).toBe(42_431);
  });

  it('take an empty optional variable as one that is left out', () => {
    expect(readConfig({ ...REQUIRED, AUTH_SERVER_URL: '', STRIPE_SECRET_KEY: '' }).authServer).toBeUndefined();
  });

  it('read the files of a client certificate', () => {
    const path = join(directory, 'client.pem');
    writeFileSync(path, 'PEM');
    const config = readConfig({ ...REQUIRED, TEMPORAL_TLS_CERT: path, TEMPORAL_TLS_KEY: path });
    expect(config.temporal.tls).toEqual({ ca: undefined, cert: Buffer.from('PEM'), key: Buffer.from('PEM') });
  });

  it('need no key and no token for a command on an operator’s machine, and are still checked', () => {
    const { DATABASE_URL } = REQUIRED;
    expect(readOperatorConfig({ DATABASE_URL })).toMatchObject({ credentialKeys: [], apiTokens: [] });
    expect(() => readOperatorConfig({ DATABASE_URL, CREDENTIAL_ENCRYPTION_KEY: 'short' })).toThrow(ConfigError);
    expect(() => readOperatorConfig({})).toThrow(/DATABASE_URL is missing/);
  });
});

describe('the catalogue of variables', () => {
  it('gives examples that the schema itself accepts', () => {
    for (const { name, example, secret } of CONFIG_VARIABLES) {
      // Examples of secrets are commands or shortened on purpose: nobody shall run with a copied one.
      if (secret || name.startsWith('TEMPORAL_TLS_')) continue;
      const problems = (() => {
        try {
          readConfig({ ...REQUIRED, [name]: example });
          return [];
        } catch (error) {
          return error instanceof ConfigError ? error.problems : [{ variable: name, problem: String(error) }];
        }
      })();
      expect(problems.filter(({ variable }) => variable === name)).toEqual([]);
    }
  });

  it('describes each variable', () => {
    const bare = CONFIG_VARIABLES.filter(({ description, example }) => description.length < 6 || example === '');
    expect(bare).toEqual([]);
  });
});
