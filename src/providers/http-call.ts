import type { UnclearClass } from '../domain/calls/answers.js';
import { type Reply, textOf } from './reply.js';
import { watched } from './watched-call.js';

/** Where the call does not say how long an answer may be. */
const MAX_REPLY_BYTES = 64 * 1024;

export interface HttpCall {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** What it is for, in traces: a path or a method, never an address. */
  readonly what?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the whole call, to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly maxReplyBytes?: number;
  readonly signal?: AbortSignal;
}

/**
 * One HTTP call, made once and never again by itself; whatever happens is a value. A redirect is not followed: the
 * credential must not travel to another host. With Node's own fetch a request whose keep-alive socket dies under it is
 * reported, not repeated, and connections to one origin are not limited (a test holds both).
 */
export function httpCall(fetcher: typeof fetch, call: HttpCall): Promise<Reply> {
  return watched(
    call,
    () => send(fetcher, call),
    (reply) => (reply.kind === 'http' ? { status: reply.status, requestId: reply.requestId } : { failed: reply.why }),
  );
}

async function send(fetcher: typeof fetch, call: HttpCall): Promise<Reply> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), call.timeoutMs);
  const signal = call.signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, call.signal]);
  try {
    const response = await fetcher(call.url, {
      method: call.method,
      headers: call.headers,
      body: call.body,
      redirect: 'manual',
      signal,
    });
    return {
      kind: 'http',
      status: response.status,
      contentType: response.headers.get('content-type'),
      retryAfter: response.headers.get('retry-after'),
      requestId: response.headers.get('x-request-id'),
      body: await boundedText(response, call.maxReplyBytes ?? MAX_REPLY_BYTES),
    };
  } catch (error) {
    return { kind: 'failed', why: signal.aborted ? 'no_answer' : failureOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** Null when there is more than we are willing to read; the rest is not fetched. */
async function boundedText(response: Response, maxBytes: number): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    size += part.value.byteLength;
    if (size > maxBytes) {
      await reader?.cancel().catch(() => undefined);
      return null;
    }
    chunks.push(part.value);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Failures before the request could leave. Everything that is not listed may have happened after it was read. */
const NEVER_CONNECTED: ReadonlySet<string> = new Set([
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** What an error of Node's HTTP or `fetch` says about the request; whatever is not known may have come after it was read. */
export function failureOf(error: unknown): UnclearClass {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code, syscall } = systemError(cause);
  if (
    NEVER_CONNECTED.has(code) ||
    syscall === 'connect' ||
    /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)
  ) {
    return 'not_connected';
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return 'no_answer';
  return code.startsWith('HPE_') ? 'unreadable' : 'reset';
}

function systemError(cause: unknown): { readonly code: string; readonly syscall: string } {
  if (!(cause instanceof Error)) return { code: '', syscall: '' };
  return { code: textOf(Reflect.get(cause, 'code')), syscall: textOf(Reflect.get(cause, 'syscall')) };
}
