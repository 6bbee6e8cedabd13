import { assertNever } from '../domain/assert-never.js';
import type { Clock } from '../domain/clock.js';
import { compensate, proposeCompensation } from './compensation.js';
import { type Decidable, hasEnded } from './decide-money.js';
import type { MoneyAction, Verification } from './money-decision-types.js';
import { finishReversal } from './reversal-calls.js';
import { lockReversal } from './reversal-claims.js';
import { settleShares, withholdDemands } from './share-out.js';
import { finishTransfer, lockTransfer } from './transfer-calls.js';
import { mustMove, type Query } from './transition.js';
import { dropAttention, NO_ATTENTION } from './waiting-decisions.js';

/** Tried again from the beginning: at once, with every retry the settings allow. */
const AGAIN = `${NO_ATTENTION}, retry_count = 0, next_retry_at = clock_now(), next_check_at = clock_now()`;

export interface AppliedDecision {
  readonly action: MoneyAction;
  readonly verified: Verification;
}

/** Carries a decision out, in the transaction that records it; the caller holds the row. @returns the new status */
export async function applyDecision(
  query: Query,
  row: Decidable,
  decision: AppliedDecision,
  clock: Clock,
): Promise<string> {
  switch (row.kind) {
    case 'reversal':
      return await decideReversal(query, row, decision);
    case 'transfer':
      return await decideTransfer(query, row, decision);
    case 'refund':
      return await decideRefund(query, row, decision, clock);
    default:
      return assertNever(row.kind);
  }
}

async function decideReversal(query: Query, row: Decidable, { action, verified }: AppliedDecision): Promise<string> {
  const { id, status } = row;
  if (hasEnded(row)) return await acknowledge(query, 'reversals', row);
  if (action === 'adopt' && verified.kind === 'found') {
    const { status: adopted } = await finishReversal(query, await lockReversal(query, id), verified.stripeId);
    await dropAttention(query, 'reversals', id);
    return adopted;
  }
  if (action === 'retry') {
    await mustMove(query, 'reversals', { id, from: status, to: 'pending', set: AGAIN });
  } else {
    await proveAbsent(query, 'reversals', row);
    await mustMove(query, 'reversals', {
      id,
      from: status,
      to: 'written_off',
      set: `${NO_ATTENTION}, next_retry_at = NULL, next_check_at = NULL`,
    });
  }
  await query('SELECT refresh_transfer(transfer_id) FROM reversals WHERE id = $1', [id]);
  return action === 'retry' ? 'pending' : 'written_off';
}

async function decideTransfer(query: Query, row: Decidable, { action, verified }: AppliedDecision): Promise<string> {
  const { id, status } = row;
  if (hasEnded(row)) return await acknowledge(query, 'seller_transfers', row);
  if (action === 'adopt' && verified.kind === 'found') {
    const { status: adopted } = await finishTransfer(query, await lockTransfer(query, id), verified.stripeId);
    await dropAttention(query, 'seller_transfers', id);
    return adopted;
  }
  if (action === 'retry') {
    await query(`UPDATE seller_transfers SET ${AGAIN} WHERE id = $1`, [id]);
    return status;
  }
  await proveAbsent(query, 'seller_transfers', row);
  // What is given up was never sent: it ends where every transfer ends that could not be.
  if (status === 'pending') await mustMove(query, 'seller_transfers', { id, from: 'pending', to: 'failed' });
  if (status === 'pending' || status === 'failed')
    await mustMove(query, 'seller_transfers', { id, from: 'failed', to: 'permanently_failed' });
  await query(
    `UPDATE seller_transfers SET ${NO_ATTENTION}, written_off_at = clock_now(), next_retry_at = NULL, next_check_at = NULL WHERE id = $1`,
    [id],
  );
  await withholdDemands(query, row.order_id, row.id);
  return 'permanently_failed';
}

/** A retry settles the sellers' shares once more and reads the refund again; what still needs a person comes back. */
async function decideRefund(query: Query, row: Decidable, { action }: AppliedDecision, clock: Clock): Promise<string> {
  const open = row.status === 'pending' || row.status === 'review';
  await query(
    `UPDATE refunds SET ${NO_ATTENTION}, next_check_at = ${action === 'retry' || open ? 'clock_now()' : 'NULL'} WHERE id = $1`,
    [row.id],
  );
  if (action === 'compensate') await compensate(query, clock, row.order_id, row.id);
  if (action === 'retry' && !open) {
    await settleShares(query, row.order_id);
    await proposeCompensation(query, row.order_id);
  }
  return row.status;
}

/** The look that was just made is the proof; the ledger refuses the write-off of anything less. */
async function proveAbsent(query: Query, table: 'reversals' | 'seller_transfers', { id }: Decidable): Promise<void> {
  await query(
    `UPDATE ${table} SET certainty = CASE certainty WHEN 'not_sent' THEN 'not_sent' ELSE 'absent' END,
       absences = absences + 1, last_absence_at = clock_now() WHERE id = $1`,
    [id],
  );
}

async function acknowledge(query: Query, table: 'reversals' | 'seller_transfers', row: Decidable): Promise<string> {
  await dropAttention(query, table, row.id);
  return row.status;
}
