import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSessionFetch } from '../../../src/client.js';
import { challengeHeader, PAYER, request, stubChain } from '../../support/sessions/session-world.js';

const chain = stubChain();
const servers: Server[] = [];
let app: Express;
let other: string;
let origin: string;
/** Requests that carried a payment. */
let paid: string[];

async function serve(routes: Express): Promise<string> {
  const server = createServer(routes).listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Serves whoever pays, asks everybody else, and says what body came. */
function shop(): Express {
  const routes = express();
  routes.use(express.text({ type: () => true }), (req, res, next) => {
    if (req.headers.authorization?.startsWith('Payment ') !== true) return next();
    paid.push(`${req.method} ${req.headers.host === new URL(origin).host ? 'here' : 'there'} ${req.path}`);
    if (req.path === '/paid-redirect') return res.redirect(307, `${other}/landed`);
    return res.send(`served ${String(req.body)}`);
  });
  routes.all('/elsewhere', (_req, res) => res.redirect(307, `${other}/paid`));
  routes.all('/moved', (_req, res) => res.redirect(307, '/paid'));
  routes.use((_req, res) => void res.status(402).set('WWW-Authenticate', challengeHeader(request())).end());
  return routes;
}

beforeEach(async () => {
  paid = [];
  app = shop();
  origin = await serve(app);
  other = await serve(shop());
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

const client = (fetch?: typeof globalThis.fetch) =>
  createSessionFetch({ account: PAYER, getClient: () => chain.client, maxDeposit: 5000n, fetch });

describe('a payment', () => {
  it('goes to the address that asked for it', async () => {
    expect(await (await client()(`${origin}/paid`)).text()).toMatch(/^served/);
    expect(paid).toEqual(['GET here /paid']);
  });

  it('never follows a redirect to another origin', async () => {
    await expect(client()(`${origin}/elsewhere`)).rejects.toMatchObject({ code: 'redirect_refused' });
    expect(paid).toEqual([]);
  });

  it('of a plain read goes where its own origin redirected it', async () => {
    expect((await client()(`${origin}/moved`)).status).toBe(200);
    expect((await client()(new Request(`${origin}/moved`))).status).toBe(200);
    expect(paid).toEqual(['GET here /paid', 'GET here /paid']);
  });

  it('of anything else is not made after a redirect', async () => {
    const posting = client()(`${origin}/moved`, { method: 'POST', body: 'x' });
    await expect(posting).rejects.toMatchObject({ code: 'redirect_refused' });
    expect(paid).toEqual([]);
  });

  it('is not carried on by a redirect of the paid answer: it is handed over as it is', async () => {
    const response = await client()(`${origin}/paid-redirect`);
    expect([response.status, response.headers.get('Location')]).toEqual([307, `${other}/landed`]);
    expect(paid).toEqual(['GET here /paid-redirect']);
  });

  it('takes no redirect at all where its caller wants none', async () => {
    await expect(client()(`${origin}/paid-redirect`, { redirect: 'error' })).rejects.toThrow('fetch failed');
    expect(paid).toEqual(['GET here /paid-redirect']);
  });

  it.each(['http://shop.test/', 'http://127.0.0.1.shop.test/', 'http://localhost.shop.test/', 'ftp://localhost/'])(
    'is never sent to %s',
    async (address) => {
      const sent: boolean[] = [];
      const pays = client(async (_input, init) => {
        sent.push(new Headers(init?.headers).has('Authorization'));
        return new Response('', { status: 402, headers: { 'WWW-Authenticate': challengeHeader(request()) } });
      });
      await expect(pays(address)).rejects.toMatchObject({ code: 'insecure_target' });
      expect(sent).toEqual([false]);
    },
  );

  it.each(['https://shop.test/', 'http://localhost:1/', 'http://a.localhost/', 'http://[::1]:1/', 'http://127.9.9.9/'])(
    'may be sent to %s',
    async (address) => {
      const pays = client(async (_input, init) =>
        new Headers(init?.headers).has('Authorization')
          ? new Response('served')
          : new Response('', { status: 402, headers: { 'WWW-Authenticate': challengeHeader(request()) } }),
      );
      expect(await (await pays(address)).text()).toBe('served');
    },
  );

  it('stands in the header that the challenge names, beside the caller’s own', async () => {
    const seen: Headers[] = [];
    const header = challengeHeader(request(), { header: 'Payment-Authorization' });
    const pays = client(async (_input, init) => {
      seen.push(new Headers(init?.headers));
      const served = seen.length > 1;
      return served
        ? new Response('served')
        : new Response('', { status: 402, headers: { 'WWW-Authenticate': header } });
    });
    await pays('https://shop.test/', { headers: { Authorization: 'Bearer x', 'X-Mine': 'y' } });
    expect(seen[1]?.get('Authorization')).toBe('Bearer x');
    expect(seen[1]?.get('X-Mine')).toBe('y');
    expect(seen[1]?.get('Payment-Authorization')).toMatch(/^Payment /);
  });
});

describe('a body', () => {
  const bytes = new TextEncoder().encode('hello');
  it.each<[string, () => RequestInit]>([
    ['text', () => ({ body: 'hello' })],
    ['bytes', () => ({ body: bytes })],
    ['a buffer', () => ({ body: bytes.buffer })],
    ['a blob', () => ({ body: new Blob(['hello']) })],
    ['a form', () => ({ body: new URLSearchParams({ hello: '' }) })],
  ])('of %s is sent again with the payment', async (_what, init) => {
    const response = await client()(`${origin}/paid`, { method: 'POST', ...init() });
    expect(await response.text()).toMatch(/^served hello/);
    expect(paid).toEqual(['POST here /paid']);
  });

  it('of a Request is sent again, also where it was made of a stream', async () => {
    const text = new Request(`${origin}/paid`, { method: 'POST', body: 'hello' });
    expect(await (await client()(text)).text()).toBe('served hello');
    const body = new Blob(['hello']).stream();
    const stream = new Request(`${origin}/paid`, { method: 'POST', body, duplex: 'half' });
    expect(await (await client()(stream)).text()).toBe('served hello');
  });

  it.each<[string, () => unknown]>([
    ['stream', () => new Blob(['hello']).stream()],
    [
      'generator',
      async function* () {
        yield bytes;
      },
    ],
  ])('that is a %s is used up by the first request: nothing is signed', async (_what, made) => {
    const value = made();
    const body = (typeof value === 'function' ? value() : value) as ReadableStream;
    const posting = client()(`${origin}/paid`, { method: 'POST', body, duplex: 'half' });
    await expect(posting).rejects.toMatchObject({ code: 'body_not_replayable' });
    expect(paid).toEqual([]);
  });
});
