import {
  type Certainty,
  certaintyAtClaim,
  certaintyAtSend,
  mayHaveMoved,
  surelyUnmoved,
} from '../../domain/calls/certainty.js';
import { KEY_FORGOTTEN_MS, type KeyUse, keyUse, looksFirst, PROOFS_APART_MS } from '../../domain/calls/key-age.js';
import { ID_IS_TAKEN } from '../../domain/calls/next.js';
import type { Database } from '../database.js';
import { isPaused } from '../provider-pauses.js';
import { type Query, recordEvent } from '../transition.js';
import type { CallOutcome, Claimed, Recorded, SendPermit } from './call-types.js';
import { type Holdable, holdRow } from './holds.js';

/** What transfers and reversals have in common: the columns of a call that carries a key. */
export interface CallRow extends Holdable {
  id: string;
  order_id: string;
  seller_account: string;
  currency: string;
  amount: string;
  status: string;
  certainty: Certainty;
  generation: number;
  idempotency_key: string;
  attempts: number;
  retry_count: number;
  absences: number;
  params: string | null;
  retry_ms: number | null;
  key_age_ms: number | null;
  row_age_ms: number;
  attention_reason: string | null;
  attention_detail: string | null;
}

export type CallTable = 'seller_transfers' | 'reversals';
const KIND = { seller_transfers: 'transfer', reversals: 'reversal' } as const;

/** Milliseconds by the ledger's clock; `x` is the row. */
export const CALL_TIMES = `(extract(epoch FROM x.runner_until - clock_now()) * 1000)::float8 AS held_ms,
  (extract(epoch FROM x.next_retry_at - clock_now()) * 1000)::float8 AS retry_ms,
  (extract(epoch FROM clock_now() - x.key_first_sent_at) * 1000)::float8 AS key_age_ms,
  (extract(epoch FROM clock_now() - x.created_at) * 1000)::float8 AS row_age_ms`;

/**
 * Sets what a new generation is: another key, under which nothing was sent, frozen or looked for. What the present key stands for
 * was surely not carried out.
 * @param key the place of the new key among the statement's values
 */
export const newGeneration = (key: `$${number}`): string =>
  `generation = generation + 1, idempotency_key = ${key}, certainty = 'not_sent', params = NULL, key_first_sent_at = NULL,
     absences = 0, last_absence_at = NULL`;

/** Takes the row for one attempt. */
export async function hold(
  query: Query,
  table: CallTable,
  { row, runner, holdMs }: { row: CallRow; runner: string; holdMs: number },
): Promise<Omit<Claimed, 'orderId'>> {
  const certainty = certaintyAtClaim(row.certainty);
  await holdRow(query, table, { id: row.id, runner, holdMs, certainty });
  return {
    runner,
    sellerAccount: row.seller_account,
    currency: row.currency,
    amount: BigInt(row.amount),
    certainty,
    generation: row.generation,
    attempts: row.attempts,
    retryCount: row.retry_count,
    shortForMs: null,
    looksFirst: looksFirst({ certainty }, row.row_age_ms),
  };
}

/** Stripe's records hold nothing of ours: a proof, unless the one before is too fresh to be a second. */
export async function noteAbsent(query: Query, table: CallTable, { id, runner }: { id: string; runner: string }) {
  const [row] = await query<{ absences: number }>(
    `UPDATE ${table} SET absences = absences + 1, last_absence_at = clock_now()
     WHERE id = $1 AND runner = $2
       AND (last_absence_at IS NULL OR last_absence_at <= clock_now() - $3 * interval '1 millisecond') RETURNING absences`,
    [id, runner, PROOFS_APART_MS],
  );
  if (row)
    await recordEvent(query, {
      kind: KIND[table],
      id,
      what: 'looked',
      detail: { found: 'nothing of ours', absences: row.absences },
    });
}

/** Which key the row may be sent with now, where nothing of it was found. */
export const useOf = (row: CallRow): KeyUse =>
  keyUse({ certainty: row.certainty, keyAgeMs: row.key_age_ms, absences: row.absences });

