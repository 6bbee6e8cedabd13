import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { RequestHandler } from 'express';
import { afterEach, expect, test } from 'vitest';
import { ask } from './support/ask.js';
import { buy, charging, raw, VERSIONS } from './support/buying.js';
import { eventually, FIXED, sell, type World, type WorldOptions } from './support/world.js';

/** Settled before anything is released: what is sent in place of a response, and how much of one may wait. */

let world: World;
afterEach(() => world.close());

const SETTLE_FIRST: WorldOptions = { sells: { ...FIXED, settle: 'before-release' } };

test.each(VERSIONS)(
  '%s: what is answered instead is whole, names the settlement, and the connection goes on',
  async (_name, http2) => {
    world = await sell(
      charging(async (_req, res) => {
        res.set('X-Secret', 'worth money').write('worth ');
        await wait(5);
        res.end('money');
      }),
      { ...SETTLE_FIRST, http2, before: [(_req, res, next) => (res.set('X-Request-Id', 'r1'), next())] },
    );
    for (const [outcome, status] of [
      ['refused', 402],
      ['unknown', 503],
    ] as const) {
      world.ledger.rows.clear();
      world.settleNow = () => Promise.resolve(outcome);
      const answer = await buy(world, http2);
      expect([answer.status, answer.whole, answer.headers['x-secret']]).toEqual([status, true, undefined]);
      expect(answer.headers).toMatchObject({
        'content-type': 'application/problem+json',
        'settlement-id': world.ledger.only().session.id,
        'x-request-id': 'r1',
      });
      expect(JSON.parse(answer.body.toString())).toMatchObject({ status, request_id: 'r1' });
    }
  },
);

test.each(VERSIONS)(
  '%s: whoever looks at a replaced answer later, as access logs do, sees what was sent',
  async (...version) => {
    const [, http2] = version;
    const seen: unknown[] = [];
    const log: RequestHandler = (_req, res, next) => {
      res.once('close', () => seen.push([res.statusCode, res.headersSent, { ...res.getHeaders() }]));
      next();
    };
    world = await sell(
      charging((_req, res) => res.status(201).set('X-Secret', 'worth money').send('worth money')),
      { ...SETTLE_FIRST, http2, before: [log] },
    );
    world.settleNow = () => Promise.resolve('refused');
    const { headers } = await buy(world, http2);
    // The first was the 402.
    await eventually(() => seen.length === 2);
    const { 'settlement-id': id, 'content-length': length } = headers;
    expect(seen[1]).toEqual([
      402,
      true,
      expect.objectContaining({ 'settlement-id': id, 'content-length': Number(length) }),
    ]);
    expect(JSON.stringify(seen[1])).not.toContain('worth money');
  },
);

