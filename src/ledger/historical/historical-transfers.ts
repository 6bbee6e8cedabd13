import { paymentKey, transferKey } from '../../domain/calls/idempotency-keys.js';
import {
  newOrderId,
  newPaymentId,
  newTransferId,
  type OrderId,
  parseOrderId,
  type TransferId,
} from '../../domain/ids.js';
import { isTaken } from '../calls/stripe-calls.js';
import type { Database } from '../database.js';
import { settleShares } from '../marketplace/share-out.js';
import { mustMove, type Query, recordEvent } from '../transition.js';
import type { HistoricalTransfer, ImportOutcome } from './historical-types.js';

/**
 * Transfers that were made before this ledger: each comes with its order and payment, so that a refund made here takes
 * its share back. Importing moves no money, and contradictions are refused rather than resolved.
 */
export function createHistoricalTransfers(database: Database) {
  return {
    async importTransfer(line: HistoricalTransfer): Promise<ImportOutcome> {
      const attempt = () => database.transaction((query) => importLine(query, line));
      try {
        return await attempt();
      } catch (error) {
        // A line of another order took an id in this very moment: asked again, the ledger says which one has it.
        if (!isTaken(error)) throw error;
        return await attempt();
      }
    },
  };
}

async function importLine(query: Query, line: HistoricalTransfer): Promise<ImportOutcome> {
  // Lines of one order are taken one after the other. Two first ones find no row to lock, and the later would take the
  // earlier's transfer for that of another order.
  await query(`SELECT pg_advisory_xact_lock(hashtextextended('import ' || $1, 0))`, [line.order]);
  const order = await lockHistoricalOrder(query, line);
  const conflict = orderConflict(order, line) ?? (await paymentConflict(query, order, line));
  if (conflict) return { kind: 'conflict', detail: conflict };
  const known = await knownTransfer(query, order, line);
  if (known.kind !== 'new') return known;
  if (order) {
    const refusal = roomConflict(order, line);
    if (refusal) return { kind: 'conflict', detail: refusal };
  }
  const orderId = order?.id ?? (await insertOrder(query, line));
  const transferId = await insertTransfer(query, orderId, line);
  await settleShares(query, orderId);
  return { kind: 'imported', transferId, orderId };
}

interface HistoricalOrder {
  id: OrderId;
  /** False: it was made here, and has the line's reference as its id. */
  imported: boolean;
  currency: string;
  paid: string;
  hyperswitch_payment_id: string | null;
  /** What its transfers come to. */
  sent: string;
  refunded: boolean;
}

async function lockHistoricalOrder(query: Query, { order }: HistoricalTransfer): Promise<HistoricalOrder | undefined> {
  const [row] = await query<{ id: OrderId }>('SELECT id FROM orders WHERE reference = $1 OR id = $2 FOR UPDATE', [
    order,
    parseOrderId(order) ?? null,
  ]);
  if (!row) return undefined;
  const [found] = await query<HistoricalOrder>(
    `SELECT o.id, o.reference IS NOT NULL AS imported, o.currency, o.amount AS paid, p.hyperswitch_payment_id,
       (SELECT coalesce(sum(promised), 0) FROM seller_transfers WHERE order_id = o.id) AS sent,
       EXISTS (SELECT 1 FROM refunds WHERE order_id = o.id AND status = 'succeeded') AS refunded
     FROM orders o LEFT JOIN payments p ON p.order_id = o.id WHERE o.id = $1`,
    [row.id],
  );
  return found;
}