interface Frozen {
  readonly amount: number;
  /** Of a reversal none: it has that of its transfer. */
  readonly currency?: string;
}

/** An older build froze another amount with this key, or another currency. */
function isFrozenOtherwise({ params }: CallRow, { amount, currency }: Frozen): boolean {
  if (params === null) return false;
  const frozen = JSON.parse(params) as Partial<Frozen>;
  return frozen.amount !== amount || frozen.currency !== currency;
}

/** It may have gone out with another amount than is due, and nothing of it may be sent again: a person has to be asked. */
export const mayHaveTakenOtherwise = (row: CallRow, amount: bigint): boolean =>
  mayHaveMoved(row.certainty) && isFrozenOtherwise(row, { amount: Number(amount) }) && useOf(row) !== 'new_generation';

export interface PermitRequest<Params> {
  readonly row: CallRow;
  readonly runner: string;
  readonly holdMs: number;
  /** Builds what is frozen with the key; called once per generation. */
  readonly freeze: (generation: number) => Params;
  readonly keyOf: (generation: number) => string;
  /** What its story is told beside what is sent. */
  readonly told?: (params: Params) => Readonly<Record<string, unknown>>;
}

/**
 * Whether the key may still be sent (key-age.ts), by the ledger's clock, in the transaction that records the send. The caller
 * holds the row.
 */
export async function permit<Params extends Frozen>(
  query: Query,
  table: CallTable,
  { row, runner, holdMs, freeze, keyOf, told }: PermitRequest<Params>,
): Promise<SendPermit<Params>> {
  if (row.runner !== runner || (row.held_ms ?? 0) <= 0) return { kind: 'stop', why: 'the claim lapsed' };
  if (await isPaused(query, 'stripe')) {
    // As what is turned away before its claim: nothing counts, and whoever resumes makes it due.
    await query(
      `UPDATE ${table} SET runner = NULL, runner_until = NULL, last_answer = 'parked', next_check_at = clock_now() + interval '1 minute'
       WHERE id = $1`,
      [row.id],
    );
    return { kind: 'stop', why: 'stripe is paused' };
  }
  const use =
    surelyUnmoved(row.certainty) && isFrozenOtherwise(row, freeze(row.generation)) ? 'new_generation' : useOf(row);
  if (use === 'read_only') {
    const afterMs = Math.max(KEY_FORGOTTEN_MS - (row.key_age_ms ?? 0), PROOFS_APART_MS);
    await releaseClaim(query, table, { id: row.id, runner, afterMs, answer: 'read_only' });
    return { kind: 'read_only', afterMs };
  }
  let { generation, idempotency_key: key, params, certainty } = row;
  if (use === 'new_generation') {
    generation += 1;
    key = keyOf(generation);
    params = null;
    await query(`UPDATE ${table} SET ${newGeneration('$2')} WHERE id = $1`, [row.id, key]);
    await recordEvent(query, {
      kind: KIND[table],
      id: row.id,
      what: 'new_generation',
      key,
      detail: { generation, was: row.certainty, key_age_ms: row.key_age_ms, absences: row.absences },
    });
    certainty = 'not_sent';
  }
  const frozen = params ?? JSON.stringify(freeze(generation));
  const sent = JSON.parse(frozen) as Params;
  await query(
    `UPDATE ${table} SET params = $2, key_first_sent_at = coalesce(key_first_sent_at, clock_now()), certainty = $3,
       attempts = attempts + 1, absences = 0, last_absence_at = NULL,
       runner_until = clock_now() + $4 * interval '1 millisecond',
       next_check_at = clock_now() + $4 * interval '1 millisecond' + interval '15 seconds' WHERE id = $1`,
    [row.id, frozen, certaintyAtSend(certainty), holdMs],
  );
  await recordEvent(query, {
    kind: KIND[table],
    id: row.id,
    what: 'sent',
    certainty: certaintyAtSend(certainty),
    key,
    detail: { attempt: row.attempts + 1, runner, generation, params: frozen, ...told?.(sent) },
  });
  return { kind: 'send', key, generation, params: sent };
}

