import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One answer of a provider that repeats, wherever an answer has words, everything it was told and more that it knows. */
export type Mood = (res: ServerResponse, words: Words) => void;

export interface Words {
  /** The key that this request was sent with. */
  readonly key: string;
  /** Headers and body of the request, and every other secret the provider knows. */
  readonly all: string;
}

export interface Gossip {
  readonly url: string;
  /** The next calls that fit are answered like this, one after the other; then the provider is itself again. */
  say(calls: RegExp, ...moods: readonly Mood[]): void;
  /** Moods that nobody has met yet. */
  left(): number;
  close(): void;
}

/**
 * A provider behind a gossip: what no mood answers is passed on.
 * @param more what it repeats beside the request: it knows its clients' secrets, too
 */
export async function startGossip(target: string, more: () => readonly string[] = () => []): Promise<Gossip> {
  const queues: { calls: RegExp; moods: Mood[] }[] = [];
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await bodyOf(req);
    const call = `${req.method} ${req.url?.split('?')[0]}`;
    const mood = queues.find(({ calls, moods }) => calls.test(call) && moods.length > 0)?.moods.shift();
    if (mood) mood(res, wordsOf(req, body, more()));
    else await passOn(`${target}${req.url}`, req, { body, res });
  };
  const server = createServer((req, res) => void answer(req, res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    say: (calls, ...moods) => void queues.push({ calls, moods: [...moods] }),
    left: () => queues.reduce((sum, { moods }) => sum + moods.length, 0),
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

const wordsOf = ({ headers }: IncomingMessage, body: Buffer, more: readonly string[]): Words => {
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
const error = (status: number, type: string, about: (words: Words) => object): Mood => {
  return (res, words) => {
    const body = { error: { type, ...about(words) }, detail: words.all };
    const named = { 'request-id': words.key, 'x-request-id': words.key };
    res.writeHead(status, { 'content-type': 'application/json', ...named }).end(JSON.stringify(body));
  };
};
const html =
  (status: number): Mood =>
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
export const MOVED: Mood = (res, { key, all }) =>
  void res.writeHead(302, { location: `/login?key=${key}`, 'x-said': encodeURIComponent(all).slice(0, 4_000) }).end();
export const CUT: Mood = (res, { all }) =>
  void res.writeHead(200, { 'content-type': 'application/json' }).end(`{"id":${JSON.stringify(all)}`);
/** An object, and not the one that was asked for. */
export const STRANGE: Mood = (res, { key, all }) =>
  void res
    .writeHead(200, { 'content-type': 'application/json', 'request-id': key, 'x-request-id': key })
    .end(JSON.stringify({ id: key, payment_id: key, refund_id: key, object: key, status: key, description: all }));
export const RESET: Mood = (res) => void res.destroy();
/** Until the client gives up. */
export const SILENT: Mood = () => undefined;
