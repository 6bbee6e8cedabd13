import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';

/** The only place that builds Temporal failures. Their text is kept in history for months: it names no secret. */

/** Not an error of ours: the provider has not confirmed yet. Temporal waits `afterMs` and runs the activity again. */
export function notSettledYet(why: string, afterMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'NotSettledYet',
    message: `not settled yet: ${why}; the next attempt is due in ${Math.ceil(afterMs / 1000)} s`,
    nextRetryDelay: Math.max(1, Math.ceil(afterMs)),
    category: ApplicationFailureCategory.BENIGN,
  });
}

/** Reading at Stripe failed; nothing moved by it, and the same is read again. */
export function stripeNotRead(what: string, detail: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'StripeNotRead',
    message: `${what} could not be read: ${detail}; it is read again`,
    category: ApplicationFailureCategory.BENIGN,
  });
}

/** Nothing was concluded, and the same is read again. */
export function partNotRead(part: string, detail: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'PartNotRead',
    message: `${part} could not be compared: ${detail}; it is read again`,
    category: ApplicationFailureCategory.BENIGN,
  });
}

/** A failure that the retry policy counts: Temporal waits and runs the activity again, as the ledger has recorded. */
export function notMovedYet(why: string, afterMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'NotMovedYet',
    message: `the money has not moved yet, or nobody knows: ${why}; the next attempt is due in ${Math.ceil(afterMs / 1000)} s`,
    nextRetryDelay: Math.max(1, Math.ceil(afterMs)),
    category: ApplicationFailureCategory.BENIGN,
  });
}

/** The schedule is of another build than this worker; trying again here would not help, and the next pass may go elsewhere. */
export const noSuchLane = (lane: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    `this worker has no sweep ${lane}: it is of another build than the schedule`,
    'NoSuchLane',
  );

/** A message did not arrive; Temporal waits as the ledger has recorded, and runs the activity again. */
export function notDeliveredYet(why: string, afterMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'NotDeliveredYet',
    message: `not delivered yet: ${why}; the next attempt is due in ${Math.ceil(afterMs / 1000)} s`,
    nextRetryDelay: Math.max(1, Math.ceil(afterMs)),
    category: ApplicationFailureCategory.BENIGN,
  });
}