test('the next request on the connection of a replaced answer is served', async () => {
  world = await sell(
    charging((_req, res) => res.json({ worth: 'money' })),
    SETTLE_FIRST,
  );
  const request = async () => {
    const { headers } = await world.credential();
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return `GET /paid HTTP/1.1\r\nHost: ${new URL(world.url).host}\r\n${lines.join('')}\r\n`;
  };
  const { socket, text } = raw(world.url);
  world.settleNow = () => Promise.resolve('refused');
  socket.write(await request());
  await eventually(() => text().includes('payment_refused'));
  world.settleNow = () => Promise.resolve('settled');
  socket.write(await request());
  await eventually(() => text().includes('{"worth":"money"}'));
  expect(text().match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 402', 'HTTP/1.1 200']);
  socket.destroy();
});

test('an answer sent instead on a connection that has had all its requests says that it is the last', async () => {
  const limit: RequestHandler = (req, _res, next) => {
    (req.socket as Socket & { server: Server }).server.maxRequestsPerSocket = 2;
    next();
  };
  world = await sell(
    charging((_req, res) => res.json({ worth: 'money' })),
    { ...SETTLE_FIRST, before: [limit] },
  );
  world.settleNow = () => Promise.resolve('unknown');
  await ask(world.url);
  const { socket, text } = raw(world.url);
  for (const [nth, says] of ['keep-alive', 'close'].entries()) {
    const { headers } = await world.credential();
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET /paid HTTP/1.1\r\nHost: ${new URL(world.url).host}\r\n${lines.join('')}\r\n`);
    await eventually(() => text().split('payment_unknown').length === nth + 2);
    expect(
      text()
        .match(/^connection: .*$/gim)
        ?.at(-1),
    ).toBe(`Connection: ${says}`);
  }
  socket.destroy();
});

test.each(VERSIONS)(
  '%s: a response past the bound is a 500 for its client, an error for its handler, and free',
  async (_name, http2) => {
    const heard: string[] = [];
    world = await sell(
      charging(async (_req, res) => {
        res.on('error', (error) => heard.push(error.message));
        for (let piece = 0; piece < 100 && !res.destroyed; piece += 1) {
          res.write(Buffer.alloc(1_000, 'x'));
          await wait(1);
        }
        res.end();
      }),
      { sells: { ...FIXED, settle: 'before-release', settleFirstBuffer: '16KiB' }, http2 },
    );
    world.settleNow = () => Promise.reject(new Error('nothing is to be settled'));
    const answer = await buy(world, http2);
    expect([answer.status, answer.whole, JSON.parse(answer.body.toString()).code]).toEqual([
      500,
      true,
      'response_too_large',
    ]);
    expect(world.ledger.only()).toMatchObject({ status: 'released', spent: 0n });
    await eventually(() => heard.length > 0);
    expect(heard[0]).toContain('settleFirstBuffer');
    expect(world.logged.join()).toContain('too large to be settled first');
  },
);

test('exactly the bound may wait, head and all, and one byte more may not', async () => {
  const serve = (bytes: number) =>
    sell(
      charging((_req, res) => res.send(Buffer.alloc(bytes))),
      {
        sells: { ...FIXED, settle: 'before-release', settleFirstBuffer: 20_000 },
      },
    );
  world = await serve(19_000);
  expect((await buy(world, false)).status).toBe(200);
  await world.close();
  world = await serve(20_001);
  expect([(await buy(world, false)).status, world.ledger.only().status]).toEqual([500, 'released']);
});

test.each(VERSIONS)('%s: the bound counts bytes, also of texts whose characters take several', async (_name, http2) => {
  const serve = (text: string, encoding?: BufferEncoding) =>
    sell(
      charging((_req, res) => {
        res.setHeader('Content-Type', 'text/plain; charset=utf-8');
        // In pieces, so that what waits already is counted in bytes too.
        for (let at = 0; at < text.length; at += 1_000) res.write(text.slice(at, at + 1_000), encoding ?? 'utf8');
        res.end();
      }),
      { sells: { ...FIXED, settle: 'before-release', settleFirstBuffer: 30_000 }, http2 },
    );
  // 27,000 characters of three bytes each; 9,000 of them are 27,000 bytes.
  world = await serve('€'.repeat(27_000));
  expect([(await buy(world, http2)).status, world.ledger.only().status]).toEqual([500, 'released']);
  await world.close();
  world = await serve('€'.repeat(9_000));
  const fits = await buy(world, http2);
  expect([fits.status, fits.body.toString()]).toEqual([200, '€'.repeat(9_000)]);
  await world.close();
  // Two characters of hex are one byte.
  world = await serve('ab'.repeat(27_000), 'hex');
  expect([(await buy(world, http2)).status, world.ledger.only().status]).toEqual([200, 'pending']);
});

test('what was released is not held back, however large', async () => {
  world = await sell(async (req, res) => {
    req.paymentSession?.release();
    for (let piece = 0; piece < 40; piece += 1) if (!res.write(Buffer.alloc(64_000))) await once(res, 'drain');
    res.end();
  }, SETTLE_FIRST);
  expect((await buy(world, false)).body).toHaveLength(40 * 64_000);
});

test('what layers before the paid route set as a list stays a list in an answer that is sent instead', async () => {
  world = await sell(
    charging((_req, res) => res.send('sold')),
    {
      ...SETTLE_FIRST,
      before: [(_req, res, next) => (res.set('Set-Cookie', ['a=1', 'b=2']), next())],
    },
  );
  world.settleNow = () => Promise.resolve('refused');
  expect((await world.buy()).headers.getSetCookie()).toEqual(['a=1', 'b=2']);
});
