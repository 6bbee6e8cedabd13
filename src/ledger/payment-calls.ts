import { type Certainty, certaintyAtSend } from '../domain/certainty.js';
import type { Clock } from '../domain/clock.js';
import { newTransferId, type OrderId, type PaymentId } from '../domain/ids.js';
import { PAYMENT_TRANSITIONS, type PaymentStatus } from '../domain/marketplace-status.js';
import type { PaymentFacts } from '../domain/provider-answers.js';
import { insertTransfer } from './compensation.js';
import type { Database } from './database.js';
import type { MoneyItem } from './marketplace-types.js';
import type { Applied, ClaimedPayment, HyperswitchClaim, PaymentReading } from './money-call-types.js';
import { sealClientSecret } from './payments.js';
import type { Sealer } from './sealer.js';
import { lockOrder } from './seller-shares.js';
import { mustMove, type Query, tell } from './transition.js';

interface PaymentRow {
  id: PaymentId;
  order_id: OrderId;
  amount: string;
  currency: string;
  status: PaymentStatus;
  certainty: Certainty;
  idempotency_key: string;
  hyperswitch_payment_id: string;
  runner: string | null;
  held_ms: number | null;
}

const COLUMNS = `id, order_id, amount, currency, status, certainty, idempotency_key, hyperswitch_payment_id, runner,
  (extract(epoch FROM runner_until - clock_now()) * 1000)::float8 AS held_ms`;

/** Until the sweep looks at an item that its own workflow should have taken further. */
const SWEEP_AFTER = `interval '10 minutes'`;

/** The calls that make and follow one payment at Hyperswitch, and what its answers change here. */
export function createPaymentCalls(database: Database, sealer: Sealer, clock: Clock) {
  return {
    claimPayment: (id: PaymentId, runner: string, holdMs: number): Promise<HyperswitchClaim<ClaimedPayment>> =>
      database.transaction(async (query) => {
        const row = await lockPayment(query, id);
        const claim = toClaim(row);
        if (row.status !== 'pending' && row.status !== 'processing') return { kind: 'final', claim };
        if (row.runner !== null && row.runner !== runner && (row.held_ms ?? 0) > 0)
          return { kind: 'held', forMs: Math.ceil(row.held_ms ?? 0) };
        await query(
          `UPDATE payments SET runner = $2, runner_until = clock_now() + $3 * interval '1 millisecond',
             certainty = $4, next_check_at = clock_now() + $3 * interval '1 millisecond' + interval '15 seconds' WHERE id = $1`,
          [id, runner, holdMs, claim.certainty],
        );
        return { kind: 'claimed', claim };
      }),

    /** In flight from here on. @returns false: the claim lapsed, nothing may be sent */
    async paymentLeaves(id: PaymentId, runner: string): Promise<boolean> {
      return await leaves(database, 'payments', { id, runner });
    },

    /** No reading: what happened is unknown, or (refused) absent; also gives the claim back. */
    async paymentUnread(outcome: UnreadOutcome<PaymentId>): Promise<void> {
      await unread(database, 'payments', outcome);
    },

    /** The provider refused the payment for good: it is failed, and so is the order. */
    paymentRefused: ({ id, runner, detail }: { id: PaymentId; runner: string; detail: string }): Promise<void> =>
      database.transaction(async (query) => {
        const [known] = await query<{ order_id: OrderId }>('SELECT order_id FROM payments WHERE id = $1', [id]);
        if (known) await lockOrder(query, known.order_id);
        const row = await lockPayment(query, id);
        if (row.runner !== runner || (row.status !== 'pending' && row.status !== 'processing')) return;
        await mustMove(query, 'payments', {
          id,
          from: row.status,
          to: 'failed',
          set: `certainty = 'absent', detail = $4, last_answer = 'refused', runner = NULL, runner_until = NULL,
            next_check_at = NULL, sealed_client_secret = NULL, sealed_key_id = NULL`,
          values: [detail],
        });
        await tell(query, {
          kind: 'payment',
          id,
          what: 'failed',
          certainty: 'absent',
          key: row.idempotency_key,
          detail: { detail },
        });
        await moveOrder(query, row.order_id, 'payment_failed');
      }),

    applyPayment: (reading: PaymentReading): Promise<Applied> =>
      database.transaction(async (query) => {
        const [known] = await query<{ order_id: OrderId }>('SELECT order_id FROM payments WHERE id = $1', [
          reading.paymentId,
        ]);
        if (!known) throw new Error(`payment ${reading.paymentId} is not in the ledger`);
        await lockOrder(query, known.order_id);
        const row = await lockPayment(query, reading.paymentId);
        const mismatch = mismatchOf(row, reading.facts);
        const status = mismatch ? row.status : reading.facts.status;
        await saveReading(query, sealer, { row, reading, mismatch, status });
        const started = await follow(query, clock, row, status);
        return { status: started === undefined ? row.status : status, started: started ?? [] };
      }),
  };
}

