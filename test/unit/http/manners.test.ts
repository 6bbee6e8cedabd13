import { afterEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config.js';
import type { ApiDependencies } from '../../../src/http/api.js';
import { OPERATIONS } from '../../../src/http/operations.js';
import { PROBLEMS } from '../../../src/http/problem.js';
import { type Answered, NO_FIGURES, startApi, type TestApi, TOKENS } from '../../support/api.js';
import { marketplaceRoutes } from '../../support/marketplace-routes.js';
import { ID, rememberingLedger } from './support.js';

let api: TestApi;
afterEach(() => api.close());

const start = async (given: Partial<ApiDependencies> = {}) => {
  const ledger = rememberingLedger();
  api = await startApi({ ledger, ...given });
  return ledger;
};

const VALID = {
  protocol: 'atxp',
  credential: { sourceAccountId: 'a', sourceAccountToken: 'tok_canary_1234567890' },
  context: {},
  spent: { amount: '10000', asset: 'USDC', decimals: 6 },
};

/** Its status and code, once it is the problem document that the contract promises. */
function problemOf(answer: Answered): readonly [status: number, code: string] {
  const { code } = answer.body;
  const known = Object.entries(PROBLEMS).find(([name]) => name === code)?.[1];
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(answer.body).toMatchObject({
    type: `urn:makegood:problem:${code}`,
    title: known?.title,
    status: answer.status,
    detail: expect.stringMatching(/./),
    request_id: answer.headers.get('x-request-id'),
  });
  return [answer.status, code];
}

const broken = () => Promise.reject(new Error('connect ECONNREFUSED postgres://user:hunter2@db'));
const oops = () => Promise.reject(Object.assign(new TypeError('canary at line 1'), { code: '42601' }));

describe('who may do what', () => {
  const MAY: Readonly<Record<string, readonly string[]>> = {
    createSettlement: ['service'],
    listSettlements: ['service', 'viewer', 'operator', 'approver'],
    getSettlement: ['service', 'viewer', 'operator', 'approver'],
    resolveSettlement: ['operator', 'approver'],
    createOrder: ['service'],
    listOrders: ['service', 'viewer', 'operator', 'approver'],
    getOrder: ['service', 'viewer', 'operator', 'approver'],
    createPayment: ['service'],
    createRefund: ['service'],
    getRefund: ['service', 'viewer', 'operator', 'approver'],
    resolveRefund: ['operator', 'approver'],
    listTransfers: ['service', 'viewer', 'operator', 'approver'],
    getTransfer: ['service', 'viewer', 'operator', 'approver'],
    retryTransfer: ['operator', 'approver'],
    resolveTransfer: ['operator', 'approver'],
    listReversals: ['service', 'viewer', 'operator', 'approver'],
    getReversal: ['service', 'viewer', 'operator', 'approver'],
    resolveReversal: ['operator', 'approver'],
    hyperswitchWebhook: ['nobody', 'service', 'viewer', 'operator', 'approver'],
    stripeWebhook: ['nobody', 'service', 'viewer', 'operator', 'approver'],
    approveDecision: ['approver'],
    metrics: ['service', 'viewer', 'operator', 'approver'],
    health: ['nobody', 'service', 'viewer', 'operator', 'approver'],
    ready: ['nobody', 'service', 'viewer', 'operator', 'approver'],
    openapi: ['nobody', 'service', 'viewer', 'operator', 'approver'],
  };

  it.each(OPERATIONS.map(({ id, method, path }) => ({ id, method, path })))(
    '$method $path is open to the roles of the contract and to nobody else',
    async ({ id, method, path }) => {
      await start();
      for (const role of ['nobody', 'service', 'viewer', 'operator', 'approver'] as const) {
        const answer = await api.send(path.replace('{id}', ID), {
          method,
          token: role === 'nobody' ? undefined : TOKENS[role],
          json: method === 'POST' ? { note: 'because' } : undefined,
        });
        const refusal = [401, 403].includes(answer.status) ? problemOf(answer) : 'let in';
        const unwanted = role === 'nobody' ? [401, 'unauthorized'] : [403, 'forbidden'];
        expect(refusal).toEqual(MAY[id]?.includes(role) ? 'let in' : unwanted);
      }
    },
  );

  it.each([
    ['no header', {}, 'Bearer realm="makegood"'],
    [
      'a wrong token',
      { Authorization: 'Bearer token-of-the-service-0002' },
      'Bearer realm="makegood", error="invalid_token"',
    ],
    [
      'a token cut short',
      { Authorization: `Bearer ${TOKENS.service.slice(0, -1)}` },
      'Bearer realm="makegood", error="invalid_token"',
    ],
    ['another scheme', { Authorization: `Basic ${TOKENS.service}` }, 'Bearer realm="makegood", error="invalid_token"'],
    ['a bare token', { Authorization: TOKENS.service }, 'Bearer realm="makegood", error="invalid_token"'],
    ['an empty token', { Authorization: 'Bearer ' }, 'Bearer realm="makegood", error="invalid_token"'],
  ])('%s is answered 401 with the way to do better', async (_what, headers, challenge) => {
    const ledger = await start();
    const answer = await api.send('/api/v1/settlements', { json: VALID, headers });
    expect(problemOf(answer)).toEqual([401, 'unauthorized']);
    expect(answer.headers.get('www-authenticate')).toBe(challenge);
    expect(ledger.stored).toEqual([]);
  });

  it('takes the scheme in any case', async () => {
    await start();
    const answer = await api.send('/api/v1/settlements', { headers: { Authorization: `bearer ${TOKENS.viewer}` } });
    expect(answer.status).toBe(200);
  });
});

describe('paths and methods', () => {
  const PATHS = [...new Set(OPERATIONS.map(({ path }) => path))];

  it.each(PATHS)('%s answers every other method with 405 and Allow', async (path) => {
    await start();
    const offered = OPERATIONS.filter((operation) => operation.path === path).map(({ method }) => method);
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      if (offered.some((one) => one === method)) continue;
      const answer = await api.send(path.replace('{id}', ID), { method, token: TOKENS.approver });
      expect(problemOf(answer)).toEqual([405, 'method_not_allowed']);
      expect(
        answer.headers
          .get('allow')
          ?.split(', ')
          .filter((one) => one !== 'HEAD'),
      ).toEqual([...offered].sort((a, b) => offered.indexOf(a) - offered.indexOf(b)));
    }
  });

  it.each(['/', '/api', '/api/v1/nothing', '/api/v1/settlements/x/y', '/%zz'])('%s is not found', async (path) => {
    await start();
    expect(problemOf(await api.send(path, { token: TOKENS.viewer }))).toEqual([404, 'not_found']);
  });

  it.each(['1', 'x', ID.toUpperCase(), `${ID}0`, '%00', '%zz', '..%2f..', "'; DROP TABLE settlements; --"])(
    'the malformed id %s is not found, like one that does not exist',
    async (id) => {
      await start();
      expect(problemOf(await api.send(`/api/v1/settlements/${id}`, { token: TOKENS.viewer }))).toEqual([
        404,
        'not_found',
      ]);
      for (const [path, json] of [
        [`/api/v1/settlements/${id}/resolve`, { action: 'retry', note: 'again' }],
        [`/api/v1/decisions/${id}/approve`, { note: 'yes' }],
      ] as const) {
        expect(problemOf(await api.send(path, { token: TOKENS.approver, json }))).toEqual([404, 'not_found']);
      }
    },
  );

  it('answers HEAD like GET without a body', async () => {
    await start();
    const answer = await api.send('/healthz', { method: 'HEAD' });
    expect([answer.status, answer.text]).toEqual([200, '']);
  });
});

