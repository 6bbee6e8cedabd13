import { type Certainty, surelyUnmoved } from '../../domain/calls/certainty.js';
import type { CauseId, OrderId, TransferId } from '../../domain/ids.js';
import { amountStep } from '../../domain/marketplace/currencies.js';
import { evaluate } from '../../domain/marketplace/lines.js';
import type { ReleaseKind } from '../../domain/marketplace/releases.js';
import { dueBack, type TransferShare } from '../../domain/marketplace/shares.js';
import { smaller } from '../../domain/money.js';
import type { MarketplaceTable, Query } from '../transition.js';
import { COUNTED, type Counted, causesByLine, headOf, linesIn } from './lines-of-order.js';

/** One transfer of an order, with what its reversals come to. */
export interface ShareRow {
  readonly id: TransferId;
  readonly seller_account: string;
  readonly currency: string;
  readonly status: string;
  readonly certainty: Certainty;
  readonly promised: string;
  readonly withheld: string;
  readonly amount: string;
  /** It is, or was, sent for so much less, because the seller owed it: he has it all the same. */
  readonly offset_amount: string;
  /** Of what was withheld or taken back of this transfer, what was paid again by another one. */
  readonly compensated: string;
  /** It pays again what a refund had taken that has failed since. */
  readonly pays_for_failure: boolean;
  /** The transfer of the seller before it; older builds named the promised one. */
  readonly compensates_transfer: TransferId | null;
  readonly generation: number;
  readonly params: string | null;
  readonly completed: boolean;
  readonly written_off: boolean;
  /** Taken back, about to be, or given up by a person while its cause stands: it is not asked for again. */
  readonly claimed_back: string;
  readonly release_kind: ReleaseKind;
  readonly release_at: string | null;
  readonly released_at: string | null;
  /** Surely taken back. */
  readonly taken_back: string;
}

/**
 * What one seller was promised of an order. A compensation pays a part of the promise a second time by another transfer;
 * what is due back is due of both together, whichever of them it is taken from.
 */
export interface SellerShare {
  readonly seller: string;
  readonly currency: string;
  /** Of the promise, what is the buyer's again by arithmetic. */
  readonly due: bigint;
  /** Of that, what each cause stands for; rounded down by itself. */
  readonly named: readonly NamedShare[];
  /** Those that were promised, then the compensations of them. */
  readonly transfers: readonly ShareRow[];
  /** Of what is due, what persons gave up when more of the same money of a dispute was out. */
  readonly givenUp: bigint;
}

/** Why a share is taken back: a refund that has succeeded, or money that a dispute took. */
export interface Cause {
  readonly id: CauseId;
  readonly kind: 'refund' | 'withdrawal';
  readonly amount: bigint;
}

/** A cause that stands, with as much of the demand as it lends its name to. */
export interface NamedShare extends Pick<Cause, 'id' | 'kind'> {
  readonly share: bigint;
}

export interface OrderShares {
  readonly byLine: boolean;
  /** What the order's currency moves in at Stripe: `amountStep`. */
  readonly step: bigint;
  /** Those that stand, the oldest first. */
  readonly causes: readonly Cause[];
  readonly sellers: readonly SellerShare[];
}

/** Locks the order: whatever decides about its refunds or transfers begins here. */
export async function lockOrder(query: Query, id: OrderId): Promise<{ amount: bigint; status: string } | undefined> {
  const [row] = await query<{ amount: string; status: string }>(
    'SELECT amount, status FROM orders WHERE id = $1 FOR UPDATE',
    [id],
  );
  return row && { amount: BigInt(row.amount), status: row.status };
}

/**
 * Locks the order of an item, before the item's own row, as everywhere: whoever shares an order out holds it first.
 * @returns undefined: there is no such item
 */
export async function lockOrderOf(
  query: Query,
  table: Exclude<MarketplaceTable, 'orders'> | 'disputes',
  id: string,
): Promise<OrderId | undefined> {
  const [order] = await query<{ id: OrderId }>(
    `SELECT id FROM orders WHERE id = (SELECT order_id FROM ${table} WHERE id = $1) FOR UPDATE`,
    [id],
  );
  return order?.id;
}

/** The same with all transfers of the order: what is decided about one of them may change what is demanded of the others. */
export async function lockSharesOf(query: Query, table: 'seller_transfers' | 'reversals', id: string): Promise<void> {
  const order = await lockOrderOf(query, table, id);
  if (order) await lockTransfers(query, order);
}

/** Locks all transfers of the order, in the order of their ids. The caller holds the order. */
async function lockTransfers(query: Query, order: OrderId): Promise<void> {
  await query('SELECT 1 FROM seller_transfers WHERE order_id = $1 ORDER BY id FOR UPDATE', [order]);
}