/**
 * A permit waits for its token, and a person may pause Stripe meanwhile: asked once more before the bytes leave, without a lock.
 * @returns why nothing may leave any more; undefined: it may
 */
export async function stopped(
  query: Query,
  table: CallTable | 'payments' | 'refunds',
  { id, runner }: { readonly id: string; readonly runner: string },
): Promise<string | undefined> {
  const [row] = await query<{ held: boolean; paused: boolean }>(
    `SELECT coalesce(runner = $2 AND runner_until > clock_now(), false) AS held, EXISTS (
       SELECT 1 FROM provider_breakers WHERE provider = 'stripe' AND paused_by IS NOT NULL) AS paused
     FROM ${table} WHERE id = $1`,
    [id, runner],
  );
  if (!row?.held) return 'the claim lapsed';
  return row.paused ? 'stripe is paused' : undefined;
}

/** Nothing may be sent now: when the sweep looks again if nothing else does. */
export async function lookAgain(query: Query, table: CallTable, id: string, afterMs: number): Promise<void> {
  await query(
    `UPDATE ${table} SET next_check_at = clock_now() + $2 * interval '1 millisecond' + interval '15 seconds'
     WHERE id = $1 AND next_check_at IS NOT NULL`,
    [id, afterMs],
  );
}

/** Its workflow reads Stripe's records every hour where nobody knows, and otherwise waits for a person. */
export const LOOKED_AFTER_MS = { unknown: 70 * 60_000, known: 24 * 3_600_000 };

/** Nothing was sent: the claim is given back, and what is known stays as it was. */
export async function releaseClaim(
  query: Query,
  table: CallTable,
  { id, runner, afterMs, answer }: { id: string; runner: string; afterMs: number; answer: string },
): Promise<void> {
  await query(
    `UPDATE ${table} SET runner = NULL, runner_until = NULL, last_answer = $4,
       next_retry_at = clock_now() + $3 * interval '1 millisecond',
       next_check_at = clock_now() + $3 * interval '1 millisecond' + interval '15 seconds'
     WHERE id = $1 AND runner = $2`,
    [id, runner, afterMs, answer],
  );
}

/** Every answer is on record, also one that came after the claim had lapsed. */
export async function tellAnswer(
  query: Query,
  table: CallTable,
  row: CallRow,
  outcome: CallOutcome<string>,
): Promise<void> {
  const { decision, requestId, stripeId, source, detail, runner } = outcome;
  await recordEvent(query, {
    kind: KIND[table],
    id: row.id,
    what: 'answered',
    certainty: decision.certainty,
    key: row.idempotency_key,
    answer: decision.do,
    detail: {
      detail,
      runner,
      source,
      ...(requestId === null ? {} : { request_id: requestId }),
      ...(stripeId === null ? {} : { stripe_id: stripeId }),
      ...('afterMs' in decision ? { after_ms: decision.afterMs } : {}),
      ...('reason' in decision ? { reason: decision.reason } : {}),
    },
  });
}

/** @throws RangeError rather than send another amount than the ledger holds */
export function exactMinorUnits({ id, amount }: Pick<CallRow, 'id' | 'amount'>): number {
  const number = Number(amount);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${id}: ${amount} cannot be sent exactly; nothing was sent`);
  return number;
}

/** Postgres' code for a broken UNIQUE: this id at Stripe belongs to another row. */
export const isTaken = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '23505';

/** What Stripe shows as done, and belongs to another row here, is a question for a person: nothing else is written. */
export async function recordUnlessTaken<Id extends string>(
  database: Database,
  kind: 'transfer' | 'reversal',
  outcome: CallOutcome<Id>,
  record: (query: Query, outcome: CallOutcome<Id>) => Promise<Recorded>,
): Promise<Recorded> {
  try {
    return await database.transaction((query) => record(query, outcome));
  } catch (error) {
    if (outcome.decision.do !== 'finish' || !isTaken(error)) throw error;
    const detail = `${outcome.stripeId} at Stripe already belongs to another ${kind} here; nothing was written`;
    return await database.transaction((query) =>
      record(query, { ...outcome, decision: ID_IS_TAKEN, detail, stripeId: null }),
    );
  }
}
