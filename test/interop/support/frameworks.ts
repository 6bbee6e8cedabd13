import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { pipeline, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline as finished } from 'node:stream/promises';
import express, { type ErrorRequestHandler } from 'express';
import express4 from 'express-4';
import { type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { paidSession as ofFastify } from '../../../src/fastify.js';
import { paidSession as ofExpress } from '../../../src/index.js';
import { paidSession as ofNode } from '../../../src/node.js';
import type { Described, DiscoveryOptions } from '../../../src/sessions/discovery/discovery.js';
import { expressPaidSession, expressPaidSessions } from '../../../src/sessions/frameworks/express.js';
import { fastifyPaidSession, fastifyPaidSessions } from '../../../src/sessions/frameworks/fastify.js';
import { nodePaidSession, nodePaidSessions } from '../../../src/sessions/frameworks/node.js';
import type { NodeRequest, NodeResponse } from '../../../src/sessions/frameworks/node-response.js';
import type { PaymentSession } from '../../../src/sessions/gate/payment-session.js';
import type { PaidRoute } from '../../../src/sessions/paid-session.js';

/** What a handler does, in the words of each framework. */
export interface Tools {
  readonly payment: PaymentSession | undefined;
  /** What came, read as JSON. */
  readonly body: () => Promise<unknown>;
  readonly json: (value: object) => unknown;
  readonly stream: (body: Readable) => unknown;
}

export interface Sold {
  readonly path: string;
  readonly route: PaidRoute<unknown>;
  readonly serve: (tools: Tools) => unknown;
}

export interface ServeOptions {
  /** Believes proxies on this machine, if it can be told to. */
  readonly trustsLoopback?: boolean;
  /** Lets pages of other origins buy. */
  readonly cors?: boolean;
  /** Tells what is sold before anybody asks. */
  readonly discovery?: boolean | { readonly publicUrl?: string };
}

export interface Serving {
  readonly url: string;
  stop(): Promise<void>;
}

export interface Framework {
  readonly name: string;
  /** Speaks HTTP/2 alone, in clear. */
  readonly http2: boolean;
  /** Knows which proxies to believe. */
  readonly knowsProxies: boolean;
  /** A client can tell an answer that broke off from a whole one. */
  readonly showsBreaks: boolean;
  /** What a handler that fails is answered with. */
  readonly failure: { readonly status: 500; readonly body: object };
  readonly serve: (sold: readonly Sold[], options?: ServeOptions) => Promise<Serving>;
}

/** Every answer carries it: said by a layer before the paid route. */
export const BEFORE = ['x-before', 'said by a layer before'] as const;

const log = { warn: () => undefined, error: () => undefined };
const nobodyPays = (): never => {
  throw new Error('no route is declared here');
};
const salesAt = (discovery: ServeOptions['discovery']) => () => ({
  paidRoute: nobodyPays,
  log,
  publicUrl: typeof discovery === 'object' ? discovery.publicUrl : undefined,
});
const papers = (routes: readonly (readonly [path: string, paid: Described])[]): DiscoveryOptions => ({
  title: 'Papers',
  version: '1',
  routes: routes.map(([path, paid]) => ({ method: 'GET', path, paid })),
});

const byExpress = (make: typeof express): Framework['serve'] => {
  return (sold, { trustsLoopback, cors, discovery } = {}) => {
    const app = make().set('env', 'test');
    if (cors) app.use(ofExpress.cors());
    if (trustsLoopback) app.set('trust proxy', 'loopback');
    app.use((_req, res, next) => {
      res.set(...BEFORE);
      next();
    });
    const handlers = sold.map((one) => ({ ...one, paid: expressPaidSession(one.route) }));
    if (discovery) {
      const { discovery: tell } = expressPaidSessions(salesAt(discovery));
      app.use(tell(papers(handlers.map(({ path, paid }) => [path, paid]))));
    }
    for (const { path, paid, serve } of handlers) {
      app.all(path, make.json(), paid, (req, res) => {
        serve({
          payment: req.paymentSession,
          body: () => Promise.resolve(req.body),
          json: (value) => res.json(value),
          stream: (body) => pipeline(body, res, () => undefined),
        });
      });
    }
    const onError: ErrorRequestHandler = (error: Error, _req, res, next) => {
      if (res.headersSent) next(error);
      else res.status(500).json({ said: error.message });
    };
    app.use(onError);
    return listening(createServer(app));
  };
};

function nodeListener(
  sold: readonly Sold[],
  { cors, discovery }: ServeOptions = {},
): (req: NodeRequest, res: NodeResponse) => void {
  const allow = cors ? ofNode.cors() : (_req: NodeRequest, _res: NodeResponse, next: () => void) => next();
  const routes = new Map(
    sold.map(({ path, route, serve }) => [
      path,
      nodePaidSession(
        route,
        { name: path },
        {
          handler: (req: NodeRequest, res: ServerResponse, payment) =>
            serve({
              payment,
              body: () => readJson(req),
              json(value) {
                res.setHeader('Content-Type', 'application/json; charset=utf-8');
                res.end(JSON.stringify(value));
              },
              stream: (body) => finished(body, res),
            }),
          log,
        },
      ),
    ]),
  );
  const tell = discovery
    ? nodePaidSessions(salesAt(discovery)).discovery(papers([...routes]))
    : (_req: NodeRequest, _res: NodeResponse, next: () => void) => next();
  return (req, res) => {
    res.setHeader(...BEFORE);
    const [path = ''] = (req.url ?? '').split('?');
    allow(req, res, () => tell(req, res, () => (routes.get(path) ?? notFound)(req, res as ServerResponse)));
  };
}

function notFound(_req: NodeRequest, res: ServerResponse): void {
  res.statusCode = 404;
  res.end();
}

const readJson = async (req: NodeRequest): Promise<unknown> => JSON.parse(await text(req));

const byFastify =
  (http2: boolean): Framework['serve'] =>
  async (sold, { trustsLoopback = false, cors, discovery } = {}) => {
    const app = fastify({ trustProxy: trustsLoopback && '127.0.0.1', ...(http2 && { http2: true as never }) });
    app.addHook('onRequest', async (_request, reply) => {
      reply.header(...BEFORE);
    });
    if (cors) app.addHook('onRequest', ofFastify.cors());
    const hooks = sold.map((one) => ({ ...one, preHandler: fastifyPaidSession(one.route) }));
    if (discovery) {
      const { discovery: tell } = fastifyPaidSessions(salesAt(discovery));
      app.addHook('onRequest', tell(papers(hooks.map(({ path, preHandler }) => [path, preHandler]))));
    }
    // It may take its time, as compression does.
    app.addHook('onSend', (_request, reply, payload, done) => {
      const goOn = () => done(null, payload);
      if (reply.statusCode === 402) setImmediate(goOn);
      else goOn();
    });
    app.setErrorHandler<Error>((error, _request, reply) => reply.code(500).send({ said: error.message }));
    for (const { path, preHandler, serve } of hooks) {
      const handler = (request: FastifyRequest, reply: FastifyReply) => {
        serve({
          payment: request.paymentSession,
          body: () => Promise.resolve(request.body),
          json: (value) => reply.send(value),
          stream: (body) => reply.send(body),
        });
      };
      app.get(path, { preHandler }, handler);
      app.post(path, { preHandler }, handler);
    }
    await app.listen({ host: '127.0.0.1', port: 0 });
    return { url: urlOf(app.server), stop: () => app.close() };
  };

const THROUGH_PROXIES = {
  http2: false,
  knowsProxies: true,
  showsBreaks: true,
  failure: { status: 500, body: { said: 'out of paper' } },
} as const;
const BY_ITSELF = {
  ...THROUGH_PROXIES,
  knowsProxies: false,
  failure: { status: 500, body: { code: 'internal_error' } },
} as const;

export const FRAMEWORKS: readonly Framework[] = [
  { ...THROUGH_PROXIES, name: 'Express 4', serve: byExpress(express4) },
  { ...THROUGH_PROXIES, name: 'Express 5', serve: byExpress(express) },
  {
    ...BY_ITSELF,
    name: 'node:http',
    serve: (sold, options) => listening(createServer(nodeListener(sold, options))),
  },
  {
    ...BY_ITSELF,
    name: 'node:http2',
    http2: true,
    serve: (sold, options) => listening(createHttp2Server(nodeListener(sold, options))),
  },
  { ...THROUGH_PROXIES, name: 'Fastify', serve: byFastify(false) },
  // Fastify ends a stream of HTTP/2 that breaks off like one that is whole, sold or not.
  { ...THROUGH_PROXIES, name: 'Fastify over HTTP/2', http2: true, showsBreaks: false, serve: byFastify(true) },
];

async function listening(server: Server | Http2Server): Promise<Serving> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: urlOf(server),
    async stop() {
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
    },
  };
}

const urlOf = (server: { address(): unknown }): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
