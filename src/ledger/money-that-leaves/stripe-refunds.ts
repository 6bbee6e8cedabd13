import { refundKey } from '../../domain/calls/idempotency-keys.js';
import type { StripeRefund } from '../../domain/calls/provider-answers.js';
import type { Clock } from '../../domain/clock.js';
import { newRefundId, type OrderId, type PaymentId, type RefundId } from '../../domain/ids.js';
import { isOfHeld } from '../../domain/marketplace/held-money.js';
import type { FeePolicy } from '../../domain/marketplace/lines.js';
import { refundStatusAtStripe } from '../../domain/marketplace/marketplace-status.js';
import { overdueReadMs, REFUND_EXPECTED_MS } from '../../domain/marketplace/overdue.js';
import { ask, type Question, SWEEP_AFTER_MS } from '../calls/hyperswitch-rows.js';
import { asksAboutShares, beyondPaid, follow, nameAgain, type ReadRefund } from '../calls/refund-moves.js';
import type { Database } from '../database.js';
import { dropAttention, isGivenUp } from '../decisions/decision-rows.js';
import type { MarketplaceItem } from '../marketplace/marketplace-types.js';
import { lockOrderOf } from '../marketplace/seller-shares.js';
import { type Query, recordEvent } from '../transition.js';
import { mayBeHeld } from './held-money.js';

export interface StripeRefundParts {
  readonly clock: Clock;
  /** Who bears the fee of what was refunded at Stripe. */
  readonly refundFee: FeePolicy;
}

/** Refunds of a payment whose provider is Stripe itself: its record of each makes it a cause, and says what becomes of it. */
export function createStripeRefunds(database: Database, parts: StripeRefundParts) {
  return {
    /**
     * What Stripe holds of one payment, each known by Stripe's own id, whoever told of it.
     * @param runner whose claim on one of them ends with this reading. @returns what to start
     */
    noteStripeRefunds: (
      payment: PaymentId,
      held: readonly StripeRefund[],
      runner: string | null = null,
    ): Promise<readonly MarketplaceItem[]> =>
      database.transaction(async (query) => {
        const order = await lockOrderOf(query, 'payments', payment);
        if (!order) throw new Error(`payment ${payment} is not in the ledger`);
        return await noteRefunds({ query, ...parts }, { order, payment, runner }, held);
      }),

    /** By Stripe's own id. */
    async refundAtStripe(stripeRefundId: string): Promise<RefundId | undefined> {
      const [row] = await database.query<{ id: RefundId }>('SELECT id FROM refunds WHERE connector_refund_id = $1', [
        stripeRefundId,
      ]);
      return row?.id;
    },
  };
}

interface Of {
  readonly order: OrderId;
  readonly payment: PaymentId;
  readonly runner: string | null;
}

/** The caller holds the order. */
export async function noteRefunds(
  parts: StripeRefundParts & { readonly query: Query },
  of: Of,
  held: readonly StripeRefund[],
): Promise<MarketplaceItem[]> {
  const started: MarketplaceItem[] = [];
  const paid = await mayBeHeld(parts.query, of.payment);
  for (const one of inOrder(held)) {
    // It gave nothing back.
    if (one.amount === 0n) continue;
    const found = (await known(parts.query, one)) ?? (await madeHere(parts.query, of, one));
    // Of what was never captured nothing can be given back.
    if (found === undefined && (paid?.captured === 0n || isOfHeld(one, paid))) continue;
    const isOther = found !== undefined && found.payment_id !== of.payment;
    if (isOther) await giveUpName(parts.query, of, found, one);
    const row = found === undefined || isOther ? await insert(parts, of, one) : found;
    started.push(...(await noteRefund(parts.query, row, one, of.runner)));
  }
  return started;
}

/** What has failed makes room first; then the oldest. */
const inOrder = (held: readonly StripeRefund[]): readonly StripeRefund[] =>
  held.toSorted(
    (one, other) =>
      Number(refundStatusAtStripe(other.status) === 'failed') - Number(refundStatusAtStripe(one.status) === 'failed') ||
      Date.parse(one.createdAt) - Date.parse(other.createdAt),
  );

/**
 * Hyperswitch called a refund of its own by this name, and Stripe says whose money it was: it is this payment's. What Hyperswitch made
 * stands without the name; should it name it again, a person is asked there.
 */
async function giveUpName(query: Query, { payment }: Of, { id }: Row, { stripeRefundId }: StripeRefund): Promise<void> {
  await query('UPDATE refunds SET connector_refund_id = NULL WHERE id = $1', [id]);
  const detail = { stripe_refund_id: stripeRefundId, of_payment: payment };
  await recordEvent(query, { kind: 'refund', id, what: 'name_given_up', detail });
}

interface Row extends ReadRefund {
  readonly [column: string]: unknown;
  readonly age_ms: number;
}

const ROW = `SELECT r.id, r.order_id, r.payment_id, r.amount, r.currency, r.status, r.idempotency_key, r.origin, r.attention_reason, r.attention_since,
    r.attention_detail,
    p.captured, p.captured_known, p.amount AS paid_amount, (extract(epoch FROM clock_now() - r.created_at) * 1000)::float8 AS age_ms
  FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.connector_refund_id = $1 FOR UPDATE OF r`;

