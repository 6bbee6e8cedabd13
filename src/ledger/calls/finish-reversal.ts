import { withdrawRequests } from '../decisions/decision-rows.js';
import type { MarketplaceItem } from '../marketplace/marketplace-types.js';
import { makeGood } from '../marketplace/restorations.js';
import { leavePlace } from '../marketplace/reversal-demands.js';
import { mustMove, type Query, recordEvent } from '../transition.js';
import type { Recorded } from './call-types.js';
import { type LockedReversal, moneyOfReversal } from './reversal-claims.js';
import { wakeOldest } from './stripe-gates.js';

interface Taken {
  readonly stripeReversalId: string;
  readonly requestId?: string | null;
  /** Beside what had been counted of it: that stands for nothing any more, and a person hears of it. */
  readonly tookWhole?: boolean;
}

/**
 * The share is back. Written from any status: evidence is absorbing, and what a person had given up or was asked about
 * becomes a late success.
 */
export async function finishReversal(
  query: Query,
  row: LockedReversal,
  { stripeReversalId, requestId = null, tookWhole = false }: Taken,
): Promise<Recorded> {
  const kept = row.offset_status === 'reserved' || row.offset_status === 'moved';
  if (kept || row.status === 'reversed' || (row.status === 'written_off' && (await lacksRoom(query, row)))) {
    await takenBeside(query, row, stripeReversalId);
    return { status: row.status, started: [] };
  }
  const late = row.status === 'written_off' || row.status === 'permanently_failed';
  if (tookWhole) await query('DELETE FROM foreign_decisions WHERE reversal_id = $1', [row.id]);
  const told = toldOf(row, stripeReversalId, tookWhole);
  const { amount: taken } = moneyOfReversal(row);
  const sentAmount = row.transfer_currency !== null && taken > 0n ? taken.toString() : null;
  await mustMove(query, 'reversals', {
    id: row.id,
    from: row.status,
    to: 'reversed',
    set: `certainty = 'done', voided = false, takes_available = false, stripe_reversal_id = $4, reversed_at = clock_now(), last_answer = 'finish', waiting_since = NULL,
      provider_request_id = coalesce($5, provider_request_id), runner = NULL, runner_until = NULL, next_retry_at = NULL,
      next_check_at = NULL, attention_reason = $6, attention_since = CASE WHEN $6::text IS NOT NULL THEN clock_now() END,
      attention_detail = $7, sent_amount = $8, seller_read_next_at = clock_now()${tookWhole ? ', counted = 0' : ''}`,
    values: [stripeReversalId, requestId, told?.reason ?? null, told?.detail ?? null, sentAmount],
  });
  await query('SELECT refresh_transfer($1)', [row.transfer_id]);
  await recordEvent(query, {
    kind: 'reversal',
    id: row.id,
    what: 'reversed',
    certainty: 'done',
    detail: {
      stripe_reversal_id: stripeReversalId,
      ...(sentAmount !== null && { taken: sentAmount, currency: row.transfer_currency }),
      ...(late ? { was: row.status } : {}),
    },
  });
  await withdrawRequests(query, 'reversal', row.id, 'Stripe holds the reversal');
  // Found late, its dispute may be over, or its refund have failed: what it took is paid again, or proposed to be.
  const restored = await makeGood(query, row.order_id);
  const woken = await gateOpens(query, row);
  const freed = await leavePlace(query, { id: row.id, status: 'pending' });
  return { status: 'reversed', started: [...freed, ...woken, ...restored] };
}

/** What a person is to know of how it ended. */
function toldOf(row: LockedReversal, stripeReversalId: string, tookWhole: boolean) {
  if (tookWhole)
    return {
      reason: 'conflict',
      detail: `Stripe holds ${stripeReversalId} of the whole ${row.amount} ${row.currency} for it beside the ${row.counted} of others that were counted: these stand for nothing any more, and the next refund asks what they stand for; else pay the seller back at Stripe; acknowledge with adopt`,
    };
  if (row.status !== 'written_off') return undefined;
  return {
    reason: 'late_success',
    detail: `Stripe holds ${stripeReversalId} for it, found after it was written off`,
  };
}

/** Given up, and meanwhile the rest of its transfer was demanded: the ledger holds no more than the transfer. */
async function lacksRoom(query: Query, row: LockedReversal): Promise<boolean> {
  const [room] = await query<{ lacks: boolean }>(
    `SELECT $2::numeric > t.amount + t.offset_amount - coalesce((SELECT sum(amount) FROM reversals WHERE transfer_id = t.id AND id <> $3
       AND status <> 'written_off'), 0) AS lacks FROM seller_transfers t WHERE t.id = $1`,
    [row.transfer_id, row.amount, row.id],
  );
  return room?.lacks ?? false;
}

/** Stripe holds a reversal that this ledger cannot book as this one: the seller has paid more back than was asked. */
export async function takenBeside(query: Query, row: LockedReversal, stripeReversalId: string): Promise<void> {
  if (row.stripe_reversal_id === stripeReversalId || (await isTold(query, row, stripeReversalId))) return;
  const given =
    row.offset_transfer !== null
      ? `what transfer ${row.offset_transfer} was sent for less`
      : BigInt(row.counted) > 0n
        ? 'what others took and counts as it'
        : 'what was demanded since it was given up';
  const beside = row.stripe_reversal_id ?? given;
  await query(
    `UPDATE reversals SET attention_reason = 'conflict', attention_since = coalesce(attention_since, clock_now()),
       attention_detail = $2 WHERE id = $1`,
    [
      row.id,
      `Stripe holds ${stripeReversalId} for it beside ${beside}: pay the seller back at Stripe, then acknowledge with adopt`,
    ],
  );
  await recordEvent(query, {
    kind: 'reversal',
    id: row.id,
    what: 'conflict',
    detail: { stripe_reversal_id: stripeReversalId },
  });
}

/** Every event of its transfer shows it again. */
async function isTold(query: Query, { id }: LockedReversal, stripeReversalId: string): Promise<boolean> {
  const told = await query(
    `SELECT 1 FROM operation_events WHERE item_kind = 'reversal' AND item_id = $1::text AND kind = 'conflict'
       AND detail ->> 'stripe_reversal_id' = $2 LIMIT 1`,
    [id, stripeReversalId],
  );
  return told.length > 0;
}

/** Money was there: the seller's next waiting reversal asks at once, and the gate opens after the last. */
async function gateOpens(query: Query, row: LockedReversal): Promise<MarketplaceItem[]> {
  const [gate] = await query('SELECT 1 FROM seller_gates WHERE seller_account = $1 AND currency = $2 FOR UPDATE', [
    row.seller_account,
    row.currency,
  ]);
  return gate ? await wakeOldest(query, row.seller_account, row.currency) : [];
}
