import type { CauseId, OrderId } from '../../domain/ids.js';
import { amountStep } from '../../domain/marketplace/currencies.js';
import {
  borne,
  type FeePolicy,
  type Given,
  type Lines,
  leftOf,
  type Part,
  partsOfBefore,
  spread,
  withFee,
} from '../../domain/marketplace/lines.js';
import { larger } from '../../domain/money.js';
import { type Query, recordEvent } from '../transition.js';
import type { NoRoom, RefundLines } from './marketplace-types.js';
import { linesOf, type PartOfCause, partsOf, type SellerShare } from './seller-shares.js';

/**
 * What each cause gives back of each line of its order. As long as no refund names lines, every share gives back the same part of
 * itself (decision 0016) and nothing is written here; from the first that does, each cause has its parts, and they never change.
 * Every function runs in a transaction that holds the order's row.
 */

interface OrderHead {
  readonly currency: string;
  readonly paid: bigint;
  readonly whole: bigint;
  readonly byLine: boolean;
  readonly hasFees: boolean;
  /** A cause stands whose fee is not borne as arithmetic would have it. */
  readonly startsLines: boolean;
}

interface CauseRow {
  readonly id: CauseId;
  readonly amount: bigint;
  readonly fee: bigint;
  readonly policy: FeePolicy | null;
  readonly stands: boolean;
  readonly reserved: boolean;
}

/** Parts for what stands and has none yet, as far as the lines have room: what others have reserved may be free later. */
export async function followLines(query: Query, order: OrderId): Promise<void> {
  const head = await headOf(query, order);
  if (!head.byLine && !head.startsLines) return;
  const causes = await causesOf(query, order);
  const standing = causes.filter(({ stands }) => stands);
  const without = standing.filter(({ fee, policy }) => fee > 0n || policy === 'keep').map(({ id }) => id);
  if (!head.byLine) await startLines(query, order, { head, causes, except: without });
  for (const cause of standing) await place(query, order, { head, cause });
}

/** From now on lines count: what was given back before them is put onto them as it was taken. */
async function startLines(
  query: Query,
  order: OrderId,
  {
    head,
    causes,
    except,
  }: { readonly head: OrderHead; readonly causes: readonly CauseRow[]; readonly except: readonly CauseId[] },
): Promise<void> {
  const before = causes.filter(({ id }) => !except.includes(id));
  for (const [cause, own] of await partsBefore(query, order, head, before)) await writeParts(query, order, cause, own);
  await query('UPDATE orders SET by_line = true WHERE id = $1', [order]);
}

/** What these causes give back of each line by arithmetic alone. */
async function partsBefore(
  query: Query,
  order: OrderId,
  head: OrderHead,
  causes: readonly CauseRow[],
): Promise<ReadonlyMap<CauseId, readonly Part[]>> {
  const promises = await query<{ seller: string; promised: string }>(
    `SELECT seller_account AS seller, promised FROM seller_transfers WHERE order_id = $1 AND compensates_transfer IS NULL ORDER BY id`,
    [order],
  );
  return partsOfBefore(
    { lines: await linesOf(query, order), paid: head.paid, step: amountStep(head.currency) },
    {
      promises: promises.map(({ seller, promised }) => ({ seller, promised: BigInt(promised) })),
      causes: causes
        .filter(({ stands, reserved }) => stands || reserved)
        .toSorted((one, other) => Number(other.stands) - Number(one.stands)),
    },
  );
}

async function place(
  query: Query,
  order: OrderId,
  { head, cause }: { readonly head: OrderHead; readonly cause: CauseRow },
): Promise<void> {
  const parts = await partsOf(query, order);
  const placed = parts.filter(({ cause: of }) => of === cause.id).reduce((sum, { amount }) => sum + amount, 0n);
  const open = cause.amount - placed;
  if (open <= 0n) return;
  const lines = await linesIn(query, order, head, standingOf(parts));
  const own = borne(lines, spread(open, leftOf(lines), lines.step), cause.policy ?? 'return_proportionally');
  await writeParts(query, order, cause.id, placed === 0n && cause.fee > 0n ? withFee(lines, own, cause.fee) : own);
}

