import type { CauseId, OrderId } from '../../domain/ids.js';
import {
  type Given,
  type LineCause,
  type Lines,
  type Part,
  type Promised,
  partsOfBefore,
  roomOf,
  spread,
} from '../../domain/marketplace/lines.js';
import type { ReleaseKind } from '../../domain/marketplace/releases.js';
import { type Query, recordEvent } from '../transition.js';
import { causesByLine, headOf, linesIn, type OrderHead } from './lines-of-order.js';
import type { NoRoom, RefundLines } from './marketplace-types.js';
import { promises, type SellerShare } from './seller-shares.js';

/**
 * What each cause gives back of each line of its order. As long as no refund names lines, every share gives back the same part of
 * itself (decision 0016) and nothing is written here; from the first that does, each cause that stands has its parts, and they never
 * change. Every function runs in a transaction that holds the order's row.
 */

/** Parts for what has come to stand, over what the others that stand have left: what may stand later has no say in it. */
export async function followLines(query: Query, order: OrderId): Promise<void> {
  const head = await headOf(query, order);
  if (!head.byLine && !head.startsLines) return;
  if (!head.byLine) {
    const standing = (await causesByLine(query, order))('standing');
    // The first that does not go by arithmetic starts it.
    await startLines(query, order, { head, causes: standing.filter((one) => !startsLines(one, head)) });
  }
  const standing = (await causesByLine(query, order))('standing');
  const lines = await linesIn(query, order, head);
  const placed = standing.filter(({ parts }) => parts.length > 0);
  for (const cause of standing) {
    if (cause.parts.length > 0) continue;
    const parts = spread(cause.amount, roomOf(lines, placed), lines.step).map((given) => ({ ...given, borne: null }));
    await writeParts(query, order, { cause: cause.id, named: false, parts });
    placed.push({ ...cause, parts });
  }
}

const startsLines = ({ fee, policy }: LineCause, { hasFees }: OrderHead): boolean =>
  fee > 0n || (policy === 'keep' && hasFees);

/** From now on lines count: what was given back before is put onto them as it was taken. */
async function startLines(
  query: Query,
  order: OrderId,
  { head, causes }: { readonly head: OrderHead; readonly causes: readonly LineCause[] },
): Promise<void> {
  for (const [cause, parts] of await partsBefore(query, order, head, causes))
    await writeParts(query, order, { cause, named: false, parts });
  await query('UPDATE orders SET by_line = true WHERE id = $1', [order]);
}

/** What these causes give back of each line by arithmetic alone. */
async function partsBefore(
  query: Query,
  order: OrderId,
  head: OrderHead,
  causes: readonly LineCause[],
): Promise<ReadonlyMap<CauseId, readonly Part[]>> {
  const lines = await linesIn(query, order, head);
  const rows = await query<{ seller_account: string; release_kind: ReleaseKind; promised: string }>(
    `SELECT seller_account, release_kind, promised FROM seller_transfers WHERE order_id = $1 AND compensates_transfer IS NULL ORDER BY id`,
    [order],
  );
  const promised = promises(rows).map(([first, ...more]) => ({
    seller: first.seller_account,
    promised: more.reduce((sum, one) => sum + BigInt(one.promised), BigInt(first.promised)),
  }));
  return partsOfBefore({ ...lines, paid: head.paid }, promised.length > 0 ? promised : promisesOf(lines), causes);
}

/** Before it is paid, a seller is to get what his lines come to. */
const promisesOf = ({ lines }: Lines): readonly Promised[] =>
  lines.flatMap(({ seller, amount, fee }) => (seller === null ? [] : [{ seller, promised: amount - fee }]));

type Chosen = { readonly kind: 'chosen'; readonly amount: bigint; readonly given: readonly Given[] } | NoRoom;

/** What a refund of items or of one seller comes to; what others may still give back is not left. Nothing is written. */
export async function chooseLines(
  query: Query,
  order: OrderId,
  asked: RefundLines,
  amount: bigint | null,
): Promise<Chosen> {
  const head = await headOf(query, order);
  const lines = await linesIn(query, order, head);
  const causes = await causesByLine(query, order);
  const standing = causes('standing');
  const before = head.byLine ? undefined : await partsBefore(query, order, head, standing);
  const taken = standing.map((cause) => ({ ...cause, parts: before?.get(cause.id) ?? cause.parts }));
  const left = roomOf(lines, [...taken, ...causes('reserved')]);
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
  // A bank may dispute any amount; what is given back here goes in whole steps.
  const most = room - (room % step);
  const asked = amount ?? most;
  if (asked === 0n || asked > room) return { kind: 'exceeds_seller', left: most };
  return { kind: 'chosen', amount: asked, given: spread(asked, own, step) };
}

/** The lines that a refund which was just written names: they are its own from now on, also while it is on its way. */
export async function nameLines(query: Query, order: OrderId, cause: CauseId, given: readonly Given[]): Promise<void> {
  const head = await headOf(query, order);
  if (!head.byLine) await startLines(query, order, { head, causes: (await causesByLine(query, order))('standing') });
  await writeParts(query, order, { cause, named: true, parts: given.map((one) => ({ ...one, borne: null })) });
}

async function writeParts(
  query: Query,
  order: OrderId,
  { cause, named, parts }: { readonly cause: CauseId; readonly named: boolean; readonly parts: readonly Part[] },
): Promise<void> {
  if (parts.length === 0) return;
  await query(
    `INSERT INTO cause_parts (cause_id, order_id, named, position, amount, borne)
     SELECT $1, $2, $3, position, amount, borne
     FROM unnest($4::int[], $5::numeric[], $6::numeric[]) AS p (position, amount, borne)`,
    [
      cause,
      order,
      named,
      parts.map(({ position }) => position),
      parts.map(({ amount }) => amount.toString()),
      parts.map(({ borne }) => borne?.toString() ?? null),
    ],
  );
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
