import type { MarketplaceKind } from '../../domain/marketplace/marketplace.js';
import type { InboxLane } from '../../domain/sweep-lanes.js';
import type { Database } from '../database.js';
import type { DueEvent, Finishing, MarketplaceItem, NewWebhookEvent } from './marketplace-types.js';

/** What stands in the inbox of an event as it came. */
export interface EventRow {
  provider: NewWebhookEvent['provider'];
  event_id: string;
  type: string;
  object_id: string | null;
  parent_id: string | null;
  account: string | null;
  body_sha256: string;
  received_at: Date;
}

/** The inbox: what a provider told us, once for each event, until somebody has asked the provider about it. */
export function createWebhooks(database: Database) {
  return {
    /** @returns whether this event is new; a duplicate only counts its delivery */
    async storeWebhook(event: NewWebhookEvent): Promise<'stored' | 'duplicate'> {
      // An event under a known id is never stored anew, whatever it says: it only counts, and another body is put on record.
      const [stored] = await database.query<{ deliveries: number }>(
        `WITH stored AS (
           INSERT INTO webhook_events AS e (provider, event_id, type, object_id, parent_id, account, body_sha256, next_check_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, clock_now() + interval '30 seconds')
           ON CONFLICT (provider, event_id) DO UPDATE SET deliveries = e.deliveries + 1
           RETURNING deliveries, body_sha256
         ), told AS (
           INSERT INTO operation_events (item_kind, item_id, kind, detail)
             SELECT 'webhook', $1 || '/' || $2, CASE WHEN deliveries = 1 THEN 'received' ELSE 'other_body' END,
               jsonb_strip_nulls(jsonb_build_object('type', $3::text, 'object', $4::text, 'parent', $5::text,
                 'account', $6::text, 'body_sha256', $7::text))
             FROM stored WHERE deliveries = 1 OR body_sha256 <> $7
         )
         SELECT deliveries FROM stored`,
        [event.provider, event.eventId, event.type, event.objectId, event.parentId, event.account, event.bodySha256],
      );
      return stored?.deliveries === 1 ? 'stored' : 'duplicate';
    },

    /**
     * Each is given out once, and again after as long as it has waited already (a minute at least, an hour at most): what
     * cannot be processed never stands before what can.
     */
    async dueWebhooks(lane: InboxLane, limit: number): Promise<readonly DueEvent[]> {
      const rows = await database.query<EventRow>(
        `WITH due AS (
           SELECT provider, event_id FROM webhook_events WHERE next_check_at <= clock_now() AND ${EVENTS_IN[lane]}
           ORDER BY next_check_at LIMIT $1 FOR UPDATE SKIP LOCKED
         ), given AS (
           UPDATE webhook_events e SET next_check_at = clock_now()
               + least(greatest(clock_now() - e.received_at, interval '1 minute'), interval '1 hour')
             FROM due WHERE (e.provider, e.event_id) = (due.provider, due.event_id) RETURNING e.*
         )
         SELECT provider, event_id, type, object_id, parent_id, account, body_sha256, received_at
         FROM given ORDER BY received_at, event_id`,
        [limit],
      );
      return rows.map((row) => ({
        provider: row.provider,
        eventId: row.event_id,
        type: row.type,
        objectId: row.object_id,
        parentId: row.parent_id,
        account: row.account,
        bodySha256: row.body_sha256,
        receivedAt: row.received_at.toISOString(),
      }));
    },

    /** To be asked before the provider is read, for {@link finishWebhook}; undefined: it waits for nobody. */
    async webhookRound({
      provider,
      eventId,
    }: Pick<NewWebhookEvent, 'provider' | 'eventId'>): Promise<Finishing['round']> {
      const [row] = await database.query<{ round: string }>(
        `SELECT ${ROUND} AS round FROM webhook_events WHERE provider = $1 AND event_id = $2 AND next_check_at IS NOT NULL`,
        [provider, eventId],
      );
      return row?.round;
    },

    /** Nothing happens where it has become due anew since: what was read before answers no later question. */
    async finishWebhook({ provider, eventId, round }: Finishing, outcome: string): Promise<void> {
      if (round === undefined) return;
      await database.query(
        `WITH finished AS (
           UPDATE webhook_events SET processed_at = clock_now(), outcome = $3, next_check_at = NULL
           WHERE provider = $1 AND event_id = $2 AND processed_at IS NULL AND next_check_at = $4::timestamptz RETURNING 1
         )
         INSERT INTO operation_events (item_kind, item_id, kind, detail)
           SELECT 'webhook', $1 || '/' || $2, 'processed', jsonb_build_object('outcome', $3::text) FROM finished`,
        [provider, eventId, outcome, round],
      );
    },

    /** The item an event is about; undefined: nothing of ours, or a refund that only the provider knows so far. */
    async itemOfWebhook({ provider, type, objectId, parentId }: NewWebhookEvent): Promise<MarketplaceItem | undefined> {
      const isOfItem = /^(?:transfer|payment_intent|charge\.dispute|charge\.refund|refund)\./.test(type);
      if (provider === 'stripe' && !isOfItem) return undefined;
      const [item] = await database.query<{ kind: MarketplaceKind; id: string }>(ITEM_OF[provider], [
        objectId,
        parentId,
      ]);
      return item;
    },
  };
}

