import { SWEEP_LANES } from '../domain/sweep-lanes.js';
import type { Database } from './database.js';
import type { Figures } from './figure-types.js';
import { createMarketplaceFigures } from './marketplace/marketplace-figures.js';
import { IN_USE } from './notifications/notices.js';
import { comparedParts } from './reconciliation/compared-parts.js';

type Unsettled = Figures['unsettled'][number];
type Counts = Pick<
  Figures,
  'unknown' | 'expiring' | 'parked' | 'suspectedElsewhere' | 'deliveryUnknown' | 'answersDue'
>;

/** Credentials with less than this left count as expiring: a person can still help. */
const EXPIRING_WITHIN = '5 minutes';

/** Everything that waits for a person, of whatever kind. */
const WAITING = [
  ['settlement', 'settlements'],
  ['payment', 'payments'],
  ['refund', 'refunds'],
  ['transfer', 'seller_transfers'],
  ['reversal', 'reversals'],
  ['dispute', 'disputes'],
  ['payout', 'payouts'],
]
  .map(
    ([kind, table]) =>
      `SELECT '${kind}' AS kind, attention_reason, attention_since FROM ${table} WHERE attention_reason IS NOT NULL`,
  )
  .concat(`SELECT 'drift', 'drift', opened_at FROM drifts WHERE state = 'open'`)
  .join(' UNION ALL ');

/** Every figure is computed here and now from the rows themselves, so it is right while Temporal is down. */
export function createFigures(database: Database) {
  const marketplaceFigures = createMarketplaceFigures(database);
  return async function figures(): Promise<Figures> {
    const [
      unsettled,
      [counts],
      needsAttention,
      drift,
      compared,
      firstFailures,
      breakers,
      sweeps,
      destinations,
      marketplace,
    ] = await Promise.all([
      database.query<Unsettled & { [column: string]: unknown }>(
        `SELECT protocol, asset, decimals, count(*)::int AS count, sum(spent)::text AS amount,
           extract(epoch FROM clock_now() - min(coalesce(closed_at, created_at)))::float8 AS "oldestSeconds"
         FROM settlements WHERE status IN ('pending', 'needs_attention') GROUP BY protocol, asset, decimals ORDER BY 1, 2`,
      ),
      database.query<Counts & { [column: string]: unknown }>(
        `SELECT count(*) FILTER (WHERE certainty = 'unknown')::int AS unknown,
           count(*) FILTER (WHERE status = 'pending' AND expires_at < clock_now() + interval '${EXPIRING_WITHIN}')::int AS expiring,
           count(*) FILTER (WHERE status = 'pending' AND last_answer = 'misdirected')::int AS parked,
           count(*) FILTER (WHERE suspected_elsewhere)::int AS "suspectedElsewhere",
           (SELECT count(*)::int FROM (
             SELECT closed_at FROM settlements WHERE delivery = 'unknown'
             UNION ALL SELECT closed_at FROM channel_requests WHERE delivery = 'unknown') undelivered
             WHERE closed_at < clock_now() - interval '1 minute') AS "deliveryUnknown",
           (SELECT count(*)::int FROM settlements WHERE answer IN ('due', 'serving') AND status = 'settled'
             AND settled_at < clock_now() - interval '1 minute') AS "answersDue"
         FROM settlements WHERE status IN ('pending', 'needs_attention')`,
      ),
      database.query<Figures['needsAttention'][number] & { [column: string]: unknown }>(
        `SELECT kind, attention_reason AS reason, count(*)::int AS count,
           extract(epoch FROM clock_now() - min(attention_since))::float8 AS "oldestSeconds"
         FROM (${WAITING}) waiting GROUP BY 1, 2 ORDER BY 1, 2`,
      ),
      database.query<Figures['drift'][number] & { [column: string]: unknown }>(
        `SELECT kind, count(*)::int AS count, extract(epoch FROM clock_now() - min(opened_at))::float8 AS "oldestSeconds"
         FROM drifts WHERE state = 'open' GROUP BY kind ORDER BY kind`,
      ),
      comparedParts(database),
      database.query<Figures['firstFailures'][number] & { [column: string]: unknown }>(
        `SELECT protocol, first_failure_reason AS reason, count(*)::int AS count
         FROM settlements WHERE first_failure_at IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2`,
      ),
      database.query<Figures['breakers'][number] & { [column: string]: unknown }>(
        `SELECT provider, state, reason,
           CASE WHEN returned_at > clock_now() - interval '30 minutes' THEN returns ELSE 0 END AS returns
           , paused_by AS "pausedBy", extract(epoch FROM paused_at)::float8 AS "pausedAt"
         FROM provider_breakers ORDER BY provider`,
      ),
      database.query<Figures['sweeps'][number] & { [column: string]: unknown }>(
        `SELECT name, extract(epoch FROM s.succeeded_at)::float8 AS "lastSuccess"
         FROM sweeps s RIGHT JOIN unnest($1::text[]) AS lanes (name) USING (name) ORDER BY name`,
        [SWEEP_LANES],
      ),
      database.query<Figures['destinations'][number] & { [column: string]: unknown }>(
        `SELECT id, gone_at IS NOT NULL AS gone,
           coalesce(extract(epoch FROM clock_now() - failing_since), 0)::float8 AS "failingSeconds",
           (SELECT count(*)::int FROM notice_messages m WHERE m.destination = d.id AND m.state = 'waiting') AS waiting
         FROM notice_destinations d WHERE ${IN_USE} ORDER BY id`,
      ),
      marketplaceFigures(),
    ]);
    return {
      unsettled,
      ...(counts ?? { unknown: 0, expiring: 0, parked: 0, suspectedElsewhere: 0, deliveryUnknown: 0, answersDue: 0 }),
      needsAttention,
      drift,
      compared,
      firstFailures,
      breakers,
      sweeps,
      destinations,
      marketplace,
    };
  };
}
