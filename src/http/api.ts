import { randomUUID } from 'node:crypto';
import cors from 'cors';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import helmet from 'helmet';
import type { Resolution } from '../calls/decisions/decide.js';
import type { SettlementId } from '../domain/ids.js';
import type { JsonObject } from '../domain/json.js';
import type { ApiToken } from '../domain/roles.js';
import { BROWSERS_MAY_READ, BROWSERS_MAY_SEND } from '../protocols/browser-headers.js';
import { type ActingDependencies, actingRoutes } from './acting/acting-routes.js';
import { authorize, createAuthenticate } from './auth.js';
import { createFindCaller, requireCsrfToken } from './console/caller.js';
import { mountConsole } from './console/pages.js';
import { sessionRoutes } from './console/session-routes.js';
import { createSessions, type SessionLedger } from './console/sessions.js';
import { type DecidedItem, decisionRoutes } from './decisions/decisions.js';
import { type HealthDependencies, healthRoutes } from './health.js';
import { captureRoutes } from './marketplace/captures.js';
import { disputeRoutes } from './marketplace/disputes.js';
import { externalRoutes } from './marketplace/external.js';
import type { MarketplaceRouteDependencies } from './marketplace/marketplace-dependencies.js';
import { orderRoutes } from './marketplace/orders.js';
import { paymentRoutes } from './marketplace/payments.js';
import { payoutRoutes } from './marketplace/payouts.js';
import { refundRoutes } from './marketplace/refunds.js';
import { transferRoutes } from './marketplace/transfers.js';
import { webhookRoutes } from './marketplace/webhooks.js';
import { openApiDocument } from './openapi.js';
import { OPERATIONS, openApiOperation } from './operations.js';
import { HttpProblem } from './problem.js';
import { createRateLimit, type RateLimitSettings } from './rate-limit.js';
import { readBody, readBytes, step } from './read-body.js';
import type { ReadingDependencies, ReadingLedger } from './reading/reading-dependencies.js';
import { readingRoutes } from './reading/reading-routes.js';
import { type ReconciliationRouteDependencies, reconciliationRoutes } from './reconciliation/reconciliation.js';
import { type CallerSession, NOTHING, type Principal, type Route, route } from './route.js';
import { send } from './send.js';
import {
  type SettlementLedger,
  type SettlementRouteDependencies,
  settlementRoutes,
} from './settlements/settlements.js';

export interface ApiDependencies extends SettlementRouteDependencies, HealthDependencies {
  readonly marketplace: MarketplaceRouteDependencies;
  readonly resolution: Resolution;
  readonly ledger: SettlementLedger & HealthDependencies['ledger'];
  readonly reconciliation: Omit<ReconciliationRouteDependencies, 'clock'>;
  readonly metrics: HealthDependencies['metrics'] & { observeRequest(request: ObservedRequest): void };
  readonly tokens: readonly ApiToken[];
  readonly corsOrigins: readonly string[];
  readonly rateLimit: RateLimitSettings;
  /** Whose word on the client's address, scheme and host is taken; left out: nobody's. */
  readonly trustProxy?: number | readonly string[] | undefined;
  readonly console: ConsoleDependencies;
  /** Of the product, for /openapi.json. */
  readonly version: string;
  /** Mounts routes of another kind (paid routes, webhooks) beside the API; they bring their own manners, and their OpenAPI paths. */
  readonly mount?: (app: Express) => Readonly<Record<string, JsonObject>>;
}

/** What serves persons who look on, and act. */
export interface ConsoleDependencies extends Omit<ReadingDependencies, 'clock' | 'authenticate' | 'look'> {
  readonly ledger: SessionLedger & ReadingLedger & ActingDependencies['ledger'];
  /** Where the pages are built; that there are none yet is told to whoever asks for one. */
  readonly webRoot: string;
  /** PUBLIC_URL. */
  readonly publicUrl: string | undefined;
}

