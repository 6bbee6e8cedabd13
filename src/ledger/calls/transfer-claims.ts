import { surelyUnmoved } from '../../domain/calls/certainty.js';
import type { PaymentId } from '../../domain/ids.js';
import { isWaiting } from '../../domain/marketplace/marketplace-status.js';
import type { HeldFor } from '../../domain/marketplace/releases.js';
import { questionedPayment } from '../marketplace/order-status.js';
import { holdingDispute, holdTransfer } from '../money-that-leaves/held-transfers.js';
import { type Query, recordEvent } from '../transition.js';
import { attentionOf, type ClaimRefusal, later, parkedRefusal } from './claim-refusals.js';
import { heldElsewhereMs } from './holds.js';
import { balanceRefusal, leavePlace } from './platform-queue.js';
import { letGo, waitsForRelease, whyHeld } from './releases.js';
import { lookForGone, sellerRefusal } from './seller-queue.js';
import { lookAgain, releaseClaim } from './stripe-calls.js';
import { type LockedTransfer, lockTransfer } from './transfer-row.js';
import { A_DAY_MS, stopWaiting } from './waiting-transfers.js';

/** Why a transfer may not be taken now. The caller holds its order and all transfers of it. */
export async function claimRefusal(
  query: Query,
  locked: LockedTransfer,
  { runner, releaseOverdueMs }: { readonly runner: string; readonly releaseOverdueMs: number },
): Promise<ClaimRefusal | undefined> {
  if (locked.completed || locked.written_off || locked.status === 'cancelled')
    return { kind: 'final', status: locked.status };
  if (locked.attention_reason !== null) {
    const look = locked.attention_reason === 'seller_gone' ? await lookForGone(query, locked) : undefined;
    return look ?? (await attentionOf(query, 'seller_transfers', locked));
  }
  const wait = waitOf(locked, runner) ?? (await heldByDispute(query, locked));
  if (wait) return await later(query, 'seller_transfers', locked, wait);
  const unreleased = await heldForRelease(query, locked, releaseOverdueMs);
  if (unreleased) return unreleased;
  const row = locked.status === 'held' ? await letGoNow(query, locked) : locked;
  const refusal = await sellerRefusal(query, row);
  if (refusal) return refusal;
  const short = await balanceRefusal(query, row);
  // Read for all that wait, whoever is parked.
  return short?.kind === 'read' ? short : ((await parkedNow(query, row)) ?? short);
}

/** It waits for another thing than the balance then, and asks by itself whether that is over. */
async function parkedNow(query: Query, row: LockedTransfer): Promise<ClaimRefusal | undefined> {
  const refusal = await parkedRefusal(query, 'seller_transfers', row);
  if (refusal?.kind !== 'parked') return refusal;
  await leavePlace(query, row);
  if (isWaiting(row.status)) await stopWaiting(query, row, 'pending');
  return refusal;
}

interface NotNow {
  readonly afterMs: number;
  readonly why: string;
}

/** What may have been sent goes on as it was. */
async function heldByDispute(query: Query, row: LockedTransfer): Promise<NotNow | undefined> {
  const dispute = surelyUnmoved(row.certainty) ? await holdingDispute(query, row.order_id) : undefined;
  if (dispute === undefined) return undefined;
  await leavePlace(query, row);
  if (isWaiting(row.status)) await stopWaiting(query, row, 'pending');
  if (row.status === 'pending' || isWaiting(row.status)) await holdTransfer(query, row.id, { dispute });
  return { afterMs: HELD_AGAIN_MS, why: `it is held until dispute ${dispute} has ended` };
}

