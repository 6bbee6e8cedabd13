import { reversalKey } from '../domain/idempotency-keys.js';
import type { ReversalId } from '../domain/ids.js';
import type { ReversalParams } from '../domain/provider-answers.js';
import type { Database } from './database.js';
import type {
  Absence,
  CallOutcome,
  ClaimedReversal,
  MoneyItem,
  Recorded,
  ReversalPermit,
  StripeClaim,
} from './marketplace-types.js';
import { fail, lockReversal, type ReversalRow, refusalOf, startWaiting, undo } from './reversal-claims.js';
import { proposeCompensation } from './share-out.js';
import { giveBack, hold, isTaken, noteAbsent, permit, tellAnswer } from './stripe-calls.js';
import { closeGate, wakeOldest } from './stripe-gates.js';
import { parkedName } from './transfer-calls.js';
import { mustMove, type Query, tell } from './transition.js';

export interface ReversalCallOptions {
  /** How long a seller's balance is waited for before a person is asked (REVERSAL_BALANCE_HORIZON). */
  readonly balanceHorizonMs: number;
}

/** The calls that take one share back, and what Stripe's answers change here. */
export function createReversalCalls(database: Database, options: ReversalCallOptions) {
  return {
    claimReversal: (id: ReversalId, runner: string, holdMs: number): Promise<StripeClaim<ClaimedReversal>> =>
      database.transaction(async (query) => {
        const row = await lockReversal(query, id);
        const refusal = await refusalOf(query, row, { runner, holdMs });
        if (refusal) return refusal;
        const claimed = await hold(query, 'reversals', { row, runner, holdMs });
        return { kind: 'claimed', claim: { ...claimed, ...partsOf(row) } };
      }),

    noteReversalAbsent: (absence: Absence<ReversalId>): Promise<void> =>
      database.transaction((query) => noteAbsent(query, 'reversals', absence)),

    permitReversal: (id: ReversalId, runner: string, holdMs: number): Promise<ReversalPermit> =>
      database.transaction(async (query) => {
        const row = await lockReversal(query, id);
        if (row.status !== 'pending' && row.status !== 'waiting_balance')
          return { kind: 'stop', why: `the reversal is ${row.status}` };
        if (row.refund_status !== 'succeeded') return await stopUndue(query, row, runner);
        return await permit<ReversalParams>(query, 'reversals', {
          row,
          runner,
          holdMs,
          keyOf: (generation) => reversalKey(id, generation),
          freeze: (generation) => paramsOf(row, generation),
        });
      }),

    async recordReversal(outcome: CallOutcome<ReversalId>): Promise<Recorded> {
      try {
        return await database.transaction((query) => record(query, outcome, options));
      } catch (error) {
        if (outcome.decision.do !== 'finish' || !isTaken(error)) throw error;
        const detail = `${outcome.stripeId} at Stripe already belongs to another reversal here; nothing was written`;
        const decision = { do: 'ask', certainty: 'unknown', reason: 'conflict' } as const;
        return await database.transaction((query) =>
          record(query, { ...outcome, decision, detail, stripeId: null }, options),
        );
      }
    },

    releaseReversal: (id: ReversalId, runner: string, afterMs: number): Promise<void> =>
      giveBack(database.query, 'reversals', { id, runner, afterMs, answer: 'later' }),

    adoptReversal: (id: ReversalId, stripeReversalId: string): Promise<Recorded> =>
      database.transaction(
        async (query) => await finishReversal(query, await lockReversal(query, id), stripeReversalId),
      ),
  };
}

async function stopUndue(query: Query, row: ReversalRow, runner: string): Promise<ReversalPermit> {
  if (row.certainty === 'not_sent' || row.certainty === 'absent') await undo(query, row);
  else await giveBack(query, 'reversals', { id: row.id, runner, afterMs: 60_000, answer: 'undue' });
  return { kind: 'stop', why: `its refund is ${row.refund_status}` };
}

const partsOf = (row: ReversalRow) => ({
  id: row.id,
  orderId: row.order_id,
  refundId: row.refund_id,
  transferId: row.transfer_id,
  stripeTransferId: row.stripe_transfer_id ?? '',
  hyperswitchRefundId: row.hyperswitch_refund_id,
});

const paramsOf = (row: ReversalRow, generation: number): ReversalParams => ({
  amount: Number(row.amount),
  metadata: {
    operation_id: row.id,
    refund_id: row.refund_id,
    order_id: row.order_mark,
    generation: String(generation),
    // Stripe takes 500 characters in a value.
    reason: row.refund_reason.slice(0, 500),
  },
});

