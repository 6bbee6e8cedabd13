import type { Certainty } from '../../domain/calls/certainty.js';
import { paymentCancelKey, stripeCancelKey } from '../../domain/calls/idempotency-keys.js';
import type { PaymentId } from '../../domain/ids.js';
import { isAbandoned } from '../../domain/marketplace/payment-expiry.js';
import type { Database } from '../database.js';
import { isOpen, lockPayment } from '../marketplace/payment-row.js';
import { isPaused } from '../provider-pauses.js';
import { recordEvent } from '../transition.js';
import type { ClaimedCancel } from './call-types.js';
import { heldElsewhereMs, holdRow } from './holds.js';
import type { Held } from './hyperswitch-rows.js';
import { openCapture } from './payment-captures.js';

/** The call that cancels a payment at its provider: a money call, whose outcome is what is read of the payment afterwards. */
export function createPaymentCancels(database: Database) {
  return {
    /** In flight from here on. @returns undefined: nobody asks for it, it is no longer due, somebody else is at work, or its provider is paused */
    claimCancel: (
      held: Held<PaymentId> & { readonly holdMs: number; readonly expiryMs: number },
    ): Promise<ClaimedCancel | undefined> =>
      database.transaction(async (query) => {
        const { id, runner, holdMs, expiryMs } = held;
        const row = await lockPayment(query, id);
        if (await isPaused(query, row.provider)) return undefined;
        const expired = isAbandoned(row.provider_status, { ageMs: row.age_ms, expiryMs });
        if (!isOpen(row.status) || row.certainty !== 'done' || heldElsewhereMs(row, runner) > 0) return undefined;
        // What the expiry began ends when the buyer comes back; only somebody's word outlasts that. What is being captured goes first.
        if (!expired && row.cancel_asked_by !== 'decision' && row.cancel_asked_by !== 'request') return undefined;
        if (await openCapture(query, id)) return undefined;
        await holdRow(query, 'payments', { id, runner, holdMs, certainty: row.certainty });
        const certainty =
          row.cancel_certainty === 'unknown' || row.cancel_certainty === 'in_flight' ? 'unknown' : 'in_flight';
        await query(
          `UPDATE payments SET cancel_asked_at = coalesce(cancel_asked_at, clock_now()),
             cancel_asked_by = coalesce(cancel_asked_by, 'expiry'), cancel_certainty = $2,
             cancel_attempts = cancel_attempts + 1 WHERE id = $1`,
          [id, certainty],
        );
        const name = row.provider === 'stripe' ? row.connector_transaction_id : row.hyperswitch_payment_id;
        if (name === null) throw new Error(`payment ${id} has no name at ${row.provider}`);
        const key =
          row.provider === 'stripe'
            ? stripeCancelKey(row.order_id, row.cancel_attempts + 1)
            : paymentCancelKey(row.order_id);
        await recordEvent(query, {
          kind: 'payment',
          id,
          what: 'cancel_sent',
          certainty,
          key,
          detail: { runner, expired },
        });
        const { amount, currency } = row;
        return { key, name, amount: BigInt(amount), currency };
      }),

    /**
     * What became of it. Refused, or without effect, it is asked for again by whoever still wants it: by the expiry at the
     * next reading, by a person with another decision. Of a payment that has ended the reading has said it: an answer that
     * comes later knows less.
     */
    cancelAnswered: ({
      id,
      certainty,
      detail,
      again = false,
    }: {
      id: PaymentId;
      certainty: Certainty;
      detail: string;
      /** It did not arrive, and a request for it stays. */
      again?: boolean | undefined;
    }): Promise<void> =>
      database.transaction(async (query) => {
        await query(
          `UPDATE payments SET cancel_certainty = $2,
             cancel_asked_at = CASE WHEN $2 = 'absent' AND NOT ($3 AND cancel_asked_by = 'request') THEN NULL ELSE cancel_asked_at END,
             cancel_asked_by = CASE WHEN $2 = 'absent' AND NOT ($3 AND cancel_asked_by = 'request') THEN NULL ELSE cancel_asked_by END
           WHERE id = $1 AND cancel_certainty IN ('in_flight', 'unknown')`,
          [id, certainty, again],
        );
        await recordEvent(query, { kind: 'payment', id, what: 'cancel_answered', certainty, detail: { detail } });
      }),
  };
}
