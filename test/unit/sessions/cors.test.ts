import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import { afterEach, describe, expect, it, test } from 'vitest';
import { BROWSERS_MAY_READ, BROWSERS_MAY_SEND } from '../../../src/protocols/browser-headers.js';
import { type CorsOptions, createCors } from '../../../src/sessions/index.js';
import { ask } from './support/ask.js';
import { charging, VERSIONS } from './support/buying.js';
import { FIXED, type Handler, sell, type World } from './support/world.js';

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const PAGE = 'https://shop.example';
const PREFLIGHT = {
  Origin: PAGE,
  'Access-Control-Request-Method': 'GET',
  'Access-Control-Request-Headers': 'payment-signature',
};
const report: Handler = (_req, res) => void res.json({ report: 'x' });
const corsIn = (headers: object) => Object.keys(headers).filter((name) => name.startsWith('access-control-'));
const listed = (value: unknown) => String(value).toLowerCase().split(/, ?/);

describe.each(VERSIONS)('%s, a preflight that reaches a paid route', (_version, http2) => {
  it.each([
    ['without a payment', false],
    ['with one, which no browser sends', true],
  ])('%s is free, opens nothing and runs no handler', async (_name, paying) => {
    const ran: string[] = [];
    world = await sell(({ method }) => void ran.push(method), { http2 });
    const headers = { ...PREFLIGHT, ...(paying && (await world.credential()).headers) };
    const requestedBefore = world.auth.requests;
    const answer = await ask(`${world.url}/paid`, { method: 'OPTIONS', headers, http2 });
    expect([answer.status, answer.body.length, corsIn(answer.headers)]).toEqual([204, 0, []]);
    expect([ran, world.ledger.opens, world.auth.verified]).toEqual([[], [], []]);
    expect(world.auth.requests).toBe(requestedBefore);
  });

  it('allows what a layer before has allowed', async () => {
    const byHand: RequestHandler = (_req, res, next) => {
      res.setHeader('Access-Control-Allow-Origin', PAGE);
      next();
    };
    world = await sell(report, { http2, before: [byHand] });
    const { status, headers } = await ask(`${world.url}/paid`, { method: 'OPTIONS', headers: PREFLIGHT, http2 });
    expect([status, headers['access-control-allow-origin']]).toEqual([204, PAGE]);
  });
});

it('is free where nothing can be sold, and where nothing can be held back', async () => {
  world = await sell(report, {
    nodeProblem: 'a Node that holds nothing back',
    mount: (app, paid) => app.all('/tempo', paid({ ...FIXED, protocols: ['tempo'] }), report),
  });
  for (const path of ['/paid', '/tempo']) {
    expect((await ask(world.url + path)).status).toBe(503);
    expect((await ask(world.url + path, { method: 'OPTIONS', headers: PREFLIGHT })).status).toBe(204);
  }
});

it.each([
  ['no origin', { 'Access-Control-Request-Method': 'GET' }],
  ['no method asked for', { Origin: PAGE }],
])('an OPTIONS request with %s is no preflight and is paid for like any other', async (_name, headers) => {
  world = await sell(charging(report), { before: [createCors()] });
  expect((await ask(`${world.url}/paid`, { method: 'OPTIONS', headers })).status).toBe(402);
  const { headers: payment } = await world.credential();
  expect((await ask(`${world.url}/paid`, { method: 'OPTIONS', headers: { ...headers, ...payment } })).status).toBe(200);
});

