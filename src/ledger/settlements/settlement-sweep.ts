import type { PaymentId, SettlementId } from '../../domain/ids.js';
import type { JsonObject } from '../../domain/json.js';
import type { AtomicAmount } from '../../domain/money.js';
import { SETTLEMENT_PROVIDERS, type SettlementProvider } from '../../domain/settlements/settlement-providers.js';
import type { Protocol } from '../../domain/settlements/settlement-status.js';
import type { Database } from '../database.js';
import { CLIENT_SECRET_PLACE } from '../marketplace/payments.js';
import type { Place, Sealer } from '../sealer.js';
import { sha256 } from './sessions.js';
import { SEALED_PLACE } from './settlement-row.js';

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
  credential: opened(sealer, SETTLEMENT, { id: row.id, sealed, sealed_key_id }),
});

/** A settlement that nothing has taken further by the time it should have been looked at again. */
export interface DueSettlement {
  readonly id: SettlementId;
  readonly protocol: Protocol;
  readonly provider: SettlementProvider;
  readonly status: 'pending' | 'needs_attention';
  readonly spent: AtomicAmount;
  readonly asset: string;
  readonly decimals: number;
}

const PROVIDERS = SETTLEMENT_PROVIDERS.map(({ provider }) => provider);

export function createSweepLedger(database: Database, sealer: Sealer) {
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

    /**
     * What is due at one provider, what is pending and what waits for a person in turn, each oldest first. While its breaker
     * is open only one pending row is given, and only when a probe is due: the others wait here, in Postgres, and cost nothing.
     */
    dueSettlements: (provider: SettlementProvider, limit: number): Promise<DueSettlement[]> =>
      database.query<DueSettlement & { [column: string]: unknown }>(
        `WITH lanes AS (
           SELECT s.status FROM unnest(ARRAY['pending', 'needs_attention']) AS s (status)
           WHERE s.status = 'needs_attention'
             OR NOT EXISTS (SELECT 1 FROM provider_breakers b WHERE b.provider = $2 AND b.state <> 'closed')
         ), due AS (
           SELECT d.*, row_number() OVER (PARTITION BY d.status ORDER BY d.next_check_at) AS place
           FROM lanes l CROSS JOIN LATERAL (
             SELECT id, protocol, provider, status, spent, asset, decimals, next_check_at FROM settlements
             WHERE provider = $2 AND status = l.status AND next_check_at <= clock_now() AND blocked_by IS NULL
             ORDER BY next_check_at LIMIT $1) d
         ), probe AS (
           SELECT s.id, s.protocol, s.provider, s.status, s.spent, s.asset, s.decimals, s.next_check_at, 0 AS place
           FROM settlements s JOIN provider_breakers b ON b.provider = s.provider AND b.state <> 'closed' AND b.probe_at <= clock_now()
           WHERE s.provider = $2 AND s.status = 'pending' AND s.next_check_at IS NOT NULL AND s.blocked_by IS NULL
             AND (s.runner IS NULL OR s.runner_until < clock_now())
           ORDER BY s.next_check_at LIMIT 1
         )
         SELECT id, protocol, provider, status, spent, asset, decimals
         FROM (SELECT * FROM due UNION ALL SELECT * FROM probe) AS found
         ORDER BY place, next_check_at LIMIT $1`,
        [limit, provider],
      ),

    /** Providers at which something pending is due now and may be sent. */
    async busyProviders(): Promise<SettlementProvider[]> {
      const rows = await database.query<{ provider: SettlementProvider }>(
        `SELECT provider FROM unnest($1::text[]) AS p (provider)
         WHERE EXISTS (SELECT 1 FROM settlements s WHERE s.provider = p.provider AND s.status = 'pending'
             AND s.next_check_at <= clock_now() AND s.blocked_by IS NULL)
           AND NOT EXISTS (SELECT 1 FROM provider_breakers b WHERE b.provider = p.provider AND b.state <> 'closed')`,
        [PROVIDERS],
      );
      return rows.map((row) => row.provider);
    },

    /** After their workflows were started: looked at again only if nothing takes them further. */
    async markStarted(ids: readonly SettlementId[], workflowId: string | null): Promise<void> {
      await database.query(
        `UPDATE settlements SET workflow_id = coalesce($2, 'settlement/' || id),
           next_check_at = clock_now() + CASE status WHEN 'pending' THEN interval '1 minute' ELSE interval '10 minutes' END
         WHERE id = ANY ($1) AND status IN ('pending', 'needs_attention') AND next_check_at <= clock_now()`,
        [ids, workflowId],
      );
    },

    /** Charges that waited behind an uncollectable one of the same payer go on when that one is no longer in the way. */
    async unblock(provider: SettlementProvider, limit: number): Promise<number> {
      const rows = await database.query(
        `UPDATE settlements SET blocked_by = NULL, next_check_at = clock_now() WHERE id IN (
           SELECT s.id FROM settlements s JOIN settlements b ON b.id = s.blocked_by
           WHERE s.provider = $2 AND NOT (b.status = 'pending' OR (b.status = 'needs_attention' AND b.uncollectable))
           ORDER BY s.id LIMIT $1) RETURNING id`,
        [limit, provider],
      );
      return rows.length;
    },

    /** Secrets past their date are erased. A charge that was still waiting becomes a question for a person. */
    async eraseOverdue(limit: number): Promise<number> {
      const rows = await database.query(
        `UPDATE settlements SET sealed = NULL, sealed_kind = NULL, sealed_key_id = NULL, erased_at = clock_now(),
           status = CASE WHEN status = 'pending' THEN 'needs_attention' ELSE status END,
           attention_reason = CASE WHEN status = 'pending' THEN 'credential_expired' ELSE attention_reason END,
           attention_since = CASE WHEN status = 'pending' THEN clock_now() ELSE attention_since END,
           attention_detail = CASE WHEN status = 'pending' THEN 'the credential was erased long after its expiry' ELSE attention_detail END,
           blocked_by = NULL, uncollectable = uncollectable AND status <> 'pending'
         WHERE id IN (SELECT id FROM settlements WHERE sealed IS NOT NULL AND erase_at <= clock_now() AND status <> 'open'
           AND (runner IS NULL OR runner_until < clock_now()) ORDER BY erase_at LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id`,
        [limit],
      );
      return rows.length + (await eraseClientSecrets(database, limit));
    },

    /** Re-encrypts what an older key holds, so that the old key can be taken out of the settings. */
    async reseal(limit: number): Promise<number> {
      let done = 0;
      for (const secrets of SECRETS) done += await resealed(database, sealer, secrets, limit - done);
      return done;
    },

    /** Key ids that live rows need and the settings lack: starting would strand what they hold. */
    async missingKeyIds(): Promise<string[]> {
      const rows = await database.query<{ sealed_key_id: string }>(
        SECRETS.map(
          ({ table }) =>
            `SELECT sealed_key_id FROM ${table} WHERE sealed_key_id IS NOT NULL AND NOT sealed_key_id = ANY ($1)`,
        ).join(' UNION '),
        [sealer.keyIds],
      );
      return rows.map((row) => row.sealed_key_id).sort();
    },

    async sweepStarted(name: string): Promise<void> {
      await database.query(
        `INSERT INTO sweeps (name, started_at) VALUES ($1, clock_now())
         ON CONFLICT (name) DO UPDATE SET started_at = excluded.started_at`,
        [name],
      );
    },

    async sweepSucceeded(name: string, report: JsonObject): Promise<void> {
      await database.query('UPDATE sweeps SET succeeded_at = clock_now(), report = $2 WHERE name = $1', [
        name,
        JSON.stringify(report),
      ]);
    },

    /** Providers with more pending rows than this; counted no further than it matters. */
    async crowded(threshold: number): Promise<SettlementProvider[]> {
      const rows = await database.query<{ provider: SettlementProvider }>(
        `SELECT provider FROM unnest($2::text[]) AS p (provider)
         WHERE (SELECT count(*) FROM (SELECT 1 FROM settlements s WHERE s.status = 'pending' AND s.provider = p.provider
           LIMIT $1::bigint + 1) AS counted) > $1`,
        [threshold, PROVIDERS],
      );
      return rows.map((row) => row.provider);
    },

    /** Providers of settlements that are not called now; what is parked at Stripe is nothing to settlements. */
    async openBreakers(): Promise<SettlementProvider[]> {
      const rows = await database.query<{ provider: SettlementProvider }>(
        `SELECT provider FROM provider_breakers WHERE state <> 'closed' AND provider = ANY ($1)`,
        [PROVIDERS],
      );
      return rows.map((row) => row.provider);
    },
  };
}

