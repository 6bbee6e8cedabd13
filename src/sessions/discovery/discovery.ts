import type { JsonObject } from '../../domain/json.js';
import { arrayAt, isObject, objectAt, stringAt } from '../../protocols/wire-json.js';
import type { PlainAnswer } from '../gate/wire.js';
import { baseUrl } from '../offers/resource.js';

/** What a paid route says of itself. */
export interface Described {
  /**
   * This operation as OpenAPI describes it, with `x-payment-info` and the answer 402, for a document of your own.
   * @param operation what else there is to say of it: summary, parameters, requestBody, responses
   */
  readonly openApi: (operation?: JsonObject) => JsonObject;
  /** It is `discoverable`, and sells by x402 here. */
  readonly listed: boolean;
}

/** What each framework makes of a paid route says the same of it. */
export const describedBy = <Made extends object>({ openApi, listed }: Described, made: Made): Made & Described =>
  Object.assign(made, { openApi, listed });

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

/** A request, as routers see it. */
interface Asked {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}

/**
 * The answer to a request for one of the documents; undefined: it is for somebody else.
 * @param originOf scheme and host as its client sees them
 */
export type Documents = (asked: Asked, originOf: () => string) => PlainAnswer | undefined;

interface Document {
  readonly type: string;
  readonly body: (base: string) => string;
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
 * What clients look for before they ask for anything: `/openapi.json` as `npx mppx validate` reads it, `/llms.txt`, and, where
 * a route is discoverable, `/.well-known/x402` as x402scan reads it.
 */
export function createDocuments(
  { title, version, routes }: DiscoveryOptions,
  publicUrl: string | undefined,
): Documents {
  const paths = paidPaths(routes);
  const openApi = JSON.stringify({ openapi: '3.1.0', info: { title, version }, paths });
  const text = llmsText(title, paths);
  // A template is the address of nothing.
  const listed = routes.filter(({ path, paid }) => paid.listed && !path.includes('{')).map(({ path }) => path);
  const resourcesUnder = (base: string) => [...new Set(listed)].map((path) => `${base}${path}`);
  const documents = new Map<string, Document>([
    ['/openapi.json', { type: JSON_TYPE, body: () => openApi }],
    ['/llms.txt', { type: 'text/plain; charset=utf-8', body: () => text }],
  ]);
  if (listed.length > 0) {
    const body = (base: string) => JSON.stringify({ version: 1, resources: resourcesUnder(base) });
    documents.set('/.well-known/x402', { type: JSON_TYPE, body });
  }

  return (asked, originOf) => {
    const found = asked.method === 'GET' || asked.method === 'HEAD' ? documents.get(pathOf(asked)) : undefined;
    return (
      found && {
        status: 200,
        headers: { 'Content-Type': found.type, 'Cache-Control': 'public, max-age=300' },
        body: found.body(baseUrl(originOf(), publicUrl)),
      }
    );
  };
}

const JSON_TYPE = 'application/json';

const pathOf = ({ url = '/' }: Asked): string => url.split('?', 1)[0] ?? '';

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
