import type { Clock } from '../../../src/domain/clock.js';
import type { KeyRecord, World } from '../state/records.js';
import type { Store } from '../state/store.js';
import { canonical, type FormPairs } from './form.js';
import { invalid, keyInUse, keyMisused, type Problem } from './problems.js';

const DAY_MS = 86_400_000;
const LONGEST_KEY = 255;

/** One request under a key. */
export interface KeyedRequest {
  readonly world: World;
  readonly account: string;
  readonly key: string;
  readonly path: string;
  readonly pairs: FormPairs;
}

export type KeyTurn =
  /** The first answer, whatever it was; nothing is carried out. */
  | { readonly kind: 'replay'; readonly saved: KeyRecord }
  | { readonly kind: 'refused'; readonly problem: Problem }
  | { readonly kind: 'first'; readonly turn: FirstTurn };

/** This request carries the key out; `end` must follow in any case, or the key stays in use for ever. */
export interface FirstTurn {
  /** The row that keeps the answer; to be committed with what the request did. */
  saved(answer: Pick<KeyRecord, 'status' | 'body' | 'requestId'>): KeyRecord;
  end(): void;
}

export interface IdempotencyKeys {
  begin(request: KeyedRequest): KeyTurn;
  /** Whether this request would be answered from memory. */
  remembers(request: KeyedRequest): boolean;
  lifetimeMs(): number;
  setLifetime(ms: number): void;
  clear(): void;
}

/** docs.stripe.com/api/idempotent_requests: the first answer is kept for at least 24 hours, errors included. */
export function createIdempotencyKeys(store: Store, clock: Clock): IdempotencyKeys {
  const inUse = new Set<string>();
  let lifetime = DAY_MS;
  const remembered = (scope: string, key: string): KeyRecord | undefined => {
    const row = store.key(scope, key);
    return row !== undefined && clock.nowMs() - row.firstAtMs < lifetime ? row : undefined;
  };
  return {
    remembers: (request) => remembered(scopeOf(request), request.key) !== undefined,
    begin(request) {
      const { key, path, pairs } = request;
      const problem = unusable(key);
      if (problem) return { kind: 'refused', problem };
      const scope = scopeOf(request);
      const endpoint = `POST ${path}`;
      const params = canonical(pairs);
      const place = `${scope}\n${key}`;
      if (inUse.has(place)) return { kind: 'refused', problem: keyInUse };
      const saved = remembered(scope, key);
      if (saved !== undefined) {
        if (saved.endpoint !== endpoint) return { kind: 'refused', problem: keyMisused(key, saved.endpoint) };
        if (saved.params !== params) return { kind: 'refused', problem: keyMisused(key, 'other parameters') };
        return { kind: 'replay', saved };
      }
      inUse.add(place);
      return {
        kind: 'first',
        turn: {
          saved: (answer) => ({ ...answer, scope, key, endpoint, params, firstAtMs: clock.nowMs() }),
          end: () => void inUse.delete(place),
        },
      };
    },
    lifetimeMs: () => lifetime,
    setLifetime(ms) {
      lifetime = ms;
    },
    clear() {
      inUse.clear();
      lifetime = DAY_MS;
    },
  };
}

const scopeOf = ({ world, account }: KeyedRequest): string =>
  `${world.platform} ${account} ${world.livemode ? 'live' : 'test'}`;

function unusable(key: string): Problem | undefined {
  if (key.trim() === '') return invalid('The idempotency key is empty.');
  return key.length > LONGEST_KEY ? invalid(`An idempotency key has at most ${LONGEST_KEY} characters.`) : undefined;
}

/**
 * Whether a key keeps this answer: limits and 409 come before the endpoint begins, and so does the question who asks. That
 * a 403 is not kept is our reading, the documents do not say.
 */
export const isKept = (status: number): boolean => ![401, 403, 409, 429].includes(status);
