import type { Clock } from '../domain/clock.js';
import { reversalKey, transferKey } from '../domain/idempotency-keys.js';
import { newTransferId, type OrderId, type RefundId, type TransferId } from '../domain/ids.js';
import { reversalId } from '../domain/reversal-id.js';
import { overtaken, shareOf, type TransferShare } from '../domain/shares.js';
import type { MoneyItem } from './marketplace-types.js';
import { mustMove, type Query, tell } from './transition.js';

/**
 * What a refund that succeeded, or failed after it had, means for the sellers. Every function here runs in a transaction
 * that holds the order's row; transfers are locked in the order of their ids.
 */

interface ShareRow {
  id: TransferId;
  seller_account: string;
  currency: string;
  status: string;
  certainty: string;
  promised: string;
  withheld: string;
  amount: string;
  compensated: string;
  generation: number;
  params: string | null;
  attempts: number;
  completed: boolean;
  /** Taken back or about to be. */
  claimed_back: string;
  /** Surely taken back. */
  taken_back: string;
}

export interface OrderTotals {
  readonly paid: bigint;
  readonly refunded: bigint;
}

/** Locks the order: whatever decides about its refunds or transfers begins here. */
export async function lockOrder(query: Query, id: OrderId): Promise<{ amount: bigint; status: string } | undefined> {
  const [row] = await query<{ amount: string; status: string }>(
    'SELECT amount, status FROM orders WHERE id = $1 FOR UPDATE',
    [id],
  );
  return row && { amount: BigInt(row.amount), status: row.status };
}

async function totals(query: Query, order: OrderId): Promise<OrderTotals> {
  const [row] = await query<{ paid: string; refunded: string }>(
    `SELECT o.amount AS paid, coalesce((SELECT sum(amount) FROM refunds WHERE order_id = o.id AND status = 'succeeded'), 0) AS refunded
     FROM orders o WHERE o.id = $1`,
    [order],
  );
  return { paid: BigInt(row?.paid ?? 0), refunded: BigInt(row?.refunded ?? 0) };
}

async function lockShares(query: Query, order: OrderId): Promise<ShareRow[]> {
  await query('SELECT 1 FROM seller_transfers WHERE order_id = $1 ORDER BY id FOR UPDATE', [order]);
  return await query<ShareRow & { [column: string]: unknown }>(
    `SELECT t.id, t.seller_account, t.currency, t.status, t.certainty, t.promised, t.withheld, t.amount, t.compensated,
       t.generation, t.params, t.attempts, t.completed_at IS NOT NULL AS completed,
       coalesce(sum(r.amount) FILTER (WHERE NOT r.voided OR r.status = 'reversed'), 0) AS claimed_back,
       coalesce(sum(r.amount) FILTER (WHERE r.status = 'reversed'), 0) AS taken_back
     FROM seller_transfers t LEFT JOIN reversals r ON r.transfer_id = t.id
     WHERE t.order_id = $1 GROUP BY t.id ORDER BY t.id`,
    [order],
  );
}

/** A compensation pays part of the promise a second time under another transfer, which then carries that part alone. */
const shareFrom = (row: ShareRow, reversed: string): TransferShare => ({
  promised: BigInt(row.promised) - BigInt(row.compensated),
  withheld: BigInt(row.withheld),
  reversed: BigInt(reversed) - BigInt(row.compensated),
});

/** Nothing of it has left us, and that is certain: it can still be made smaller or larger. */
const isUnsent = (row: Pick<ShareRow, 'completed' | 'certainty'>): boolean =>
  !row.completed && (row.certainty === 'not_sent' || row.certainty === 'absent');

/**
 * The refund has succeeded: each transfer with a share gets a reversal, whatever its status; one that was surely not sent
 * is made smaller instead, or cancelled. @returns the reversals to start
 */
export async function shareOut(query: Query, order: OrderId, refund: RefundId): Promise<MoneyItem[]> {
  const { paid, refunded } = await totals(query, order);
  const started: MoneyItem[] = [];
  for (const row of await lockShares(query, order)) {
    if (row.status === 'cancelled') continue;
    const share = shareOf(shareFrom(row, row.claimed_back), refunded, paid);
    if (share === 0n) continue;
    if (isUnsent(row)) await withhold(query, row, share, refund);
    else started.push(...[await demand(query, { row, order, refund, share })].filter((item) => item !== undefined));
  }
  return started;
}

