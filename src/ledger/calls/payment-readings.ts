import type { Certainty } from '../../domain/calls/certainty.js';
import type { PaymentReadFacts } from '../../domain/calls/provider-answers.js';
import type { Clock } from '../../domain/clock.js';
import { type Captured, capturedOf, isSameCaptured } from '../../domain/marketplace/captured.js';
import type { FeePolicy } from '../../domain/marketplace/lines.js';
import { PROVIDER_NAMES } from '../../domain/marketplace/marketplace.js';
import { PAYMENT_TRANSITIONS, type PaymentStatus } from '../../domain/marketplace/marketplace-status.js';
import { isCapturable } from '../../domain/marketplace/payment-capture.js';
import { isLeft } from '../../domain/marketplace/payment-expiry.js';
import { dropAttention, pendingRequest, withdrawRequests } from '../decisions/decision-rows.js';
import { acceptPart, asAccepted, partThatPays } from '../marketplace/accept-captured.js';
import { lockName } from '../marketplace/external-payments.js';
import { bookPlatform } from '../marketplace/follow-lines.js';
import { moveOrder, orderPaid, wakeTransfers } from '../marketplace/order-status.js';
import { capturedIn, isOpen, type LockedPayment } from '../marketplace/payment-row.js';
import { sealClientSecret } from '../marketplace/payments.js';
import { bookGivenBack } from '../money-that-leaves/given-back.js';
import { asksAboutUnnamed } from '../money-that-leaves/unnamed-refunds.js';
import type { Sealer } from '../sealer.js';
import { mustMove, type Query, recordEvent } from '../transition.js';
import type { Applied, PaymentReading } from './call-types.js';
import { readCapture, type SeenCapture } from './capture-readings.js';
import { ask, type Question, SWEEP_AFTER, SWEEP_AFTER_MS } from './hyperswitch-rows.js';

export interface Reader {
  readonly query: Query;
  readonly sealer: Sealer;
  readonly clock: Clock;
  /** Of what is given back outside a refund. */
  readonly refundFee: FeePolicy;
  /** How long a buyer's money may be held before a person is asked whether it is to be captured; default: 6 days. */
  readonly captureOverdueMs?: number | undefined;
}

/** A card's bank holds money for seven. */
const SIX_DAYS_MS = 6 * 86_400_000;

/** What was read of a payment becomes what we know of it. The caller holds the order and the payment. */
export async function readPaymentInto(reader: Reader, row: LockedPayment, read: PaymentReading): Promise<Applied> {
  const { query, captureOverdueMs = SIX_DAYS_MS } = reader;
  const other = await paysOther(query, row, read.facts);
  // What pays another order is not the name of this payment.
  const said = other ? withoutName(row, read.facts) : read.facts;
  const captured = capturedOf({ ...row, captured: capturedIn(row) }, said);
  if (!other) await followCaptures(query, row, { facts: said, captured, runner: read.runner });
  const facts = asAccepted(row, said);
  const reading = { ...read, facts };
  const question = other ?? questionOf(row, facts, captureOverdueMs);
  const status = question ? whileAsked(row.status) : facts.status;
  const moves = status !== row.status && PAYMENT_TRANSITIONS[row.status].includes(status);
  await saveReading(reader, row, { reading, question, open: isOpen(moves ? status : row.status), captured });
  const started = moves ? await move(reader, row, status) : [];
  if (captured.surely !== BigInt(row.captured)) await bookPlatform(query, row.order_id);
  const settled = givenUpLike(row, facts, captured) || (await isGivenBack(reader, row, facts));
  const contradiction = moves || settled ? null : contradictionOf(row, facts, questionOf(row, facts, captureOverdueMs));
  const asked = contradiction ?? (settled ? null : question);
  if (asked) await askAbout(query, row, { question: asked, isNews: !isReadBefore(row, facts, captured) });
  else if (row.attention_reason !== null && !(await asksAboutUnnamed(query, row.id)))
    await answered(query, row, status);
  if (status !== row.status && !moves)
    await recordEvent(query, {
      kind: 'payment',
      id: row.id,
      what: 'contradicted',
      detail: { is: row.status, said: status },
    });
  return { status: moves ? status : row.status, started };
}

