import { type Certainty, certaintyAtSend } from '../../domain/calls/certainty.js';
import { generational } from '../../domain/calls/idempotency-keys.js';
import { HYPERSWITCH_ABSENCE, KEY_FORGOTTEN_MS, keyUse } from '../../domain/calls/key-age.js';
import type { Database } from '../database.js';
import { isPaused } from '../provider-pauses.js';
import { type Query, recordEvent } from '../transition.js';
import { type Held, type HyperswitchTable, KIND, OPEN } from './hyperswitch-rows.js';
import { newGeneration } from './stripe-calls.js';

/** What of a payment or refund leaves for Stripe, or why nothing may. */
export type StripeLeaving =
  | { readonly kind: 'send'; readonly key: string; readonly params: string }
  | { readonly kind: 'lapsed' | 'paused' }
  /** Stripe may have forgotten the key: it is only looked for until absence is proved. */
  | { readonly kind: 'read_only'; readonly afterMs: number };

export interface StripeSending<Id extends string = string> extends Held<Id> {
  /** Stripe's records were read for it by the account we know, and hold nothing of ours. */
  readonly looked: boolean;
  /** What is frozen with the key; called once per generation. */
  readonly freeze: (generation: number) => string;
}

interface Row {
  readonly [column: string]: unknown;
  readonly certainty: Certainty;
  readonly idempotency_key: string;
  readonly generation: number;
  readonly attempts: number;
  readonly absences: number;
  readonly params: string | null;
  readonly key_age_ms: number | null;
  readonly fresh: boolean;
}

/**
 * The last write before the bytes leave for Stripe, by the ledger's clock. A lost answer is asked for with the same key while Stripe
 * surely has it; later only proofs of absence, far apart, give another key (key-age.ts).
 */
export async function leavesForStripe(
  database: Database,
  table: HyperswitchTable,
  { id, runner, looked, freeze }: StripeSending,
): Promise<StripeLeaving> {
  return await database.transaction(async (query) => {
    const row = await lockHeld(query, table, { id, runner });
    if (!row) return { kind: 'lapsed' };
    // Not before the row was waited for.
    if (await isPaused(query, 'stripe')) return { kind: 'paused' };
    const { certainty, key_age_ms: keyAgeMs } = row;
    const isUnknown = certainty === 'unknown' || certainty === 'in_flight';
    const absences = row.absences + Number(looked && isUnknown && !row.fresh);
    const use = keyUse({ certainty, keyAgeMs, absences });
    if (use === 'read_only') {
      if (absences > row.absences) await noteLook(query, table, { id, absences });
      return {
        kind: 'read_only',
        afterMs: Math.max(KEY_FORGOTTEN_MS - (keyAgeMs ?? KEY_FORGOTTEN_MS), HYPERSWITCH_ABSENCE.apartMs),
      };
    }
    if (use === 'same_key') return await send(query, table, { ...row, id, runner }, freeze);
    if (absences > row.absences) await noteLook(query, table, { id, absences });
    const generation = row.generation + 1;
    const key = generational(id, generation);
    await query(`UPDATE ${table} SET ${newGeneration('$2')} WHERE id = $1`, [id, key]);
    const detail = { generation, was: certainty, key_age_ms: keyAgeMs, absences };
    await recordEvent(query, { kind: KIND[table], id, what: 'new_generation', key, detail });
    const anew = { ...row, generation, idempotency_key: key, certainty: 'not_sent' as const, params: null };
    return await send(query, table, { ...anew, id, runner }, freeze);
  });
}

async function lockHeld(query: Query, table: HyperswitchTable, { id, runner }: Held): Promise<Row | undefined> {
  const [row] = await query<Row>(
    `SELECT certainty, idempotency_key, generation, attempts, absences, params,
       (extract(epoch FROM clock_now() - key_first_sent_at) * 1000)::float8 AS key_age_ms,
       coalesce(last_absence_at > clock_now() - $4 * interval '1 millisecond', false) AS fresh
     FROM ${table} WHERE id = $1 AND runner = $2 AND runner_until > clock_now() AND status = ANY($3) FOR UPDATE`,
    [id, runner, OPEN[table], HYPERSWITCH_ABSENCE.apartMs],
  );
  return row;
}

async function noteLook(
  query: Query,
  table: HyperswitchTable,
  { id, absences }: { readonly id: string; readonly absences: number },
): Promise<void> {
  await query(`UPDATE ${table} SET absences = $2, last_absence_at = clock_now() WHERE id = $1`, [id, absences]);
  await recordEvent(query, { kind: KIND[table], id, what: 'looked', detail: { found: 'nothing of ours', absences } });
}

async function send(
  query: Query,
  table: HyperswitchTable,
  row: Row & Held,
  freeze: StripeSending['freeze'],
): Promise<StripeLeaving> {
  const { id, runner, idempotency_key: key, generation } = row;
  const certainty = certaintyAtSend(row.certainty);
  const params = row.params ?? freeze(generation);
  // Absences that were seen before prove nothing any more.
  await query(
    `UPDATE ${table} SET attempts = attempts + 1, certainty = $2, params = $3,
       key_first_sent_at = coalesce(key_first_sent_at, clock_now()), absences = 0, last_absence_at = NULL, refusal = NULL
     WHERE id = $1`,
    [id, certainty, params],
  );
  const detail = { attempt: row.attempts + 1, runner, generation, params };
  await recordEvent(query, { kind: KIND[table], id, what: 'sent', certainty, key, detail });
  return { kind: 'send', key, params };
}
