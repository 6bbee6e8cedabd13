/** What became of one attempt to deliver a message. */
export type DeliveryOutcome =
  | { readonly kind: 'delivered'; readonly detail: string }
  /** Tried again; `afterMs` is what the receiver asked for. */
  | { readonly kind: 'failed'; readonly detail: string; readonly afterMs?: number }
  /** It says that nobody is there any more (410): nothing more is sent to it until a person has looked. */
  | { readonly kind: 'gone'; readonly detail: string };

const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 15 * 60_000;
/** After this a message is given up; what of it still stands is told anew, in a message that has what came up since. */
export const GIVEN_UP_AFTER_MS = 24 * 60 * 60_000;

/** Doubles from ten seconds to a quarter of an hour; a receiver that asks for a longer wait gets it, up to the same. */
export function waitBefore(attempt: number, askedForMs = 0): number {
  const backoff = FIRST_WAIT_MS * 2 ** Math.min(attempt - 1, 20);
  return Math.min(Math.max(backoff, askedForMs), LONGEST_WAIT_MS);
}

/** Each message is at work in one place, and repeated from there: this long after its next attempt was due it is looked for. */
export const MISSED_AFTER_MS = 2 * 60_000;
