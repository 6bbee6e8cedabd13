// Middleware takes methods off the response.
/* oxlint-disable typescript/unbound-method */
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Express, RequestHandler } from 'express';
import { afterEach, expect, test } from 'vitest';
import { ask } from './support/ask.js';
import { buy, charging, raw, VERSIONS } from './support/buying.js';
import { eventually, type Handler, METERED, nothing, sell, type World } from './support/world.js';

/** What the matrix of handlers does not show: the response as its handler and its connection see it. */

let world: World;
afterEach(() => world.close());

const settleDown = async () => {
  for (let turn = 0; turn < 300; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

test.each(VERSIONS)(
  '%s: while its charge is not durable a response looks to its handler like one to a slow client',
  async (_name, http2) => {
    let seen: unknown[] = [];
    let drained = false;
    world = await sell(
      charging((_req, res) => {
        const before = [res.headersSent, res.writableEnded, res.writableLength];
        const more = res.write('x'.repeat(100_000));
        res.once('drain', () => {
          drained = true;
          res.end();
        });
        seen = [before, more, res.headersSent, res.writableEnded, res.writableLength >= 100_000, res.writableFinished];
        expect(() => res.setHeader('X-Late', '1')).toThrow();
        expect(() => res.writeHead(200)).toThrow();
      }),
      { http2 },
    );
    const release = world.ledger.hold();
    const answer = buy(world, http2);
    await eventually(() => world.ledger.commits.length === 1);
    await settleDown();
    expect([seen, drained]).toEqual([[[false, false, 0], false, true, false, true, false], false]);
    release();
    expect((await answer).body).toHaveLength(100_000);
    expect([drained, world.ledger.only().status]).toEqual([true, 'pending']);
  },
);

test.each(VERSIONS)(
  '%s: nothing of what is sold whole leaves before its charge is durable, and then it flows with back-pressure',
  async (_name, http2) => {
    let mostWaiting = 0;
    world = await sell(
      charging(async (_req, res) => {
        for (let piece = 0; piece < 64; piece += 1) {
          if (!res.write(Buffer.alloc(64_000, 'x'))) await once(res, 'drain');
          mostWaiting = Math.max(mostWaiting, res.writableLength);
        }
        res.end();
      }),
      { http2 },
    );
    const answer = await buy(world, http2);
    expect([answer.body.length, answer.whole]).toEqual([64 * 64_000, true]);
    expect(mostWaiting).toBeLessThan(1_000_000);
    // One commit: the charge cannot grow, so the session is closed before the first byte.
    expect(world.ledger.commits.flat().map((change) => change.kind)).toEqual(['close']);
    await eventually(() => world.ledger.only().delivery === 'delivered');
  },
);

test.each(VERSIONS)(
  '%s: callbacks of writes and of the end, and the events of a response, come once and in order',
  async (_name, http2) => {
    const told: string[] = [];
    world = await sell(
      charging((_req, res) => {
        for (const event of ['finish', 'close'] as const) res.on(event, () => told.push(event));
        res.write('one', () => told.push('written'));
        res.end('two', () => told.push('ended'));
      }),
      { http2 },
    );
    const release = world.ledger.hold();
    const answer = buy(world, http2);
    await eventually(() => world.ledger.commits.length === 1);
    await settleDown();
    expect(told).toEqual([]);
    release();
    expect((await answer).body.toString()).toBe('onetwo');
    await eventually(() => told.includes('close'));
    expect(told[0]).toBe('written');
    expect([...told].sort()).toEqual(['close', 'ended', 'finish', 'written']);
  },
);

test('corked writes arrive in order whenever their charge becomes durable', async () => {
  world = await sell(
    charging(async (_req, res) => {
      res.write('a');
      res.cork();
      res.write('b');
      await wait(20);
      res.write('c');
      res.uncork();
      res.end('d');
    }),
  );
  expect((await buy(world, false)).body.toString()).toBe('abcd');
});

test.each([
  ['where Express has set a header before', (): void => {}],
  ['where nobody has', (app: Express): unknown => app.disable('x-powered-by')],
] as const)('every form of writeHead arrives as without us, %s', async (_name, prepare) => {
  const forms: Handler[] = [
    (_req, res) => res.writeHead(201).end('x') as never,
    (_req, res) => res.writeHead(201, 'Made').end('x') as never,
    (_req, res) => res.writeHead(201, { 'X-One': '1' }).end('x') as never,
    (_req, res) => res.writeHead(201, ['X-One', '1', 'X-Two', '2'] as never).end('x') as never,
    (_req, res) =>
      res.writeHead(201, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Vary', 'Accept'] as never).end('x') as never,
    (_req, res) => (res.flushHeaders(), res.end('x')) as never,
  ];
  const serve: Handler = (req, res) => forms[Number(req.query.form)]?.(req, res) as never;
  world = await sell(charging(serve), {
    mount: (app) => {
      prepare(app);
      app.get('/free', serve);
    },
  });
  for (const form of forms.keys()) {
    const paid = await buy(world, false, `/paid?form=${form}`);
    const unpaid = await ask(`${world.url}/free?form=${form}`);
    const { vary: _vary, 'cache-control': _cache, 'settlement-id': _id, date: _date, ...rest } = paid.headers;
    const { date: _unpaid, vary: _accept, ...expected } = unpaid.headers;
    expect([paid.status, rest, paid.body]).toEqual([unpaid.status, expected, unpaid.body]);
  }
});

test('responses that a client pipelines arrive in its order, however late their charges become durable', async () => {
  world = await sell(
    charging((req, res) => {
      res.write(`<${Number(req.query.n)}>`);
      res.end('.');
    }),
  );
  const paths = ['/paid?n=1', '/paid?n=2', '/paid?n=3'];
  const requests = await Promise.all(
    paths.map(async (path) => {
      const { headers } = await world.credential({}, path);
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      return `GET ${path} HTTP/1.1\r\nHost: ${new URL(world.url).host}\r\n${lines.join('')}\r\n`;
    }),
  );
  const release = world.ledger.hold();
  const { socket, text } = raw(world.url);
  socket.write(requests.join(''));
  await eventually(() => world.ledger.commits.length > 0);
  release();
  await eventually(() => text().includes('<3>'));
  expect(text().match(/<\d>/g)).toEqual(['<1>', '<2>', '<3>']);
  await eventually(() => [...world.ledger.rows.values()].every((row) => row.delivery === 'delivered'));
  socket.destroy();
});

/** express-session and its like: they hold the end back until something of their own is done. */
const endsLater: RequestHandler = (_req, res, next) => {
  const { end } = res;
  res.end = function late(this: typeof res, ...args: unknown[]) {
    setTimeout(() => Reflect.apply(end, res, args), 10);
    return this;
  } as typeof res.end;
  next();
};

test.each(VERSIONS)(
  '%s: a layer that sends the end later changes nothing, before the paid route and after it',
  async (_name, http2) => {
    for (const where of ['before', 'after'] as const) {
      world = await sell(
        charging((req, res) => res.status(Number(req.query.status)).json({ sold: true })),
        { [where]: [endsLater], http2 },
      );
      expect((await buy(world, http2, '/paid?status=200')).body.toString()).toBe('{"sold":true}');
      expect(world.ledger.only()).toMatchObject({ status: 'pending', spent: 10_000n });
      world.ledger.rows.clear();
      expect((await buy(world, http2, '/paid?status=404')).status).toBe(404);
      expect(world.ledger.only().status).toBe('released');
      if (where === 'before') await world.close();
    }
  },
);

test('a body in its own encoding has left with the head, and is billed when its client goes', async () => {
  world = await sell(
    async (req, res) => {
      req.paymentSession?.charge('1000');
      res.setHeader('Content-Length', '1000');
      res.write('6869', 'hex');
      await new Promise((resolve) => res.once('close', resolve));
    },
    { sells: METERED },
  );
  const { headers } = await world.credential({}, '/paid');
  const leaving = new AbortController();
  const answer = await fetch(`${world.url}/paid`, { headers, signal: leaving.signal });
  expect((await answer.body?.getReader().read())?.value).toHaveLength(2);
  leaving.abort();
  await eventually(() => world.ledger.only().status === 'pending');
  expect(world.ledger.only().spent).toBe(1_000n);
});

test('over HTTP/2 nothing can be sent beside the response, where no charge would hold it', async () => {
  const thrown: string[] = [];
  world = await sell(
    (_req, res) => {
      const { stream } = res as unknown as { stream: Record<string, (...args: unknown[]) => void> };
      for (const name of ['respondWithFile', 'respondWithFD', 'pushStream']) {
        try {
          stream[name]?.(import.meta.filename);
        } catch (error) {
          thrown.push((error as Error).message);
        }
      }
      res.end();
    },
    { http2: true },
  );
  await buy(world, true);
  expect(thrown).toHaveLength(3);
});

test('a client that leaves while a download that is paid for flows is billed, and the row says aborted', async () => {
  let more: () => void = nothing;
  world = await sell(
    charging((_req, res) => {
      more = () => res.write(Buffer.alloc(64_000));
      res.write('first');
    }),
  );
  const { headers } = await world.credential();
  const leaving = new AbortController();
  const asked = ask(`${world.url}/paid`, { headers, signal: leaving.signal });
  await eventually(() => world.ledger.rows.size === 1 && world.ledger.only().status === 'pending');
  more();
  leaving.abort();
  await asked;
  await eventually(() => world.ledger.only().delivery === 'aborted');
  expect(world.ledger.only()).toMatchObject({ status: 'pending', spent: 10_000n });
});

test('what a stream wrote before it charged was free, and what follows a charge waits for it', async () => {
  let go: () => void = nothing;
  world = await sell(
    (req, res) => {
      res.write('working… ');
      go = () => {
        req.paymentSession?.charge('20000');
        res.write('the ');
        res.end('result');
      };
    },
    { sells: METERED },
  );
  const { headers } = await world.credential({ protocol: 'atxp' });
  let arrived = '';
  const answer = ask(`${world.url}/paid`, { headers, onBytes: (bytes) => (arrived += bytes.toString()) });
  await eventually(() => arrived === 'working… ');
  expect(world.ledger.commits).toHaveLength(0);
  const release = world.ledger.hold();
  go();
  await eventually(() => world.ledger.commits.length === 1);
  await settleDown();
  expect(arrived).toBe('working… ');
  release();
  expect((await answer).body.toString()).toBe('working… the result');
  expect(world.ledger.only()).toMatchObject({ status: 'pending', spent: 20_000n });
});

test('one TLS port sells over HTTP/2 and HTTP/1.1 alike', async () => {
  world = await sell(
    charging(async (_req, res) => {
      for (let piece = 0; piece < 20; piece += 1) if (!res.write(Buffer.alloc(64_000))) await once(res, 'drain');
      res.end();
    }),
    { http2: 'tls' },
  );
  for (const http2 of [true, false]) {
    world.ledger.rows.clear();
    const answer = await buy(world, http2);
    expect([answer.status, answer.whole, answer.body.length]).toEqual([200, true, 20 * 64_000]);
    expect(world.ledger.only()).toMatchObject({ status: 'pending', spent: 10_000n });
  }
});
