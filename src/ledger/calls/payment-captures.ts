import type { Certainty } from '../../domain/calls/certainty.js';
import { captureKey, paymentCancelKey, stripeCancelKey } from '../../domain/calls/idempotency-keys.js';
import { KEY_REUSABLE_MS } from '../../domain/calls/key-age.js';
import type { CaptureId, PaymentId } from '../../domain/ids.js';
import { isCapturable } from '../../domain/marketplace/payment-capture.js';
import type { Database } from '../database.js';
import type { RequestKey } from '../marketplace/marketplace-types.js';
import { isOpen, type LockedPayment, lockPayment, lockWithOrder } from '../marketplace/payment-row.js';
import { lockRequest, tieRequest } from '../marketplace/request-keys.js';
import { isPaused } from '../provider-pauses.js';
import { type Query, recordEvent } from '../transition.js';
import type { CancelAsked, CaptureAsked, ClaimedCapture } from './call-types.js';
import { heldElsewhereMs, holdRow } from './holds.js';
import type { Held } from './hyperswitch-rows.js';

export interface AskedCapture {
  readonly id: CaptureId;
  readonly paymentId: PaymentId;
  /** Null: all that is left. */
  readonly amount: bigint | null;
  /** Nothing more is to be captured after it; null: where it is all that is left, or the payment is captured once. */
  readonly final: boolean | null;
}

/** The calls that capture a payment by hand: money calls, each a row before it is sent. */
export function createPaymentCaptures(database: Database) {
  return {
    /** The part is to be captured: a row, nothing sent. The same request names the same part. */
    askCapture: (asked: AskedCapture, request: RequestKey): Promise<CaptureAsked> =>
      database.transaction(async (query) => {
        const made = await lockRequest(query, request);
        if (made !== null) return { kind: 'asked', id: made as CaptureId };
        const row = await lockPayment(query, asked.paymentId);
        const refused = await whyNoCapture(query, row);
        if (refused) return refused;
        const left = BigInt(row.amount) - BigInt(row.captured);
        const amount = asked.amount ?? left;
        if (amount > left) return { kind: 'exceeds', left };
        const final = amount === left || row.capture_method === 'manual' || (asked.final ?? asked.amount === null);
        await insertCapture(query, { ...asked, amount, final }, request.principal);
        await tieRequest(query, request, asked.id);
        return { kind: 'asked', id: asked.id };
      }),

    /**
     * In flight from here on. Stripe repeats its first answer to a key, so there what may have arrived is sent again with it, after it was
     * read. @returns undefined: none is due, somebody else is at work, or its provider is paused
     */
    claimCapture: (held: Held<PaymentId> & { readonly holdMs: number }): Promise<ClaimedCapture | undefined> =>
      database.transaction(async (query) => {
        const { id, runner, holdMs } = held;
        const row = await lockPayment(query, id);
        if (await isPaused(query, row.provider)) return undefined;
        const isDue = isOpen(row.status) && row.certainty === 'done' && isCapturable(row.provider_status);
        if (!isDue || !row.captured_known || isCancelling(row) || heldElsewhereMs(row, runner) > 0) return undefined;
        const name = row.provider === 'stripe' ? row.connector_transaction_id : row.hyperswitch_payment_id;
        if (name === null) return undefined;
        const [capture] = await query<SentRow>(
          `UPDATE payment_captures SET certainty = CASE certainty WHEN 'unknown' THEN certainty ELSE 'in_flight' END, attempts = attempts + 1, captured_before = $2, sent_by = $3,
             absences = 0, last_absence_at = NULL, sent_at = clock_now(),
             key_first_sent_at = CASE WHEN $4 = 'stripe' THEN coalesce(key_first_sent_at, clock_now()) END
           WHERE payment_id = $1 AND status = 'open' AND (certainty IN ('not_sent', 'absent') OR ${KEY_STILL_HELPS})
           RETURNING id, amount, idempotency_key, attempts, certainty`,
          [id, row.captured, runner, row.provider],
        );
        if (!capture) return undefined;
        await holdRow(query, 'payments', { id, runner, holdMs, certainty: row.certainty });
        const { id: captureId, idempotency_key: key, amount, attempts, certainty } = capture;
        const detail = { capture: captureId, amount, attempt: attempts, runner, captured_before: row.captured };
        await recordEvent(query, { kind: 'payment', id, what: 'capture_sent', certainty, key, detail });
        return {
          id: captureId,
          key,
          name,
          amount: BigInt(amount),
          paymentAmount: BigInt(row.amount),
          currency: row.currency,
        };
      }),

    /** What was said of it, where no reading has told more by now. */
    captureAnswered: (answered: CaptureAnswered): Promise<void> =>
      database.transaction((query) => recordAnswer(query, answered)),

    /** The payment is to be called off, or what is left of it: nothing more is captured. Said again it changes nothing. */
    askCancel: (id: PaymentId, by: string): Promise<CancelAsked> =>
      database.transaction(async (query) => {
        const row = await lockWithOrder(query, id);
        if (row.taken_elsewhere) return { kind: 'elsewhere' };
        if (row.status === 'cancelled') return { kind: 'asked' };
        if (!isOpen(row.status)) return { kind: 'ended', status: row.status };
        if (row.cancel_asked_at !== null) return { kind: 'asked' };
        if (await openCapture(query, id)) return { kind: 'capture_under_way' };
        await query(
          `UPDATE payments SET cancel_asked_at = clock_now(), cancel_asked_by = 'request', next_check_at = clock_now(),
             captures_closed_at = CASE WHEN captured > 0 THEN coalesce(captures_closed_at, clock_now()) ELSE captures_closed_at END
           WHERE id = $1`,
          [id],
        );
        const key =
          row.provider === 'stripe'
            ? stripeCancelKey(row.order_id, row.cancel_attempts + 1)
            : paymentCancelKey(row.order_id);
        await recordEvent(query, { kind: 'payment', id, what: 'cancel_asked', key, detail: { by } });
        return { kind: 'asked' };
      }),
  };
}

