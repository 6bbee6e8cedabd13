import { assertNever } from '../../domain/assert-never.js';
import { type Answer, isUndecided } from '../../domain/calls/answers.js';
import type { SettlementStatus } from '../../domain/settlements/settlement-status.js';
import type { Database } from '../database.js';
import type { AttemptOutcome } from './settlement-types.js';

/**
 * Writes how attempts ended, in one commit. Where that commit fails, each is tried alone, so that one bad row fails
 * alone.
 *
 * @returns the settlements' statuses afterwards, in order; null: the attempt no longer held its claim, and only its
 *   trace was written
 */
export function createAttemptRecorder(database: Database) {
  return async function recordAttempts(outcomes: readonly AttemptOutcome[]): Promise<(SettlementStatus | null)[]> {
    // Locks are taken in id order, so that two recorders never wait for each other in a circle.
    const order = outcomes
      .map((_, index) => index)
      .sort((a, b) => ((outcomes[a]?.id ?? '') < (outcomes[b]?.id ?? '') ? -1 : 1));
    const rows = await database.query<{ status: SettlementStatus | null; nth: string }>(
      `SELECT record_attempt(attempt) AS status, nth
       FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS t (attempt, nth)`,
      [JSON.stringify(order.map((index) => toRecord(outcomes[index] as AttemptOutcome)))],
    );
    const statuses: (SettlementStatus | null)[] = [];
    for (const row of rows) statuses[order[Number(row.nth) - 1] ?? 0] = row.status;
    return statuses;
  };
}

function toRecord({ id, runner, answer, decision, patient }: AttemptOutcome) {
  const undecided = isUndecided(answer, patient);
  return {
    id,
    runner,
    do: decision.do,
    certainty: decision.certainty,
    answer: answerClass(answer),
    detail: answer.kind === 'done' ? doneDetail(answer, decision) : answer.detail,
    reason: decision.do === 'ask' ? decision.reason : null,
    after_ms: decision.do === 'retry' || decision.do === 'park' ? Math.ceil(decision.afterMs) : null,
    still_at_work: answer.kind === 'unclear' && answer.why === 'no_answer',
    already_settled: answer.kind === 'done' && answer.alreadySettled,
    tx_hash: answer.kind === 'done' ? answer.txHash : null,
    settled_amount: answer.kind === 'done' ? (answer.settledAmount ?? null) : null,
    failed: answer.kind !== 'done' && !undecided,
    provider_outcome: undecided ? null : providerOutcome(answer),
  };
}

function doneDetail(
  { alreadySettled, settledAmount }: Extract<Answer, { kind: 'done' }>,
  decision: AttemptOutcome['decision'],
): string {
  if (decision.do === 'ask' && decision.reason === 'conflict')
    return `the provider says that it settled ${settledAmount}, which is not the amount that was asked for`;
  return alreadySettled ? 'the provider shows that this was settled already' : 'settled';
}

/** Stored with the attempt and used as the metric's `reason`: a closed list, never the provider's own text. */
function answerClass(answer: Answer): string {
  switch (answer.kind) {
    case 'done':
      return answer.alreadySettled ? 'already_settled' : 'done';
    case 'refused':
      return `refused_${answer.why}`;
    case 'unclear':
      return answer.why;
    case 'busy':
    case 'misdirected':
      return answer.kind;
    default:
      return assertNever(answer);
  }
}

/** A refusal shows a provider that is well; only its absence, its overload or its disguise concern the breaker. */
function providerOutcome(answer: Answer): 'ok' | 'outage' | 'config' {
  switch (answer.kind) {
    case 'done':
    case 'refused':
      return 'ok';
    case 'unclear':
    case 'busy':
      return 'outage';
    case 'misdirected':
      return 'config';
    default:
      return assertNever(answer);
  }
}
