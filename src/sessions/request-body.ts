import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { canonicalJson, parseJson, sha256 } from '../protocols/wire-json.js';
import type { PaidRequest } from './paid-request.js';

/** What came with a request, beside its head. */
export interface RequestBody {
  /**
   * Reads it where nobody has yet, and gives it back: whoever reads it afterwards finds all of it.
   * @returns undefined: it is larger than `maxBytes`, or was read before by somebody who did not keep it
   */
  digest(maxBytes: number): Promise<string | undefined>;
}

type WithBody = Pick<PaidRequest, 'req' | 'res' | 'parsedBody'>;

export function requestBody(request: WithBody): RequestBody {
  let known: Promise<string | undefined> | undefined;
  return {
    digest(maxBytes) {
      known ??= digestOf(request, maxBytes);
      return known;
    },
  };
}

async function digestOf(request: WithBody, maxBytes: number): Promise<string | undefined> {
  const { req, res } = request;
  const { headers } = req;
  const length = headers['content-length'];
  const isThere =
    headers['transfer-encoding'] !== undefined ||
    (length !== undefined ? Number(length) > 0 : framesOf(req)?.endAfterHeaders === false);
  if (!isThere) return 'none';
  if (Number(length ?? 0) > maxBytes) return undefined;
  if (req.readableDidRead || req.readableEnded) return parsedDigest(request);
  letItSend(request);
  const bytes = await readAndGiveBack(req, maxBytes);
  if (bytes === undefined) dropRest(req, res);
  return bytes && `bytes:${sha256(bytes)}`;
}

/** A client may wait until it is told to go on, where the application has kept to itself when that is. */
function letItSend({ req, res }: WithBody): void {
  if (/(^|\W)100-continue(\W|$)/i.test(req.headers.expect ?? '') && Reflect.get(res, '_sent100') === false)
    res.writeContinue();
}

/** Node drops what is left of a body that nobody has begun to read, so that its connection can go on; we have begun to. */
function dropRest(req: IncomingMessage, res: ServerResponse): void {
  const answer = framesOf(req) ?? res;
  answer.once('finish', () => {
    if (req.readableFlowing === null) req.resume();
  });
}

/** HTTP/2 tells by its frames whether there is a body and where it ends, and not by headers. */
const framesOf = (req: IncomingMessage) =>
  (req as { stream?: EventEmitter & { readonly endAfterHeaders?: boolean; readonly readableEnded: boolean } }).stream;

/** What a parser before us has made of it. */
function parsedDigest({ req, parsedBody }: WithBody): string | undefined {
  const body = parsedBody();
  if (typeof body === 'string' || body instanceof Uint8Array) return `bytes:${sha256(body)}`;
  // Parsers of these put files elsewhere.
  if (/^multipart\//i.test(req.headers['content-type'] ?? '')) return undefined;
  const json = parseJson(jsonOf(body) ?? '');
  return json === undefined ? undefined : `parsed:${sha256(canonicalJson(json))}`;
}

/** undefined: JSON cannot say it. */
function jsonOf(body: unknown): string | undefined {
  try {
    return JSON.stringify(body);
  } catch {
    return undefined;
  }
}

/** A client that names its payment has its body ready; one that is slower than this is served without a name. */
const PATIENCE_MS = 2_000;

/** Everything is put back in the very turn in which the last of it was read, before the stream tells anybody that it has ended. */
function readAndGiveBack(req: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const length = req.headers['content-length'];
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let read = 0;
    // A request of HTTP/2 is complete only once it has said that it has ended, which is too late to give anything back.
    const hasEnded = () => req.complete || framesOf(req)?.readableEnded === true;
    const isWhole = () => (length === undefined ? hasEnded() : read >= Number(length));
    const done = (whole: boolean) => {
      clearTimeout(late);
      req.off('readable', onReadable);
      req.off('close', onClose);
      const bytes = Buffer.concat(chunks);
      if (bytes.length > 0 && !req.destroyed) req.unshift(bytes);
      resolve(whole ? bytes : undefined);
    };
    const onClose = () => done(false);
    // Its handler may be meant to answer while it comes.
    const late = setTimeout(() => done(false), PATIENCE_MS);
    const onReadable = () => {
      // One that has ended tells everybody when nothing is read from it, and then nothing can be given back.
      while (req.readableLength > 0) {
        const chunk: unknown = req.read();
        if (chunk === null) break;
        const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk as string);
        chunks.push(bytes);
        read += bytes.length;
        if (read > maxBytes) return done(false);
        if (isWhole()) return done(true);
      }
      if (isWhole()) done(true);
    };
    if (req.readableLength === 0 && isWhole()) return done(true);
    req.on('readable', onReadable);
    req.once('close', onClose);
  });
}
