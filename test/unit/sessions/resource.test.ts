import { parse } from 'node:querystring';
import express from 'express';
import fc from 'fast-check';
import { afterEach, describe, expect, it, test } from 'vitest';
import type { PayOptions } from '../../../sandbox/payer/pay.js';
import { canonicalTarget, resourceOf, sameResource } from '../../../src/sessions/offers/resource.js';
import { ask } from './support/ask.js';
import { FIXED, type Handler, jsonOf, METERED, sell, type World } from './support/world.js';

/** What is sold is the URL with its query, seen from outside. */

let world: World | undefined;
afterEach(() => world?.close());

const serve: Handler = (req, res) => {
  req.paymentSession?.charge('10000');
  res.json({ tier: req.query.tier });
};

const WAYS: readonly (readonly [string, Partial<PayOptions>, typeof FIXED])[] = [
  ['x402 v2', { protocol: 'x402' }, FIXED],
  ['an MPP charge', { protocol: 'mpp', intent: 'charge' }, FIXED],
  ['an MPP session', { protocol: 'mpp', intent: 'session' }, METERED],
  ['an ATXP payment request', { protocol: 'atxp' }, FIXED],
];

describe.each(WAYS)('%s', (_name, pay, sells) => {
  test('obtained for one query buys no other, and pays for its own in any order', async () => {
    world = await sell(serve, { sells });
    const credential = await world.credential(pay, '/paid?tier=basic&lang=en');
    for (const other of [
      '/paid?tier=premium&lang=en',
      '/paid?tier=basic',
      '/paid',
      '/paid?tier=basic&lang=en&admin=1',
      '/paid?tier=basic&tier=premium&lang=en',
      '/paid/?tier=basic&lang=en',
    ]) {
      const answer = await world.buy({ credential, path: other });
      expect([other, answer.status]).toEqual([other, 402]);
    }
    expect([world.auth.verified.length, world.ledger.opens.length]).toEqual([0, 0]);
    expect((await world.buy({ credential, path: '/paid?lang=en&tier=basic' })).status).toBe(200);
  });
});

test('an x402 credential that names its resource in another order of parameters pays for it', async () => {
  world = await sell(serve);
  const made = await world.credential({ protocol: 'x402' }, '/paid?a=1&b=2');
  const content = { ...made.content, resource: { url: `${world.url}/paid?b=2&a=1` } };
  const headers = { 'PAYMENT-SIGNATURE': Buffer.from(JSON.stringify(content)).toString('base64') };
  expect((await fetch(`${world.url}/paid?a=1&b=2`, { headers })).status).toBe(200);
});

test.each([
  ['v1, as text', { x402Version: 1, scheme: 'exact', network: 'base' }, (url: string) => url],
  ['v2, as an object', {}, (url: string) => ({ url })],
] as const)('an x402 credential that states another resource is refused: %s', async (_name, change, as) => {
  world = await sell(serve);
  const made = await world.credential({ protocol: 'x402' }, '/paid?tier=basic');
  const { accepted: _accepted, ...bare } = made.content;
  const content = { ...('scheme' in change ? bare : made.content), ...change };
  const send = (url: string) => {
    const value = Buffer.from(JSON.stringify({ ...content, resource: as(url) })).toString('base64');
    return fetch(`${world?.url}/paid?tier=basic`, { headers: { 'PAYMENT-SIGNATURE': value } });
  };
  expect((await send(`${world.url}/paid?tier=premium`)).status).toBe(402);
  expect((await send(`https://elsewhere.example/paid?tier=basic`)).status).toBe(402);
  expect((await send(`${world.url}/paid?tier=basic`)).status).toBe(200);
});

describe('a request whose target no client of HTTP would send', () => {
  // Fastify's router reads what follows as query: `#id=2` as `?id=2`, and `?id=1#&id=2` as two ids.
  it.each(['/paid?tier=basic#&tier=premium', '/paid?tier=basic#', '/paid?tier=basic&#tier=premium'])(
    'is not bought by a payment for the same without its fragment: %s',
    async (path) => {
      world = await sell(serve);
      const { headers } = await world.credential({ protocol: 'x402' }, '/paid?tier=basic');
      expect((await ask(world.url, { headers, path })).status).toBe(402);
    },
  );

  it('a fragment alone makes another resource, and its parameters are in no order of ours', () => {
    const targets = ['/p', '/p#', '/p#id=1', '/p#id=2', '/p?b=1&a=0#z', '/p?a=0#z&b=1', '/p?b=1&a=0'];
    const resources = targets.map((originalUrl) => resourceOf({ originalUrl, origin: 'http://shop' }, undefined));
    expect(new Set(resources.map(({ target }) => target)).size).toBe(targets.length);
    expect(resources.map(({ url }) => url.startsWith('http://shop/p'))).not.toContain(false);
  });

  it('in its absolute form keeps the order of what stands before its path, where a router may find another one', () => {
    const targets = ['http://h?a=2&/p?b=1', 'http://h?/p?b=1&a=2'];
    const [one, other] = targets.map(
      (originalUrl) => resourceOf({ originalUrl, origin: 'http://shop' }, undefined).target,
    );
    expect(one).not.toBe(other);
  });
});

