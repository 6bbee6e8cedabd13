import { z } from 'zod';
import { ROLES } from '../../domain/roles.js';
import { READERS } from '../allowed-roles.js';
import { NOTHING, type Operation } from '../route.js';
import { text } from '../schema-parts.js';

export const SignInRequest = z.strictObject({ token: text(1_000).describe('Of API_TOKENS; it is not kept.') });
export type SignInRequest = z.output<typeof SignInRequest>;

const SessionAnswer = z
  .object({
    name: z.string(),
    role: z.enum(ROLES),
    csrf: z.string().describe('To be sent as X-CSRF-Token with whatever changes something.'),
  })
  .meta({ id: 'Session' });

const PATH = '/console/session';

export const signInOperation = {
  id: 'signIn',
  method: 'POST',
  path: PATH,
  summary:
    'Sign in to the console: the token of a person becomes a cookie, makegood_session, that scripts cannot read.',
  roles: 'public',
  limited: true,
  body: SignInRequest,
  query: NOTHING,
  answers: { 200: { description: 'Signed in; Set-Cookie has the session.', schema: SessionAnswer } },
  problems: ['unauthorized', 'forbidden', 'foreign_origin', 'rate_limited', 'ledger_unavailable'],
} satisfies Operation<SignInRequest>;

export const getSessionOperation = {
  id: 'getSession',
  method: 'GET',
  path: PATH,
  summary: 'Who is signed in by the cookie of this request.',
  roles: READERS,
  body: NOTHING,
  query: NOTHING,
  answers: { 200: { description: 'The session.', schema: SessionAnswer } },
  problems: ['ledger_unavailable'],
} satisfies Operation;

export const signOutOperation = {
  id: 'signOut',
  method: 'DELETE',
  path: PATH,
  summary: 'End the session of this cookie: whoever has a copy of it is refused from now on.',
  roles: READERS,
  body: NOTHING,
  query: NOTHING,
  answers: { 204: { description: 'The session is gone.', empty: true } },
  problems: ['ledger_unavailable'],
} satisfies Operation;

export const SESSION_OPERATIONS: readonly Operation[] = [signInOperation, getSessionOperation, signOutOperation];