/** Where it is captured by hand: which parts are, and whether that is all, so that it pays the order. */
async function followCaptures(query: Query, row: LockedPayment, seen: SeenCapture): Promise<void> {
  if (row.capture_method === 'automatic') return;
  await readCapture(query, row, seen);
  const part = await partThatPays(query, row, seen);
  if (part === null) return;
  await acceptPart(query, row, part);
  row.accepted = part.toString();
}

/** Money that is there, or was, and is not exactly what the order asked for: nobody but a person can tell what it is for. */
function questionOf(row: LockedPayment, facts: PaymentReadFacts, captureOverdueMs: number): Question | null {
  const differs = 'payment_amount_differs' as const;
  const at = PROVIDER_NAMES[row.provider];
  const said = `${at} calls it ${facts.providerStatus}`;
  const shown = `${facts.amountReceived ?? 'an unknown part'} of ${facts.amount} ${facts.currency} captured`;
  if (isTaken(row, facts)) return null;
  if (facts.currency !== row.currency || facts.amount !== BigInt(row.amount))
    return {
      reason: differs,
      detail: `${at} holds ${facts.amount} ${facts.currency} for this payment of ${row.amount} ${row.currency}`,
    };
  if (facts.status === 'succeeded' && facts.amountReceived !== null && facts.amountReceived !== dueIn(row))
    return {
      reason: differs,
      detail: `${at} captured ${facts.amountReceived} of ${facts.amount} ${facts.currency}`,
    };
  if (isHeld(row, facts)) return overdue(row, captureOverdueMs);
  if (facts.asks === null && isOver(facts) && (facts.amountReceived ?? 0n) > 0n)
    return {
      reason: differs,
      detail: `${said}, ${shown}: accept_capture pays the sellers their part of it, a refund gives it back`,
    };
  switch (facts.asks) {
    case null:
      return null;
    case 'payment_amount_differs':
      return {
        reason: differs,
        detail: `${said}, ${shown}: accept_capture pays the sellers their part of what was captured, a refund gives it back, or capture the rest or cancel it at ${at}`,
      };
    case 'unknown_status':
      return {
        reason: 'unknown_status',
        detail: `${said}, ${shown}, and nothing follows by itself: finish it at ${at}, cancel it, or write it off`,
      };
  }
}

/** Read as what paid the order (`asAccepted`). */
const isTaken = ({ accepted }: LockedPayment, { status, amountReceived }: PaymentReadFacts): boolean =>
  accepted !== null && status === 'succeeded' && amountReceived === BigInt(accepted);

/** What has to have been captured where it succeeded. */
const dueIn = ({ accepted, amount }: LockedPayment): bigint => BigInt(accepted ?? amount);

const isOver = ({ status }: PaymentReadFacts): boolean => status === 'cancelled' || status === 'failed';

/** The buyer's money is held, as was asked for, until it is captured or called off. */
const isHeld = (row: LockedPayment, { providerStatus }: PaymentReadFacts): boolean =>
  row.accepted === null &&
  (row.capture_method === 'automatic'
    ? false
    : row.capture_method === 'manual'
      ? providerStatus === 'requires_capture'
      : isCapturable(providerStatus));

const overdue = ({ held_money_ms: heldMs }: LockedPayment, captureOverdueMs: number): Question | null =>
  heldMs === null || heldMs < captureOverdueMs
    ? null
    : {
        reason: 'capture_overdue',
        detail: `the buyer's money has been held for longer than CAPTURE_OVERDUE, and lapses by itself: capture it (POST /api/v1/payments/{id}/capture), or cancel it`,
      };

/** One payment at the processor pays one order: another checkout's may have been told of for another one before. */
async function paysOther(
  query: Query,
  { id, provider }: LockedPayment,
  { connector, connectorTransactionId: name }: PaymentReadFacts,
): Promise<Question | null> {
  if (connector !== 'stripe' || name === null) return null;
  await lockName(query, name);
  const [other] = await query<{ order_id: string }>(
    `SELECT order_id FROM payments WHERE connector = 'stripe' AND connector_transaction_id = $1 AND id <> $2`,
    [name, id],
  );
  return other
    ? {
        reason: 'conflict',
        detail: `${PROVIDER_NAMES[provider]} says that ${name} at Stripe paid this order, and it pays order ${other.order_id} already: find out at Stripe whose money it is`,
      }
    : null;
}