describe('request ids', () => {
  it.each(['req-1', 'a.b_C-9', 'x'.repeat(128)])('%s is taken over, echoed and logged', async (id) => {
    await start();
    const answer = await api.send('/nothing', { headers: { 'X-Request-Id': id } });
    expect([answer.headers.get('x-request-id'), answer.body.request_id]).toEqual([id, id]);
    await expect.poll(() => api.logged.join('\n')).toContain(`"request_id":"${id}"`);
  });

  it.each(['', 'a b', 'x'.repeat(129), '<script>', '"'])('%j is replaced by one of ours', async (id) => {
    await start();
    const answer = await api.send('/healthz', { headers: { 'X-Request-Id': id } });
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('limits', () => {
  it('let a trusted service post 5,000 settlements in a burst by default', { timeout: 60_000 }, async () => {
    const { rateLimit } = readConfig({
      DATABASE_URL: 'postgres://db/x',
      CREDENTIAL_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
      API_TOKENS: `billing:service:${TOKENS.service}`,
    }).http;
    const ledger = await start({ rateLimit });
    const post = async () => (await api.send('/api/v1/settlements', { token: TOKENS.service, json: VALID })).status;
    const statuses = new Set<number>();
    for (let round = 0; round < 100; round += 1) {
      for (const status of await Promise.all(Array.from({ length: 50 }, post))) statuses.add(status);
    }
    expect([...statuses]).toEqual([202]);
    expect(ledger.stored).toHaveLength(5_000);
  });

  it('answer 429 with Retry-After above the limit of a token, and leave other tokens alone', async () => {
    const ledger = await start({ rateLimit: { windowMs: 60_000, max: 3, anonymousMax: 1 } });
    const statuses = [];
    for (let sent = 0; sent < 4; sent += 1) {
      statuses.push((await api.send('/api/v1/settlements', { token: TOKENS.service, json: VALID })).status);
    }
    expect(statuses).toEqual([202, 202, 202, 429]);
    const answer = await api.send('/api/v1/settlements', { token: TOKENS.service, json: VALID });
    expect(problemOf(answer)).toEqual([429, 'rate_limited']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(ledger.stored).toHaveLength(3);
    expect((await api.send('/api/v1/settlements', { token: TOKENS.viewer })).status).toBe(200);
  });

  it('count guesses at tokens by address, and never let them use up a token’s share', async () => {
    await start({ rateLimit: { windowMs: 60_000, max: 5, anonymousMax: 2 } });
    const guess = () => api.send('/api/v1/settlements', { token: 'guess-guess-guess-guess' });
    expect([(await guess()).status, (await guess()).status, (await guess()).status]).toEqual([401, 401, 429]);
    expect((await api.send('/api/v1/settlements', { token: TOKENS.viewer })).status).toBe(200);
  });

  it('never concern probes', async () => {
    await start({ rateLimit: { windowMs: 60_000, max: 1, anonymousMax: 1 } });
    for (let sent = 0; sent < 5; sent += 1) expect((await api.send('/healthz')).status).toBe(200);
  });
});

describe('browsers', () => {
  const origin = 'https://console.example.com';
  const preflight = { Origin: origin, 'Access-Control-Request-Method': 'GET' };

  it('of an origin on the list may read', async () => {
    await start({ corsOrigins: [origin] });
    const asked = await api.send('/api/v1/settlements', { method: 'OPTIONS', headers: preflight });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
    const read = await api.send('/api/v1/settlements', { token: TOKENS.viewer, headers: { Origin: origin } });
    expect(read.headers.get('access-control-allow-origin')).toBe(origin);
  });

  it.each(['https://evil.example', 'https://console.example.com.evil.example', 'null'])(
    'of %s may not',
    async (other) => {
      await start({ corsOrigins: [origin] });
      for (const method of ['GET', 'OPTIONS']) {
        const answer = await api.send('/api/v1/settlements', {
          method,
          token: TOKENS.viewer,
          headers: { ...preflight, Origin: other },
        });
        expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      }
    },
  );

  it('get security headers, no cache and no word of the framework', async () => {
    await start();
    const { headers } = await api.send('/api/v1/settlements', { token: TOKENS.viewer });
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-powered-by')).toBeNull();
  });
});

describe('health', () => {
  it('is ready with everything up', async () => {
    await start({ optionalComponents: { temporal: () => Promise.resolve(true) } });
    const answer = await api.send('/readyz');
    expect([answer.status, answer.body]).toEqual([
      200,
      { status: 'ready', components: { postgres: 'ok', schema: 'ok', temporal: 'ok' } },
    ]);
  });

  it.each([
    ['says no', () => Promise.resolve(false)],
    ['fails', broken],
  ])('stays ready, degraded, when Temporal %s', async (_how, temporal) => {
    await start({ optionalComponents: { temporal } });
    const answer = await api.send('/readyz');
    expect([answer.status, answer.body.status, answer.body.components.temporal]).toEqual([200, 'degraded', 'degraded']);
  });

  it('is not made worse by what nobody configured', async () => {
    await start({ optionalComponents: { stripe: () => Promise.resolve('not_configured') } });
    expect((await api.send('/readyz')).body).toEqual({
      status: 'ready',
      components: { postgres: 'ok', schema: 'ok', stripe: 'not_configured' },
    });
  });

  it('stays ready when Temporal does not answer at all', { timeout: 10_000 }, async () => {
    await start({ optionalComponents: { temporal: () => new Promise(() => undefined) } });
    expect((await api.send('/readyz')).body.components.temporal).toBe('degraded');
  });

  it.each([
    ['Postgres is away', broken],
    ['the schema is old', () => Promise.resolve('behind' as const)],
  ])('is not ready when %s, and alive all the same', async (_why, schemaState) => {
    await start({ ledger: { ...rememberingLedger(), schemaState } });
    const answer = await api.send('/readyz');
    expect(problemOf(answer)).toEqual([503, 'not_ready']);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    expect(answer.text).not.toContain('hunter2');
    expect((await api.send('/healthz')).body).toEqual({ status: 'ok' });
  });

  it('is ready on a newer schema: migrations only add', async () => {
    await start({ ledger: { ...rememberingLedger(), schemaState: () => Promise.resolve('ahead' as const) } });
    expect((await api.send('/readyz')).body).toMatchObject({ status: 'degraded', components: { schema: 'degraded' } });
  });
});

describe('metrics', () => {
  it('tell the money, and the requests without any id', async () => {
    const unsettled = [
      { protocol: 'x402', asset: '0xusdc', decimals: 6, count: 2, amount: '3000', oldestSeconds: 61.5 },
    ] as never;
    await start({
      ledger: { ...rememberingLedger(), figures: () => Promise.resolve({ ...NO_FIGURES, unsettled, unknown: 1 }) },
    });
    await api.send(`/api/v1/settlements/${ID}`, { token: TOKENS.viewer });
    await api.send(`/nothing/${ID}`);
    const { text, headers } = await api.send('/metrics', { token: TOKENS.viewer });
    expect(headers.get('content-type')).toMatch(/^text\/plain/);
    expect(text).toContain('makegood_unsettled_amount{protocol="x402",asset="0xusdc"} 0.003');
    expect(text).toContain('makegood_unsettled_oldest_seconds 61.5');
    expect(text).toContain('makegood_unknown_count 1');
    expect(text).toContain('settle_failed_at_close_total{protocol="atxp",reason="server_error"} 0');
    expect(text).toContain('makegood_up{component="postgres"} 1');
    expect(text).toMatch(/method="GET",route="\/api\/v1\/settlements\/\{id\}",status="404"/);
    expect(text).toMatch(/route="unmatched",status="404"/);
    expect(text).not.toContain(ID);
  });

  it('answer without Postgres, and claim no figure then', async () => {
    await start({ ledger: { ...rememberingLedger(), figures: () => Promise.reject(new Error('away')) } });
    const { status, text } = await api.send('/metrics', { token: TOKENS.viewer });
    expect(status).toBe(200);
    expect(text).toContain('makegood_up{component="postgres"} 0');
    expect(text).not.toContain('makegood_unsettled_count');
  });
});

describe('faults of our own', () => {
  it('never show a stack, a secret or the text of an unexpected error', async () => {
    await start({ ledger: { ...rememberingLedger(), listSettlements: oops } });
    const answer = await api.send('/api/v1/settlements', { token: TOKENS.viewer });
    expect(problemOf(answer)).toEqual([500, 'internal_error']);
    expect(answer.text).not.toContain('canary');
    expect(api.logged.join('\n')).toContain('canary at line 1');
  });

  it.each([
    ['a refused connection', { code: 'ECONNREFUSED' }],
    ['a shutdown', { code: '57P01' }],
    ['no error code at all', {}],
  ])('answer 503 with Retry-After on %s of Postgres', async (_what, members) => {
    const away = () => Promise.reject(Object.assign(new Error('canary'), members));
    await start({
      ledger: {
        ...rememberingLedger(),
        createSettlement: away,
        listSettlements: away,
        findSettlement: away,
        decide: away,
        approve: away,
      },
      marketplace: marketplaceRoutes({ ledger: { decisionItem: away } }),
    });
    for (const answer of [
      await api.send('/api/v1/settlements', { token: TOKENS.service, json: VALID }),
      await api.send('/api/v1/settlements', { token: TOKENS.viewer }),
      await api.send(`/api/v1/settlements/${ID}`, { token: TOKENS.viewer }),
      await api.send(`/api/v1/settlements/${ID}/resolve`, {
        token: TOKENS.operator,
        json: { action: 'retry', note: 'x' },
      }),
      await api.send(`/api/v1/decisions/${ID}/approve`, { token: TOKENS.approver, json: { note: 'x' } }),
    ]) {
      expect(problemOf(answer)).toEqual([503, 'ledger_unavailable']);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(answer.text).not.toContain('canary');
    }
    expect(api.dispatched).toEqual([]);
  });
});
