// A middleware that speaks last takes methods off the response.
/* oxlint-disable typescript/unbound-method */
import * as fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { privateCacheControl, varyOnCredentials } from '../../../src/sessions/gate/paid-head.js';
import { ask } from './support/ask.js';
import { FIXED, type Handler, sell, type World } from './support/world.js';

/** A paid answer is for its payer. */

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const CREDENTIALS = ['x-atxp-payment', 'payment-signature', 'x-payment', 'authorization'];

const SHARED = { 'Cache-Control': 'public, max-age=60, s-maxage=600', Vary: 'Accept' };
const WAYS: [string, Handler][] = [
  ['setHeader', (_req, res) => res.set(SHARED).send('sold')],
  [
    'setHeader with a list',
    (_req, res) => res.set('Cache-Control', ['public', 'max-age=60', 's-maxage=600']).send('sold'),
  ],
  ['writeHead with an object', (_req, res) => res.writeHead(200, SHARED).end('sold') as never],
  [
    'writeHead with a list',
    (_req, res) => res.writeHead(200, Object.entries(SHARED).flat() as never).end('sold') as never,
  ],
  ['a stream', (_req, res) => (res.set(SHARED).write('so'), res.end('ld')) as never],
  ['sendFile with maxAge', (_req, res) => res.sendFile(import.meta.filename, { maxAge: 60_000 }) as never],
  ['headers for one cache', (_req, res) => res.set({ ...SHARED, ...FOR_ONE_CACHE }).send('sold')],
];
const FOR_ONE_CACHE = {
  'CDN-Cache-Control': 'max-age=600',
  'Cloudflare-CDN-Cache-Control': 'max-age=600',
  'Surrogate-Control': 'max-age=600',
  'Edge-Control': 'max-age=600',
  'X-Accel-Expires': '600',
};

test.each(WAYS.flatMap(([name, serve]) => [false, true].map((http2) => [name, http2 ? 2 : 1, serve] as const)))(
  'no shared cache may keep a paid answer, said by %s over HTTP/%i',
  async (_name, version, serve) => {
    world = await sell(
      (req, res) => {
        req.paymentSession?.charge('10000');
        return serve(req, res);
      },
      { http2: version === 2 },
    );
    const { headers: paid } = await world.credential();
    const { status, headers } = await ask(`${world.url}/paid`, { headers: paid, http2: version === 2 });
    expect(status).toBe(200);
    expect(headers['cache-control']?.split(', ').sort()).toEqual(['max-age=60', 'private']);
    const vary = String(headers.vary).toLowerCase().split(', ');
    expect(vary).toEqual(expect.arrayContaining(CREDENTIALS));
    for (const name of Object.keys(FOR_ONE_CACHE)) expect(headers).not.toHaveProperty(name.toLowerCase());
  },
);

test('an answer of a paid route that failed, or was free, is private too', async () => {
  world = await sell((req, res) => res.status(Number(req.query.status)).set('Cache-Control', 'public').send('x'));
  for (const status of [200, 404, 500]) {
    const path = `/paid?status=${status}`;
    const answer = await world.buy({ path });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([status, 'private']);
  }
});

test('a middleware that speaks last does not make a paid answer public', async () => {
  world = await sell(
    (req, res) => {
      req.paymentSession?.charge('10000');
      res.send('sold');
    },
    {
      before: [
        (_req, res, next) => {
          const { writeHead } = res;
          // As the package on-headers does it.
          res.writeHead = function late(this: typeof res, ...args: never[]) {
            res.setHeader('Cache-Control', 'public, max-age=60');
            return Reflect.apply(writeHead, this, args);
          } as typeof res.writeHead;
          next();
        },
      ],
    },
  );
  expect((await world.buy()).headers.get('cache-control')).toBe('private, max-age=60');
});

test('every 402 is no-store and kept from who pays: the demand, the refusal, the answer in place of a response, and the handler’s own', async () => {
  world = await sell(
    (req, res) => {
      if (req.query.own === '1') return res.set('Cache-Control', 'public, max-age=60').status(402).send('more');
      req.paymentSession?.charge('10000');
      return res.send('sold');
    },
    {
      sells: { ...FIXED, settle: 'before-release' },
      before: [(_req, res, next) => (res.set('Vary', 'Accept-Encoding'), next())],
    },
  );
  world.settleNow = () => Promise.resolve('refused');
  const demand = await fetch(`${world.url}/paid`);
  const instead = await world.buy();
  const own = await world.buy({ path: '/paid?own=1' });
  const credential = await world.credential();
  world.auth.verifies = 'invalid';
  const refused = await world.buy({ credential });
  for (const answer of [demand, instead, own, refused])
    expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('vary')]).toEqual([
      402,
      'no-store',
      'Accept-Encoding, X-ATXP-Payment, PAYMENT-SIGNATURE, X-PAYMENT, Authorization',
    ]);
});

test('every answer that was paid for names its settlement', async () => {
  world = await sell((req, res) => {
    req.paymentSession?.charge('10000');
    res.removeHeader('Settlement-Id');
    res.send('sold');
  });
  const answer = await world.buy();
  expect(answer.headers.get('settlement-id')).toBe(world.ledger.only().session.id);
});

test('whatever was said, what is left is private or not stored, and its other directives stay', () => {
  const directive = fc.constantFrom(
    'public',
    'private',
    'Private="X-Secret, X-Other"',
    's-maxage=60',
    'S-MaxAge="60"',
    'max-age=60',
    'no-store',
    'no-cache="Set-Cookie, X"',
    'must-revalidate',
  );
  fc.assert(
    fc.property(fc.array(directive), fc.constantFrom(',', ', ', ' ,, '), (said, comma) => {
      const left = privateCacheControl(said.join(comma));
      expect(left.startsWith('private') || said.includes('no-store')).toBe(true);
      expect(left).not.toMatch(/public|s-maxage|private=/i);
      for (const kept of said.filter((one) => /^(max-age|no-|must)/.test(one))) expect(left).toContain(kept);
    }),
  );
});

test('Vary names each credential once, and a star says it all', () => {
  expect(varyOnCredentials(undefined)).toBe('X-ATXP-Payment, PAYMENT-SIGNATURE, X-PAYMENT, Authorization');
  expect(varyOnCredentials('accept-encoding,x-payment , AUTHORIZATION')).toBe(
    'accept-encoding, x-payment, AUTHORIZATION, X-ATXP-Payment, PAYMENT-SIGNATURE',
  );
  expect(varyOnCredentials('Accept, *')).toBe('*');
});