/** Kept until its release, and then as long as a dispute or a refund of its order is open. */
async function heldForRelease(query: Query, row: LockedTransfer, overdueMs: number): Promise<ClaimRefusal | undefined> {
  const held = await waitsForRelease(query, row);
  if (!held) return undefined;
  // A share is made when its order is paid.
  const asksInMs = held.kind === 'release' ? overdueMs - row.row_age_ms : Number.POSITIVE_INFINITY;
  if (asksInMs <= 0) return await askAboutOverdue(query, row);
  await keepHeld(query, row, held);
  const afterMs = Math.min(untilLookMs(row, held), asksInMs);
  await lookAgain(query, 'seller_transfers', row.id, afterMs);
  return { kind: 'waiting', afterMs, why: whyHeld(held) };
}

async function keepHeld(query: Query, row: LockedTransfer, held: HeldFor): Promise<void> {
  await leavePlace(query, row);
  if (isWaiting(row.status)) await stopWaiting(query, row, 'pending');
  if (row.status === 'pending' || isWaiting(row.status))
    await holdTransfer(query, row.id, 'id' in held ? { [held.kind]: held.id } : {});
}

const untilLookMs = (row: LockedTransfer, held: HeldFor): number => {
  if (held.kind === 'date') return Math.max(row.release_in_ms ?? 0, 1);
  return held.kind === 'release' ? A_DAY_MS : HELD_AGAIN_MS;
};

async function askAboutOverdue(query: Query, row: LockedTransfer): Promise<ClaimRefusal> {
  const detail = `nobody has released it since ${row.created_at.toISOString()}: find out whether the seller has delivered; release sends it, write_off gives the share up, a refund of the order takes it back for the buyer`;
  await query(
    `UPDATE seller_transfers SET attention_reason = 'release_overdue', attention_since = clock_now(), attention_detail = $2,
       next_check_at = clock_now() + interval '1 day' WHERE id = $1`,
    [row.id, detail],
  );
  await recordEvent(query, { kind: 'transfer', id: row.id, what: 'release_overdue' });
  return await attentionOf(query, 'seller_transfers', {
    ...row,
    attention_reason: 'release_overdue',
    attention_detail: detail,
  });
}

/** In the transaction that lets the bytes leave: a dispute or a refund has come meanwhile. */
async function stoppedSince(query: Query, row: LockedTransfer): Promise<NotNow | undefined> {
  const held = await waitsForRelease(query, row);
  if (!held) return undefined;
  await keepHeld(query, row, held);
  return { afterMs: HELD_AGAIN_MS, why: whyHeld(held) };
}

async function letGoNow(query: Query, { id }: LockedTransfer): Promise<LockedTransfer> {
  await letGo(query, id);
  return await lockTransfer(query, id);
}

/** What was learned since the claim, in the transaction that lets the bytes leave. The claim is given back. */
export async function keptBack(query: Query, row: LockedTransfer): Promise<NotNow | undefined> {
  const kept =
    (await heldByDispute(query, row)) ?? (await stoppedSince(query, row)) ?? (await heldByQuestion(query, row));
  if (!kept) return undefined;
  await leavePlace(query, row);
  await releaseClaim(query, 'seller_transfers', {
    id: row.id,
    runner: row.runner ?? '',
    afterMs: kept.afterMs,
    answer: 'later',
  });
  return kept;
}

/** The answer wakes what waits for it. */
async function heldByQuestion(query: Query, { order_id }: LockedTransfer): Promise<NotNow | undefined> {
  const [payment] = await query<{ id: PaymentId }>(questionedPayment('$1'), [order_id]);
  return payment && { afterMs: HELD_AGAIN_MS, why: `payment ${payment.id} of its order asks a person` };
}

/** The end of the dispute wakes it; a look now and then finds what was missed. */
const HELD_AGAIN_MS = 60 * 60_000;

function waitOf(row: LockedTransfer, runner: string): NotNow | undefined {
  const heldMs = heldElsewhereMs(row, runner);
  if (heldMs > 0) return { afterMs: heldMs, why: 'another attempt holds it' };
  const retryMs = isWaiting(row.status) ? 0 : (row.retry_ms ?? 0);
  return retryMs > 0 ? { afterMs: retryMs, why: 'its next attempt is not due' } : undefined;
}
