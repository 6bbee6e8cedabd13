import createClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './api-client/paths.js';

export type { components, paths } from './api-client/paths.js';

/** What the API answers with, by name: `Answers['Settlement']`. */
export type Answers = components['schemas'];

/** One method for each of HTTP; what it takes and answers follows from the path. */
export type MakegoodClient = Client<paths, `application/${string}json`>;

export interface MakegoodClientOptions {
  /** Of the server, with the prefix that a proxy takes away: `https://makegood.example.com`. */
  readonly baseUrl: string;
  /** One of API_TOKENS; a function is asked before each request, so that a token can be changed without a restart. */
  readonly token: string | (() => string | Promise<string>);
  /** What sends; default: the global one. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

/**
 * A client of our API that knows every path, body, header and answer of docs/openapi.json. It sends once and repeats nothing:
 * POST orders, payments and refunds take an `Idempotency-Key`, with which whoever calls may send the same again.
 */
export function createMakegoodClient({ baseUrl, token, fetch }: MakegoodClientOptions): MakegoodClient {
  const client = createClient<paths, `application/${string}json`>({
    baseUrl: baseUrl.replace(/\/+$/, ''),
    ...(fetch && { fetch }),
    redirect: 'error',
  });
  client.use({
    async onRequest({ request }) {
      request.headers.set('Authorization', `Bearer ${typeof token === 'string' ? token : await token()}`);
    },
  });
  return client;
}
