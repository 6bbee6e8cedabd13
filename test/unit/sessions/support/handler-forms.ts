import { EventEmitter, once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { NextFunction, Request, Response } from 'express';

/** One way in which handlers answer; what it charges does not depend on whether somebody sells it. */
export interface HandlerForm {
  readonly name: string;
  readonly serve: (req: Request, res: Response, next: NextFunction) => unknown;
  /** What the client sends beside its credential. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What is left of the charge: an answer that fails, or says that nothing has changed, costs nothing. */
  readonly costs: 'charged' | 'nothing';
  /** The client sees that the response is not whole; `client`: because it hung up itself. */
  readonly cut?: 'handler' | 'client';
  /** It writes before it ends. */
  readonly streams?: true;
}

const FOLDER = mkdtempSync(join(tmpdir(), 'makegood-forms-'));
/** Large enough for several reads of a file, for back-pressure and for compression to be worth it. */
const TEXT = Array.from({ length: 6_000 }, (_, line) => `line ${line} of what is sold\n`).join('');
const FILE = join(FOLDER, 'report.txt');
writeFileSync(FILE, TEXT);

/** Tells a handler, by the `X-Visit` of its request, that its client has the first byte. */
export const seen = new EventEmitter().setMaxListeners(0);

/** Until the client has seen a byte, or never will: without `X-Visit` nothing is to leave. */
async function untilSeen(req: Request, res: Response): Promise<void> {
  const visit = req.get('X-Visit');
  await (visit === undefined ? wait(20) : Promise.race([once(seen, visit), once(res, 'close')]));
}

/** A tick that has nothing to do with the response, as a handler that works has. */
const work = () => wait(1);
const pieces = function* pieces(): Generator<string> {
  for (let at = 0; at < TEXT.length; at += 9_000) yield TEXT.slice(at, at + 9_000);
};

export const CHARGE = 3_000n;
const charged =
  (serve: HandlerForm['serve']): HandlerForm['serve'] =>
  (req, res, next) => {
    req.paymentSession?.charge(CHARGE);
    return serve(req, res, next);
  };

const form = (name: string, serve: HandlerForm['serve'], more: Partial<HandlerForm> = {}): HandlerForm => ({
  name,
  serve: charged(serve),
  costs: 'charged',
  ...more,
});
const streamed = (name: string, serve: HandlerForm['serve'], more: Partial<HandlerForm> = {}): HandlerForm =>
  form(name, serve, { streams: true, ...more });
const free = (name: string, serve: HandlerForm['serve'], more: Partial<HandlerForm> = {}): HandlerForm =>
  form(name, serve, { costs: 'nothing', ...more });

const plain = (res: Response) => res.set('Content-Type', 'text/plain; charset=utf-8');

export const HANDLER_FORMS: readonly HandlerForm[] = [
  form('json', (_req, res) => res.json({ text: TEXT })),
  form('send', (_req, res) => res.send('a short answer')),
  form('end', (_req, res) => plain(res).end(TEXT)),
  form('redirect', (_req, res) => res.redirect('/elsewhere')),
  form('writeHead, end', (_req, res) => {
    res.writeHead(201, 'Made', { 'Content-Type': 'text/plain', 'X-List': ['a', 'b'] });
    res.end('made');
  }),
  streamed('write, end', (_req, res) => {
    plain(res).write(TEXT.slice(0, 100));
    res.end(TEXT.slice(100, 200));
  }),
  streamed('write until drain', async (_req, res) => {
    plain(res);
    for (const piece of pieces()) if (!res.write(piece)) await once(res, 'drain');
    res.end();
  }),
  streamed('write with its length', async (_req, res) => {
    plain(res).set('Content-Length', String(TEXT.length));
    for (const piece of pieces()) {
      res.write(piece);
      await work();
    }
    res.end();
  }),
  streamed('async iteration', async (_req, res) => {
    plain(res);
    for await (const piece of Readable.from(pieces())) {
      if (!res.write(piece)) await once(res, 'drain');
    }
    res.end();
  }),
  streamed('pipe', (_req, res) => Readable.from(pieces()).pipe(plain(res))),
  streamed('pipeline', (_req, res) => pipeline(Readable.from(pieces()), plain(res))),
  streamed('pipeTo', async (_req, res) => {
    const source = Readable.toWeb(Readable.from(pieces()));
    await source.pipeTo(Writable.toWeb(plain(res)));
  }),
  streamed('sendFile', (_req, res) => res.sendFile(FILE)),
  streamed('download', (_req, res) => res.download(FILE, 'report.txt')),
  streamed('range', (_req, res) => res.sendFile(FILE), { headers: { Range: 'bytes=10-99' } }),
  streamed('server-sent events', async (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    res.flushHeaders();
    for (let event = 0; event < 3; event += 1) {
      await work();
      res.write(`data: ${event}\n\n`);
    }
    res.end();
  }),
  streamed('trailers', (_req, res) => {
    plain(res).set('Trailer', 'X-Sum');
    res.write('part one, ');
    res.addTrailers({ 'X-Sum': '42' });
    res.end('part two');
  }),
  streamed(
    'throws after its first byte',
    async (req, res) => {
      plain(res).write('the first part');
      await untilSeen(req, res);
      throw new Error('broken');
    },
    { cut: 'handler' },
  ),
  streamed(
    'client hangs up',
    async (req, res) => {
      plain(res).write(TEXT);
      await untilSeen(req, res);
      // Where nothing leaves there is no byte at which the client could.
      if (req.get('X-Visit') === undefined) req.socket.destroy();
    },
    { cut: 'client' },
  ),
  free('throws', () => {
    throw new Error('broken');
  }),
  free('rejects with a status', () => Promise.reject(Object.assign(new Error('bad'), { status: 400 }))),
  free('next(error)', (_req, _res, next) => next(new Error('broken'))),
  free('404', (_req, res) => res.status(404).json({ error: 'no such report' })),
  free('sendFile of nothing', (_req, res) => res.sendFile(join(FOLDER, 'missing.txt'))),
  free('range that cannot be met', (_req, res) => res.sendFile(FILE), { headers: { Range: 'bytes=99999999-' } }),
  free('conditional send', (_req, res) => res.set('ETag', '"one"').send('unchanged'), {
    headers: { 'If-None-Match': '"one"' },
  }),
  free('conditional sendFile', (_req, res) => res.sendFile(FILE), {
    headers: { 'If-Modified-Since': new Date(Date.now() + 86_400_000).toUTCString() },
  }),
  free('piped error page', (_req, res) => Readable.from(['sorry, ', 'broken']).pipe(plain(res.status(502)))),
];
