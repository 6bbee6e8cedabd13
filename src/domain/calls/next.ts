import { assertNever } from '../assert-never.js';
import type { AttentionReason } from '../decisions/attention.js';
import { isRetired } from '../marketplace/currencies.js';
import type { CallAnswer, RefusalByRecords, RefusalClass } from './answers.js';
import { type Certainty, joinCertainty } from './certainty.js';

export interface RetryPolicy {
  /** First wait; doubles with every attempt up to `backoffMaxMs`. */
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** A call we stopped waiting for may still be at work: nothing is sent before this long after it was sent. */
  readonly answerWindowMs: number;
  /**
   * The provider's own records show what was settled before our first attempt, and it can only have gone to us; else only its
   * word stands for it, and a person is asked.
   */
  readonly provesSettled?: boolean;
  /** Collected with a voucher: "used" then means that a higher one took what this one covers, not that somebody else was paid. */
  readonly byVoucher?: boolean;
  /**
   * For calls that carry an idempotency key: failures are counted and end with a person; being turned away, parked or
   * waiting for a balance counts nothing. Undefined: repeated until the key expires.
   */
  readonly counted?: {
    /** After the first attempt. */
    readonly maxRetries: number;
    /** A balance that is too low is waited for: without an end, or until a person is asked after so long. */
    readonly whenShort: 'wait' | { readonly waitAtMostMs: number };
    /** A definite no that nothing in the provider's records explains. */
    readonly whenRefused: 'ask' | 'retry';
  };
}

/** What happened so far with one money call, the attempt that was just answered included. */
export interface Attempted {
  readonly certainty: Certainty;
  readonly answer: CallAnswer;
  /** Time for which the key (for settlements: the credential) can still be used; ≤ 0: expired, null: no end is known. */
  readonly keyLeftMs: number | null;
  /** Attempts sent, this one included (≥ 1). */
  readonly attempts: number;
  /** Failures counted before this attempt; default: every earlier attempt. */
  readonly retries?: number;
  /** The provider says that it settled another amount than it was asked for. */
  readonly amountDiffers?: boolean;
  /** Since a balance was first found too low for this call; left out where it was not. */
  readonly shortForMs?: number;
  /** Time since this attempt was sent. */
  readonly sinceSentMs: number;
  /** The provider's records, read after the refusal, hold nothing of ours: then even an unknown is closed as absent. */
  readonly provedAbsent?: boolean;
}

export type Decision =
  | { readonly do: 'finish'; readonly certainty: 'done' }
  /** `counts`: this failure was one of the retries that the policy allows. */
  | { readonly do: 'retry'; readonly certainty: Certainty; readonly afterMs: number; readonly counts?: true }
  | { readonly do: 'park'; readonly certainty: Certainty; readonly afterMs: number }
  /** Until a balance rises, or the seller can receive. */
  | { readonly do: 'wait'; readonly certainty: Certainty; readonly for?: 'seller' }
  | { readonly do: 'ask'; readonly certainty: Certainty; readonly reason: AttentionReason };

/** The auth server knows no balance that could be too low for us and no seller, so nothing of it ever waits for one. */
type NeverShort = Exclude<CallAnswer, { kind: 'short' | 'not_able' }>;
export type NeverWaiting = Exclude<Decision, { do: 'wait' }>;

export type AskedBeforeSent = 'missing_transfer_id' | 'conflict' | 'retired_currency' | 'nothing_to_take';

/** Of a reversal that nobody has claimed yet. @returns why a person is asked before anything is sent; undefined: it may go out */
export function askedBeforeSent(reversal: {
  readonly stripeTransferId: string | null;
  /** A build that knew nothing of what is counted may have sent the whole share. */
  readonly mayHaveTakenOtherwise: boolean;
  readonly currency: string;
  /** False: in the currency of its transfer it comes to nothing. */
  readonly takes: boolean;
}): AskedBeforeSent | undefined {
  if (isRetired(reversal.currency)) return 'retired_currency';
  if (reversal.stripeTransferId === null) return 'missing_transfer_id';
  if (reversal.mayHaveTakenOtherwise) return 'conflict';
  return reversal.takes ? undefined : 'nothing_to_take';
}

/** The provider's id of what moved stands for something else here already: whose money it is, a person has to find out. */
export const ID_IS_TAKEN = { do: 'ask', certainty: 'unknown', reason: 'conflict' } as const satisfies Decision;

/** min(BASE·2^retries, MAX): retry 0 waits BASE. */
export function backoffMs(retries: number, policy: Pick<RetryPolicy, 'backoffBaseMs' | 'backoffMaxMs'>): number {
  return Math.min(policy.backoffBaseMs * 2 ** Math.min(retries, 52), policy.backoffMaxMs);
}

/**
 * The one decision of the product: what follows a money call. Pure and total; nothing else decides this, except for calls
 * whose key is the id of what they make (next-by-id.ts). What a row becomes by a decision depends on how the row stands under
 * its lock: of a settlement that is after-attempt.ts.
 *
 * An `alreadySettled` answer to a call that was never sent before means that somebody else moved the money: it is
 * certain, and still a question for a person, because it must not be booked as ours silently.
 */
