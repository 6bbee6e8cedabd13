import type { Certainty } from './certainty.js';

const HOUR_MS = 3_600_000;
/** Stripe keeps a key for at least 24 hours; an hour's margin covers the call itself and clocks that disagree. */
export const KEY_REUSABLE_MS = 23 * HOUR_MS;
/** From here on Stripe has surely forgotten it; in between nobody knows, so nothing is sent. */
export const KEY_FORGOTTEN_MS = 25 * HOUR_MS;
/** Two looks this far apart are two proofs: what Stripe finishes late would show in the second. */
export const PROOFS_APART_MS = 60_000;

/**
 * Hyperswitch may carry out a call long after it was given up, and one that knows nothing of an id now may know it in a
 * minute: after an unknown outcome, absence is so many 404s, so far apart, each beside the read of a payment it does know.
 */
export const HYPERSWITCH_ABSENCE = { proofs: 3, apartMs: 10 * 60_000 };

export type KeyUse = 'same_key' | 'read_only' | 'new_generation';

export interface KeyHistory {
  /** Joined over all attempts of this generation. */
  readonly certainty: Certainty;
  /** Since the first send with this key, by the ledger's clock; null: never sent. */
  readonly keyAgeMs: number | null;
  /** Looks since the last attempt that found nothing of ours, each {@link PROOFS_APART_MS} after the one before. */
  readonly absences: number;
}

/**
 * With which key a call may be sent once a look at the provider's records has found nothing of ours.
 * A saved refusal is repeated by the key for a day, so after one only a new generation can succeed; an outcome nobody
 * knows is repeated with the same key while the provider surely remembers it. A key that was only ever turned away is
 * given up at the same age: once it is older than that, looks would be taken for proof minutes after a send with it.
 */
export function keyUse({ certainty, keyAgeMs, absences }: KeyHistory): KeyUse {
  switch (certainty) {
    case 'not_sent':
      return keyAgeMs === null || keyAgeMs < KEY_REUSABLE_MS ? 'same_key' : 'new_generation';
    case 'absent':
      return 'new_generation';
    case 'in_flight':
    case 'unknown':
      if (keyAgeMs === null || keyAgeMs < KEY_REUSABLE_MS) return 'same_key';
      return keyAgeMs >= KEY_FORGOTTEN_MS && absences >= 2 ? 'new_generation' : 'read_only';
    case 'done':
      return 'read_only';
  }
}

/**
 * Whether the provider's records are read before the next send. A first send needs no look, because there is nothing
 * to find, unless the row is older than a key lives: a ledger restored from a backup would not know of its own sends.
 */
export function looksFirst({ certainty }: Pick<KeyHistory, 'certainty'>, rowAgeMs: number): boolean {
  return certainty !== 'not_sent' || rowAgeMs >= KEY_REUSABLE_MS;
}
