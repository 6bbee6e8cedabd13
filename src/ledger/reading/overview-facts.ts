import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { DecidableKind } from '../../domain/decisions/decisions.js';
import type { Database } from '../database.js';

type Row<T> = T & { [column: string]: unknown };

/** What waits for a person, by what and why, in one currency or asset; times are ISO 8601. */
export interface WaitingSum {
  readonly kind: DecidableKind;
  readonly reason: AttentionReason;
  readonly unit: string;
  readonly decimals: number | null;
  readonly count: number;
  readonly amount: string;
  readonly oldestAt: string;
}

export interface ProviderState {
  readonly provider: string;
  readonly state: 'closed' | 'open' | 'half_open';
  readonly reason: string | null;
  readonly detail: string | null;
  readonly since: string | null;
  readonly pausedBy: string | null;
  readonly pausedNote: string | null;
  readonly nextProbeAt: string | null;
}

export interface SeriesPoint {
  readonly at: string;
  readonly done: number;
  readonly failed: number;
  readonly backlog: number;
  readonly needsAttention: number;
}

export interface OverviewFacts {
  /** By Postgres' clock. */
  readonly at: string;
  readonly waiting: readonly WaitingSum[];
  readonly providers: readonly ProviderState[];
  readonly lastSuccesses: ReadonlyMap<string, string>;
  readonly series: readonly SeriesPoint[];
  readonly stepSeconds: number;
  readonly spanSeconds: number;
}

const ofMarketplace = (kind: string, table: string): string =>
  `SELECT '${kind}', attention_reason, attention_since, currency, NULL::int, amount FROM ${table} WHERE attention_reason IS NOT NULL`;

const WAITING = `
  SELECT kind, reason, unit, decimals, count(*)::int AS count, sum(amount)::text AS amount, min(since) AS oldest FROM (
    SELECT 'settlement' AS kind, attention_reason AS reason, attention_since AS since, asset AS unit, decimals, spent AS amount
      FROM settlements WHERE attention_reason IS NOT NULL
    UNION ALL ${ofMarketplace('payment', 'payments')}
    UNION ALL ${ofMarketplace('refund', 'refunds')}
    UNION ALL ${ofMarketplace('transfer', 'seller_transfers')}
    UNION ALL ${ofMarketplace('reversal', 'reversals')}
    UNION ALL ${ofMarketplace('dispute', 'disputes')}
  ) waiting GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`;

/** So many of the newest events are looked through for the last success of each provider: a picture, and no proof. */
const NEWEST_EVENTS = 2_000;
const LAST_SUCCESSES = `
  SELECT provider, max(at) AS at FROM (
    SELECT e.at, CASE WHEN e.item_kind = 'settlement' THEN s.provider WHEN e.item_kind IN ('transfer', 'reversal') THEN 'stripe'
      ELSE 'hyperswitch' END AS provider
    FROM (SELECT at, item_kind, item_id, kind, certainty FROM operation_events ORDER BY seq DESC LIMIT ${NEWEST_EVENTS}) e
      LEFT JOIN settlements s ON e.item_kind = 'settlement' AND s.id = CASE WHEN e.item_kind = 'settlement' THEN e.item_id::uuid END
    WHERE e.kind = 'answered' AND e.certainty = 'done'
      AND e.item_kind IN ('settlement', 'payment', 'refund', 'transfer', 'reversal')
  ) done WHERE provider IS NOT NULL GROUP BY provider`;

const STEP_SECONDS = 300;
const SPAN_SECONDS = 86_400;
const SERIES = `
  SELECT date_bin(interval '${STEP_SECONDS} seconds', at, 'epoch'::timestamptz) AS at, sum(done)::int AS done, sum(failed)::int AS failed,
    (array_agg(backlog ORDER BY at DESC))[1] AS backlog, (array_agg(needs_attention ORDER BY at DESC))[1] AS "needsAttention"
  FROM figure_samples WHERE at > clock_now() - interval '${SPAN_SECONDS} seconds' GROUP BY 1 ORDER BY 1`;

/** All that an overview shows beside the figures that are metrics too. */
export async function overviewFacts(database: Database): Promise<OverviewFacts> {
  const [[clock], waiting, providers, successes, series] = await Promise.all([
    database.query<{ at: Date }>('SELECT clock_now() AS at'),
    database.query<Row<Omit<WaitingSum, 'oldestAt'> & { oldest: Date }>>(WAITING),
    database.query<ProviderRow>(
      `SELECT provider, state, reason, detail, coalesce(paused_at, opened_at) AS since, paused_by, paused_note,
         CASE WHEN isfinite(probe_at) THEN probe_at END AS probe_at
       FROM provider_breakers WHERE state <> 'closed' OR provider NOT LIKE 'stripe:%' ORDER BY provider LIMIT 200`,
    ),
    database.query<{ provider: string; at: Date }>(LAST_SUCCESSES),
    database.query<Row<Omit<SeriesPoint, 'at'> & { at: Date }>>(SERIES),
  ]);
  return {
    at: (clock?.at ?? new Date(0)).toISOString(),
    waiting: waiting.map(({ oldest, ...sum }) => ({ ...sum, oldestAt: oldest.toISOString() })),
    providers: providers.map(toState),
    lastSuccesses: new Map(successes.map(({ provider, at }) => [provider, at.toISOString()])),
    series: series.map(({ at, ...point }) => ({ ...point, at: at.toISOString() })),
    stepSeconds: STEP_SECONDS,
    spanSeconds: SPAN_SECONDS,
  };
}

interface ProviderRow {
  [column: string]: unknown;
  provider: string;
  state: ProviderState['state'];
  reason: string | null;
  detail: string | null;
  since: Date | null;
  paused_by: string | null;
  paused_note: string | null;
  probe_at: Date | null;
}

const toState = (row: ProviderRow): ProviderState => ({
  provider: row.provider,
  state: row.state,
  reason: row.reason,
  detail: row.detail,
  since: row.state === 'closed' ? null : (row.since?.toISOString() ?? null),
  pausedBy: row.paused_by,
  pausedNote: row.paused_note,
  nextProbeAt: row.state === 'closed' ? null : (row.probe_at?.toISOString() ?? null),
});