async function lockPayment(query: Query, id: PaymentId): Promise<PaymentRow> {
  const [row] = await query<PaymentRow & { [column: string]: unknown }>(
    `SELECT ${COLUMNS} FROM payments WHERE id = $1 FOR UPDATE`,
    [id],
  );
  if (!row) throw new Error(`payment ${id} is not in the ledger`);
  return row;
}

const toClaim = (row: PaymentRow): ClaimedPayment => ({
  id: row.id,
  orderId: row.order_id,
  amount: BigInt(row.amount),
  currency: row.currency,
  key: row.idempotency_key,
  // A call that its process did not live to record may have arrived.
  certainty: row.certainty === 'in_flight' ? 'unknown' : row.certainty,
  hyperswitchPaymentId: row.hyperswitch_payment_id,
});

/** The order is only paid when exactly its amount was captured; anything else waits for Hyperswitch or a person. */
function mismatchOf(row: PaymentRow, facts: PaymentFacts): string | null {
  if (facts.currency !== row.currency || facts.amount !== BigInt(row.amount))
    return `Hyperswitch holds ${facts.amount} ${facts.currency} for this payment of ${row.amount} ${row.currency}`;
  if (facts.status === 'succeeded' && facts.amountReceived !== null && facts.amountReceived !== facts.amount)
    return `Hyperswitch captured ${facts.amountReceived} of ${facts.amount} ${facts.currency}`;
  return null;
}

interface Save {
  readonly row: PaymentRow;
  readonly reading: PaymentReading;
  readonly mismatch: string | null;
  readonly status: PaymentStatus;
}

async function saveReading(query: Query, sealer: Sealer, { row, reading, mismatch, status }: Save): Promise<void> {
  const { facts, runner } = reading;
  // Of a payment that has succeeded nothing is kept for its buyer, whatever the provider says of it later.
  const open = row.status !== 'succeeded' && (status === 'pending' || status === 'processing');
  const secret = open && facts.clientSecret !== null ? sealClientSecret(sealer, row.id, facts.clientSecret) : null;
  await query(
    `UPDATE payments SET certainty = 'done', provider_status = $2, detail = $3, read_at = clock_now(), last_answer = 'read',
       sealed_client_secret = coalesce($4, CASE WHEN $7 THEN sealed_client_secret END),
       sealed_key_id = coalesce($5, CASE WHEN $7 THEN sealed_key_id END),
       runner = CASE WHEN runner = $6 THEN NULL ELSE runner END,
       runner_until = CASE WHEN runner = $6 THEN NULL ELSE runner_until END,
       next_check_at = CASE WHEN status IN ('pending', 'processing') THEN clock_now() + ${SWEEP_AFTER} END
     WHERE id = $1`,
    [row.id, facts.providerStatus, mismatch, secret?.bytes ?? null, secret?.keyId ?? null, runner, open],
  );
  if (mismatch) await tell(query, { kind: 'payment', id: row.id, what: 'mismatch', detail: { mismatch } });
}

/** @returns what to start; undefined: the status stays as it is */
async function follow(
  query: Query,
  clock: Clock,
  row: PaymentRow,
  status: PaymentStatus,
): Promise<MoneyItem[] | undefined> {
  if (status === row.status) return undefined;
  if (!PAYMENT_TRANSITIONS[row.status].includes(status)) {
    // What succeeded stays succeeded; a provider that says otherwise is put on record, not believed.
    await tell(query, { kind: 'payment', id: row.id, what: 'contradicted', detail: { is: row.status, said: status } });
    return undefined;
  }
  const open = status === 'pending' || status === 'processing';
  await mustMove(query, 'payments', {
    id: row.id,
    from: row.status,
    to: status,
    set: open ? `next_check_at = clock_now() + ${SWEEP_AFTER}` : 'next_check_at = NULL',
  });
  await tell(query, { kind: 'payment', id: row.id, what: status, certainty: 'done', key: row.idempotency_key });
  if (status === 'succeeded') return await orderPaid(query, clock, row.order_id);
  if (status === 'failed' || status === 'cancelled') await moveOrder(query, row.order_id, 'payment_failed');
  return [];
}

