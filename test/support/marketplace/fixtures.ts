import { randomBytes } from 'node:crypto';
import { paymentKey, refundKey, reversalKey, transferKey } from '../../../src/domain/calls/idempotency-keys.js';
import {
  newOrderId,
  newPaymentId,
  newRefundId,
  newTransferId,
  type OrderId,
  type PaymentId,
  type RefundId,
  type ReversalId,
  type TransferId,
} from '../../../src/domain/ids.js';
import type {
  OrderStatus,
  PaymentStatus,
  RefundStatus,
  ReversalStatus,
  TransferStatus,
} from '../../../src/domain/marketplace/marketplace-status.js';
import { reversalId } from '../../../src/domain/marketplace/reversal-id.js';
import type { Database } from '../../../src/ledger/database.js';
import type { NewOrder, RequestKey } from '../../../src/ledger/marketplace/marketplace-types.js';
import type { TestLedger } from '../ledger-fixtures.js';

type Money = bigint | number;
/** Further columns, as in the table: what a status usually comes with is set already. */
type Columns = Readonly<Record<string, unknown>>;

export interface TransferIn {
  /** Default `acct_a`, `acct_b`, … by place. */
  readonly seller?: string;
  readonly amount: Money;
  /** Default: `completed`, or what its reversals make of it. */
  readonly status?: TransferStatus;
  /** Default: one of its own when it was sent; null: a historical one without id. */
  readonly stripeTransferId?: string | null;
  readonly columns?: Columns;
}

export interface ReversalIn {
  /** Which of the order's transfers, from 0. */
  readonly transfer: number;
  readonly amount: Money;
  readonly status?: ReversalStatus;
  readonly columns?: Columns;
}

export interface RefundIn {
  /** Default: all that was paid. */
  readonly amount?: Money;
  readonly status?: RefundStatus;
  readonly reversals?: readonly ReversalIn[];
  readonly columns?: Columns;
}

export interface OrderIn {
  readonly currency?: string;
  /** Default: the sum of the transfers. */
  readonly paid?: Money;
  /** Default: `paid`, or what its refunds make of it. */
  readonly status?: OrderStatus;
  readonly payment?: { readonly status?: PaymentStatus; readonly columns?: Columns };
  readonly transfers?: readonly TransferIn[];
  readonly refunds?: readonly RefundIn[];
  readonly columns?: Columns;
}

export interface OrderPut {
  readonly id: OrderId;
  readonly paid: bigint;
  readonly paymentId: PaymentId;
  readonly hyperswitchPaymentId: string;
  readonly transfers: readonly {
    readonly id: TransferId;
    readonly seller: string;
    readonly stripeTransferId: string | null;
  }[];
  readonly refunds: readonly {
    readonly id: RefundId;
    readonly hyperswitchRefundId: string;
    readonly reversals: readonly { readonly id: ReversalId; readonly transferId: TransferId }[];
  }[];
  /** Of all refunds, in order. */
  readonly reversals: readonly { readonly id: ReversalId; readonly transferId: TransferId }[];
}

export const unique = (prefix: string): string => `${prefix}_${randomBytes(8).toString('hex')}`;

type Query = Database['query'];
type Place = Pick<TestLedger, 'database' | 'clock'>;

/**
 * Does what no program may: rows change without the triggers that guard moves and sums. CHECK and UNIQUE still hold.
 * For states that a test starts from, never for what it proves.
 */
export const withoutTriggers = <T>(database: Database, work: (query: Query) => Promise<T>): Promise<T> =>
  database.transaction(async (query) => {
    await query('SET LOCAL session_replication_role = replica');
    return await work(query);
  });

/** Sets columns of one row without the triggers that guard moves and sums. */
export const forceColumns = (database: Database, table: string, id: string, columns: Columns): Promise<void> =>
  withoutTriggers(database, async (query) => {
    const names = Object.keys(columns);
    if (names.length === 0) return;
    const set = names.map((name, index) => `${name} = $${index + 2}`).join(', ');
    await query(`UPDATE ${table} SET ${set} WHERE id = $1`, [id, ...Object.values(columns).map(plain)]);
  });

/**
 * An order in any state, with its payment, transfers, refunds and reversals:
 *
 *     const order = await putOrder(test, {
 *       transfers: [{ amount: 600 }, { amount: 400, status: 'pending' }],
 *       refunds: [{ amount: 500, reversals: [{ transfer: 0, amount: 300, status: 'waiting_balance' }] }],
 *     });
 *     order.transfers[1].id; order.reversals[0].id;
 */
