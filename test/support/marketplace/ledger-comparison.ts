import { expect } from 'vitest';
import type { HyperswitchSandbox } from '../../../sandbox/hyperswitch/start.js';
import type { StripeSandbox } from '../../../sandbox/stripe/start.js';
import { sql } from '../settlements/ledger-comparison.js';

/** An item of the marketplace as the tables hold it, read without any code of the product; of a dispute what is out now. */
export interface MarketplaceRow {
  readonly kind: 'payment' | 'refund' | 'transfer' | 'reversal' | 'dispute';
  readonly id: string;
  readonly order_id: string;
  readonly seller: string | null;
  readonly amount: string;
  readonly currency: string;
  readonly status: string;
  readonly certainty: string;
  /** At Hyperswitch or Stripe. */
  readonly provider_id: string | null;
  /** Of what it belongs to there: a refund's payment, a reversal's transfer. */
  readonly provider_parent: string | null;
  readonly attempts: number;
  readonly retry_count: number;
  readonly last_answer: string | null;
  readonly attention_reason: string | null;
}

export const marketplaceRows = (url: string): Promise<MarketplaceRow[]> =>
  sql<MarketplaceRow>(
    url,
    `SELECT 'payment' AS kind, id, order_id, NULL AS seller, amount::text, currency, status, certainty,
       coalesce(hyperswitch_payment_id, connector_transaction_id) AS provider_id, NULL AS provider_parent, attempts, 0 AS retry_count, last_answer, attention_reason FROM payments
     UNION ALL
     SELECT 'refund', f.id, f.order_id, NULL, f.amount::text, f.currency, f.status, f.certainty,
       CASE WHEN p.provider = 'stripe' THEN f.connector_refund_id ELSE f.hyperswitch_refund_id END,
       coalesce(p.hyperswitch_payment_id, p.connector_transaction_id), f.attempts, 0, f.last_answer, f.attention_reason FROM refunds f JOIN payments p ON p.id = f.payment_id
     UNION ALL
     SELECT 'transfer', id, order_id, seller_account, coalesce(sent_amount, amount)::text, coalesce(sent_currency, currency), status, certainty, stripe_transfer_id, NULL, attempts,
       retry_count, last_answer, attention_reason FROM seller_transfers
     UNION ALL
     SELECT 'reversal', r.id, r.order_id, r.seller_account, coalesce(r.sent_amount, r.amount)::text, coalesce(t.sent_currency, r.currency), r.status, r.certainty, r.stripe_reversal_id,
       t.stripe_transfer_id, r.attempts, r.retry_count, r.last_answer, r.attention_reason
     FROM reversals r JOIN seller_transfers t ON t.id = r.transfer_id
     UNION ALL
     SELECT 'dispute', id, order_id, NULL, (SELECT coalesce(sum(amount), 0) FROM dispute_withdrawals WHERE dispute_id = d.id AND back_at IS NULL)::text,
       currency, CASE WHEN named_by IS NULL THEN 'unnamed' ELSE status END, 'done', provider_dispute_id, NULL, 0, 0, last_answer, attention_reason
     FROM disputes d`,
  );

const OPEN = new Set([
  'pending',
  'processing',
  'review',
  'failed',
  'reversal_pending',
  'waiting_balance',
  'waiting_platform_balance',
  'waiting_seller',
  'held',
  'unnamed',
]);
/** A payment or refund that failed is over; a transfer that failed is tried again. */
const isOpen = ({ kind, status }: MarketplaceRow): boolean =>
  OPEN.has(status) && !(status === 'failed' && (kind === 'payment' || kind === 'refund'));

/** What is on its way, and webhooks that nobody has acted on. */
export async function unfinishedRows(url: string): Promise<object[]> {
  const events = await sql(url, 'SELECT event_id, type, object_id FROM webhook_events WHERE processed_at IS NULL');
  return [...(await marketplaceRows(url)).filter(isOpen), ...events];
}

/** One line per movement of money: what it is, of whom it is there and here, how much. */
const line = (...parts: readonly (string | number | null | undefined)[]): string => parts.join(' ');

/**
 * Movement by movement: what we call done is at the providers once, for its amount, tied to our row by the id it carries;
 * and they hold nothing else. Every repetition carried the same bytes under the same key.
 */
