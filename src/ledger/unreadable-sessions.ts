import type { SettlementId } from '../domain/ids.js';
import type { Database } from './database.js';
import { NO_ATTENTION } from './decision-rows.js';
import type { Sealer } from './sealer.js';
import { sha256 } from './sessions.js';
import { SEALED_PLACE, SETTLEMENT_COLUMNS, type SettlementRow, toSettlement } from './settlement-row.js';
import type { AbandonedSession } from './sweep.js';

const BECOMES_A_QUESTION = `status = 'needs_attention', attention_reason = 'unreadable_session', attention_since = clock_now(),
  workflow_id = 'settlement/' || id, next_retry_at = NULL`;
const TELL = `INSERT INTO operation_events (item_kind, item_id, kind, certainty, idempotency_key, detail)
  SELECT 'settlement', id, 'unreadable', certainty, key, jsonb_build_object('detail', $2::text) FROM asked RETURNING 1`;

/** What is sealed and cannot be read: a person is asked, and it goes on by itself when its key is back. */
export function createUnreadableSessions(database: Database, sealer: Sealer) {
  return {
    /** An abandoned session ends here: its amount is frozen, its credential kept. False when it moved meanwhile. */
    async askAboutSession({ id, spent }: AbandonedSession, detail: string): Promise<boolean> {
      const rows = await database.query(
        `WITH asked AS (
           UPDATE settlements SET ${BECOMES_A_QUESTION}, attention_detail = $2, closed_at = clock_now(), next_check_at = clock_now(),
             delivery = CASE WHEN spent > 0 THEN 'unknown' END
           WHERE id = $1 AND status = 'open' AND spent = $3 RETURNING id, key, certainty
         ), ended AS (
           UPDATE payment_sessions p SET closed_at = clock_now(), closed_by = 'sweep' FROM asked WHERE p.id = asked.id
         ) ${TELL}`,
        [id, detail, spent],
      );
      return rows.length === 1;
    },

    /** A session that a person was asked about can be read again: it is closed as it would have been. */
    async closeReadable({ id }: AbandonedSession, body: string): Promise<boolean> {
      const sealed = sealer.seal(body, SEALED_PLACE(id));
      const rows = await database.query(
        `WITH closed AS (
           UPDATE settlements SET status = 'pending', sealed = $2, sealed_key_id = $3, sealed_kind = 'body', body_sha256 = $4,
             ${NO_ATTENTION}, next_check_at = clock_now()
           WHERE id = $1 AND status = 'needs_attention' AND attention_reason = 'unreadable_session'
             AND sealed_kind = 'credential' RETURNING id, key, certainty, spent
         ) INSERT INTO operation_events (item_kind, item_id, kind, certainty, idempotency_key, detail)
           SELECT 'settlement', id, 'closed', certainty, key, jsonb_build_object('by', 'sweep', 'spent', spent::text)
           FROM closed RETURNING 1`,
        [id, sealed.bytes, sealed.keyId, sha256(body)],
      );
      return rows.length === 1;
    },
  };
}

/**
 * A claimed charge whose body cannot be read was not sent by this claim: it is what it was before, and a person is asked.
 * @returns undefined when the claim was lost meanwhile
 */
export async function askAboutClaimed(database: Database, id: SettlementId, runner: string, detail: string) {
  const [row] = await database.query<SettlementRow & { [column: string]: unknown }>(
    `WITH asked AS (
       UPDATE settlements SET ${BECOMES_A_QUESTION}, attention_detail = $2, next_check_at = clock_now() + interval '1 minute',
         runner = NULL, runner_until = NULL,
         certainty = CASE WHEN certainty <> 'in_flight' THEN certainty WHEN attempts <= 1 THEN 'not_sent' ELSE 'absent' END
       WHERE id = $1 AND status = 'pending' AND runner = $3 RETURNING *
     ), told AS (${TELL})
     SELECT ${SETTLEMENT_COLUMNS} FROM asked`,
    [id, detail, runner],
  );
  return row && toSettlement(row);
}
