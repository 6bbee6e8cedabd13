import { mayHaveMoved, surelyUnmoved } from '../../domain/calls/certainty.js';
import { type AskedBeforeSent, askedBeforeSent } from '../../domain/calls/next.js';
import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { DisputeId, OrderId, PaymentId, RefundId, ReversalId, TransferId } from '../../domain/ids.js';
import type { DecidedOfOthers } from '../../domain/marketplace/foreign-reversals.js';
import type { PaymentProvider } from '../../domain/marketplace/marketplace.js';
import type { RefundStatus, ReversalStatus } from '../../domain/marketplace/marketplace-status.js';
import { convertedPart, OrderMoney, StripeMoney } from '../../domain/marketplace/stripe-money.js';
import type { MarketplaceItem } from '../marketplace/marketplace-types.js';
import { leavePlace, voidReversal } from '../marketplace/reversal-demands.js';
import { lockSharesOf } from '../marketplace/seller-shares.js';
import { whyBeyondSent } from '../marketplace/sent-for-less.js';
import { settleShares } from '../marketplace/share-out.js';
import { mustMove, type Query, recordEvent } from '../transition.js';
import { attentionOf, type ClaimRefusal, later, parkedRefusal } from './claim-refusals.js';
import { debtRefusal } from './debt-claims.js';
import { heldElsewhereMs } from './holds.js';
import { CALL_TIMES, type CallRow, lookAgain, mayHaveTakenOtherwise } from './stripe-calls.js';
import { gateHoldsMs } from './stripe-gates.js';

/** A reversal with all that decides whether it may be sent. */
export type LockedReversal = CallRow & {
  id: ReversalId;
  order_id: OrderId;
  /** Null: because of a dispute. */
  refund_id: RefundId | null;
  dispute_id: DisputeId | null;
  provider_dispute_id: string | null;
  transfer_id: TransferId;
  status: ReversalStatus;
  order_mark: string;
  /** The cause is still one: the refund has succeeded, the funds of the dispute are out. */
  cause_stands: boolean;
  refund_status: RefundStatus | null;
  refund_reason: string | null;
  refund_amount: string | null;
  payment_id: PaymentId;
  hyperswitch_payment_id: string | null;
  hyperswitch_refund_id: string | null;
  /** What the processor calls the refund, and the payment. */
  provider: PaymentProvider;
  connector_refund_id: string | null;
  connector_transaction_id: string | null;
  stripe_transfer_id: string | null;
  stripe_reversal_id: string | null;
  transfer_completed: boolean;
  waiting_ms: number | null;
  /** Of the amount, what somebody else's reversal stands for: the rest is what is taken. */
  counted: string;
  /** The seller owes it: it is kept of his next transfers, and not asked of Stripe. */
  owed: boolean;
  /** What became of the last transfer that it was kept of. */
  offset_status: 'reserved' | 'moved' | 'reopened' | null;
  offset_transfer: TransferId | null;
  /** A person has it take what is there: it goes before those that wait for the seller's balance, once. */
  takes_available: boolean;
  /** Where its transfer was sent in another currency than its order's: what was sent, of which share, and what was frozen of this. */
  transfer_currency: string | null;
  transfer_sent: string | null;
  transfer_share: string;
  sent_amount: string | null;
  /** What the other reversals of it took, or may have. */
  beside_share: string;
  beside_taken: string;
  decided_of_others: DecidedOfOthers;
  /** Of all reversals of its transfer. */
  operation_ids: string[];
  stripe_ids: string[];
};

const ROW = `SELECT x.id, x.order_id, x.refund_id, x.transfer_id, x.seller_account, x.currency, x.amount, x.status,
    x.certainty, x.generation, x.idempotency_key, x.attempts, x.retry_count, x.absences, x.params, x.runner,
    x.attention_reason, x.attention_detail, coalesce(o.reference, o.id::text) AS order_mark,
    c.stands AS cause_stands, f.status AS refund_status, f.reason AS refund_reason, f.hyperswitch_refund_id, f.amount AS refund_amount, f.connector_refund_id, p.provider, p.connector_transaction_id,
    d.id AS dispute_id, d.provider_dispute_id,
    p.id AS payment_id, p.hyperswitch_payment_id, x.counted, x.debt_since IS NOT NULL AS owed, x.takes_available,
    k.status AS offset_status, k.transfer_id AS offset_transfer, decided_of_others(x.transfer_id),
    ARRAY(SELECT id::text FROM reversals WHERE transfer_id = x.transfer_id) AS operation_ids,
    ARRAY(SELECT stripe_reversal_id FROM reversals WHERE transfer_id = x.transfer_id AND stripe_reversal_id IS NOT NULL) AS stripe_ids,
    (extract(epoch FROM clock_now() - x.waiting_since) * 1000)::float8 AS waiting_ms,
    t.sent_currency AS transfer_currency, t.sent_amount AS transfer_sent, t.amount AS transfer_share, x.sent_amount,
    b.share AS beside_share, b.taken AS beside_taken, t.stripe_transfer_id, x.stripe_reversal_id, t.completed_at IS NOT NULL AS transfer_completed, ${CALL_TIMES}
  FROM reversals x JOIN seller_transfers t ON t.id = x.transfer_id JOIN causes c ON c.id = coalesce(x.refund_id, x.withdrawal_id)
    CROSS JOIN LATERAL taken_beside(x.transfer_id, x.id) b LEFT JOIN refunds f ON f.id = x.refund_id LEFT JOIN dispute_withdrawals w ON w.id = x.withdrawal_id
    LEFT JOIN disputes d ON d.id = w.dispute_id
    JOIN payments p ON p.id = coalesce(f.payment_id, d.payment_id) JOIN orders o ON o.id = x.order_id
    LEFT JOIN LATERAL (SELECT status, transfer_id FROM debt_offsets WHERE reversal_id = x.id ORDER BY id DESC LIMIT 1) k ON true
  WHERE x.id = $1 FOR UPDATE OF x`;

