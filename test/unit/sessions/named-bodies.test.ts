import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { RequestHandler } from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { named } from '../../support/sessions/naming.js';
import { raw } from './support/buying.js';
import { eventually, FIXED, type Handler, sell, type World, type WorldOptions } from './support/world.js';

/** What a payment that names its answer must not change for the application behind the paid route. */

let world: World;
afterEach(() => world.close());

const SELLS = { ...FIXED, protocols: ['x402'] as const };
const open = async (handler: Handler, options: WorldOptions = {}) => {
  world = await sell(handler, { sells: SELLS, ...options });
};
const paying = async () => ({ ...named(await world.credential()).headers }) as Record<string, string>;

const textOf = async (stream: AsyncIterable<unknown>) => {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
};

async function post(write: (request: ReturnType<typeof httpRequest>) => void, more: Record<string, string> = {}) {
  const request = httpRequest(`${world.url}/paid`, { method: 'POST', headers: { ...(await paying()), ...more } });
  write(request);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, headers: answer.headers, text: await textOf(answer) };
}

/** Reads by events, as many an application does. */
const byEvents: Handler = (req, res) => {
  req.paymentSession?.charge('10000');
  let got = '';
  req.on('data', (chunk) => (got += String(chunk)));
  req.on('end', () => res.end(`got:${got}`));
};

describe('a body', () => {
  it('in chunks, of which there are none, ends for its handler too', async () => {
    await open(byEvents);
    const answer = await post((request) => request.end(), { 'Transfer-Encoding': 'chunked' });
    expect(answer.text).toBe('got:');
  });

  it('in chunks, of which there are none, ends also where it ends later', async () => {
    await open(byEvents);
    const { socket, text } = raw(world.url);
    const head = Object.entries(await paying()).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(
      `POST /paid HTTP/1.1\r\nHost: ${new URL(world.url).host}\r\nTransfer-Encoding: chunked\r\n${head.join('')}\r\n`,
    );
    await eventually(() => world.auth.verified.length === 1);
    socket.write('0\r\n\r\n');
    await eventually(() => text().includes('got:'));
    expect(text()).toContain('HTTP/1.1 200');
    socket.destroy();
  });

  it('of HTTP/2 that ends with an empty frame ends for its handler too', async () => {
    await open(byEvents, { http2: true });
    const client = connectHttp2(world.url);
    const stream = client.request({ ':method': 'POST', ':path': '/paid', ...(await paying()) }, { endStream: false });
    stream.end();
    expect(await textOf(stream)).toBe('got:');
    client.close();
  });

  it.each([
    ['HTTP/1.1', false],
    ['HTTP/2', true],
  ])('that goes on while it is answered is answered over %s', async (_version, http2) => {
    await open(
      async (req, res) => {
        req.paymentSession?.charge('10000');
        const [first] = await once(req, 'data');
        res.end(`heard:${String(first)}`);
      },
      { http2 },
    );
    const heard = http2 ? speakHttp2(await paying()) : speakHttp1(await paying());
    expect(await heard).toBe('heard:hello');
  });

  it.each([
    ['whole', 1000],
    ['too large to be known', 3 * 1024 * 1024],
  ])('%s that its handler never reads does not stop its connection', async (_what, size) => {
    await open((req, res) => {
      req.paymentSession?.charge('10000');
      res.end('served');
    });
    const { socket, text } = raw(world.url);
    const head = Object.entries(await paying()).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(
      `POST /paid HTTP/1.1\r\nHost: ${new URL(world.url).host}\r\nTransfer-Encoding: chunked\r\n${head.join('')}\r\n`,
    );
    socket.write(`${size.toString(16)}\r\n${'x'.repeat(size)}\r\n0\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n`);
    await eventually(() => text().includes('404 Not Found'));
    expect(text()).toContain('HTTP/1.1 200');
    socket.destroy();
  });

  it.each([
    [
      'refers to itself',
      () => {
        const body: Record<string, unknown> = {};
        body['itself'] = body;
        return body;
      },
    ],
    ['holds what JSON cannot', () => ({ amount: 10n })],
  ])('that a parser has made into something that %s reaches its handler', async (_what, make) => {
    const parser: RequestHandler = (req, _res, next) =>
      void req
        .on('data', () => undefined)
        .on('end', () => {
          req.body = make();
          next();
        });
    await open(byEventsOfNone, { before: [parser] });
    const answer = await post((request) => request.end('{}'));
    expect([answer.status, answer.text]).toEqual([200, 'served']);
  });

  it('of which a parser has kept only a part is not taken for another one', async () => {
    const parser: RequestHandler = (req, _res, next) =>
      void req.resume().on('end', () => {
        // The files are elsewhere.
        req.body = { title: 'one' };
        next();
      });
    let made = 0;
    await open(
      (req, res) => {
        made += 1;
        req.paymentSession?.charge('10000');
        res.end(`made ${made}`);
      },
      { before: [parser] },
    );
    const headers = { ...(await paying()), 'content-type': 'multipart/form-data; boundary=x' };
    const upload = (body: string) => fetch(`${world.url}/paid`, { method: 'POST', headers, body });
    expect((await upload('a file')).status).toBe(200);
    expect((await upload('another file')).status).toBe(409);
  });

  it('for which its client waits to be told to go on is asked for', async () => {
    await open(
      (req, res) => {
        res.writeContinue();
        return byEvents(req, res);
      },
      { before: [asksItself] },
    );
    const answer = await post((request) => request.once('continue', () => request.end('body')), {
      Expect: '100-continue',
      'Content-Length': '4',
    });
    expect(answer.text).toBe('got:body');
  });
});

/** Clients that say more once they have heard something. */
async function speakHttp1(headers: Record<string, string>) {
  const request = httpRequest(`${world.url}/paid`, { method: 'POST', headers });
  request.write('hello');
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  request.end();
  return textOf(answer);
}

async function speakHttp2(headers: Record<string, string>) {
  const client = connectHttp2(world.url);
  const stream = client.request({ ':method': 'POST', ':path': '/paid', ...headers }, { endStream: false });
  stream.write('hello');
  await once(stream, 'response');
  const text = await textOf(stream);
  client.destroy();
  return text;
}

/** From its first request on the server leaves it to the application to say that a client may go on. */
const asksItself: RequestHandler = (req, _res, next) => {
  const { server } = req.socket as unknown as { server: Server };
  if (server.listenerCount('checkContinue') === 0)
    server.on('checkContinue', (asked, answer) => void server.emit('request', asked, answer));
  next();
};

const byEventsOfNone: Handler = (req, res) => {
  req.paymentSession?.charge('10000');
  res.end('served');
};

describe('a payment whose body comes slowly', () => {
  it('is not served once it could not be collected any more', async () => {
    await open(byEventsOfNone, { sells: { ...SELLS, longest: '1ms' }, settings: { leaseMs: 86_400_000 } });
    const { socket, text } = raw(world.url);
    const head = Object.entries(await paying()).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(
      `POST /paid HTTP/1.1\r\nHost: ${new URL(world.url).host}\r\nContent-Length: 2\r\n${head.join('')}\r\n1`,
    );
    await eventually(() => world.auth.verified.length === 1);
    world.clock.ms += 3_600_000;
    socket.write('2');
    await eventually(() => text().includes('\r\n\r\n'));
    expect(text()).toContain('HTTP/1.1 402');
    expect(world.ledger.opens).toEqual([]);
    socket.destroy();
  });
});
