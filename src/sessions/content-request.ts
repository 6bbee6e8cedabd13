import type { IncomingMessage } from 'node:http';

/**
 * Whether a request asks for content, by the rule of npm mppx: HEAD and a POST with neither query nor body only manage the
 * channel (they open it or hand in a voucher), and no handler runs for them.
 */
export function isContentRequest(req: Pick<IncomingMessage, 'method' | 'headers'> & { originalUrl: string }): boolean {
  if (req.method === 'HEAD') return false;
  if (req.method !== 'POST') return true;
  const query = req.originalUrl.indexOf('?');
  if (query >= 0 && query < req.originalUrl.length - 1) return true;
  const length = req.headers['content-length'];
  return (length !== undefined && length !== '0') || req.headers['transfer-encoding'] !== undefined;
}
