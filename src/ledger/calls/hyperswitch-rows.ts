import { type Certainty, certaintyAtSend } from '../../domain/calls/certainty.js';
import { HYPERSWITCH_ABSENCE } from '../../domain/calls/key-age.js';
import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { Database } from '../database.js';
import { isGivenUp } from '../decisions/decision-rows.js';
import { isPaused } from '../provider-pauses.js';
import { mustMove, type Query, recordEvent } from '../transition.js';
import type { HyperswitchClaim } from './call-types.js';
import { type Holdable, heldElsewhereMs, holdRow } from './holds.js';

/** What payments and refunds have in common: a call whose key is the object's own id at Hyperswitch. */
export type HyperswitchTable = 'payments' | 'refunds';
export const KIND = { payments: 'payment', refunds: 'refund' } as const;
/** Only what is still followed may be sent: what was given up meanwhile may not, whoever holds the claim. */
export const OPEN = { payments: ['pending', 'processing'], refunds: ['pending', 'review'] } as const;

/** Until the sweep looks at an item that its own workflow should have taken further. */
export const SWEEP_AFTER_MS = 10 * 60_000;
export const SWEEP_AFTER = `interval '${SWEEP_AFTER_MS} milliseconds'`;
/** What waits for a person is read again this often. */
const ASKED_AFTER = `interval '1 hour'`;

export interface Held<Id extends string = string> {
  readonly id: Id;
  readonly runner: string;
}

/** What has ended is found again only while a person is asked about it. */
async function leaveEnded(query: Query, table: HyperswitchTable, id: string): Promise<void> {
  await query(
    `UPDATE ${table} SET next_check_at = CASE WHEN attention_reason IS NOT NULL THEN clock_now() + ${ASKED_AFTER} END
     WHERE id = $1 AND next_check_at IS NOT NULL`,
    [id],
  );
}

/**
 * The last write before the bytes leave; what is sent is frozen with it. Absences that were seen before prove nothing any more.
 * @param params what is to be sent, as text @returns what is to be sent; undefined: the claim is no longer ours, null: a person has paused
 *   Hyperswitch, and nothing may be sent
 */
export async function leaves(
  database: Database,
  table: HyperswitchTable,
  { id, runner, params }: Held & { readonly params: string },
): Promise<string | undefined | null> {
  return await database.transaction(async (query) => {
    const [row] = await query<{
      certainty: Certainty;
      idempotency_key: string;
      attempts: number;
      params: string | null;
    }>(
      `SELECT certainty, idempotency_key, attempts, params FROM ${table}
       WHERE id = $1 AND runner = $2 AND runner_until > clock_now() AND status = ANY($3) FOR UPDATE`,
      [id, runner, OPEN[table]],
    );
    if (!row) return undefined;
    // Not before the row was waited for.
    if (await isPaused(query, 'hyperswitch')) return null;
    const certainty = certaintyAtSend(row.certainty);
    const frozen = row.params ?? params;
    await query(
      `UPDATE ${table} SET attempts = attempts + 1, certainty = $2, params = $3,
         key_first_sent_at = coalesce(key_first_sent_at, clock_now()), absences = 0, last_absence_at = NULL, refusal = NULL
       WHERE id = $1`,
      [id, certainty, frozen],
    );
    await recordEvent(query, {
      kind: KIND[table],
      id,
      what: 'sent',
      certainty,
      key: row.idempotency_key,
      detail: { attempt: row.attempts + 1, runner, params: frozen },
    });
    return frozen;
  });
}

/** Takes the row for one attempt, unless it has ended or somebody else has it. The caller has the row's lock. */
export async function claimRow<C extends { readonly certainty: Certainty }>(
  query: Query,
  table: HyperswitchTable,
  { row, claim, runner, holdMs }: { row: Holdable & RowOf; claim: C; runner: string; holdMs: number },
): Promise<HyperswitchClaim<C>> {
  if (!isOpen(table, row.status)) {
    await leaveEnded(query, table, row.id);
    return { kind: 'final', claim };
  }
  const heldMs = heldElsewhereMs(row, runner);
  if (heldMs > 0) return { kind: 'held', forMs: Math.ceil(heldMs) };
  await holdRow(query, table, { id: row.id, runner, holdMs, certainty: claim.certainty });
  return { kind: 'claimed', claim };
}

interface RowOf {
  readonly id: string;
  readonly status: string;
}

const isOpen = (table: HyperswitchTable, status: string): boolean => OPEN[table].some((open) => open === status);

/** The provider refused it for good: it is failed. @returns false: the claim is no longer ours */
export async function refuseRow(
  query: Query,
  table: HyperswitchTable,
  {
    row,
    runner,
    detail,
    set,
  }: { row: Holdable & RowOf & { readonly idempotency_key: string }; runner: string; detail: string; set: string },
): Promise<boolean> {
  if (row.runner !== runner || !isOpen(table, row.status)) return false;
  await mustMove(query, table, {
    id: row.id,
    from: row.status,
    to: 'failed',
    set: `certainty = 'absent', detail = $4, last_answer = 'refused', runner = NULL, runner_until = NULL, next_check_at = NULL, ${set}`,
    values: [detail],
  });
  await recordEvent(query, {
    kind: KIND[table],
    id: row.id,
    what: 'failed',
    certainty: 'absent',
    key: row.idempotency_key,
    detail: { detail },
  });
  return true;
}

