import type { OrderId, ReversalId, TransferId } from '../../domain/ids.js';
import { amountStep } from '../../domain/marketplace/currencies.js';
import { keptOf, type OffsetRules } from '../../domain/marketplace/offsets.js';
import { type Query, recordEvent } from '../transition.js';
import { answerDebt } from './debt-questions.js';
import { splitOff } from './debts.js';
import type { MarketplaceItem } from './marketplace-types.js';
import { lessen } from './withholding.js';

/**
 * A debt is kept of a transfer that surely was not sent: from its claim on the offset is reserved, and it has moved once the transfer is
 * with the seller. Where the transfer is absent, cancelled or made smaller, the debt is open again.
 *
 * A transfer and a debt may be of two orders. Only the reservation holds both, in the order of their ids. Whatever ends it holds the
 * transfer's order alone and writes `debt_offsets`; the debt itself hears of it under its own order, when it is looked at next. Until
 * then it counts as on its way, as a call that was sent does.
 */

/** No more than these are kept of one transfer. */
const MOST_DEBTS = 20;

/**
 * Of `reversals r` with `seller_transfers t`: owed, kept of no other transfer now, and truly with the seller. What a person is asked about
 * that transfer, perhaps because somebody else took of it, comes first.
 */
const OPEN = `r.debt_since IS NOT NULL AND r.status = 'waiting_balance' AND t.completed_at IS NOT NULL AND t.attention_reason IS NULL
  AND NOT EXISTS (SELECT 1 FROM debt_offsets k WHERE k.reversal_id = r.id AND k.status <> 'reopened')`;

/** What {@link OPEN} is of, with what each was taken back for. */
const DEBTS = `reversals r JOIN seller_transfers t ON t.id = r.transfer_id JOIN causes c ON c.id = coalesce(r.refund_id, r.withdrawal_id)`;

/** Locks the order of a transfer and those whose debts may be kept of it, all of them with their transfers. @returns which */
export async function lockWithDebts(query: Query, id: TransferId): Promise<readonly OrderId[]> {
  const rows = await query<{ order_id: OrderId }>(
    `SELECT order_id FROM orders o JOIN (
       SELECT order_id FROM seller_transfers WHERE id = $1
       UNION (SELECT r.order_id FROM seller_transfers own JOIN reversals r ON r.seller_account = own.seller_account AND r.currency = own.currency
         JOIN seller_transfers t ON t.id = r.transfer_id WHERE own.id = $1 AND ${OPEN} ORDER BY r.place LIMIT ${MOST_DEBTS})) AS found
       ON found.order_id = o.id ORDER BY o.id FOR UPDATE OF o`,
    [id],
  );
  const orders = rows.map(({ order_id }) => order_id);
  await query('SELECT 1 FROM seller_transfers WHERE order_id = ANY ($1) ORDER BY order_id, id FOR UPDATE', [orders]);
  return orders;
}

export interface LessenedTransfer {
  readonly id: TransferId;
  readonly seller_account: string;
  readonly currency: string;
  readonly amount: string;
  /** The least that can be sent of it; undefined: nothing of it can be. */
  readonly least: bigint | undefined;
}

/**
 * SQL: of the transfers `x` of one currency (`$1`) that `which` names, `id` and the `amount` that is sent at least once the debts of their
 * sellers are kept of them, the oldest of both first. What changes until they are claimed makes it another amount.
 */
export function leastSent(which: string, currency: string, { on, limitPercent }: OffsetRules): string {
  if (!on) return `SELECT id, amount FROM seller_transfers x WHERE ${which}`;
  const step = amountStep(currency);
  const most = `trunc(x.amount * ${limitPercent} / 100)`;
  const room = limitPercent === 100 ? 'x.amount' : `${most} - ${most} % ${step}`;
  return `SELECT id, amount - greatest(least(room, owed - before), 0) AS amount FROM (
      SELECT x.id, x.amount, x.room, coalesce(d.owed, 0) AS owed,
        coalesce(sum(x.room) OVER (PARTITION BY x.seller_account ORDER BY x.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
      FROM (SELECT x.id, x.seller_account, x.amount, ${room} AS room FROM seller_transfers x WHERE ${which}) x
        LEFT JOIN (
          SELECT seller_account, sum(amount - amount % ${step}) AS owed FROM (
            SELECT r.seller_account, r.amount, row_number() OVER (PARTITION BY r.seller_account ORDER BY r.place) AS nth
            FROM ${DEBTS} WHERE r.currency = $1 AND ${OPEN} AND c.stands) r
          WHERE nth <= ${MOST_DEBTS} GROUP BY seller_account) d ON d.seller_account = x.seller_account) x`;
}

