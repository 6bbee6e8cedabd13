import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { canonicalJson, parseJson, sha256 } from '../protocols/wire-json.js';

/** What came with a request, beside its head. */
export interface RequestBody {
  /**
   * Reads it where nobody has yet, and gives it back: whoever reads it afterwards finds all of it.
   * @returns undefined: it is larger than `maxBytes`, or was read before by somebody who did not keep it
   */
  digest(maxBytes: number): Promise<string | undefined>;
}

type WithBody = IncomingMessage & { readonly body?: unknown };

export function requestBody(req: WithBody): RequestBody {
  let known: Promise<string | undefined> | undefined;
  return {
    digest(maxBytes) {
      known ??= digestOf(req, maxBytes);
      return known;
    },
  };
}

async function digestOf(req: WithBody, maxBytes: number): Promise<string | undefined> {
  const { headers } = req;
  const length = headers['content-length'];
  const isThere =
    headers['transfer-encoding'] !== undefined || (length !== undefined ? Number(length) > 0 : isOpen(req));
  if (!isThere) return 'none';
  if (Number(length ?? 0) > maxBytes) return undefined;
  if (req.readableDidRead || req.readableEnded) return parsedDigest(req.body);
  const bytes = await readAndGiveBack(req, maxBytes);
  return bytes && `bytes:${sha256(bytes)}`;
}

/** HTTP/2 tells by its frames whether there is a body, and not by a header. */
const isOpen = (req: IncomingMessage): boolean => {
  const { stream } = req as { stream?: { endAfterHeaders?: boolean } };
  return stream !== undefined && stream.endAfterHeaders === false;
};

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
    const isWhole = () => (length === undefined ? req.complete : read >= Number(length));
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
