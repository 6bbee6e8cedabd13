import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Authenticate } from '../auth.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem } from '../problem.js';
import type { CallerSession } from '../route.js';
import { secretIn } from './session-cookie.js';
import type { Caller, Sessions } from './sessions.js';

interface CallerDependencies {
  readonly authenticate: Authenticate;
  readonly sessions: Sessions;
  readonly publicUrl: string | undefined;
}

/**
 * Who sent a request: the holder of a token, or of a session. A request with a token is judged by it alone.
 * @throws HttpProblem 403 for a cookie that was sent by a page of somebody else
 */
export const createFindCaller =
  ({ authenticate, sessions, publicUrl }: CallerDependencies) =>
  async (headers: IncomingHttpHeaders): Promise<Caller | undefined> => {
    if (headers.authorization !== undefined) {
      const principal = authenticate(headers.authorization);
      return principal && { principal, session: undefined };
    }
    const secret = secretIn(headers.cookie);
    if (secret === undefined) return undefined;
    refuseForeign(headers, publicUrl);
    return await fromLedger(sessions.find(secret));
  };

/** Browsers say where a request comes from, and no page can change what they say. @throws HttpProblem 403 */
export function refuseForeign(headers: IncomingHttpHeaders, publicUrl: string | undefined): void {
  const site = headers['sec-fetch-site'];
  const isForeign = site !== undefined && site !== 'same-origin' && site !== 'none';
  if (isForeign || (headers.origin !== undefined && !isOurs(headers.origin, headers.host, publicUrl)))
    throw new HttpProblem(
      'foreign_origin',
      'a session is only for the pages of this server: nothing was done. Where a proxy changes the host, PUBLIC_URL has to name it',
    );
}

function isOurs(origin: string, host: string | undefined, publicUrl: string | undefined): boolean {
  if (publicUrl !== undefined && origin === new URL(publicUrl).origin) return true;
  return (
    host !== undefined && URL.canParse(origin) && /^https?:/.test(origin) && new URL(origin).host === host.toLowerCase()
  );
}

const READS: readonly (string | undefined)[] = ['GET', 'HEAD'];

/** @throws HttpProblem 403 for a change that comes by a session and does not bear its token */
export function requireCsrfToken(
  { session }: { readonly session: CallerSession | undefined },
  { method, headers }: { readonly method?: string | undefined; readonly headers: IncomingHttpHeaders },
): void {
  if (session === undefined || READS.includes(method)) return;
  const given = headers['x-csrf-token'];
  const [sent, wanted] = [Buffer.from(typeof given === 'string' ? given : ''), Buffer.from(session.csrf)];
  if (sent.length === wanted.length && timingSafeEqual(sent, wanted)) return;
  throw new HttpProblem(
    'csrf_token_missing',
    'a change that comes by a session has to bear its token in X-CSRF-Token (GET /console/session tells it): nothing was done',
  );
}
