import type { SettlementId } from '../../domain/ids.js';
import { type AfterAttempt, afterAttempt, STATUS_AFTER } from '../../domain/settlements/after-attempt.js';
import type { SettlementProvider } from '../../domain/settlements/settlement-providers.js';
import type { HeldBack, SettlementStatus } from '../../domain/settlements/settlement-status.js';
import type { Database } from '../database.js';
import type { Query } from '../transition.js';
import { answerClass, answerDetail, providerOutcome, traceOf } from './attempt-trace.js';
import type { AttemptOutcome } from './settlement-types.js';
import { writeAfterAttempts } from './write-after-attempts.js';

/** A settlement under its lock. */
interface LockedRow {
  readonly [column: string]: unknown;
  readonly id: SettlementId;
  readonly key: string;
  readonly provider: SettlementProvider;
  readonly status: SettlementStatus;
  readonly runner: string | null;
  readonly payer: string | null;
  readonly answer: HeldBack | null;
  readonly tops_up: string | null;
  readonly voucher_channel: string | null;
  readonly voucher_place: string | null;
}

/** An attempt that ended, and the settlement that it was one of. */
interface Ended {
  readonly outcome: AttemptOutcome;
  readonly row: LockedRow;
}

interface Followed extends Ended {
  readonly after: AfterAttempt | undefined;
}

/**
 * Writes how attempts ended, in one commit: all of them or none. What breakers count of it follows by itself: a breaker is
 * locked by all who call its provider, and nobody may hold it through many statements.
 *
 * @returns the settlements' statuses afterwards, in order; null: the attempt no longer held its claim, and only its
 *   trace was written
 */
export function createAttemptRecorder(database: Database) {
  return async (outcomes: readonly AttemptOutcome[]): Promise<(SettlementStatus | null)[]> => {
    const followed = await database.transaction(async (query) => {
      const recorded: Followed[] = [];
      for (const round of onceEach(outcomes)) recorded.push(...(await record(query, round)));
      return recorded;
    });
    // The record stands whatever becomes of this: a breaker that misses an answer hears the next one.
    await noteProviders(database.query, followed).catch(() => undefined);
    const statuses = new Map(followed.map((each) => [each.outcome, statusOf(each)]));
    return outcomes.map((outcome) => statuses.get(outcome) ?? null);
  };
}

function statusOf({ outcome, row, after }: Followed): SettlementStatus | null {
  if (after) return STATUS_AFTER[after.kind];
  return outcome.decision.do === 'finish' ? row.status : null;
}

/** In the order of ids, each settlement once a round: what its later attempt makes of it depends on the earlier one. */
function onceEach(outcomes: readonly AttemptOutcome[]): AttemptOutcome[][] {
  const rounds: AttemptOutcome[][] = [];
  const seen = new Map<SettlementId, number>();
  for (const outcome of [...outcomes].sort((one, other) => Number(one.id > other.id) - Number(one.id < other.id))) {
    const round = seen.get(outcome.id) ?? 0;
    seen.set(outcome.id, round + 1);
    rounds[round] = [...(rounds[round] ?? []), outcome];
  }
  return rounds;
}

async function record(query: Query, outcomes: readonly AttemptOutcome[]): Promise<Followed[]> {
  const ended = await lock(query, outcomes);
  const followed = follow(ended, await lockPayers(query, ended));
  await tellAnswers(query, ended);
  await wakeNextVouchers(query, ended);
  await writeAfterAttempts(query, followed);
  return followed;
}

/**
 * In one order, so that two recorders never wait for each other in a circle. No key changes, and who comes to wait behind one of
 * these rows need not wait for us.
 */
async function lock(query: Query, outcomes: readonly AttemptOutcome[]): Promise<Ended[]> {
  const rows = await query<LockedRow>(
    `SELECT id, key, provider, status, runner, payer, answer, tops_up, voucher_channel, voucher_place
     FROM settlements WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE`,
    [outcomes.map(({ id }) => id)],
  );
  const found = new Map(rows.map((row) => [row.id, row]));
  return outcomes.map((outcome) => {
    const row = found.get(outcome.id);
    if (!row) throw new Error(`settlement ${outcome.id} is not in the ledger although an attempt of it was made`);
    return { outcome, row };
  });
}

