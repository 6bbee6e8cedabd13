import type { ReversalId } from '../../domain/ids.js';
import { dropAttention, pendingRequest, withdrawRequests } from '../decisions/decision-rows.js';
import { type Query, recordEvent } from '../transition.js';

/**
 * What a seller owes asks a person once none of his transfers has paid anything of what he owes for long. Every function here runs in a
 * transaction that holds the order of the debt.
 */

export interface AskedDebt {
  readonly id: ReversalId;
  readonly seller_account: string;
  readonly currency: string;
  readonly amount: string;
}

/**
 * Since when nothing was kept of a transfer to this seller. Debts are paid one after the other, the oldest first: as long as his transfers pay any of
 * them nobody is asked about those that come later, nor while one is on its way.
 */
async function unpaidSince(query: Query, { id, seller_account, currency }: AskedDebt) {
  const [row] = await query<{ since: Date; ms: number }>(
    `SELECT since, (extract(epoch FROM clock_now() - since) * 1000)::float8 AS ms FROM (
       SELECT greatest(x.debt_since, (SELECT max(coalesce(k.ended_at, clock_now())) FROM debt_offsets k JOIN reversals r ON r.id = k.reversal_id
         WHERE r.seller_account = $2 AND r.currency = $3)) AS since FROM reversals x WHERE x.id = $1) AS s`,
    [id, seller_account, currency],
  );
  if (!row) throw new Error(`reversal ${id} is not in the ledger`);
  return row;
}

/**
 * A person is asked where that is due, and nobody any more where it is not.
 * @returns the question, or in how many milliseconds it is due
 */
export async function askAboutDebt(
  query: Query,
  row: AskedDebt & { readonly attention_reason: string | null; readonly attention_detail: string | null },
  horizonMs: number,
): Promise<{ readonly reason: string; readonly detail: string | null } | { readonly inMs: number }> {
  const { since, ms } = await unpaidSince(query, row);
  const asked = { reason: row.attention_reason, detail: row.attention_detail };
  if (ms < horizonMs) {
    if (asked.reason === null || (await answerDebt(query, row.id))) return { inMs: horizonMs - ms };
  }
  if (asked.reason !== null) return { reason: asked.reason, detail: asked.detail };
  const detail = `nothing of the ${row.amount} ${row.currency} (minor units) has been kept of a transfer to ${row.seller_account} since ${since.toISOString()}: find out whether he still sells, and whether he has money at Stripe`;
  await query(
    `UPDATE reversals SET attention_reason = 'seller_owes', attention_since = clock_now(), attention_detail = $2,
       next_check_at = clock_now() + interval '1 day' WHERE id = $1`,
    [row.id, detail],
  );
  await recordEvent(query, { kind: 'reversal', id: row.id, what: 'seller_owes', detail: { amount: row.amount } });
  return { reason: 'seller_owes', detail };
}

/** A transfer pays it, or was about to: nobody is asked any more why none does. @returns whether that was the question */
export async function answerDebt(query: Query, id: ReversalId): Promise<boolean> {
  const [row] = await query<{ reason: string | null }>(
    'SELECT attention_reason AS reason FROM reversals WHERE id = $1',
    [id],
  );
  const reason =
    row?.reason === 'approval_pending' ? (await pendingRequest(query, 'reversal', id))?.asked_reason : row?.reason;
  if (reason !== 'seller_owes') return false;
  await withdrawRequests(query, 'reversal', id, 'a transfer to the seller pays what he owes');
  await dropAttention(query, 'reversals', id);
  return true;
}
