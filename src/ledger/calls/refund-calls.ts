import { type Certainty, certaintyAtClaim } from '../../domain/calls/certainty.js';
import { refundKey } from '../../domain/calls/idempotency-keys.js';
import type { RefundFacts } from '../../domain/calls/provider-answers.js';
import type { OrderId, PaymentId, RefundId } from '../../domain/ids.js';
import type { FeePolicy } from '../../domain/marketplace/lines.js';
import type { RefundStatus } from '../../domain/marketplace/marketplace-status.js';
import { overdueReadMs, REFUND_EXPECTED_MS } from '../../domain/marketplace/overdue.js';
import type { Database } from '../database.js';
import { dropAttention, isGivenUp, pendingRequest, withdrawRequests } from '../decisions/decision-rows.js';
import { lockOrder, lockOrderOf } from '../marketplace/seller-shares.js';
import { failedThere, stillSucceeded } from '../money-that-leaves/unnamed-refunds.js';
import { type Query, recordEvent } from '../transition.js';
import type { Applied, ClaimedRefund, HyperswitchClaim, RefundReading } from './call-types.js';
import type { Holdable } from './holds.js';
import {
  type AbsentOutcome,
  ask,
  askUnread,
  claimRow,
  type Held,
  leaves,
  noteAbsent,
  type Question,
  refuseRow,
  SWEEP_AFTER_MS,
  type UnreadOutcome,
  unread,
} from './hyperswitch-rows.js';
import { asksAboutShares, beyondPaid, follow, nameAgain, type ReadRefund } from './refund-moves.js';
import { followReleases } from './releases.js';
import { stopped } from './stripe-calls.js';
import { leavesForStripe, type StripeLeaving, type StripeSending } from './stripe-made.js';

interface LockedRefund extends Holdable, ReadRefund {
  id: RefundId;
  status: RefundStatus;
  reason: string;
  certainty: Certainty;
  hyperswitch_refund_id: string | null;
  connector_refund_id: string | null;
  connector_succeeded: boolean | null;
  hyperswitch_payment_id: string | null;
  stripe_payment_id: string | null;
  refusal: string | null;
  paid_currency: string;
  age_ms: number;
  waits: boolean;
  unconverted: boolean;
}

const ROW = `SELECT r.id, r.order_id, r.payment_id, r.amount, r.currency, r.reason, r.status, r.certainty, r.idempotency_key,
    r.hyperswitch_refund_id, r.connector_refund_id, r.connector_succeeded, p.hyperswitch_payment_id, CASE WHEN p.provider = 'stripe' THEN p.connector_transaction_id END AS stripe_payment_id, r.refusal, r.origin, p.captured, p.captured_known, p.amount AS paid_amount, r.runner, r.attention_reason, r.attention_since, r.attention_detail,
    p.currency AS paid_currency, (extract(epoch FROM r.runner_until - clock_now()) * 1000)::float8 AS held_ms,
    (extract(epoch FROM clock_now() - r.created_at) * 1000)::float8 AS age_ms, r.waiting_since IS NOT NULL AND r.certainty <> 'done' AS waits,
    coalesce(p.charge_of = p.connector_transaction_id AND p.charge_currency = r.currency, false) AS unconverted
  FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.id = $1`;

