import type { SettlementId } from '../../domain/ids.js';
import type { JsonObject } from '../../domain/json.js';
import type { AtomicAmount } from '../../domain/money.js';
import type { Protocol } from '../../domain/settlements/settlement-status.js';
import type { Database } from '../database.js';
import type { Sealer } from '../sealer.js';
import { openedCredential, type SealedRow } from './secrets.js';
import { SEALED_PLACE, sha256 } from './settlement-row.js';

/** A session whose server is gone, or that ran past its route's deadline; `spent` is its last durable amount. */
export interface AbandonedSession {
  readonly id: SettlementId;
  readonly protocol: Protocol;
  /** An Error where it cannot be decrypted: one such session never keeps the others open. */
  readonly credential: string | Error;
  readonly context: JsonObject;
  readonly spent: AtomicAmount;
  readonly decimals: number;
  /** A person is asked about it already: it could not be read when it was abandoned. */
  readonly asked: boolean;
}

export type SealedSession = Omit<AbandonedSession, 'credential'> & SealedRow & { readonly [column: string]: unknown };

export const openedSession = (sealer: Sealer, { sealed, sealed_key_id, ...row }: SealedSession): AbandonedSession => ({
  ...row,
  credential: openedCredential(sealer, { id: row.id, sealed, sealed_key_id }),
});

/** Sessions whose server does not end them any more. */
export function createAbandonedSessions(database: Database, sealer: Sealer) {
  return {
    /**
     * Ends lapsed leases; from then on every write of their processes is lost. Returns the sessions to close.
     * A session past its deadline is closed too, with a minute's grace for its own server to do it.
     */
    async abandonedSessions(limit: number): Promise<AbandonedSession[]> {
      await database.query(
        `WITH ended AS (
           UPDATE server_leases SET epoch = epoch + 1, ended_at = clock_now()
           WHERE ended_at IS NULL AND lapses_at < clock_now() RETURNING id, holder
         ) INSERT INTO operation_events (item_kind, item_id, kind, detail)
           SELECT 'lease', id, 'lapsed', jsonb_build_object('holder', holder) FROM ended`,
      );
      const rows = await database.query<SealedSession>(
        `(SELECT s.id, s.protocol, s.context, s.spent, s.decimals, s.sealed, s.sealed_key_id, false AS asked
         FROM payment_sessions p JOIN settlements s USING (id) JOIN server_leases l ON l.id = p.lease_id
         WHERE p.closed_at IS NULL AND s.status = 'open'
           AND (l.epoch <> p.epoch OR p.deadline < clock_now() - interval '1 minute')
         ORDER BY s.id LIMIT $1)
         UNION ALL (SELECT id, protocol, context, spent, decimals, sealed, sealed_key_id, true FROM settlements
           WHERE attention_reason = 'unreadable_session' AND sealed_kind = 'credential' AND sealed_key_id = ANY ($2)
           ORDER BY random() LIMIT 100)`,
        [limit, sealer.keyIds],
      );
      return rows.map((row) => openedSession(sealer, row));
    },

    /**
     * Closes one abandoned session at the amount that was read; false when it moved meanwhile (read it again).
     * @param body null releases it: nothing durable was charged
     */
    async closeAbandoned(session: AbandonedSession, body: string | null): Promise<boolean> {
      const sealed = body === null ? null : sealer.seal(body, SEALED_PLACE(session.id));
      const rows = await database.query(
        `WITH closed AS (
           UPDATE settlements SET status = CASE WHEN $3::text IS NULL THEN 'released' ELSE 'pending' END,
             sealed = $4, sealed_key_id = $5, sealed_kind = CASE WHEN $3 IS NOT NULL THEN 'body' END, body_sha256 = $3,
             delivery = CASE WHEN $3 IS NOT NULL THEN 'unknown' END,
             workflow_id = CASE WHEN $3 IS NOT NULL THEN 'settlement/' || id END,
             closed_at = clock_now(), next_check_at = CASE WHEN $3 IS NOT NULL THEN clock_now() END
           WHERE id = $1 AND status = 'open' AND spent = $2 RETURNING id, key
         ), ended AS (
           UPDATE payment_sessions p SET closed_at = clock_now(), closed_by = 'sweep' FROM closed WHERE p.id = closed.id
         )
         INSERT INTO operation_events (item_kind, item_id, kind, certainty, idempotency_key, detail)
           SELECT 'settlement', id, CASE WHEN $3 IS NULL THEN 'released' ELSE 'closed' END, 'not_sent', key,
             jsonb_build_object('by', 'sweep', 'spent', $2::text) FROM closed RETURNING 1`,
        [session.id, session.spent, body === null ? null : sha256(body), sealed?.bytes ?? null, sealed?.keyId ?? null],
      );
      return rows.length === 1;
    },
  };
}