async function record(query: Query, outcome: CallOutcome<ReversalId>, options: ReversalCallOptions): Promise<Recorded> {
  const { id, decision, runner, detail, requestId, stripeId } = outcome;
  const row = await lockReversal(query, id);
  await tellAnswer(query, 'reversals', row, outcome);
  if (decision.do === 'finish') return await finishReversal(query, row, stripeId ?? '', requestId);
  if (row.status === 'reversed' || row.status === 'written_off' || row.runner !== runner)
    return { status: row.status, started: [] };

  const afterMs = 'afterMs' in decision ? decision.afterMs : 0;
  const counts = decision.do === 'retry' && decision.counts ? 1 : 0;
  await query(
    `UPDATE reversals SET certainty = $2, last_answer = $3, provider_request_id = coalesce($4, provider_request_id),
       retry_count = retry_count + $5, runner = NULL, runner_until = NULL,
       next_retry_at = CASE WHEN $3 = 'retry' THEN clock_now() + $6 * interval '1 millisecond' END,
       next_check_at = clock_now() + $6 * interval '1 millisecond' + interval '15 seconds'
     WHERE id = $1`,
    [id, decision.certainty, decision.do === 'park' ? 'parked' : decision.do, requestId, counts, afterMs],
  );
  if (outcome.parks)
    await query('SELECT park_provider($1, $2)', [parkedName(outcome.parks, row.seller_account), detail]);
  switch (decision.do) {
    case 'wait':
      return await wait(query, row, options);
    case 'ask':
      await fail(query, row, { reason: decision.reason, detail });
      return { status: 'permanently_failed', started: await nextInPlace(query, row) };
    case 'retry':
      if (row.status === 'waiting_balance') await delayProbe(query, row, afterMs);
      await query('SELECT refresh_transfer($1)', [row.transfer_id]);
      return { status: row.status, started: [] };
    case 'park':
      await query('SELECT refresh_transfer($1)', [row.transfer_id]);
      return { status: row.status, started: [] };
  }
}

/** The seller's balance is too low. Past the horizon a person is asked; the next waiting one then asks Stripe. */
async function wait(query: Query, row: ReversalRow, { balanceHorizonMs }: ReversalCallOptions): Promise<Recorded> {
  if ((row.waiting_ms ?? 0) >= balanceHorizonMs) {
    const days = Math.floor((row.waiting_ms ?? 0) / 86_400_000);
    const detail = `the seller's balance has been too low for ${days} days; ask the seller, then resolve with retry or write_off`;
    await fail(query, row, { reason: 'balance_horizon', detail });
    return { status: 'permanently_failed', started: await nextInPlace(query, row) };
  }
  if (row.status === 'pending') await startWaiting(query, row);
  await closeGate(query, row.seller_account, row.currency);
  await query('SELECT refresh_transfer($1)', [row.transfer_id]);
  return { status: 'waiting_balance', started: await nextInPlace(query, row) };
}

async function delayProbe(query: Query, row: ReversalRow, afterMs: number): Promise<void> {
  await query(
    `UPDATE seller_gates SET probe_at = clock_now() + $3 * interval '1 millisecond' WHERE seller_account = $1 AND currency = $2`,
    [row.seller_account, row.currency, afterMs],
  );
}

/**
 * The share is back. Written from any status: evidence is absorbing, and what a person had given up or was asked about
 * becomes a late success.
 */
export async function finishReversal(
  query: Query,
  row: ReversalRow,
  stripeReversalId: string,
  requestId: string | null = null,
): Promise<Recorded> {
  if (row.status === 'reversed') return { status: 'reversed', started: [] };
  const late = row.status === 'written_off' || row.status === 'permanently_failed';
  await mustMove(query, 'reversals', {
    id: row.id,
    from: row.status,
    to: 'reversed',
    set: `certainty = 'done', stripe_reversal_id = $4, reversed_at = clock_now(), last_answer = 'finish', waiting_since = NULL,
      provider_request_id = coalesce($5, provider_request_id), runner = NULL, runner_until = NULL, next_retry_at = NULL,
      next_check_at = NULL, attention_reason = $6, attention_since = CASE WHEN $6::text IS NOT NULL THEN clock_now() END,
      attention_detail = $7`,
    values: [
      stripeReversalId,
      requestId,
      row.status === 'written_off' ? 'late_success' : null,
      row.status === 'written_off' ? `Stripe holds ${stripeReversalId} for it, found after it was written off` : null,
    ],
  });
  await query('SELECT refresh_transfer($1)', [row.transfer_id]);
  await tell(query, {
    kind: 'reversal',
    id: row.id,
    what: 'reversed',
    certainty: 'done',
    detail: { stripe_reversal_id: stripeReversalId, ...(late ? { was: row.status } : {}) },
  });
  if (row.refund_status !== 'succeeded') await proposeCompensation(query, row.order_id, row.refund_id);
  const woken = await gateOpens(query, row);
  return { status: 'reversed', started: [...(await nextInPlace(query, row)), ...woken] };
}

/** Money was there: the seller's next waiting reversal asks at once, and the gate opens after the last. */
async function gateOpens(query: Query, row: ReversalRow): Promise<MoneyItem[]> {
  const [gate] = await query('SELECT 1 FROM seller_gates WHERE seller_account = $1 AND currency = $2 FOR UPDATE', [
    row.seller_account,
    row.currency,
  ]);
  return gate ? await wakeOldest(query, row.seller_account, row.currency) : [];
}

async function nextInPlace(query: Query, row: ReversalRow): Promise<MoneyItem[]> {
  const [following] = await query<{ id: string }>(
    `UPDATE reversals SET next_check_at = clock_now() WHERE id = (
       SELECT id FROM reversals WHERE transfer_id = $1 AND id <> $2 AND status = 'pending' AND runner IS NULL
         AND (next_retry_at IS NULL OR next_retry_at <= clock_now()) ORDER BY place LIMIT 1) RETURNING id`,
    [row.transfer_id, row.id],
  );
  return following ? [{ kind: 'reversal', id: following.id }] : [];
}
