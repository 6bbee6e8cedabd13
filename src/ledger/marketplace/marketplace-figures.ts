import type { Database } from '../database.js';
import type { MarketplaceFigures } from '../figure-types.js';

type Row<T> = T & { [column: string]: unknown };

/** Every figure of the marketplace, counted here and now from the rows themselves, so it is right while Temporal is down. */
export function createMarketplaceFigures(database: Database) {
  return async function marketplaceFigures(): Promise<MarketplaceFigures> {
    const [open, unknown, webhooks, reads, [payouts]] = await Promise.all([
      database.query<Row<MarketplaceFigures['open'][number]>>(OPEN),
      database.query<Row<MarketplaceFigures['unknown'][number]>>(UNKNOWN),
      database.query<Row<MarketplaceFigures['webhooks'][number]>>(
        `SELECT provider, count(*)::int AS count, extract(epoch FROM clock_now() - min(received_at))::float8 AS "oldestSeconds"
         FROM webhook_events WHERE next_check_at IS NOT NULL GROUP BY provider ORDER BY provider`,
      ),
      database.query<Row<MarketplaceFigures['reads'][number]>>(READS),
      database.query<Row<MarketplaceFigures['payouts']>>(UNREAD_PAYOUTS),
    ]);
    return { open, unknown, webhooks, reads, payouts: payouts ?? { count: 0, oldestSeconds: 0 } };
  };
}

const COUNTED = `currency, count(*)::int AS count, sum(amount)::text AS amount`;
const ageOf = (since: string) => `extract(epoch FROM clock_now() - min(${since}))::float8`;
const age = (since: string) => `${ageOf(since)} AS "oldestSeconds"`;

/** Money that is promised and has not moved, by what it waits for. Dates and reasons are named so that their indexes are used. */
const OPEN = `
  SELECT 'payment' AS kind, status, ${COUNTED}, ${age('created_at')} FROM payments
    WHERE status IN ('pending', 'processing') AND next_check_at IS NOT NULL GROUP BY status, currency
  UNION ALL SELECT 'refund', status, ${COUNTED}, ${age('created_at')} FROM refunds
    WHERE status IN ('pending', 'review') AND next_check_at IS NOT NULL GROUP BY status, currency
  UNION ALL SELECT 'transfer', status, ${COUNTED}, ${age("CASE WHEN status IN ('pending', 'held', 'failed') THEN created_at ELSE waiting_since END")} FROM seller_transfers
    WHERE status IN ('pending', 'held', 'waiting_platform_balance', 'waiting_seller', 'failed') AND next_check_at IS NOT NULL GROUP BY status, currency
  UNION ALL SELECT 'reversal', CASE WHEN debt_since IS NULL THEN status ELSE 'owed' END, ${COUNTED}, ${age('coalesce(debt_since, waiting_since, created_at)')} FROM reversals
    WHERE status IN ('pending', 'waiting_balance', 'permanently_failed')
      AND (next_check_at IS NOT NULL OR attention_reason IS NOT NULL) GROUP BY 2, currency
  UNION ALL SELECT 'dispute', status, ${COUNTED}, ${age('created_at')} FROM disputes
    WHERE (next_check_at IS NOT NULL OR attention_reason IS NOT NULL) AND (status IN ('inquiry', 'open') OR attention_reason IS NOT NULL)
    GROUP BY status, currency
  ORDER BY 1, 2, 3`;

/** A call that is held is on its way, and normal; what nobody holds and nobody knows of is not. */
const unknownOf = (kind: string, table: string) => `
  SELECT '${kind}' AS kind, count(*)::int AS count, coalesce(${ageOf('created_at')}, 0) AS "oldestSeconds"
  FROM ${table} WHERE certainty IN ('unknown', 'in_flight') AND next_check_at IS NOT NULL AND (runner IS NULL OR runner_until < clock_now())`;
const UNKNOWN = [
  unknownOf('payment', 'payments'),
  unknownOf('refund', 'refunds'),
  unknownOf('transfer', 'seller_transfers'),
  // What is kept of a transfer on its way is as sure as that transfer, which is counted itself.
  `${unknownOf('reversal', 'reversals')} AND debt_since IS NULL`,
].join(' UNION ALL ');

/** What is read at a date that has not come yet is not waited for. */
const UNREAD_PAYOUTS = `
  SELECT count(*)::int AS count, coalesce(extract(epoch FROM clock_now() - min(updated_at))::float8, 0) AS "oldestSeconds"
  FROM payouts WHERE next_check_at IS NOT NULL AND contents = 'unread' AND status IN ('paid', 'failed')`;

/** Turns are never given a minute ahead: the clock was set back, which the next read mends. */
const READS = `
  SELECT lane, CASE WHEN next_at > clock_timestamp() + interval '1 minute' THEN 0
      ELSE greatest(0, extract(epoch FROM next_at - clock_timestamp()))::float8 END AS "waitSeconds"
  FROM hyperswitch_pace ORDER BY lane`;

/** Providers that do not let us in now, by name: `stripe`, `hyperswitch`; one seller alone counts for nobody else. */
export function createProviderStates(database: Database) {
  return {
    async unavailableProviders(): Promise<readonly string[]> {
      const rows = await database.query<{ provider: string }>(
        `SELECT provider FROM provider_breakers WHERE state <> 'closed' AND provider IN ('stripe', 'hyperswitch')`,
      );
      return rows.map(({ provider }) => provider);
    },
  };
}