/** The calls that make and follow one refund at Hyperswitch, and what its answers change here. */
export function createRefundCalls(database: Database, usualFee: FeePolicy) {
  const apply = (reading: RefundReading): Promise<Applied> =>
    database.transaction(async (query) => {
      const row = await lockRefund(query, reading.refundId);
      const question =
        questionOf(row, reading.facts) ??
        (await namedOtherwise(query, row, reading.facts)) ??
        (await beyondPaid(query, row, reading.facts.status));
      const stands = row.attention_reason !== null && !isAnsweredByReading(row);
      const open = question !== null && !stands && !(await isGivenUp(query, 'refund', row.id, question));
      const named = question === null ? await answered(query, row) : [];
      await saveReading(query, row, reading, open);
      if (open) await ask(query, 'refunds', { id: row.id, ...question });
      // What does not fit is not believed, whatever a person has decided about it.
      if (question) return { status: row.status, started: [] };
      const { status, started } = await follow(query, row, reading.facts.status);
      return { status, started: [...named, ...started] };
    });

  return {
    claimRefund: (id: RefundId, runner: string, holdMs: number): Promise<HyperswitchClaim<ClaimedRefund>> =>
      database.transaction(async (query) => {
        const row = await lockRefund(query, id);
        return await claimRow(query, 'refunds', { row, claim: toClaim(row), runner, holdMs });
      }),

    refundLeaves: (sending: Held<RefundId> & { readonly params: string }): Promise<string | undefined | null> =>
      leaves(database, 'refunds', sending),

    /** The same for Stripe, whose keys are forgotten. */
    refundLeavesForStripe: (sending: StripeSending<RefundId>): Promise<StripeLeaving> =>
      leavesForStripe(database, 'refunds', sending),
    refundStopped: (id: RefundId, runner: string): Promise<string | undefined> =>
      stopped(database.query, 'refunds', { id, runner }),

    refundUnread: (outcome: UnreadOutcome<RefundId>): Promise<void> => unread(database, 'refunds', outcome),
    refundAbsent: (outcome: AbsentOutcome<RefundId>): Promise<number> => noteAbsent(database, 'refunds', outcome),
    askAboutRefund: (asked: Held<RefundId> & Question & { readonly certainty: Certainty }): Promise<void> =>
      askUnread(database, 'refunds', asked),

    /** The provider refused the refund for good: it is failed, the buyer got nothing. */
    refundRefused: ({ id, runner, detail }: { id: RefundId; runner: string; detail: string }): Promise<void> =>
      database.transaction(async (query) => {
        const row = await lockRefund(query, id);
        await refuseRow(query, 'refunds', { row, runner, detail, set: 'failed_at = clock_now()' });
        await followReleases(query, row.order_id);
      }),

    applyRefund: apply,

    /** A refund that we did not make: stored with origin `provider`, then as applyRefund. */
    async adoptRefund(
      paymentId: PaymentId,
      refundId: RefundId,
      facts: RefundFacts,
    ): Promise<Applied & { refundId: RefundId }> {
      const id = await database.transaction((query) =>
        insertFound(query, { paymentId, refundId, facts, fee: usualFee }),
      );
      return { ...(await apply({ refundId: id, runner: null, facts })), refundId: id };
    },
  };
}

/** Order first, then the refund: the order of all locks. */
async function lockRefund(query: Query, id: RefundId): Promise<LockedRefund> {
  await lockOrderOf(query, 'refunds', id);
  const [row] = await query<LockedRefund & { [column: string]: unknown }>(`${ROW} FOR UPDATE OF r`, [id]);
  if (!row) throw new Error(`refund ${id} is not in the ledger`);
  return row;
}

const toClaim = (row: LockedRefund): ClaimedRefund => ({
  id: row.id,
  orderId: row.order_id,
  amount: BigInt(row.amount),
  currency: row.currency,
  reason: row.reason,
  key: row.idempotency_key,
  certainty: certaintyAtClaim(row.certainty),
  refusal: row.refusal,
  paymentId: row.payment_id,
  origin: row.origin,
  hyperswitchPaymentId: row.hyperswitch_payment_id ?? '',
  stripePaymentId: row.stripe_payment_id,
  stripeRefundId: row.connector_refund_id,
  waits: row.waits,
  unconverted: row.unconverted,
  hyperswitchRefundId: row.hyperswitch_refund_id,
  ageMs: row.age_ms,
});

/** With what the refund is here: what it stands for has changed with that, so what was given up before is another question. */
function questionOf(row: LockedRefund, facts: RefundFacts): Question | null {
  const same =
    facts.hyperswitchRefundId === row.hyperswitch_refund_id &&
    facts.hyperswitchPaymentId === row.hyperswitch_payment_id &&
    facts.amount === BigInt(row.amount) &&
    facts.currency === row.currency &&
    facts.currency === row.paid_currency;
  if (!same) {
    return {
      reason: 'conflict',
      detail: `Hyperswitch holds ${facts.hyperswitchRefundId}, ${facts.providerStatus}, of ${facts.amount} ${facts.currency} of payment ${facts.hyperswitchPaymentId} for this refund (${row.status} here) of ${row.amount} ${row.currency} of a payment in ${row.paid_currency}`,
    };
  }
  if (row.connector_refund_id !== null && row.status === facts.status) {
    if (row.connector_succeeded === true && row.status === 'failed') return stillSucceeded(row.connector_refund_id);
    if (row.connector_succeeded === false && row.status === 'succeeded') return failedThere(row.connector_refund_id);
  }
  return facts.asks === null
    ? null
    : {
        reason: facts.asks,
        detail: `Hyperswitch calls this refund (${row.status} here) ${facts.providerStatus}, which is in no document: find out there whether the buyer has the money`,
      };
}

/** One refund at the processor is one refund here, whoever tells of it. */
async function namedOtherwise(
  query: Query,
  row: LockedRefund,
  { connectorRefundId: name }: RefundFacts,
): Promise<Question | null> {
  if (name === null) return null;
  const [other] = await query<{ id: RefundId }>('SELECT id FROM refunds WHERE connector_refund_id = $1 AND id <> $2', [
    name,
    row.id,
  ]);
  return other
    ? {
        reason: 'conflict',
        detail: `Hyperswitch says that the processor calls this refund (${row.status} here) ${name}, which refund ${other.id} is already: find out at the processor how many there are`,
      }
    : null;
}