type Chosen = { readonly kind: 'chosen'; readonly amount: bigint; readonly given: readonly Given[] } | NoRoom;

/** What a refund of items or of one seller comes to. Nothing is written. */
export async function chooseLines(
  query: Query,
  order: OrderId,
  asked: RefundLines,
  amount: bigint | null,
): Promise<Chosen> {
  const head = await headOf(query, order);
  const taken = head.byLine
    ? standingOf(await partsOf(query, order))
    : [...(await partsBefore(query, order, head, await causesOf(query, order))).values()].flat();
  const lines = await linesIn(query, order, head, taken);
  const left = leftOf(lines);
  return 'items' in asked
    ? await chooseItems(query, order, { items: asked.items, left })
    : chooseSeller(lines, left, { ...asked, amount });
}

async function chooseItems(
  query: Query,
  order: OrderId,
  {
    items,
    left,
  }: {
    readonly items: readonly { readonly itemId: string; readonly amount: bigint }[];
    readonly left: readonly Given[];
  },
): Promise<Chosen> {
  const rows = await query<{ id: string; position: number }>(
    'SELECT id, position FROM order_items WHERE order_id = $1',
    [order],
  );
  const given: Given[] = [];
  for (const [nth, { itemId, amount }] of items.entries()) {
    const position = rows.find(({ id }) => id === itemId)?.position;
    if (position === undefined) return { kind: 'no_such_item', item: nth };
    const room = left.find((one) => one.position === position)?.amount ?? 0n;
    if (amount > room) return { kind: 'exceeds_item', item: nth, left: room };
    given.push({ position, amount });
  }
  return { kind: 'chosen', amount: given.reduce((sum, { amount }) => sum + amount, 0n), given };
}

function chooseSeller(
  { lines, step }: Lines,
  left: readonly Given[],
  { seller, amount }: { readonly seller: string; readonly amount: bigint | null },
): Chosen {
  const positions = new Set(lines.filter((line) => line.seller === seller).map(({ position }) => position));
  if (positions.size === 0) return { kind: 'no_such_seller' };
  const own = left.filter(({ position }) => positions.has(position));
  const room = own.reduce((sum, one) => sum + one.amount, 0n);
  if (room === 0n || (amount !== null && amount > room)) return { kind: 'exceeds_seller', left: room };
  return { kind: 'chosen', amount: amount ?? room, given: spread(amount ?? room, own, step) };
}

/** What a refund that was just written gives back of each line; where lines do not count yet, it is left to arithmetic. */
export async function placeRefund(
  query: Query,
  order: OrderId,
  { cause, given, policy }: { readonly cause: CauseId; readonly given?: readonly Given[]; readonly policy: FeePolicy },
): Promise<void> {
  const head = await headOf(query, order);
  const own = (await causesOf(query, order)).find(({ id }) => id === cause);
  const names = given !== undefined || (policy === 'keep' && head.hasFees);
  if (!own || (!head.byLine && !names)) return;
  if (!head.byLine) {
    await startLines(query, order, { head, causes: await causesOf(query, order), except: [cause] });
  }
  if (given === undefined) return await place(query, order, { head, cause: own });
  const lines = await linesIn(query, order, head, standingOf(await partsOf(query, order)));
  await writeParts(query, order, cause, borne(lines, given, policy));
}

async function linesIn(query: Query, order: OrderId, head: OrderHead, taken: readonly Part[]): Promise<Lines> {
  return {
    lines: await linesOf(query, order),
    paid: head.whole,
    step: amountStep(head.currency),
    taken,
  };
}

/** Of the causes that stand, or may. */
const standingOf = (parts: readonly PartOfCause[]): readonly Part[] =>
  parts.filter(({ stands, reserved }) => stands || reserved);

async function writeParts(query: Query, order: OrderId, cause: CauseId, parts: readonly Part[]): Promise<void> {
  const rows = parts.filter(({ amount, fromSeller }) => amount > 0n || fromSeller > 0n);
  if (rows.length === 0) return;
  await query(
    `INSERT INTO cause_parts (cause_id, order_id, position, amount, from_seller)
     SELECT $1, $2, position, amount, from_seller
     FROM unnest($3::int[], $4::numeric[], $5::numeric[]) AS p (position, amount, from_seller)`,
    [
      cause,
      order,
      rows.map(({ position }) => position),
      rows.map(({ amount }) => amount.toString()),
      rows.map(({ fromSeller }) => fromSeller.toString()),
    ],
  );
}

