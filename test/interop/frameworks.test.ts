import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../sandbox/auth-server/start.js';
import { payerAccount } from '../../sandbox/payer/account.js';
import { readOffers } from '../../sandbox/payer/challenge.js';
import { answerOffers } from '../../sandbox/payer/pay.js';
import { createSettleFirst } from '../../src/calls/settlements/settle-first.js';
import type { SettlementId } from '../../src/domain/ids.js';
import { createAuthServer } from '../../src/providers/auth-server/client.js';
import type { PaidSessionOptions, PaidSessions } from '../../src/sessions/index.js';
import { openTestLedger, type TestLedger } from '../support/ledger-fixtures.js';
import { named } from '../support/sessions/naming.js';
import { IN_USDC } from '../support/sessions/offers.js';
import { startPaidSessions } from '../support/sessions/paid-server.js';
import { undescribed } from '../support/sessions/undescribed.js';
import { settleOnce } from '../support/settlements/settling.js';
import { until } from '../support/until.js';
import { type Asked, ask, type Question } from '../unit/sessions/support/ask.js';
import { BEFORE, FRAMEWORKS, type ServeOptions, type Serving, type Sold, type Tools } from './support/frameworks.js';

/** Paid routes of each framework, as they come from the registry, on a real ledger. */

const PRICE = 10_000n;
const STEP = 1_000n;
const FIXED: PaidSessionOptions = { ...IN_USDC, price: PRICE, protocols: ['x402'] };
const METERED: PaidSessionOptions = { ...IN_USDC, cap: PRICE, protocols: ['x402'] };
const SERVED = JSON.stringify({ paper: 'of today' });
const OUT_OF_PAPER = new Error('out of paper');

/** How often a handler ran. */
let served = 0;
function paper({ payment, json }: Tools): void {
  served += 1;
  if (payment?.charge(PRICE) === true) json({ paper: 'of today' });
}

async function* ticks({ payment }: Tools, count: number): AsyncGenerator<string> {
  for (let tick = 1; tick <= count; tick += 1) {
    if (payment?.charge(STEP) !== true) return;
    yield `tick ${tick};`;
    await wait(5);
  }
}

async function* breakingOff(tools: Tools): AsyncGenerator<string> {
  yield* ticks(tools, 2);
  throw OUT_OF_PAPER;
}

const routesOn = (sessions: PaidSessions): readonly Sold[] => [
  { path: '/fixed', route: sessions.paidRoute(FIXED), serve: paper },
  {
    path: '/echo',
    route: sessions.paidRoute(FIXED),
    async serve({ payment, json, body }) {
      served += 1;
      if (payment?.charge(PRICE) === true) json({ got: await body() });
    },
  },
  { path: '/first', route: sessions.paidRoute({ ...FIXED, settle: 'before-release' }), serve: paper },
  {
    path: '/three',
    route: sessions.paidRoute(METERED),
    serve: (tools) => tools.stream(Readable.from(ticks(tools, 3))),
  },
  {
    path: '/many',
    route: sessions.paidRoute({ ...METERED, cap: 1_000n * PRICE }),
    serve: (tools) => tools.stream(Readable.from(ticks(tools, 10_000))),
  },
  {
    path: '/breaks',
    route: sessions.paidRoute(METERED),
    serve: (tools) => tools.stream(Readable.from(breakingOff(tools))),
  },
  {
    path: '/fails',
    route: sessions.paidRoute(FIXED),
    serve({ payment }) {
      payment?.charge(PRICE);
      throw OUT_OF_PAPER;
    },
  },
  {
    path: '/fails-late',
    route: sessions.paidRoute(FIXED),
    serve(tools) {
      paper(tools);
      throw OUT_OF_PAPER;
    },
  },
  { path: '/cannot-tell', route: undescribed(() => Promise.reject(OUT_OF_PAPER)), serve: paper },
  { path: '/left', route: undescribed(() => Promise.resolve(undefined)), serve: paper },
];

