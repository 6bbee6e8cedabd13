import { refundKey } from '../../domain/calls/idempotency-keys.js';
import type { PaymentId, RefundId } from '../../domain/ids.js';
import type { FeePolicy } from '../../domain/marketplace/lines.js';
import type { PaymentProvider, Refund, Reversal } from '../../domain/marketplace/marketplace.js';
import type { Database } from '../database.js';
import { type Query, recordEvent } from '../transition.js';
import { chooseLines, nameLines } from './follow-lines.js';
import { REFUND_COLUMNS, type RefundRow, toRefund } from './marketplace-rows.js';
import type { NewRefund, NewRefundOutcome, RequestKey } from './marketplace-types.js';
import { lockRequest, tieRequest } from './request-keys.js';
import { type ReversalRow, SELECT_REVERSALS, toReversal } from './reversal-row.js';

/** Refunds that our own clients ask for. */
export function createRefunds(database: Database, usualFee: FeePolicy) {
  return {
    createRefund: ({ fee, ...asked }: NewRefund, request: RequestKey): Promise<NewRefundOutcome> =>
      database.transaction(async (query) => {
        const made = (await lockRequest(query, request)) as RefundId | null;
        const already = made && (await selectRefund(query, made));
        if (already) return { kind: 'created', refund: already };
        const refund = { ...asked, fee: fee ?? usualFee };
        const order = await lockPaidOrder(query, refund);
        if (!order) return { kind: 'order_not_found' };
        if (order.taken_elsewhere) return { kind: 'made_at_stripe' };
        if (order.provider === 'hyperswitch' && order.payment_id !== null && asked.hyperswitchRefundId === null)
          return { kind: 'not_configured' };
        if (order.payment_id === null) return { kind: order.captured_known ? 'not_paid' : 'captured_unknown' };
        const remainder = order.remainder > 0n ? order.remainder : 0n;
        const { lines, orderId } = refund;
        const chosen = lines && (await chooseLines(query, orderId, lines, refund.amount));
        if (chosen && chosen.kind !== 'chosen') return chosen;
        const amount = chosen?.amount ?? refund.amount ?? remainder;
        if (amount <= 0n || amount > remainder) return { kind: 'exceeds_paid', remainder };
        const { payment_id: paymentId, currency } = order;
        const hyperswitchRefundId = order.provider === 'stripe' ? null : asked.hyperswitchRefundId;
        await insertRefund(query, { ...refund, hyperswitchRefundId }, { amount, currency, paymentId, request });
        if (chosen) await nameLines(query, orderId, refund.id, chosen.given);
        await tieRequest(query, request, refund.id);
        const created = await selectRefund(query, refund.id);
        if (!created) throw new Error(`refund ${refund.id} was not stored`);
        return { kind: 'created', refund: created };
      }),

    findRefund: (id: RefundId): Promise<Refund | undefined> => selectRefund(database.query, id),

    async reversalsOfRefund(id: RefundId): Promise<readonly Reversal[]> {
      const rows = await database.query<ReversalRow>(`${SELECT_REVERSALS} WHERE v.refund_id = $1 ORDER BY v.place`, [
        id,
      ]);
      return rows.map(toReversal);
    },
  };
}

async function selectRefund(query: Query, id: RefundId): Promise<Refund | undefined> {
  const [row] = await query<RefundRow>(`SELECT ${REFUND_COLUMNS} FROM refunds WHERE id = $1`, [id]);
  return row && toRefund(row);
}

interface PaidOrder {
  readonly currency: string;
  /** Null: nothing was surely captured, so there is nothing that could be given back from here. */
  readonly payment_id: PaymentId | null;
  readonly captured_known: boolean;
  readonly provider: PaymentProvider;
  readonly taken_elsewhere: boolean;
  /** Captured and neither refunded nor about to be; below 0 when the provider's dashboard refunded what was pending here. */
  readonly remainder: bigint;
}

/** Serialises the refunds of one order: two of them can never both take the last of it. */
async function lockPaidOrder(query: Query, { orderId }: Pick<NewRefund, 'orderId'>): Promise<PaidOrder | undefined> {
  const [order] = await query<{ currency: string }>('SELECT currency FROM orders WHERE id = $1 FOR UPDATE', [orderId]);
  if (!order) return undefined;
  const [sums] = await query<{
    payment_id: PaymentId | null;
    captured_known: boolean;
    provider: PaymentProvider;
    taken_elsewhere: boolean;
    remainder: string;
  }>(
    `SELECT CASE WHEN p.captured > 0 THEN p.id END AS payment_id, p.captured_known, p.provider, p.taken_elsewhere, p.captured - coalesce((SELECT sum(amount) FROM refunds
         WHERE order_id = p.order_id AND status IN ('pending', 'review', 'succeeded')), 0) AS remainder
     FROM payments p WHERE p.order_id = $1`,
    [orderId],
  );
  return {
    currency: order.currency,
    payment_id: sums?.payment_id ?? null,
    captured_known: sums?.captured_known ?? true,
    provider: sums?.provider ?? 'hyperswitch',
    taken_elsewhere: sums?.taken_elsewhere ?? false,
    remainder: BigInt(sums?.remainder ?? 0),
  };
}

/** The request that makes it sends it first; only what that leaves behind is found by the sweep. */
async function insertRefund(
  query: Query,
  { id, orderId, reason, fee, hyperswitchRefundId }: NewRefund & { readonly fee: FeePolicy },
  {
    amount,
    currency,
    paymentId,
    request,
  }: { amount: bigint; currency: string; paymentId: PaymentId; request: RequestKey },
): Promise<void> {
  await query(
    `INSERT INTO refunds (id, order_id, payment_id, amount, currency, reason, fee, idempotency_key, hyperswitch_refund_id,
       next_check_at, workflow_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_now() + interval '30 seconds', 'refund/' || $1::uuid)`,
    [id, orderId, paymentId, amount.toString(), currency, reason, fee, refundKey(id), hyperswitchRefundId],
  );
  await recordEvent(query, {
    kind: 'refund',
    id,
    what: 'created',
    certainty: 'not_sent',
    key: refundKey(id),
    detail: {
      amount: amount.toString(),
      currency,
      reason,
      ...(hyperswitchRefundId === null ? { provider: 'stripe' } : { hyperswitch_refund_id: hyperswitchRefundId }),
      by: request.principal,
      request_key: request.key,
    },
  });
}
