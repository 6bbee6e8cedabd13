import type { OrderId } from '../../domain/ids.js';
import type { ReleaseKind } from '../../domain/marketplace/releases.js';
import { larger, smaller } from '../../domain/money.js';
import type { Query } from '../transition.js';
import type { ShareRow } from './seller-shares.js';

/**
 * Of which of a seller's shares the money is that is taken or paid again, where his lines have several releases: what waits for its release is
 * not paid in place of lines that the buyer has again. Every function here runs in a transaction that holds the order.
 */

/** By release: how much more was taken of those shares than their own lines give back now; below zero: less. */
export type Spares = Map<string, bigint>;

const termsOf = ({ release_kind: kind, release_at: at }: Pick<ShareRow, 'release_kind' | 'release_at'>): string =>
  `${kind} ${at}`;

/** @returns empty: no cause of the order says which lines it gives back */
async function sparesOf(query: Query, order: OrderId, transfers: readonly ShareRow[]): Promise<Spares> {
  const rows = await query<{ release_kind: ReleaseKind; release_at: string | null; amount: string }>(
    `SELECT release_kind, release_at, sum(amount) AS amount FROM (
       SELECT i.release_kind, (o.paid_at + i.release_after_ms * interval '1 millisecond')::text AS release_at,
         least(i.amount - i.fee, ceil(sum(coalesce(p.borne, p.amount * (i.amount - i.fee) / i.amount)))) AS amount
       FROM cause_parts p JOIN causes c ON c.id = p.cause_id AND c.stands
         JOIN order_items i ON i.order_id = p.order_id AND i.position = p.position JOIN orders o ON o.id = i.order_id
       WHERE p.order_id = $1 AND i.seller_account = $2 GROUP BY i.position, o.paid_at, i.release_kind, i.release_after_ms, i.amount, i.fee
     ) AS line GROUP BY 1, 2`,
    [order, transfers[0]?.seller_account],
  );
  const spares: Spares = new Map(rows.map((row) => [termsOf(row), -BigInt(row.amount)]));
  if (spares.size === 0) return spares;
  for (const row of transfers) {
    const taken = BigInt(row.withheld) + BigInt(row.claimed_back) - BigInt(row.compensated);
    spares.set(termsOf(row), (spares.get(termsOf(row)) ?? 0n) + taken);
  }
  return spares;
}

/** What is given again, of shares of which so much was taken: first where more was taken than is given back, and of these the oldest. */
export async function putBack(
  query: Query,
  order: OrderId,
  { transfers, taken, amount }: PutBack,
): Promise<ReadonlyMap<ShareRow, bigint>> {
  const back = new Map<ShareRow, bigint>();
  let left = amount;
  const give = (row: ShareRow, most: bigint): bigint => {
    const part = larger(0n, smaller(smaller(left, most), taken(row) - (back.get(row) ?? 0n)));
    if (part > 0n) back.set(row, part + (back.get(row) ?? 0n));
    left -= part;
    return part;
  };
  const spares: Spares =
    transfers.filter((row) => taken(row) > 0n).length > 1 ? await sparesOf(query, order, transfers) : new Map();
  for (const row of transfers) {
    const spare = spares.get(termsOf(row)) ?? 0n;
    spares.set(termsOf(row), spare - give(row, spare));
  }
  for (const row of transfers) give(row, left);
  return back;
}

interface PutBack {
  /** All of the seller, the oldest first. */
  readonly transfers: readonly ShareRow[];
  readonly taken: (row: ShareRow) => bigint;
  readonly amount: bigint;
}

/**
 * What is due of shares that a person has given up was never sent, and is taken of nothing else: by the lines that are given back; where none
 * are named, as of every share that is unsent, before anything sent is taken back.
 */
export async function dueOfGivenUp(
  query: Query,
  order: OrderId,
  {
    transfers,
    byLine,
    due,
  }: { readonly transfers: readonly ShareRow[]; readonly byLine: boolean; readonly due: bigint },
): Promise<bigint> {
  const rooms = new Map<string, bigint>();
  for (const row of transfers)
    if (row.written_off && !row.completed)
      rooms.set(termsOf(row), BigInt(row.amount) + (rooms.get(termsOf(row)) ?? 0n));
  if (rooms.size === 0) return 0n;
  const spares = byLine ? await sparesOf(query, order, transfers) : undefined;
  const all = Array.from(rooms, ([terms, room]) =>
    spares === undefined ? room : larger(0n, smaller(room, -(spares.get(terms) ?? 0n))),
  );
  return smaller(
    due,
    all.reduce((sum, one) => sum + one, 0n),
  );
}
