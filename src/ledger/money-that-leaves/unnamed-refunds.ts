import type { StripeRefund } from '../../domain/calls/provider-answers.js';
import type { OrderId, PaymentId, RefundId } from '../../domain/ids.js';
import { isOfHeld } from '../../domain/marketplace/held-money.js';
import type { RefundStatus } from '../../domain/marketplace/marketplace-status.js';
import { ask, type Question } from '../calls/hyperswitch-rows.js';
import type { Database } from '../database.js';
import { dropAttention, isGivenUp, pendingRequest, withdrawRequests } from '../decisions/decision-rows.js';
import { proposeCompensation } from '../marketplace/compensation.js';
import { wakeTransfers } from '../marketplace/order-status.js';
import { lockOrderOf } from '../marketplace/seller-shares.js';
import type { Query } from '../transition.js';
import { failGivenBack, saidGivenBack } from './given-back.js';
import { mayBeHeld } from './held-money.js';

/**
 * Refunds that the processor holds and that Hyperswitch, which the payment is of, has not named. They are no causes: an hour after one
 * was first seen a person is asked. Named meanwhile, it is an ordinary refund and nobody is.
 */
export function createUnnamedRefunds(database: Database) {
  return {
    /** Those of them that stand for no refund here. @returns how many there are */
    noteUnnamedRefunds: (payment: PaymentId, held: readonly StripeRefund[]): Promise<number> =>
      database.transaction(async (query) => {
        const order = await lockOrderOf(query, 'payments', payment);
        if (!order) return 0;
        const paid = await mayBeHeld(query, payment);
        for (const one of held) {
          const { stripeRefundId, amount, currency, status, madeFrom } = one;
          if (amount === 0n || isOfHeld(one, paid) || (await isOfHyperswitch(query, payment, one))) continue;
          await query(
            `INSERT INTO unnamed_refunds (provider_refund_id, payment_id, amount, currency, succeeded, made_from)
               SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS (SELECT 1 FROM refunds WHERE connector_refund_id = $1)
             ON CONFLICT (provider_refund_id) DO UPDATE SET succeeded = excluded.succeeded, amount = excluded.amount`,
            [
              stripeRefundId,
              payment,
              amount.toString(),
              currency,
              status === 'succeeded',
              madeFrom?.kind === 'refund' ? madeFrom.id : null,
            ],
          );
          await compareOutcome(query, order, one);
        }
        const waiting = await query(unnamed('$1'), [payment]);
        await askAboutUnnamed(query, payment, order);
        return waiting.length;
      }),
  };
}

/** What became of it at Stripe, beside what became of the refund here that it is. */
async function compareOutcome(query: Query, order: OrderId, { stripeRefundId, status }: StripeRefund): Promise<void> {
  const failed = status === 'failed' || status === 'canceled';
  const [known] = await query<{ id: RefundId; status: RefundStatus; hyperswitch_refund_id: string | null }>(
    'UPDATE refunds SET connector_succeeded = $2 WHERE connector_refund_id = $1 RETURNING id, status, hyperswitch_refund_id',
    [stripeRefundId, failed ? false : status === 'succeeded' || null],
  );
  if (known?.status === 'succeeded' && failed) {
    // Persons counted it, and Hyperswitch, which would tell that it failed, knows nothing of it.
    if (known.hyperswitch_refund_id === null) await failGivenBack(query, order, known.id);
    else await askWhoIsRight(query, known.id, failedThere(stripeRefundId));
  }
  if (known?.status !== 'failed') return;
  if (status === 'succeeded') await askWhoIsRight(query, known.id, stillSucceeded(stripeRefundId));
  // What is owed for others that have failed is less by this one, or more again.
  await proposeCompensation(query, order);
}

/** Unless exactly this was written off, or waits for a second person. */
async function askWhoIsRight(query: Query, id: RefundId, question: Question): Promise<void> {
  if (await isGivenUp(query, 'refund', id, question)) return;
  if ((await pendingRequest(query, 'refund', id))?.asked_detail === question.detail) return;
  await withdrawRequests(query, 'refund', id, 'Stripe and Hyperswitch say different things of it');
  await ask(query, 'refunds', { id, ...question });
}

/** Nobody is paid again for a failure that the processor does not know. */
export const stillSucceeded = (connectorRefundId: string): Question => ({
  reason: 'conflict',
  detail: `Stripe holds ${connectorRefundId} as succeeded, and Hyperswitch calls it failed: find out whether the buyer has the money; where Hyperswitch is wrong, have it read Stripe again, then retry`,
});

/** A bank may send a refund back weeks later, and the seller's share stays taken until Hyperswitch knows. */
export const failedThere = (connectorRefundId: string): Question => ({
  reason: 'conflict',
  detail: `Stripe says that ${connectorRefundId} has failed, and Hyperswitch calls it succeeded: the buyer does not have this money; have Hyperswitch read Stripe again, then retry`,
});

