import type { CauseId, OrderId, TransferId } from '../../domain/ids.js';
import { overtaken, shareOf } from '../../domain/marketplace/shares.js';
import { larger, smaller } from '../../domain/money.js';
import type { Query } from '../transition.js';
import { reopenOffsets } from './debt-offsets.js';
import { oweBeyond } from './debts.js';
import { bookShares, followLines } from './follow-lines.js';
import type { MarketplaceItem } from './marketplace-types.js';
import { askAboutNameless, demand, type NamelessShare, resizeUnsent, voidReversal } from './reversal-demands.js';
import {
  type Cause,
  claimedShare,
  isOver,
  isUnsent,
  lockShares,
  type NamedShare,
  type SellerShare,
  type ShareRow,
} from './seller-shares.js';
import { dueOfGivenUp, putBack } from './share-terms.js';
import { restore, withhold } from './withholding.js';

/**
 * What refunds and disputes mean for the sellers. Every function here runs in a transaction that holds the order's row; transfers are
 * locked in the order of their ids.
 */

/**
 * Brings what every seller of the order gives back to what is due by arithmetic: whatever happened to its causes, and in
 * which order. More is due: a transfer that was surely not sent is made smaller, or cancelled, and of the others it is
 * demanded. Less is due: demands that were not sent are voided, and what was withheld is promised again.
 *
 * @param because the cause that has just come to stand; its share is demanded in its name
 * @returns the reversals to start
 */
export async function settleShares(query: Query, order: OrderId, because?: CauseId): Promise<MarketplaceItem[]> {
  await followLines(query, order);
  const { sellers, causes, step, byLine } = await lockShares(query, order);
  const started: MarketplaceItem[] = [];
  const nameless: NamelessShare[] = [];
  // Each cause rounds once; what goes by line moves whole amounts from one line to another.
  const cents = byLine ? EVERYTHING : step * BigInt(causes.length + 1);
  for (const seller of sellers) {
    const share = claimedShare(seller);
    const open = shareOf(share, seller.due);
    const due = open - (await dueOfGivenUp(query, order, { transfers: seller.transfers, byLine, due: open }));
    if (due > 0n) {
      const taken = await takeBack(query, {
        seller,
        order,
        causes: inTurn(seller.named, { due, because, byLine }),
        because,
        due,
        cents,
      });
      started.push(...taken.started);
      if (taken.nameless > 0n)
        nameless.push({ seller: seller.seller, amount: taken.nameless, currency: seller.currency });
    }
    const excess = overtaken(share, seller.due);
    if (excess > 0n) started.push(...(await leave(query, order, { seller, excess, cents })));
  }
  const asked = askedOf(causes, because);
  if (nameless.length > 0 && asked) await askAboutNameless(query, asked, nameless);
  await bookShares(query, order, sellers);
  return started;
}

/** More than any order comes to. */
const EVERYTHING = 10n ** 78n;

/**
 * Each cause stands for its own share, and the one that has just come takes what others left. By line a cause that has no share of the
 * seller lends its name last.
 */
function inTurn(
  named: readonly NamedShare[],
  { due, because, byLine }: { readonly due: bigint; readonly because: CauseId | undefined; readonly byLine: boolean },
): readonly NamedShare[] {
  const newest = named.filter(({ id }) => id === because);
  const others = named.filter(({ id }) => id !== because);
  if (!byLine) return [...newest.map((one) => ({ ...one, share: due })), ...others];
  const all = [...others, ...newest];
  return [...all.filter(({ share }) => share > 0n), ...all.filter(({ share }) => share === 0n)];
}

/** A refund where there is one: what is read of a dispute comes more often. */
const askedOf = (causes: readonly Cause[], because: CauseId | undefined): Cause | undefined => {
  const refunds = causes.filter(({ kind }) => kind === 'refund');
  return refunds.find(({ id }) => id === because) ?? refunds[0] ?? causes.at(-1);
};

interface TakeBack {
  readonly seller: SellerShare;
  readonly order: OrderId;
  readonly causes: readonly NamedShare[];
  readonly because: CauseId | undefined;
  readonly due: bigint;
  readonly cents: bigint;
}

interface GivenBackLine {
  readonly release_kind: ShareRow['release_kind'];
  readonly release_at: string | null;
  readonly amount: bigint;
}

/** Of which lines of the seller it is, by their release. */
async function linesGivenBack(
  query: Query,
  order: OrderId,
  { seller: { seller }, cause }: { readonly seller: SellerShare; readonly cause: NamedShare | undefined },
): Promise<readonly GivenBackLine[]> {
  if (cause === undefined) return [];
  const rows = await query<{ release_kind: ShareRow['release_kind']; release_at: string | null; amount: string }>(
    `SELECT i.release_kind, (o.paid_at + i.release_after_ms * interval '1 millisecond')::text AS release_at, sum(p.amount) AS amount
     FROM cause_parts p JOIN order_items i ON i.order_id = $1 AND i.position = p.position JOIN orders o ON o.id = i.order_id
     WHERE p.cause_id = $2 AND i.seller_account = $3 AND p.amount > 0 GROUP BY 1, 2`,
    [order, cause.id, seller],
  );
  return rows.map((row) => ({ ...row, amount: BigInt(row.amount) }));
}

/**
 * How much is withheld of which: of what was given back, whose shares wait for a release of their own, first; what is left of it of
 * the others, the oldest first.
 */
