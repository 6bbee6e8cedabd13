import { type EventEmitter, once } from 'node:events';
import type { Server } from 'node:http';
import type { ErrorRequestHandler } from 'express';
import { afterEach, describe, expect, test } from 'vitest';
import { ask } from './support/ask.js';
import { charging, raw, VERSIONS } from './support/buying.js';
import {
  eventually,
  FIXED,
  type Handler,
  METERED,
  nothing,
  sell,
  type World,
  type WorldOptions,
} from './support/world.js';

/** What was charged for bytes that never left is not billed. */

let world: World;
afterEach(() => world.close());

const STREAM = { ...METERED, streamed: true };
const FIRST = { ...FIXED, settle: 'before-release' } as const;
const toExpress: ErrorRequestHandler = (error, _req, _res, next) => next(error);
const report: Handler = (_req, res) => void res.json({ report: 'x' });

const PROTOCOL = (sells: WorldOptions['sells']) => (sells?.price === undefined ? 'atxp' : 'x402');

/** Until its commit is held, and its client has left. */
async function leaveDuringCommit(sells: WorldOptions['sells'], http2: boolean): Promise<() => void> {
  const { headers } = await world.credential({ protocol: PROTOCOL(sells) });
  const release = world.ledger.hold();
  const leaving = new AbortController();
  const asking = ask(`${world.url}/paid`, { headers, http2, signal: leaving.signal });
  await eventually(() => world.ledger.commits.length > 0);
  leaving.abort();
  expect((await asking).body).toHaveLength(0);
  // A second request shows that the server has heard of the end of the first.
  await ask(`${world.url}/nothing`, { http2 });
  await ask(`${world.url}/nothing`, { http2 });
  return release;
}

describe.each(VERSIONS)('%s, a client that leaves while its charge is committed', (_name, http2) => {
  test.each([
    ['price', FIXED],
    ['cap', METERED],
    ['streamed', STREAM],
    ['before-release', FIRST],
  ] as const)('%s: is not billed, and has used up one of its free answers', async (_route, sells) => {
    world = await sell(charging(report), { sells, http2 });
    world.settleNow = () => Promise.reject(new Error('nothing is to be settled'));
    const release = await leaveDuringCommit(sells, http2);
    release();
    await eventually(() => world.ledger.only().status === 'released');
    expect(world.ledger.only()).toMatchObject({ spent: 0n, body: null, delivery: null, releasedBy: 'client_left' });
    expect(world.dispatched).toEqual([]);
  });

  test('is billed where a worker has claimed the charge meanwhile, and the row says aborted', async () => {
    world = await sell(charging(report), { http2 });
    const release = await leaveDuringCommit(FIXED, http2);
    world.ledger.claimed = true;
    release();
    await eventually(() => world.ledger.only().delivery === 'aborted');
    expect(world.ledger.only()).toMatchObject({ status: 'pending', spent: 10_000n });
    expect(world.dispatched).toHaveLength(1);
  });

  test('is billed where the ledger does not say whether it was taken back', async () => {
    world = await sell(charging(report), { http2 });
    const release = await leaveDuringCommit(FIXED, http2);
    world.ledger.takeBackClose = () => Promise.reject(new Error('connection lost'));
    release();
    await eventually(() => world.dispatched.length === 1);
    expect(world.ledger.only()).toMatchObject({ status: 'pending', spent: 10_000n });
  });

  test('at a checkpoint pays nothing where nothing was let go', async () => {
    world = await sell(
      async (req, res) => {
        req.paymentSession?.charge(50_000n);
        res.write('worth five cents');
        await once(res, 'close');
      },
      { sells: STREAM, http2 },
    );
    const release = await leaveDuringCommit(STREAM, http2);
    release();
    await eventually(() => world.ledger.only().status === 'released');
    expect(world.ledger.only()).toMatchObject({ spent: 0n, releasedBy: 'client_left' });
  });

  test('pays for what was let go, and not for what its handler did while the ledger was slow', async () => {
    let left = false;
    world = await sell(
      async (req, res) => {
        res.once('close', () => {
          left = true;
        });
        for (let at = 0; at < 40; at += 1) {
          req.paymentSession?.charge(2_000n);
          res.write(`data: ${at}\n\n`);
          await new Promise(setImmediate);
        }
        await once(res, 'close');
      },
      { sells: STREAM, http2 },
    );
    const { headers } = await world.credential({ protocol: 'atxp' });
    const release = world.ledger.hold();
    const leaving = new AbortController();
    let text = '';
    const asking = ask(`${world.url}/paid`, {
      headers,
      http2,
      signal: leaving.signal,
      onBytes: (bytes) => {
        text += bytes.toString();
      },
    });
    await eventually(() => text.includes('data: 4'));
    leaving.abort();
    await asking;
    await eventually(() => left);
    release();
    await eventually(() => world.ledger.only().status === 'pending');
    expect([text.match(/data:/g)?.length, world.ledger.only().spent]).toEqual([5, 10_000n]);
    expect(world.ledger.only().body).toContain('0.01');
  });

  test('before the end of a stream pays for what was let go of it', async () => {
    world = await sell(
      async (req, res) => {
        req.paymentSession?.charge(3_000n);
        res.write('three');
        await once(req, 'more');
        req.paymentSession?.charge(2_000n);
        res.end('two more');
      },
      { sells: STREAM, http2, after: [(req, _res, next) => (requests.push(req), next())] },
    );
    const requests: EventEmitter[] = [];
    const { headers } = await world.credential({ protocol: 'atxp' });
    const leaving = new AbortController();
    let text = '';
    const asking = ask(`${world.url}/paid`, {
      headers,
      http2,
      signal: leaving.signal,
      onBytes: (bytes) => {
        text += bytes.toString();
      },
    });
    await eventually(() => text !== '');
    const release = world.ledger.hold();
    requests[0]?.emit('more');
    await eventually(() => world.ledger.commits.length > 0);
    leaving.abort();
    await asking;
    expect(text).toBe('three');
    await ask(`${world.url}/nothing`, { http2 });
    await ask(`${world.url}/nothing`, { http2 });
    release();
    await eventually(() => world.ledger.only().delivery === 'aborted');
    expect(world.ledger.only()).toMatchObject({ status: 'pending', spent: 3_000n, releasedBy: null });
    expect(world.dispatched).toHaveLength(1);
  });
});

