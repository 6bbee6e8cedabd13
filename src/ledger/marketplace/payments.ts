import { paymentKey } from '../../domain/calls/idempotency-keys.js';
import type { PaymentId } from '../../domain/ids.js';
import type { Payment } from '../../domain/marketplace/marketplace.js';
import { PLAIN_TERMS } from '../../domain/marketplace/payment-capture.js';
import { notAtStripe } from '../../domain/marketplace/terms-at-stripe.js';
import type { Database } from '../database.js';
import type { Sealed, Sealer } from '../sealer.js';
import { type Query, recordEvent } from '../transition.js';
import { PAYMENT_COLUMNS, type PaymentRow, toPayment } from './marketplace-rows.js';
import type { NewPayment, NewPaymentOutcome, RequestKey } from './marketplace-types.js';
import { lockRequest, tieRequest } from './request-keys.js';

export const CLIENT_SECRET_PLACE = (id: PaymentId) => ({
  table: 'payments',
  row: id,
  column: 'sealed_client_secret',
});

/** The buyer's client secret as it is kept: encrypted, bound to this payment, and erased when the payment is final. */
export const sealClientSecret = (sealer: Sealer, id: PaymentId, secret: string): Sealed =>
  sealer.seal(secret, CLIENT_SECRET_PLACE(id));

/** An order's one payment. */
export function createPayments(database: Database, sealer: Sealer) {
  return {
    createPayment: (payment: NewPayment, request: RequestKey): Promise<NewPaymentOutcome> =>
      database.transaction(async (query) => {
        await lockRequest(query, request);
        const [order] = await query<{ amount: string; currency: string }>(
          'SELECT amount, currency FROM orders WHERE id = $1 FOR UPDATE',
          [payment.orderId],
        );
        if (!order) return { kind: 'order_not_found' };
        const existing = await paymentOf(query, payment.orderId);
        if (!existing && !isMadeSo(payment)) return { kind: 'not_made_so' };
        const current = existing ?? (await insertPayment(query, payment, { ...order, request }));
        await tieRequest(query, request, current.id);
        if (!existing) return { kind: 'created', payment: current };
        const closed = existing.status === 'failed' || existing.status === 'cancelled';
        return { kind: closed ? 'closed' : 'existing', payment: existing };
      }),

    /**
     * The buyer's client secret, opened; null when there is none or the payment is final.
     * @throws when the key it is encrypted with is not configured
     */
    async clientSecret(id: PaymentId): Promise<string | null> {
      const [row] = await database.query<{ sealed_client_secret: Buffer; sealed_key_id: string }>(
        `SELECT sealed_client_secret, sealed_key_id FROM payments
         WHERE id = $1 AND sealed_client_secret IS NOT NULL AND status IN ('pending', 'processing')`,
        [id],
      );
      return row
        ? sealer.open({ bytes: row.sealed_client_secret, keyId: row.sealed_key_id }, CLIENT_SECRET_PLACE(id))
        : null;
    },
  };
}

async function paymentOf(query: Query, order: string): Promise<Payment | undefined> {
  const [row] = await query<PaymentRow>(`SELECT ${PAYMENT_COLUMNS} FROM payments WHERE order_id = $1`, [order]);
  return row && toPayment(row);
}

const isMadeSo = ({ hyperswitchPaymentId, terms = PLAIN_TERMS }: NewPayment): boolean =>
  hyperswitchPaymentId !== null || notAtStripe(terms).length === 0;

/** The request that makes it sends it first; only what that leaves behind is found by the sweep. */
async function insertPayment(
  query: Query,
  { id, orderId, hyperswitchPaymentId, terms = PLAIN_TERMS }: NewPayment,
  { amount, currency, request }: { amount: string; currency: string; request: RequestKey },
): Promise<Payment> {
  const isStripes = hyperswitchPaymentId === null;
  const [row] = await query<PaymentRow>(
    `INSERT INTO payments (id, order_id, amount, currency, idempotency_key, hyperswitch_payment_id, provider, connector,
       capture_method, profile_id, passed_on, next_check_at, workflow_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, clock_now() + interval '30 seconds', 'payment/' || $1::uuid) RETURNING ${PAYMENT_COLUMNS}`,
    [
      id,
      orderId,
      amount,
      currency,
      paymentKey(orderId),
      hyperswitchPaymentId,
      isStripes ? 'stripe' : 'hyperswitch',
      isStripes ? 'stripe' : null,
      terms.captureMethod,
      terms.profileId,
      JSON.stringify(terms.passedOn),
    ],
  );
  if (!row) throw new Error(`payment ${id} was not stored`);
  await recordEvent(query, {
    kind: 'payment',
    id,
    what: 'created',
    certainty: 'not_sent',
    key: paymentKey(orderId),
    detail: {
      amount,
      currency,
      ...(isStripes ? { provider: 'stripe' } : { hyperswitch_payment_id: hyperswitchPaymentId }),
      by: request.principal,
      ...(terms.captureMethod === 'automatic' ? {} : { capture: terms.captureMethod }),
      ...(terms.profileId === null ? {} : { profile_id: terms.profileId }),
    },
  });
  return toPayment(row);
}