/** Its own mark and the amount say so: not every Hyperswitch tells what the processor calls a refund, or lists what a cancelled payment gave back. */
async function isOfHyperswitch(
  query: Query,
  payment: PaymentId,
  { stripeRefundId, madeFrom, amount, currency }: StripeRefund,
): Promise<boolean> {
  if (madeFrom === null) return false;
  const values = [payment, madeFrom.id, amount.toString(), currency];
  if (madeFrom.kind === 'refund') {
    await query(
      `UPDATE refunds SET connector_refund_id = $5 WHERE payment_id = $1 AND hyperswitch_refund_id = $2 AND amount = $3 AND currency = $4
         AND connector_refund_id IS NULL AND NOT EXISTS (SELECT 1 FROM refunds WHERE connector_refund_id = $5)`,
      [...values, stripeRefundId],
    );
    return false;
  }
  const [all] = await query(
    `SELECT FROM payments p JOIN refunds r ON r.id = ${saidGivenBack('p.id')} AND r.amount = $3 AND r.currency = $4
     WHERE p.id = $1 AND starts_with($2, p.hyperswitch_payment_id || '_')`,
    values,
  );
  if (!all) return false;
  await query(
    'UPDATE unnamed_refunds SET decided_at = clock_now() WHERE provider_refund_id = $1 AND decided_at IS NULL',
    [stripeRefundId],
  );
  return true;
}

/** Of the payment `of` (SQL): what nobody has named or decided about. */
export const unnamed = (of: string): string =>
  `SELECT u.provider_refund_id, u.amount, u.currency FROM unnamed_refunds u WHERE u.payment_id = ${of} AND u.succeeded
     AND u.decided_at IS NULL AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.connector_refund_id = u.provider_refund_id)`;

export interface UnnamedRefund {
  readonly provider_refund_id: string;
  readonly amount: string;
  readonly currency: string;
}

/** Whenever they were first seen. */
export const unnamedOf = (query: Query, payment: PaymentId): Promise<UnnamedRefund[]> =>
  query<UnnamedRefund & { [column: string]: unknown }>(
    `${unnamed('$1')} ORDER BY u.seen_at, u.provider_refund_id FOR UPDATE`,
    [payment],
  );

/** Those about which a person is asked. */
const unnamedForAnHour = (query: Query, payment: PaymentId): Promise<UnnamedRefund[]> =>
  query<UnnamedRefund & { [column: string]: unknown }>(
    `${unnamed('$1')} AND u.seen_at <= clock_now() - interval '1 hour' ORDER BY u.seen_at, u.provider_refund_id FOR UPDATE`,
    [payment],
  );

/** The caller holds the order. Nothing else that is asked of the payment is put aside for it. */
async function askAboutUnnamed(query: Query, payment: PaymentId, order: OrderId): Promise<void> {
  const strange = await unnamedForAnHour(query, payment);
  const [row] = await query<{ reason: string | null; detail: string | null }>(
    'SELECT attention_reason AS reason, attention_detail AS detail FROM payments WHERE id = $1 FOR UPDATE',
    [payment],
  );
  const pending = row?.reason === 'approval_pending' ? await pendingRequest(query, 'payment', payment) : undefined;
  const reason = pending?.asked_reason ?? row?.reason ?? null;
  if (strange.length === 0) {
    if (reason !== 'unknown_refund') return;
    await withdrawRequests(query, 'payment', payment, 'Hyperswitch names the refunds by now');
    await dropAttention(query, 'payments', payment);
    await wakeTransfers(query, order);
    return;
  }
  if (reason !== null && reason !== 'unknown_refund') return;
  const each = strange.map((one) => `${one.provider_refund_id} (${one.amount} ${one.currency})`).join(', ');
  const detail = `Stripe holds refunds of this payment that Hyperswitch has not named for an hour: ${each}; retry reads both again, given_back counts them as refunds of the order, write_off leaves the sellers' shares alone`;
  if ((pending?.asked_detail ?? row?.detail) === detail) return;
  if (pending) await withdrawRequests(query, 'payment', payment, 'Stripe holds other refunds by now');
  await ask(query, 'payments', { id: payment, reason: 'unknown_refund', detail });
}

/** Whether that is what a person is asked about this payment, or was before a request waits for its approval. */
export async function asksAboutUnnamed(query: Query, payment: PaymentId): Promise<boolean> {
  const [row] = await query<{ asks: boolean }>(`SELECT ${ASKS_ABOUT_UNNAMED} AS asks FROM payments p WHERE id = $1`, [
    payment,
  ]);
  return row?.asks === true;
}

/** Of `payments p`. */
export const ASKS_ABOUT_UNNAMED = `coalesce(p.attention_reason = 'unknown_refund' OR (p.attention_reason = 'approval_pending' AND EXISTS (
  SELECT 1 FROM decisions WHERE item_kind = 'payment' AND item_id = p.id AND state = 'pending_approval' AND asked_reason = 'unknown_refund')), false)`;

/** A person has said what becomes of them. */
export async function decideUnnamed(query: Query, payment: PaymentId): Promise<void> {
  await query(
    `UPDATE unnamed_refunds SET decided_at = clock_now()
     WHERE payment_id = $1 AND decided_at IS NULL AND seen_at <= clock_now() - interval '1 hour'`,
    [payment],
  );
}
