/** What we know of a money call. Unknown is not failed. */
export type Certainty = 'not_sent' | 'in_flight' | 'done' | 'absent' | 'unknown';
export const CERTAINTIES: readonly Certainty[] = ['not_sent', 'in_flight', 'done', 'absent', 'unknown'];

/** Nobody knows, or a call is at work: only what the provider's records say can tell. */
export const mayHaveMoved = (certainty: Certainty): boolean => certainty === 'unknown' || certainty === 'in_flight';

/** Surely nothing has moved: it was never sent, or its absence is proved. */
export const surelyUnmoved = (certainty: Certainty): boolean => certainty === 'not_sent' || certainty === 'absent';

/** What is known of a row when it is claimed: a call that its process did not live to record may have arrived. */
export const certaintyAtClaim = (before: Certainty): Certainty => (before === 'in_flight' ? 'unknown' : before);

/**
 * What is known once one more attempt has been claimed, before a byte of it is sent. An attempt that is still
 * `in_flight` at that moment was abandoned (its process died): it may have moved money, so it counts as unknown.
 */
export function certaintyAtSend(before: Certainty): Certainty {
  return before === 'in_flight' || before === 'unknown' ? 'unknown' : before === 'done' ? 'done' : 'in_flight';
}

/**
 * The join over all attempts: `done` is absorbing, and a later refusal never turns an unknown into an absence.
 * @param current what was known while this attempt was on its way
 * @param attempt what this attempt alone has shown
 */
export function joinCertainty(current: Certainty, attempt: 'done' | 'absent' | 'unknown'): Certainty {
  if (current === 'done' || attempt === 'done') return 'done';
  if (current === 'unknown' || attempt === 'unknown') return 'unknown';
  return 'absent';
}
