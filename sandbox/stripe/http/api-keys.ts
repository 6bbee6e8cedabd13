import type { World } from '../state/records.js';
import { type Problem, unauthorized } from './problems.js';

/** Which secret keys open which platform. */
export interface ApiKeys {
  /** Null: every key that looks like one opens the platform of the stand-in. */
  accepted(): Readonly<Record<string, string>> | null;
  revoked(): readonly string[];
  set(keys: {
    readonly accepted?: Readonly<Record<string, string>> | null;
    readonly revoked?: readonly string[];
  }): void;
  /** From the header Authorization, Bearer or Basic with the key as the name. */
  open(authorization: string | undefined): { readonly world: World } | { readonly problem: Problem };
}

const SECRET_KEY = /^(?:sk|rk)_(test|live)_[A-Za-z0-9_]+$/;

/** @param only the one key let in at first; undefined: any */
export function createApiKeys(platform: string, only: string | undefined): ApiKeys {
  let accepted: Readonly<Record<string, string>> | null = only === undefined ? null : { [only]: platform };
  let revoked: readonly string[] = [];
  return {
    accepted: () => accepted,
    revoked: () => revoked,
    set(keys) {
      if (keys.accepted !== undefined) accepted = keys.accepted;
      if (keys.revoked !== undefined) revoked = keys.revoked;
    },
    open(authorization) {
      const key = keyOf(authorization);
      if (key === undefined) return { problem: unauthorized('You did not provide an API key.') };
      if (key.startsWith('pk_')) {
        return { problem: unauthorized('This call needs a secret key, not a publishable one.', 'secret_key_required') };
      }
      if (revoked.includes(key)) {
        return { problem: unauthorized(`Expired API key provided: ${masked(key)}`, 'api_key_expired') };
      }
      const mode = SECRET_KEY.exec(key)?.[1];
      const opens = accepted === null ? platform : accepted[key];
      if (mode === undefined || opens === undefined) {
        return { problem: unauthorized(`Invalid API Key provided: ${masked(key)}`) };
      }
      return { world: { platform: opens, livemode: mode === 'live' } };
    },
  };
}

function keyOf(authorization: string | undefined): string | undefined {
  const [, scheme, value = ''] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization ?? '') ?? [];
  if (scheme === undefined) return undefined;
  if (scheme.toLowerCase() === 'bearer') return value;
  return Buffer.from(value, 'base64').toString('utf8').split(':')[0];
}

/** Enough to tell two keys apart and too little to use one. */
const masked = (key: string): string => `${key.slice(0, 8)}…${key.slice(-4)}`;
