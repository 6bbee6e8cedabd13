import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One answer of a provider that repeats, wherever an answer has words, everything it was told and more that it knows. */
export type EchoingAnswer = (res: ServerResponse, words: Echoed) => void;

export interface Echoed {
  /** The key that this request was sent with. */
  readonly key: string;
  /** Headers and body of the request, and every other secret the provider knows. */
  readonly all: string;
}

export interface SecretEchoingProxy {
  readonly url: string;
  /** The next calls that fit are answered like this, one after the other; then the provider is itself again. */
  say(calls: RegExp, ...answers: readonly EchoingAnswer[]): void;
  /** Answers that nobody has been given yet. */
  left(): number;
  close(): void;
}

/**
 * A provider that repeats secrets: what no answer was queued for is passed on.
 * @param more what it repeats beside the request: it knows its clients' secrets, too
 */
export async function startSecretEchoingProxy(
  target: string,
  more: () => readonly string[] = () => [],
): Promise<SecretEchoingProxy> {
  const queues: { calls: RegExp; answers: EchoingAnswer[] }[] = [];
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await bodyOf(req);
    const call = `${req.method} ${req.url?.split('?')[0]}`;
    const answerWith = queues.find(({ calls, answers }) => calls.test(call) && answers.length > 0)?.answers.shift();
    if (answerWith) answerWith(res, wordsOf(req, body, more()));
    else await passOn(`${target}${req.url}`, req, { body, res });
  };
  const server = createServer((req, res) => void answer(req, res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    say: (calls, ...answers) => void queues.push({ calls, answers: [...answers] }),
    left: () => queues.reduce((sum, { answers }) => sum + answers.length, 0),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function bodyOf(req: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of req) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

const wordsOf = ({ headers }: IncomingMessage, body: Buffer, more: readonly string[]): Echoed => {
  const key = String(headers['api-key'] ?? headers.authorization?.replace('Bearer ', ''));
  return { key, all: [key, ...more, JSON.stringify(headers), body.toString()].join(' ') };
};

interface Exchange {
  readonly body: Buffer;
  readonly res: ServerResponse;
}

async function passOn(url: string, { method, headers }: IncomingMessage, { body, res }: Exchange): Promise<void> {
  const passed = Object.entries(headers).filter(([name]) => !/^(host|connection|content-length)$/.test(name));
  try {
    const answer = await fetch(url, {
      ...(method && { method }),
      headers: Object.fromEntries(passed) as Record<string, string>,
      ...(body.length > 0 && { body: new Uint8Array(body) }),
      redirect: 'manual',
    });
    const said = ['content-type', 'request-id', 'x-request-id', 'idempotent-replayed', 'retry-after'].flatMap((name) =>
      answer.headers.has(name) ? [[name, answer.headers.get(name) ?? '']] : [],
    );
    res.writeHead(answer.status, Object.fromEntries(said)).end(Buffer.from(await answer.arrayBuffer()));
  } catch {
    res.destroy();
  }
}

/** Stripe's form and Hyperswitch's at once; each reads its own members. */
const error = (status: number, type: string, about: (words: Echoed) => object): EchoingAnswer => {
  return (res, words) => {
    const body = { error: { type, ...about(words) }, detail: words.all };
    const named = { 'request-id': words.key, 'x-request-id': words.key };
    res.writeHead(status, { 'content-type': 'application/json', ...named }).end(JSON.stringify(body));
  };
};
const html =
  (status: number): EchoingAnswer =>
  (res, { all }) =>
    void res.writeHead(status, { 'content-type': 'text/html' }).end(`<title>${all}</title>`);

export const BROKEN = error(500, 'api_error', ({ key, all }) => ({ code: key, message: all, reason: all }));
export const KEY_REFUSED = error(401, 'invalid_request_error', ({ key }) => ({
  code: 'IR_01',
  message: `Invalid API Key provided: ${key}`,
}));
export const FORBIDDEN = error(403, 'invalid_request_error', ({ key, all }) => ({
  message: `The provided key '${key}' does not have access. ${all}`,
}));
export const REFUSED = error(400, 'invalid_request_error', ({ key, all }) => ({
  code: key.slice(-32),
  param: key,
  message: `${key} is wrong in: ${all}`,
  reason: key,
}));
export const SLOW_DOWN = error(429, 'rate_limit_error', ({ key }) => ({ code: 'rate_limit', message: `not ${key}` }));
export const BAD_GATEWAY = html(502);
export const LOGIN_PAGE = html(200);
export const MOVED: EchoingAnswer = (res, { key, all }) =>
  void res.writeHead(302, { location: `/login?key=${key}`, 'x-said': encodeURIComponent(all).slice(0, 4_000) }).end();
export const CUT: EchoingAnswer = (res, { all }) =>
  void res.writeHead(200, { 'content-type': 'application/json' }).end(`{"id":${JSON.stringify(all)}`);
/** An object, and not the one that was asked for. */
export const STRANGE: EchoingAnswer = (res, { key, all }) =>
  void res
    .writeHead(200, { 'content-type': 'application/json', 'request-id': key, 'x-request-id': key })
    .end(JSON.stringify({ id: key, payment_id: key, refund_id: key, object: key, status: key, description: all }));
export const RESET: EchoingAnswer = (res) => void res.destroy();
/** Until the client gives up. */
export const SILENT: EchoingAnswer = () => undefined;