/** The order, its transfers, then the reversal: the order of all locks. */
export async function lockReversal(query: Query, id: ReversalId): Promise<LockedReversal> {
  await lockSharesOf(query, 'reversals', id);
  const [row] = await query<LockedReversal & { [column: string]: unknown }>(ROW, [id]);
  if (!row)
    throw new Error(`reversal ${id} is not in the ledger; the workflow and the database do not belong together`);
  return row;
}

/** Why nothing may be sent for it now; undefined: it may be claimed. */
export async function claimRefusal(
  query: Query,
  row: LockedReversal,
  { runner, holdMs, debtHorizonMs }: { runner: string; holdMs: number; debtHorizonMs: number },
): Promise<ClaimRefusal | undefined> {
  const wait = (afterMs: number, why: string) => later(query, 'reversals', row, { afterMs, why });
  if (row.status === 'reversed' || row.status === 'written_off') return { kind: 'final', status: row.status };
  if (row.status === 'permanently_failed') return await attentionOf(query, 'reversals', row);
  const heldMs = heldElsewhereMs(row, runner);
  if (heldMs > 0) return await wait(heldMs, 'another attempt holds it');
  const owed = row.owed ? await debtRefusal(query, row, debtHorizonMs) : undefined;
  if (owed) return owed;
  if (!row.cause_stands && (row.owed || !mayHaveMoved(row.certainty))) {
    await undo(query, row);
    return { kind: 'final', status: 'written_off' };
  }
  const retryMs = row.retry_ms ?? 0;
  if (row.status === 'pending' && retryMs > 0) return await wait(retryMs, 'its next attempt is not due');
  if (!row.transfer_completed) return await wait(LOOK_ANYWAY_MS, 'its transfer is still on its way');
  const beyond = await whyBeyondSent(query, row, 'earlier');
  if (beyond !== undefined) return await askAs(query, row, { reason: 'exceeds_remainder', detail: beyond });
  const money = moneyOfReversal(row);
  const asked = askedBeforeSent({
    stripeTransferId: row.stripe_transfer_id,
    mayHaveTakenOtherwise: mayHaveTakenOtherwise(row, money.amount),
    currency: row.currency,
    takes: money.amount > 0n,
  });
  if (asked) return await ask(query, row, asked);
  if (await isBehind(query, row))
    return await wait(LOOK_ANYWAY_MS, 'an earlier reversal of the same transfer goes first');
  return (await parkedRefusal(query, 'reversals', row)) ?? (await waitForBalance(query, row, holdMs));
}

/** What it waits for wakes it; a look every few minutes finds what was missed. */
const LOOK_ANYWAY_MS = 300_000;

/** First in, first out among the reversals of one transfer, and one of them at a time. */
async function isBehind(query: Query, row: LockedReversal): Promise<boolean> {
  const [earlier] = await query<{ id: string | null }>('SELECT reversal_before($1) AS id', [row.id]);
  if (earlier?.id) return true;
  // A claim that lapsed is over: its row is asked about again when its own turn comes.
  await query(
    `UPDATE reversals SET runner = NULL, runner_until = NULL, certainty = CASE certainty WHEN 'in_flight' THEN 'unknown' ELSE certainty END
     WHERE transfer_id = $1 AND id <> $2 AND runner IS NOT NULL`,
    [row.transfer_id, row.id],
  );
  return false;
}

async function ask(query: Query, row: LockedReversal, why: AskedBeforeSent): Promise<ClaimRefusal> {
  return await askAs(query, row, {
    reason: why === 'nothing_to_take' ? 'conflict' : why,
    detail: QUESTIONS[why](row),
  });
}

async function askAs(
  query: Query,
  row: LockedReversal,
  why: { readonly reason: AttentionReason; readonly detail: string },
): Promise<ClaimRefusal> {
  await fail(query, row, why);
  return { kind: 'attention', ...why, unknown: mayHaveMoved(row.certainty) };
}

