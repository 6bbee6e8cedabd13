import { surelyUnmoved } from '../../domain/calls/certainty.js';
import { reversalKey } from '../../domain/calls/idempotency-keys.js';
import { keyUse } from '../../domain/calls/key-age.js';
import type { ReversalParams } from '../../domain/calls/provider-answers.js';
import type { ReversalId } from '../../domain/ids.js';
import { isRetired } from '../../domain/marketplace/currencies.js';
import type { ReversalStatus } from '../../domain/marketplace/marketplace-status.js';
import { DEFAULT_DEBT_HORIZON_MS } from '../../domain/marketplace/offsets.js';
import { isMoney } from '../../domain/marketplace/ours-at-stripe.js';
import type { StripeMoney } from '../../domain/marketplace/stripe-money.js';
import type { Database } from '../database.js';
import { leavePlace } from '../marketplace/reversal-demands.js';
import { type Query, recordEvent } from '../transition.js';
import type { Absence, CallOutcome, ClaimedReversal, Recorded, ReversalPermit, StripeClaim } from './call-types.js';
import { finishReversal, takenBeside } from './finish-reversal.js';
import {
  claimRefusal,
  fail,
  goneCause,
  type LockedReversal,
  lockReversal,
  moneyOfReversal,
  startWaiting,
  toTake,
  undo,
} from './reversal-claims.js';
import {
  exactMinorUnits,
  hold,
  isTaken,
  noteAbsent,
  permit,
  recordUnlessTaken,
  releaseClaim,
  stopped,
  tellAnswer,
} from './stripe-calls.js';
import { closeGate } from './stripe-gates.js';
import { parkedName } from './transfer-calls.js';

/** The calls that take one share back, and what Stripe's answers change here. */
export function createReversalCalls(database: Database, debtHorizonMs = DEFAULT_DEBT_HORIZON_MS) {
  return {
    claimReversal: (id: ReversalId, runner: string, holdMs: number): Promise<StripeClaim<ClaimedReversal>> =>
      database.transaction(async (query) => {
        const row = await lockReversal(query, id);
        const refusal = await claimRefusal(query, row, { runner, holdMs, debtHorizonMs });
        if (refusal) return refusal;
        const claimed = await hold(query, 'reversals', { row, runner, holdMs });
        return { kind: 'claimed', claim: { ...claimed, ...partsOf(row) } };
      }),

    /** The transfer has no such reversal; recorded before a permit is asked for. */
    noteReversalAbsent: (absence: Absence<ReversalId>): Promise<void> =>
      database.transaction((query) => noteAbsent(query, 'reversals', absence)),

    /** The last word before the bytes leave, by the ledger's clock. */
    permitReversal: (id: ReversalId, runner: string, holdMs: number): Promise<ReversalPermit> =>
      database.transaction(async (query) => {
        const row = await lockReversal(query, id);
        if (row.status !== 'pending' && row.status !== 'waiting_balance')
          return { kind: 'stop', why: `the reversal is ${row.status}` };
        if (!row.cause_stands) return await stopUndue(query, row, runner);
        if (isRetired(row.currency) || moneyOfReversal(row).amount <= 0n) {
          await releaseClaim(query, 'reversals', { id, runner, afterMs: 1, answer: 'later' });
          return { kind: 'stop', why: 'a person is asked before anything is sent' };
        }
        return await permit<ReversalParams>(query, 'reversals', {
          row,
          runner,
          holdMs,
          keyOf: (generation) => reversalKey(id, generation),
          freeze: (generation) => paramsOf(row, generation),
        });
      }),

    /** Why what was permitted may not leave any more. */
    reversalStopped: (id: ReversalId, runner: string): Promise<string | undefined> =>
      stopped(database.query, 'reversals', { id, runner }),

    recordReversal: (outcome: CallOutcome<ReversalId>): Promise<Recorded> =>
      recordUnlessTaken(database, 'reversal', outcome, record),

    /** Gives the claim back without an attempt: nothing was sent. */
    releaseReversal: (
      id: ReversalId,
      runner: string,
      afterMs: number,
      answer: 'later' | 'unfinished' = 'later',
    ): Promise<void> =>
      database.transaction(async (query) => {
        const row = await lockReversal(query, id);
        await releaseClaim(query, 'reversals', { id, runner, afterMs, answer });
        await query('SELECT refresh_transfer($1)', [row.transfer_id]);
      }),

    /**
     * Evidence found by a read-only look: adopts it, from whatever status.
     * @param taken where it may be another amount than is asked for
     */
    async adoptReversal(id: ReversalId, stripeReversalId: string, taken?: StripeMoney): Promise<Recorded> {
      try {
        return await database.transaction(
          async (query) => await adoptAt(query, await lockReversal(query, id), { stripeReversalId, taken }),
        );
      } catch (error) {
        if (!isTaken(error)) throw error;
        return await notAdopted(database, id, stripeReversalId);
      }
    },
  };
}

