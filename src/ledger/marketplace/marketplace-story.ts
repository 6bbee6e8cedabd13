import type { MarketplaceKind } from '../../domain/marketplace/marketplace.js';
import type { Database } from '../database.js';
import { type EventOfItem, type EventRow, toEvent } from '../event-row.js';
import type { FoundItem } from '../find-items.js';
import { type PausedRow, pausedInWords, pausedRow } from '../provider-pauses.js';
import { questionedPayment } from './order-status.js';

/** How the call that moves this money stands; times are ISO 8601. */
export interface CallDetails {
  readonly attempts: number;
  readonly key: string;
  /** Of calls to Stripe: how many keys have been in use, this one counted. */
  readonly generation: number | null;
  readonly keyFirstSentAt: string | null;
  readonly lastAnswer: string | null;
  readonly requestId: string | null;
  /** Until then one runner alone may send it; in the past: its process died. */
  readonly heldUntil: string | null;
  readonly nextCheckAt: string | null;
  /** Stripe, or this seller at it, does not let us in: `stripe` or `stripe:<account>`. */
  readonly parkedBy: string | null;
  /** Who paused it by hand, and why, in words; null: nobody did. */
  readonly paused: string | null;
  /** Of a reversal: the earlier one of the same transfer that goes first. Of a transfer: the payment of its order that asks. */
  readonly behind: string | null;
}

/** What a person needs to follow money; read by commands, never by the product itself. */
export function createMarketplaceStory(database: Database) {
  return {
    /** @param kind not of an order, which has none of its own */
    async callDetails(kind: MarketplaceKind, id: string): Promise<CallDetails | undefined> {
      const [row] = await database.query<CallRow>(CALL[kind], [id]);
      return row && toCall(row);
    },

    /** Everything that happened to these items and the events providers sent about them, oldest first; the newest `limit`. */
    async storyOf(items: readonly FoundItem[], limit = 1_000): Promise<readonly EventOfItem[]> {
      const kinds = items.map(({ kind }) => kind);
      const ids = items.map(({ id }) => id);
      const rows = await database.query<EventRow & { item_kind: string; item_id: string }>(STORY, [kinds, ids, limit]);
      return rows.map((row) => ({ item: `${row.item_kind}/${row.item_id}`, ...toEvent(row) }));
    },
  };
}

interface CallRow {
  [column: string]: unknown;
  attempts: number;
  idempotency_key: string;
  generation: number | null;
  key_first_sent_at: Date | null;
  last_answer: string | null;
  request_id: string | null;
  runner_until: Date | null;
  next_check_at: Date | null;
  parked_by: string | null;
  paused: PausedRow | null;
  behind: string | null;
}

const toCall = (row: CallRow): CallDetails => ({
  attempts: row.attempts,
  key: row.idempotency_key,
  generation: row.generation,
  keyFirstSentAt: row.key_first_sent_at?.toISOString() ?? null,
  lastAnswer: row.last_answer,
  requestId: row.request_id,
  heldUntil: row.runner_until?.toISOString() ?? null,
  nextCheckAt: row.next_check_at?.toISOString() ?? null,
  parkedBy: row.parked_by,
  paused: pausedInWords(row.paused),
  behind: row.behind,
});

const COMMON = 'attempts, idempotency_key, last_answer, runner_until, next_check_at';
/** @param provider of the row `x`, as an SQL expression */
const atItsProvider = (
  provider: string,
): string => `${COMMON}, CASE WHEN ${provider} = 'stripe' THEN generation END AS generation,
  CASE WHEN ${provider} = 'stripe' THEN key_first_sent_at END AS key_first_sent_at, NULL AS request_id,
  (SELECT provider FROM provider_breakers b WHERE b.provider = ${provider} AND state <> 'closed') AS parked_by, ${pausedRow(provider)}, NULL AS behind`;
const AT_STRIPE = `${COMMON}, generation, key_first_sent_at, provider_request_id AS request_id,
  (SELECT provider FROM provider_breakers WHERE state <> 'closed' AND provider IN ('stripe', 'stripe:' || x.seller_account)
    ORDER BY provider LIMIT 1) AS parked_by, ${pausedRow(`'stripe'`)}`;

const CALL: Readonly<Record<MarketplaceKind, string>> = {
  payment: `SELECT ${atItsProvider('x.provider')} FROM payments x WHERE id = $1`,
  refund: `SELECT ${atItsProvider('(SELECT p.provider FROM payments p WHERE p.id = x.payment_id)')} FROM refunds x WHERE id = $1`,
  transfer: `SELECT ${AT_STRIPE}, (${questionedPayment('x.order_id')}) AS behind FROM seller_transfers x WHERE id = $1`,
  reversal: `SELECT ${AT_STRIPE}, reversal_before(id) AS behind FROM reversals x WHERE id = $1`,
  dispute: `SELECT 0 AS attempts, provider_dispute_id AS idempotency_key, last_answer, NULL::timestamptz AS runner_until, next_check_at,
    NULL::int AS generation, NULL::timestamptz AS key_first_sent_at, NULL AS request_id, NULL AS parked_by, NULL AS paused, NULL AS behind
    FROM disputes WHERE id = $1`,
};

/** Those of our own kinds are UUIDs. */
const idsOf = (kind: MarketplaceKind): string => `ARRAY(SELECT id::uuid FROM items WHERE kind = '${kind}')`;

/** A provider's event has an item of its own in operation_events only where something was odd about it. */
const STORY = `
  WITH items AS (SELECT * FROM unnest($1::text[], $2::text[]) AS i (kind, id)),
  names AS (
    SELECT 'hyperswitch' AS provider, hyperswitch_payment_id AS name FROM payments WHERE id = ANY (${idsOf('payment')})
    UNION SELECT 'hyperswitch', hyperswitch_refund_id FROM refunds WHERE id = ANY (${idsOf('refund')})
    UNION SELECT 'stripe', connector_transaction_id FROM payments WHERE id = ANY (${idsOf('payment')}) AND connector = 'stripe'
    UNION SELECT 'stripe', connector_refund_id FROM refunds WHERE id = ANY (${idsOf('refund')})
    UNION SELECT 'stripe', stripe_transfer_id FROM seller_transfers WHERE id = ANY (${idsOf('transfer')})
    UNION SELECT 'hyperswitch', hyperswitch_dispute_id FROM disputes WHERE id = ANY (${idsOf('dispute')})
    UNION SELECT psp_account, provider_dispute_id FROM disputes WHERE id = ANY (${idsOf('dispute')})
  ), told AS (
    SELECT e.at, e.seq, e.item_kind, e.item_id, e.kind, e.certainty, e.answer_class, e.idempotency_key, e.detail
      FROM operation_events e JOIN items ON items.kind = e.item_kind AND items.id = e.item_id
    UNION ALL
    SELECT w.received_at, 0, 'webhook', w.provider || '/' || w.event_id, w.type, NULL, w.outcome, NULL,
        jsonb_strip_nulls(jsonb_build_object('object', w.object_id, 'deliveries', w.deliveries, 'processed_at', w.processed_at))
      FROM webhook_events w WHERE w.object_id = ANY (ARRAY(SELECT name FROM names WHERE name IS NOT NULL))
        AND (w.provider, w.object_id) IN (SELECT provider, name FROM names WHERE name IS NOT NULL)
  )
  SELECT at, item_kind, item_id, kind, certainty, answer_class, idempotency_key, detail FROM (
    SELECT * FROM told ORDER BY at DESC, seq DESC LIMIT $3
  ) newest ORDER BY at, seq`;