const QUESTIONS = {
  /** Historical: nobody but a person can reverse it, and Stripe is not asked. */
  missing_transfer_id: () =>
    'its transfer has no id at Stripe (historical); find it with makegood backfill-transfer-ids, then resolve with retry',
  /** Stripe reverses nothing in it any more. */
  retired_currency: (row: LockedReversal) =>
    `${row.currency} is no currency any more, and nothing is sent in it: take ${toTake(row)} ${row.currency} (minor units) back from the seller outside Stripe, in the currency that replaced it, then resolve with write_off`,
  /** Of a transfer that was converted when it was sent. */
  nothing_to_take: (row: LockedReversal) =>
    `${toTake(row)} ${row.currency} are less than the smallest amount of ${row.transfer_currency}, in which its transfer was sent: nothing can be taken for it alone; the next share of the transfer takes it too; resolve with write_off`,
  conflict: (row: LockedReversal) =>
    `it may have been sent by an older build as ${row.params}, and ${toTake(row)} ${row.currency} are to be taken: nothing is sent. Where Stripe shows it on ${row.stripe_transfer_id}, adopt takes it as the whole share, and frees what was counted; where it does not, retry takes what is due under a new key 25 hours after it was first sent`,
} as const satisfies Record<AskedBeforeSent, (row: LockedReversal) => string>;

/** Of the order's currency; what Stripe is asked for is {@link moneyOfReversal}. */
export const toTake = ({ amount, counted }: Pick<LockedReversal, 'amount' | 'counted'>): bigint =>
  BigInt(amount) - BigInt(counted);

/** What Stripe is asked for, or was where that may have moved. */
export function moneyOfReversal(row: LockedReversal): StripeMoney {
  const { currency, transfer_currency: sentIn, transfer_sent: sent } = row;
  const part = new OrderMoney(toTake(row), currency);
  if (sentIn === null || sent === null) return StripeMoney.of(part, currency);
  // What was given up keeps what it was sent as: it may turn up late.
  if (row.sent_amount !== null && (row.status === 'written_off' || !surelyUnmoved(row.certainty)))
    return StripeMoney.read(BigInt(row.sent_amount), sentIn);
  return convertedPart(
    {
      share: new OrderMoney(BigInt(row.transfer_share), currency),
      sent: StripeMoney.read(BigInt(sent), sentIn),
    },
    {
      share: new OrderMoney(BigInt(row.beside_share), currency),
      taken: StripeMoney.read(BigInt(row.beside_taken), sentIn),
    },
    part,
  );
}

async function waitForBalance(query: Query, row: LockedReversal, holdMs: number): Promise<ClaimRefusal | undefined> {
  const { id, seller_account: sellerAccount, currency } = row;
  if (row.takes_available) return undefined;
  const afterMs = await gateHoldsMs(query, { id, sellerAccount, currency, holdMs });
  if (afterMs === 0) return undefined;
  if (row.status === 'pending') await startWaiting(query, row);
  await lookAgain(query, 'reversals', row.id, afterMs);
  return { kind: 'waiting_balance', afterMs };
}

export async function startWaiting(query: Query, row: LockedReversal): Promise<void> {
  await mustMove(query, 'reversals', {
    id: row.id,
    from: 'pending',
    to: 'waiting_balance',
    set: `waiting_since = coalesce(waiting_since, clock_now()), takes_available = false, next_retry_at = NULL, next_check_at = clock_now() + interval '1 day'`,
  });
  await query('SELECT refresh_transfer($1)', [row.transfer_id]);
  await recordEvent(query, {
    kind: 'reversal',
    id: row.id,
    what: 'waiting_balance',
    detail: { seller: row.seller_account },
  });
}

/** What no longer holds. */
export const goneCause = ({ refund_status, provider_dispute_id }: LockedReversal): string =>
  refund_status === null ? `the funds of dispute ${provider_dispute_id} are not out` : `its refund is ${refund_status}`;

/** Its cause holds no longer and nothing was sent. What it stood for may be due for another one. */
export async function undo(query: Query, row: LockedReversal): Promise<void> {
  await voidReversal(query, row, `${goneCause(row)}, so nothing is due`);
  await settleShares(query, row.order_id);
}

/**
 * Certainty is kept: while nobody knows, Stripe's records are read again from time to time.
 * @returns what has waited behind it
 */
export async function fail(
  query: Query,
  row: LockedReversal,
  { reason, detail }: { reason: AttentionReason; detail: string },
): Promise<MarketplaceItem[]> {
  await mustMove(query, 'reversals', {
    id: row.id,
    from: row.status,
    to: 'permanently_failed',
    set: `attention_reason = $4, attention_since = clock_now(), attention_detail = $5, next_retry_at = NULL, runner = NULL,
      runner_until = NULL, waiting_since = NULL,
      next_check_at = CASE WHEN certainty IN ('unknown', 'in_flight') THEN clock_now() + interval '1 hour' END`,
    values: [reason, detail],
  });
  await query('SELECT refresh_transfer($1)', [row.transfer_id]);
  await recordEvent(query, { kind: 'reversal', id: row.id, what: 'permanently_failed', detail: { reason, detail } });
  return await leavePlace(query, row);
}
