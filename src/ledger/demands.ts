import { reversalKey } from '../domain/idempotency-keys.js';
import type { OrderId, RefundId, ReversalId } from '../domain/ids.js';
import { reversalId } from '../domain/reversal-id.js';
import type { MoneyItem } from './marketplace-types.js';
import type { ShareRow } from './seller-shares.js';
import { redateOldest } from './stripe-gates.js';
import { mustMove, type Query, tell } from './transition.js';
import { withdrawRequests } from './waiting-decisions.js';

export interface Demand {
  readonly row: ShareRow;
  readonly order: OrderId;
  /** Refunds that have succeeded; the first whose reversal of this transfer is still free lends its name. */
  readonly causes: readonly RefundId[];
  readonly share: bigint;
}

/**
 * A share is to be taken back of a transfer that was sent, or may have been. One refund has one reversal of a transfer for
 * ever: where that was voided because its refund had failed, it is taken up again for what it stood for.
 */
export async function demand(query: Query, { row, order, causes, share }: Demand): Promise<MoneyItem[]> {
  const started: MoneyItem[] = [];
  let left = share;
  for (const refund of causes) {
    if (left === 0n) break;
    const id = reversalId(refund, row.id);
    const taken = (await insert(query, { id, refund, row, order, share: left })) ?? (await revive(query, id, left));
    if (taken === 0n) continue;
    left -= taken;
    started.push({ kind: 'reversal', id });
    await tell(query, {
      kind: 'reversal',
      id,
      what: 'demanded',
      detail: { refund, transfer: row.id, amount: taken.toString() },
    });
  }
  if (left > 0n) await askAbout(query, causes[0], { row, left });
  await query('SELECT refresh_transfer($1)', [row.id]);
  return started;
}

interface Insert {
  readonly id: ReversalId;
  readonly refund: RefundId;
  readonly row: ShareRow;
  readonly order: OrderId;
  readonly share: bigint;
}

/** @returns undefined where this refund's reversal of this transfer exists already */
async function insert(query: Query, { id, refund, row, order, share }: Insert): Promise<bigint | undefined> {
  const inserted = await query(
    `INSERT INTO reversals (id, refund_id, transfer_id, order_id, seller_account, amount, currency, idempotency_key,
       next_retry_at, next_check_at, workflow_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_now(), clock_now(), 'reversal/' || $1::uuid)
     ON CONFLICT (id) DO NOTHING RETURNING id`,
    [id, refund, row.id, order, row.seller_account, share.toString(), row.currency, reversalKey(id, 1)],
  );
  return inserted.length === 1 ? share : undefined;
}

async function revive(query: Query, id: ReversalId, share: bigint): Promise<bigint> {
  const [row] = await query<{ amount: string }>(
    `SELECT amount FROM reversals WHERE id = $1 AND voided AND status = 'written_off' AND amount <= $2 FOR UPDATE`,
    [id, share.toString()],
  );
  if (!row) return 0n;
  await mustMove(query, 'reversals', {
    id,
    from: 'written_off',
    to: 'pending',
    set: 'voided = false, retry_count = 0, next_retry_at = clock_now(), next_check_at = clock_now()',
  });
  return BigInt(row.amount);
}

async function askAbout(
  query: Query,
  refund: RefundId | undefined,
  { row, left }: { row: ShareRow; left: bigint },
): Promise<void> {
  const detail = `${left} ${row.currency} of ${row.seller_account} are due and cannot be taken back in the name of any refund; the next refund of the order takes them too`;
  await query(
    `UPDATE refunds SET attention_reason = 'conflict', attention_since = coalesce(attention_since, clock_now()),
       attention_detail = $2, next_check_at = coalesce(next_check_at, clock_now() + interval '10 minutes') WHERE id = $1`,
    [refund, detail],
  );
}

/**
 * Nothing is due any more, and nothing was sent: given up by itself. The caller holds the row and has proof of absence.
 * @returns what has waited behind it
 */
export async function voidReversal(
  query: Query,
  row: { id: string; status: string },
  why: string,
): Promise<MoneyItem[]> {
  await mustMove(query, 'reversals', {
    id: row.id,
    from: row.status,
    to: 'written_off',
    set: `voided = true, runner = NULL, runner_until = NULL, next_retry_at = NULL, next_check_at = NULL, waiting_since = NULL,
      attention_reason = NULL, attention_since = NULL, attention_detail = NULL`,
  });
  await tell(query, { kind: 'reversal', id: row.id, what: 'voided', detail: { why } });
  if (row.status === 'permanently_failed') await withdrawRequests(query, 'reversal', row.id, why);
  await query('SELECT refresh_transfer(transfer_id) FROM reversals WHERE id = $1', [row.id]);
  return await leavePlace(query, row);
}

/** It no longer goes first: neither among the reversals of its transfer nor among those that wait for its seller's balance. */
export async function leavePlace(query: Query, { id, status }: { id: string; status: string }): Promise<MoneyItem[]> {
  if (status === 'waiting_balance') {
    const [gate] = await query<{ seller_account: string; currency: string }>(
      'SELECT seller_account, currency FROM reversals WHERE id = $1',
      [id],
    );
    if (gate) await redateOldest(query, gate.seller_account, gate.currency);
  }
  const [following] = await query<{ id: string }>(
    `UPDATE reversals SET next_check_at = clock_now() WHERE id = (
       SELECT id FROM reversals WHERE transfer_id = (SELECT transfer_id FROM reversals WHERE id = $1) AND id <> $1
         AND status = 'pending' AND runner IS NULL AND (next_retry_at IS NULL OR next_retry_at <= clock_now())
       ORDER BY place LIMIT 1) RETURNING id`,
    [id],
  );
  return following ? [{ kind: 'reversal', id: following.id }] : [];
}
