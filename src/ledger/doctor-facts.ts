import type { AskedAbout, LaneOfSweeps, OldestUnfinished, OpenBreaker } from '../domain/doctor/ledger.js';
import { hyperswitchAccountInWords, stripeAccountInWords } from '../domain/doctor/providers.js';
import { SWEEP_LANES } from '../domain/sweep-lanes.js';
import { createHyperswitchAccount } from './calls/hyperswitch-account.js';
import type { Database } from './database.js';
import { compareSchema, knownMigrations, type SchemaState } from './migrate.js';
import { comparedParts } from './reconciliation/compared-parts.js';
import { createSealer, type SealingKey } from './sealer.js';
import { openNewest } from './settlements/secrets.js';

type Row<T> = T & { [column: string]: unknown };
/** A time as ISO 8601, as Postgres writes it itself. */
const iso = (expression: string): string =>
  `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** What is not finished, and nobody is asked about; what waits for its release is where it should be. */
const UNFINISHED: readonly (readonly [kind: OldestUnfinished['kind'], table: string, open: string, but?: string])[] = [
  ['settlement', 'settlements', `'open', 'pending'`],
  ['payment', 'payments', `'processing'`],
  ['refund', 'refunds', `'pending', 'review'`],
  [
    'transfer',
    'seller_transfers',
    `'pending', 'held', 'waiting_platform_balance', 'waiting_seller', 'failed'`,
    `status = 'held' AND release_kind <> 'immediately' AND released_at IS NULL`,
  ],
  ['reversal', 'reversals', `'pending', 'waiting_balance'`],
];
const KINDS: readonly (readonly [kind: AskedAbout['kind'], table: string])[] = [
  ['settlement', 'settlements'],
  ['payment', 'payments'],
  ['refund', 'refunds'],
  ['transfer', 'seller_transfers'],
  ['reversal', 'reversals'],
  ['dispute', 'disputes'],
];

/** What `makegood doctor` reads; nothing here changes anything. */
export function createDoctorFacts(database: Database) {
  return {
    /** Unix milliseconds. @throws when Postgres does not answer */
    async clockMs(): Promise<number> {
      const [row] = await database.query<{ ms: number }>(
        `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms`,
      );
      return row?.ms ?? Number.NaN;
    },

    async migrations(): Promise<{ readonly state: SchemaState; readonly applied: number; readonly known: number }> {
      const known = await knownMigrations();
      const rows = await database.query<{ number: number; sha256: string }>(
        'SELECT number, sha256 FROM schema_migrations',
      );
      const sums = new Map(rows.map(({ number, sha256 }) => [number, sha256]));
      return { state: compareSchema(known, sums), applied: rows.length, known: known.length };
    },

    openNewest: (keys: readonly SealingKey[]) => openNewest(database, createSealer(keys)),

    /** A payment that Hyperswitch is known to hold, by its name there; null: there is none yet. */
    async knownPaymentName(): Promise<string | null> {
      return (await createHyperswitchAccount(database).knownPayment(null))?.hyperswitchPaymentId ?? null;
    },

    /** Whose accounts this ledger belongs to, in words; null: nothing has shown it yet. */
    async pinned(): Promise<{ readonly stripe: string | null; readonly hyperswitch: string | null }> {
      const [[stripe], [hyperswitch]] = await Promise.all([
        database.query<{ account_id: string; livemode: boolean }>('SELECT account_id, livemode FROM stripe_account'),
        database.query<{ merchant_id: string; profile_id: string | null }>(
          'SELECT merchant_id, profile_id FROM hyperswitch_account',
        ),
      ]);
      return {
        stripe: stripe ? stripeAccountInWords(stripe.account_id, stripe.livemode) : null,
        hyperswitch: hyperswitch ? hyperswitchAccountInWords(hyperswitch.merchant_id, hyperswitch.profile_id) : null,
      };
    },

    openBreakers: () =>
      database.query<Row<OpenBreaker>>(
        `SELECT provider, reason, detail, ${iso('opened_at')} AS "openedAt" FROM provider_breakers WHERE state <> 'closed' ORDER BY provider`,
      ),

    askedAbout: () =>
      database.query<Row<AskedAbout>>(
        `SELECT kind, reason, count(*)::int AS count, ${iso('min(since)')} AS since FROM (${KINDS.map(
          ([kind, table]) =>
            `SELECT '${kind}' AS kind, attention_reason AS reason, attention_since AS since FROM ${table} WHERE attention_reason IS NOT NULL`,
        ).join(' UNION ALL ')}) asked GROUP BY kind, reason ORDER BY kind, reason`,
      ),

    async oldestUnfinished(): Promise<readonly OldestUnfinished[]> {
      const found = await Promise.all(
        UNFINISHED.map(([kind, table, open, but = 'false']) =>
          database.query<Row<OldestUnfinished>>(
            `SELECT '${kind}' AS kind, id, status, ${iso('created_at')} AS since, (count(*) OVER ())::int AS count FROM ${table}
             WHERE status IN (${open}) AND NOT (${but}) AND attention_reason IS NULL ORDER BY created_at LIMIT 1`,
          ),
        ),
      );
      return found.flat();
    },

    comparedParts: () => comparedParts(database),

    lanes: () =>
      database.query<Row<LaneOfSweeps>>(
        `SELECT name AS lane, ${iso('succeeded_at')} AS "succeededAt", ${iso('(SELECT min(applied_at) FROM schema_migrations)')} AS "ledgerSince"
         FROM sweeps RIGHT JOIN unnest($1::text[]) AS lanes (name) USING (name) ORDER BY name`,
        [SWEEP_LANES],
      ),
  };
}