/** Another amount than is asked for is not this one. Who is asked about this one already has its own look tell him. */
async function adoptAt(
  query: Query,
  row: LockedReversal,
  { stripeReversalId, taken }: { readonly stripeReversalId: string; readonly taken: StripeMoney | undefined },
): Promise<Recorded> {
  if (taken === undefined || isMoney(taken, moneyOfReversal(row)))
    return await finishReversal(query, row, { stripeReversalId });
  if (row.status !== 'permanently_failed') await takenBeside(query, row, stripeReversalId);
  return { status: row.status, started: [] };
}

/** What was found belongs to another reversal here: nothing is written, and the person who is asked hears of it. */
async function notAdopted(database: Database, id: ReversalId, stripeId: string): Promise<Recorded> {
  await recordEvent(database.query, {
    kind: 'reversal',
    id,
    what: 'not_adopted',
    detail: { stripe_reversal_id: stripeId },
  });
  const [row] = await database.query<{ status: ReversalStatus }>('SELECT status FROM reversals WHERE id = $1', [id]);
  return { status: row?.status ?? 'pending', started: [] };
}

/**
 * Its refund has failed, or the funds of its dispute are back. Where an earlier attempt may have moved the money, it is looked for until the provider has surely
 * forgotten the key and two looks have found nothing: the proof that would allow another key ends this one.
 */
async function stopUndue(query: Query, row: LockedReversal, runner: string): Promise<ReversalPermit> {
  const stop = { kind: 'stop', why: goneCause(row) } as const;
  if (row.runner !== runner) return stop;
  const unsent = surelyUnmoved(row.certainty);
  const use = keyUse({ certainty: row.certainty, keyAgeMs: row.key_age_ms, absences: row.absences });
  if (!unsent && use !== 'new_generation') {
    await releaseClaim(query, 'reversals', { id: row.id, runner, afterMs: LOOK_FOR_UNDUE_MS, answer: 'undue' });
    return stop;
  }
  if (!unsent) await query(`UPDATE reversals SET certainty = 'absent' WHERE id = $1`, [row.id]);
  await undo(query, row);
  return stop;
}

const LOOK_FOR_UNDUE_MS = 60 * 60_000;

const partsOf = (row: LockedReversal) => ({
  id: row.id,
  orderId: row.order_id,
  refundId: row.refund_id,
  disputeId: row.dispute_id,
  transferId: row.transfer_id,
  stripeTransferId: row.stripe_transfer_id ?? '',
  hyperswitchRefundId: row.hyperswitch_refund_id,
  refund: {
    amount: BigInt(row.refund_amount ?? 0),
    currency: row.currency,
    paymentId: row.payment_id,
    provider: row.provider,
    hyperswitchPaymentId: row.hyperswitch_payment_id,
    connectorRefundId: row.connector_refund_id,
    connectorTransactionId: row.connector_transaction_id,
  },
  amount: toTake(row),
  atStripe: moneyOfReversal(row),
  isConverted: row.transfer_currency !== null,
  shortForMs: row.waiting_ms,
  // Somebody else may have taken a part of the transfer: it is read before every send, the first one too.
  looksFirst: true,
  accounted: {
    operationIds: row.operation_ids,
    stripeIds: row.stripe_ids,
    decided: row.decided_of_others,
  },
});

