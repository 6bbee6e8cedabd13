import type { OrderId, ReversalId, TransferId } from '../../domain/ids.js';
import { withdrawRequests } from '../decisions/decision-rows.js';
import { noteReopened } from '../marketplace/debt-offsets.js';
import { askAboutDebt } from '../marketplace/debt-questions.js';
import type { MarketplaceItem } from '../marketplace/marketplace-types.js';
import { makeGood } from '../marketplace/restorations.js';
import { mustMove, type Query, recordEvent } from '../transition.js';
import { attentionOf, type ClaimRefusal } from './claim-refusals.js';
import { type CallRow, lookAgain } from './stripe-calls.js';

/** Of a reversal that is held, what decides what has become of it as a debt. */
interface OwedReversal extends CallRow {
  readonly id: ReversalId;
  readonly order_id: OrderId;
  readonly transfer_id: TransferId;
  readonly cause_stands: boolean;
  readonly offset_status: 'reserved' | 'moved' | 'reopened' | null;
  readonly offset_transfer: TransferId | null;
}

/** The next look at what is owed, should nothing wake it. */
const A_DAY_MS = 86_400_000;
/** A transfer that it is kept of is on its way. */
const ON_ITS_WAY_MS = 600_000;

/** What a debt has become: the transfer that it was kept of is with the seller, or will not be. The caller holds its order. */
export async function bookOffset(query: Query, row: OwedReversal): Promise<'reversed' | 'reserved' | 'open'> {
  if (row.certainty !== 'in_flight') return 'open';
  if (row.offset_status === 'reserved') return 'reserved';
  if (row.offset_status === 'moved') {
    await finishOffset(query, row);
    return 'reversed';
  }
  await noteReopened(query, row.id);
  return 'open';
}

async function finishOffset(query: Query, row: OwedReversal): Promise<MarketplaceItem[]> {
  await mustMove(query, 'reversals', {
    id: row.id,
    from: row.status,
    to: 'reversed',
    set: `certainty = 'done', offset_done = true, reversed_at = clock_now(), waiting_since = NULL, next_retry_at = NULL, next_check_at = NULL,
      attention_reason = NULL, attention_since = NULL, attention_detail = NULL`,
  });
  await query('SELECT refresh_transfer($1)', [row.transfer_id]);
  await recordEvent(query, {
    kind: 'reversal',
    id: row.id,
    what: 'reversed',
    certainty: 'done',
    detail: { offset: row.offset_transfer, amount: row.amount },
  });
  await withdrawRequests(query, 'reversal', row.id, 'it was kept of a transfer to the seller');
  // Its cause may be over since: what it took is paid again, or proposed to be.
  return await makeGood(query, row.order_id);
}

/**
 * Why nothing is asked of Stripe for what is owed; undefined: its cause is gone, and nothing is on the way.
 * @param horizonMs so long nobody is asked although no transfer pays anything of what the seller owes
 */
export async function debtRefusal(
  query: Query,
  row: OwedReversal,
  horizonMs: number,
): Promise<ClaimRefusal | undefined> {
  const booked = await bookOffset(query, row);
  if (booked === 'reversed') return { kind: 'final', status: 'reversed' };
  if (booked === 'reserved')
    return await waits(query, row, ON_ITS_WAY_MS, `it is kept of transfer ${row.offset_transfer}, which is on its way`);
  if (!row.cause_stands) return undefined;
  const asked = await askAboutDebt(query, row, horizonMs);
  if ('inMs' in asked) return await waits(query, row, Math.min(A_DAY_MS, asked.inMs), OWED);
  return await attentionOf(query, 'reversals', {
    ...row,
    attention_reason: asked.reason,
    attention_detail: asked.detail,
  });
}

async function waits(query: Query, { id }: OwedReversal, afterMs: number, why: string): Promise<ClaimRefusal> {
  await lookAgain(query, 'reversals', id, afterMs);
  return { kind: 'waiting', afterMs, why };
}

const OWED = 'the seller owes it: it is kept of his next transfers';
