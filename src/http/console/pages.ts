import type { Express, Request, Response } from 'express';
import { HttpProblem } from '../problem.js';

/** No script and no style but our own files. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const ABOUT_A_YEAR_SECONDS = 31_536_000;

/**
 * The pages of the console: files of `root`, and its index for whatever else is a place inside the console.
 * @param told is given the name under which metrics count a request
 */
export function mountConsole(app: Express, root: string, told: (req: Request, route: string) => void): void {
  app.use('/console', (req, res, next) => {
    told(req, '/console');
    if (req.method !== 'GET' && req.method !== 'HEAD')
      throw new HttpProblem('method_not_allowed', 'the console takes GET, HEAD', { headers: { Allow: 'GET, HEAD' } });
    const path = decodeURIComponent(req.path);
    if (TRICKS.test(path)) throw notFound();
    res.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    res.setHeader('X-Frame-Options', 'DENY');
    const isAsset = path.startsWith('/assets/');
    const file = FILE.test(path) ? path.slice(1) : undefined;
    if (file === undefined && isAsset) throw notFound();
    // The names of assets tell their content; everything else changes with the next build.
    const kept = isAsset ? `public, max-age=${ABOUT_A_YEAR_SECONDS}, immutable` : 'no-cache';
    const orElse = isAsset ? () => next(notFound()) : () => index(res, root, next);
    if (file === undefined) orElse();
    else sendFile(res, { root, file, kept }, (error) => (error === MISSING ? orElse() : next(error)));
  });
}

const notFound = () => new HttpProblem('not_found', 'the console has no such file');

/** What names no place of ours, however it is written; a percent sign that is left was written twice. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
// oxlint-disable-next-line no-control-regex
const TRICKS = /(?:^|\/)\.|\\|%|[\x00-\x1f\x7f]|\/\//;
/** No file of a build begins with a point, or has none. */
const FILE = /^(?:\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*\/[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+$/;

const MISSING = Symbol('there is no such file');

interface Sent {
  readonly root: string;
  readonly file: string;
  readonly kept: string;
}

function sendFile(res: Response, { root, file, kept }: Sent, failed: (error: unknown) => void): void {
  res.setHeader('Cache-Control', kept);
  res.sendFile(file, { root, dotfiles: 'deny', cacheControl: false }, (error?: Error & { status?: number }) => {
    if (error === undefined) return;
    // Whoever asked has gone.
    if (res.headersSent) res.destroy();
    else failed(error.status === 404 ? MISSING : error);
  });
}

const index = (res: Response, root: string, next: (error: unknown) => void): void =>
  sendFile(res, { root, file: 'index.html', kept: 'no-cache' }, (error) => {
    if (error === MISSING) res.status(503).type('html').send(NOT_BUILT);
    else next(error);
  });

const NOT_BUILT = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Makegood: the console is not built</title></head>
<body><h1>The console is not built</h1>
<p>The server runs, and its pages are missing: <code>npm run build</code> makes them (dist/web). The API and the command <code>makegood</code> work without.</p>
</body></html>
`;
