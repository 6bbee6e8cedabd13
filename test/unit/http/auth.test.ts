import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createAuthenticate } from '../../../src/http/auth.js';
import { API_TOKENS } from '../../support/api.js';

const authenticate = createAuthenticate(API_TOKENS);

it('knows each token, and which person and role it stands for', () => {
  for (const { name, role, token } of API_TOKENS) expect(authenticate(`Bearer ${token}`)).toEqual({ name, role });
});

it('never knows a token that differs in anything', () => {
  const known = new Set<string>(API_TOKENS.map(({ token }) => token));
  const printable = fc.stringMatching(/^[\x21-\x7e]{1,40}$/).filter((token) => !known.has(token));
  fc.assert(
    fc.property(printable, (token) => authenticate(`Bearer ${token}`) === undefined),
    { numRuns: 2_000 },
  );
  for (const token of known) {
    for (let at = 0; at < token.length; at += 1) {
      expect(authenticate(`Bearer ${token.slice(0, at)}~${token.slice(at + 1)}`)).toBeUndefined();
    }
  }
});