/** @returns undefined where this refund's reversal was given up before: a person decides what that means */
async function demand(
  query: Query,
  { row, order, refund, share }: { row: ShareRow; order: OrderId; refund: RefundId; share: bigint },
): Promise<MoneyItem | undefined> {
  const id = reversalId(refund, row.id);
  const inserted = await query(
    `INSERT INTO reversals (id, refund_id, transfer_id, order_id, seller_account, amount, currency, idempotency_key,
       next_retry_at, next_check_at, workflow_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_now(), clock_now(), 'reversal/' || $1::uuid)
     ON CONFLICT (id) DO NOTHING RETURNING id`,
    [id, refund, row.id, order, row.seller_account, share.toString(), row.currency, reversalKey(id, 1)],
  );
  if (inserted.length === 0) {
    await query(
      `UPDATE refunds SET attention_reason = 'conflict', attention_since = coalesce(attention_since, clock_now()),
         attention_detail = $2 WHERE id = $1`,
      [
        refund,
        `the refund succeeded after it had failed; ${share} ${row.currency} of ${row.seller_account} is not taken back`,
      ],
    );
    return undefined;
  }
  await query('SELECT refresh_transfer($1)', [row.id]);
  await tell(query, {
    kind: 'reversal',
    id,
    what: 'demanded',
    detail: { refund, transfer: row.id, amount: share.toString() },
  });
  return { kind: 'reversal', id };
}

/** Never sent is better than sent and taken back. */
async function withhold(query: Query, row: ShareRow, share: bigint, refund: RefundId): Promise<void> {
  await resize(query, row, BigInt(row.withheld) + share);
  const left = BigInt(row.amount) - share;
  await tell(query, {
    kind: 'transfer',
    id: row.id,
    what: left === 0n ? 'cancelled' : 'withheld',
    detail: { refund, amount: share.toString(), left: left.toString() },
  });
  if (left > 0n) return;
  const ended = 'next_retry_at = NULL, next_check_at = NULL, runner = NULL, runner_until = NULL';
  if (row.status === 'permanently_failed') {
    await query(
      `UPDATE seller_transfers SET ${ended}, written_off_at = clock_now(),
         attention_reason = NULL, attention_since = NULL, attention_detail = NULL WHERE id = $1`,
      [row.id],
    );
  } else {
    await mustMove(query, 'seller_transfers', {
      id: row.id,
      from: row.status,
      to: 'cancelled',
      set: `${ended}, attention_reason = NULL, attention_since = NULL, attention_detail = NULL`,
    });
  }
}

/** Parameters that were frozen for another amount belong to a key that is not used again: nothing was done under it. */
async function resize(query: Query, row: ShareRow, withheld: bigint): Promise<void> {
  await query('UPDATE seller_transfers SET withheld = $2, amount = promised - $2 WHERE id = $1', [
    row.id,
    withheld.toString(),
  ]);
  if (row.params === null) return;
  await query(
    `UPDATE seller_transfers SET generation = generation + 1, idempotency_key = $2, certainty = 'not_sent', params = NULL,
       key_first_sent_at = NULL, absences = 0, last_absence_at = NULL WHERE id = $1`,
    [row.id, transferKey(row.id, row.generation + 1)],
  );
}

/**
 * A transfer that was on its way turned out to have moved nothing: what was to be taken back from it is withheld instead.
 * The caller holds the transfer's row and has recorded that it is absent.
 */
export async function withholdDemands(query: Query, order: OrderId, transfer: TransferId): Promise<void> {
  const [row] = (await lockShares(query, order)).filter(({ id }) => id === transfer);
  if (!row || !isUnsent(row)) return;
  const demands = await query<{ id: string; refund_id: RefundId; amount: string; status: string }>(
    `SELECT id, refund_id, amount, status FROM reversals WHERE transfer_id = $1 AND status IN ('pending', 'waiting_balance', 'permanently_failed')
       AND certainty IN ('not_sent', 'absent') ORDER BY place FOR UPDATE`,
    [transfer],
  );
  let current = row;
  for (const each of demands) {
    await voidReversal(query, each, 'its transfer was never sent, so its share was withheld');
    await withhold(query, current, BigInt(each.amount), each.refund_id);
    const [fresh] = (await lockShares(query, order)).filter(({ id }) => id === transfer);
    if (!fresh) return;
    current = fresh;
  }
}

/** Nothing is due any more, and nothing was sent: given up by itself. The caller holds the row and has proof of absence. */
export async function voidReversal(query: Query, row: { id: string; status: string }, why: string): Promise<void> {
  await mustMove(query, 'reversals', {
    id: row.id,
    from: row.status,
    to: 'written_off',
    set: `voided = true, runner = NULL, runner_until = NULL, next_retry_at = NULL, next_check_at = NULL, waiting_since = NULL,
      attention_reason = NULL, attention_since = NULL, attention_detail = NULL`,
  });
  await tell(query, { kind: 'reversal', id: row.id, what: 'voided', detail: { why } });
}

/**
 * A refund that had succeeded has failed: the buyer gave the money back. What was not sent yet is not sent; what was only
 * withheld is promised again; the rest is owed to the sellers, and a person is asked.
 */