describe.each(VERSIONS)('%s, a handler that writes and fails while nothing has left', (_name, http2) => {
  test.each([
    ['price', FIXED],
    ['streamed', STREAM],
    ['before-release', FIRST],
  ] as const)('%s: costs nothing, and is no free answer of its payer', async (_route, sells) => {
    world = await sell(
      (req, res) => {
        req.paymentSession?.charge(req.paymentSession.cap);
        res.write('the first part');
        throw new Error('broken');
      },
      { sells, http2, onError: toExpress },
    );
    const { headers } = await world.credential({ protocol: PROTOCOL(sells) });
    const release = world.ledger.hold();
    expect(await ask(`${world.url}/paid`, { headers, http2 })).toMatchObject({ status: 0, whole: false });
    release();
    await eventually(() => world.ledger.only().status === 'released');
    expect(world.ledger.only()).toMatchObject({ spent: 0n, releasedBy: null });
    expect(world.dispatched).toEqual([]);
  });
});

test.each(VERSIONS)('%s: the answer of a handler that fails after it arrives, and is billed', async (_name, http2) => {
  let failed = false;
  world = await sell(
    charging(async (_req, res) => {
      res.json({ report: 'x' });
      await Promise.resolve();
      throw new Error('after the answer');
    }),
    {
      http2,
      onError: (error, _req, _res, next) => {
        failed = true;
        next(error);
      },
    },
  );
  const { headers } = await world.credential();
  const release = world.ledger.hold();
  const asking = ask(`${world.url}/paid`, {
    headers: { ...headers, ...(!http2 && { connection: 'keep-alive' }) },
    http2,
  });
  await eventually(() => failed && world.ledger.commits.length > 0);
  // Express gives its connection up in a later turn.
  await ask(`${world.url}/nothing`, { http2 });
  release();
  expect(await asking).toMatchObject({ status: 200, whole: true });
  await eventually(() => world.ledger.only().delivery === 'delivered');
  expect(world.ledger.only()).toMatchObject({ status: 'pending', spent: 10_000n });
});

test('server.closeAllConnections() cuts an answer that is held, and it costs nothing', async () => {
  let server: Server | undefined;
  world = await sell(
    charging((req, res) => {
      server = (req.socket as unknown as { readonly server: Server }).server;
      res.json({ report: 'x' });
    }),
  );
  const { headers } = await world.credential();
  const release = world.ledger.hold();
  const asking = ask(`${world.url}/paid`, { headers });
  await eventually(() => world.ledger.commits.length > 0);
  server?.closeAllConnections();
  expect(await asking).toMatchObject({ status: 0, whole: false });
  release();
  await eventually(() => world.ledger.only().status === 'released');
  expect(world.ledger.only()).toMatchObject({ spent: 0n, releasedBy: null });
});

test.each(VERSIONS)('%s: what went to the socket is billed, however fast its client hangs up', async (_name, http2) => {
  world = await sell(
    charging((_req, res) => void res.write('all of it')),
    { http2 },
  );
  const { headers } = await world.credential();
  const leaving = new AbortController();
  await ask(`${world.url}/paid`, { headers, http2, signal: leaving.signal, onFirstByte: () => leaving.abort() });
  await eventually(() => world.ledger.only().delivery === 'aborted');
  expect(world.ledger.only()).toMatchObject({ status: 'pending', spent: 10_000n });
});

test('a pipelined response whose client is gone after its close and before its turn is not billed', async () => {
  world = await sell(charging(report), { mount: (app) => app.get('/slow', nothing) });
  const { headers } = await world.credential();
  const { socket } = raw(world.url);
  const host = new URL(world.url).host;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(
    `GET /slow HTTP/1.1\r\nHost: ${host}\r\n\r\nGET /paid HTTP/1.1\r\nHost: ${host}\r\n${lines.join('')}\r\n`,
  );
  await eventually(() => world.ledger.rows.size === 1 && world.ledger.only().status === 'pending');
  expect(world.dispatched).toEqual([]);
  socket.destroy();
  await eventually(() => world.ledger.only().status === 'released');
  expect(world.ledger.only()).toMatchObject({ spent: 0n, releasedBy: 'client_left' });
  expect(world.dispatched).toEqual([]);
});

test('a response past the longest its route may take costs what was let go of it', async () => {
  let more: () => void = nothing;
  world = await sell(
    (req, res) => {
      req.paymentSession?.charge(3_000n);
      res.write('three');
      more = () => {
        req.paymentSession?.charge(20_000n);
        res.write('too much to run ahead');
      };
    },
    { sells: { ...STREAM, longest: '300ms' } },
  );
  const { headers } = await world.credential({ protocol: 'atxp' });
  const release = world.ledger.hold();
  const answer = await ask(`${world.url}/paid`, { headers, onFirstByte: () => more() });
  expect(answer.body.toString()).toBe('three');
  release();
  await eventually(() => world.ledger.only().status === 'pending');
  expect(world.ledger.only()).toMatchObject({ spent: 3_000n, releasedBy: null });
});
