import { assertNever } from '../../domain/assert-never.js';
import { type Answer, isUndecided } from '../../domain/calls/answers.js';
import type { AttemptOutcome } from './settlement-types.js';

/** What the story of a settlement says of one of its attempts. */
export function traceOf(outcome: AttemptOutcome) {
  const { runner, answer, decision } = outcome;
  return {
    runner,
    detail: answerDetail(outcome),
    decision: decision.do,
    reason: decision.do === 'ask' ? decision.reason : undefined,
    after_ms: 'afterMs' in decision ? Math.ceil(decision.afterMs) : undefined,
    settled_amount: answer.kind === 'done' ? answer.settledAmount : undefined,
  };
}

export function answerDetail({ answer, decision }: AttemptOutcome): string {
  if (answer.kind !== 'done') return answer.detail;
  if (decision.do === 'ask' && decision.reason === 'conflict')
    return `the provider says that it settled ${answer.settledAmount}, which is not the amount that was asked for`;
  return answer.alreadySettled ? 'the provider shows that this was settled already' : 'settled';
}

/** Stored with the attempt and used as the metric's `reason`: a closed list, never the provider's own text. */
export function answerClass(answer: Answer): string {
  switch (answer.kind) {
    case 'done':
      return answer.alreadySettled ? 'already_settled' : 'done';
    case 'refused':
      return `refused_${answer.why}`;
    case 'unclear':
      return answer.why;
    case 'busy':
      return answer.executed === 'no' ? 'stopped' : answer.kind;
    case 'misdirected':
      return answer.kind;
    default:
      return assertNever(answer);
  }
}

export const hasFailed = ({ answer, patient }: AttemptOutcome): boolean =>
  answer.kind !== 'done' && !isUndecided(answer, patient);

/**
 * A refusal shows a provider that is well; only its absence, its overload or its disguise concern the breaker.
 * @returns undefined: the attempt says nothing of its provider
 */
export function providerOutcome({ answer, patient }: AttemptOutcome): 'ok' | 'outage' | 'config' | undefined {
  switch (answer.kind) {
    case 'done':
    case 'refused':
      return 'ok';
    case 'unclear':
    case 'busy':
      return isUndecided(answer, patient) ? undefined : 'outage';
    case 'misdirected':
      return 'config';
    default:
      return assertNever(answer);
  }
}