export async function giveBack(query: Query, order: OrderId, refund: RefundId): Promise<void> {
  await lockShares(query, order);
  const unsent = await query<{ id: string; status: string; transfer_id: TransferId }>(
    `SELECT id, status, transfer_id FROM reversals
     WHERE refund_id = $1 AND status IN ('pending', 'waiting_balance', 'permanently_failed') AND certainty IN ('not_sent', 'absent')
     ORDER BY place FOR UPDATE`,
    [refund],
  );
  for (const row of unsent) {
    await voidReversal(query, row, 'its refund failed, so nothing is due');
    await query('SELECT refresh_transfer($1)', [row.transfer_id]);
  }
  const { paid, refunded } = await totals(query, order);
  for (const row of await lockShares(query, order)) {
    const excess = overtaken(shareFrom(row, row.claimed_back), refunded, paid);
    const restored = excess < BigInt(row.withheld) ? excess : BigInt(row.withheld);
    if (restored === 0n || !isUnsent(row) || row.status === 'cancelled') continue;
    await resize(query, row, BigInt(row.withheld) - restored);
    await tell(query, {
      kind: 'transfer',
      id: row.id,
      what: 'restored',
      detail: { refund, amount: restored.toString() },
    });
  }
  await proposeCompensation(query, order, refund);
}

export interface Owed {
  readonly transferId: TransferId;
  readonly sellerAccount: string;
  readonly currency: string;
  readonly amount: bigint;
}

/** What sellers are owed again: surely taken back or withheld for good, and no longer due. Locks the order's transfers. */
export async function owedToSellers(query: Query, order: OrderId): Promise<Owed[]> {
  const { paid, refunded } = await totals(query, order);
  const rows = await lockShares(query, order);
  return rows
    .filter((row) => row.completed || row.status === 'cancelled')
    .map((row) => ({
      transferId: row.id,
      sellerAccount: row.seller_account,
      currency: row.currency,
      amount: overtaken(shareFrom(row, row.taken_back), refunded, paid),
    }))
    .filter(({ amount }) => amount > 0n);
}

/** Puts it before a person: paying a seller again is new money. Called again when a late reversal is found. */
export async function proposeCompensation(query: Query, order: OrderId, refund: RefundId): Promise<void> {
  const owed = await owedToSellers(query, order);
  if (owed.length === 0) return;
  const sums = owed.map(({ sellerAccount, amount, currency }) => `${amount} ${currency} to ${sellerAccount}`);
  await query(
    `UPDATE refunds SET attention_reason = 'refund_failed_after_reversal', attention_since = coalesce(attention_since, clock_now()),
       attention_detail = $2, next_check_at = coalesce(next_check_at, clock_now() + interval '10 minutes') WHERE id = $1`,
    [
      refund,
      `the refund failed after sellers had paid it back; owed again: ${sums.join(', ')} (minor units); compensate sends new transfers`,
    ],
  );
}

/** New transfers for what is owed, each tied to the refund and the transfer it makes good. @returns what to start */
export async function compensate(query: Query, clock: Clock, order: OrderId, refund: RefundId): Promise<MoneyItem[]> {
  const started: MoneyItem[] = [];
  for (const { transferId, sellerAccount, currency, amount } of await owedToSellers(query, order)) {
    const id = newTransferId(clock.nowMs());
    await query('UPDATE seller_transfers SET compensated = compensated + $2 WHERE id = $1', [
      transferId,
      amount.toString(),
    ]);
    await insertTransfer(query, { id, order, sellerAccount, currency, amount, compensates: { refund, transferId } });
    started.push({ kind: 'transfer', id });
  }
  return started;
}

export interface NewTransferRow {
  readonly id: TransferId;
  readonly order: OrderId;
  readonly sellerAccount: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly compensates?: { readonly refund: RefundId; readonly transferId: TransferId };
}

/** One transfer to send, due at once. */
export async function insertTransfer(query: Query, row: NewTransferRow): Promise<void> {
  await query(
    `INSERT INTO seller_transfers (id, order_id, seller_account, currency, promised, amount, origin, compensates_refund,
       compensates_transfer, idempotency_key, next_check_at, workflow_id)
     VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, clock_now(), 'transfer/' || $1::uuid)`,
    [
      row.id,
      row.order,
      row.sellerAccount,
      row.currency,
      row.amount.toString(),
      row.compensates ? 'compensation' : 'order',
      row.compensates?.refund ?? null,
      row.compensates?.transferId ?? null,
      transferKey(row.id, 1),
    ],
  );
  await tell(query, {
    kind: 'transfer',
    id: row.id,
    what: 'promised',
    detail: { amount: row.amount.toString(), seller: row.sellerAccount },
  });
}