/** Questions that Hyperswitch's own answer ends, and that its next one may replace. */
const ANSWERED_BY_READING: ReadonlySet<string> = new Set([
  'conflict',
  'unknown_status',
  'provider_mismatch',
  'resource_missing',
]);

const isAnsweredByReading = (row: LockedRefund): boolean =>
  ANSWERED_BY_READING.has(row.attention_reason ?? '') && !asksAboutShares(row);

/** With what waits for a second person; except of a conflict, which may be about shares: no reading tells of these. */
async function answered(query: Query, row: LockedRefund): Promise<Applied['started']> {
  if (asksAboutShares(row)) return await nameAgain(query, row);
  const waits = row.attention_reason === 'approval_pending';
  const was = waits ? (await pendingRequest(query, 'refund', row.id))?.asked_reason : row.attention_reason;
  if (!ANSWERED_BY_READING.has(was ?? '') || (waits && was === 'conflict')) return [];
  await withdrawRequests(query, 'refund', row.id, 'Hyperswitch answered what was asked');
  await dropAttention(query, 'refunds', row.id);
  await recordEvent(query, { kind: 'refund', id: row.id, what: 'attention_over', detail: { was } });
  return [];
}

async function saveReading(
  query: Query,
  row: LockedRefund,
  { runner, facts }: RefundReading,
  asks: boolean,
): Promise<void> {
  // What did not fit fits now: nobody needs to be asked any more.
  if (!asks && isAnsweredByReading(row)) await dropAttention(query, 'refunds', row.id);
  await query(
    `UPDATE refunds SET certainty = 'done', read_at = clock_now(), last_answer = 'read', detail = NULL, refusal = NULL,
       connector_refund_id = coalesce(connector_refund_id, $4),
       runner = CASE WHEN runner = $2 THEN NULL ELSE runner END,
       runner_until = CASE WHEN runner = $2 THEN NULL ELSE runner_until END,
       next_check_at = CASE WHEN status IN ('pending', 'review') THEN clock_now() + $3 * interval '1 millisecond' ELSE next_check_at END
     WHERE id = $1`,
    [
      row.id,
      runner,
      (overdueReadMs(row.age_ms, REFUND_EXPECTED_MS) ?? 0) + SWEEP_AFTER_MS,
      // What does not fit this refund names it not either.
      asks ? null : facts.connectorRefundId,
    ],
  );
}

interface Found {
  readonly paymentId: PaymentId;
  readonly refundId: RefundId;
  readonly facts: RefundFacts;
  readonly fee: FeePolicy;
}

/** Stored once however often it is found: the id at the provider is unique. @returns the refund's id here */
async function insertFound(query: Query, { paymentId, refundId, facts, fee }: Found): Promise<RefundId> {
  const [payment] = await query<{ order_id: OrderId }>('SELECT order_id FROM payments WHERE id = $1', [paymentId]);
  if (!payment) throw new Error(`payment ${paymentId} is not in the ledger`);
  await lockOrder(query, payment.order_id);
  const [known] = await query<{ id: RefundId }>(
    `SELECT id FROM refunds WHERE hyperswitch_refund_id = $1 OR (hyperswitch_refund_id IS NULL AND (connector_refund_id = $2
       OR connector_refund_id IN (SELECT provider_refund_id FROM unnamed_refunds WHERE made_from = $1)))
     ORDER BY hyperswitch_refund_id NULLS LAST LIMIT 1`,
    [facts.hyperswitchRefundId, facts.connectorRefundId],
  );
  if (known) {
    // Two persons counted it before Hyperswitch named it.
    await query('UPDATE refunds SET hyperswitch_refund_id = $2 WHERE id = $1 AND hyperswitch_refund_id IS NULL', [
      known.id,
      facts.hyperswitchRefundId,
    ]);
    return known.id;
  }
  await query(
    `INSERT INTO refunds (id, order_id, payment_id, amount, currency, reason, origin, certainty, idempotency_key,
       hyperswitch_refund_id, fee, next_check_at, workflow_id)
     VALUES ($1, $2, $3, $4, $5, $6, 'provider', 'done', $7, $8, $9, clock_now() + interval '1 minute', 'refund/' || $1::uuid)`,
    [
      refundId,
      payment.order_id,
      paymentId,
      facts.amount.toString(),
      facts.currency,
      facts.reason ?? 'made at the provider',
      refundKey(refundId),
      facts.hyperswitchRefundId,
      fee,
    ],
  );
  await recordEvent(query, {
    kind: 'refund',
    id: refundId,
    what: 'found',
    certainty: 'done',
    detail: { hyperswitch_refund_id: facts.hyperswitchRefundId, amount: facts.amount.toString() },
  });
  return refundId;
}