function orderConflict(order: HistoricalOrder | undefined, line: HistoricalTransfer): string | undefined {
  if (line.amount > line.paid)
    return `the transfer of ${line.amount} is more than the ${line.paid} that were paid; correct the line`;
  if (!order) return undefined;
  if (!order.imported)
    return `order ${line.order} was made here, with transfers of its own; leave its lines out of the import`;
  if (order.currency !== line.currency)
    return `order ${line.order} was imported in ${order.currency}, this line says ${line.currency}; correct the line that is wrong`;
  if (BigInt(order.paid) !== line.paid)
    return `order ${line.order} was imported with ${order.paid} paid, this line says ${line.paid}; every line of an order names the same sum`;
  if (order.hyperswitch_payment_id !== line.hyperswitchPaymentId)
    return `order ${line.order} was imported with payment ${order.hyperswitch_payment_id}, this line says ${line.hyperswitchPaymentId}; correct the line that is wrong`;
  return undefined;
}

async function paymentConflict(
  query: Query,
  order: HistoricalOrder | undefined,
  { hyperswitchPaymentId }: HistoricalTransfer,
): Promise<string | undefined> {
  if (order) return undefined;
  const [other] = await query<{ mark: string }>(
    `SELECT coalesce(o.reference, o.id::text) AS mark FROM payments p JOIN orders o ON o.id = p.order_id
     WHERE p.hyperswitch_payment_id = $1`,
    [hyperswitchPaymentId],
  );
  return other && `payment ${hyperswitchPaymentId} belongs to order ${other.mark}; correct the line that is wrong`;
}

interface TransferLike {
  id: TransferId;
  order_id: OrderId;
  mark: string;
  seller_account: string;
  amount: string;
  stripe_transfer_id: string | null;
  /** Its line had no id; one may have been found since. */
  without_id: boolean;
}

const TRANSFERS_LIKE = `SELECT t.id, t.order_id, coalesce(o.reference, o.id::text) AS mark, t.seller_account, t.promised AS amount,
    t.stripe_transfer_id, t.stripe_transfer_id IS NULL OR EXISTS (
      SELECT 1 FROM operation_events e WHERE e.item_kind = 'transfer' AND e.item_id = t.id::text AND e.kind = 'imported'
        AND e.detail ->> 'stripe_transfer_id' IS NULL) AS without_id
  FROM seller_transfers t JOIN orders o ON o.id = t.order_id`;

/** Whether this line was imported before: told by its id at Stripe, and without one by order, seller and amount. */
async function knownTransfer(
  query: Query,
  order: HistoricalOrder | undefined,
  line: HistoricalTransfer,
): Promise<ImportOutcome | { readonly kind: 'new' }> {
  const same = (row: TransferLike): ImportOutcome => ({ kind: 'same', transferId: row.id, orderId: row.order_id });
  const { stripeTransferId } = line;
  if (stripeTransferId !== null) {
    const [holder] = await query<TransferLike>(`${TRANSFERS_LIKE} WHERE t.stripe_transfer_id = $1`, [stripeTransferId]);
    if (holder) {
      const isThis =
        holder.order_id === order?.id &&
        holder.seller_account === line.sellerAccount &&
        BigInt(holder.amount) === line.amount;
      return isThis
        ? same(holder)
        : {
            kind: 'conflict',
            detail: `${stripeTransferId} is the transfer of ${holder.amount} to ${holder.seller_account} for order ${holder.mark}; correct the line that is wrong`,
          };
    }
  }
  if (!order) return { kind: 'new' };
  const alike = await query<TransferLike>(
    `${TRANSFERS_LIKE} WHERE t.order_id = $1 AND t.seller_account = $2 AND t.promised = $3 AND t.origin = 'import' ORDER BY t.id`,
    [order.id, line.sellerAccount, line.amount.toString()],
  );
  return judgeAlike(alike, line) ?? { kind: 'new' };
}

/** One line with an id and one without may be the same transfer or two: only whoever wrote them can say. */
function judgeAlike(alike: readonly TransferLike[], line: HistoricalTransfer): ImportOutcome | undefined {
  const transfer = `order ${line.order} already has a transfer of ${line.amount} ${line.currency} to ${line.sellerAccount}`;
  if (line.stripeTransferId === null) {
    const again = alike.find((row) => row.without_id);
    if (again) return { kind: 'same', transferId: again.id, orderId: again.order_id };
    const [first] = alike;
    return (
      first && {
        kind: 'conflict',
        detail: `${transfer}, ${first.stripe_transfer_id}; if this is another one, give its line its id at Stripe, else leave it out`,
      }
    );
  }
  return alike.some((row) => row.stripe_transfer_id === null)
    ? {
        kind: 'conflict',
        detail: `${transfer} that was imported without an id; run makegood backfill-transfer-ids --apply, then import this line again`,
      }
    : undefined;
}

