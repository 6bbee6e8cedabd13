import { surelyUnmoved } from '../../domain/calls/certainty.js';
import type { OrderId, ReversalId, TransferId } from '../../domain/ids.js';
import type { OffsetRules } from '../../domain/marketplace/offsets.js';
import { lockWithDebts, moveOffsets, reopenOffsets, reserveOffsets } from '../marketplace/debt-offsets.js';
import { lockSharesOf } from '../marketplace/seller-shares.js';
import { mustMove, type Query, recordEvent } from '../transition.js';
import { bookOffset } from './debt-claims.js';
import { heldElsewhereMs } from './holds.js';
import { leavePlace } from './platform-queue.js';
import { lockReversal } from './reversal-claims.js';
import { type LockedTransfer, leastSent, lockTransfer } from './transfer-row.js';

/** What a seller owes is kept of a transfer in the transaction of its claim. */

/** The transfer with its order, and where debts may be kept of it with theirs. @returns the orders that are held */
export async function lockForClaim(query: Query, id: TransferId, rules: OffsetRules): Promise<readonly OrderId[]> {
  if (rules.on) return await lockWithDebts(query, id);
  await lockSharesOf(query, 'seller_transfers', id);
  return [];
}

/** What an earlier claim reserved is judged anew: it may have ended without a send, and what is owed may have changed. */
export async function judgedAnew(query: Query, row: LockedTransfer, runner: string): Promise<LockedTransfer> {
  if (!surelyUnmoved(row.certainty) || heldElsewhereMs(row, runner) > 0) return row;
  const reopened = await reopenOffsets(query, row.id, 'its claim ended before it was sent');
  return reopened.length > 0 ? await lockTransfer(query, row.id) : row;
}

/** The caller is about to take it. @returns the row as it is sent; `whole`: nothing of it is left to be sent, and it is over */
export async function keepDebts(
  query: Query,
  id: TransferId,
  { rules, orders }: { readonly rules: OffsetRules; readonly orders: readonly OrderId[] },
): Promise<{ readonly row: LockedTransfer; readonly whole: boolean }> {
  const row = await lockTransfer(query, id);
  if (!rules.on || !surelyUnmoved(row.certainty)) return { row, whole: false };
  if (!(await reserveOffsets(query, { ...row, least: leastSent(row) }, { rules, orders })))
    return { row, whole: false };
  const lessened = await lockTransfer(query, id);
  if (BigInt(lessened.amount) > 0n) return { row: lessened, whole: false };
  await leavePlace(query, lessened);
  await completeWithoutCall(query, lessened);
  return { row: lessened, whole: true };
}

/** All of it is kept: nothing is asked of Stripe, and the debts are paid at once. */
async function completeWithoutCall(query: Query, row: LockedTransfer): Promise<void> {
  await mustMove(query, 'seller_transfers', {
    id: row.id,
    from: row.status,
    to: 'completed',
    set: `certainty = 'done', completed_at = clock_now(), last_answer = 'finish', runner = NULL, runner_until = NULL, next_retry_at = NULL,
      next_check_at = NULL`,
  });
  await recordEvent(query, {
    kind: 'transfer',
    id: row.id,
    what: 'completed',
    certainty: 'done',
    detail: { offset: 'all of it was kept for what its seller owed; nothing was sent' },
  });
  // Their orders are held.
  for (const { id } of await moveOffsets(query, row.id))
    await bookOffset(query, await lockReversal(query, id as ReversalId));
}

/** Its claim is given back, perhaps for long: what was kept of it is owed again. @returns why, as it was given */
export async function notSentNow(query: Query, row: LockedTransfer, why: string): Promise<string> {
  await leavePlace(query, row);
  if (surelyUnmoved(row.certainty)) await reopenOffsets(query, row.id, why);
  return why;
}
