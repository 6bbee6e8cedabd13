import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiToken } from '../domain/roles.js';
import { HttpProblem } from './problem.js';
import type { Operation, Principal } from './route.js';

/** Finds who sent a request; undefined: nobody we know. */
export type Authenticate = (authorization: string | undefined) => Principal | undefined;

/**
 * Compares digests of one length, and always all of them: the time an answer takes tells nothing about a token or about
 * how many there are before it.
 * @param tokens looked at for each request: whoever reloads settings changes this list
 */
export function createAuthenticate(tokens: readonly ApiToken[]): Authenticate {
  const digests = new WeakMap<ApiToken, Buffer>();
  const known = (token: ApiToken): Buffer => {
    const digest = digests.get(token) ?? digestOf(token.token);
    digests.set(token, digest);
    return digest;
  };
  return (authorization) => {
    const [, token] = /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? '') ?? [];
    if (token === undefined) return undefined;
    const digest = digestOf(token);
    let found: Principal | undefined;
    for (const entry of tokens)
      if (timingSafeEqual(known(entry), digest)) found = { name: entry.name, role: entry.role };
    return found;
  };
}

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** Stands in for the principal of public operations, which read none. */
const NOBODY: Principal = { name: 'nobody', role: 'viewer' };

/** @throws HttpProblem 401 or 403 */
export function authorize(
  operation: Operation,
  principal: Principal | undefined,
  authorization: string | undefined,
): Principal {
  if (operation.roles === 'public') return NOBODY;
  if (!principal) {
    const challenge = authorization === undefined ? '' : ', error="invalid_token"';
    throw new HttpProblem('unauthorized', 'send Authorization: Bearer <token> with a token of API_TOKENS', {
      headers: { 'WWW-Authenticate': `Bearer realm="makegood"${challenge}` },
    });
  }
  if (!operation.roles.includes(principal.role)) {
    throw new HttpProblem(
      'forbidden',
      `the role ${principal.role} may not do this; it takes one of: ${operation.roles.join(', ')}`,
    );
  }
  return principal;
}
