import { transferKey } from '../../domain/calls/idempotency-keys.js';
import type { TransferId } from '../../domain/ids.js';
import { isWaiting } from '../../domain/marketplace/marketplace-status.js';
import { stopWaiting } from '../calls/waiting-transfers.js';
import { NO_ATTENTION, withdrawRequests } from '../decisions/decision-rows.js';
import { mustMove, type Query, recordEvent } from '../transition.js';
import type { NamedShare, ShareRow } from './seller-shares.js';

/** The caller holds the transfer, of which surely nothing was sent; `share` is at most its amount. */
export async function withhold(
  query: Query,
  row: ShareRow,
  share: bigint,
  because: NamedShare | undefined,
): Promise<void> {
  await resize(query, row, BigInt(row.withheld) + share);
  const left = BigInt(row.amount) - share;
  await recordEvent(query, {
    kind: 'transfer',
    id: row.id,
    what: left === 0n ? 'cancelled' : 'withheld',
    detail: { ...(because ? { [because.kind]: because.id } : {}), amount: share.toString(), left: left.toString() },
  });
  if (left === 0n) await end(query, row);
}

/** Nothing of it is left to be sent. What a person was asked about is no question any more. */
async function end(query: Query, row: ShareRow): Promise<void> {
  await withdrawRequests(query, 'transfer', row.id, 'nothing of it is left to be sent');
  const ended = `next_retry_at = NULL, next_check_at = NULL, runner = NULL, runner_until = NULL, ${NO_ATTENTION}`;
  if (row.status === 'permanently_failed')
    await query(`UPDATE seller_transfers SET ${ended}, written_off_at = clock_now() WHERE id = $1`, [row.id]);
  else if (isWaiting(row.status)) await stopWaiting(query, { ...row, status: row.status }, 'cancelled', ended);
  else await mustMove(query, 'seller_transfers', { id: row.id, from: row.status, to: 'cancelled', set: ended });
}

/** Promised again. One that had ended because nothing was left of it could not be sent before: a person decides again. */
export async function restore(query: Query, row: ShareRow, share: bigint): Promise<void> {
  await resize(query, row, BigInt(row.withheld) - share);
  await recordEvent(query, { kind: 'transfer', id: row.id, what: 'restored', detail: { amount: share.toString() } });
  if (!row.written_off || BigInt(row.amount) > 0n) return;
  await query(
    `UPDATE seller_transfers SET written_off_at = NULL, attention_reason = 'retries_exhausted',
       attention_since = clock_now(), attention_detail = $2 WHERE id = $1`,
    [row.id, 'its refund failed, so it is to be sent after all; it could not be sent before: resolve with retry'],
  );
}

/** So much is kept of it, because the seller owes it; surely nothing of it was sent. */
export async function lessen(query: Query, id: TransferId, kept: bigint): Promise<void> {
  await query('UPDATE seller_transfers SET offset_amount = $2, amount = promised - withheld - $2 WHERE id = $1', [
    id,
    kept.toString(),
  ]);
  await renewKey(query, id);
}

async function resize(query: Query, row: ShareRow, withheld: bigint): Promise<void> {
  await query('UPDATE seller_transfers SET withheld = $2, amount = promised - $2 - offset_amount WHERE id = $1', [
    row.id,
    withheld.toString(),
  ]);
  await renewKey(query, row.id);
}

/** Parameters that were frozen for another amount belong to a key that is not used again: nothing was done under it. */
async function renewKey(query: Query, id: TransferId): Promise<void> {
  // As it is now: it may have been changed before in this transaction.
  const [now] = await query<{ generation: number }>(
    'SELECT generation FROM seller_transfers WHERE id = $1 AND params IS NOT NULL',
    [id],
  );
  if (!now) return;
  await query(
    `UPDATE seller_transfers SET generation = generation + 1, idempotency_key = $2, certainty = 'not_sent', params = NULL,
       key_first_sent_at = NULL, absences = 0, last_absence_at = NULL WHERE id = $1`,
    [id, transferKey(id, now.generation + 1)],
  );
}
