import type { Request, RequestHandler, Response } from 'express';
import { inexactNumbers } from './exact-integers.js';
import { HttpProblem } from './problem.js';
import { INVALID_BODY, type Operation } from './route.js';

const DEFAULT_LIMIT_BYTES = 100 * 1024;
/** Of a body that is too large, so much is read away: most clients read the answer only after they have sent it all. */
const DISCARD_BYTES = 4 * 1024 * 1024;

/** Runs one middleware as a step of a function that reads top to bottom. */
export const step = (middleware: RequestHandler, req: Request, res: Response): Promise<void> =>
  new Promise((resolve, reject) => {
    middleware(req, res, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(error instanceof Error ? error : new Error('a middleware failed', { cause: error }));
    });
  });

type BodyOptions = Pick<Operation, 'bodyLimitBytes' | 'exactIntegers'>;

/**
 * Reads a JSON body into a value; undefined when there is none.
 * @throws HttpProblem 400, 413 or 415; nothing has been done with the request then
 */
export async function readBody(req: Request, options: BodyOptions): Promise<unknown> {
  if (!hasBody(req)) return undefined;
  const encoding = req.headers['content-encoding'] ?? 'identity';
  // A compressed body is refused: the limit would be one on what arrives, not on what it becomes.
  if (!req.is('application/json') || !isUtf8(req) || encoding !== 'identity') {
    throw new HttpProblem(
      'unsupported_media_type',
      'send Content-Type: application/json, in UTF-8 and not compressed',
      CLOSE,
    );
  }
  const { text, value } = parse(await readBytes(req, options.bodyLimitBytes));
  const errors = options.exactIntegers ? inexactNumbers(text) : [];
  if (errors.length > 0) throw new HttpProblem('invalid_request', INVALID_BODY, { errors });
  return value;
}

function parse(bytes: Buffer): { readonly text: string; readonly value: unknown } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { text, value: JSON.parse(text) };
  } catch {
    // The parser's own text quotes the body.
    throw malformed();
  }
}

/** What is left of the body is not read, so the connection cannot be used again. */
const CLOSE = { headers: { Connection: 'close' } };

const malformed = () => new HttpProblem('malformed_json', 'the body is not complete, valid JSON: nothing was stored');

const hasBody = (req: Request): boolean =>
  req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;

/** The only encoding of JSON between systems (RFC 8259 §8.1). */
function isUtf8(req: Request): boolean {
  const [, charset] = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(req.headers['content-type'] ?? '') ?? [];
  return charset === undefined || charset.toLowerCase() === 'utf-8';
}

/** The body as it came, whatever it is. @throws HttpProblem 400 for one that ends too early, 413 */
export function readBytes(req: Request, limitBytes: number = DEFAULT_LIMIT_BYTES): Promise<Buffer> {
  const tooLarge = new HttpProblem(
    'body_too_large',
    `the body may have ${limitBytes} bytes: nothing was stored`,
    CLOSE,
  );
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limitBytes) chunks.push(chunk);
      else if (size > limitBytes + DISCARD_BYTES) done(() => reject(tooLarge));
    };
    const onEnd = () => done(() => (size > limitBytes ? reject(tooLarge) : resolve(Buffer.concat(chunks))));
    const onGone = () => done(() => reject(malformed()));
    const done = (settle: () => void) => {
      req.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      settle();
    };
    req.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}