/**
 * Which charges persons are asked about because these payers cannot pay: one of each payer. The locks make "is there one
 * already?" certain until the commit, and are taken in the order of payers.
 */
async function lockPayers(query: Query, ended: readonly Ended[]): Promise<Map<string, SettlementId>> {
  const cannotPay = ended.flatMap(({ outcome: { decision }, row: { payer } }) =>
    decision.do === 'ask' && decision.reason === 'uncollectable' && payer !== null ? [payer] : [],
  );
  const payers = [...new Set(cannotPay)].sort();
  if (payers.length === 0) return new Map();
  for (const payer of payers)
    await query(`SELECT pg_advisory_xact_lock(hashtextextended('uncollectable ' || $1, 0))`, [payer]);
  const asked = await query<{ payer: string; id: SettlementId }>(
    `SELECT payer, id FROM settlements WHERE payer = ANY ($1) AND status = 'needs_attention' AND uncollectable`,
    [payers],
  );
  return new Map(asked.map(({ payer, id }) => [payer, id]));
}

function follow(ended: readonly Ended[], askedOfPayers: Map<string, SettlementId>): Followed[] {
  return ended.map(({ outcome, row }) => {
    const after = afterAttempt(outcome.decision, {
      status: row.status,
      held: row.runner === outcome.runner,
      unserved: row.answer === 'due' || row.tops_up !== null,
      askedOfPayer: row.payer === null ? undefined : askedOfPayers.get(row.payer),
    });
    if (row.payer !== null && after?.kind === 'asks' && after.reason === 'uncollectable')
      askedOfPayers.set(row.payer, row.id);
    else if (row.payer !== null && after?.kind === 'settles' && askedOfPayers.get(row.payer) === row.id)
      askedOfPayers.delete(row.payer);
    return { outcome, row, after };
  });
}

async function tellAnswers(query: Query, ended: readonly Ended[]): Promise<void> {
  await query(
    `INSERT INTO operation_events (item_kind, item_id, kind, certainty, idempotency_key, answer_class, detail)
     SELECT 'settlement', value ->> 'id', 'answered', value ->> 'certainty', value ->> 'key', value ->> 'answer', value -> 'detail'
     FROM jsonb_array_elements($1) WITH ORDINALITY ORDER BY ordinality`,
    [
      JSON.stringify(
        ended.map(({ outcome, row: { id, key } }) => ({
          id,
          key,
          certainty: outcome.decision.certainty,
          answer: answerClass(outcome.answer),
          detail: traceOf(outcome),
        })),
      ),
    ],
  );
}

/** What the answers say of those who gave them. Breakers are locked in one order. */
async function noteProviders(query: Query, ended: readonly Ended[]): Promise<void> {
  const noted = ended.flatMap(({ outcome, row: { provider } }) => {
    const said = providerOutcome(outcome);
    return said === undefined ? [] : [{ provider, said, detail: answerDetail(outcome) }];
  });
  if (noted.length === 0) return;
  await query(
    `SELECT note_provider(value ->> 'provider', value ->> 'said', value ->> 'detail')
     FROM jsonb_array_elements($1) WITH ORDINALITY ORDER BY value ->> 'provider', ordinality`,
    [JSON.stringify(noted)],
  );
}

/** The next voucher of a channel has waited for this one. A row that somebody holds is looked at by whoever holds it. */
async function wakeNextVouchers(query: Query, ended: readonly Ended[]): Promise<void> {
  const over = ended.flatMap(({ outcome: { decision }, row: { voucher_channel: channel, voucher_place: place } }) =>
    channel !== null && (decision.do === 'finish' || decision.do === 'ask') ? [{ channel, place }] : [],
  );
  if (over.length === 0) return;
  await query(
    `UPDATE settlements SET next_check_at = clock_now() WHERE id IN (
       SELECT n.id FROM jsonb_to_recordset($1) AS v (channel text, place bigint) CROSS JOIN LATERAL (
         SELECT id FROM settlements WHERE voucher_channel = v.channel AND voucher_place > v.place AND status = 'pending'
           AND blocked_by IS NULL AND runner IS NULL ORDER BY voucher_place LIMIT 1 FOR UPDATE SKIP LOCKED) AS n)`,
    [JSON.stringify(over)],
  );
}
