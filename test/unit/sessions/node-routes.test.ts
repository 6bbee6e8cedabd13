import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nodePaidSession, type PaidHandler } from '../../../src/sessions/frameworks/node.js';
import type { NodeRequest } from '../../../src/sessions/frameworks/node-response.js';
import type { PaymentSession } from '../../../src/sessions/gate/payment-session.js';
import type { PaidRequest } from '../../../src/sessions/paid-request.js';
import type { PaidRoute } from '../../../src/sessions/paid-session.js';
import { undescribed } from '../../support/sessions/undescribed.js';
import { ask } from './support/ask.js';
import { TLS } from './support/tls.js';

/** Of Node's own servers there is nobody above the handler: what it does wrong ends here. */

const payment: PaymentSession = { cap: 1n, offer: undefined, spent: 0n, charge: () => true, release: () => true };
const paid: PaidRoute<NodeRequest> = undescribed(() => Promise.resolve(payment));
type Handler = PaidHandler<NodeRequest, ServerResponse>;
const nothing: Handler = () => undefined;

const logged: unknown[] = [];
const log = { warn: () => undefined, error: (fields: object) => void logged.push(fields) };
const listener = (handler: Handler, route = paid) => nodePaidSession(route, { name: '/paid' }, { handler, log });

const SERVERS = {
  http: createServer,
  https: (listen: (req: IncomingMessage, res: ServerResponse) => void) => createTlsServer(TLS, listen),
  http2: (listen: (req: IncomingMessage, res: ServerResponse) => void) =>
    createHttp2Server((req, res) => listen(req as never, res as never)),
};

async function serving(kind: keyof typeof SERVERS, listen: (req: IncomingMessage, res: ServerResponse) => void) {
  const server = SERVERS[kind](listen).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const url = `${kind === 'https' ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}/paid`;
  return (path = '') => ask(url + path, { http2: kind === 'http2' });
}

describe.each(['http', 'http2'] as const)('over %s', (kind) => {
  it.each<[string, Handler, PaidRoute<NodeRequest>?]>([
    [
      'a handler that throws',
      () => {
        throw new Error('out of paper');
      },
    ],
    [
      'one that rejects later, and had said something of its own answer',
      async (_req, res) => {
        res.setHeader('Content-Encoding', 'gzip');
        res.setHeader('X-Of-All', 'kept');
        await new Promise((resolve) => setImmediate(resolve));
        throw new Error('out of paper');
      },
    ],
    ['a route that cannot tell', nothing, undescribed(() => Promise.reject(new Error('out of paper')))],
  ])('%s is logged, and answered with a problem', async (_name, handler, route) => {
    logged.length = 0;
    const get = await serving(kind, listener(handler, route));
    const answer = await get();
    expect(answer).toMatchObject({ status: 500, whole: true });
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 'internal_error', status: 500 });
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(logged).toEqual([{ err: new Error('out of paper'), route: '/paid' }]);
  });

  it('one that fails in the middle of its answer cuts it off', async () => {
    const get = await serving(
      kind,
      listener(async (_req, res) => {
        res.write('the beginning');
        await new Promise((resolve) => setTimeout(resolve, 20));
        throw new Error('out of paper');
      }),
    );
    expect(await get()).toMatchObject({ status: 200, whole: false });
  });

  it('one that fails once it has answered has answered', async () => {
    const get = await serving(
      kind,
      listener((_req, res) => {
        res.end('all of it');
        throw new Error('out of paper');
      }),
    );
    expect(await get()).toMatchObject({ status: 200, whole: true, body: Buffer.from('all of it') });
  });
});

describe('what a route is told', () => {
  async function told(kind: keyof typeof SERVERS, path = '', before?: (req: IncomingMessage) => void) {
    let seen: PaidRequest | undefined;
    const route: PaidRoute<NodeRequest> = undescribed((request: PaidRequest) => {
      seen = request;
      return Promise.reject(new Error('seen'));
    });
    const listen = listener(nothing, route);
    const get = await serving(kind, (req, res) => {
      before?.(req);
      listen(req, res);
    });
    await get(path);
    return seen;
  }

  it.each([
    ['http', 'http'],
    ['http2', 'http'],
    ['https', 'https'],
  ] as const)('over %s the origin begins with %s, and the address is the client’s', async (kind, scheme) => {
    const { origin, address, route, originalUrl } = (await told(kind, '?a=1'))!;
    expect({ address, route, originalUrl }).toEqual({ address: '127.0.0.1', route: '/paid', originalUrl: '/paid?a=1' });
    expect(origin).toMatch(new RegExp(`^${scheme}://127\\.0\\.0\\.1:\\d+$`));
  });

  it('is the URL of the client where a router has taken a part of it off', async () => {
    const seen = await told('http', '', (req) => Object.assign(req, { originalUrl: req.url, url: '/' }));
    expect(seen?.originalUrl).toBe('/paid');
  });
});

it.each([undefined, '', ' '])('a route that is named %j is not declared', (name) => {
  expect(() => nodePaidSession(paid, { name: name as never }, { handler: nothing, log })).toThrow(
    'paidSession option name:',
  );
});