export interface UnreadOutcome<Id extends string = string> extends Held<Id> {
  readonly certainty: Certainty;
  readonly detail: string;
  readonly nextCheckMs: number;
}

/** An attempt that brought no reading: what is known stays known, and the claim is given back. */
export async function unread(
  database: Database,
  table: HyperswitchTable,
  { id, runner, certainty, detail, nextCheckMs }: UnreadOutcome,
): Promise<void> {
  await database.transaction(async (query) => {
    const rows = await query(
      `UPDATE ${table} SET certainty = CASE WHEN certainty = 'done' THEN 'done' ELSE $3 END, detail = $4, last_answer = $3,
         runner = NULL, runner_until = NULL,
         next_check_at = CASE WHEN next_check_at IS NOT NULL THEN clock_now() + $5 * interval '1 millisecond' + interval '15 seconds' END
       WHERE id = $1 AND runner = $2 RETURNING id`,
      [id, runner, certainty, detail, nextCheckMs],
    );
    if (rows.length === 0) return;
    await recordEvent(query, {
      kind: KIND[table],
      id,
      what: 'answered',
      certainty,
      detail: { detail, after_ms: nextCheckMs },
    });
  });
}

export interface AbsentOutcome<Id extends string = string> extends Held<Id> {
  /** What the provider answered to our last attempt, where that was a no: nothing is sent again. */
  readonly refusal: string | null;
}

/**
 * Hyperswitch holds nothing under this id although it holds what we know it to: a proof, unless the one before is too
 * fresh to be a second. @returns how many there are now
 */
export async function noteAbsent(
  database: Database,
  table: HyperswitchTable,
  { id, runner, refusal }: AbsentOutcome,
): Promise<number> {
  return await database.transaction(async (query) => {
    const [row] = await query<{ absences: number; fresh: boolean }>(
      `SELECT absences, coalesce(last_absence_at > clock_now() - $3 * interval '1 millisecond', false) AS fresh
       FROM ${table} WHERE id = $1 AND runner = $2 FOR UPDATE`,
      [id, runner, HYPERSWITCH_ABSENCE.apartMs],
    );
    if (!row) return 0;
    const absences = row.absences + (row.fresh ? 0 : 1);
    await query(
      `UPDATE ${table} SET refusal = coalesce($3, refusal), absences = $2,
         last_absence_at = CASE WHEN $4 THEN last_absence_at ELSE clock_now() END WHERE id = $1`,
      [id, absences, refusal, row.fresh],
    );
    await recordEvent(query, {
      kind: KIND[table],
      id,
      what: 'looked',
      detail: { found: 'nothing of ours', absences, ...(refusal === null ? {} : { refused: refusal }) },
    });
    return absences;
  });
}

export interface Question {
  readonly reason: AttentionReason;
  readonly detail: string;
}

/** Puts an item before a person, unless a request of one waits for its approval. The caller holds the row. */
export async function ask(
  query: Query,
  table: HyperswitchTable,
  { id, reason, detail }: Question & { readonly id: string },
): Promise<void> {
  const [row] = await query<{ was: string | null }>(
    `UPDATE ${table} x SET
       attention_reason = CASE WHEN was.pending THEN was.reason ELSE $2 END,
       attention_since = CASE WHEN was.pending OR was.reason = $2 THEN was.since ELSE clock_now() END,
       attention_detail = CASE WHEN was.pending THEN was.detail ELSE $3 END,
       next_check_at = clock_now() + ${ASKED_AFTER}
     FROM (SELECT attention_reason AS reason, attention_since AS since, attention_detail AS detail,
         attention_reason IS NOT DISTINCT FROM 'approval_pending' AND EXISTS (SELECT 1 FROM decisions
           WHERE item_kind = $4 AND item_id = $1 AND state = 'pending_approval') AS pending FROM ${table} WHERE id = $1) was
     WHERE x.id = $1 RETURNING was.reason AS was`,
    [id, reason, detail, KIND[table]],
  );
  if (row?.was !== reason) await recordEvent(query, { kind: KIND[table], id, what: reason, detail: { detail } });
}

async function leaveGivenUp(query: Query, table: HyperswitchTable, id: string): Promise<void> {
  await query(
    `UPDATE ${table} SET next_check_at = clock_now() + ${ASKED_AFTER} WHERE id = $1 AND next_check_at IS NOT NULL`,
    [id],
  );
}

/** Nothing could be concluded, and only a person can find out why; the claim is given back. */
export async function askUnread(
  database: Database,
  table: HyperswitchTable,
  { id, runner, certainty, reason, detail }: Held & Question & { readonly certainty: Certainty },
): Promise<void> {
  await database.transaction(async (query) => {
    const rows = await query(
      `UPDATE ${table} SET certainty = CASE WHEN certainty = 'done' THEN 'done' ELSE $3 END, detail = $4, last_answer = $3,
         runner = NULL, runner_until = NULL WHERE id = $1 AND runner = $2 RETURNING id`,
      [id, runner, certainty, detail],
    );
    if (rows.length === 0) return;
    if (await isGivenUp(query, KIND[table], id, { reason, detail })) await leaveGivenUp(query, table, id);
    else await ask(query, table, { id, reason, detail });
  });
}
