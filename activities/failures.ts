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
