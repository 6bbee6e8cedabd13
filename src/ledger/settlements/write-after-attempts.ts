import type { AfterAttempt } from '../../domain/settlements/after-attempt.js';
import { NO_ATTENTION } from '../decisions/decision-rows.js';
import type { Query } from '../transition.js';
import { answerClass, answerDetail, hasFailed } from './attempt-trace.js';
import { ERASED } from './settlement-row.js';
import type { AttemptOutcome } from './settlement-types.js';

/** Writes what settlements become by their attempts. The caller holds the rows, and names each once. */
export async function writeAfterAttempts(
  query: Query,
  followed: readonly { readonly outcome: AttemptOutcome; readonly after: AfterAttempt | undefined }[],
): Promise<void> {
  const changes = followed.flatMap(({ outcome, after }) => (after ? [changeOf(outcome, after)] : []));
  for (const [kind, statements] of Object.entries(STATEMENTS)) {
    const these = changes.filter((change) => change.kind === kind);
    if (these.length > 0) for (const statement of statements) await query(statement, [JSON.stringify(these)]);
  }
}

function changeOf(outcome: AttemptOutcome, after: AfterAttempt) {
  const { id, answer, decision } = outcome;
  const answered = answerClass(answer);
  return {
    id,
    kind: after.kind,
    certainty: decision.certainty,
    answer: answered,
    failure: hasFailed(outcome) ? answered : undefined,
    detail: answerDetail(outcome),
    already_settled: answer.kind === 'done' && answer.alreadySettled,
    tx_hash: answer.kind === 'done' ? answer.txHash : undefined,
    settled_amount: answer.kind === 'done' ? answer.settledAmount : undefined,
    still_at_work: answer.kind === 'unclear' && answer.why === 'no_answer',
    late: after.kind === 'settles' ? after.late : undefined,
    reason: 'reason' in after ? after.reason : undefined,
    uncollectable: after.kind === 'asks' && after.reason === 'uncollectable',
    behind: after.kind === 'waits_behind' ? after.settlement : undefined,
    retry_ms: after.kind === 'tries_again' ? Math.ceil(after.retryMs) : undefined,
    check_ms: after.kind === 'tries_again' ? Math.ceil(after.checkMs) : undefined,
  };
}

const CHANGES = `FROM jsonb_to_recordset($1) AS c (id uuid, certainty text, answer text, failure text, detail text,
    already_settled boolean, tx_hash text, settled_amount text, still_at_work boolean, late text, reason text,
    uncollectable boolean, behind uuid, retry_ms bigint, check_ms bigint)
  WHERE s.id = c.id`;
const SAID = `certainty = c.certainty, last_answer = c.answer, tx_hash = coalesce(c.tx_hash, s.tx_hash),
  settled_amount = coalesce(c.settled_amount, s.settled_amount), already_settled = s.already_settled OR c.already_settled`;
const FIRST_FAILURE = `first_failure_reason = coalesce(s.first_failure_reason, c.failure),
  first_failure_at = coalesce(s.first_failure_at, CASE WHEN c.failure IS NOT NULL THEN clock_now() END)`;
const UNCLAIMED = 'runner = NULL, runner_until = NULL';
/** A shared workflow has no signal of its own: whoever did not settle in it goes on alone. */
const ALONE = `workflow_id = 'settlement/' || s.id`;

const SETTLE = `UPDATE settlements s SET status = 'settled', ${SAID}, ${UNCLAIMED}, ${ERASED},
    settled_at = coalesce(s.settled_at, clock_now()), next_retry_at = NULL, next_check_at = NULL, blocked_by = NULL,
    attention_reason = CASE WHEN c.late IS NOT NULL THEN 'late_success' END,
    attention_since = CASE WHEN c.late IS NOT NULL THEN clock_now() END,
    attention_detail = 'the provider confirmed the charge after this item was ' || c.late ${CHANGES}`;
/** A call that we stopped waiting for keeps its claim until it cannot be at work. */
const TRY_AGAIN = `UPDATE settlements s SET ${SAID}, ${FIRST_FAILURE}, ${ALONE},
    runner = CASE WHEN c.still_at_work THEN s.runner END,
    runner_until = CASE WHEN c.still_at_work THEN clock_now() + c.retry_ms * interval '1 millisecond' END,
    next_retry_at = clock_now() + c.retry_ms * interval '1 millisecond',
    next_check_at = clock_now() + c.check_ms * interval '1 millisecond' ${CHANGES}`;
const HANDS_OVER = `${SAID}, ${FIRST_FAILURE}, ${UNCLAIMED}, ${ALONE}, next_retry_at = NULL,
  next_check_at = clock_now() + interval '1 minute'`;
const WAIT_BEHIND = `UPDATE settlements s SET ${HANDS_OVER}, blocked_by = c.behind ${CHANGES}`;
const ASK = `UPDATE settlements s SET status = 'needs_attention', ${HANDS_OVER}, uncollectable = c.uncollectable,
    suspected_elsewhere = s.suspected_elsewhere OR c.reason = 'settled_elsewhere_suspected',
    attention_reason = c.reason, attention_since = clock_now(), attention_detail = c.detail ${CHANGES}`;
const WRITE_OFF = `UPDATE settlements s SET status = 'written_off', next_check_at = NULL, ${NO_ATTENTION}, ${ERASED} ${CHANGES}`;
const TELL_GIVEN_UP = `INSERT INTO operation_events (item_kind, item_id, kind, certainty, detail)
  SELECT 'settlement', c.id::text, 'given_up', 'absent',
    '{"why": "refused before its release: nothing was served and no money moved"}'
  FROM jsonb_to_recordset($1) AS c (id uuid)`;

/** From pending nothing is written off, whoever gives it up: it becomes a question, which is answered in the same commit. */
const STATEMENTS: Readonly<Record<AfterAttempt['kind'], readonly string[]>> = {
  settles: [SETTLE],
  tries_again: [TRY_AGAIN],
  waits_behind: [WAIT_BEHIND],
  asks: [ASK],
  is_written_off: [ASK, WRITE_OFF, TELL_GIVEN_UP],
};
