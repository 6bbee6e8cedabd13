import type { Logger } from '../../observability/logger.js';
import type { Authenticate } from '../auth.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem } from '../problem.js';
import { type Call, type CallerSession, type Reply, type Route, route } from '../route.js';
import { refuseForeign } from './caller.js';
import { endedCookie, sessionCookie } from './session-cookie.js';
import { getSessionOperation, type SignInRequest, signInOperation, signOutOperation } from './session-operations.js';
import type { Sessions } from './sessions.js';

export interface SessionRouteDependencies {
  readonly authenticate: Authenticate;
  readonly sessions: Sessions;
  readonly publicUrl: string | undefined;
  readonly logger: Logger;
}

export const sessionRoutes = (dependencies: SessionRouteDependencies): readonly Route[] => [
  route(signInOperation, (call) => signIn(call, dependencies)),
  route(getSessionOperation, ({ principal, session }) => {
    const { csrf } = signedIn(session);
    return Promise.resolve({ status: 200, body: { ...principal, csrf } });
  }),
  route(signOutOperation, async ({ session }) => {
    await fromLedger(signedIn(session).end());
    return { status: 204, body: undefined, headers: { 'Set-Cookie': endedCookie(isSecure(dependencies)) } };
  }),
];

const isSecure = ({ publicUrl }: SessionRouteDependencies): boolean => publicUrl?.startsWith('https:') === true;

/** @throws HttpProblem 401 for the holder of a token, who has no session */
function signedIn(session: CallerSession | undefined): CallerSession {
  if (session) return session;
  throw new HttpProblem('unauthorized', 'nobody is signed in by a cookie: POST /console/session signs in', CHALLENGE);
}

const CHALLENGE = { headers: { 'WWW-Authenticate': 'Bearer realm="makegood"' } };

async function signIn(
  { body, headers }: Call<SignInRequest, unknown>,
  dependencies: SessionRouteDependencies,
): Promise<Reply> {
  const { authenticate, sessions, publicUrl, logger } = dependencies;
  refuseForeign(
    {
      origin: headers.origin?.[0],
      host: headers.host?.[0],
      'sec-fetch-site': headers['sec-fetch-site']?.[0],
    },
    publicUrl,
  );
  const principal = authenticate(`Bearer ${body.token}`);
  if (!principal) throw new HttpProblem('unauthorized', 'this is no token of API_TOKENS', CHALLENGE);
  if (principal.role === 'service')
    throw new HttpProblem('forbidden', 'this token is of a service: a person signs in with a token of his own');
  const { secret, csrf } = await fromLedger(sessions.open(principal, body.token.trim()));
  logger.info({ by: principal.name, role: principal.role }, 'signed in to the console');
  return {
    status: 200,
    body: { ...principal, csrf },
    headers: { 'Set-Cookie': sessionCookie(secret, isSecure(dependencies)) },
  };
}