interface Secrets {
  readonly table: string;
  readonly column: string;
  readonly place: (id: string) => Place;
}

const SETTLEMENT: Secrets = {
  table: 'settlements',
  column: 'sealed',
  place: (id) => SEALED_PLACE(id as SettlementId),
};
const PAYMENT: Secrets = {
  table: 'payments',
  column: 'sealed_client_secret',
  place: (id) => CLIENT_SECRET_PLACE(id as PaymentId),
};
/** Every column that holds a secret, each with its key's id in `sealed_key_id`. */
const SECRETS: readonly Secrets[] = [SETTLEMENT, PAYMENT];

async function resealed(database: Database, sealer: Sealer, secrets: Secrets, limit: number): Promise<number> {
  const { table, column, place } = secrets;
  const rows = await database.query<SealedRow>(
    `SELECT id, ${column} AS sealed, sealed_key_id FROM ${table}
     WHERE sealed_key_id <> $1 AND sealed_key_id = ANY ($2) ORDER BY id LIMIT $3`,
    [sealer.currentKeyId, sealer.keyIds, limit],
  );
  let done = 0;
  for (const row of rows) {
    const secret = opened(sealer, secrets, row);
    if (secret instanceof Error) continue;
    done += 1;
    const fresh = sealer.seal(secret, place(row.id));
    await database.query(`UPDATE ${table} SET ${column} = $2, sealed_key_id = $3 WHERE id = $1 AND ${column} = $4`, [
      row.id,
      fresh.bytes,
      fresh.keyId,
      row.sealed,
    ]);
  }
  return done;
}

/** Of payments that are over, and of those that nobody finished within thirty days. */
async function eraseClientSecrets(database: Database, limit: number): Promise<number> {
  const rows = await database.query(
    `UPDATE payments SET sealed_client_secret = NULL, sealed_key_id = NULL WHERE id IN (
       SELECT id FROM payments WHERE sealed_key_id IS NOT NULL
         AND (status NOT IN ('pending', 'processing') OR created_at <= clock_now() - interval '30 days')
       ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id`,
    [limit],
  );
  return rows.length;
}

interface SealedRow {
  id: string;
  sealed: Buffer;
  sealed_key_id: string;
}

function opened(sealer: Sealer, { place }: Secrets, { id, sealed, sealed_key_id }: SealedRow): string | Error {
  try {
    return sealer.open({ bytes: sealed, keyId: sealed_key_id }, place(id));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