/** Every replay and every turn of the sweep names another time. */
export const ROUND = 'next_check_at::text';

/** What tells nothing by itself, so that Stripe is read: payouts, reversals, our own balance, what sellers can do, and what goes back to buyers. */
const IS_READ = `(type LIKE 'payout.%' OR type LIKE 'charge.dispute.%' OR type LIKE 'charge.refund%' OR type LIKE 'refund.%'
    OR type IN ('transfer.reversed', 'account.updated', 'capability.updated', 'account.application.authorized', 'account.application.deauthorized')
    OR (type = 'balance.available' AND account IS NULL))`;
const EVENTS_IN: Readonly<Record<InboxLane, string>> = {
  'hyperswitch-event': `provider = 'hyperswitch'`,
  'stripe-event': `provider = 'stripe' AND NOT ${IS_READ}`,
  'stripe-read': `provider = 'stripe' AND ${IS_READ}`,
};

/** Of `refunds` (SQL): not one that persons have counted, and that its provider does not name. */
export const READ_BY_ITSELF = `(hyperswitch_refund_id IS NOT NULL
  OR (SELECT provider FROM payments WHERE id = refunds.payment_id) = 'stripe')`;

/** Of `payments` (SQL): made from here at Stripe, where its workflow reads it. */
export const MADE_AT_STRIPE = `(provider = 'stripe' AND NOT taken_elsewhere)`;

/** A refund or dispute that only the provider knows so far, or that persons have counted, is read with its payment. */
const ITEM_OF: Readonly<Record<NewWebhookEvent['provider'], string>> = {
  hyperswitch: `SELECT kind, id FROM (
      SELECT 1 AS place, 'refund' AS kind, id FROM refunds WHERE hyperswitch_refund_id = $1
      UNION ALL SELECT 1, 'dispute', id FROM disputes WHERE hyperswitch_dispute_id = $1
      UNION ALL SELECT 2, 'payment', id FROM payments WHERE hyperswitch_payment_id = $1
      UNION ALL SELECT 3, 'payment', id FROM payments WHERE hyperswitch_payment_id = $2
    ) AS found ORDER BY place LIMIT 1`,
  stripe: `SELECT 'transfer' AS kind, id FROM seller_transfers WHERE stripe_transfer_id IN ($1, $2)
    UNION ALL SELECT 'payment', id FROM payments WHERE connector_transaction_id = $1 AND ${MADE_AT_STRIPE} AND starts_with($1, 'pi_')
    UNION ALL SELECT 'refund', id FROM refunds WHERE connector_refund_id = $1 AND ${READ_BY_ITSELF}
    UNION ALL SELECT 'dispute', id FROM disputes WHERE psp_account = 'stripe' AND provider_dispute_id = $1 LIMIT 1`,
};
