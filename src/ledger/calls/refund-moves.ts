import type { OrderId, PaymentId, RefundId } from '../../domain/ids.js';
import { REFUND_TRANSITIONS, type RefundStatus } from '../../domain/marketplace/marketplace-status.js';
import { larger } from '../../domain/money.js';
import { dropAttention, withdrawRequests } from '../decisions/decision-rows.js';
import type { MarketplaceItem } from '../marketplace/marketplace-types.js';
import { refreshOrder } from '../marketplace/order-status.js';
import { makeGood } from '../marketplace/restorations.js';
import { isAboutNameless } from '../marketplace/reversal-demands.js';
import { restoreShares, settleShares } from '../marketplace/share-out.js';
import { lookSoon } from '../money-that-leaves/payment-searches.js';
import { mustMove, type Query, recordEvent } from '../transition.js';
import type { Applied } from './call-types.js';
import { type Question, SWEEP_AFTER } from './hyperswitch-rows.js';
import { followReleases } from './releases.js';

/** A refund of which its provider was read. Every function here runs in a transaction that holds its order and its row. */
export interface ReadRefund {
  readonly id: RefundId;
  readonly order_id: OrderId;
  readonly payment_id: PaymentId;
  readonly amount: string;
  readonly currency: string;
  readonly status: RefundStatus;
  readonly idempotency_key: string;
  readonly origin: 'api' | 'provider';
  /** Of its payment: what was surely taken from the buyer, whether that is known to be all, and what he was asked for. */
  readonly captured: string;
  readonly captured_known: boolean;
  readonly paid_amount: string;
  readonly attention_reason: string | null;
  readonly attention_since: Date | null;
  readonly attention_detail: string | null;
}

/** What is asked about its shares is asked on while it is so, and since when it was. @returns what to start */
export async function nameAgain(query: Query, row: ReadRefund): Promise<MarketplaceItem[]> {
  await dropAttention(query, 'refunds', row.id);
  const started = await settleShares(query, row.order_id);
  await query(
    `UPDATE refunds SET attention_since = $2 WHERE id = $1 AND attention_reason = 'conflict' AND attention_detail = $3`,
    [row.id, row.attention_since, row.attention_detail],
  );
  return started;
}

/** Of one that asks: whether that is about shares that nothing can name. */
export const asksAboutShares = ({ attention_reason, attention_detail }: ReadRefund): boolean =>
  attention_reason === 'conflict' && isAboutNameless(attention_detail);

/** It is what its provider says, where it may become that, with all that follows for the sellers. */
export async function follow(query: Query, row: ReadRefund, status: RefundStatus): Promise<Applied> {
  // What it asked may be answered by now: then what is owed because of it comes next.
  if (status === row.status) return { status, started: status === 'failed' ? await makeGood(query, row.order_id) : [] };
  if (!REFUND_TRANSITIONS[row.status].includes(status)) {
    await recordEvent(query, {
      kind: 'refund',
      id: row.id,
      what: 'contradicted',
      detail: { is: row.status, said: status },
    });
    return { status: row.status, started: [] };
  }
  await mustMove(query, 'refunds', {
    id: row.id,
    from: row.status,
    to: status,
    set: `${MOVED[status]}, connector_succeeded = NULL, made_good_at = NULL`,
  });
  await recordEvent(query, { kind: 'refund', id: row.id, what: status, certainty: 'done', key: row.idempotency_key });
  const started = [...(await shareAnew(query, row, status)), ...(await followReleases(query, row.order_id))];
  await refreshOrder(query, row.order_id);
  return { status, started };
}

async function shareAnew(query: Query, row: ReadRefund, status: RefundStatus): Promise<MarketplaceItem[]> {
  const failedLate = status === 'failed' && row.status === 'succeeded';
  if (status !== 'succeeded' && !failedLate) return [];
  await withdrawRequests(query, 'refund', row.id, `the refund is ${status} now`);
  await dropAttention(query, 'refunds', row.id);
  // The processor itself is asked soon: a failure that it does not know pays nobody again, and what had failed may be an older word.
  if (failedLate || row.status === 'failed') await lookSoon(query, row.payment_id);
  const started = failedLate
    ? await restoreShares(query, row.order_id, row.id)
    : await settleShares(query, row.order_id, row.id);
  return [...started, ...(await makeGood(query, row.order_id))];
}

/** Another refund must have failed of which we have not heard: this one counts once that one is read. */
export async function beyondPaid(query: Query, row: ReadRefund, said: RefundStatus): Promise<Question | null> {
  if (said !== 'succeeded' || !REFUND_TRANSITIONS[row.status].includes(said)) return null;
  const [sum] = await query<{ refunded: string }>(
    `SELECT coalesce(sum(amount), 0) AS refunded FROM refunds WHERE order_id = $1 AND id <> $2 AND status = 'succeeded'`,
    [row.order_id, row.id],
  );
  const refunded = BigInt(sum?.refunded ?? 0);
  const captured = BigInt(row.captured);
  // What the provider gave back was captured, whether or not it says how much was.
  const paid = row.captured_known || row.origin === 'api' ? captured : larger(captured, BigInt(row.paid_amount));
  if (refunded + BigInt(row.amount) <= paid) return null;
  return {
    reason: 'conflict',
    detail: `its provider says that ${row.amount} ${row.currency} were refunded beside ${refunded} of the ${paid} that were paid; the order's other refunds are to be read again`,
  };
}

const MOVED: Readonly<Record<RefundStatus, string>> = {
  pending: `next_check_at = clock_now() + ${SWEEP_AFTER}`,
  review: `next_check_at = clock_now() + ${SWEEP_AFTER}`,
  succeeded: 'succeeded_at = clock_now(), failed_at = NULL, next_check_at = NULL',
  failed: 'failed_at = clock_now(), next_check_at = NULL',
};