const paramsOf = (row: LockedReversal, generation: number): ReversalParams => ({
  amount: exactMinorUnits({ id: row.id, amount: moneyOfReversal(row).amount.toString() }),
  metadata: {
    operation_id: row.id,
    ...(row.refund_id === null
      ? { dispute_id: row.dispute_id ?? '', provider_dispute_id: row.provider_dispute_id ?? '' }
      : { refund_id: row.refund_id }),
    order_id: row.order_mark,
    generation: String(generation),
    // Stripe takes 500 characters in a value.
    reason: (row.refund_reason ?? 'a dispute took the money').slice(0, 500),
  },
});

async function record(query: Query, outcome: CallOutcome<ReversalId>): Promise<Recorded> {
  const { id, decision, runner, detail, requestId, stripeId } = outcome;
  const row = await lockReversal(query, id);
  await tellAnswer(query, 'reversals', row, outcome);
  if (decision.do === 'finish')
    return await finishReversal(query, row, { stripeReversalId: stripeId ?? '', requestId });
  if (row.status === 'reversed' || row.status === 'written_off' || row.runner !== runner)
    return { status: row.status, started: [] };

  const afterMs = 'afterMs' in decision ? decision.afterMs : 0;
  const counts = decision.do === 'retry' && decision.counts ? 1 : 0;
  await query(
    `UPDATE reversals SET certainty = $2, last_answer = $3, provider_request_id = coalesce($4, provider_request_id),
       retry_count = retry_count + $5, runner = NULL, runner_until = NULL,
       next_retry_at = CASE WHEN $3 = 'retry' THEN clock_now() + $6 * interval '1 millisecond' END,
       next_check_at = clock_now() + $6 * interval '1 millisecond' + interval '15 seconds',
       others_shown = coalesce($7, others_shown)
     WHERE id = $1`,
    [
      id,
      decision.certainty,
      decision.do === 'park' ? 'parked' : decision.do,
      requestId,
      counts,
      afterMs,
      outcome.others ?? null,
    ],
  );
  switch (decision.do) {
    case 'wait':
      return await wait(query, row);
    case 'ask':
      return { status: 'permanently_failed', started: await fail(query, row, { reason: decision.reason, detail }) };
    case 'retry':
      if (row.status === 'waiting_balance') await delayProbe(query, row, afterMs);
      await query('SELECT refresh_transfer($1)', [row.transfer_id]);
      return { status: row.status, started: [] };
    case 'park':
      await query('SELECT refresh_transfer($1)', [row.transfer_id]);
      if (outcome.parks)
        await query('SELECT park_provider($1, $2)', [parkedName(outcome.parks, row.seller_account), detail]);
      return { status: row.status, started: [] };
  }
}

/** The seller's balance is too low, and one of those that wait for it asks again. */
async function wait(query: Query, row: LockedReversal): Promise<Recorded> {
  const probed = row.status === 'waiting_balance';
  if (!probed) await startWaiting(query, row);
  await closeGate(query, { sellerAccount: row.seller_account, currency: row.currency, probed });
  await query('SELECT refresh_transfer($1)', [row.transfer_id]);
  return { status: 'waiting_balance', started: await leavePlace(query, { id: row.id, status: 'pending' }) };
}

async function delayProbe(query: Query, row: LockedReversal, afterMs: number): Promise<void> {
  await query(
    `UPDATE seller_gates SET probe_at = clock_now() + $3 * interval '1 millisecond' WHERE seller_account = $1 AND currency = $2`,
    [row.seller_account, row.currency, afterMs],
  );
}
