import { transferKey } from '../../domain/calls/idempotency-keys.js';
import type { Clock } from '../../domain/clock.js';
import { newTransferId, type OrderId, type RefundId, type TransferId, type WithdrawalId } from '../../domain/ids.js';
import type { ReleaseKind } from '../../domain/marketplace/releases.js';
import { overtaken } from '../../domain/marketplace/shares.js';
import { dropAttention, withdrawRequests } from '../decisions/decision-rows.js';
import { type Query, recordEvent } from '../transition.js';
import type { MarketplaceItem } from './marketplace-types.js';
import { isSettled, lockShares, notMadeGood, type ShareRow, takenShare } from './seller-shares.js';
import { putBack } from './share-terms.js';

/** A refund failed after sellers had paid it back. Every function here runs in a transaction that holds the order's row. */

export interface Owed {
  /** What was promised first, and its compensations, the newest last: causes may have taken from any of them. */
  readonly transfers: readonly ShareRow[];
  readonly sellerAccount: string;
  readonly currency: string;
  readonly amount: bigint;
}

/**
 * What sellers are owed again: surely taken back, or withheld for good, and no longer due.
 * @param counted `or_doubtful`: what a refund took that the processor holds as succeeded is not
 */
export async function owedToSellers(
  query: Query,
  order: OrderId,
  counted: 'standing' | 'or_doubtful' = 'or_doubtful',
): Promise<Owed[]> {
  const { sellers } = await lockShares(query, order, counted);
  return sellers
    .map((seller) => ({
      transfers: seller.transfers,
      sellerAccount: seller.seller,
      currency: seller.currency,
      amount: overtaken(takenShare(seller), seller.due),
    }))
    .filter(({ amount }) => amount > 0n);
}

/** What is given up where nobody makes the sellers of this order good. */
export const owedAgain = async (query: Query, order: OrderId): Promise<bigint> =>
  (await owedToSellers(query, order)).reduce((sum, { amount }) => sum + amount, 0n);

/**
 * Puts what sellers are owed before a person: paying a seller again is new money. Asked for on the refund that failed last and was not made good;
 * a request that was made for another sum, and that nobody has approved yet, is withdrawn.
 */
export async function proposeCompensation(query: Query, order: OrderId): Promise<void> {
  const [refund] = await query<{ id: RefundId; attention_reason: string | null; attention_detail: string | null }>(
    `SELECT id, attention_reason, attention_detail FROM refunds WHERE order_id = $1 AND ${FAILED_THERE_TOO}
     ORDER BY made_good_at IS NOT NULL, failed_at DESC, id DESC LIMIT 1`,
    [order],
  );
  if (!refund) return await forgetProposals(query, order);
  // What is true of it comes before what is owed because of it.
  if (refund.attention_reason === 'conflict') return;
  const owed = await owedToSellers(query, order);
  const sums = owed.map(({ sellerAccount, amount, currency }) => `${amount} ${currency} to ${sellerAccount}`);
  const detail = `the refund failed after sellers had paid it back; owed again: ${sums.join(', ')} (minor units); compensate sends new transfers`;
  if (owed.length > 0 && refund.attention_detail?.includes(detail)) return;
  await forgetProposals(query, order);
  if (owed.length === 0) return;
  await query(
    `UPDATE refunds SET attention_reason = 'refund_failed_after_reversal', attention_since = coalesce(attention_since, clock_now()),
       attention_detail = $2, next_check_at = coalesce(next_check_at, clock_now() + interval '10 minutes') WHERE id = $1`,
    [refund.id, detail],
  );
}

/** Of `refunds` (SQL): had succeeded, has failed since, and the processor does not hold it as succeeded. */
const FAILED_THERE_TOO = `status = 'failed' AND succeeded_at IS NOT NULL AND connector_succeeded IS NOT TRUE`;

/** What was proposed on any refund of the order no longer holds. */
async function forgetProposals(query: Query, order: OrderId): Promise<void> {
  const proposed = await query<{ id: RefundId }>(
    `SELECT r.id FROM refunds r WHERE r.order_id = $1 AND (r.attention_reason = 'refund_failed_after_reversal'
       OR (r.attention_reason = 'approval_pending' AND r.attention_detail LIKE '%refund_failed_after_reversal:%'))
     ORDER BY r.id`,
    [order],
  );
  for (const { id } of proposed) {
    await withdrawRequests(query, 'refund', id, 'what is owed to the sellers has changed since');
    await dropAttention(query, 'refunds', id);
  }
}

/**
 * New transfers for what is owed, each tied to the refund and to the seller's transfer before it: so one refund may make a
 * promise good again and again, and no two compensations come of the same question.
 * @returns what to start
 */
