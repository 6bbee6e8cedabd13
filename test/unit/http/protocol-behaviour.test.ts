import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/config.js';
import { OPERATIONS } from '../../../src/http/operations.js';
import { type TestApi, TOKENS } from '../../support/api.js';
import { marketplaceRoutes } from '../../support/marketplace/routes.js';
import { ID, problemOf, startRememberingApi, VALID } from './support.js';

describe('paths and methods', () => {
  const PATHS = [...new Set(OPERATIONS.map(({ path }) => path))];

  it.each(PATHS)('%s answers every other method with 405 and Allow', async (path) => {
    const { api } = await startRememberingApi();
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
    const { api } = await startRememberingApi();
    expect(problemOf(await api.send(path, { token: TOKENS.viewer }))).toEqual([404, 'not_found']);
  });

  it.each(['1', 'x', ID.toUpperCase(), `${ID}0`, '%00', '%zz', '..%2f..', "'; DROP TABLE settlements; --"])(
    'the malformed id %s is not found, like one that does not exist',
    async (id) => {
      const { api } = await startRememberingApi();
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
    const { api } = await startRememberingApi();
    const answer = await api.send('/healthz', { method: 'HEAD' });
    expect([answer.status, answer.text]).toEqual([200, '']);
  });
});

describe('request ids', () => {
  it.each(['req-1', 'a.b_C-9', 'x'.repeat(128)])('%s is taken over, echoed and logged', async (id) => {
    const { api } = await startRememberingApi();
    const answer = await api.send('/nothing', { headers: { 'X-Request-Id': id } });
    expect([answer.headers.get('x-request-id'), answer.body.request_id]).toEqual([id, id]);
    await expect.poll(() => api.logged.join('\n')).toContain(`"request_id":"${id}"`);
  });

  it.each(['', 'a b', 'x'.repeat(129), '<script>', '"'])('%j is replaced by one of ours', async (id) => {
    const { api } = await startRememberingApi();
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
    const { api, ledger } = await startRememberingApi({ rateLimit });
    const post = async () => (await api.send('/api/v1/settlements', { token: TOKENS.service, json: VALID })).status;
    const statuses = new Set<number>();
    for (let round = 0; round < 100; round += 1) {
      for (const status of await Promise.all(Array.from({ length: 50 }, post))) statuses.add(status);
    }
    expect([...statuses]).toEqual([202]);
    expect(ledger.stored).toHaveLength(5_000);
  });

  it('answer 429 with Retry-After above the limit of a token, and leave other tokens alone', async () => {
    const { api, ledger } = await startRememberingApi({ rateLimit: { windowMs: 60_000, max: 3, anonymousMax: 1 } });
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
    const { api } = await startRememberingApi({ rateLimit: { windowMs: 60_000, max: 5, anonymousMax: 2 } });
    const guess = () => api.send('/api/v1/settlements', { token: 'guess-guess-guess-guess' });
    expect([(await guess()).status, (await guess()).status, (await guess()).status]).toEqual([401, 401, 429]);
    expect((await api.send('/api/v1/settlements', { token: TOKENS.viewer })).status).toBe(200);
  });

  describe('behind a proxy', () => {
    const rateLimit = { windowMs: 60_000, max: 5, anonymousMax: 1 };
    const guessFrom = async (api: TestApi, forwarded: string) =>
      (
        await api.send('/api/v1/settlements', {
          token: 'guess-guess-guess-guess',
          headers: { 'X-Forwarded-For': forwarded },
        })
      ).status;

    it.each([{ trustProxy: 1 }, { trustProxy: ['loopback'] }, { trustProxy: ['10.0.0.0/8', '127.0.0.1'] }])(
      'that is trusted ($trustProxy), count guesses by the address that it tells, not by what a client wrote before it',
      async ({ trustProxy }) => {
        const { api } = await startRememberingApi({ rateLimit, trustProxy });
        expect(await guessFrom(api, '192.0.2.1')).toBe(401);
        expect(await guessFrom(api, '192.0.2.2')).toBe(401);
        expect(await guessFrom(api, '198.51.100.7, 192.0.2.1')).toBe(429);
      },
    );

    it('that nobody named, count by the connection: no header makes another address', async () => {
      const { api } = await startRememberingApi({ rateLimit });
      expect(await guessFrom(api, '192.0.2.1')).toBe(401);
      expect(await guessFrom(api, '192.0.2.2')).toBe(429);
    });
  });

  it('never concern probes', async () => {
    const { api } = await startRememberingApi({ rateLimit: { windowMs: 60_000, max: 1, anonymousMax: 1 } });
    for (let sent = 0; sent < 5; sent += 1) expect((await api.send('/healthz')).status).toBe(200);
  });
});

describe('browsers', () => {
  const origin = 'https://console.example.com';
  const preflight = { Origin: origin, 'Access-Control-Request-Method': 'GET' };

  it('of an origin on the list may read', async () => {
    const { api } = await startRememberingApi({ corsOrigins: [origin] });
    const asked = await api.send('/api/v1/settlements', { method: 'OPTIONS', headers: preflight });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
    expect(asked.headers.get('access-control-allow-headers')?.split(',')).toEqual(
      expect.arrayContaining(['Authorization', 'Content-Type', 'Idempotency-Key', 'PAYMENT-SIGNATURE', 'X-Request-Id']),
    );
    const read = await api.send('/api/v1/settlements', { token: TOKENS.viewer, headers: { Origin: origin } });
    expect(read.headers.get('access-control-allow-origin')).toBe(origin);
    expect(read.headers.get('access-control-expose-headers')?.split(',')).toEqual(
      expect.arrayContaining([
        'Allow',
        'PAYMENT-REQUIRED',
        'Retry-After',
        'Settlement-Id',
        'WWW-Authenticate',
        'X-Request-Id',
      ]),
    );
  });

  it.each(['https://evil.example', 'https://console.example.com.evil.example', 'null'])(
    'of %s may not',
    async (other) => {
      const { api } = await startRememberingApi({ corsOrigins: [origin] });
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
    const { api } = await startRememberingApi();
    const { headers } = await api.send('/api/v1/settlements', { token: TOKENS.viewer });
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-powered-by')).toBeNull();
  });
});

const oops = () => Promise.reject(Object.assign(new TypeError('canary at line 1'), { code: '42601' }));

describe('faults of our own', () => {
  it('never show a stack, a secret or the text of an unexpected error', async () => {
    const { api } = await startRememberingApi({ ledger: { listSettlements: oops } });
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
    const { api } = await startRememberingApi({
      ledger: {
        createSettlement: away,
        listSettlements: away,
        findSettlement: away,
      },
      resolution: { decide: away, approve: away, look: away },
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
