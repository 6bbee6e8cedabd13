import { isOpenDispute } from '../../domain/marketplace/disputes.js';
import { dropAttention, pendingRequest, withdrawRequests } from '../decisions/decision-rows.js';
import { type Query, recordEvent } from '../transition.js';
import type { LockedDispute } from './locked-dispute.js';

/** While a person is asked, or Hyperswitch has not named it yet. */
const ASKED_AGAIN_MS = 60 * 60_000;

/** What is asked of persons about a dispute. Every function here runs in a transaction that holds its row. */
interface Question {
  /** `dispute`: where its funds are; `conflict`: whose they are. */
  readonly reason: 'dispute' | 'conflict';
  readonly detail: string;
}

/** What was asked because the record could not be read, or because nobody had named it, needs no person any more. */
export async function answered(query: Query, row: LockedDispute): Promise<void> {
  if (row.attention_reason === null || row.attention_reason === 'conflict') return;
  if ((await pendingOf(query, row))?.asked_reason === 'conflict') return;
  await withdrawRequests(query, 'dispute', row.id, "the processor's own record is read by now");
  await dropAttention(query, 'disputes', row.id);
}

/**
 * Once for each evidence: what a person has said about exactly this is no question again. But what somebody said stopped the holding,
 * and where transfers are held all the same it was read in between: they wait for a word that only a person can say now. What the
 * records tell of different payments is asked first.
 */
export async function ask(query: Query, row: LockedDispute, { reason, detail }: Question): Promise<void> {
  const [known] = await query<{ said: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM decisions WHERE item_kind = 'dispute' AND item_id = $1 AND state = 'applied' AND action <> 'retry'
       AND asked_detail = $2) AS said`,
    [row.id, detail],
  );
  if (known?.said && !(row.holds && reason === 'dispute')) return;
  const pending = await pendingOf(query, row);
  if (pending?.asked_detail === detail) return;
  if (reason === 'dispute' && (pending?.asked_reason ?? row.attention_reason) === 'conflict') return;
  if (pending) await withdrawRequests(query, 'dispute', row.id, 'what is asked has changed since');
  await query(
    `UPDATE disputes SET attention_reason = $2, attention_since = coalesce(attention_since, clock_now()), attention_detail = $3,
       next_check_at = clock_now() + $4 * interval '1 millisecond' WHERE id = $1`,
    [row.id, reason, detail, isOpenDispute(row.status) ? ASKED_AGAIN_MS : ASKED_AGAIN_MS * 24],
  );
  if (row.attention_reason !== reason)
    await recordEvent(query, { kind: 'dispute', id: row.id, what: reason, detail: { detail } });
}

const pendingOf = async (query: Query, row: LockedDispute) =>
  row.attention_reason === 'approval_pending' ? await pendingRequest(query, 'dispute', row.id) : undefined;
