import { randomBytes } from 'node:crypto';
import type { Challenge } from 'mppx';
import type { JsonObject } from '../../domain/json.js';
import { fromBase64, isObject, parseJson } from '../../protocols/wire-json.js';
import { sameJson } from './match-json.js';

/** Beside what a challenge is for: what makes it one of a kind, so that only who was given it can answer it. */
const NONCE = 'nonce';
/** And the channel whose payer had proved himself when he was given it. */
const GIVEN_TO = 'channel';
const NONCE_BYTES = 16;

/** The part of a challenge that says what it is for, and whom; whoever answers must echo it unchanged. */
export const mppOpaque = (target: string, givenTo: string | undefined): Record<string, string> => ({
  resource: target,
  [NONCE]: randomBytes(NONCE_BYTES).toString('base64url'),
  ...(givenTo !== undefined && { [GIVEN_TO]: givenTo }),
});

export interface Opaque {
  readonly isFor: (target: string) => boolean;
  readonly givenTo: JsonObject[string] | undefined;
}

/** Of a challenge whose id has proved that it is ours. */
export function readOpaque({ opaque }: Pick<Challenge.Challenge, 'opaque'>): Opaque {
  const read = parseJson(fromBase64(opaque ?? '') ?? '');
  const { [NONCE]: _nonce, [GIVEN_TO]: givenTo, ...rest } = isObject(read) ? read : {};
  return { isFor: (target) => sameJson(rest, { resource: target }), givenTo };
}
