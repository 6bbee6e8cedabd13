import cors from 'cors';
import { BROWSERS_MAY_READ, BROWSERS_MAY_SEND } from '../protocols/browser-headers.js';
import { asError } from './frameworks/as-error.js';
import { type NodeRequest, type NodeResponse, onNodeResponse } from './frameworks/node-response.js';
import { refuse } from './offers/route-options.js';
import { isPreflight, PREFLIGHT_ANSWER } from './preflight.js';

export interface CorsOptions {
  /** Whose pages may buy: everybody's (`'*'`, the default), those of these origins, or those that a function lets in. */
  readonly origin?: string | readonly string[] | ((origin: string) => boolean);
  /** Cookies and the browser's own log-ins come along, and pages read what is answered to them; needs `origin`. */
  readonly credentials?: boolean;
  /** Default GET, HEAD, PUT, PATCH, POST and DELETE. */
  readonly methods?: readonly string[];
  /** Headers of your own that pages may send, beside those of payments. */
  readonly allowedHeaders?: readonly string[];
  /** Headers of your own that pages may read, beside those of payments. */
  readonly exposedHeaders?: readonly string[];
  /** How many seconds a browser remembers what it was allowed; default 600. */
  readonly maxAge?: number;
}

/** For `app.use` of Express and Connect, and to be called for a request of plain `node:http` or `node:http2`. */
export type CorsHandler = (req: NodeRequest, res: NodeResponse, next: (error?: unknown) => void) => void;

const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'];

/**
 * Lets pages of other origins buy: answers their preflights, for nothing, and shows them what payments need, also of answers
 * that refuse. It stands before the paid routes.
 * @throws Error naming the option, at definition time
 */
export function createCors(options: CorsOptions = {}): CorsHandler {
  const allows = originRule(options.origin);
  const { credentials = false, maxAge = 600 } = options;
  if (credentials && allows === undefined)
    refuse(
      'cors.credentials',
      'needs the origins that may use its visitors’ cookies',
      "origin: ['https://shop.example']",
    );
  if (!Number.isInteger(maxAge) || maxAge < 0) refuse('cors.maxAge', 'is not a number of seconds', 'maxAge: 600');
  const common = {
    methods: tokens('methods', options.methods ?? METHODS),
    allowedHeaders: [...BROWSERS_MAY_SEND, ...tokens('allowedHeaders', options.allowedHeaders ?? [])],
    exposedHeaders: [...BROWSERS_MAY_READ, ...tokens('exposedHeaders', options.exposedHeaders ?? [])],
    maxAge,
    preflightContinue: true,
  };
  const add = cors((req, decided) => {
    if (allows === undefined) return decided(null, { ...common, origin: '*' });
    const { origin = '' } = req.headers;
    const allowed = origin !== '' && letsIn(allows, origin);
    if (allowed instanceof Error) return decided(allowed);
    // A list, even of one or none: only then every answer says that it varies by origin.
    decided(null, { ...common, credentials: allowed && credentials, origin: allowed ? [origin] : [] });
  });
  return (req, res, next) =>
    add(req, res, (error?: unknown) => {
      if (error === undefined && isPreflight(req)) onNodeResponse(req, res).answer(PREFLIGHT_ANSWER);
      else next(error);
    });
}

/** Clients send what they like as an origin (`null` too), and above a listener of Node nobody catches what is thrown. */
function letsIn(allows: (origin: string) => unknown, origin: string): boolean | Error {
  try {
    const answer = allows(origin);
    // A promise, which no type checker has kept out, lets nobody in.
    if (answer instanceof Promise) answer.catch(() => undefined);
    return answer === true;
  } catch (error) {
    return asError(error);
  }
}

/** @returns undefined where everybody may */
function originRule(origin: CorsOptions['origin'] = '*'): ((origin: string) => unknown) | undefined {
  if (origin === '*') return undefined;
  if (typeof origin === 'function') return origin;
  const listed = [origin].flat();
  for (const one of listed) if (!isOrigin(one)) refuse('cors.origin', `${one} is not an origin`, ORIGIN);
  return (asking) => listed.includes(asking);
}

const ORIGIN = "origin: ['https://shop.example']";

/** As browsers write it: without a path, a slash at its end or a port that goes without saying. */
const isOrigin = (text: unknown): boolean =>
  typeof text === 'string' && URL.canParse(text) && new URL(text).origin === text;

function tokens(option: 'methods' | 'allowedHeaders' | 'exposedHeaders', given: readonly string[]): string[] {
  if (Array.isArray(given) && given.every((one) => typeof one === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(one)))
    return [...given];
  return refuse(
    `cors.${option}`,
    'is not a list of names',
    `${option}: ['${option === 'methods' ? 'GET' : 'X-Page'}']`,
  );
}