/** What every seller of the order has and owes now, with the transfers locked. */
export async function lockShares(query: Query, order: OrderId, counted: Counted = 'standing'): Promise<OrderShares> {
  await lockTransfers(query, order);
  const rows = await query<ShareRow & { [column: string]: unknown }>(
    `SELECT t.id, t.seller_account, t.currency, t.status, t.certainty, t.promised, t.withheld, t.amount, t.offset_amount, t.compensated,
       EXISTS (SELECT 1 FROM refunds WHERE id = t.compensates_refund AND status = 'failed') AS pays_for_failure, t.compensates_transfer, t.generation, t.params,
       t.release_kind, t.release_at::text, t.released_at::text, t.completed_at IS NOT NULL AS completed,
       t.written_off_at IS NOT NULL AS written_off,
       coalesce(sum(r.amount) FILTER (WHERE CASE r.status WHEN 'reversed' THEN true WHEN 'written_off' THEN NOT r.voided AND c.stands
         ELSE NOT r.voided END), 0) AS claimed_back,
       coalesce(sum(r.amount) FILTER (WHERE r.status = 'reversed'), 0) AS taken_back
     FROM seller_transfers t LEFT JOIN reversals r ON r.transfer_id = t.id LEFT JOIN causes c ON c.id = coalesce(r.refund_id, r.withdrawal_id)
     WHERE t.order_id = $1 GROUP BY t.id ORDER BY t.id`,
    [order],
  );
  const [head] = await query<{ paid: string; currency: string; by_line: boolean }>(
    'SELECT currency, amount AS paid, by_line FROM orders WHERE id = $1',
    [order],
  );
  const step = amountStep(head?.currency ?? '');
  const causes = await causesOf(query, order, counted);
  const promised = rows.filter((row) => row.compensates_transfer === null);
  const shares = head?.by_line
    ? await sharesByLine(query, order, { rows, promised, causes })
    : sharesOfTheWhole(rows, promised, { causes, paid: BigInt(head?.paid ?? 0), step });
  const before = await claimedBefore(query, order);
  const sellers = shares.map((share) => ({ ...share, givenUp: givenUpOf(share, before) }));
  return { step, byLine: head?.by_line ?? false, causes, sellers };
}

type Share = Omit<SellerShare, 'givenUp'>;

/** Of a transfer, in the name of what was out before a withdrawal of the same money. */
interface ClaimedBefore {
  readonly withdrawal: CauseId;
  readonly transfer: TransferId;
  readonly taken: bigint;
  readonly given_up: bigint;
}

async function claimedBefore(query: Query, order: OrderId): Promise<readonly ClaimedBefore[]> {
  const rows = await query<{ withdrawal: CauseId; transfer: TransferId; taken: string; given_up: string }>(
    `WITH RECURSIVE before AS (
       SELECT id AS withdrawal, continues AS id FROM dispute_withdrawals WHERE order_id = $1 AND continues IS NOT NULL
       UNION ALL
       SELECT b.withdrawal, w.continues FROM before b JOIN dispute_withdrawals w ON w.id = b.id WHERE w.continues IS NOT NULL)
     SELECT b.withdrawal, r.transfer_id AS transfer, coalesce(sum(r.amount) FILTER (WHERE r.status <> 'written_off'), 0) AS taken,
       coalesce(sum(r.amount) FILTER (WHERE r.status = 'written_off'), 0) AS given_up
     FROM before b JOIN reversals r ON r.withdrawal_id = b.id AND NOT r.voided GROUP BY b.withdrawal, r.transfer_id`,
    [order],
  );
  return rows.map((row) => ({ ...row, taken: BigInt(row.taken), given_up: BigInt(row.given_up) }));
}

/** As far as what is still out reaches. */
function givenUpOf({ named, transfers }: Share, before: readonly ClaimedBefore[]): bigint {
  const his = before.filter(({ transfer }) => transfers.some(({ id }) => id === transfer));
  return named.reduce((sum, { id, share }) => {
    const own = his.filter(({ withdrawal }) => withdrawal === id);
    const taken = own.reduce((total, one) => total + one.taken, 0n);
    const givenUp = own.reduce((total, one) => total + one.given_up, 0n);
    return sum + smaller(givenUp, share > taken ? share - taken : 0n);
  }, 0n);
}

/**
 * Every promise gives back the same part of itself (decision 0016). What of one seller has several releases is one promise in several
 * transfers, and is rounded once.
 */
function sharesOfTheWhole(
  rows: readonly ShareRow[],
  promised: readonly ShareRow[],
  { causes, paid, step }: { readonly causes: readonly Cause[]; readonly paid: bigint; readonly step: bigint },
): Share[] {
  const refunded = smaller(
    paid,
    causes.reduce((sum, { amount }) => sum + amount, 0n),
  );
  return promises(promised).map(([first, ...more]) => {
    const whole = more.reduce((sum, one) => sum + BigInt(one.promised), BigInt(first.promised));
    const dueOf = (amount: bigint) => dueBack(whole, { paid, refunded: smaller(paid, amount), step });
    return {
      seller: first.seller_account,
      currency: first.currency,
      due: dueOf(refunded),
      named: causes.map(({ id, kind, amount }) => ({ id, kind, share: dueOf(amount) })),
      transfers: [first, ...more, ...[first, ...more].flatMap((one) => compensationsOf(rows, one))],
    };
  });
}