export function expectMarketplaceLedgersEqual(
  rows: readonly MarketplaceRow[],
  {
    stripe,
    hyperswitch,
  }: { stripe: Pick<StripeSandbox, 'ledger' | 'calls'>; hyperswitch: Pick<HyperswitchSandbox, 'ledger' | 'calls'> },
): void {
  const of = (kind: MarketplaceRow['kind']) => rows.filter((row) => row.kind === kind);
  const money = hyperswitch.ledger();
  const there = madeAtStripe(stripe);
  const paid = of('payment').filter(({ status }) => status === 'succeeded');
  expect(paid.map((row) => line(row.provider_id, row.amount, row.currency)).sort()).toEqual(
    money.payments
      .filter(({ status }) => status === 'succeeded')
      .map(({ id, received, currency }) => line(id, received, currency))
      .concat(there.of('succeeded'))
      .sort(),
  );
  const cancelled = of('payment').filter(({ status }) => status === 'cancelled');
  expect(cancelled.map((row) => line(row.provider_id, row.amount, row.currency)).sort()).toEqual(
    money.payments
      .filter(({ status }) => status === 'cancelled')
      .map(({ id, amount, currency }) => line(id, amount, currency))
      .concat(there.of('canceled'))
      .sort(),
  );
  const refunded = of('refund').filter(({ status }) => status === 'succeeded');
  expect(refunded.map((row) => line(row.provider_id, row.provider_parent, row.amount, row.currency)).sort()).toEqual(
    money.refunds
      .filter(({ status }) => status === 'succeeded')
      .map(({ id, paymentId, amount, currency }) => line(id, paymentId, amount, currency))
      .concat(there.refunds)
      .sort(),
  );
  const { transfers, reversals } = stripe.ledger();
  const sent = of('transfer').filter(({ provider_id }) => provider_id !== null);
  expect(
    sent.map((row) => line(row.provider_id, row.id, row.order_id, row.seller, row.amount, row.currency)).sort(),
  ).toEqual(
    transfers
      .map(({ id, metadata, destination, amount, currency }) =>
        line(id, metadata['seller_transfer_id'], metadata['order_id'], destination, amount, currency.toUpperCase()),
      )
      .sort(),
  );
  const back = of('reversal').filter(({ provider_id }) => provider_id !== null);
  expect(
    back.map((row) => line(row.provider_id, row.id, row.provider_parent, row.amount, row.currency)).sort(),
  ).toEqual(
    reversals
      .map(({ id, metadata, transfer, amount, currency }) =>
        line(id, metadata['operation_id'], transfer, amount, currency.toUpperCase()),
      )
      .sort(),
  );
  const disputes = stripe.ledger().disputes.map(({ id, balance_transactions: moved }) => ({
    id,
    out: moved.reduce((sum, { amount }) => sum - amount, 0),
    currency: moved[0]?.currency,
  }));
  const out = of('dispute').filter(({ amount }) => amount !== '0');
  expect(out.map((row) => line(row.provider_id, row.amount, row.currency)).sort()).toEqual(
    disputes
      .filter((dispute) => dispute.out !== 0)
      .map((dispute) => line(dispute.id, dispute.out, dispute.currency?.toUpperCase()))
      .sort(),
  );
  expect(stripe.calls().totals).toMatchObject({ writesWithoutKey: 0, keysWithDifferingRequests: 0 });
  expect(hyperswitch.calls().totals).toMatchObject({
    withoutKey: 0,
    idsWithDifferingBodies: 0,
    idsWithDifferingKeys: 0,
  });
}

/** Payments that were made from here at Stripe itself, by their status there, and what was given back of them. */
function madeAtStripe(stripe: Pick<StripeSandbox, 'ledger'>) {
  const { paymentIntents, refunds } = stripe.ledger();
  const named = new Set(paymentIntents.map(({ id }) => id));
  return {
    of: (status: string): readonly string[] =>
      paymentIntents
        .filter((one) => one.status === status)
        .map(({ id, amount, currency }) => line(id, amount, currency.toUpperCase())),
    refunds: refunds
      // What no balance shows was only held, and nobody gave it back.
      .filter((one) => one.status === 'succeeded' && one.balance_transaction !== null && named.has(one.payment_intent))
      .map(({ id, payment_intent: intent, amount, currency }) => line(id, intent, amount, currency.toUpperCase())),
  };
}

/**
 * Of every order: what the buyer has again, and what disputes have taken, the sellers have given back, and no more, to the unit, or to
 * what Stripe moves.
 */
export async function expectSharesExact(url: string): Promise<void> {
  const wrong = await sql(
    url,
    `SELECT o.id, o.status, o.amount::text, f.refunded::text, f.out::text, t.* FROM orders o
     CROSS JOIN LATERAL (SELECT CASE WHEN o.currency IN ('BHD', 'JOD', 'KWD', 'OMR', 'TND') THEN 10 WHEN o.currency IN ('ISK', 'UGX') THEN 100 ELSE 1 END AS step) s
     CROSS JOIN LATERAL (SELECT
         coalesce((SELECT sum(amount) FROM refunds WHERE order_id = o.id AND status = 'succeeded'), 0) AS refunded,
         coalesce((SELECT sum(amount) FROM dispute_withdrawals WHERE order_id = o.id AND back_at IS NULL), 0) AS out) f
     JOIN LATERAL (SELECT t.seller_account AS seller, p.promised::text,
         (CASE WHEN f.refunded + f.out = o.amount THEN p.promised ELSE floor(p.promised * (f.refunded + f.out) / o.amount / s.step) * s.step END)::text AS due,
         coalesce(sum(t.amount) FILTER (WHERE t.stripe_transfer_id IS NOT NULL), 0)::text AS sent, sum(t.amount_reversed)::text AS reversed,
         coalesce((SELECT sum(r.amount) FROM reversals r WHERE r.order_id = o.id AND r.seller_account = t.seller_account AND r.status = 'reversed'), 0)::text AS taken
       FROM seller_transfers t CROSS JOIN LATERAL (SELECT sum(promised) AS promised FROM seller_transfers
         WHERE order_id = o.id AND seller_account = t.seller_account AND origin <> 'compensation') p
       WHERE t.order_id = o.id GROUP BY t.seller_account, p.promised) t ON true
     WHERE t.sent::numeric - t.taken::numeric <> t.promised::numeric - t.due::numeric OR t.taken <> t.reversed
       OR o.status <> CASE WHEN f.refunded = 0 THEN 'paid' WHEN f.refunded = o.amount THEN 'refunded' ELSE 'partially_refunded' END`,
  );
  expect(wrong).toEqual([]);
}
