import { mayHaveMoved, surelyUnmoved } from '../../domain/calls/certainty.js';
import { transferKey } from '../../domain/calls/idempotency-keys.js';
import type { TransferParams } from '../../domain/calls/provider-answers.js';
import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { OrderId, PaymentId, TransferId } from '../../domain/ids.js';
import type { OthersReversal } from '../../domain/marketplace/foreign-reversals.js';
import { isWaiting, type TransferStatus } from '../../domain/marketplace/marketplace-status.js';
import { DEFAULT_OFFSET_RULES } from '../../domain/marketplace/offsets.js';
import { DEFAULT_RELEASE_OVERDUE_MS } from '../../domain/marketplace/releases.js';
import type { Database } from '../database.js';
import { withdrawRequests } from '../decisions/decision-rows.js';
import { moveOffsets, reopenOffsets } from '../marketplace/debt-offsets.js';
import type { MarketplaceItem } from '../marketplace/marketplace-types.js';
import { noteForeignReversals } from '../marketplace/note-foreign-reversals.js';
import { questionedPayment } from '../marketplace/order-status.js';
import { makeGood } from '../marketplace/restorations.js';
import { lockSharesOf } from '../marketplace/seller-shares.js';
import { settleShares, withholdDemands } from '../marketplace/share-out.js';
import { mustMove, type Query, recordEvent } from '../transition.js';
import type { Absence, CallOutcome, ClaimedTransfer, Recorded, StripeClaim, TransferPermit } from './call-types.js';
import { balanceSufficed, leavePlace, waitForBalance } from './platform-queue.js';
import { letGo, type ReleaseOutcome, release, releaseHeld } from './releases.js';
import { sellerReceived, waitForSeller } from './seller-queue.js';
import {
  hold,
  isTaken,
  noteAbsent,
  permit,
  recordUnlessTaken,
  releaseClaim,
  stopped,
  tellAnswer,
  useOf,
} from './stripe-calls.js';
import { claimRefusal, keptBack } from './transfer-claims.js';
import { judgedAnew, keepDebts, lockForClaim, notSentNow } from './transfer-offsets.js';
import {
  isDrawnFromCharge,
  type LockedTransfer,
  lockTransfer,
  moneyOf,
  paramsOf,
  partsOf,
  sourceOf,
  whyNoSource,
} from './transfer-row.js';
import { stopWaiting } from './waiting-transfers.js';

/**
 * The calls that send one seller's share, and what Stripe's answers change here. Each holds the order first: a share that turns
 * out unsent, or sent after all, changes what is demanded of it. And whoever writes a row twice in one transaction has Postgres
 * look at the rows it refers to, the order among them.
 */
