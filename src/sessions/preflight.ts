import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a browser asks before it sends a page's request (Fetch, CORS-preflight request). It carries no payment. */
export const isPreflight = ({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): boolean =>
  method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;

/** It ends here, because no handler may run for what nobody has paid. It allows what layers before have allowed. */
export function answerPreflight(res: Pick<ServerResponse, 'statusCode' | 'setHeader' | 'end'>): void {
  res.statusCode = 204;
  // Some browsers wait for a body that is not told to be empty.
  res.setHeader('Content-Length', '0');
  res.end();
}
