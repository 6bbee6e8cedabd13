import type { SettlementId } from '../../domain/ids.js';
import type { AtomicAmount } from '../../domain/money.js';
import { SETTLEMENT_PROVIDERS, type SettlementProvider } from '../../domain/settlements/settlement-providers.js';
import type { Protocol } from '../../domain/settlements/settlement-status.js';
import type { Database } from '../database.js';

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

/** What the sweep of settlements finds. */
export function createSweepLedger(database: Database) {
  return {
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

    /**
     * After their workflows were started: looked at again only if nothing takes them further. One that is held is with its workflow
     * already; to wait for it with others in hand would be a deadlock with a claim of the same rows.
     */
    async markStarted(ids: readonly SettlementId[], workflowId: string | null): Promise<void> {
      await database.query(
        `UPDATE settlements SET workflow_id = coalesce($2, 'settlement/' || id),
           next_check_at = clock_now() + CASE status WHEN 'pending' THEN interval '1 minute' ELSE interval '10 minutes' END
         WHERE id IN (SELECT id FROM settlements
           WHERE id = ANY ($1) AND status IN ('pending', 'needs_attention') AND next_check_at <= clock_now()
           FOR UPDATE SKIP LOCKED)`,
        [ids, workflowId],
      );
    },

    /** Charges that waited behind an uncollectable one of the same payer go on when that one is no longer in the way. */
    async unblock(provider: SettlementProvider, limit: number): Promise<number> {
      const rows = await database.query(
        `UPDATE settlements SET blocked_by = NULL, next_check_at = clock_now() WHERE id IN (
           SELECT s.id FROM settlements s JOIN settlements b ON b.id = s.blocked_by
           WHERE s.provider = $2 AND NOT (b.status = 'pending' OR (b.status = 'needs_attention' AND b.uncollectable))
           ORDER BY s.id LIMIT $1 FOR UPDATE OF s SKIP LOCKED) RETURNING id`,
        [limit, provider],
      );
      return rows.length;
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