export function createTransferCalls(
  database: Database,
  releaseOverdueMs = DEFAULT_RELEASE_OVERDUE_MS,
  rules = DEFAULT_OFFSET_RULES,
) {
  return {
    claimTransfer: (id: TransferId, runner: string, holdMs: number): Promise<StripeClaim<ClaimedTransfer>> =>
      database.transaction(async (query) => {
        const orders = await lockForClaim(query, id, rules);
        const found = await judgedAnew(query, await lockTransfer(query, id), runner);
        const refusal = await claimRefusal(query, found, { runner, releaseOverdueMs });
        if (refusal) return refusal;
        if (isWaiting(found.status)) await stopWaiting(query, found, 'pending');
        const { row, whole } = await keepDebts(query, id, { rules, orders });
        if (whole) return { kind: 'final', status: 'completed' };
        const claimed = await hold(query, 'seller_transfers', { row, runner, holdMs });
        return { kind: 'claimed', claim: { ...claimed, ...partsOf(row) } };
      }),

    /** Stripe has no such transfer; recorded before a permit is asked for. */
    noteTransferAbsent: (absence: Absence<TransferId>): Promise<void> =>
      database.transaction((query) => noteAbsent(query, 'seller_transfers', absence)),

    /** What paid the order, where a person is asked whether that money is there: meanwhile nobody is sent any of it. */
    async questionedPayment(order: OrderId): Promise<PaymentId | undefined> {
      const [payment] = await database.query<{ id: PaymentId }>(questionedPayment('$1'), [order]);
      return payment?.id;
    },

    /** The last word before the bytes leave, by the ledger's clock. */
    permitTransfer: (id: TransferId, runner: string, holdMs: number): Promise<TransferPermit> =>
      database.transaction(async (query) => {
        await lockSharesOf(query, 'seller_transfers', id);
        const row = await knownUnsent(query, await lockTransfer(query, id), runner);
        if (row.completed || row.written_off || row.status === 'cancelled' || BigInt(row.amount) === 0n)
          return { kind: 'stop', why: `the transfer is ${row.status}` };
        const source = sourceOf(row);
        if (source.kind === 'unsendable' && surelyUnmoved(row.certainty)) {
          await releaseClaim(query, 'seller_transfers', { id, runner, afterMs: 1, answer: 'later' });
          return { kind: 'stop', why: await notSentNow(query, row, source.why) };
        }
        const kept = row.runner === runner ? await keptBack(query, row) : undefined;
        if (kept) return { kind: 'stop', why: await notSentNow(query, row, kept.why) };
        return await permit<TransferParams>(query, 'seller_transfers', {
          row,
          runner,
          holdMs,
          keyOf: (generation) => transferKey(id, generation),
          freeze: (generation) => paramsOf(row, generation),
          told: (params) => (params.source_transaction === undefined ? { no_source: whyNoSource(row) } : {}),
        });
      }),

    /** Why what was permitted may not leave any more. */
    transferStopped: (id: TransferId, runner: string): Promise<string | undefined> =>
      stopped(database.query, 'seller_transfers', { id, runner }),

    recordTransfer: (outcome: CallOutcome<TransferId>): Promise<Recorded> =>
      recordUnlessTaken(database, 'transfer', outcome, record),

    /** Gives the claim back without an attempt: nothing was sent. */
    releaseTransfer: (id: TransferId, runner: string, afterMs: number): Promise<void> =>
      database.transaction(async (query) => {
        await lockSharesOf(query, 'seller_transfers', id);
        const row = await lockTransfer(query, id);
        if (row.runner === runner) await notSentNow(query, row, 'its claim was given back');
        await releaseClaim(query, 'seller_transfers', { id, runner, afterMs, answer: 'later' });
      }),

    /**
     * Somebody says that it may be sent; said again it changes nothing.
     * @returns `as_it_was`: it was released before, or never had to be
     */
    releaseHeld: (id: TransferId, by: string): Promise<ReleaseOutcome> =>
      database.transaction((query) => releaseHeld(query, id, { by })),

    /** Evidence found by a read-only probe of a failed or given up transfer: adopts it, from whatever status. */
    async adoptTransfer(
      id: TransferId,
      stripeTransferId: string,
      others: readonly OthersReversal[] = [],
    ): Promise<Recorded> {
      try {
        return await database.transaction(async (query) => {
          await lockSharesOf(query, 'seller_transfers', id);
          await noteForeignReversals(query, id, others);
          return await finishTransfer(query, await lockTransfer(query, id), stripeTransferId);
        });
      } catch (error) {
        if (!isTaken(error)) throw error;
        return await notAdopted(database, id, stripeTransferId);
      }
    },
  };
}

/** What was found belongs to another transfer here: nothing is written, and the person who is asked hears of it. */
async function notAdopted(database: Database, id: TransferId, stripeId: string): Promise<Recorded> {
  await recordEvent(database.query, {
    kind: 'transfer',
    id,
    what: 'not_adopted',
    detail: { stripe_transfer_id: stripeId },
  });
  const [row] = await database.query<{ status: TransferStatus }>('SELECT status FROM seller_transfers WHERE id = $1', [
    id,
  ]);
  return { status: row?.status ?? 'pending', started: [] };
}

/**
 * The proof that allows another key after an unknown ends what waited for it as well: what refunds would have taken back of
 * the transfer is not sent in the first place.
 */
async function knownUnsent(query: Query, row: LockedTransfer, runner: string): Promise<LockedTransfer> {
  if (row.runner !== runner || !mayHaveMoved(row.certainty) || useOf(row) !== 'new_generation') return row;
  await query(`UPDATE seller_transfers SET certainty = 'absent' WHERE id = $1`, [row.id]);
  // The sweep starts what is demanded of the seller's other transfers: it is due already.
  await withholdDemands(query, row.order_id, row.id);
  return await lockTransfer(query, row.id);
}