function roomConflict(order: HistoricalOrder, line: HistoricalTransfer): string | undefined {
  if (BigInt(order.sent) + line.amount > BigInt(order.paid))
    return `with this one the transfers of order ${line.order} come to ${BigInt(order.sent) + line.amount} of ${order.paid} paid; correct the line that is wrong`;
  return order.refunded
    ? `order ${line.order} was refunded here before this transfer was known, so its share was not taken back; reverse it at Stripe by hand and leave the line out`
    : undefined;
}

/** Its ids carry the time at which it was made, so that old orders stand behind new ones in every list. */
async function insertOrder(query: Query, line: HistoricalTransfer): Promise<OrderId> {
  const { currency, hyperswitchPaymentId, createdAt } = line;
  const atMs = Date.parse(createdAt);
  const id = newOrderId(atMs);
  const paid = line.paid.toString();
  await query('INSERT INTO orders (id, reference, currency, amount, created_at) VALUES ($1, $2, $3, $4, $5)', [
    id,
    line.order,
    currency,
    paid,
    createdAt,
  ]);
  await mustMove(query, 'orders', { id, from: 'pending', to: 'paid', set: 'paid_at = $4', values: [createdAt] });
  const payment = newPaymentId(atMs);
  await query(
    `INSERT INTO payments (id, order_id, amount, currency, idempotency_key, hyperswitch_payment_id, next_check_at, origin, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, clock_now(), 'import', $7)`,
    [payment, id, paid, currency, paymentKey(id), hyperswitchPaymentId, createdAt],
  );
  await mustMove(query, 'payments', {
    id: payment,
    from: 'pending',
    to: 'succeeded',
    set: `certainty = 'done', captured = amount, next_check_at = NULL`,
  });
  await recordEvent(query, { kind: 'order', id, what: 'imported', detail: { reference: line.order, paid, currency } });
  const detail = { hyperswitch_payment_id: hyperswitchPaymentId };
  await recordEvent(query, { kind: 'payment', id: payment, what: 'imported', certainty: 'done', detail });
  return id;
}

async function insertTransfer(query: Query, order: OrderId, line: HistoricalTransfer): Promise<TransferId> {
  const { sellerAccount, currency, stripeTransferId, createdAt } = line;
  const amount = line.amount.toString();
  const id = newTransferId(Date.parse(createdAt));
  await query(
    `INSERT INTO order_items (order_id, position, seller_account, amount, description)
     SELECT $1, coalesce(max(position), 0) + 1, $2, $3, 'imported' FROM order_items WHERE order_id = $1`,
    [order, sellerAccount, amount],
  );
  await query(
    `INSERT INTO seller_transfers (id, order_id, seller_account, currency, promised, amount, origin, idempotency_key,
       next_check_at, created_at)
     VALUES ($1, $2, $3, $4, $5, $5, 'import', $6, clock_now(), $7)`,
    [id, order, sellerAccount, currency, amount, transferKey(id, 1), createdAt],
  );
  await mustMove(query, 'seller_transfers', {
    id,
    from: 'pending',
    to: 'completed',
    set: `certainty = 'done', completed_at = $4, stripe_transfer_id = $5, next_check_at = NULL`,
    values: [createdAt, stripeTransferId],
  });
  await recordEvent(query, {
    kind: 'transfer',
    id,
    what: 'imported',
    certainty: 'done',
    detail: { seller: sellerAccount, amount, stripe_transfer_id: stripeTransferId },
  });
  return id;
}
