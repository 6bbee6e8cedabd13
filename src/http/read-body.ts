import { json, type Request, type RequestHandler, type Response } from 'express';
import { HttpProblem } from './problem.js';

const DEFAULT_LIMIT_BYTES = 100 * 1024;

/** Runs one middleware as a step of a function that reads top to bottom. */
export const step = (middleware: RequestHandler, req: Request, res: Response): Promise<void> =>
  new Promise((resolve, reject) => {
    middleware(req, res, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(error instanceof Error ? error : new Error('a middleware failed', { cause: error }));
    });
  });

/**
 * Reads a JSON body into a value.
 * @throws HttpProblem 400, 413 or 415; nothing has been done with the request then
 */
export function createBodyReader(limitBytes: number = DEFAULT_LIMIT_BYTES) {
  // A compressed body is refused: the limit would be one on what arrives, not on what it becomes.
  const parse = json({ limit: limitBytes, inflate: false, strict: false });
  return async function readBody(req: Request, res: Response): Promise<unknown> {
    if (hasBody(req) && !req.is('application/json')) {
      throw new HttpProblem('unsupported_media_type', 'send Content-Type: application/json');
    }
    try {
      await step(parse, req, res);
    } catch (error) {
      throw bodyProblem(error, limitBytes);
    }
    const body: unknown = req.body;
    return body;
  };
}

const hasBody = (req: Request): boolean =>
  req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;

/** body-parser marks its errors with the status that it means. Its texts may quote the body, so none is passed on. */
function bodyProblem(error: unknown, limitBytes: number): unknown {
  const status: unknown = error instanceof Error && 'status' in error ? error.status : undefined;
  switch (status) {
    case 413:
      return new HttpProblem('body_too_large', `the body may have ${limitBytes} bytes: nothing was stored`);
    case 415:
      return new HttpProblem('unsupported_media_type', 'send plain UTF-8 JSON, not compressed or in another encoding');
    case 400:
      return new HttpProblem('malformed_json', 'the body is not complete, valid JSON: nothing was stored');
    default:
      return error;
  }
}