async function record(query: Query, outcome: CallOutcome<TransferId>): Promise<Recorded> {
  const { id, decision, runner, detail, requestId, stripeId } = outcome;
  await lockSharesOf(query, 'seller_transfers', id);
  const row = await lockTransfer(query, id);
  await tellAnswer(query, 'seller_transfers', row, outcome);
  if (decision.do === 'finish') {
    await noteForeignReversals(query, id, outcome.takenBack ?? []);
    return await finishTransfer(query, row, stripeId ?? '', requestId);
  }
  if (row.completed || row.runner !== runner) return { status: row.status, started: [] };

  const afterMs = 'afterMs' in decision ? decision.afterMs : decision.do === 'wait' ? ASK_AGAIN_MS : 0;
  await query(
    `UPDATE seller_transfers SET certainty = $2, last_answer = $3, provider_request_id = coalesce($4, provider_request_id),
       retry_count = retry_count + $5, runner = NULL, runner_until = NULL,
       next_retry_at = CASE WHEN $3 IN ('retry', 'wait') THEN clock_now() + $6 * interval '1 millisecond' END,
       next_check_at = clock_now() + $6 * interval '1 millisecond' + interval '15 seconds'
     WHERE id = $1`,
    [id, decision.certainty, decision.do === 'park' ? 'parked' : decision.do, requestId, counted(outcome), afterMs],
  );
  const unsent = surelyUnmoved(decision.certainty);
  const reopened = unsent ? await reopenOffsets(query, id, 'it was not sent') : [];
  // In another currency it has no other source.
  if (isDrawnFromCharge(row) && row.sent_currency === null && mayLackItsSource(row, decision))
    await query('UPDATE seller_transfers SET sourceless = true WHERE id = $1', [id]);
  // What may have moved is never made to wait: it is sent again under its key.
  const waits = decision.do === 'wait' && unsent;
  if (waits) await wait(query, row, outcome);
  else await moveOn(query, row, outcome);
  if (decision.do === 'ask' || decision.do === 'park' || (waits && isForSeller(decision))) await leavePlace(query, row);
  const started = unsent ? [...reopened, ...(await withholdDemands(query, row.order_id, id))] : [];
  // Last: whoever asks whether Stripe is parked holds a transfer, and nothing is waited for after this.
  if (outcome.parks)
    await query('SELECT park_provider($1, $2)', [parkedName(outcome.parks, row.seller_account), detail]);
  return { status: (await lockTransfer(query, id)).status, started };
}

const counted = ({ decision }: CallOutcome<string>): number => (decision.do === 'retry' && decision.counts ? 1 : 0);
export const parkedName = (scope: 'stripe' | 'seller', account: string): string =>
  scope === 'stripe' ? 'stripe' : `stripe:${account}`;

const ASK_AGAIN_MS = 60_000;

const isForSeller = (decision: CallOutcome<string>['decision']): boolean =>
  decision.do === 'wait' && decision.for === 'seller';

/** Of reasons that are about whom the money is for, or about the key, and not about the money. */
const OTHER_REASONS: ReadonlySet<AttentionReason> = new Set(['seller_gone', 'conflict']);

/** What has just left was refused, and perhaps because of the money that it was to be drawn from. */
const mayLackItsSource = ({ certainty }: LockedTransfer, decision: CallOutcome<string>['decision']): boolean =>
  mayHaveMoved(certainty) &&
  decision.certainty === 'absent' &&
  !isForSeller(decision) &&
  !(decision.do === 'ask' && OTHER_REASONS.has(decision.reason));

const wait = (query: Query, row: LockedTransfer, { decision, detail }: CallOutcome<TransferId>): Promise<void> =>
  isForSeller(decision) ? waitForSeller(query, row, detail) : waitForBalance(query, row, detail);

/** A definite failure shows as failed; what nobody knows stays pending, also before a person. */
async function moveOn(query: Query, row: LockedTransfer, { decision, detail }: CallOutcome<TransferId>): Promise<void> {
  let { status } = row;
  if (status === 'pending' && decision.certainty === 'absent') {
    await mustMove(query, 'seller_transfers', { id: row.id, from: 'pending', to: 'failed' });
    status = 'failed';
  }
  if (decision.do !== 'ask') return;
  if (status === 'failed') {
    await mustMove(query, 'seller_transfers', { id: row.id, from: 'failed', to: 'permanently_failed' });
    status = 'permanently_failed';
  }
  // What may have moved is read again; the rest waits for a person, and pending rows keep a date all the same.
  await query(
    `UPDATE seller_transfers SET attention_reason = $2, attention_since = clock_now(), attention_detail = $3, next_retry_at = NULL,
       next_check_at = CASE WHEN certainty IN ('unknown', 'in_flight') THEN clock_now() + interval '1 hour'
         WHEN status = 'permanently_failed' THEN NULL ELSE clock_now() + interval '1 day' END WHERE id = $1`,
    [row.id, decision.reason, detail],
  );
}

