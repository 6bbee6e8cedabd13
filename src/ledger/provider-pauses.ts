import { BREAKERS_OF, type Pausable, type Pause, pausableOf, pauseInWords } from '../domain/provider-pauses.js';
import type { Database } from './database.js';
import { type Query, recordEvent } from './transition.js';

export interface PauseRequest {
  readonly provider: Pausable;
  readonly by: string;
  /** False: a name that anybody may type. */
  readonly authenticated: boolean;
  /** Why, for whoever reads it later; may be empty. */
  readonly note: string;
}

interface Row {
  [column: string]: unknown;
  provider: string;
  paused_by: string;
  paused_at: Date;
  paused_note: string;
}

/** Of one breaker, as JSON. */
export interface PausedRow {
  readonly provider: string;
  readonly by: string;
  readonly at: string;
  readonly note: string;
}

/** A column `paused` about the breaker of this name. @param breaker an SQL expression */
export const pausedRow = (breaker: string): string =>
  `(SELECT jsonb_build_object('provider', provider, 'by', paused_by, 'at', paused_at, 'note', paused_note)
    FROM provider_breakers WHERE provider = ${breaker} AND paused_by IS NOT NULL) AS paused`;

export function pausedInWords(row: PausedRow | null | undefined): string | null {
  const provider = row ? pausableOf(row.provider) : undefined;
  return row && provider ? pauseInWords({ ...row, provider, at: new Date(row.at).toISOString() }) : null;
}

/** More are not made due in one statement. */
const MOST_AT_ONCE = 1_000;
/** What waits for each provider, in the tables that its calls are made for. */
const WAITING: Readonly<Record<Pausable, readonly (readonly [table: string, condition: string])[]>> = {
  'auth-server': [['settlements', `status = 'pending' AND provider LIKE 'auth-server:%'`]],
  chain: [['settlements', `status = 'pending' AND provider = 'tempo'`]],
  stripe: [
    ['seller_transfers', `last_answer = 'parked'`],
    ['reversals', `last_answer = 'parked'`],
  ],
  hyperswitch: [
    ['payments', `status IN ('pending', 'processing')`],
    ['refunds', `status IN ('pending', 'review')`],
  ],
};

/** Whether a person has paused a provider; asked in the transaction that would let a call leave. */
export async function isPaused(query: Query, breaker: string): Promise<boolean> {
  const rows = await query('SELECT 1 FROM provider_breakers WHERE provider = $1 AND paused_by IS NOT NULL', [breaker]);
  return rows.length > 0;
}

/** A person parks a provider, and lets it go again. */
export function createProviderPauses(database: Database) {
  return {
    /** What is paused now, and by whom. */
    async pauses(): Promise<readonly Pause[]> {
      const rows = await database.query<Row>(
        `SELECT provider, paused_by, paused_at, paused_note FROM provider_breakers WHERE paused_by IS NOT NULL ORDER BY provider`,
      );
      const found = new Map<Pausable, Pause>();
      for (const row of rows) {
        const provider = pausableOf(row.provider);
        if (provider && !found.has(provider))
          found.set(provider, {
            provider,
            by: row.paused_by,
            at: row.paused_at.toISOString(),
            note: row.paused_note,
          });
      }
      return [...found.values()];
    },

    /** From its commit on no call that moves money leaves to it. @returns false: it is paused already, and stays as it was */
    pauseProvider: ({ provider, by, authenticated, note }: PauseRequest): Promise<boolean> =>
      database.transaction(async (query) => {
        let paused = false;
        for (const breaker of BREAKERS_OF[provider]) {
          const rows = await query(
            `INSERT INTO provider_breakers AS b (provider, state, reason, detail, opened_at, probe_at, paused_by, paused_at, paused_note)
             VALUES ($1, 'open', 'paused', 'paused by ' || $2, clock_now(), 'infinity', $2, clock_now(), $3)
             ON CONFLICT (provider) DO UPDATE SET state = 'open', reason = 'paused', detail = EXCLUDED.detail,
               opened_at = coalesce(b.opened_at, EXCLUDED.opened_at), probe_every = NULL, probe_at = 'infinity',
               paused_by = EXCLUDED.paused_by, paused_at = EXCLUDED.paused_at, paused_note = EXCLUDED.paused_note
             WHERE b.paused_by IS NULL RETURNING provider`,
            [breaker, by, note],
          );
          if (rows.length === 0) continue;
          paused = true;
          await recordEvent(query, {
            kind: 'provider',
            id: breaker,
            what: 'paused',
            detail: { by, authenticated, note },
          });
        }
        return paused;
      }),

    /** What waited for it is due at once; the sweeps start it. @returns false: nobody had paused it */
    async resumeProvider({ provider, by, authenticated, note }: PauseRequest): Promise<boolean> {
      const resumed = await database.transaction(async (query) => {
        const rows = await query<{ provider: string }>(
          `UPDATE provider_breakers SET state = 'closed', reason = NULL, detail = NULL, failures = 0, successes = 0,
             opened_at = NULL, probe_at = NULL, probe_every = NULL, paused_by = NULL, paused_at = NULL, paused_note = NULL
           WHERE provider = ANY ($1) AND paused_by IS NOT NULL RETURNING provider`,
          [BREAKERS_OF[provider]],
        );
        for (const { provider: breaker } of rows)
          await recordEvent(query, {
            kind: 'provider',
            id: breaker,
            what: 'resumed',
            detail: { by, authenticated, note },
          });
        return rows.length > 0;
      });
      if (resumed) for (const [table, condition] of WAITING[provider]) await makeDue(database, table, condition);
      return resumed;
    },
  };
}

/** What is left is due within a minute anyway. */
const makeDue = (database: Database, table: string, condition: string) =>
  database.query(
    `UPDATE ${table} SET next_check_at = clock_now() WHERE id IN (
       SELECT id FROM ${table} WHERE ${condition} AND next_check_at > clock_now() AND attention_reason IS NULL
         AND (runner IS NULL OR runner_until < clock_now())
       ORDER BY next_check_at LIMIT ${MOST_AT_ONCE} FOR UPDATE SKIP LOCKED)`,
  );