function ofWhichUnsent(
  unsent: readonly ShareRow[],
  lines: readonly GivenBackLine[],
  due: bigint,
): ReadonlyMap<ShareRow, bigint> {
  const given = lines.reduce((sum, { amount }) => sum + amount, 0n);
  const taken = new Map<ShareRow, bigint>(unsent.map((row) => [row, 0n]));
  let left = due;
  const take = (row: ShareRow, most: bigint): void => {
    const before = taken.get(row) ?? 0n;
    const share = smaller(smaller(left, most), BigInt(row.amount) - before);
    taken.set(row, before + share);
    left -= share;
  };
  for (const { release_kind: kind, release_at: at, amount } of lines) {
    const row = unsent.find((one) => one.release_kind === kind && one.release_at === at);
    if (row) take(row, (due * amount) / given);
  }
  for (const row of unsent) take(row, left);
  return taken;
}

/** Never sent is better than sent and taken back; what no cause can take of one transfer is taken of the next. */
async function takeBack(
  query: Query,
  { seller, order, causes, because, due, cents }: TakeBack,
): Promise<{ readonly started: readonly MarketplaceItem[]; readonly nameless: bigint }> {
  const started: MarketplaceItem[] = [];
  let nameless = 0n;
  let left = due;
  // Its own is what has just come takes, so that exactly that is restored when it is over.
  const cause = causes.find(({ id, share }) => id === because && share > 0n) ?? causes[0];
  const unsent: ShareRow[] = [];
  for (const row of seller.transfers.filter(isUnsent)) unsent.push(await withoutOffsets(query, row, started));
  for (const [row, share] of ofWhichUnsent(unsent, await linesGivenBack(query, order, { seller, cause }), left)) {
    if (share > 0n) await withhold(query, row, share, cause);
    left -= share;
  }
  for (const row of seller.transfers.filter((one) => !isUnsent(one) && !isOver(one))) {
    const atStripe = larger(BigInt(row.amount) - BigInt(row.claimed_back), 0n);
    const share = smaller(left, BigInt(row.amount) + BigInt(row.offset_amount) - BigInt(row.claimed_back));
    left -= share;
    if (share <= 0n) continue;
    const demanded = await demand(query, { row, order, causes, share, cents });
    const beyond = share - demanded.nameless - atStripe;
    started.push(...demanded.started, ...(await oweBeyond(query, demanded.started, { transfer: row.id, beyond })));
    left += demanded.nameless;
    nameless += demanded.nameless;
  }
  return { started, nameless: smaller(left, nameless) };
}

/** What it was to be sent for less is owed again: so much of it may not be due any more. */
async function withoutOffsets(query: Query, row: ShareRow, started: MarketplaceItem[]): Promise<ShareRow> {
  if (BigInt(row.offset_amount) === 0n) return row;
  started.push(...(await reopenOffsets(query, row.id, 'less of it is due')));
  return { ...row, amount: `${BigInt(row.amount) + BigInt(row.offset_amount)}`, offset_amount: '0' };
}

/** Taking less is better than paying it again: that would be new money, and a question for two persons. */
async function leave(
  query: Query,
  order: OrderId,
  { seller, excess, cents }: { readonly seller: SellerShare; readonly excess: bigint; readonly cents: bigint },
): Promise<MarketplaceItem[]> {
  const { transfers } = seller;
  const started: MarketplaceItem[] = [];
  let left = excess;
  const unsent = await query<{ id: string; status: string; transfer_id: TransferId; amount: string }>(
    `SELECT id, status, transfer_id, amount FROM reversals
     WHERE transfer_id = ANY ($1) AND status IN ('pending', 'waiting_balance', 'permanently_failed')
       AND certainty IN ('not_sent', 'absent') ORDER BY place DESC FOR UPDATE`,
    [transfers.map(({ id }) => id)],
  );
  for (const row of unsent) {
    if (BigInt(row.amount) > left) continue;
    started.push(...(await voidReversal(query, row, 'what had been given back is more than is due now')));
    left -= BigInt(row.amount);
  }
  for (const { id } of transfers) {
    if (left <= 0n || left > cents) break;
    left += await resizeUnsent(query, id, -left);
  }
  const withheld = (row: ShareRow): bigint => (isUnsent(row) ? BigInt(row.withheld) : 0n);
  for (const [row, share] of await putBack(query, order, { transfers, taken: withheld, amount: left }))
    await restore(query, row, share);
  return started;
}

/**
 * A transfer that was on its way turned out to have moved nothing: what was to be taken back from it is withheld instead,
 * unless a person has given it up. The caller has recorded that it is absent.
 */
export async function withholdDemands(query: Query, order: OrderId, transfer: TransferId): Promise<MarketplaceItem[]> {
  await voidUnsent(query, 'transfer_id', transfer, 'its transfer was never sent, so nothing is to be taken back of it');
  return await settleShares(query, order);
}

/**
 * A cause does not hold any more: a refund that had succeeded has failed, or the money of a dispute is back. What was not sent yet
 * is not sent; what was only withheld is promised again.
 */
export async function restoreShares(query: Query, order: OrderId, cause: CauseId): Promise<MarketplaceItem[]> {
  await lockShares(query, order);
  const started = await voidUnsent(
    query,
    'coalesce(refund_id, withdrawal_id)',
    cause,
    'its refund failed, or the money of its dispute is back, so nothing is due',
  );
  return [...started, ...(await settleShares(query, order))];
}

async function voidUnsent(
  query: Query,
  by: 'coalesce(refund_id, withdrawal_id)' | 'transfer_id',
  id: string,
  why: string,
): Promise<MarketplaceItem[]> {
  const rows = await query<{ id: string; status: string; transfer_id: TransferId }>(
    `SELECT id, status, transfer_id FROM reversals WHERE ${by} = $1
       AND status IN ('pending', 'waiting_balance', 'permanently_failed') AND certainty IN ('not_sent', 'absent')
     ORDER BY place FOR UPDATE`,
    [id],
  );
  const started: MarketplaceItem[] = [];
  for (const row of rows) started.push(...(await voidReversal(query, row, why)));
  return started;
}