export async function putOrder({ database, clock }: Place, order: OrderIn = {}): Promise<OrderPut> {
  const now = new Date(clock.nowMs());
  const transfers = (order.transfers ?? [{ amount: 1_000 }]).map((transfer, index) => ({
    ...transfer,
    seller: transfer.seller ?? `acct_${String.fromCharCode(97 + index)}`,
  }));
  const refunds = order.refunds ?? [];
  const paid = BigInt(order.paid ?? transfers.reduce((sum, { amount }) => sum + BigInt(amount), 0n));
  const facts: Facts = { now, id: newOrderId(clock.nowMs()), paid, currency: order.currency ?? 'USD' };
  return await withoutTriggers(database, async (query) => {
    const status = order.status ?? statusAfter(refunds, paid);
    const isPaid = status !== 'pending' && status !== 'payment_failed';
    await insert(query, 'orders', {
      id: facts.id,
      currency: facts.currency,
      amount: paid,
      status,
      paid_at: isPaid ? now : null,
      ...order.columns,
    });
    for (const [index, { seller, amount }] of transfers.entries())
      await insert(query, 'order_items', {
        order_id: facts.id,
        position: index + 1,
        seller_account: seller,
        amount,
        description: `item ${index + 1}`,
      });
    const payment = await putPayment(query, facts, { status: isPaid ? 'succeeded' : 'pending', ...order.payment });
    const sent: OrderPut['transfers'][number][] = [];
    if (isPaid || order.transfers)
      for (const transfer of transfers) sent.push(await putTransfer(query, facts, transfer));
    const put: OrderPut['refunds'][number][] = [];
    for (const refund of refunds)
      put.push(await putRefund(query, { ...facts, payment: payment.paymentId, sent }, refund));
    for (const [index, { id }] of sent.entries())
      if (transfers[index]?.status === undefined) await query('SELECT refresh_transfer($1)', [id]);
    return {
      id: facts.id,
      paid,
      ...payment,
      transfers: sent,
      refunds: put,
      reversals: put.flatMap((refund) => refund.reversals),
    };
  });
}

interface Facts {
  readonly now: Date;
  readonly id: OrderId;
  readonly paid: bigint;
  readonly currency: string;
}

function statusAfter(refunds: readonly RefundIn[], paid: bigint): OrderStatus {
  const refunded = refunds
    .filter(({ status }) => (status ?? 'succeeded') === 'succeeded')
    .reduce((sum, { amount }) => sum + BigInt(amount ?? paid), 0n);
  return refunded === 0n ? 'paid' : refunded < paid ? 'partially_refunded' : 'refunded';
}

async function putPayment(
  query: Query,
  { now, id: order, paid, currency }: Facts,
  { status = 'succeeded', columns }: { status?: PaymentStatus; columns?: Columns },
): Promise<{ paymentId: PaymentId; hyperswitchPaymentId: string }> {
  const id = newPaymentId(now.getTime());
  const hyperswitchPaymentId = unique('pay');
  const open = status === 'pending' || status === 'processing';
  await insert(query, 'payments', {
    id,
    order_id: order,
    amount: paid,
    currency,
    status,
    captured: status === 'succeeded' ? paid : 0,
    certainty: open ? 'not_sent' : 'done',
    idempotency_key: paymentKey(order),
    hyperswitch_payment_id: hyperswitchPaymentId,
    next_check_at: open ? now : null,
    workflow_id: `payment/${id}`,
    ...columns,
  });
  return { paymentId: id, hyperswitchPaymentId };
}

const WAITING: readonly TransferStatus[] = ['waiting_platform_balance', 'waiting_seller'];
const UNSENT: readonly TransferStatus[] = ['pending', 'held', ...WAITING, 'failed', 'cancelled'];

async function putTransfer(
  query: Query,
  { now, id: order, currency }: Facts,
  transfer: TransferIn & { seller: string },
): Promise<OrderPut['transfers'][number]> {
  const id = newTransferId(now.getTime());
  const { seller, amount, status = 'completed' } = transfer;
  const unsent = UNSENT.includes(status);
  const stripeTransferId =
    transfer.stripeTransferId === undefined && !unsent ? unique('tr') : (transfer.stripeTransferId ?? null);
  const completed = !unsent && transfer.columns?.completed_at !== null;
  await insert(query, 'seller_transfers', {
    id,
    order_id: order,
    seller_account: seller,
    currency,
    promised: amount,
    amount: status === 'cancelled' ? 0 : amount,
    withheld: status === 'cancelled' ? amount : 0,
    amount_reversed: status === 'reversed' ? amount : 0,
    status,
    certainty: completed ? 'done' : status === 'failed' ? 'absent' : 'not_sent',
    stripe_transfer_id: stripeTransferId,
    completed_at: completed ? now : null,
    attempts: unsent && status !== 'failed' ? 0 : 1,
    idempotency_key: transferKey(id, 1),
    next_check_at: unsent && status !== 'cancelled' ? now : null,
    // A database of before has no such column.
    ...(WAITING.includes(status) && { waiting_since: now }),
    workflow_id: `transfer/${id}`,
    ...transfer.columns,
  });
  return { id, seller, stripeTransferId };
}

