import type { IncomingMessage } from 'node:http';
import type { PlainAnswer } from './gate/wire.js';

/** What a browser asks before it sends a page's request (Fetch, CORS-preflight request). It carries no payment. */
export const isPreflight = ({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): boolean =>
  method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;

/** It ends here, because no handler may run for what nobody has paid. It allows what layers before have allowed. */
export const PREFLIGHT_ANSWER: PlainAnswer = {
  status: 204,
  // Some browsers wait for a body that is not told to be empty.
  headers: { 'Content-Length': '0' },
  body: '',
};
