import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { projectRoot } from '../../../sandbox/stack/project-root.js';
import type { Role } from '../../../src/domain/roles.js';
import { type Planned, plannedAnswer } from './planned-answers.js';

/** The built pages with an API whose every answer is planned, behind the policy that the server sends with them. */
export interface PagesServer {
  readonly url: string;
  /** Who is signed in; undefined: nobody. */
  signedIn(as: { readonly name: string; readonly role: Role } | undefined): void;
  /** What is answered below a path instead, until it is asked for no more. */
  answer(path: string, planned: Planned | 'never' | undefined): void;
  /** What becomes of every planned answer before it is sent. */
  through(change: (body: unknown) => unknown): void;
  /** Whether changes are sent. */
  live(is: boolean): void;
  /** What was sent to change something, in order. */
  readonly posted: { readonly path: string; readonly body: unknown; readonly csrf: string | undefined }[];
  stop(): Promise<void>;
}

const CONTENT_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "object-src 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export async function startPagesServer(): Promise<PagesServer> {
  const folder = join(projectRoot(), 'dist', 'web');
  const posted: PagesServer['posted'] = [];
  const instead = new Map<string, Planned | 'never'>();
  let session: { readonly name: string; readonly role: Role } | undefined = { name: 'olga', role: 'operator' };
  let isLive = true;
  let change = (body: unknown): unknown => body;
  const server = createServer((req, res) => void handle(req, res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(req.url ?? '/', url);
    const method = req.method ?? 'GET';
    const body = method === 'POST' ? ((await bodyOf(req)) as { token?: string; dry_run?: boolean }) : {};
    if (pathname === '/console/session') return sessionAnswer(method, body, res);
    if (pathname.startsWith('/console')) return file(pathname, res);
    if (pathname === '/api/v1/events') return events(res);
    if (method === 'POST')
      posted.push({ path: pathname, body, csrf: req.headers['x-csrf-token'] as string | undefined });
    const planned = instead.get(pathname) ?? plannedAnswer(method, pathname, searchParams, body);
    if (planned !== 'never') json(res, { ...planned, body: change(planned.body) });
  }

  function sessionAnswer(method: string, { token }: { token?: string }, res: ServerResponse): void {
    if (method === 'DELETE') {
      session = undefined;
      res.writeHead(204).end();
      return;
    }
    if (method === 'POST' && token === 'token-of-the-night') session = { name: 'olga', role: 'operator' };
    if (session && (method === 'GET' || token === 'token-of-the-night'))
      return json(res, { status: 200, body: { ...session, csrf: 'csrf-of-the-night' } });
    json(res, {
      status: 401,
      body: {
        title: 'A valid token is needed',
        status: 401,
        detail: 'nobody has this token',
        code: 'unauthorized',
        request_id: 'req-of-the-night',
      },
    });
  }

  function file(pathname: string, res: ServerResponse): void {
    const path = normalize(join(folder, pathname.replace(/^\/console\/?/, '')));
    const found = extname(path) !== '' && existsSync(path) ? path : join(folder, 'index.html');
    res.writeHead(200, {
      'Content-Type': TYPES[extname(found)],
      'Content-Security-Policy': CONTENT_POLICY,
      'Cache-Control': found.includes('assets') ? 'max-age=3600, immutable' : 'no-cache',
    });
    res.end(readFileSync(found));
  }

  function events(res: ServerResponse): void {
    if (!isLive) return json(res, { status: 503, body: {} });
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    res.write(': here\n\n');
  }

  return {
    url,
    posted,
    signedIn(as) {
      session = as;
    },
    answer(path, planned) {
      if (planned) instead.set(path, planned);
      else instead.delete(path);
    },
    through(given) {
      change = given;
    },
    live(is) {
      isLive = is;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function json(res: ServerResponse, { status, body }: Planned): void {
  res.writeHead(status, { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json' });
  res.end(JSON.stringify(body));
}

async function bodyOf(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString('utf8'));
}
