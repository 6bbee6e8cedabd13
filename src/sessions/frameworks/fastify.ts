import type { FastifyRequest } from 'fastify';
import { type CorsOptions, createCors } from '../cors.js';
import { createDocuments, type Described, type DiscoveryOptions, describedBy } from '../discovery/discovery.js';
import { saysOfAnother } from '../gate/paid-head.js';
import type { PaymentSession } from '../gate/payment-session.js';
import type { PaidSessionOptions as Options } from '../offers/route-options.js';
import type { HeadersSoFar, PaidRequest } from '../paid-request.js';
import type { PaidRoute } from '../paid-session.js';
import { asError } from './as-error.js';
import { asHttp1, type NodeRequest, type NodeResponse, onNodeResponse } from './node-response.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on routes behind `paidSession`, once a payment was accepted. */
    paymentSession?: PaymentSession;
  }
}

/** What a route sells and on which terms; `identify` looks at a request of Fastify. */
export type PaidSessionOptions = Options<FastifyRequest>;

/** What is asked of Fastify's request, whatever its server and its route. */
interface AskedRequest {
  readonly raw: NodeRequest;
  readonly originalUrl: string;
  readonly protocol: string;
  readonly host: string;
  readonly ip: string;
  readonly body: unknown;
  readonly routeOptions: { readonly url?: string | undefined };
}

interface AskedReply {
  readonly raw: NodeResponse;
  getHeaders(): HeadersSoFar;
  header(name: string, value: string | string[]): unknown;
  removeHeader(name: string): unknown;
  code(status: number): unknown;
  send(payload?: string | Buffer): unknown;
  hijack(): unknown;
}

/** For `onRequest`, `preValidation` and `preHandler`. */
export type FastifyHook = (request: AskedRequest, reply: AskedReply, done: (error?: Error) => void) => void;

export interface PaidSession {
  /**
   * A `preHandler` of a route, or of all routes of a plugin: the handlers after it serve only who has paid, and charge by
   * `request.paymentSession`. Settings, lease and connections are shared by all routes of a process.
   * @throws Error naming the option, at definition time
   */
  (options: PaidSessionOptions): FastifyHook & Described;
  /** What lets pages of other origins buy: `app.addHook('onRequest', paidSession.cors())`, before the paid routes. */
  readonly cors: (options?: CorsOptions) => FastifyHook;
  /**
   * What tells of paid routes before anybody asks: `app.addHook('onRequest', paidSession.discovery(…))` on the root, after that
   * of cors, answers for `/openapi.json`, `/llms.txt` and `/.well-known/x402`, which need no routes.
   */
  readonly discovery: (options: DiscoveryOptions) => FastifyHook;
}

interface Sales {
  readonly paidRoute: (options: PaidSessionOptions) => PaidRoute<FastifyRequest>;
  readonly publicUrl: string | undefined;
}

/** @param sales asked when the first route is declared */
export const fastifyPaidSessions = (sales: () => Sales): PaidSession =>
  Object.assign((options: PaidSessionOptions) => fastifyPaidSession(sales().paidRoute(options)), {
    cors: fastifyCors,
    discovery: (options: DiscoveryOptions) => fastifyDiscovery(options, sales().publicUrl),
  });

/**
 * The handlers after the hook serve only who has paid. They answer as ever: Fastify writes to the raw response, and there the
 * gate stands. The hook calls `done`, and is no promise: Fastify would take the end of a promise for leave to go on as long as
 * the refusal has not ended, which later hooks may put off.
 */
export function fastifyPaidSession(route: PaidRoute<FastifyRequest>): FastifyHook & Described {
  async function serve(...[request, reply, done]: Parameters<FastifyHook>): Promise<void> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const asked = request as FastifyRequest;
    try {
      const session = await route(paidRequest(request, reply), asked);
      if (session === undefined) return;
      asked.paymentSession = session;
      done();
    } catch (error) {
      done(asError(error));
    }
  }
  const hook: FastifyHook = (request, reply, done) => void serve(request, reply, done);
  return describedBy(route, hook);
}

/** By the reply, with what layers before have said of every answer. */
function fastifyDiscovery(options: DiscoveryOptions, publicUrl: string | undefined): FastifyHook {
  const documents = createDocuments(options, publicUrl);
  return (request, reply, done) => {
    const answer = documents(request.raw, () => originOf(request));
    if (answer === undefined) done();
    else paidRequest(request, reply).answer(answer);
  };
}

/** What it says on the raw response stays there beside what Fastify sends. */
function fastifyCors(options?: CorsOptions): FastifyHook {
  const add = createCors(options);
  return (request, reply, done) =>
    add(request.raw, reply.raw, (error) => (error === undefined ? done() : done(asError(error))));
}

const originOf = ({ protocol, host }: AskedRequest): string => `${protocol}://${host || 'localhost'}`;

const paidRequest = (request: AskedRequest, reply: AskedReply): PaidRequest => ({
  ...asHttp1(request.raw, reply.raw),
  originalUrl: request.originalUrl,
  origin: originOf(request),
  address: request.ip,
  route: request.routeOptions.url ?? '/',
  headersSoFar: () => reply.getHeaders(),
  parsedBody: () => request.body,
  answerAgain({ headers, ...answer }) {
    const said = Object.entries(reply.getHeaders()).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'number' ? String(value) : value] as const],
    );
    reply.hijack();
    onNodeResponse(request.raw, reply.raw).answerAgain({
      ...answer,
      headers: { ...Object.fromEntries(said), ...headers },
    });
  },
  // By Fastify, with the headers that it keeps until then and the hooks that every answer of its passes.
  answer({ status, headers, body }) {
    for (const name of Object.keys(reply.getHeaders())) if (saysOfAnother(name)) reply.removeHeader(name);
    reply.code(status);
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    reply.send(status === 204 || status === 304 ? undefined : body);
  },
});
