import type { PaymentReadFacts } from '../../domain/calls/provider-answers.js';
import type { CaptureId } from '../../domain/ids.js';
import type { Captured } from '../../domain/marketplace/captured.js';
import { PROVIDER_NAMES } from '../../domain/marketplace/marketplace.js';
import { isCapturable } from '../../domain/marketplace/payment-capture.js';
import { isOpen, type LockedPayment } from '../marketplace/payment-row.js';
import { type Query, recordEvent } from '../transition.js';

export interface SeenCapture {
  readonly facts: PaymentReadFacts;
  readonly captured: Captured;
  /** Whose reading it is. */
  readonly runner: string | null;
}

interface OpenRow {
  readonly id: CaptureId;
  readonly amount: string;
  readonly final: boolean;
  readonly certainty: string;
  readonly attempts: number;
  readonly captured_before: string | null;
  readonly sent_by: string | null;
  readonly absences: number;
  readonly [column: string]: unknown;
}

/** How many readings, ten minutes apart, show that a capture whose answer was lost never arrived. */
const PROOFS = 3;

/**
 * What was read of a payment tells what became of the part that is being captured: nobody else is sent meanwhile, so what was captured
 * since is that part. The caller holds the payment.
 */
export async function readCapture(
  query: Query,
  row: LockedPayment,
  { facts, captured, runner }: SeenCapture,
): Promise<void> {
  const [open] = await query<OpenRow>(
    `SELECT id, amount, final, certainty, attempts, captured_before, sent_by, absences FROM payment_captures
     WHERE payment_id = $1 AND status = 'open' FOR UPDATE`,
    [row.id],
  );
  if (!open || !captured.known) return;
  const isSent = open.certainty === 'in_flight' || open.certainty === 'unknown';
  if (isSent && captured.surely >= BigInt(open.captured_before ?? 0) + BigInt(open.amount))
    return await done(query, row, open, facts);
  const isOver = facts.final || !isOpen(row.status);
  if (isOver) return await endedWithout(query, row, open, facts);
  // Whoever has sent it knows more in a moment; of anybody else's it is not known whether it arrives.
  const isOwn = open.certainty === 'in_flight' && runner !== null && runner === open.sent_by;
  if (!isSent || isOwn) return;
  const isUnchanged = isCapturable(facts.providerStatus) && captured.surely === BigInt(open.captured_before ?? 0);
  await notSeen(query, row, open, isUnchanged);
}

async function done(
  query: Query,
  row: LockedPayment,
  { id, final, amount }: OpenRow,
  facts: PaymentReadFacts,
): Promise<void> {
  await query(
    `UPDATE payment_captures SET certainty = 'done', status = 'done', detail = $2, ended_at = clock_now() WHERE id = $1`,
    [id, `${PROVIDER_NAMES[row.provider]} calls the payment ${facts.providerStatus}`],
  );
  await recordEvent(query, {
    kind: 'payment',
    id: row.id,
    what: 'captured',
    certainty: 'done',
    detail: { capture: id, amount, final },
  });
  if (!final) return;
  // What is left of the authorization is not wanted any more: the buyer has it back sooner if it is called off.
  const [closed] = await query<{
    cancel_asked_by: string | null;
    cancel_asked_at: Date | null;
    captures_closed_at: Date;
  }>(
    `UPDATE payments SET captures_closed_at = clock_now(),
       cancel_asked_at = CASE WHEN $2 THEN coalesce(cancel_asked_at, clock_now()) ELSE cancel_asked_at END,
       cancel_asked_by = CASE WHEN $2 THEN coalesce(cancel_asked_by, 'request') ELSE cancel_asked_by END
     WHERE id = $1 RETURNING cancel_asked_at, cancel_asked_by, captures_closed_at`,
    [row.id, isCapturable(facts.providerStatus)],
  );
  Object.assign(row, closed);
}

async function endedWithout(
  query: Query,
  row: LockedPayment,
  { id, certainty, amount }: OpenRow,
  facts: PaymentReadFacts,
): Promise<void> {
  const detail = `the payment has ended without it: ${PROVIDER_NAMES[row.provider]} calls it ${facts.providerStatus}`;
  // An unknown is closed by the end of the payment, which has to stand in the row before.
  await query('UPDATE payments SET provider_final = $2 WHERE id = $1', [row.id, facts.final]);
  await query(
    `UPDATE payment_captures SET status = 'refused', certainty = CASE WHEN certainty = 'not_sent' THEN certainty ELSE 'absent' END,
       detail = $2, ended_at = clock_now() WHERE id = $1`,
    [id, detail],
  );
  const what = 'capture_ended';
  await recordEvent(query, {
    kind: 'payment',
    id: row.id,
    what,
    detail: { capture: id, amount, was: certainty, detail },
  });
}

/** Read, and not there (yet): the same again is sent only when that was seen often enough. */
async function notSeen(query: Query, row: LockedPayment, { id }: OpenRow, isUnchanged: boolean): Promise<void> {
  await query(`UPDATE payment_captures SET certainty = 'unknown' WHERE id = $1 AND certainty = 'in_flight'`, [id]);
  const [seen] = await query<{ absences: number }>(
    isUnchanged
      ? `UPDATE payment_captures SET absences = absences + 1, last_absence_at = clock_now(),
           certainty = CASE WHEN absences + 1 >= ${PROOFS} THEN 'absent' ELSE certainty END
         WHERE id = $1 AND (last_absence_at IS NULL OR last_absence_at <= clock_now() - interval '10 minutes') RETURNING absences`
      : 'UPDATE payment_captures SET absences = 0, last_absence_at = NULL WHERE id = $1 AND absences > 0 RETURNING absences',
    [id],
  );
  if (!seen) return;
  const what = 'capture_looked';
  await recordEvent(query, { kind: 'payment', id: row.id, what, detail: { capture: id, absences: seen.absences } });
}