describe.each(FRAMEWORKS)('$name', ({ name, http2, knowsProxies, showsBreaks, failure, serve }) => {
  let store: TestLedger;
  let sandbox: AuthServerSandbox;
  let sessions: PaidSessions;
  let shop: Serving;
  beforeAll(async () => {
    [store, sandbox] = await Promise.all([openTestLedger(), startAuthServerSandbox()]);
    const settling = async (id: SettlementId) => void (await settle(id));
    const settleNow = createSettleFirst({ ledger: store.ledger, settle: settling, patienceMs: 5_000 });
    sessions = await startPaidSessions(store, sandbox.url, { settleNow });
    shop = await serve(routesOn(sessions));
  });
  afterEach(() => sandbox.setFaults([]));
  afterAll(async () => {
    await shop.stop();
    await sessions.stop();
    await sandbox.close();
    await store.dispose();
  });

  const settle = (id: SettlementId) =>
    settleOnce(store.ledger, [id], { authServer: createAuthServer({ baseUrl: sandbox.url, clock: store.clock }) });
  const get = (path: string, question: Question = {}) => ask(shop.url + path, { http2, ...question });
  const json = ({ body }: Asked) => JSON.parse(body.toString()) as Record<string, unknown>;

  const offersIn = ({ status, headers, body }: Asked) => {
    const plain = Object.entries(headers).filter(([field]) => !field.startsWith(':'));
    const fields = plain.map(([field, value]): [string, string] => [field, String(value)]);
    return readOffers(new Response(new Uint8Array(body), { status, headers: fields }));
  };
  const soldAt = async (answer: Asked) => (await offersIn(answer)).x402[2]?.resource?.url;
  /** Another payment each time. */
  async function credential(path: string): Promise<Record<string, string>> {
    const account = payerAccount(`${name} ${path} ${crypto.randomUUID()}`);
    const offers = await offersIn(await get(path));
    const { headers } = await answerOffers(offers, { protocol: 'x402', account, nowMs: store.clock.nowMs() });
    return { ...headers };
  }

  interface Row {
    readonly [column: string]: unknown;
    readonly id: SettlementId;
    readonly status: string;
    readonly spent: string;
    readonly delivery: string | null;
  }
  const rowsOf = (path: string) =>
    store.database.query<Row>(
      `SELECT id, status, spent::text AS spent, delivery FROM settlements WHERE route = $1 ORDER BY id`,
      [path],
    );
  const closed = (path: string) =>
    until('a charge is closed', async () => (await rowsOf(path)).find(({ status }) => status !== 'open'), {
      limitMs: 5_000,
    });
  const rowNamedBy = async ({ headers }: Asked, path: string) =>
    (await rowsOf(path)).find(({ id }) => id === headers['settlement-id']);

  describe('a 402 without payment', () => {
    it('says what a layer before said, runs no handler, and names the URL with its query', async () => {
      const before = served;
      const answer = await get('/fixed?b=2&a=1');
      expect(answer).toMatchObject({ status: 402, whole: true });
      expect(answer.headers).toMatchObject({ [BEFORE[0]]: BEFORE[1], 'cache-control': 'no-store' });
      expect(await soldAt(answer)).toBe(`${shop.url}/fixed?a=1&b=2`);
      expect(served).toBe(before);
    });

    it('has the same head for HEAD, with a payment too', async () => {
      const before = served;
      const whole = await get('/fixed');
      const headers = await credential('/fixed');
      for (const head of [await get('/fixed', { method: 'HEAD' }), await get('/fixed', { method: 'HEAD', headers })]) {
        expect(head).toMatchObject({ status: 402, whole: true });
        expect(head.body).toHaveLength(0);
        expect(head.headers['content-length']).toBe(String(whole.body.length));
        expect(await soldAt(head)).toBe(`${shop.url}/fixed`);
      }
      expect(served).toBe(before);
    });

    const forwarded = { 'x-forwarded-host': 'api.example.com', 'x-forwarded-proto': 'https' };

    it('believes no proxy that nobody told it to trust', async () => {
      expect(await soldAt(await get('/fixed', { headers: forwarded }))).toBe(`${shop.url}/fixed`);
    });

    it('names the URL that a trusted proxy has seen, where there is such a thing', async () => {
      const behind = await serve(routesOn(sessions), { trustsLoopback: true });
      const answer = await ask(`${behind.url}/fixed?b=2&a=1`, { http2, headers: forwarded });
      await behind.stop();
      const origin = knowsProxies ? 'https://api.example.com' : behind.url;
      expect(await soldAt(answer)).toBe(`${origin}/fixed?a=1&b=2`);
    });

    it('names the URL under PUBLIC_URL', async () => {
      const publicUrl = 'https://shop.example.com/v1';
      const published = await startPaidSessions(store, sandbox.url, { publicUrl });
      const behind = await serve(routesOn(published));
      const answer = await ask(`${behind.url}/fixed`, { http2, headers: forwarded });
      await behind.stop();
      await published.stop();
      expect(await soldAt(answer)).toBe(`${publicUrl}/fixed`);
    });
  });

  it('a paid answer is served and charged once, and a repeat is told of its charge', async () => {
    const headers = await credential('/fixed');
    const { debits } = sandbox.ledger().totals;
    const [one, other] = await Promise.all([get('/fixed', { headers }), get('/fixed', { headers })]);
    expect(new Set([one.status, other.status])).toEqual(new Set([200, 409]));
    const [had, repeat] = one.status === 200 ? [one, other] : [other, one];
    expect(had.body.toString()).toBe(SERVED);
    expect(had.headers).toMatchObject({
      [BEFORE[0]]: BEFORE[1],
      'cache-control': 'private',
      'content-type': 'application/json; charset=utf-8',
    });
    const row = await rowNamedBy(had, '/fixed');
    expect(row).toMatchObject({ status: 'pending', spent: '10000' });
    expect(repeat.headers).toMatchObject({ [BEFORE[0]]: BEFORE[1], 'settlement-id': row?.id });
    expect(json(repeat)).toMatchObject({ code: 'credential_already_used' });
    await settle(row!.id);
    expect((await get('/fixed', { headers })).status).toBe(409);
    expect(sandbox.ledger().totals.debits).toBe(debits + 1);
  });

  it('a lost answer to a body is had again, and to another body it is not', async () => {
    const { headers } = named({ headers: await credential('/echo') });
    const post = (of: string) =>
      get('/echo', {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ of }),
      });
    // More than one frame of HTTP/2.
    const today = 'today '.repeat(8_000);
    const had = await post(today);
    expect(had).toMatchObject({ status: 200, whole: true });
    expect(json(had)).toEqual({ got: { of: today } });
    const before = served;
    const again = await post(today);
    expect(again).toMatchObject({ status: 200, whole: true, body: had.body });
    for (const field of ['settlement-id', 'content-type', BEFORE[0]])
      expect([field, again.headers[field]]).toEqual([field, had.headers[field]]);
    const other = await post('yesterday');
    expect({ status: other.status, body: json(other) }).toMatchObject({
      status: 409,
      body: { code: 'payment_identifier_used' },
    });
    expect(served).toBe(before);
  });

  describe('what is told before anybody asks', () => {
    const tells = async (options: ServeOptions = {}) => {
      const told = await serve(
        [{ path: '/listed', route: sessions.paidRoute({ ...FIXED, discoverable: true }), serve: paper }],
        { discovery: true, ...options },
      );
      onTestFinished(() => told.stop());
      const asked = (path: string, question: Question = {}) => ask(told.url + path, { http2, ...question });
      const resourcesAt = async (headers: Question['headers'] = {}) =>
        json(await asked('/.well-known/x402', { headers }))['resources'];
      return { url: told.url, asked, resourcesAt };
    };

    it('is the offers of its routes, beside what layers before have said, and pages may read it', async () => {
      const { asked } = await tells({ cors: true });
      const said = await asked('/openapi.json?now', { headers: { origin: 'https://page.example' } });
      expect(said).toMatchObject({ status: 200, whole: true });
      expect(said.headers).toMatchObject({
        'content-type': expect.stringMatching(/^application\/json/),
        'content-length': String(said.body.length),
        'access-control-allow-origin': '*',
        [BEFORE[0]]: BEFORE[1],
      });
      expect(json(said)).toMatchObject({
        openapi: '3.1.0',
        info: { title: 'Papers', version: '1' },
        paths: { '/listed': { get: { 'x-payment-info': { offers: [{ amount: '10000', recipient: FIXED.payTo }] } } } },
      });
      const head = await asked('/openapi.json', { method: 'HEAD' });
      expect(head).toMatchObject({ status: 200, whole: true, body: Buffer.alloc(0) });
      expect(head.headers['content-length']).toBe(said.headers['content-length']);
      expect((await asked('/llms.txt')).body.toString()).toContain('- GET /listed: x402 charge, 10000 atomic units');
    });

    it('leaves everything else to the routes', async () => {
      const { asked } = await tells();
      const answers = [asked('/listed'), asked('/openapi.json', { method: 'POST' }), asked('/openapi.json/')];
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([402, 404, 404]);
    });

    it('names routes by the origin that the framework makes out, and under PUBLIC_URL by that', async () => {
      const seen = { 'x-forwarded-host': 'api.example.com', 'x-forwarded-proto': 'https' };
      const alone = await tells();
      expect(await alone.resourcesAt(seen)).toEqual([`${alone.url}/listed`]);
      const behind = await tells({ trustsLoopback: true });
      const origin = knowsProxies ? 'https://api.example.com' : behind.url;
      expect(await behind.resourcesAt(seen)).toEqual([`${origin}/listed`]);
      const published = await tells({ discovery: { publicUrl: 'https://shop.example.com/v1/' } });
      expect(await published.resourcesAt(seen)).toEqual(['https://shop.example.com/v1/listed']);
    });
  });

  it('pages of other origins are let in for nothing, and read what to pay', async () => {
    const open = await serve(routesOn(sessions), { cors: true });
    const origin = { origin: 'https://page.example' };
    const before = served;
    const preflight = await ask(`${open.url}/fixed`, {
      http2,
      method: 'OPTIONS',
      headers: { ...origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'x-payment' },
    });
    const asked = await ask(`${open.url}/fixed`, { http2, headers: origin });
    await open.stop();
    expect(preflight).toMatchObject({ status: 204, whole: true });
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-headers': expect.stringContaining('X-PAYMENT'),
    });
    expect(asked.status).toBe(402);
    expect(asked.headers['access-control-expose-headers']).toContain('PAYMENT-REQUIRED');
    expect(served).toBe(before);
  });

  it('a metered stream is charged for what it was', async () => {
    const answer = await get('/three', { headers: await credential('/three') });
    expect(answer).toMatchObject({ status: 200, whole: true });
    expect(answer.body.toString()).toBe('tick 1;tick 2;tick 3;');
    expect(await rowNamedBy(answer, '/three')).toMatchObject({ status: 'pending', spent: String(3n * STEP) });
  });

  it('a client who leaves a stream pays for what he was sent, and the handler is stopped', async () => {
    const leaving = new AbortController();
    const headers = await credential('/many');
    let bytes = 0;
    await get('/many', {
      headers,
      signal: leaving.signal,
      onBytes(some) {
        bytes += some.length;
        if (bytes > 30) leaving.abort();
      },
    });
    const row = await closed('/many');
    expect(row).toMatchObject({ status: 'pending', delivery: 'aborted' });
    expect(BigInt(row.spent)).toBeGreaterThan(3n * STEP);
    expect(BigInt(row.spent)).toBeLessThan(1_000n * PRICE);
  });

  it('a stream that breaks off is cut off, and costs no more than what had left', async () => {
    const answer = await get('/breaks', { headers: await credential('/breaks') });
    expect(answer).toMatchObject({ status: 200, whole: !showsBreaks });
    expect(answer.body.toString()).toMatch(/^tick 1;(tick 2;)?$/);
    const row = await closed('/breaks');
    expect(row).toMatchObject({ status: 'pending', delivery: 'aborted' });
    expect([STEP, 2n * STEP]).toContain(BigInt(row.spent));
  });

  it('a handler that fails before its first byte is answered as the framework does it, and costs nothing', async () => {
    const answer = await get('/fails', { headers: await credential('/fails') });
    expect({ status: answer.status, body: json(answer) }).toMatchObject(failure);
    expect(answer.headers).toMatchObject({ [BEFORE[0]]: BEFORE[1] });
    expect(await rowNamedBy(answer, '/fails')).toMatchObject({ status: 'released', spent: '0' });
  });

  it('a handler that fails once it has answered has answered', async () => {
    const answer = await get('/fails-late', { headers: await credential('/fails-late') });
    expect(answer).toMatchObject({ status: 200, whole: true });
    expect(answer.body.toString()).toBe(SERVED);
    expect(await rowNamedBy(answer, '/fails-late')).toMatchObject({ status: 'pending', spent: '10000' });
  });

  it('what the application throws before anything is paid is answered like a failure of the handler', async () => {
    const before = served;
    const answer = await get('/cannot-tell');
    expect({ status: answer.status, body: json(answer) }).toMatchObject(failure);
    expect(served).toBe(before);
  });

  it('no handler runs for a client who is gone', async () => {
    const before = served;
    const leaving = new AbortController();
    const gone = get('/left', { signal: leaving.signal });
    // Whatever is asked after it has been answered: it had its turn.
    expect((await get('/fixed')).status).toBe(402);
    leaving.abort();
    await gone;
    expect(served).toBe(before);
  });

  describe('settled before it is released', () => {
    it('an answer leaves when the money is in', async () => {
      const headers = await credential('/first');
      const answer = await get('/first', { headers });
      expect(answer).toMatchObject({ status: 200, whole: true });
      expect(answer.body.toString()).toBe(SERVED);
      expect(await rowNamedBy(answer, '/first')).toMatchObject({ status: 'settled', spent: '10000' });
      expect((await get('/first', { headers })).status).toBe(409);
    });

    it('another answer goes out in its place while nobody knows, with what the layers before have said', async () => {
      const headers = await credential('/first');
      sandbox.setFaults([{ kinds: ['server_error_after_commit'], on: ['settle'], times: 1 }]);
      const held = await get('/first', { headers });
      expect(held).toMatchObject({ status: 503, whole: true });
      expect(json(held)).toMatchObject({ code: 'payment_unknown' });
      expect(held.headers).toMatchObject({
        [BEFORE[0]]: BEFORE[1],
        'content-type': 'application/problem+json',
        'retry-after': expect.any(String),
      });
      const row = await rowNamedBy(held, '/first');
      await settle(row!.id);
      const had = await get('/first', { headers });
      expect(had).toMatchObject({ status: 200, whole: true });
      expect(had.headers['settlement-id']).toBe(row?.id);
    });
  });
});