async function known(query: Query, { stripeRefundId }: StripeRefund): Promise<Row | undefined> {
  const [row] = await query<Row>(ROW, [stripeRefundId]);
  return row;
}

/** What we made and whose answer was lost bears our mark. It has one name: another of the same mark is money that left a second time. */
async function madeHere(
  query: Query,
  { payment }: Of,
  { mark, stripeRefundId }: StripeRefund,
): Promise<Row | undefined> {
  if (mark === undefined || mark === null) return undefined;
  const [made] = await query<{ id: RefundId }>(
    `UPDATE refunds SET connector_refund_id = $3
     WHERE id::text = $1 AND payment_id = $2 AND connector_refund_id IS NULL AND origin = 'api' RETURNING id`,
    [mark, payment, stripeRefundId],
  );
  if (!made) return undefined;
  const detail = { stripe_refund_id: stripeRefundId };
  await recordEvent(query, { kind: 'refund', id: made.id, what: 'named', certainty: 'done', detail });
  const [row] = await query<Row>(ROW, [stripeRefundId]);
  return row;
}

async function insert(
  { query, clock, refundFee }: StripeRefundParts & { readonly query: Query },
  { order, payment }: Of,
  one: StripeRefund,
): Promise<Row> {
  const id = newRefundId(clock.nowMs());
  await query(
    `INSERT INTO refunds (id, order_id, payment_id, amount, currency, reason, origin, certainty, idempotency_key, connector_refund_id,
       fee, next_check_at, workflow_id)
     VALUES ($1, $2, $3, $4, $5, 'made at Stripe', 'provider', 'done', $6, $7, $8, clock_now() + interval '1 minute', 'refund/' || $1::uuid)`,
    [id, order, payment, one.amount.toString(), one.currency, refundKey(id), one.stripeRefundId, refundFee],
  );
  const detail = { stripe_refund_id: one.stripeRefundId, amount: one.amount.toString() };
  await recordEvent(query, { kind: 'refund', id, what: 'found', certainty: 'done', detail });
  const row = await known(query, one);
  if (!row) throw new Error(`refund ${id} was not stored`);
  return row;
}

async function noteRefund(
  query: Query,
  row: Row,
  one: StripeRefund,
  runner: string | null,
): Promise<MarketplaceItem[]> {
  const said = refundStatusAtStripe(one.status);
  const question = questionOf(row, one) ?? (said === undefined ? null : await beyondPaid(query, row, said));
  const stands = row.attention_reason !== null && !isAnsweredByReading(row);
  const asks = question !== null && !stands && !(await isGivenUp(query, 'refund', row.id, question));
  if (!asks && isAnsweredByReading(row)) await dropAttention(query, 'refunds', row.id);
  // What is over and as it was is left as it is: also put aside.
  if (isOver(row) && said === row.status && row.attention_reason === null && runner === null) return [];
  await query(
    `UPDATE refunds SET certainty = 'done', read_at = clock_now(), last_answer = 'read', detail = NULL, refusal = NULL,
       runner = CASE WHEN runner = $2 THEN NULL ELSE runner END,
       runner_until = CASE WHEN runner = $2 THEN NULL ELSE runner_until END,
       next_check_at = CASE WHEN status IN ('pending', 'review') THEN clock_now() + $3 * interval '1 millisecond' ELSE next_check_at END,
       waiting_since = CASE WHEN $4 THEN coalesce(waiting_since, clock_now()) END, waiting_detail = CASE WHEN $4 THEN $5 END,
       waiting_missing = NULL
     WHERE id = $1`,
    [
      row.id,
      runner,
      (overdueReadMs(row.age_ms, REFUND_EXPECTED_MS) ?? (one.isShort ? HELD_AGAIN_MS : 0)) + SWEEP_AFTER_MS,
      one.isShort === true,
      `Stripe holds ${one.stripeRefundId} until the platform's balance covers it`,
    ],
  );
  if (asks) await ask(query, 'refunds', { id: row.id, ...question });
  // What does not fit is not believed, whatever a person has decided about it.
  if (question !== null || said === undefined) return [];
  const named = asksAboutShares(row) ? await nameAgain(query, row) : [];
  const { status, started } = await follow(query, row, said);
  return [...named, ...(status === 'pending' ? [{ kind: 'refund' as const, id: row.id }] : []), ...started];
}

/** Stripe sends it by itself, and tells of it. */
const HELD_AGAIN_MS = 3_600_000;

const isOver = ({ status }: Row): boolean => status === 'succeeded' || status === 'failed';

function questionOf(row: Row, { stripeRefundId, amount, currency, status }: StripeRefund): Question | null {
  if (amount !== BigInt(row.amount) || currency !== row.currency)
    return {
      reason: 'conflict',
      detail: `Stripe holds ${stripeRefundId} of ${amount} ${currency} for this refund (${row.status} here) of ${row.amount} ${row.currency}`,
    };
  return refundStatusAtStripe(status) === undefined
    ? {
        reason: 'unknown_status',
        detail: `Stripe calls this refund (${row.status} here) ${status}, which is in no document: find out there whether the buyer has the money`,
      }
    : null;
}

/** Questions that Stripe's own answer ends, and that its next one may replace. */
const isAnsweredByReading = (row: Row): boolean =>
  row.attention_reason === 'unknown_status' || (row.attention_reason === 'conflict' && !asksAboutShares(row));
