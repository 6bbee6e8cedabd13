import type { IncomingMessage, ServerResponse } from 'node:http';
import { isHead } from '../content-request.js';
import { forgetCaches } from '../gate/paid-head.js';
import type { PaidRequest } from '../paid-request.js';

/** The part of a request that is answered on Node's own response. */
export const onNodeResponse = (
  req: IncomingMessage,
  res: ServerResponse,
): Pick<PaidRequest, 'req' | 'res' | 'headersSoFar' | 'answer'> => ({
  req,
  res,
  headersSoFar: () => res.getHeaders(),
  answer({ status, headers, body }) {
    forgetCaches(res);
    res.statusCode = status;
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    const hasBody = status !== 204 && status !== 304;
    if (hasBody) res.setHeader('Content-Length', Buffer.byteLength(body));
    // A stream of HTTP/2 takes no body after the head of a HEAD.
    if (!hasBody || isHead({ req, res })) res.end();
    else res.end(body);
  },
});

/** As the client named it; requests of HTTP/2 name an authority. */
export function hostHeaderOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const authority = headers[':authority'];
  return headers.host || (typeof authority === 'string' ? authority : 'localhost');
}
