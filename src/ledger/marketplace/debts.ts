import { reversalKey } from '../../domain/calls/idempotency-keys.js';
import type { CauseId, ReversalId, TransferId } from '../../domain/ids.js';
import { reversalId } from '../../domain/marketplace/reversal-id.js';
import { smaller } from '../../domain/money.js';
import { newGeneration } from '../calls/stripe-calls.js';
import { NO_ATTENTION } from '../decisions/decision-rows.js';
import { mustMove, type Query, recordEvent } from '../transition.js';
import type { MarketplaceItem } from './marketplace-types.js';

/**
 * A reversal that is taken in parts, and what of it the seller owes. Every function here runs in a transaction that holds the order, and
 * is about a reversal of which surely nothing was moved under its present key.
 */

interface Row {
  readonly [column: string]: unknown;
  readonly id: ReversalId;
  readonly cause: CauseId;
  readonly transfer_id: TransferId;
  readonly amount: string;
  readonly status: string;
  readonly generation: number;
  readonly frozen: boolean;
  readonly owed: boolean;
  readonly next_part: number;
}

async function lockRow(query: Query, id: ReversalId): Promise<Row> {
  const [row] = await query<Row>(
    `SELECT id, coalesce(refund_id, withdrawal_id) AS cause, transfer_id, amount, status, generation, params IS NOT NULL AS frozen,
       debt_since IS NOT NULL AS owed,
       (SELECT max(part) + 1 FROM reversals p WHERE p.transfer_id = r.transfer_id
         AND coalesce(p.refund_id, p.withdrawal_id) = coalesce(r.refund_id, r.withdrawal_id)) AS next_part
     FROM reversals r WHERE id = $1 FOR UPDATE`,
    [id],
  );
  if (!row) throw new Error(`reversal ${id} is not in the ledger`);
  return row;
}

/**
 * What is more than `keep` becomes a reversal of its own, taken by a call of its own; a debt stays one in both. Another amount is another call,
 * so what was frozen gets a new generation.
 */
export async function splitOff(query: Query, id: ReversalId, keep: bigint): Promise<ReversalId> {
  const row = await lockRow(query, id);
  const rest = BigInt(row.amount) - keep;
  if (keep <= 0n || rest <= 0n) throw new Error(`reversal ${id}: ${keep} of ${row.amount} cannot be split off`);
  const part = reversalId(row.cause, row.transfer_id, row.next_part);
  await query(`UPDATE reversals SET amount = $2${row.frozen ? `, ${newGeneration('$3')}` : ''} WHERE id = $1`, [
    id,
    keep.toString(),
    ...(row.frozen ? [reversalKey(id, row.generation + 1)] : []),
  ]);
  await query(
    `INSERT INTO reversals (id, part, refund_id, withdrawal_id, transfer_id, order_id, seller_account, amount, currency, idempotency_key,
       waiting_since, next_retry_at, next_check_at, workflow_id)
     SELECT $2, $3, refund_id, withdrawal_id, transfer_id, order_id, seller_account, $4, currency, $5,
       waiting_since, clock_now(), clock_now(), 'reversal/' || $2::uuid
     FROM reversals WHERE id = $1`,
    [id, part, row.next_part, rest.toString(), reversalKey(part, 1)],
  );
  if (row.owed)
    await mustMove(query, 'reversals', {
      id: part,
      from: 'pending',
      to: 'waiting_balance',
      set: `debt_since = (SELECT debt_since FROM reversals WHERE id = $4), next_retry_at = NULL, next_check_at = clock_now() + interval '1 day'`,
      values: [id],
    });
  await recordEvent(query, {
    kind: 'reversal',
    id,
    what: 'split',
    detail: { keeps: `${keep}`, rest: `${rest}`, part },
  });
  await recordEvent(query, {
    kind: 'reversal',
    id: part,
    what: 'demanded',
    detail: { amount: `${rest}`, split_from: id },
  });
  return part;
}

/** It is asked of Stripe no more, and kept of the seller's next transfers instead. */
export async function owe(query: Query, id: ReversalId, detail: Readonly<Record<string, unknown>>): Promise<void> {
  const row = await lockRow(query, id);
  if (row.status === 'permanently_failed')
    await mustMove(query, 'reversals', {
      id,
      from: row.status,
      to: 'pending',
      set: `${NO_ATTENTION}, next_check_at = clock_now()`,
    });
  if (row.status !== 'waiting_balance')
    await mustMove(query, 'reversals', {
      id,
      from: 'pending',
      to: 'waiting_balance',
      set: 'next_check_at = clock_now()',
    });
  await query(
    `UPDATE reversals SET debt_since = coalesce(debt_since, clock_now()), takes_available = false, ${NO_ATTENTION}, retry_count = 0,
       waiting_since = coalesce(waiting_since, clock_now()), runner = NULL, runner_until = NULL, next_retry_at = NULL,
       next_check_at = clock_now() + interval '1 day'${row.frozen ? `, ${newGeneration('$2')}` : ''} WHERE id = $1`,
    [id, ...(row.frozen ? [reversalKey(id, row.generation + 1)] : [])],
  );
  await recordEvent(query, { kind: 'reversal', id, what: 'owed', detail: { amount: row.amount, ...detail } });
}

/**
 * What is taken back of a transfer that was sent for less goes beyond what Stripe can reverse of it: a debt again, as it was one before the
 * transfer paid it.
 * @param demanded reversals that were just demanded of it
 */
export async function oweBeyond(
  query: Query,
  demanded: readonly MarketplaceItem[],
  { transfer, beyond }: { readonly transfer: TransferId; readonly beyond: bigint },
): Promise<MarketplaceItem[]> {
  let left = beyond;
  const split: MarketplaceItem[] = [];
  for (const item of [...demanded].reverse()) {
    if (left <= 0n) break;
    const id = item.id as ReversalId;
    const amount = BigInt((await lockRow(query, id)).amount);
    const part = smaller(left, amount);
    const owed = part === amount ? id : await splitOff(query, id, amount - part);
    if (owed !== id) split.push({ kind: 'reversal', id: owed });
    await owe(query, owed, { why: 'its transfer was sent for less, because the seller owed it', transfer });
    left -= part;
  }
  // What is owed has no attempt of its own that the transfer could name as its next one.
  if (left < beyond) await query('SELECT refresh_transfer($1)', [transfer]);
  return split;
}