/** One answered request, without ids: what a histogram may be labelled with. */
export interface ObservedRequest {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

interface RequestFacts {
  readonly id: string;
  route?: string;
  principal?: Principal;
}

type FactsOf = (req: Request) => RequestFacts;

/** The HTTP surface: parse, authorise, call one function, answer. */
export function createApi(dependencies: ApiDependencies): Express {
  const facts = new WeakMap<Request, RequestFacts>();
  const factsOf: FactsOf = (req) => {
    const known = facts.get(req) ?? { id: requestId(req) };
    facts.set(req, known);
    return known;
  };
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  if (dependencies.trustProxy !== undefined) app.set('trust proxy', dependencies.trustProxy);
  app.use(observe(factsOf, dependencies));
  app.use(helmet());
  app.use(crossOrigin(dependencies.corsOrigins));

  const authenticate = createAuthenticate(dependencies.tokens);
  const { publicUrl, webRoot, ledger } = dependencies.console;
  const sessions = createSessions(ledger, dependencies.tokens);
  const { logger } = dependencies;
  const routes = [
    ...settlementRoutes(dependencies),
    ...marketplaceRoutes(dependencies),
    ...readingRoutes({
      ...dependencies.console,
      clock: dependencies.clock,
      authenticate,
      look: (item) => dependencies.resolution.look(item),
    }),
    ...actingRoutes({
      ...dependencies.console,
      clock: dependencies.clock,
      resolution: dependencies.resolution,
      wake: (item) => wake(item, dependencies),
      processWebhook: (event) => dependencies.marketplace.processWebhook(event),
    }),
    ...sessionRoutes({ authenticate, sessions, publicUrl, logger }),
    ...reconciliationRoutes({ ...dependencies.reconciliation, clock: dependencies.clock }),
    ...healthRoutes(dependencies),
    route(openApiOperation, () => Promise.resolve({ status: 200, body: description })),
  ];
  mountRoutes(app, routes, {
    factsOf,
    limit: createRateLimit(dependencies.rateLimit, (req) => factsOf(req).principal),
    findCaller: createFindCaller({ authenticate, sessions, publicUrl }),
  });
  mountConsole(app, webRoot, (req, name) => {
    factsOf(req).route = name;
  });
  const description = openApiDocument(OPERATIONS, dependencies.version, dependencies.mount?.(app));
  app.use(() => {
    throw new HttpProblem('not_found', 'this path is not known; /openapi.json lists what is');
  });
  app.use(answerError(factsOf, dependencies));
  return app;
}

function marketplaceRoutes(dependencies: ApiDependencies): readonly Route[] {
  const { marketplace, clock, logger } = dependencies;
  const given = { ...marketplace, clock, logger };
  return [
    ...orderRoutes(given),
    ...paymentRoutes(given),
    ...captureRoutes(given),
    ...refundRoutes(given),
    ...externalRoutes(given),
    ...transferRoutes(given),
    ...disputeRoutes(given),
    ...payoutRoutes(given),
    ...decisionRoutes({
      ledger: marketplace.ledger,
      resolution: dependencies.resolution,
      wake: (item) => wake(item, dependencies),
      clock,
    }),
    ...webhookRoutes(given),
  ];
}

/** Off the request path: the decision stands in the ledger, and a workflow that is not woken is found by the sweep. */
function wake({ kind, id }: DecidedItem, { marketplace, orchestration, logger }: ApiDependencies): void {
  if (kind !== 'settlement') {
    marketplace.nudge({ kind, id });
    return;
  }
  orchestration
    .wake(id as SettlementId)
    .catch((error: unknown) =>
      logger.warn({ settlement: id, err: error }, 'the workflow was not told of the decision; the sweep will find it'),
    );
}

/** Taken over when it is harmless to repeat in headers, logs and JSON. */
function requestId(req: Request): string {
  const given = req.headers['x-request-id'];
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(given) ? given : randomUUID();
}

/** Gives every request its id, and tells logs and metrics how it ended. */
function observe(factsOf: FactsOf, { logger, metrics }: ApiDependencies): RequestHandler {
  return (req, res, next) => {
    const startedMs = performance.now();
    const known = factsOf(req);
    res.setHeader('X-Request-Id', known.id);
    res.once('close', () => {
      const seconds = (performance.now() - startedMs) / 1000;
      const { method } = req;
      const routed: unknown = req.route?.path;
      const routeName = known.route ?? (typeof routed === 'string' ? routed : 'unmatched');
      // The client may have gone before anything was answered: that is 499 in the logs of most proxies.
      const status = res.headersSent ? res.statusCode : 499;
      metrics.observeRequest({ method, route: routeName, status, seconds });
      const quiet = known.route === '/healthz' || known.route === '/readyz' || known.route === '/metrics';
      logger[quiet && status < 500 ? 'debug' : 'info'](
        { request_id: known.id, method, path: shownPath(req.path), status, seconds, by: known.principal?.name },
        'answered',
      );
    });
    next();
  };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Of the tokens in API_TOKENS; what is shorter and stands in a path by mistake is none. */
const SHORTEST_TOKEN = 16;

/** The path for the log: our ids and short words. Whatever else somebody puts there may be a token. */
const shownPath = (path: string): string =>
  path
    .split('/')
    .map((part) => (part.length < SHORTEST_TOKEN || UUID.test(part) ? part : '[…]'))
    .join('/');

/** Only browsers of the origins on the list are told that they may read; everybody else sees no CORS at all. */
function crossOrigin(origins: readonly string[]): RequestHandler {
  const allow = cors({
    origin: [...origins],
    methods: ['GET', 'POST'],
    // Paid routes are mounted behind it too.
    allowedHeaders: [...BROWSERS_MAY_SEND, 'Idempotency-Key'],
    exposedHeaders: [...BROWSERS_MAY_READ, 'Allow', 'RateLimit', 'RateLimit-Policy'],
    maxAge: 600,
  });
  return (req, res, next) => {
    if (origins.length > 0) res.vary('Origin');
    if (origins.includes(req.headers.origin ?? '')) allow(req, res, next);
    else next();
  };
}

interface Mounting {
  readonly factsOf: FactsOf;
  readonly limit: RequestHandler;
  readonly findCaller: ReturnType<typeof createFindCaller>;
}

function mountRoutes(app: Express, routes: readonly Route[], { factsOf, limit, findCaller }: Mounting): void {
  async function serve({ operation, run }: Route, req: Request, res: Response) {
    const known = factsOf(req);
    let session: CallerSession | undefined;
    if (operation.roles !== 'public') {
      const caller = await findCaller(req.headers);
      known.principal = caller?.principal;
      session = caller?.session;
    }
    if (operation.roles !== 'public' || operation.limited) await step(limit, req, res);
    const principal = authorize(operation, known.principal, req.headers.authorization);
    requireCsrfToken({ session }, req);
    const body = operation.body === NOTHING ? undefined : await readBody(req, operation);
    const raw = operation.rawBody ? await readBytes(req, operation.bodyLimitBytes) : NO_BYTES;
    const { headersDistinct: headers, query } = req;
    const isLetIn = session
      ? () => session.isLive()
      : async () => isSame((await findCaller(req.headers))?.principal, principal);
    const isHeard = async () => !res.destroyed && (operation.roles === 'public' || (await isLetIn()));
    send(res, operation, await run({ params: paramsOf(req), query, body, principal, session, isHeard, headers, raw }));
  }

  for (const path of new Set(routes.map(({ operation }) => operation.path))) {
    const here = routes.filter(({ operation }) => operation.path === path);
    const allowed = here.flatMap(({ operation: { method } }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    app.all(path.replaceAll(/\{(\w+)\}/g, ':$1'), (req, res) => {
      factsOf(req).route = path;
      const method = req.method === 'HEAD' ? 'GET' : req.method;
      const entry = here.find(({ operation }) => operation.method === method);
      if (!entry) throw methodNotAllowed(path, allowed.join(', '));
      return serve(entry, req, res);
    });
  }
}

const isSame = (now: Principal | undefined, before: Principal): boolean =>
  now?.name === before.name && now.role === before.role;

const methodNotAllowed = (path: string, allowed: string) =>
  new HttpProblem('method_not_allowed', `${path} takes ${allowed}`, { headers: { Allow: allowed } });

const NO_BYTES = Buffer.alloc(0);

const paramsOf = (req: Request): Record<string, string> =>
  Object.fromEntries(Object.entries(req.params).map(([name, value]) => [name, String(value)]));

function answerError(factsOf: FactsOf, { logger }: ApiDependencies): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    const { id } = factsOf(req);
    const problem = toProblem(error);
    if (problem.status >= 500) logger.error({ request_id: id, err: problem.extras.cause ?? error }, problem.message);
    if (res.headersSent) {
      // Half an answer cannot be turned into a problem document: the broken connection says that something is wrong.
      next(error);
      return;
    }
    res.status(problem.status).set({ ...problem.extras.headers, 'Cache-Control': 'no-store' });
    res.type('application/problem+json').send(JSON.stringify(problem.document(id)));
  };
}

/** Our own problems as they are; whatever else was thrown is a bug, whose text is for the log and not for the client. */
function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  // A path that is no valid percent-encoding names nothing.
  if (error instanceof URIError) return new HttpProblem('not_found', 'there is nothing with this id');
  return new HttpProblem(
    'internal_error',
    'something went wrong on our side; the log has the request id. Whether the request was recorded is not known: send it again, it is never done twice',
    { cause: error },
  );
}