/** Of a payment at Stripe its name is all there is: what is captured under another's is not this one's. */
const withoutName = ({ provider }: LockedPayment, facts: PaymentReadFacts): PaymentReadFacts => ({
  ...facts,
  connectorTransactionId: null,
  ...(provider === 'stripe' && { amountReceived: 0n, capturedByWord: 'nothing' as const }),
});

/** The buyer can no more pay it than we can take it further. */
const whileAsked = (status: PaymentStatus): PaymentStatus => (isOpen(status) ? 'processing' : status);

/**
 * Hyperswitch has cancelled what paid the order after it was captured: like a refund of all that is kept, made in its dashboard. Where a
 * refund of it is under way, which may give the same back, or has failed, and nobody knows before or after the cancel, a person is asked.
 */
async function isGivenBack(
  { query, clock, refundFee: fee }: Reader,
  row: LockedPayment,
  facts: PaymentReadFacts,
): Promise<boolean> {
  const fits = facts.amount === BigInt(row.amount) && facts.currency === row.currency;
  if (row.status !== 'succeeded' || facts.capturedByWord !== 'given_back' || !fits) return false;
  const { kept, under_way: underWay, failed } = await keptOf(query, row);
  if (underWay || !row.captured_known || (failed && kept > 0n)) return false;
  const { order_id: order, id: payment, currency } = row;
  if (kept > 0n) await bookGivenBack(query, clock, { order, payment, amount: kept, currency, fee });
  return true;
}

interface Kept {
  readonly kept: bigint;
  readonly under_way: boolean;
  /** One that Hyperswitch had. */
  readonly failed: boolean;
}

async function keptOf(query: Query, { id, captured }: LockedPayment): Promise<Kept> {
  const [sum] = await query<{ given_back: string; under_way: boolean; failed: boolean }>(
    `SELECT coalesce(sum(amount) FILTER (WHERE status = 'succeeded'), 0) AS given_back,
       coalesce(bool_or(status IN ('pending', 'review')), false) AS under_way,
       coalesce(bool_or(status = 'failed' AND read_at IS NOT NULL), false) AS failed FROM refunds WHERE payment_id = $1`,
    [id],
  );
  const { given_back: givenBack = '0', under_way = false, failed = false } = sum ?? {};
  return { kept: BigInt(captured) - BigInt(givenBack), under_way, failed };
}

/** Sellers may have been paid of it already, or have paid it back. */
function contradictionOf(row: LockedPayment, facts: PaymentReadFacts, question: Question | null): Question | null {
  if (row.status !== 'succeeded') return null;
  if (facts.status === 'succeeded' && question === null)
    return row.said_given_back === null
      ? null
      : {
          reason: 'conflict',
          detail: `the buyer was said to have the money (refund ${row.said_given_back}), and ${PROVIDER_NAMES[row.provider]} calls the payment succeeded again: find out there who has it; not_given_back ends that refund, write_off lets it stand`,
        };
  return {
    reason: 'conflict',
    detail: `the order was paid, and ${PROVIDER_NAMES[row.provider]} now calls the payment ${facts.providerStatus}, ${facts.amountReceived ?? 'an unknown part'} of ${facts.amount} ${facts.currency} captured: find out there whether the money is still ours`,
  };
}

/** A person has settled exactly this already, and nothing else has been asked since. */
const givenUpLike = (row: LockedPayment, facts: PaymentReadFacts, captured: Captured): boolean =>
  row.written_off_at !== null && row.attention_reason === null && isReadBefore(row, facts, captured);

const isReadBefore = (row: LockedPayment, facts: PaymentReadFacts, captured: Captured): boolean =>
  facts.providerStatus === row.provider_status && isSameCaptured(captured, capturedIn(row));

interface Asked {
  readonly question: Question;
  readonly isNews: boolean;
}

/** A write-off gives up what was read last: nobody approves one that was asked for about something else. */
async function askAbout(
  query: Query,
  { id, provider, attention_reason: was }: LockedPayment,
  { question, isNews }: Asked,
): Promise<void> {
  const pending = was === 'approval_pending' ? await pendingRequest(query, 'payment', id) : undefined;
  if (pending && (isNews || pending.asked_detail !== question.detail)) {
    await withdrawRequests(query, 'payment', id, `${PROVIDER_NAMES[provider]} answers otherwise since`);
    await dropAttention(query, 'payments', id);
  }
  await ask(query, 'payments', { id, ...question });
}