describe('what pages are told', () => {
  it('by a preflight: all that payments need, and what the application adds', async () => {
    const own = { allowedHeaders: ['X-Cart'], exposedHeaders: ['X-Total'], methods: ['GET'], maxAge: 60 };
    world = await sell(report, { before: [createCors({ ...own, origin: [PAGE], credentials: true })] });
    const { status, headers } = await ask(`${world.url}/paid`, { method: 'OPTIONS', headers: PREFLIGHT });
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET',
      'access-control-max-age': '60',
      vary: 'Origin',
    });
    expect(listed(headers['access-control-allow-headers'])).toEqual(listed([...BROWSERS_MAY_SEND, 'X-Cart']));
    expect(listed(headers['access-control-expose-headers'])).toEqual(listed([...BROWSERS_MAY_READ, 'X-Total']));
  });

  /** A page asks without paying, pays, pays with the same again, and pays while the auth server is down. */
  async function answersTo(headers: Record<string, string>, http2: boolean) {
    const paid = await world!.credential();
    const another = await world!.credential();
    const asked = (payment: object = {}) => ask(`${world!.url}/paid`, { headers: { ...headers, ...payment }, http2 });
    const answers = [await asked(), await asked(paid.headers), await asked(paid.headers)];
    world!.auth.verifies = 'unreachable';
    return [...answers, await asked(another.headers)];
  }

  it.each(VERSIONS)(
    'over %s: also by answers that refuse, and caches are told the same as ever',
    async (_name, http2) => {
      world = await sell(charging(report), { http2, before: [createCors({ origin: [PAGE], credentials: true })] });
      const answers = await answersTo({ Origin: PAGE }, http2);
      expect(answers.map(({ status }) => status)).toEqual([402, 200, 409, 503]);
      for (const { headers } of answers) {
        expect(headers).toMatchObject({
          'access-control-allow-origin': PAGE,
          'access-control-allow-credentials': 'true',
          'access-control-expose-headers': BROWSERS_MAY_READ.join(','),
        });
        expect(listed(headers.vary)).toContain('origin');
      }
      expect(answers.map(({ headers }) => headers['cache-control'])).toEqual([
        'no-store',
        'private',
        'no-store',
        'no-store',
      ]);
      expect(listed(answers[1]?.headers.vary)).toEqual(
        ['Origin', 'X-ATXP-Payment', 'PAYMENT-SIGNATURE', 'X-PAYMENT', 'Authorization'].map((name) =>
          name.toLowerCase(),
        ),
      );
    },
  );

  it('by cors() after the paid route: by what the handler answers, and caches are told the same', async () => {
    world = await sell(charging(report), { after: [createCors({ origin: [PAGE] })] });
    const [unpaid, paid] = await answersTo({ Origin: PAGE }, false);
    expect(corsIn(unpaid!.headers)).toEqual([]);
    expect(paid!.headers).toMatchObject({ 'access-control-allow-origin': PAGE, 'cache-control': 'private' });
    expect(listed(paid!.headers.vary)).toEqual(expect.arrayContaining(['origin', 'payment-signature']));
  });

  it.each([
    ['refused', 402],
    ['unknown', 503],
  ] as const)('by the answer in place of one whose settlement is %s', async (outcome, status) => {
    world = await sell(charging(report), {
      sells: { ...FIXED, settle: 'before-release' },
      before: [createCors({ origin: [PAGE] })],
    });
    world.settleNow = () => Promise.resolve(outcome);
    const { headers: payment } = await world.credential();
    const answer = await ask(`${world.url}/paid`, { headers: { Origin: PAGE, ...payment } });
    expect(answer).toMatchObject({ status, headers: { 'access-control-allow-origin': PAGE } });
    expect(listed(answer.headers.vary)).toEqual(expect.arrayContaining(['origin', 'payment-signature']));
    expect(listed(answer.headers['access-control-expose-headers'])).toContain('settlement-id');
  });

  it('of no credentials where everybody may buy', async () => {
    world = await sell(report, { before: [createCors()] });
    const { headers } = await ask(`${world.url}/paid`, { method: 'OPTIONS', headers: PREFLIGHT });
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers).not.toHaveProperty('access-control-allow-credentials');
  });

  const elsewhere = ['https://shop.example.evil.example', 'http://shop.example', 'null'];
  const promised = (async () => true) as never;
  test.each<[string, CorsOptions['origin'], readonly string[]]>([
    ['a list', [PAGE], elsewhere],
    ['one origin', PAGE, elsewhere],
    ['a function', (origin) => origin === PAGE, elsewhere],
    ['a function that promises', promised, [PAGE, ...elsewhere]],
  ])('nothing, where %s does not let their origin in', async (_name, origin, others) => {
    world = await sell(report, { before: [createCors({ origin, credentials: true })] });
    for (const Origin of others) {
      for (const method of ['OPTIONS', 'GET']) {
        const { headers } = await ask(`${world.url}/paid`, { method, headers: { ...PREFLIGHT, Origin } });
        expect(headers).not.toHaveProperty('access-control-allow-origin');
        expect(headers).not.toHaveProperty('access-control-allow-credentials');
        expect(listed(headers.vary)).toContain('origin');
      }
    }
  });
});

describe('an origin that the function of the application cannot read', () => {
  const fails = (): never => {
    throw new Error('Invalid URL');
  };
  it.each<[string, CorsOptions['origin']]>([
    ['throws', (origin) => new URL(origin).hostname.endsWith('.shop.example')],
    ['throws something else', fails],
  ])('is told to whoever comes next where it %s, because nobody stands above a listener of Node', (_how, origin) => {
    const told: unknown[] = [];
    const cors = createCors({ origin });
    const req = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', headers: { origin: 'null' } });
    cors(req, new ServerResponse(req), (error) => told.push(error));
    expect(told).toEqual([expect.objectContaining({ message: 'Invalid URL' })]);
  });

  it('lets nobody in where a promise of it fails, and ends no process', async () => {
    const rejected: unknown[] = [];
    const note = (why: unknown) => void rejected.push(why);
    process.on('unhandledRejection', note);
    const later = (async () => Promise.reject(new Error('no list'))) as never;
    world = await sell(report, { before: [createCors({ origin: later })] });
    const { headers } = await ask(`${world.url}/paid`, { headers: { Origin: PAGE } });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect([headers['access-control-allow-origin'], rejected]).toEqual([undefined, []]);
  });
});

test.each<[string, CorsOptions, RegExp]>([
  ['credentials for everybody', { credentials: true }, /cors\.credentials: needs the origins/],
  ['credentials for everybody, in so many words', { credentials: true, origin: '*' }, /cors\.credentials/],
  ['a list that has everybody in it', { origin: ['*'] }, /cors\.origin: \* is not an origin/],
  ['a path', { origin: 'https://shop.example/' }, /cors\.origin: https:\/\/shop\.example\/ is not an origin/],
  ['no scheme', { origin: ['shop.example'] }, /cors\.origin/],
  ['pages without an origin', { origin: 'null' }, /cors\.origin/],
  ['everybody by true', { origin: true as never, credentials: true }, /cors\.origin/],
  ['names in one text', { allowedHeaders: 'X-Cart' as never }, /cors\.allowedHeaders: is not a list/],
  ['several names in one', { exposedHeaders: ['X-A, X-B'] }, /cors\.exposedHeaders/],
  ['no method', { methods: [''] }, /cors\.methods/],
  ['a duration', { maxAge: '1h' as never }, /cors\.maxAge/],
])('%s is refused where cors() is declared', (_name, options, message) => {
  expect(() => createCors(options)).toThrow(message);
});
