import { reversalKey } from '../../domain/calls/idempotency-keys.js';
import type { TransferId } from '../../domain/ids.js';
import { notedOf, type SharePlan, type TakenByOthers } from '../../domain/marketplace/foreign-reversals.js';
import type { LockedReversal } from '../calls/reversal-claims.js';
import { newGeneration } from '../calls/stripe-calls.js';
import type { Database } from '../database.js';
import { AGAIN } from '../decisions/decide-stripe-call.js';
import { NO_ATTENTION } from '../decisions/decision-rows.js';
import { mustMove, type Query, recordEvent } from '../transition.js';
import type { MarketplaceItem } from './marketplace-types.js';
import { noteForeignReversals } from './note-foreign-reversals.js';
import { makeGood } from './restorations.js';
import { lockSharesOf } from './seller-shares.js';

/** A transfer of ours, and what is accounted for of its reversals at Stripe. */
export interface ReversedTransfer {
  readonly stripeTransferId: string;
  readonly sellerAccount: string;
  readonly operationIds: readonly string[];
  readonly stripeIds: readonly string[];
  /** Of its reversals, those whose own look finds nothing any more: given up, asked about, owed, or booked without it. */
  readonly unwatched: readonly string[];
}

/** What others reversed of our transfers, told by Stripe's events, and what a person decides about it. */
export function createForeignShares(database: Database) {
  return {
    /** undefined: it has no id at Stripe. */
    async reversedTransfer(id: TransferId): Promise<ReversedTransfer | undefined> {
      const [row] = await database.query<ReversedTransfer & { [column: string]: unknown }>(
        `SELECT stripe_transfer_id AS "stripeTransferId", seller_account AS "sellerAccount",
           ARRAY(SELECT id::text FROM reversals WHERE transfer_id = t.id) AS "operationIds",
           ARRAY(SELECT stripe_reversal_id FROM reversals WHERE transfer_id = t.id AND stripe_reversal_id IS NOT NULL) AS "stripeIds",
           ARRAY(SELECT id::text FROM reversals WHERE transfer_id = t.id AND (status NOT IN ('pending', 'waiting_balance') OR debt_since IS NOT NULL)) AS unwatched
         FROM seller_transfers t WHERE id = $1 AND stripe_transfer_id IS NOT NULL`,
        [id],
      );
      return row;
    },

    /** Stripe told that this transfer was reversed, and it was read. @returns what may be looked at again now */
    noteReversed: (
      id: TransferId,
      { reversals }: Pick<TakenByOthers, 'reversals'>,
    ): Promise<readonly MarketplaceItem[]> =>
      database.transaction(async (query) => {
        await lockSharesOf(query, 'seller_transfers', id);
        await noteForeignReversals(query, id, reversals.map(notedOf));
        const woken = await query<{ id: string }>(
          `UPDATE reversals SET next_retry_at = clock_now(), next_check_at = clock_now()
           WHERE transfer_id = $1 AND status = 'pending' AND runner IS NULL AND last_answer = 'unfinished' RETURNING id`,
          [id],
        );
        return woken.map((reversal) => ({ kind: 'reversal', id: reversal.id }));
      }),
  };
}

/** Carries it out: the share is back, or goes on for what is missing. @returns the new status */
export async function decideShare(
  query: Query,
  row: LockedReversal,
  { counted, decides }: SharePlan,
): Promise<'reversed' | 'pending'> {
  await noteDecided(query, row, decides);
  const whole = counted === BigInt(row.amount);
  await (whole ? countWhole(query, row) : goOnWith(query, row, counted));
  await query('SELECT refresh_transfer($1)', [row.transfer_id]);
  if (whole) await makeGood(query, row.order_id);
  return whole ? 'reversed' : 'pending';
}

/** What others took was decided about with this share: it is asked about no more. */
export async function noteDecided(
  query: Query,
  row: Pick<LockedReversal, 'id' | 'transfer_id'>,
  decides: SharePlan['decides'],
): Promise<void> {
  for (const [stripeId, amount] of decides) {
    if (amount === 0n) continue;
    await query(
      `INSERT INTO foreign_decisions AS d (stripe_reversal_id, reversal_id, transfer_id, amount) VALUES ($1, $2, $3, $4)
       ON CONFLICT (stripe_reversal_id, reversal_id) DO UPDATE SET amount = d.amount + EXCLUDED.amount`,
      [stripeId, row.id, row.transfer_id, amount.toString()],
    );
  }
}

export async function countWhole(query: Query, row: LockedReversal): Promise<void> {
  await mustMove(query, 'reversals', {
    id: row.id,
    from: row.status,
    to: 'reversed',
    set: `${NO_ATTENTION}, counted = amount, certainty = 'done', reversed_at = clock_now(), next_retry_at = NULL, next_check_at = NULL`,
  });
  await recordEvent(query, {
    kind: 'reversal',
    id: row.id,
    what: 'reversed',
    certainty: 'done',
    detail: { counted: row.amount },
  });
}

/** Another amount is another call: what was frozen with the present key was surely not carried out. */
async function goOnWith(query: Query, row: LockedReversal, counted: bigint): Promise<void> {
  const renewed = row.params !== null && counted !== BigInt(row.counted);
  await mustMove(query, 'reversals', {
    id: row.id,
    from: row.status,
    to: 'pending',
    set: `${AGAIN}, counted = $4${renewed ? `, ${newGeneration('$5')}` : ''}`,
    values: [counted.toString(), ...(renewed ? [reversalKey(row.id, row.generation + 1)] : [])],
  });
}