interface Save {
  readonly reading: PaymentReading;
  readonly question: Question | null;
  /** A buyer may still pay it here: nothing of one that has ended is kept for him, whatever the provider says of it later. */
  readonly open: boolean;
  readonly captured: Captured;
}

async function saveReading({ query, sealer }: Reader, row: LockedPayment, save: Save): Promise<void> {
  const { reading, question, open, captured } = save;
  const { facts, runner, readAgainMs } = reading;
  const secret = open && facts.clientSecret !== null ? sealClientSecret(sealer, row.id, facts.clientSecret) : null;
  await query(
    `UPDATE payments SET certainty = 'done', provider_status = $2, detail = $3, read_at = clock_now(), last_answer = 'read',
       refusal = NULL, captured = $8, captured_known = $11, provider_final = $12,
       authorized_at = CASE WHEN $15::boolean THEN coalesce(authorized_at, clock_now()) END,
       connector = coalesce($13, connector), connector_transaction_id = coalesce($14, connector_transaction_id),
       cancel_certainty = CASE WHEN cancel_certainty IN ('in_flight', 'unknown') THEN coalesce($10, cancel_certainty) ELSE cancel_certainty END,
       cancel_asked_at = CASE WHEN $16 AND cancel_asked_by = 'expiry' THEN NULL ELSE cancel_asked_at END,
       cancel_asked_by = CASE WHEN $16 AND cancel_asked_by = 'expiry' THEN NULL ELSE cancel_asked_by END,
       sealed_client_secret = coalesce($4, CASE WHEN $7 THEN sealed_client_secret END),
       sealed_key_id = coalesce($5, CASE WHEN $7 THEN sealed_key_id END),
       runner = CASE WHEN runner = $6 THEN NULL ELSE runner END,
       runner_until = CASE WHEN runner = $6 THEN NULL ELSE runner_until END,
       next_check_at = CASE WHEN status IN ('pending', 'processing') THEN clock_now() + $9 * interval '1 millisecond' ELSE next_check_at END
     WHERE id = $1`,
    [
      row.id,
      facts.providerStatus,
      question?.detail ?? null,
      secret?.bytes ?? null,
      secret?.keyId ?? null,
      runner,
      open,
      captured.surely.toString(),
      (readAgainMs ?? 0) + SWEEP_AFTER_MS,
      // What does not fit this payment shows nothing of its cancel.
      question === null ? cancelShown(facts) : null,
      captured.known,
      facts.final,
      facts.connector,
      facts.connectorTransactionId,
      isHeld(row, facts),
      // Its buyer has come back: what its expiry began is over, whatever became of it.
      open && question === null && !isLeft(facts.providerStatus),
    ],
  );
}

/** What a payment that has ended shows of a cancel that nobody lived to record; null: it may still be carried out. */
const cancelShown = ({ status, final, providerStatus }: PaymentReadFacts): Certainty | null =>
  status === 'cancelled' || (final && status === 'succeeded' && providerStatus !== status)
    ? 'done'
    : status === 'succeeded' || status === 'failed'
      ? 'absent'
      : null;

async function move({ query, clock }: Reader, row: LockedPayment, status: PaymentStatus): Promise<Applied['started']> {
  await mustMove(query, 'payments', {
    id: row.id,
    from: row.status,
    to: status,
    set: isOpen(status) ? `next_check_at = clock_now() + ${SWEEP_AFTER}` : 'next_check_at = NULL',
  });
  await recordEvent(query, { kind: 'payment', id: row.id, what: status, certainty: 'done', key: row.idempotency_key });
  if (status === 'succeeded') return await orderPaid(query, clock, row.order_id);
  if (status === 'failed' || status === 'cancelled') await moveOrder(query, row.order_id, 'payment_failed');
  return [];
}

/** What was asked has been answered by what Hyperswitch says now; what only its answer to a person can end, it ends. */
async function answered(query: Query, row: LockedPayment, status: PaymentStatus): Promise<void> {
  if (row.attention_reason === 'approval_pending' && isOpen(status)) return;
  await withdrawRequests(
    query,
    'payment',
    row.id,
    `${PROVIDER_NAMES[row.provider]} answered it: the payment is ${status} now`,
  );
  await dropAttention(query, 'payments', row.id);
  await wakeTransfers(query, row.order_id);
  await recordEvent(query, {
    kind: 'payment',
    id: row.id,
    what: 'attention_over',
    detail: { was: row.attention_reason },
  });
}