/** The caller holds these orders, and the transfer is about to be sent. @returns whether it is sent for less */
export async function reserveOffsets(
  query: Query,
  row: LessenedTransfer,
  { rules, orders }: { readonly rules: OffsetRules; readonly orders: readonly OrderId[] },
): Promise<boolean> {
  const step = amountStep(row.currency);
  const debts = await query<{ id: ReversalId; amount: string }>(
    `SELECT r.id, r.amount FROM ${DEBTS}
     WHERE r.seller_account = $1 AND r.currency = $2 AND ${OPEN} AND r.order_id = ANY ($3) AND c.stands
     ORDER BY r.place LIMIT ${MOST_DEBTS} FOR UPDATE OF r`,
    [row.seller_account, row.currency, orders],
  );
  const parts = keptOf(
    debts.map(({ amount }) => BigInt(amount)),
    { amount: BigInt(row.amount), least: row.least, step },
    rules,
  );
  let kept = 0n;
  for (const [place, { id, amount }] of debts.entries()) {
    const part = parts[place] ?? 0n;
    if (part <= 0n) continue;
    await noteReopened(query, id);
    await answerDebt(query, id);
    const debt = part === BigInt(amount) ? id : await splitOff(query, id, BigInt(amount) - part);
    await reserve(query, row, { debt, part });
    kept += part;
  }
  if (kept > 0n) await lessen(query, row.id, kept);
  return kept > 0n;
}

/** It was kept of a transfer that was not sent, and has not been looked at since. The caller holds its order. */
export async function noteReopened(query: Query, id: ReversalId): Promise<void> {
  const [was] = await query<{ amount: string; transfer: TransferId }>(
    `UPDATE reversals SET certainty = 'absent', next_check_at = clock_now() + interval '1 day' WHERE id = $1 AND certainty = 'in_flight'
     RETURNING amount, (SELECT transfer_id FROM debt_offsets WHERE reversal_id = $1 ORDER BY id DESC LIMIT 1) AS transfer`,
    [id],
  );
  if (was)
    await recordEvent(query, { kind: 'reversal', id, what: 'offset_reopened', certainty: 'absent', detail: was });
}

async function reserve(
  query: Query,
  { id: transfer, currency }: LessenedTransfer,
  { debt, part }: { readonly debt: ReversalId; readonly part: bigint },
): Promise<void> {
  await query(
    `UPDATE reversals SET certainty = 'in_flight', next_check_at = clock_now() + interval '10 minutes' WHERE id = $1`,
    [debt],
  );
  await query('INSERT INTO debt_offsets (reversal_id, transfer_id, amount, currency) VALUES ($1, $2, $3, $4)', [
    debt,
    transfer,
    part.toString(),
    currency,
  ]);
  await recordEvent(query, {
    kind: 'reversal',
    id: debt,
    what: 'offset_reserved',
    detail: { transfer, amount: `${part}` },
  });
  await recordEvent(query, {
    kind: 'transfer',
    id: transfer,
    what: 'offset_reserved',
    detail: { reversal: debt, amount: `${part}` },
  });
}

/**
 * It is not sent for less any more; the caller holds it, and surely nothing of it was sent.
 * @returns the debts that are open again, to be looked at
 */
export async function reopenOffsets(query: Query, id: TransferId, why: string): Promise<MarketplaceItem[]> {
  const debts = await end(query, id, 'reopened');
  if (debts.length === 0) return [];
  await lessen(query, id, 0n);
  await recordEvent(query, { kind: 'transfer', id, what: 'offsets_reopened', detail: { why } });
  return debts;
}

/** The transfer is with the seller: what it was sent for less is taken. @returns the debts that are over, to be looked at */
export const moveOffsets = (query: Query, id: TransferId): Promise<MarketplaceItem[]> => end(query, id, 'moved');

async function end(query: Query, transfer: TransferId, status: 'moved' | 'reopened'): Promise<MarketplaceItem[]> {
  const rows = await query<{ reversal_id: ReversalId }>(
    `UPDATE debt_offsets SET status = $2, ended_at = clock_now() WHERE transfer_id = $1 AND status = 'reserved' RETURNING reversal_id`,
    [transfer, status],
  );
  return rows.map(({ reversal_id: id }) => ({ kind: 'reversal', id }));
}
