import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generatePrivateKey } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../sandbox/auth-server/start.js';
import { SANDBOX_CURRENCY } from '../../sandbox/tempo/defaults.js';
import { startTempoSandbox, type TempoSandbox } from '../../sandbox/tempo/start.js';
import { type MarketplaceCrashWorld, startMarketplaceCrashWorld } from '../support/marketplace/crash/world.js';
import { isPassedOverWithout, schemathesisProgram } from '../support/programs.js';
import { type DevServer, startDevServer } from '../support/temporal.js';
import { sampleOf, sizeOf } from '../support/whole-or-sample.js';

/**
 * Schemathesis reads /openapi.json and asks what it allows, and what it forbids: boundaries, missing and wrong values, and
 * one answer's ids in the next request. The same seed asks the same.
 */

const TOKENS = {
  service: 'token-of-a-fuzzing-service',
  viewer: 'token-of-a-fuzzing-viewer',
  operator: 'token-of-a-fuzzing-operator',
  approver: 'token-of-a-fuzzing-approver',
};
/** What is promised of every answer. That what the schema allows is accepted is not: it cannot tell every rule. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];
const LIMIT_MS = 600_000;
/** They differ in what they may do, and hardly in what they are answered. */
const PLAYED = sampleOf('roles that Schemathesis plays', Object.entries(TOKENS), {
  nameOf: ([role]) => role,
  oneIn: 2,
});

let temporal: DevServer;
let authServer: AuthServerSandbox;
let chain: TempoSandbox;
let world: MarketplaceCrashWorld;
/** It keeps what it has learnt where it runs. */
let folder: string;
describe.skipIf(isPassedOverWithout('schemathesis'))('Schemathesis', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'makegood-fuzzed-'));
    [temporal, authServer, chain] = await Promise.all([
      startDevServer(),
      startAuthServerSandbox(),
      startTempoSandbox(),
    ]);
    const changes = {
      API_TOKENS: Object.entries(TOKENS)
        .map(([role, token]) => `${role}:${role}:${token}`)
        .join(),
      AUTH_SERVER_URL: authServer.url,
      TEMPO_RPC_URL: chain.url,
      TEMPO_CHAIN_ID: String(chain.chainId),
      TEMPO_CURRENCY: SANDBOX_CURRENCY,
      TEMPO_PAYEE_KEY: generatePrivateKey(),
    };
    world = await startMarketplaceCrashWorld({
      temporalAddress: temporal.address,
      namespace: 'fuzzed',
      withServer: true,
      changes,
    });
    const order = await world.shop.paidOrder({ acct_1Fuzzed: 5_000n });
    await world.shop.refund(order.id, 1_000n);
  }, 120_000);
  afterAll(async () => {
    await world.stop();
    await Promise.all([authServer.close(), chain.close(), temporal.dispose()]);
    await rm(folder, { recursive: true });
  });

  it.each(PLAYED)(
    'gets no 5xx and no answer that is not described, as %s',
    async (_, token) => {
      expect(await fuzzed(token)).toEqual({ status: 0, failures: '' });
    },
    LIMIT_MS,
  );
});

function fuzzed(token: string): Promise<{ status: number; failures: string }> {
  const args = [
    '--no-color',
    'run',
    `${world.server!.url}/openapi.json`,
    '-H',
    `Authorization: Bearer ${token}`,
    '--checks',
    CHECKS.join(),
    '--phases',
    'examples,coverage,fuzzing,stateful',
    '--max-examples',
    String(sizeOf({ whole: 50, sample: 8 })),
    '--seed',
    '1',
    '--request-timeout',
    '60',
    // A stream has no end; test/integration/http/console-changes.test.ts reads it.
    '--exclude-path',
    '/api/v1/events',
  ];
  return new Promise((resolve) => {
    execFile(
      schemathesisProgram()!,
      args,
      { cwd: folder, timeout: LIMIT_MS, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const failures = /=+ FAILURES =+[^]*/.exec(stdout)?.[0] ?? '';
        resolve({
          status: typeof error?.code === 'number' ? error.code : error ? -1 : 0,
          failures: error ? failures || stdout + stderr : '',
        });
      },
    );
  });
}