async function putRefund(
  query: Query,
  facts: Facts & { payment: PaymentId; sent: OrderPut['transfers'] },
  { amount, status = 'succeeded', reversals = [], columns }: RefundIn,
): Promise<OrderPut['refunds'][number]> {
  const { now, id: order, paid, currency, payment, sent } = facts;
  const id = newRefundId(now.getTime());
  const hyperswitchRefundId = unique('ref');
  const open = status === 'pending' || status === 'review';
  await insert(query, 'refunds', {
    id,
    order_id: order,
    payment_id: payment,
    amount: amount ?? paid,
    currency,
    reason: 'requested_by_customer',
    status,
    certainty: status === 'pending' ? 'not_sent' : 'done',
    idempotency_key: refundKey(id),
    hyperswitch_refund_id: hyperswitchRefundId,
    next_check_at: open ? now : null,
    succeeded_at: status === 'succeeded' ? now : null,
    failed_at: status === 'failed' ? now : null,
    workflow_id: `refund/${id}`,
    ...columns,
  });
  const put: OrderPut['reversals'][number][] = [];
  for (const reversal of reversals) put.push(await putReversal(query, { ...facts, refund: id, sent }, reversal));
  return { id, hyperswitchRefundId, reversals: put };
}

async function putReversal(
  query: Query,
  { now, id: order, currency, refund, sent }: Facts & { refund: RefundId; sent: OrderPut['transfers'] },
  { transfer, amount, status = 'pending', columns }: ReversalIn,
): Promise<OrderPut['reversals'][number]> {
  const of = sent[transfer];
  if (!of) throw new Error(`the order has no transfer ${transfer}`);
  const id = reversalId(refund, of.id);
  const open = status === 'pending' || status === 'waiting_balance';
  await insert(query, 'reversals', {
    id,
    refund_id: refund,
    transfer_id: of.id,
    order_id: order,
    seller_account: of.seller,
    amount,
    currency,
    status,
    certainty: status === 'reversed' ? 'done' : status === 'pending' ? 'not_sent' : 'absent',
    stripe_reversal_id: status === 'reversed' ? unique('trr') : null,
    reversed_at: status === 'reversed' ? now : null,
    waiting_since: status === 'waiting_balance' ? now : null,
    attempts: status === 'pending' ? 0 : 1,
    idempotency_key: reversalKey(id, 1),
    next_retry_at: open ? now : null,
    next_check_at: open ? now : null,
    attention_reason: status === 'permanently_failed' ? 'retries_exhausted' : null,
    attention_since: status === 'permanently_failed' ? now : null,
    attention_detail: status === 'permanently_failed' ? 'every attempt failed' : null,
    workflow_id: `reversal/${id}`,
    ...columns,
  });
  return { id, transferId: of.id };
}

const plain = (value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);

async function insert(query: Query, table: string, row: Columns): Promise<void> {
  const names = Object.keys(row);
  await query(
    `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.values(row).map(plain),
  );
}

/** A request of our own client that nobody has begun yet. */
export const aRequest = (operation: RequestKey['operation'], changes: Partial<RequestKey> = {}): RequestKey => ({
  principal: 'shop',
  operation,
  key: unique('key'),
  bodySha256: 'body',
  ...changes,
});

/** A request that this process works on: what createOrder, createPayment and createRefund are given. */
export async function beginRequest(
  { ledger }: Pick<TestLedger, 'ledger'>,
  operation: RequestKey['operation'],
  changes: Partial<RequestKey> = {},
): Promise<RequestKey> {
  const request = aRequest(operation, changes);
  await ledger.beginRequest(request);
  return request;
}

export const anOrder = ({ clock }: Pick<TestLedger, 'clock'>, changes: Partial<NewOrder> = {}): NewOrder => ({
  id: newOrderId(clock.nowMs()),
  currency: 'USD',
  items: [
    { sellerAccount: 'acct_a', amount: 600n, description: 'a lamp' },
    { sellerAccount: 'acct_b', amount: 400n, description: 'a chair' },
  ],
  ...changes,
});