const KEY_KNOWN = `key_first_sent_at > clock_now() - interval '${KEY_REUSABLE_MS} milliseconds'`;

/** Sooner at first, then every ten minutes: what Stripe only repeats moves nothing. */
const KEY_STILL_HELPS = `(certainty = 'unknown' AND ${KEY_KNOWN}
  AND sent_at <= clock_now() - least(attempts * attempts * interval '5 seconds', interval '10 minutes'))`;

interface SentRow {
  readonly [column: string]: unknown;
  readonly id: CaptureId;
  readonly amount: string;
  readonly idempotency_key: string;
  readonly attempts: number;
  readonly certainty: Certainty;
}

export interface CaptureAnswered {
  readonly id: PaymentId;
  readonly capture: CaptureId;
  /**
   * `nothing`: it surely did not arrive, and is sent again; `refused`: it is not; `unknown`: what is read of the payment tells.
   */
  readonly said: 'unknown' | 'nothing' | 'refused';
  readonly detail: string;
}

async function recordAnswer(query: Query, { id, capture, said, detail }: CaptureAnswered): Promise<void> {
  await lockPayment(query, id);
  const certainty = said === 'unknown' ? 'unknown' : 'absent';
  // Of one that was sent again with its key only Stripe's own no to that key tells more than nobody knew before.
  await query(
    `UPDATE payment_captures SET certainty = $2, detail = $3, status = CASE WHEN $4 THEN 'refused' ELSE status END,
       ended_at = CASE WHEN $4 THEN clock_now() END
     WHERE id = $1 AND status = 'open'
       AND (certainty = 'in_flight' OR ($4 AND certainty = 'unknown' AND ${KEY_KNOWN}))`,
    [capture, certainty, detail, said === 'refused'],
  );
  const what = 'capture_answered';
  await recordEvent(query, { kind: 'payment', id, what, certainty, detail: { capture, said, detail } });
}

/** Somebody wants it. What was sent without an answer before its buyer came back is told by what is read of the payment. */
const isCancelling = ({ cancel_asked_at }: LockedPayment): boolean => cancel_asked_at !== null;

async function whyNoCapture(query: Query, row: LockedPayment): Promise<CaptureAsked | undefined> {
  if (row.capture_method === 'automatic') return { kind: 'automatic' };
  if (!isOpen(row.status)) return { kind: 'ended', status: row.status };
  if (isCancelling(row)) return { kind: 'cancelling' };
  if (row.captures_closed_at !== null) return { kind: 'closed' };
  if (await openCapture(query, row.id)) return { kind: 'under_way' };
  return row.certainty === 'done' && row.captured_known && isCapturable(row.provider_status)
    ? undefined
    : { kind: 'not_held', providerStatus: row.provider_status };
}

/** Asked for, and nobody knows its end yet. */
export async function openCapture(query: Query, payment: PaymentId): Promise<boolean> {
  const rows = await query(`SELECT 1 FROM payment_captures WHERE payment_id = $1 AND status = 'open'`, [payment]);
  return rows.length > 0;
}

async function insertCapture(
  query: Query,
  {
    id,
    paymentId,
    amount,
    final,
  }: { readonly id: CaptureId; readonly paymentId: PaymentId; readonly amount: bigint; readonly final: boolean },
  by: string,
): Promise<void> {
  await query(
    `INSERT INTO payment_captures (id, payment_id, amount, final, idempotency_key, asked_by) VALUES ($1, $2, $3, $4, $5, $6)`,
    [id, paymentId, amount.toString(), final, captureKey(id), by],
  );
  // Only what its own request leaves behind is found by the sweep.
  await query(
    `UPDATE payments SET next_check_at = least(next_check_at, clock_now() + interval '30 seconds') WHERE id = $1`,
    [paymentId],
  );
  await recordEvent(query, {
    kind: 'payment',
    id: paymentId,
    what: 'capture_asked',
    certainty: 'not_sent',
    key: captureKey(id),
    detail: { capture: id, amount: amount.toString(), final, by },
  });
}