describe('the origin of what is sold', () => {
  const urlIn402 = async (at: World, headers: Record<string, string> = {}): Promise<string> =>
    (await jsonOf(await fetch(`${at.url}/paid?b=2&a=1`, { headers }))).accepts[0].resource;
  const forwarded = { 'X-Forwarded-Host': 'api.example.com', 'X-Forwarded-Proto': 'https' };

  it('is PUBLIC_URL, with the prefix that a proxy takes away, whatever the request says', async () => {
    world = await sell(serve, { publicUrl: 'https://shop.example.com/v1/' });
    expect(await urlIn402(world, forwarded)).toBe('https://shop.example.com/v1/paid?a=1&b=2');
  });

  it('is that of the request, and what a proxy says of it counts for nothing unless proxies are trusted', async () => {
    world = await sell(serve);
    expect(await urlIn402(world, forwarded)).toBe(`${world.url}/paid?a=1&b=2`);
  });

  it('is what a trusted proxy says', async () => {
    world = await sell(serve, { mount: (app) => app.set('trust proxy', 'loopback') });
    expect(await urlIn402(world, forwarded)).toBe('https://api.example.com/paid?a=1&b=2');
    const chain = { ...forwarded, 'X-Forwarded-Host': 'api.example.com, inner.example' };
    expect(await urlIn402(world, chain)).toBe('https://api.example.com/paid?a=1&b=2');
  });
});

describe('the canonical form of a query', () => {
  const parseNested = express().set('query parser', 'extended').get('query parser fn') as (query: string) => unknown;
  const name = fc.constantFrom('a', 'b', 'tier', 'a[b]', 'a[]', '[a]', '%5Bb%5D', '%74ier', 'a+b', 'a%20b', 'x%5By%5D');
  const value = fc.constantFrom('', '1', '2', 'premium', 'a%3Db', '%zz');
  const parameters = fc.array(
    fc.tuple(name, value).map(([key, text]) => `${key}=${text}`),
    { maxLength: 6 },
  );

  it('never stands for two queries that a handler can tell apart', () => {
    fc.assert(
      fc.property(parameters, fc.infiniteStream(fc.nat()), (some, order) => {
        const other = some
          .map((parameter) => ({ parameter, at: order.next().value }))
          .sort((left, right) => left.at - right.at)
          .map(({ parameter }) => parameter);
        const [one, two] = [some.join('&'), other.join('&')];
        if (canonicalTarget(`/p?${one}`) !== canonicalTarget(`/p?${two}`)) return;
        expect(parse(two)).toEqual(parse(one));
        expect(parseNested(two)).toEqual(parseNested(one));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is one for every order of parameters with different names', () => {
    const distinct = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(distinct, fc.nat(), (names, turn) => {
        const turned = names.map((_, index) => names[(index + turn) % names.length]);
        const target = (list: readonly (string | undefined)[]) =>
          canonicalTarget(`/p?${list.map((key) => `${key}=1`).join('&')}`);
        expect(target(turned)).toBe(target(names));
        expect(target([...names].reverse())).toBe(target(names));
      }),
    );
  });

  it('of what a credential states is that of a page, whose fragment no server sees', () => {
    expect(sameResource('http://shop/p?b=1&a=2#top', 'http://shop/p?a=2&b=1')).toBe(true);
    const { url } = resourceOf({ originalUrl: '/p?a=1#id=2', origin: 'http://shop' }, undefined);
    expect([sameResource(url, url), sameResource('http://shop/p?a=1', url)]).toEqual([true, false]);
  });

  it('leaves out the fragment, empty parameters and a lone question mark', () => {
    expect(canonicalTarget('/p?#top')).toBe('/p');
    expect(canonicalTarget('/p?&b=1&&a=2&')).toBe('/p?a=2&b=1');
  });
});
