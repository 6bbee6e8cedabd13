import type { ServerResponse } from 'node:http';
import type { PlainAnswer } from './wire.js';

/** Whoever looks at a response later, as access logs do, finds in it the answer that was sent in its place. */
export function sayInstead(res: ServerResponse, { status, headers, body }: PlainAnswer): void {
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.setHeader('Content-Length', Buffer.byteLength(body));
  res.statusCode = status;
}
