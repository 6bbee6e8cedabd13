import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandRefused } from '../../../src/cli/context.js';
import { readConfig } from '../../../src/config/config.js';
import { sweepIntervals } from '../../../src/domain/sweep-lanes.js';
import { prepareTemporal } from '../../../src/orchestration/prepare-temporal.js';
import { type Answering, startAnswering } from '../../support/answering-server.js';
import { runMakegood } from '../../support/cli.js';
import { type ConnectedTemporal, startConnectedTemporal } from '../../support/connected-temporal.js';
import { createTestDatabase } from '../../support/database.js';
import { aSettlement, ledgerForFile } from '../../support/ledger-fixtures.js';

const world = await ledgerForFile();
let temporal: ConnectedTemporal;
beforeAll(async () => {
  temporal = await startConnectedTemporal();
});
afterAll(() => temporal.dispose());

interface Found {
  readonly area: string;
  readonly level: string;
  readonly says: string;
  readonly cure: string | null;
}

/** The settings of a server whose providers are the given stand-ins. */
const settings = (env: Record<string, string> = {}): Record<string, string> => ({
  DATABASE_URL: world.url,
  CREDENTIAL_ENCRYPTION_KEY: `1:${Buffer.alloc(32, 7).toString('base64')}`,
  API_TOKENS: 'ann:operator:0123456789abcdef,bob:approver:fedcba9876543210',
  TEMPORAL_ADDRESS: temporal.address,
  ...env,
});

async function doctor(env: Record<string, string>, probeMs?: number) {
  const out: string[] = [];
  const options = { env, clock: world.clock, out: (line: string) => out.push(line), err: () => undefined };
  const failed = await runMakegood(['doctor', '--json'], {
    ...options,
    ...(probeMs === undefined ? {} : { probeMs }),
  }).then(
    () => undefined,
    (error: unknown) => error,
  );
  const { ok, findings } = JSON.parse(out.join('')) as { ok: boolean; findings: readonly Found[] };
  expect(ok).toBe(failed === undefined);
  if (failed !== undefined) expect(failed).toBeInstanceOf(CommandRefused);
  const of = (area: string) => findings.filter((finding) => finding.area === area);
  return { ok, findings, of };
}

const json =
  (bodies: Readonly<Record<string, object>>, status = 200): Answering =>
  (response, { path }) => {
    const body = Object.entries(bodies).find(([start]) => path.startsWith(start))?.[1];
    response.writeHead(body ? status : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {}));
  };
const STRIPE = {
  '/v1/balance': { object: 'balance', livemode: false },
  '/v1/account': { object: 'account', id: 'acct_1', settings: { payouts: { schedule: { interval: 'daily' } } } },
};

