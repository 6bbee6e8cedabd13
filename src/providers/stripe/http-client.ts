import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type Stripe from 'stripe';
import type { UnclearClass } from '../../domain/calls/answers.js';
import type { JsonValue } from '../../domain/json.js';
import { isObject, parseJson } from '../../protocols/wire-json.js';
import { failureOf } from '../http-call.js';
import { watched } from '../watched-call.js';

/** A page of a hundred transfers is about 150 kB; more than this is no answer of Stripe's. */
const MAX_REPLY_BYTES = 4 * 1024 * 1024;
/** An idle connection is given up before something on the way does, and a request is sent into a dead one. */
const IDLE_MS = 15_000;

/** The `type` of an error that is not Stripe's: what answered could not be read as Stripe. */
export const UNREADABLE = 'unreadable';

/**
 * The call brought no answer. It has no `code` on purpose: for ECONNRESET and EPIPE the library sends the request again
 * by itself, even with `maxNetworkRetries: 0` (RequestSender._shouldRetry).
 */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  readonly why: UnclearClass;
  constructor(why: UnclearClass) {
    super(why);
    this.why = why;
  }
}

/**
 * The library's transport: one call is one HTTP request, whatever happens to it. Not Node's `fetch`, which repeats a
 * request that is answered with 421. No redirect is followed, the time limit covers the whole call, and every answer
 * keeps its status: the library alone would take a 502 with HTML for one without status and any JSON for a success.
 * @param apiBase origin, with a path prefix if there is one
 */
export function onceOnlyHttpClient(apiBase: URL): Stripe.HttpClient {
  const secure = apiBase.protocol === 'https:';
  const agent = new (secure ? HttpsAgent : HttpAgent)({ keepAlive: true, timeout: IDLE_MS });
  const prefix = apiBase.pathname.replace(/\/+$/, '');
  return {
    getClientName: () => 'node',
    makeRequest: async (...[, , path, method, headers, body, , timeoutMs]) => {
      const send = secure ? httpsRequest : httpRequest;
      const url = new URL(prefix + path, apiBase);
      const reply = await watched(
        { method, url, what: path },
        () => replyTo(send(url, { method, headers, agent }), body, timeoutMs),
        ({ status, headers: { 'request-id': id } }) => ({ status, requestId: typeof id === 'string' ? id : null }),
      );
      return asStripeReads(reply);
    },
  };
}

interface RawReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** @throws CallFailed */
function replyTo(request: ReturnType<typeof httpRequest>, body: string, timeoutMs: number): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    let over = false;
    const end = () => {
      over = true;
      clearTimeout(timer);
    };
    const fail = (why: UnclearClass) => {
      if (over) return;
      end();
      reject(new CallFailed(why));
      request.destroy();
    };
    const timer = setTimeout(fail, timeoutMs, 'no_answer');
    request.on('error', (error) => {
      fail(failureOf(error));
    });
    request.on('close', () => {
      fail('reset');
    });
    request.on('response', (response) => {
      readWhole(response, fail, (text) => {
        end();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      });
    });
    request.end(body);
  });
}

function readWhole(response: IncomingMessage, fail: (why: UnclearClass) => void, done: (text: string) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.byteLength;
    if (size > MAX_REPLY_BYTES) fail('unreadable');
    else chunks.push(chunk);
  });
  // Never comes after an answer that was cut short: then the request closes first.
  response.on('end', () => {
    done(Buffer.concat(chunks).toString('utf8'));
  });
}

/** Only these reach the library: it would print others (`Stripe-Notice`) past our log. */
const HEADERS_READ = ['request-id', 'idempotent-replayed', 'retry-after', 'date'];

function asStripeReads({ status, headers, body }: RawReply): Stripe.HttpClientResponse {
  const read = Object.fromEntries(
    HEADERS_READ.flatMap((name): [string, string][] => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
  return {
    getStatusCode: () => status,
    getHeaders: () => read,
    getRawResponse: () => ({ headers: read, statusCode: status }),
    toStream: () => undefined,
    toJSON: async () => readable(status, parseJson(body)) ?? notStripe(headers['content-type'], body.length),
  };
}

/** A 2xx object, or Stripe's own form of an error; undefined for anything else. */
function readable(status: number, json: JsonValue | undefined): JsonValue | undefined {
  if (!isObject(json)) return undefined;
  const { error } = json;
  if (error === undefined || error === null) return status >= 200 && status <= 299 ? json : undefined;
  return isObject(error) && typeof error['type'] === 'string' ? { error: { ...error } } : undefined;
}

function notStripe(contentType: string | undefined, length: number): JsonValue {
  const type = /^[a-z]+\/[a-z0-9.+-]{1,40}/i.exec(contentType ?? '')?.[0] ?? 'no content type';
  return { error: { type: UNREADABLE, message: `${type}, ${length} characters` } };
}
