import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { type CorsHandler, type CorsOptions, createCors } from '../cors.js';
import { createDocuments, type Described, type DiscoveryOptions, describedBy } from '../discovery/discovery.js';
import type { PaymentSession } from '../gate/payment-session.js';
import { isHttp2 } from '../gate/wire-http2.js';
import { type PaidSessionOptions as Options, refuse } from '../offers/route-options.js';
import type { PaidRequest } from '../paid-request.js';
import type { PaidRoute } from '../paid-session.js';
import { refusal, sendProblem } from '../refusals.js';
import type { SessionLog } from '../session-log.js';
import { hostHeaderOf, type NodeRequest, type NodeResponse, onNodeResponse } from './node-response.js';

export interface PaidSessionOptions<Req extends NodeRequest = IncomingMessage> extends Options<Req> {
  /** Names the route in exposure sums and in the ledger: Node knows no route that a request came by. */
  readonly name: string;
}

/** May be asynchronous. */
export type PaidHandler<Req extends NodeRequest, Res extends NodeResponse> = (
  req: Req,
  res: Res,
  payment: PaymentSession,
) => unknown;

export interface PaidSession {
  /**
   * A listener for Node's `http`, `https` and, by its compatibility API, `http2`: the handler serves only who has paid, and
   * charges the session that it is given. One that fails is answered 500, or cut off where it has begun to answer.
   *
   * Node believes no proxies: behind one, set PUBLIC_URL. Settings, lease and connections are shared by all routes of a process.
   * @throws Error naming the option, at definition time
   */
  <Req extends NodeRequest = IncomingMessage, Res extends NodeResponse = ServerResponse>(
    options: PaidSessionOptions<Req>,
    handler: PaidHandler<Req, Res>,
  ): ((req: Req, res: Res) => void) & Described;
  /** What lets pages of other origins buy: its handler is called for every request, and goes on with what is not for it. */
  readonly cors: (options?: CorsOptions) => CorsHandler;
  /**
   * What tells of paid routes before anybody asks: its handler answers for `/openapi.json`, `/llms.txt` and `/.well-known/x402`,
   * and goes on with what is not for it.
   */
  readonly discovery: (options: DiscoveryOptions) => DiscoveryHandler;
}

/** For `use` of Connect, and to be called for a request of plain `node:http` or `node:http2`. */
export type DiscoveryHandler = (req: NodeRequest, res: NodeResponse, next: () => void) => void;

interface Sales {
  readonly paidRoute: <Asked>(options: Options<Asked>) => PaidRoute<Asked>;
  readonly publicUrl: string | undefined;
  readonly log: SessionLog;
}

/** @param sales asked when the first route is declared */
export const nodePaidSessions = (sales: () => Sales): PaidSession =>
  Object.assign(
    <Req extends NodeRequest, Res extends NodeResponse>(
      options: PaidSessionOptions<Req>,
      handler: PaidHandler<Req, Res>,
    ) => {
      const { paidRoute, log } = sales();
      return nodePaidSession(paidRoute(options), options, { handler, log });
    },
    { cors: createCors, discovery: (options: DiscoveryOptions) => nodeDiscovery(options, sales().publicUrl) },
  );

/** A listener whose handler serves only who has paid. Whatever fails in it is logged and answered, and ends no process. */
export function nodePaidSession<Req extends NodeRequest, Res extends NodeResponse>(
  route: PaidRoute<Req>,
  { name }: Pick<PaidSessionOptions, 'name'>,
  { handler, log }: { readonly handler: PaidHandler<Req, Res>; readonly log: SessionLog },
): ((req: Req, res: Res) => void) & Described {
  if (typeof name !== 'string' || name.trim() === '') {
    refuse('name', 'Node knows no route that a request came by, so each has a name', "name: '/report'");
  }
  async function serve(req: Req, res: Res): Promise<void> {
    const request = paidRequest(req, res, name);
    try {
      const session = await route(request, req);
      if (session !== undefined) await handler(req, res, session);
    } catch (error) {
      log.error({ err: error, route: name }, 'a paid route failed');
      fail(request, error);
    }
  }
  return describedBy(route, (req: Req, res: Res) => void serve(req, res));
}

function nodeDiscovery(options: DiscoveryOptions, publicUrl: string | undefined): DiscoveryHandler {
  const documents = createDocuments(options, publicUrl);
  return (req, res, next) => {
    const onNode = onNodeResponse(req, res);
    const answer = documents(req, () => originOf(onNode.req));
    if (answer === undefined) next();
    else onNode.answer(answer);
  };
}

/** As a framework answers for its handlers: what has begun to leave cannot become another answer, and must not look whole. */
function fail(request: PaidRequest, error: unknown): void {
  const { res } = request;
  if (res.writableEnded) return;
  // Without an error a stream of HTTP/2 ends as if it were whole.
  if (res.headersSent) res.destroy(isHttp2(res) ? new Error('a paid route failed', { cause: error }) : undefined);
  else sendProblem(request, refusal('internal_error'));
}

function paidRequest(req: NodeRequest, res: NodeResponse, name: string): PaidRequest {
  const onNode = onNodeResponse(req, res);
  const { originalUrl = onNode.req.url ?? '/' } = onNode.req as { readonly originalUrl?: string };
  return {
    ...onNode,
    // Routers that take a part of the URL off keep the whole of it here.
    originalUrl,
    origin: originOf(onNode.req),
    address: onNode.req.socket.remoteAddress ?? '',
    route: name,
  };
}

function originOf(req: IncomingMessage): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { encrypted } = req.socket as TLSSocket;
  return `${encrypted ? 'https' : 'http'}://${hostHeaderOf(req)}`;
}
