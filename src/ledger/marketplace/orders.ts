import type { OrderId } from '../../domain/ids.js';
import type { Order } from '../../domain/marketplace/marketplace.js';
import { IMMEDIATELY } from '../../domain/marketplace/releases.js';
import type { Database } from '../database.js';
import { Conditions, inArchive, newestIds } from '../list-conditions.js';
import { type DisputeRow, SELECT_DISPUTES, toDispute } from '../money-that-leaves/dispute-rows.js';
import { type Query, recordEvent } from '../transition.js';
import { calledBy } from './marketplace-conditions.js';
import {
  ORDER_COLUMNS,
  ORDER_ITEM_COLUMNS,
  type OrderItemRow,
  type OrderRow,
  PAYMENT_COLUMNS,
  type PaymentRow,
  REFUND_COLUMNS,
  type RefundRow,
  TRANSFER_COLUMNS,
  type TransferRow,
  toOrderItem,
  toPayment,
  toRefund,
  toTransfer,
} from './marketplace-rows.js';
import type { MarketplaceFilter, NewOrder, RequestKey } from './marketplace-types.js';
import { lockRequest, tieRequest } from './request-keys.js';
import { type ReversalRow, SELECT_REVERSALS, toReversal } from './reversal-row.js';

/** What a buyer pays and which sellers share it; read whole, with everything that came of it. */
export function createOrders(database: Database) {
  return {
    createOrder: (order: NewOrder, request: RequestKey): Promise<Order> =>
      database.transaction(async (query) => {
        const made = (await lockRequest(query, request)) as OrderId | null;
        if (made === null) await insertOrder(query, order, request);
        const [created] = await readOrders(query, [made ?? order.id]);
        if (!created) throw new Error(`order ${made ?? order.id} is not in the ledger although its request made it`);
        return created;
      }),

    findOrder: (id: OrderId): Promise<Order | undefined> =>
      atOneMoment(database, async (query) => (await readOrders(query, [id]))[0]),

    /** Newest first. */
    listOrders: (filter: MarketplaceFilter): Promise<readonly Order[]> =>
      atOneMoment(database, async (query) => {
        const conditions = new Conditions();
        const ids = onlyOfASeller(filter)
          ? idsOfSeller(conditions, filter)
          : newestIds('orders', conditionsOn(conditions, filter), filter);
        const rows = await query<{ id: OrderId }>(ids, conditions.values);
        return await readOrders(
          query,
          rows.map(({ id }) => id),
        );
      }),
  };
}

async function insertOrder(query: Query, { id, currency, items }: NewOrder, request: RequestKey): Promise<void> {
  const amount = items.reduce((sum, item) => sum + item.amount, 0n).toString();
  await query('INSERT INTO orders (id, currency, amount) VALUES ($1, $2, $3)', [id, currency, amount]);
  await query(
    `INSERT INTO order_items (order_id, position, kind, seller_account, amount, fee, description, release_kind, release_after_ms)
       SELECT $1, position, kind, seller, amount, fee, description, release_kind, release_after_ms
       FROM unnest($2::text[], $3::text[], $4::numeric[], $5::numeric[], $6::text[], $7::text[], $8::bigint[])
         WITH ORDINALITY AS i (kind, seller, amount, fee, description, release_kind, release_after_ms, position)`,
    [
      id,
      items.map(({ kind = 'item' }) => kind),
      items.map((item) => item.sellerAccount),
      items.map((item) => item.amount.toString()),
      items.map(({ fee = 0n }) => fee.toString()),
      items.map((item) => item.description),
      items.map(({ release = IMMEDIATELY }) => release.kind),
      items.map(({ release }) => (release?.kind === 'after' ? release.afterMs : null)),
    ],
  );
  await tieRequest(query, request, id);
  const detail = { amount, currency, items: items.length, by: request.principal };
  await recordEvent(query, { kind: 'order', id, what: 'created', key: request.key, detail });
}

const conditionsOn = (
  conditions: Conditions,
  { status, needsAttention, orderId, key, reason, currency, seller, archived }: MarketplaceFilter,
): Conditions =>
  conditions
    .where(status, (value) => `status = ${value}`)
    .whether(
      needsAttention,
      (asks) => `id ${asks ? 'IN' : 'NOT IN'} (${ordersWhosePart('attention_reason IS NOT NULL')})`,
    )
    .where(orderId, (value) => `id = ${value}`)
    .whether(inArchive(archived, orderId !== undefined || key !== undefined), (condition) => condition)
    .where(key, (value) => calledBy('orders', 'reference', value))
    .where(reason, (value) => `id IN (${ordersWhosePart(`attention_reason = ${value}`)})`)
    .where(currency, (value) => `currency = ${value}`)
    .where(seller, (value) => `id IN (SELECT order_id FROM seller_transfers WHERE seller_account = ${value})`);