async function orderPaid(query: Query, clock: Clock, order: OrderId): Promise<MoneyItem[]> {
  if (!(await moveOrder(query, order, 'paid'))) return [];
  const shares = await query<{ seller_account: string; currency: string; amount: string }>(
    `SELECT i.seller_account, o.currency, sum(i.amount) AS amount FROM order_items i JOIN orders o ON o.id = i.order_id
     WHERE i.order_id = $1 GROUP BY i.seller_account, o.currency ORDER BY min(i.position)`,
    [order],
  );
  const started: MoneyItem[] = [];
  for (const share of shares) {
    const id = newTransferId(clock.nowMs());
    const { seller_account: sellerAccount, currency } = share;
    await insertTransfer(query, { id, order, sellerAccount, currency, amount: BigInt(share.amount) });
    started.push({ kind: 'transfer', id });
  }
  return started;
}

async function moveOrder(query: Query, id: OrderId, to: 'paid' | 'payment_failed'): Promise<boolean> {
  const order = await lockOrder(query, id);
  if (!order || (order.status !== 'pending' && order.status !== 'payment_failed') || order.status === to) return false;
  await mustMove(query, 'orders', {
    id,
    from: order.status,
    to,
    set: to === 'paid' ? 'paid_at = clock_now()' : 'paid_at = NULL',
  });
  await tell(query, { kind: 'order', id, what: to });
  return true;
}

export interface UnreadOutcome<Id> {
  readonly id: Id;
  readonly runner: string;
  readonly certainty: Certainty;
  readonly detail: string;
  readonly nextCheckMs: number;
}

/** The last write before the bytes leave. @returns false: the claim is no longer ours, nothing may be sent */
export async function leaves(
  database: Database,
  table: 'payments' | 'refunds',
  { id, runner }: { id: string; runner: string },
): Promise<boolean> {
  return await database.transaction(async (query) => {
    const [row] = await query<{ certainty: Certainty; idempotency_key: string; attempts: number }>(
      `SELECT certainty, idempotency_key, attempts FROM ${table}
       WHERE id = $1 AND runner = $2 AND runner_until > clock_now() AND status <> 'succeeded' FOR UPDATE`,
      [id, runner],
    );
    if (!row) return false;
    const certainty = certaintyAtSend(row.certainty);
    await query(`UPDATE ${table} SET attempts = attempts + 1, certainty = $2 WHERE id = $1`, [id, certainty]);
    await tell(query, {
      kind: table === 'payments' ? 'payment' : 'refund',
      id,
      what: 'sent',
      certainty,
      key: row.idempotency_key,
      detail: { attempt: row.attempts + 1, runner },
    });
    return true;
  });
}

/** An attempt that brought no reading: what is known stays known, and the claim is given back. */
export async function unread(
  database: Database,
  table: 'payments' | 'refunds',
  { id, runner, certainty, detail, nextCheckMs }: UnreadOutcome<string>,
): Promise<void> {
  await database.transaction(async (query) => {
    const rows = await query(
      `UPDATE ${table} SET certainty = CASE WHEN certainty = 'done' THEN 'done' ELSE $3 END, detail = $4, last_answer = $3,
         runner = NULL, runner_until = NULL,
         next_check_at = CASE WHEN next_check_at IS NOT NULL THEN clock_now() + $5 * interval '1 millisecond' + interval '15 seconds' END
       WHERE id = $1 AND runner = $2 RETURNING id`,
      [id, runner, certainty, detail, nextCheckMs],
    );
    if (rows.length === 0) return;
    const kind = table === 'payments' ? 'payment' : 'refund';
    await tell(query, { kind, id, what: 'answered', certainty, detail: { detail, after_ms: nextCheckMs } });
  });
}
