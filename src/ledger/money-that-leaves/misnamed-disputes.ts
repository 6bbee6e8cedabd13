import type { NamedDispute } from '../../domain/calls/provider-answers.js';
import type { DisputeId, OrderId, PaymentId } from '../../domain/ids.js';
import type { PaymentProvider } from '../../domain/marketplace/marketplace.js';
import { followReleases } from '../calls/releases.js';
import { NO_ATTENTION, withdrawRequests } from '../decisions/decision-rows.js';
import { type Query, recordEvent } from '../transition.js';
import { ask } from './dispute-questions.js';
import { type LockedDispute, lockDispute } from './locked-dispute.js';

/**
 * Hyperswitch names under one payment what it had named under another. Every function here runs in a transaction; orders are held in
 * the order of their ids, because two of them are.
 */

interface NamedPayment {
  readonly id: PaymentId;
  readonly orderId: OrderId;
  readonly provider: PaymentProvider;
}

/** Who names it under another payment, and in which words. */
type Naming =
  | { readonly by: 'hyperswitch'; readonly hyperswitchDisputeId: string; readonly words: string }
  /** Of a payment that is Stripe's own. */
  | { readonly by: 'stripe'; readonly words: string };
const NAMER = { hyperswitch: 'Hyperswitch', stripe: 'Stripe' } as const;

/** Holds the order of the payment, and that of the dispute where it is of another one. */
export async function lockOrdersOf(
  query: Query,
  payment: PaymentId,
  named: Pick<NamedDispute, 'connector' | 'providerDisputeId'>,
): Promise<NamedPayment> {
  await query(
    `SELECT 1 FROM orders WHERE id IN (
       SELECT order_id FROM payments WHERE id = $1
       UNION SELECT order_id FROM disputes WHERE psp_account = $2 AND provider_dispute_id = $3) ORDER BY id FOR UPDATE`,
    [payment, named.connector, named.providerDisputeId],
  );
  const [row] = await query<{ order_id: OrderId; provider: PaymentProvider }>(
    'SELECT order_id, provider FROM payments WHERE id = $1',
    [payment],
  );
  if (!row) throw new Error(`payment ${payment} is not in the ledger`);
  return { id: payment, orderId: row.order_id, provider: row.provider };
}

/**
 * It goes to the payment it is named under now, as long as nothing followed from it where it is. The processor's record stands above
 * what Hyperswitch says: what is of its payment there stays. What was taken is not taken a second time of somebody else, and what
 * was moved goes not back and forth: a person is asked.
 */
export async function nameElsewhere(query: Query, id: DisputeId, to: NamedPayment, named: Naming): Promise<boolean> {
  const row = await lockDispute(query, id);
  // Of a payment that is Stripe's own, Stripe alone says what is disputed.
  if (row.payment_id === to.id || row.named_by === 'stripe') return false;
  const names = `${NAMER[named.by]} names ${row.provider_dispute_id} under payment ${to.id} of order ${to.orderId} now`;
  if (await hasTaken(query, row)) {
    const detail = `${names}, and shares of order ${row.order_id} were taken because of it: none of order ${to.orderId} are taken for it, so that nobody gives it back twice; find out at both whose it is; funds_back gives back what was taken, write_off leaves it as it is`;
    await ask(query, row, { reason: 'conflict', detail });
    return false;
  }
  if (row.is_of_payment === true) return false;
  if (await wasMovedFrom(query, row, to)) {
    const detail = `${names} again, from which it was moved to payment ${row.payment_id} of order ${row.order_id}; find out whose it is, then write_off`;
    await ask(query, row, { reason: 'conflict', detail });
    return false;
  }
  const hyperswitchDisputeId = named.by === 'hyperswitch' ? named.hyperswitchDisputeId : null;
  await withdrawRequests(query, 'dispute', id, 'it is named under another payment now');
  await query(
    `UPDATE disputes SET order_id = $2, payment_id = $3, hyperswitch_dispute_id = coalesce($4, hyperswitch_dispute_id), named_by = $6, provider_status = $5,
       is_of_payment = NULL, ${NO_ATTENTION}, changed_at = clock_now(), next_check_at = clock_now() WHERE id = $1`,
    [id, to.orderId, to.id, hyperswitchDisputeId, named.words, named.by],
  );
  const detail = {
    from_payment: row.payment_id,
    from_order: row.order_id,
    payment: to.id,
    order: to.orderId,
    by: named.by,
    hyperswitch_dispute_id: hyperswitchDisputeId,
  };
  await recordEvent(query, { kind: 'dispute', id, what: 'moved', detail });
  // What it stopped where it was goes on.
  await followReleases(query, row.order_id);
  return true;
}

/** Also what is back by now: it was this order's. */
async function hasTaken(query: Query, { id, holds }: LockedDispute): Promise<boolean> {
  const [row] = await query<{ taken: boolean }>(
    'SELECT EXISTS (SELECT 1 FROM dispute_withdrawals WHERE dispute_id = $1) AS taken',
    [id],
  );
  return holds || row?.taken !== false;
}

async function wasMovedFrom(query: Query, { id }: LockedDispute, { id: payment }: NamedPayment): Promise<boolean> {
  const [row] = await query<{ moved: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM operation_events WHERE item_kind = 'dispute' AND item_id = $1 AND kind = 'moved'
       AND detail ->> 'from_payment' = $2) AS moved`,
    [id, payment],
  );
  return row?.moved !== false;
}