const ordersWhosePart = (condition: string): string =>
  ['payments', 'refunds', 'seller_transfers', 'disputes', 'reversals']
    .map((table) => `SELECT order_id FROM ${table} WHERE ${condition}`)
    .join(' UNION ALL ');

const onlyOfASeller = ({
  seller,
  before: _before,
  limit: _limit,
  archived: _archived,
  ...further
}: MarketplaceFilter): boolean => seller !== undefined && Object.values(further).every((value) => value === undefined);

/** In the order of the index: a seller of long ago is found without a look at what is newer. An order and its transfers are archived as one. */
function idsOfSeller(conditions: Conditions, { seller, before, limit, archived }: MarketplaceFilter): string {
  conditions
    .where(seller, (value) => `seller_account = ${value}`)
    .whether(inArchive(archived, false), (condition) => condition)
    .where(before, (value) => `order_id < ${value}`);
  return `SELECT DISTINCT order_id AS id FROM seller_transfers ${conditions.sql()} ORDER BY order_id DESC LIMIT ${conditions.value(limit)}`;
}

/** An order never shows a refund without the reversals that came of it: all of it is read from one snapshot. */
const atOneMoment = <T>(database: Database, read: (query: Query) => Promise<T>): Promise<T> =>
  database.transaction(async (query) => {
    await query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return await read(query);
  });

/** Newest first, whatever the order of the ids. */
async function readOrders(query: Query, ids: readonly OrderId[]): Promise<Order[]> {
  if (ids.length === 0) return [];
  const rows = await query<OrderRow>(`SELECT ${ORDER_COLUMNS} FROM orders WHERE id = ANY ($1) ORDER BY id DESC`, [ids]);
  const items = byOrder(
    await query<OrderItemRow>(
      `SELECT ${ORDER_ITEM_COLUMNS} FROM order_items WHERE order_id = ANY ($1) ORDER BY order_id, position`,
      [ids],
    ),
    toOrderItem,
  );
  const payments = byOrder(
    await query<PaymentRow>(`SELECT ${PAYMENT_COLUMNS} FROM payments WHERE order_id = ANY ($1)`, [ids]),
    toPayment,
  );
  const transfers = byOrder(
    await query<TransferRow>(`SELECT ${TRANSFER_COLUMNS} FROM seller_transfers WHERE order_id = ANY ($1) ORDER BY id`, [
      ids,
    ]),
    toTransfer,
  );
  const refunds = byOrder(
    await query<RefundRow>(`SELECT ${REFUND_COLUMNS} FROM refunds WHERE order_id = ANY ($1) ORDER BY id`, [ids]),
    toRefund,
  );
  const reversals = byOrder(
    await query<ReversalRow>(`${SELECT_REVERSALS} WHERE v.order_id = ANY ($1) ORDER BY v.place`, [ids]),
    toReversal,
  );
  const disputes = byOrder(
    await query<DisputeRow & { [column: string]: unknown }>(
      `${SELECT_DISPUTES} WHERE d.order_id = ANY ($1) ORDER BY d.id`,
      [ids],
    ),
    toDispute,
  );
  return rows.map((row) => ({
    id: row.id,
    reference: row.reference,
    status: row.status,
    currency: row.currency,
    amount: BigInt(row.amount),
    ordered: row.ordered === null ? null : BigInt(row.ordered),
    items: items(row.id),
    platform: { amount: BigInt(row.platform_amount), fees: BigInt(row.fees), kept: BigInt(row.kept) },
    payment: payments(row.id)[0] ?? null,
    transfers: transfers(row.id),
    refunds: refunds(row.id),
    reversals: reversals(row.id),
    disputes: disputes(row.id),
    createdAt: row.created_at.toISOString(),
  }));
}

function byOrder<Row extends { order_id: OrderId }, Item>(
  rows: readonly Row[],
  convert: (row: Row) => Item,
): (id: OrderId) => readonly Item[] {
  const found = new Map<OrderId, Item[]>();
  for (const row of rows) {
    const already = found.get(row.order_id);
    if (already) already.push(convert(row));
    else found.set(row.order_id, [convert(row)]);
  }
  return (id) => found.get(id) ?? [];
}