describe('makegood doctor', () => {
  it('says what is missing of Temporal, what cures it, and that nothing is once it is cured', async () => {
    const before = (await doctor(settings())).of('temporal');
    expect(before.find(({ says }) => says.startsWith('schedules that are missing'))).toMatchObject({
      level: 'fail',
      cure: 'makegood migrate',
    });
    const env = settings();
    const { client } = temporal;
    await prepareTemporal({
      reconcileEveryMs: 3_600_000,
      client,
      namespace: 'default',
      taskQueue: 'makegood',
      sweeps: sweepIntervals(readConfig(env)),
    });
    const { of } = await doctor(env);
    expect(
      of('temporal')
        .filter(({ level }) => level === 'fail')
        .map(({ says }) => says),
    ).toEqual([expect.stringMatching(/^task queue makegood: 0 poll/)]);
    expect(of('database').map(({ level }) => level)).toEqual(['ok', 'ok']);
    expect(of('clocks')).toMatchObject([{ level: 'ok', says: expect.stringMatching(/^Postgres: /) }]);
  });

  it('reads every provider without changing anything, and knows whose keys they are', async () => {
    const [stripe, hyperswitch, auth, chain] = [
      await startAnswering(json(STRIPE)),
      await startAnswering(json({ '/payments/': { error: { code: 'HE_02' } } }, 404)),
      await startAnswering(json({ '/x402/supported': {} })),
      await startAnswering(json({ '/': { jsonrpc: '2.0', id: 1, result: '0x1' } })),
    ];
    const env = settings({
      STRIPE_SECRET_KEY: 'sk_test_1',
      STRIPE_API_BASE: stripe.url,
      HYPERSWITCH_BASE_URL: hyperswitch.url,
      HYPERSWITCH_API_KEY: 'key-of-hyperswitch',
      AUTH_SERVER_URL: auth.url,
      TEMPO_RPC_URL: chain.url,
      TEMPO_CHAIN_ID: '42431',
      TEMPO_CURRENCY: `0x${'2'.repeat(40)}`,
      TEMPO_PAYEE_KEY: `0x${'3'.repeat(64)}`,
      MPP_SECRET_KEY: 'm'.repeat(32),
    });
    const { of } = await doctor(env);
    expect(of('providers').map(({ level, says }) => `${level} ${says}`)).toEqual([
      'ok auth-server: answers what it supports',
      'ok stripe: answers, and lets our key in, as acct_1 (test)',
      'warn stripe: payouts of the platform leave by themselves, and take away what transfers wait for',
      'ok hyperswitch: answers, and lets our key in; whose it is shows with the first payment',
      'fail chain: answers for chain 1, and TEMPO_CHAIN_ID is 42431',
    ]);
    expect(new Set(of('clocks').map(({ says }) => says.split(':')[0]))).toEqual(
      new Set(['Postgres', 'auth-server', 'chain', 'hyperswitch', 'stripe']),
    );
    const asked = [...stripe.received, ...hyperswitch.received, ...auth.received].map(({ method }) => method);
    expect(new Set(asked)).toEqual(new Set(['GET']));
    expect(await world.database.query('SELECT 1 FROM stripe_account UNION ALL SELECT 1 FROM stripe_tokens')).toEqual(
      [],
    );
  });

  it('gives up a provider that hangs, says so, and tells the others all the same', async () => {
    const hung = await startAnswering(() => undefined);
    const refused = await startAnswering(json({ '/payments/': { error: { code: 'IR_01' } } }, 401));
    const env = settings({
      STRIPE_SECRET_KEY: 'sk_test_1',
      STRIPE_API_BASE: hung.url,
      HYPERSWITCH_BASE_URL: refused.url,
      HYPERSWITCH_API_KEY: 'key-of-hyperswitch',
    });
    const { of } = await doctor(env, 300);
    expect(of('providers')).toMatchObject([
      { level: 'fail', says: 'stripe: given up: no answer within 0.3 s' },
      { level: 'fail', says: 'hyperswitch: answers 401: the key is not let in' },
    ]);
  });

  it('fails for an account that is not the one of the ledger', async () => {
    const stripe = await startAnswering(json(STRIPE));
    await world.ledger.pinStripeAccount({ accountId: 'acct_2', livemode: true });
    const { of } = await doctor(settings({ STRIPE_SECRET_KEY: 'sk_test_1', STRIPE_API_BASE: stripe.url }));
    expect(of('providers')).toMatchObject([
      { level: 'fail', says: expect.stringContaining('this ledger belongs to acct_2 (live)') },
    ]);
  });

  it('tells what is parked, what waits for a person and what a key does not open', async () => {
    await world.ledger.parkProvider('stripe', 'the key is revoked');
    const settlement = aSettlement({ body: null, undecodable: 'it is not JSON', cap: null });
    await world.ledger.createSettlement(settlement);
    const { of } = await doctor(settings());
    expect(of('parked')).toMatchObject([
      { level: 'fail', says: expect.stringMatching(/^stripe is not called since .*revoked$/) },
    ]);
    expect(of('waiting').map(({ says }) => says)).toContainEqual(
      expect.stringMatching(/^1 of settlements: credential_undecodable, the oldest since 2/),
    );
    expect(of('keys')).toMatchObject([{ level: 'ok', says: expect.stringMatching(/every key in use open/) }]);
    const other = `1:${Buffer.alloc(32, 9).toString('base64')}`;
    expect((await doctor(settings({ CREDENTIAL_ENCRYPTION_KEY: other }))).of('keys')).toMatchObject([
      { level: 'fail', says: expect.stringContaining(settlement.id) },
    ]);
    await world.ledger.unparkProvider('stripe');
  });

  it('names what is wrong with settings, a schema and a database, and goes on with the rest', async () => {
    const { of } = await doctor({ DATABASE_URL: world.url, TEMPORAL_ADDRESS: temporal.address });
    expect(of('settings').map(({ says }) => says)).toEqual([
      expect.stringMatching(/^CREDENTIAL_ENCRYPTION_KEY is missing/),
      expect.stringMatching(/^API_TOKENS is missing/),
    ]);
    expect(of('database')[0]).toMatchObject({ level: 'ok' });
    const empty = await createTestDatabase('empty');
    try {
      const old = await doctor(settings({ DATABASE_URL: empty.url }));
      expect(old.of('database')).toMatchObject([
        { level: 'ok' },
        { level: 'fail', cure: expect.stringMatching(/^makegood migrate/) },
      ]);
    } finally {
      await empty.drop();
    }
    const gone = await doctor(
      settings({ DATABASE_URL: 'postgres://127.0.0.1:1/none', TEMPORAL_ADDRESS: '127.0.0.1:1' }),
    );
    expect(gone.of('database')).toMatchObject([{ level: 'fail' }]);
    expect(gone.of('temporal')).toMatchObject([
      { level: 'fail', says: expect.stringMatching(/^127\.0\.0\.1:1 does not answer/) },
    ]);
  });
});
