import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonObject } from '../../domain/json.js';
import { arrayAt, isObject, objectAt, stringAt } from '../../protocols/wire-json.js';

/** What a paid route says of itself. */
export interface Described {
  /**
   * This operation as OpenAPI describes it, with `x-payment-info` and the answer 402, for a document of your own.
   * @param operation what else there is to say of it: summary, parameters, requestBody, responses
   */
  openApi(operation?: JsonObject): JsonObject;
  /** It is `discoverable`, and sells by x402 here. */
  readonly listed: boolean;
}

/** A paid route under the address at which clients find it. */
export interface PublishedRoute {
  readonly method: string;
  /** As OpenAPI writes it, below the document's own address: `/reports/{id}`. */
  readonly path: string;
  /** What `paidSession` gave. */
  readonly paid: Described;
  /** What else OpenAPI is to say of it. */
  readonly operation?: JsonObject;
}

export interface DiscoveryOptions {
  readonly title: string;
  readonly version: string;
  readonly routes: readonly PublishedRoute[];
}

interface Document<Asked> {
  readonly type: string;
  readonly body: (req: Asked) => string;
}

/** The paths of an OpenAPI document. */
export function paidPaths(routes: readonly PublishedRoute[]): Readonly<Record<string, JsonObject>> {
  const paths: Record<string, JsonObject> = {};
  for (const { method, path, paid, operation } of routes) {
    paths[path] = { ...paths[path], [method.toLowerCase()]: paid.openApi(operation) };
  }
  return paths;
}

/**
 * Serves what clients look for before they ask for anything: `/openapi.json` as `npx mppx validate` reads it, `/llms.txt`,
 * and, where a route is discoverable, `/.well-known/x402` as x402scan reads it. Everything else goes on to `next`.
 *
 * @param baseOf under which URL the client of a request sees this server
 */
export function createDiscovery<Asked extends IncomingMessage>(
  options: DiscoveryOptions,
  baseOf: (req: Asked) => string,
): (req: Asked, res: ServerResponse, next: () => void) => void {
  const { title, version, routes } = options;
  const paths = paidPaths(routes);
  const openApi = JSON.stringify({ openapi: '3.1.0', info: { title, version }, paths });
  const text = llmsText(title, paths);
  // A template is the address of nothing.
  const listed = routes.filter(({ path, paid }) => paid.listed && !path.includes('{')).map(({ path }) => path);
  const resourcesFor = (base: string) => [...new Set(listed)].map((path) => `${base}${path}`);
  const documents = new Map<string, Document<Asked>>([
    ['/openapi.json', { type: JSON_TYPE, body: () => openApi }],
    ['/llms.txt', { type: 'text/plain; charset=utf-8', body: () => text }],
  ]);
  if (listed.length > 0) {
    const body = (req: Asked) => JSON.stringify({ version: 1, resources: resourcesFor(baseOf(req)) });
    documents.set('/.well-known/x402', { type: JSON_TYPE, body });
  }

  return (req, res, next) => {
    const serves = req.method === 'GET' || req.method === 'HEAD' ? documents.get(pathOf(req)) : undefined;
    if (serves === undefined) {
      next();
      return;
    }
    res.setHeader('Content-Type', serves.type);
    res.setHeader('Cache-Control', 'public, max-age=300');
    res.end(serves.body(req));
  };
}

const JSON_TYPE = 'application/json';

const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?', 1)[0] ?? '';

function llmsText(title: string, paths: Readonly<Record<string, JsonObject>>): string {
  const lines = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) =>
      isObject(operation) ? [`- ${method.toUpperCase()} ${path}: ${soldFor(operation)}`] : [],
    ),
  );
  return `# ${title}

> Paid for per response: ask without paying, read the 402, pay in one of its ways, ask again. /openapi.json has every offer.

${lines.join('\n')}
`;
}

function soldFor(operation: JsonObject): string {
  const offers = (arrayAt(objectAt(operation, 'x-payment-info'), 'offers') ?? []).filter(isObject);
  const ways = offers.map(
    (offer) =>
      `${stringAt(offer, 'protocol')} ${stringAt(offer, 'intent')}, ${stringAt(offer, 'amount')} atomic units of ${stringAt(offer, 'currency')} on ${stringAt(offer, 'network')}`,
  );
  const summary = stringAt(operation, 'summary');
  return [...(summary === undefined ? [] : [summary]), ...ways].join('; ');
}
