import type { Answer } from './answers.js';
import { assertNever } from './assert-never.js';
import { type Certainty, joinCertainty } from './certainty.js';
import type { AttentionReason } from './settlement-status.js';

export interface RetryPolicy {
  /** First wait; doubles with every attempt up to `backoffMaxMs`. */
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** A call we stopped waiting for may still be at work: nothing is sent before this long after it was sent. */
  readonly answerWindowMs: number;
  /** Attempts after which an unclear or busy answer is left to a person; undefined: until the key expires. */
  readonly maxAttempts?: number;
}

/** What happened so far with one money call, the attempt that was just answered included. */
export interface Attempted {
  readonly certainty: Certainty;
  readonly answer: Answer;
  /** Time for which the key (for settlements: the credential) can still be used; ≤ 0: expired, null: no end is known. */
  readonly keyLeftMs: number | null;
  /** Attempts sent, this one included (≥ 1). */
  readonly attempts: number;
  /** Time since this attempt was sent. */
  readonly sinceSentMs: number;
}

export type Decision =
  | { readonly do: 'finish'; readonly certainty: 'done' }
  | { readonly do: 'retry'; readonly certainty: Certainty; readonly afterMs: number }
  | { readonly do: 'park'; readonly certainty: Certainty; readonly afterMs: number }
  | { readonly do: 'ask'; readonly certainty: Certainty; readonly reason: AttentionReason };

/** min(BASE·2^retries, MAX): retry 0 waits BASE. */
export function backoffMs(retries: number, policy: Pick<RetryPolicy, 'backoffBaseMs' | 'backoffMaxMs'>): number {
  return Math.min(policy.backoffBaseMs * 2 ** Math.min(retries, 52), policy.backoffMaxMs);
}

/**
 * The one decision of the product: what follows a money call. Pure and total; nothing else decides this.
 *
 * An `alreadySettled` answer to a call that was never sent before means that somebody else moved the money: it is
 * certain, and still a question for a person, because it must not be booked as ours silently.
 */
export function next(attempted: Attempted, policy: RetryPolicy): Decision {
  const { answer, attempts } = attempted;
  switch (answer.kind) {
    case 'done':
      return answer.alreadySettled && attempts === 1
        ? { do: 'ask', certainty: 'done', reason: 'settled_elsewhere_suspected' }
        : { do: 'finish', certainty: 'done' };
    case 'refused': {
      const certainty = joinCertainty(attempted.certainty, 'absent');
      return { do: 'ask', certainty, reason: refusalReason(answer.why, certainty) };
    }
    case 'unclear':
      return again(attempted, policy, answer.why === 'no_answer' ? policy.answerWindowMs - attempted.sinceSentMs : 0);
    case 'busy':
      return again(attempted, policy, answer.retryAfterMs ?? 0);
    case 'misdirected': {
      const certainty = joinCertainty(attempted.certainty, 'unknown');
      return isExpired(attempted)
        ? { do: 'ask', certainty, reason: 'provider_config' }
        : { do: 'park', certainty, afterMs: beforeExpiry(backoffMs(attempts - 1, policy), attempted, policy) };
    }
    default:
      return assertNever(answer);
  }
}

function again(attempted: Attempted, policy: RetryPolicy, atLeastMs: number): Decision {
  const certainty = joinCertainty(attempted.certainty, 'unknown');
  if (isExpired(attempted)) return { do: 'ask', certainty, reason: 'credential_expired' };
  if (policy.maxAttempts !== undefined && attempted.attempts >= policy.maxAttempts) {
    return { do: 'ask', certainty, reason: 'retries_exhausted' };
  }
  const afterMs = Math.max(beforeExpiry(backoffMs(attempted.attempts - 1, policy), attempted, policy), atLeastMs);
  return { do: 'retry', certainty, afterMs };
}

const isExpired = ({ keyLeftMs }: Attempted): boolean => keyLeftMs !== null && keyLeftMs <= 0;

/** An attempt this long before the expiry can still be answered in time. */
const LAST_CALL_MS = 10_000;

/**
 * A long wait never skips the last moment at which the charge could still be collected; after that call there is one
 * more, just past the expiry, whose answer closes the case.
 */
function beforeExpiry(waitMs: number, { keyLeftMs }: Attempted, policy: RetryPolicy): number {
  if (keyLeftMs === null || keyLeftMs <= 0 || waitMs < keyLeftMs - LAST_CALL_MS) return waitMs;
  const untilLastCallMs = keyLeftMs - LAST_CALL_MS;
  return untilLastCallMs >= policy.backoffBaseMs ? untilLastCallMs : Math.min(waitMs, keyLeftMs + policy.backoffBaseMs);
}

/** "Nonce used" after an attempt whose outcome is unknown is most likely our own success: a person looks it up. */
function refusalReason(why: Extract<Answer, { kind: 'refused' }>['why'], certainty: Certainty): AttentionReason {
  switch (why) {
    case 'insufficient':
      return 'uncollectable';
    case 'expired':
      return 'credential_expired';
    case 'used':
      return certainty === 'unknown' ? 'conflict' : 'settled_elsewhere_suspected';
    case 'other':
      return 'credential_refused';
    default:
      return assertNever(why);
  }
}
