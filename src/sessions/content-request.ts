import type { PaidRequest } from './paid-request.js';

/** Also where a layer before has made another method of it (method-override): Node sends no body all the same. */
export function isHead({ req, res }: Pick<PaidRequest, 'req' | 'res'>): boolean {
  const { _hasBody, stream } = res as { _hasBody?: boolean; stream?: { headRequest?: boolean } };
  return req.method === 'HEAD' || _hasBody === false || stream?.headRequest === true;
}

/**
 * Whether a request asks for content, by the rule of npm mppx: HEAD and a POST with neither query nor body only manage the
 * channel (they open it or hand in a voucher), and no handler runs for them.
 */
export function isContentRequest(request: Pick<PaidRequest, 'req' | 'res' | 'originalUrl'>): boolean {
  const { req, originalUrl } = request;
  if (isHead(request)) return false;
  if (req.method !== 'POST') return true;
  const query = originalUrl.indexOf('?');
  if (query >= 0 && query < originalUrl.length - 1) return true;
  const length = req.headers['content-length'];
  return (length !== undefined && length !== '0') || req.headers['transfer-encoding'] !== undefined;
}
