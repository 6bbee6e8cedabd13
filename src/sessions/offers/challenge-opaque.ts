import { randomBytes } from 'node:crypto';
import type { Challenge } from 'mppx';
import type { JsonObject } from '../../domain/json.js';
import { fromBase64, isObject, parseJson, sha256 } from '../../protocols/wire-json.js';
import { sameJson } from './match-json.js';

/** Beside what a challenge is for: what makes it one of a kind, so that only who was given it can answer it. */
const NONCE = 'nonce';
/** And the channel whose payer had proved himself when he was given it. */
const GIVEN_TO = 'channel';
const NONCE_BYTES = 16;
/** Characters of a resource that is named as it is: a longer one would be in the head of a 402 once more for each challenge. */
const LONGEST_NAME = 80;

const nameOf = (target: string): string => (target.length > LONGEST_NAME ? `sha256:${sha256(target)}` : target);

/** The part of a challenge that says what it is for, and whom; whoever answers must echo it unchanged. */
export const mppOpaque = (target: string, givenTo: string | undefined): Record<string, string> => ({
  resource: nameOf(target),
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
  return {
    // Builds before this one named every resource as it is.
    isFor: (target) => [nameOf(target), target].some((resource) => sameJson(rest, { resource })),
    givenTo,
  };
}
