import { SessionPaymentError } from './errors.js';

export type Fetch = typeof globalThis.fetch;
type Input = Parameters<Fetch>[0];
type Init = NonNullable<Parameters<Fetch>[1]>;

/** One request of the caller, which may be sent several times: unpaid, then with a payment. */
export interface Exchange {
  readonly url: URL;
  /** Unpaid; `session` tells the server which channel is meant, so that its challenge can say what it knows of it. */
  ask(session?: string): Promise<Response>;
  /** Whether some request has named a channel. */
  named(): boolean;
  pay(credential: PaidHeader): Promise<Response>;
  /** A bodiless POST to the same address, which no server takes for the request itself. */
  manage(credential?: PaidHeader): Promise<Response>;
  /** @throws SessionPaymentError where the challenge came from somewhere that must not be paid */
  requirePayable(challenged: Response): void;
  throwIfAborted(): void;
}

export interface PaidHeader {
  readonly name: string;
  readonly value: string;
}

export function createExchange(fetch: Fetch, input: Input, init: Init = {}): Exchange {
  const request = input instanceof Request ? input : undefined;
  const url = addressOf(input);
  const method = (init.method ?? request?.method ?? 'GET').toUpperCase();
  const signal = init.signal ?? request?.signal;
  const replayable = !isStream(init.body);
  const headersWith = (name?: string, value?: string) => {
    const headers = new Headers(init.headers ?? request?.headers);
    if (name !== undefined && value !== undefined) headers.set(name, value);
    return headers;
  };
  let target: URL | undefined;
  let names = false;
  const send = (more: Init) => {
    const again = request?.clone();
    const fresh = target === undefined ? (again ?? input) : again === undefined ? target : new Request(target, again);
    return fetch(fresh, { ...init, ...more });
  };

  return {
    url,
    ask(session) {
      names ||= session !== undefined;
      return send(session === undefined ? {} : { headers: headersWith('Payment-Session', session) });
    },
    named: () => names,
    // Whoever follows a redirect sends the headers along; a credential is for the one address that asked for it.
    pay: ({ name, value }) =>
      send({ headers: headersWith(name, value), redirect: init.redirect === 'error' ? 'error' : 'manual' }),
    manage: (credential) =>
      fetch(url, {
        method: 'POST',
        headers: credential === undefined ? {} : { [credential.name]: credential.value },
        redirect: 'error',
        signal,
      }),
    requirePayable(challenged) {
      target = payableAddress(url, challenged, method);
      if (!isSafe(url))
        throw new SessionPaymentError('insecure_target', `${url.origin} would be sent a payment without encryption`);
      if (!replayable)
        throw new SessionPaymentError(
          'body_not_replayable',
          'the body was a stream and is used up by the first request',
        );
    },
    throwIfAborted: () => signal?.throwIfAborted(),
  };
}

function addressOf(input: Input): URL {
  const page: unknown = (globalThis as { location?: { href?: unknown } }).location?.href;
  return new URL(input instanceof Request ? input.url : String(input), typeof page === 'string' ? page : undefined);
}

/**
 * Where the payment goes: the address that asked for it, if it is of the same origin. What was redirected may have become
 * another request on its way, except for a plain read.
 * @returns undefined where the request went straight to it
 */
function payableAddress(url: URL, challenged: Response, method: string): URL | undefined {
  if (challenged.url === '' || !challenged.redirected) return undefined;
  const answered = new URL(challenged.url);
  if (answered.origin !== url.origin)
    throw new SessionPaymentError(
      'redirect_refused',
      `${url.origin} redirected to ${answered.origin}, which asks for payment`,
    );
  if (method === 'GET' || method === 'HEAD') return answered;
  throw new SessionPaymentError('redirect_refused', `${method} ${url.pathname} was redirected to ${answered.pathname}`);
}

function isSafe({ protocol, hostname }: URL): boolean {
  if (protocol === 'https:') return true;
  const local = hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]';
  return protocol === 'http:' && (local || /^127(?:\.\d{1,3}){3}$/.test(hostname));
}

function isStream(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  if (body instanceof Blob || body instanceof FormData || body instanceof URLSearchParams) return false;
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return false;
  return body instanceof ReadableStream || Symbol.asyncIterator in body || Symbol.iterator in body;
}
