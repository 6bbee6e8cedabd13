import type { SettlementId } from '../../domain/ids.js';
import type { SettlementStatus } from '../../domain/settlements/settlement-status.js';
import type { Database } from '../database.js';
import { NO_ATTENTION } from '../decisions/decision-rows.js';
import type { Sealer } from '../sealer.js';
import { type AbandonedSession, openedSession, type SealedSession } from './abandoned-sessions.js';
import { SEALED_PLACE, SETTLEMENT_COLUMNS, type SettlementRow, sha256, toSettlement } from './settlement-row.js';

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

    /** One that a person was asked about, as it is now; undefined: it is none, or none any more. */
    async unreadableSession(id: SettlementId): Promise<AbandonedSession | undefined> {
      const [row] = await database.query<SealedSession>(
        `SELECT id, protocol, context, spent, decimals, sealed, sealed_key_id, true AS asked FROM settlements
         WHERE id = $1 AND attention_reason = 'unreadable_session' AND sealed_kind = 'credential'`,
        [id],
      );
      return row && openedSession(sealer, row);
    },

    /** Looked at again, and no better: what a person reads is as new as the look. */
    async stillUnreadable(id: SettlementId, detail: string): Promise<void> {
      await database.query(
        `WITH asked AS (
           UPDATE settlements SET attention_detail = $2 WHERE id = $1 AND attention_reason = 'unreadable_session'
           RETURNING id, key, certainty
         ) ${TELL}`,
        [id, detail],
      );
    },

    /**
     * A session that a person was asked about can be read again: it is closed as it would have been.
     * @param body null releases it: nothing durable was charged
     * @returns what it has become; undefined: it has moved meanwhile
     */
    async closeReadable({ id }: AbandonedSession, body: string | null): Promise<SettlementStatus | undefined> {
      const sealed = body === null ? null : sealer.seal(body, SEALED_PLACE(id));
      const [row] = await database.query<{ status: SettlementStatus }>(
        `WITH closed AS (
           UPDATE settlements SET status = CASE WHEN $4::text IS NULL THEN 'released' ELSE 'pending' END,
             sealed = $2, sealed_key_id = $3, sealed_kind = CASE WHEN $4 IS NOT NULL THEN 'body' END, body_sha256 = $4,
             workflow_id = CASE WHEN $4 IS NOT NULL THEN workflow_id END,
             ${NO_ATTENTION}, next_check_at = CASE WHEN $4 IS NOT NULL THEN clock_now() END
           WHERE id = $1 AND status = 'needs_attention' AND attention_reason = 'unreadable_session'
             AND sealed_kind = 'credential' RETURNING id, key, certainty, spent, status
         ), told AS (
           INSERT INTO operation_events (item_kind, item_id, kind, certainty, idempotency_key, detail)
           SELECT 'settlement', id, CASE status WHEN 'released' THEN 'released' ELSE 'closed' END, certainty, key,
             jsonb_build_object('by', 'sweep', 'spent', spent::text) FROM closed
         ) SELECT status FROM closed`,
        [id, sealed?.bytes ?? null, sealed?.keyId ?? null, body === null ? null : sha256(body)],
      );
      return row?.status;
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