async function headOf(query: Query, order: OrderId): Promise<OrderHead> {
  const [row] = await query<{
    currency: string;
    paid: string;
    captured: string | null;
    by_line: boolean;
    has_fees: boolean;
    starts_lines: boolean;
  }>(
    `SELECT o.currency, o.amount AS paid, p.captured, o.by_line,
       f.has_fees, EXISTS (SELECT 1 FROM causes WHERE order_id = o.id AND stands
         AND (fee > 0 OR (fee_policy = 'keep' AND f.has_fees))) AS starts_lines
     FROM orders o LEFT JOIN payments p ON p.order_id = o.id,
       LATERAL (SELECT EXISTS (SELECT 1 FROM order_items WHERE order_id = o.id AND fee > 0) AS has_fees) AS f
     WHERE o.id = $1`,
    [order],
  );
  if (!row) throw new Error(`order ${order} is not in the ledger`);
  const paid = BigInt(row.paid);
  return {
    currency: row.currency,
    paid,
    whole: larger(paid, BigInt(row.captured ?? 0)),
    byLine: row.by_line,
    hasFees: row.has_fees,
    startsLines: row.starts_lines,
  };
}

async function causesOf(query: Query, order: OrderId): Promise<CauseRow[]> {
  const rows = await query<{
    id: CauseId;
    amount: string;
    fee: string;
    fee_policy: FeePolicy | null;
    stands: boolean;
    reserved: boolean;
  }>(
    `SELECT id, amount, fee, fee_policy, stands, reserved FROM causes WHERE order_id = $1
     ORDER BY coalesce(since, created_at), id`,
    [order],
  );
  return rows.map((row) => ({
    id: row.id,
    amount: BigInt(row.amount),
    fee: BigInt(row.fee),
    policy: row.fee_policy,
    stands: row.stands,
    reserved: row.reserved,
  }));
}

/** What every party was promised, and what of it is the buyer's again; what is not the sellers' is the platform's. */
export async function bookShares(query: Query, order: OrderId, sellers: readonly SellerShare[]): Promise<void> {
  const sums = new Map<string, { promised: bigint; due: bigint }>();
  for (const { seller, due, transfers } of sellers) {
    const promised = transfers
      .filter((row) => row.compensates_transfer === null)
      .reduce((sum, row) => sum + BigInt(row.promised), 0n);
    const known = sums.get(seller) ?? { promised: 0n, due: 0n };
    sums.set(seller, { promised: known.promised + promised, due: known.due + due });
  }
  await query(
    `INSERT INTO order_shares (order_id, seller_account, promised, due_back)
     SELECT $1, seller, promised, due FROM unnest($2::text[], $3::numeric[], $4::numeric[]) AS s (seller, promised, due)
     ON CONFLICT (order_id, seller_account) DO UPDATE SET promised = EXCLUDED.promised, due_back = EXCLUDED.due_back
       WHERE (order_shares.promised, order_shares.due_back) IS DISTINCT FROM (EXCLUDED.promised, EXCLUDED.due_back)`,
    [
      order,
      [...sums.keys()],
      [...sums.values()].map(({ promised }) => promised.toString()),
      [...sums.values()].map(({ due }) => due.toString()),
    ],
  );
  await bookPlatform(query, order);
}

/** What is not the sellers' is the platform's; told where it changes. */
export async function bookPlatform(query: Query, order: OrderId): Promise<void> {
  const [changed] = await query<{ now_promised: string; now_due_back: string }>('SELECT * FROM book_platform($1)', [
    order,
  ]);
  if (!changed) return;
  const { now_promised: promised, now_due_back: givenBack } = changed;
  const kept = (BigInt(promised) - BigInt(givenBack)).toString();
  const detail = { promised, given_back: givenBack, kept };
  await recordEvent(query, { kind: 'order', id: order, what: 'platform_share', detail });
}
