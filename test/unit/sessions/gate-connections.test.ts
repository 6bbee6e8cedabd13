import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Request, Response } from 'express';
import { afterEach, expect, test } from 'vitest';
import { ask } from './support/ask.js';
import { buy, charging, raw, VERSIONS } from './support/buying.js';
import { eventually, FIXED, METERED, sell, type World, type WorldOptions } from './support/world.js';

/** What becomes of a response that is held back when its connection is closed, broken, or used by another one first. */

let world: World;
afterEach(() => world.close());

const FIRST: WorldOptions = { sells: { ...FIXED, settle: 'before-release' } };
const serverOf = (req: Request) => (req.socket as unknown as { readonly server: Server }).server;
const KEEP = { connection: 'keep-alive' };

function textOf(path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\nHost: ${new URL(world.url).host}\r\n${lines.join('')}\r\n`;
}

test('server.close() does not take a response that waits for its commit for an idle connection', async () => {
  let server: Server | undefined;
  world = await sell(
    charging((req, res) => {
      server = serverOf(req);
      res.json({ report: 'x' });
    }),
  );
  const { headers } = await world.credential();
  const release = world.ledger.hold();
  const asking = ask(`${world.url}/paid`, { headers: { ...headers, ...KEEP } });
  await eventually(() => world.ledger.commits.length > 0);
  server?.close();
  release();
  expect(await asking).toMatchObject({ status: 200, whole: true });
  expect(world.ledger.only().spent).toBe(10_000n);
});

test('server.close() does not cut a response while its payment is settled', async () => {
  let server: Server | undefined;
  world = await sell(
    charging((req, res) => {
      server = serverOf(req);
      res.json({ report: 'x' });
    }),
    FIRST,
  );
  world.settleNow = async () => {
    server?.close();
    return 'settled';
  };
  const { headers } = await world.credential();
  expect(await ask(`${world.url}/paid`, { headers: { ...headers, ...KEEP } })).toMatchObject({
    status: 200,
    whole: true,
  });
});

test.each(VERSIONS)('%s: whoever left while his payment was settled has the answer later', async (_name, http2) => {
  world = await sell(
    charging((_req, res) => res.json({ report: 'x' })),
    { ...FIRST, http2 },
  );
  const leaving = new AbortController();
  let settled: () => void = () => undefined;
  const settling = new Promise<void>((resolve) => {
    settled = resolve;
  });
  world.settleNow = async () => {
    leaving.abort();
    await settling;
    return 'settled';
  };
  const { headers } = await world.credential();
  await ask(`${world.url}/paid`, { headers, http2, signal: leaving.signal });
  // A second request shows that the server has heard of the end of the first.
  await ask(`${world.url}/nothing`, { http2 });
  settled();
  await eventually(() => world.ledger.only().delivery === 'aborted');
  expect(world.ledger.only().answer).toBe('due');
});

test('whoever left while an answer was given to him, of which nothing left, has it later', async () => {
  let closed = false;
  world = await sell(
    charging((req, res) => {
      req.socket.once('close', () => {
        closed = true;
      });
      res.json({ report: 'x' });
    }),
    FIRST,
  );
  const leaving = new AbortController();
  const give = world.ledger.giveAnswer.bind(world.ledger);
  world.ledger.giveAnswer = async (id, token) => {
    const given = await give(id, token);
    expect(world.ledger.only().answer).toBe('given');
    leaving.abort();
    await eventually(() => closed);
    return given;
  };
  const { headers } = await world.credential();
  await ask(`${world.url}/paid`, { headers, signal: leaving.signal });
  await eventually(() => world.ledger.only().answer === 'due');
});

test('an answer in place of a pipelined response comes in its turn', async () => {
  let first: Response | undefined;
  world = await sell(
    charging((_req, res) => res.json({ report: 'x' })),
    {
      ...FIRST,
      mount: (app) =>
        app.get('/slow', (_req, res) => {
          first = res;
        }),
    },
  );
  world.settleNow = () => Promise.resolve('unknown');
  const { headers } = await world.credential();
  const { socket, text } = raw(world.url);
  socket.write(textOf('/slow', {}) + textOf('/paid', headers));
  await eventually(() => world.dispatched.length === 1);
  first?.end('slow');
  await eventually(() => text().includes('payment_unknown'));
  expect(text().match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 503']);
  socket.destroy();
});

test('a pipelined response whose client is gone before its turn is not billed', async () => {
  let answer: () => void = () => undefined;
  let closed = false;
  world = await sell(
    charging((req, res) => {
      req.socket.once('close', () => {
        closed = true;
      });
      answer = () => res.json({ report: 'x' });
    }),
    { mount: (app) => app.get('/slow', () => undefined) },
  );
  const { headers } = await world.credential();
  const { socket } = raw(world.url);
  socket.write(textOf('/slow', {}) + textOf('/paid', headers));
  await eventually(() => world.ledger.rows.size === 1);
  socket.destroy();
  await eventually(() => closed);
  answer();
  await eventually(() => world.ledger.only().status !== 'open');
  expect(world.ledger.only()).toMatchObject({ status: 'released', spent: 0n });
});

test('a first chunk that Node does not put into one text with the head is billed when it went out', async () => {
  world = await sell(
    async (req, res) => {
      req.paymentSession?.charge('5000');
      res.setHeader('Content-Length', 100_000);
      res.write(Buffer.from('secret of the day').toString('base64'), 'base64');
      await once(res, 'close');
    },
    { sells: { ...METERED, streamed: true } },
  );
  const { headers } = await world.credential({ protocol: 'atxp' });
  const { socket, text } = raw(world.url);
  socket.write(textOf('/paid', headers));
  await eventually(() => text().includes('secret of the day'));
  socket.destroy();
  await eventually(() => world.ledger.only().status !== 'open');
  expect(world.ledger.only().spent).toBe(5_000n);
});

test.each(VERSIONS)('%s: an answer sent instead has one of each header, and none for caches', async (_name, http2) => {
  world = await sell(
    charging((_req, res) => res.json({ report: 'x' })),
    {
      ...FIRST,
      http2,
      before: [
        (_req, res, next) => {
          res.set({ 'Cache-Control': 'public, max-age=60', 'CDN-Cache-Control': 'max-age=600', ETag: '"1"' });
          res.set('Content-Type', 'text/html');
          next();
        },
      ],
    },
  );
  world.settleNow = () => Promise.resolve('unknown');
  const { headers, status, whole } = await buy(world, http2);
  expect([status, whole, headers['cache-control'], headers['content-type']]).toEqual([
    503,
    true,
    'no-store',
    'application/problem+json',
  ]);
  expect([headers['cdn-cache-control'], headers.etag]).toEqual([undefined, undefined]);
});

test('no cache is told to keep a 402, whatever layers before have told one cache alone', async () => {
  world = await sell(
    charging((_req, res) => res.json({ report: 'x' })),
    {
      before: [
        (_req, res, next) => {
          res.set({ 'CDN-Cache-Control': 'max-age=600', 'Surrogate-Control': 'max-age=600' });
          next();
        },
      ],
    },
  );
  const { status, headers } = await ask(`${world.url}/paid`);
  expect([status, headers['cache-control']]).toEqual([402, 'no-store']);
  expect([headers['cdn-cache-control'], headers['surrogate-control']]).toEqual([undefined, undefined]);
});

test('a response that is too large to be settled first, and stricter about its length than it is, is 500', async () => {
  world = await sell(
    charging((_req, res) => {
      res.strictContentLength = true;
      res.setHeader('Content-Length', 5_000_000);
      res.write(Buffer.alloc(2_000_000));
    }),
    FIRST,
  );
  expect(await buy(world, false)).toMatchObject({ status: 500, whole: true });
});
