import { type Certainty, certaintyAtClaim } from '../../domain/calls/certainty.js';
import type { PaymentId } from '../../domain/ids.js';
import type { Database } from '../database.js';
import { moveOrder } from '../marketplace/order-status.js';
import { isOpen, type LockedPayment, lockPayment, lockWithOrder } from '../marketplace/payment-row.js';
import type { Applied, ClaimedPayment, HyperswitchClaim, PaymentReading } from './call-types.js';
import {
  type AbsentOutcome,
  askUnread,
  claimRow,
  type Held,
  leaves,
  noteAbsent,
  type Question,
  refuseRow,
  type UnreadOutcome,
  unread,
} from './hyperswitch-rows.js';
import { createPaymentCancels } from './payment-cancels.js';
import { createPaymentCaptures } from './payment-captures.js';
import { type Reader, readPaymentInto } from './payment-readings.js';
import { stopped } from './stripe-calls.js';
import { leavesForStripe, type StripeLeaving, type StripeSending } from './stripe-made.js';

/** The calls that make and follow one payment at Hyperswitch, and what its answers change here. */
export function createPaymentCalls(database: Database, parts: Omit<Reader, 'query'>) {
  return {
    ...createPaymentCancels(database),
    ...createPaymentCaptures(database),
    claimPayment: (id: PaymentId, runner: string, holdMs: number): Promise<HyperswitchClaim<ClaimedPayment>> =>
      database.transaction(async (query) => {
        const row = await lockPayment(query, id);
        return await claimRow(query, 'payments', { row, claim: toClaim(row), runner, holdMs });
      }),

    /** In flight from here on. @returns what is to be sent; undefined: the claim lapsed, nothing may be sent */
    paymentLeaves: (sending: Held<PaymentId> & { readonly params: string }): Promise<string | undefined | null> =>
      leaves(database, 'payments', sending),

    /** The same for Stripe, whose keys are forgotten. */
    paymentLeavesForStripe: (sending: StripeSending<PaymentId>): Promise<StripeLeaving> =>
      leavesForStripe(database, 'payments', sending),
    /** @returns why its bytes may not leave for Stripe any more; undefined: they may */
    paymentStopped: (id: PaymentId, runner: string): Promise<string | undefined> =>
      stopped(database.query, 'payments', { id, runner }),

    /** No reading: what happened is unknown, or (refused) absent; also gives the claim back. */
    paymentUnread: (outcome: UnreadOutcome<PaymentId>): Promise<void> => unread(database, 'payments', outcome),
    paymentAbsent: (outcome: AbsentOutcome<PaymentId>): Promise<number> => noteAbsent(database, 'payments', outcome),
    askAboutPayment: (asked: Held<PaymentId> & Question & { readonly certainty: Certainty }): Promise<void> =>
      askUnread(database, 'payments', asked),

    /** The provider refused the payment for good: it is failed, and so is the order. */
    paymentRefused: ({ id, runner, detail }: { id: PaymentId; runner: string; detail: string }): Promise<void> =>
      database.transaction(async (query) => {
        const row = await lockWithOrder(query, id);
        const isRefused = await refuseRow(query, 'payments', {
          row,
          runner,
          detail,
          set: 'sealed_client_secret = NULL, sealed_key_id = NULL',
        });
        if (isRefused) await moveOrder(query, row.order_id, 'payment_failed');
      }),

    applyPayment: (reading: PaymentReading): Promise<Applied> =>
      database.transaction(async (query) => {
        const row = await lockWithOrder(query, reading.paymentId);
        return await readPaymentInto({ query, ...parts }, row, reading);
      }),
  };
}

const toClaim = (row: LockedPayment): ClaimedPayment => ({
  id: row.id,
  orderId: row.order_id,
  amount: BigInt(row.amount),
  currency: row.currency,
  key: row.idempotency_key,
  certainty: certaintyAtClaim(row.certainty),
  refusal: row.refusal,
  hyperswitchPaymentId: row.hyperswitch_payment_id ?? '',
  stripePaymentId: row.provider === 'stripe' ? row.connector_transaction_id : null,
  terms: { captureMethod: row.capture_method, profileId: row.profile_id, passedOn: row.passed_on },
  ageMs: row.age_ms,
  givenUp: row.written_off_at !== null && row.certainty === 'done' && !row.provider_final && !isOpen(row.status),
});