/**
 * The money is with the seller. Written from any status: evidence is absorbing, and what a person had given up or was
 * asked about becomes a late success. Refunds that came meanwhile can be taken back now.
 */
export async function finishTransfer(
  query: Query,
  row: LockedTransfer,
  stripeTransferId: string,
  requestId: string | null = null,
): Promise<Recorded> {
  if (row.completed || BigInt(row.amount) === 0n) {
    await sentBeside(query, row, stripeTransferId);
    return { status: row.status, started: [] };
  }
  const late = row.written_off || row.attention_reason !== null;
  const money = moneyOf(row);
  const converted = money.currency === row.currency ? undefined : money;
  // Somebody was sooner than its release.
  if (row.release_kind !== 'immediately' && !row.released)
    await release(query, row.id, { by: 'Stripe, which holds it', stripe_transfer_id: stripeTransferId });
  if (isWaiting(row.status)) await stopWaiting(query, row, 'pending');
  if (row.status === 'held') await letGo(query, row.id);
  await mustMove(query, 'seller_transfers', {
    id: row.id,
    from: isWaiting(row.status) || row.status === 'held' ? 'pending' : row.status,
    to: 'completed',
    set: `certainty = 'done', stripe_transfer_id = $4, completed_at = clock_now(), written_off_at = NULL, last_answer = 'finish',
      provider_request_id = coalesce($5, provider_request_id), runner = NULL, runner_until = NULL, next_retry_at = NULL,
      next_check_at = NULL, attention_reason = $6, attention_since = CASE WHEN $6::text IS NOT NULL THEN clock_now() END,
      attention_detail = $7, sent_currency = $8, sent_amount = $9, exchange_rate = CASE WHEN $8::text IS NOT NULL THEN $10::text END`,
    values: [
      stripeTransferId,
      requestId,
      late ? 'late_success' : null,
      late
        ? `Stripe holds ${stripeTransferId} for it, found after it was ${row.attention_reason ?? 'written off'}`
        : null,
      converted?.currency ?? null,
      converted?.amount.toString() ?? null,
      row.charge_rate,
    ],
  });
  await recordEvent(query, {
    kind: 'transfer',
    id: row.id,
    what: 'completed',
    certainty: 'done',
    detail: {
      stripe_transfer_id: stripeTransferId,
      ...(converted && { sent: `${converted.amount}`, currency: converted.currency, exchange_rate: row.charge_rate }),
    },
  });
  await withdrawRequests(query, 'transfer', row.id, 'Stripe holds the transfer');
  const waiting = await query<{ id: string }>(
    `UPDATE reversals SET next_retry_at = clock_now(), next_check_at = clock_now()
     WHERE transfer_id = $1 AND status = 'pending' RETURNING id`,
    [row.id],
  );
  await query('SELECT refresh_transfer($1)', [row.id]);
  const started: MarketplaceItem[] = waiting.map(({ id }) => ({ kind: 'reversal', id }));
  started.push(...(await moveOffsets(query, row.id)));
  // The seller's row before the gate, as everywhere.
  if (!isWaiting(row.status))
    started.push(...(await sellerReceived(query, row)), ...(await balanceSufficed(query, row)));
  if (row.written_off) started.push(...(await settleShares(query, row.order_id)));
  // A dispute that took a part of it may be over.
  started.push(...(await makeGood(query, row.order_id)));
  return { status: (await lockTransfer(query, row.id)).status, started };
}

/** Stripe holds a transfer for a row that has another one, or that was cancelled: the seller has more than was promised. */
async function sentBeside(query: Query, row: LockedTransfer, stripeTransferId: string): Promise<void> {
  if (row.stripe_transfer_id === stripeTransferId) return;
  const detail =
    row.stripe_transfer_id === null
      ? `Stripe holds ${stripeTransferId} for it although it ${row.completed ? 'was completed without an id' : 'was withheld'}`
      : `Stripe holds ${stripeTransferId} for it beside ${row.stripe_transfer_id}: the seller was paid twice`;
  await query(
    `UPDATE seller_transfers SET attention_reason = 'conflict', attention_since = coalesce(attention_since, clock_now()),
       attention_detail = $2 WHERE id = $1`,
    [row.id, `${detail}; reverse it at Stripe, then acknowledge with adopt`],
  );
  await recordEvent(query, {
    kind: 'transfer',
    id: row.id,
    what: 'conflict',
    detail: { stripe_transfer_id: stripeTransferId },
  });
}