/** Several of a seller are one where they differ in their release alone; those of an imported order are each for itself. */
export function promises<Row extends Pick<ShareRow, 'seller_account' | 'release_kind'>>(
  promised: readonly Row[],
): readonly (readonly [Row, ...Row[]])[] {
  const found: [Row, ...Row[]][] = [];
  for (const row of promised) {
    const same = found.find(
      ([first, ...more]) =>
        first.seller_account === row.seller_account &&
        [first, ...more, row].some(({ release_kind }) => release_kind !== 'immediately'),
    );
    if (same) same.push(row);
    else found.push([row]);
  }
  return found;
}

/** Every seller gives back what the causes say of his lines, and of nobody else's. */
async function sharesByLine(
  query: Query,
  order: OrderId,
  {
    rows,
    promised,
    causes,
  }: {
    readonly rows: readonly ShareRow[];
    readonly promised: readonly ShareRow[];
    readonly causes: readonly Cause[];
  },
): Promise<Share[]> {
  const counting = new Set(causes.map(({ id }) => id));
  const counted = (await causesByLine(query, order))('standing', 'failedSince').filter(({ id }) => counting.has(id));
  const lines = await linesIn(query, order, await headOf(query, order));
  const { due, named } = evaluate(lines, counted);
  const sellers = [...new Set(promised.map((row) => row.seller_account))];
  return sellers.map((seller) => {
    const own = promised.filter((row) => row.seller_account === seller);
    return {
      seller,
      currency: own[0]?.currency ?? '',
      due: due.get(seller) ?? 0n,
      named: causes.map(({ id, kind }) => ({ id, kind, share: named.get(id)?.get(seller) ?? 0n })),
      transfers: [...own, ...own.flatMap((row) => compensationsOf(rows, row))],
    };
  });
}

/** Those that make it good, and those that make these good: the oldest first. */
const compensationsOf = (rows: readonly ShareRow[], { id }: ShareRow): readonly ShareRow[] =>
  rows.filter((row) => row.compensates_transfer === id).flatMap((row) => [row, ...compensationsOf(rows, row)]);

const sumOf = (rows: readonly ShareRow[], column: 'withheld' | 'claimed_back' | 'taken_back' | 'compensated'): bigint =>
  rows.reduce((sum, row) => sum + BigInt(row[column]), 0n);

/** What this seller gave back or will; paid again by compensations, it is the seller's once more. */
export const claimedShare = ({ transfers, givenUp }: SellerShare): TransferShare => ({
  withheld: sumOf(transfers, 'withheld'),
  reversed: sumOf(transfers, 'claimed_back') + givenUp - sumOf(transfers, 'compensated'),
});

/** What was withheld of it, or taken back, is not sent by itself any more, should it be due no more. */
export const isSettled = (row: ShareRow): boolean => row.completed || isOver(row);

/** What this seller surely gave back, and will not get by itself: of transfers that can still be made larger, nothing. */
export function takenShare({ transfers }: SellerShare): TransferShare {
  const settled = transfers.filter(isSettled);
  return {
    withheld: sumOf(settled, 'withheld'),
    reversed: sumOf(settled, 'taken_back') - sumOf(transfers, 'compensated'),
  };
}

/** What this seller was paid again because refunds have failed. */
export const paidAgainForFailures = ({ transfers }: SellerShare): bigint =>
  transfers.filter((row) => row.pays_for_failure).reduce((sum, row) => sum + BigInt(row.promised), 0n);

/** What was taken of this transfer and not made good yet. */
export const notMadeGood = ({ withheld, taken_back, compensated }: ShareRow): bigint =>
  BigInt(withheld) + BigInt(taken_back) - BigInt(compensated);

/** Nothing of it has left us, and that is certain: it can still be made smaller or larger. */
export const isUnsent = (row: ShareRow): boolean => !row.completed && !isOver(row) && surelyUnmoved(row.certainty);

/**
 * Never to be sent: nothing is left of it, or a person gave it up. Should Stripe turn out to hold it after all, then with
 * the amount it had: nothing is withheld of it, and what is due back of it is demanded when it is found.
 */
export const isOver = (row: ShareRow): boolean =>
  row.status === 'cancelled' || (row.written_off && BigInt(row.amount) > 0n);

/** Those of the order, the oldest first. */
async function causesOf(query: Query, order: OrderId, counted: Counted): Promise<Cause[]> {
  const rows = await query<{ id: CauseId; kind: Cause['kind']; amount: string }>(
    `SELECT id, kind, amount FROM causes WHERE order_id = $1 AND ${COUNTED[counted]} ORDER BY since, id`,
    [order],
  );
  return rows.map((row) => ({ ...row, amount: BigInt(row.amount) }));
}