export async function compensate(
  query: Query,
  clock: Clock,
  order: OrderId,
  refund: RefundId,
): Promise<MarketplaceItem[]> {
  const started: MarketplaceItem[] = [];
  for (const owed of await owedToSellers(query, order))
    for (const { id } of await payAgain(query, {
      order,
      owed,
      because: { refund },
      newId: () => newTransferId(clock.nowMs()),
    }))
      started.push({ kind: 'transfer', id });
  await query(`UPDATE refunds SET made_good_at = clock_now() WHERE order_id = $1 AND ${FAILED_THERE_TOO}`, [order]);
  await forgetProposals(query, order);
  return started;
}

export interface PaidAgain {
  readonly order: OrderId;
  readonly owed: Owed;
  readonly because: Because;
  readonly newId: () => TransferId | Promise<TransferId>;
}

type Because = { readonly refund: RefundId } | { readonly withdrawal: WithdrawalId };

/** New transfers, each tied to the one before it; what nobody had released is not released by being paid again. */
export async function payAgain(
  query: Query,
  { order, owed, because, newId }: PaidAgain,
): Promise<readonly { readonly id: TransferId; readonly amount: bigint }[]> {
  const { transfers, sellerAccount, currency } = owed;
  const paid: { readonly id: TransferId; readonly amount: bigint }[] = [];
  let before = transfers.at(-1)?.id;
  for (const { amount, release } of await noteMadeGood(query, order, owed)) {
    if (before === undefined) throw new Error(`${sellerAccount} was promised nothing of order ${order}`);
    const id = await newId();
    const compensates = { ...because, transferId: before };
    await insertTransfer(query, { id, order, sellerAccount, currency, amount, compensates, release });
    paid.push({ id, amount });
    before = id;
  }
  return paid;
}

/**
 * On the transfers that it was taken from, so that none is made good beyond what was taken of it.
 * @returns the parts of it by their release: what was sent needs none any more
 */
async function noteMadeGood(
  query: Query,
  order: OrderId,
  { transfers, amount }: Owed,
): Promise<readonly { readonly amount: bigint; readonly release: ReleaseColumns }[]> {
  const parts = new Map<string, { readonly amount: bigint; readonly release: ReleaseColumns }>();
  let left = amount;
  const taken = (row: ShareRow): bigint => (isSettled(row) ? notMadeGood(row) : 0n);
  for (const [row, part] of await putBack(query, order, { transfers, taken, amount })) {
    await query('UPDATE seller_transfers SET compensated = compensated + $2 WHERE id = $1', [row.id, part.toString()]);
    left -= part;
    const release = row.completed ? RELEASED : row;
    const key = [release.release_kind, release.release_at, release.released_at].join();
    parts.set(key, { amount: part + (parts.get(key)?.amount ?? 0n), release });
  }
  if (left > 0n) throw new Error(`${left} of ${amount} are owed again, and were taken from no transfer of the seller`);
  return [...parts.values()];
}

const RELEASED: ReleaseColumns = { release_kind: 'immediately', release_at: null, released_at: null };

export interface NewTransferRow {
  readonly id: TransferId;
  readonly order: OrderId;
  readonly sellerAccount: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly compensates?: Because & { readonly transferId: TransferId };
  /** Left out: it may be sent at once. */
  readonly release?: ReleaseColumns;
}

/** Dates as text, so that no part of a millisecond is lost. */
export interface ReleaseColumns {
  readonly release_kind: ReleaseKind;
  readonly release_at: string | null;
  readonly released_at: string | null;
}

/** One transfer to send, looked at at once; what has a release of its own is held from the beginning (the database sees to it). */
export async function insertTransfer(query: Query, row: NewTransferRow): Promise<void> {
  await query(
    `INSERT INTO seller_transfers (id, order_id, seller_account, currency, promised, amount, origin, compensates_refund,
       compensates_transfer, idempotency_key, next_check_at, workflow_id, compensates_withdrawal, release_kind, release_at, released_at)
     VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, clock_now(), 'transfer/' || $1::uuid, $10, $11, $12, $13)`,
    [
      row.id,
      row.order,
      row.sellerAccount,
      row.currency,
      row.amount.toString(),
      row.compensates ? 'compensation' : 'order',
      row.compensates && 'refund' in row.compensates ? row.compensates.refund : null,
      row.compensates?.transferId ?? null,
      transferKey(row.id, 1),
      row.compensates && 'withdrawal' in row.compensates ? row.compensates.withdrawal : null,
      row.release?.release_kind ?? 'immediately',
      row.release?.release_at ?? null,
      row.release?.released_at ?? null,
    ],
  );
  await recordEvent(query, {
    kind: 'transfer',
    id: row.id,
    what: 'promised',
    detail: { amount: row.amount.toString(), seller: row.sellerAccount, ...toldOf(row.release) },
  });
}

const toldOf = (release: ReleaseColumns | undefined) =>
  release === undefined || release.release_kind === 'immediately'
    ? {}
    : {
        release: release.release_kind,
        ...(release.release_at === null ? {} : { release_at: release.release_at }),
        ...(release.released_at === null ? {} : { released_at: release.released_at }),
      };