export function next(attempted: Attempted & { readonly answer: NeverShort }, policy: RetryPolicy): NeverWaiting;
export function next(attempted: Attempted, policy: RetryPolicy): Decision;
export function next(attempted: Attempted, policy: RetryPolicy): Decision {
  const { answer, attempts } = attempted;
  switch (answer.kind) {
    case 'done':
      if (answer.alreadySettled && attempts === 1 && policy.provesSettled !== true)
        return { do: 'ask', certainty: 'done', reason: 'settled_elsewhere_suspected' };
      return attempted.amountDiffers
        ? { do: 'ask', certainty: 'done', reason: 'conflict' }
        : { do: 'finish', certainty: 'done' };
    case 'refused': {
      if (answer.why === 'barred')
        return countedRetry(attempted, policy, { certainty: notExecuted(attempted), atLast: 'provider_config' });
      const certainty = withoutThisAttempt(attempted);
      return answer.why === 'refused' && policy.counted?.whenRefused === 'retry'
        ? countedRetry(attempted, policy, { certainty })
        : { do: 'ask', certainty, reason: refusalReason(answer.why, certainty, policy) };
    }
    case 'not_sent': {
      const { certainty } = attempted;
      return { do: 'ask', certainty, reason: refusalReason(answer.why, certainty, policy) };
    }
    case 'short': {
      const certainty = withoutThisAttempt(attempted);
      const { whenShort = 'wait' } = policy.counted ?? {};
      return whenShort !== 'wait' && (attempted.shortForMs ?? 0) >= whenShort.waitAtMostMs
        ? { do: 'ask', certainty, reason: 'balance_horizon' }
        : { do: 'wait', certainty };
    }
    case 'not_able':
      return { do: 'wait', certainty: withoutThisAttempt(attempted), for: 'seller' };
    case 'unclear':
      return again(attempted, policy, answer.why === 'no_answer' ? policy.answerWindowMs - attempted.sinceSentMs : 0);
    case 'busy':
      return policy.counted || answer.executed === 'no'
        ? turnedAway(attempted, answer)
        : again(attempted, policy, answer.retryAfterMs ?? 0);
    case 'misdirected': {
      const certainty = policy.counted ? notExecuted(attempted) : joinCertainty(attempted.certainty, 'unknown');
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
  if (policy.counted) return countedRetry(attempted, policy, { certainty, atLeastMs });
  const afterMs = Math.max(beforeExpiry(backoffMs(attempted.attempts - 1, policy), attempted, policy), atLeastMs);
  return { do: 'retry', certainty, afterMs };
}

interface Counted {
  readonly certainty: Certainty;
  readonly atLeastMs?: number;
  /** What a person is told after the last retry. */
  readonly atLast?: AttentionReason | undefined;
}

function countedRetry(
  attempted: Attempted,
  policy: RetryPolicy,
  { certainty, atLeastMs = 0, atLast = 'retries_exhausted' }: Counted,
): Decision {
  const retries = attempted.retries ?? attempted.attempts - 1;
  if (retries >= (policy.counted?.maxRetries ?? 0)) return { do: 'ask', certainty, reason: atLast };
  return { do: 'retry', certainty, afterMs: Math.max(backoffMs(retries, policy), atLeastMs), counts: true };
}

/** A provider that names no time is asked again this much later. */
const BUSY_PAUSE_MS = 2_000;

/** Turned away is no failure: nothing is counted, and the next attempt is the same one again. */
function turnedAway(attempted: Attempted, answer: Extract<CallAnswer, { kind: 'busy' }>): Decision {
  const certainty = answer.executed === 'no' ? notExecuted(attempted) : joinCertainty(attempted.certainty, 'unknown');
  return { do: 'retry', certainty, afterMs: answer.retryAfterMs ?? BUSY_PAUSE_MS };
}

/** This attempt did nothing: what is known is what was known before it. */
const notExecuted = ({ certainty }: Attempted): Certainty => (certainty === 'in_flight' ? 'not_sent' : certainty);

/** This attempt alone moved nothing; only the provider's records can say the same of the earlier ones. */
function withoutThisAttempt({ certainty, provedAbsent }: Attempted): Certainty {
  return provedAbsent && certainty !== 'done' ? 'absent' : joinCertainty(certainty, 'absent');
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
function refusalReason(
  why: RefusalClass | RefusalByRecords,
  certainty: Certainty,
  { byVoucher = false }: RetryPolicy,
): AttentionReason {
  switch (why) {
    case 'insufficient':
      return 'uncollectable';
    case 'expired':
      return 'credential_expired';
    case 'used':
      if (certainty === 'unknown') return 'conflict';
      return byVoucher ? 'uncollectable' : 'settled_elsewhere_suspected';
    case 'other':
      return 'credential_refused';
    case 'missing':
      return 'resource_missing';
    case 'strange':
      return 'unknown_status';
    case 'foreign':
      return 'foreign_reversal';
    case 'partly_foreign':
      return 'partly_foreign_reversal';
    case 'exceeds':
      return 'exceeds_remainder';
    case 'conflict':
      return 'conflict';
    case 'refused':
    case 'barred':
      return 'provider_config';
    case 'retired':
      return 'retired_currency';
    case 'undue':
      return 'cause_no_longer_holds';
    case 'gone':
      return 'seller_gone';
    default:
      return assertNever(why);
  }
}
