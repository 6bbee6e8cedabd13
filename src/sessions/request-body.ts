import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
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

type WithBody = Pick<PaidRequest, 'req' | 'parsedBody'>;

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
  const { req } = request;
  const { headers } = req;
  const length = headers['content-length'];
  const isThere =
    headers['transfer-encoding'] !== undefined ||
    (length !== undefined ? Number(length) > 0 : framesOf(req)?.endAfterHeaders === false);
  if (!isThere) return 'none';
  if (Number(length ?? 0) > maxBytes) return undefined;
  if (req.readableDidRead || req.readableEnded) return parsedDigest(request.parsedBody());
  const bytes = await readAndGiveBack(req, maxBytes);
  return bytes && `bytes:${sha256(bytes)}`;
}

/** HTTP/2 tells by its frames whether there is a body and where it ends, and not by headers. */
const framesOf = (req: IncomingMessage) =>
  (req as { stream?: { readonly endAfterHeaders?: boolean; readonly readableEnded: boolean } }).stream;

/** What a parser before us has made of it. */
function parsedDigest(body: unknown): string | undefined {
  if (typeof body === 'string' || body instanceof Uint8Array)
    return `bytes:${createHash('sha256').update(body).digest('hex')}`;
  const json = body === undefined ? undefined : parseJson(JSON.stringify(body) ?? '');
  return json === undefined ? undefined : `parsed:${sha256(canonicalJson(json))}`;
}

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
      req.off('readable', onReadable);
      req.off('close', onClose);
      const bytes = Buffer.concat(chunks);
      if (bytes.length > 0 && !req.destroyed) req.unshift(bytes);
      resolve(whole ? bytes : undefined);
    };
    const onClose = () => done(false);
    const onReadable = () => {
      for (let chunk: unknown = req.read(); chunk !== null; chunk = req.read()) {
        const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk as string);
        chunks.push(bytes);
        read += bytes.length;
        if (read > maxBytes) return done(false);
        if (isWhole()) return done(true);
      }
      if (isWhole()) done(true);
    };
    req.on('readable', onReadable);
    req.once('close', onClose);
  });
}
