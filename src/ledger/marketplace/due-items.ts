import { PROOFS_APART_MS } from '../../domain/calls/key-age.js';
import type { MarketplaceKind } from '../../domain/marketplace/marketplace.js';
import type { Database } from '../database.js';
import type { DueItem, Finishing, FoundDue, MarketplaceItem, NewWebhookEvent } from './marketplace-types.js';
import { MADE_AT_STRIPE, READ_BY_ITSELF, ROUND } from './webhooks.js';

const TABLE_OF: Readonly<Record<MarketplaceKind, string>> = {
  payment: 'payments',
  refund: 'refunds',
  transfer: 'seller_transfers',
  reversal: 'reversals',
  dispute: 'disputes',
};
const SELLER_OF: Readonly<Record<MarketplaceKind, string>> = {
  payment: 'NULL::text',
  refund: 'NULL::text',
  transfer: 'x.seller_account',
  reversal: 'x.seller_account',
  dispute: 'NULL::text',
};

/** What waits for a person has its workflow look once an hour; the rest should have moved within a minute. */
const AGAIN_AFTER = `CASE WHEN attention_reason IS NULL THEN interval '1 minute' ELSE interval '1 hour' END`;

/** As for a look before a send: one too close to the last proves nothing more. */
const NEW_PROOF = `($3::boolean IS FALSE AND (last_absence_at IS NULL OR last_absence_at <= clock_now() - $4 * interval '1 millisecond'))`;

type OpenEvent = Finishing & Pick<NewWebhookEvent, 'type'>;

/** What the sweeps find and start again, because a start by Temporal may be lost, and the inbox of each item. */
export function createDueItems(database: Database) {
  return {
    /**
     * Sellers in turn, each oldest first, so that a busy one never fills a page. While Stripe is parked only one item is
     * given, when a probe is due; a parked seller's likewise.
     */
    async dueItems(kind: MarketplaceKind, limit: number): Promise<readonly FoundDue[]> {
      const rows = await database.query<Omit<FoundDue, 'amount'> & { amount: string }>(
        `WITH due AS (
           SELECT x.id, x.order_id, ${SELLER_OF[kind]} AS seller, x.amount, x.currency, x.next_check_at,
             row_number() OVER (PARTITION BY ${SELLER_OF[kind]} ORDER BY x.next_check_at, x.id) AS place,
             row_number() OVER (ORDER BY x.next_check_at, x.id) AS overall
           FROM ${TABLE_OF[kind]} x WHERE x.next_check_at <= clock_now()
         )
         SELECT $2 AS kind, d.id, d.order_id AS "orderId", d.seller AS "sellerAccount", d.amount, d.currency, d.next_check_at::text AS "dueAt" FROM due d
         LEFT JOIN provider_breakers all_of_it ON all_of_it.provider = 'stripe' AND all_of_it.state <> 'closed' AND d.seller IS NOT NULL
         LEFT JOIN provider_breakers one ON one.provider = 'stripe:' || d.seller AND one.state <> 'closed'
         WHERE (all_of_it.provider IS NULL OR (all_of_it.probe_at <= clock_now() AND d.overall = 1))
           AND (one.provider IS NULL OR (one.probe_at <= clock_now() AND d.place = 1))
         ORDER BY d.place, d.next_check_at LIMIT $1`,
        [limit, kind],
      );
      return rows.map((row) => ({ ...row, amount: BigInt(row.amount) }));
    },

    /** What a start needs to know of an item; undefined: there is no such item. */
    async describeItem({ kind, id }: MarketplaceItem): Promise<DueItem | undefined> {
      const [row] = await database.query<Omit<DueItem, 'amount'> & { amount: string }>(
        `SELECT $2 AS kind, x.id, x.order_id AS "orderId", ${SELLER_OF[kind]} AS "sellerAccount", x.amount, x.currency
         FROM ${TABLE_OF[kind]} x WHERE x.id = $1`,
        [id, kind],
      );
      return row && { ...row, amount: BigInt(row.amount) };
    },

    /**
     * After their workflows were started or woken: looked at again only if nothing takes them further. Whoever holds a row
     * now is taking it further, and what was dated anew since it was found, by a decision, is found again.
     */
    async markItemsStarted(items: readonly (MarketplaceItem & Partial<Pick<FoundDue, 'dueAt'>>)[]): Promise<void> {
      for (const kind of new Set(items.map((item) => item.kind))) {
        const own = items.filter((item) => item.kind === kind);
        await database.query(
          `UPDATE ${TABLE_OF[kind]} SET next_check_at = clock_now() + ${AGAIN_AFTER}
           WHERE id IN (SELECT x.id FROM ${TABLE_OF[kind]} x JOIN unnest($1::uuid[], $2::timestamptz[]) AS found (id, due_at) ON found.id = x.id
             WHERE x.next_check_at <= coalesce(found.due_at, clock_now()) ORDER BY x.id FOR UPDATE OF x SKIP LOCKED)`,
          [own.map(({ id }) => id), own.map(({ dueAt }) => dueAt ?? null)],
        );
      }
    },

    /**
     * Looked in vain: the next look is due then.
     * @param found false: Stripe's records hold nothing of ours, one more proof of that where it is not too close to the last
     */
    async nextProbe(item: { kind: 'transfer' | 'reversal'; id: string }, found: boolean | undefined, afterMs: number) {
      await database.query(
        `UPDATE ${TABLE_OF[item.kind]} SET next_check_at = clock_now() + $2 * interval '1 millisecond',
           absences = CASE WHEN ${NEW_PROOF} THEN absences + 1 ELSE absences END,
           last_absence_at = CASE WHEN ${NEW_PROOF} THEN clock_now() ELSE last_absence_at END
         WHERE id = $1 AND next_check_at IS NOT NULL AND attention_reason IS NOT NULL`,
        [item.id, afterMs, found ?? null, PROOFS_APART_MS],
      );
    },

    /** Webhooks about this item that nobody has acted on yet: asked before the provider is read, finished after. */
    openWebhooks: (item: MarketplaceItem): Promise<readonly OpenEvent[]> =>
      database.query<OpenEvent & { [column: string]: unknown }>(
        `SELECT provider, event_id AS "eventId", type, ${ROUND} AS round FROM webhook_events WHERE next_check_at IS NOT NULL AND ${EVENTS_OF[item.kind]}`,
        [item.id],
      ),
  };
}

const EVENTS_OF: Readonly<Record<MarketplaceKind, string>> = {
  payment: `((provider = 'hyperswitch' AND (SELECT hyperswitch_payment_id FROM payments WHERE id = $1) IN (object_id, parent_id))
    OR (provider = 'stripe' AND type LIKE 'payment_intent.%' AND object_id = (SELECT connector_transaction_id FROM payments WHERE id = $1 AND ${MADE_AT_STRIPE})))`,
  refund: `(provider, object_id) IN (SELECT 'hyperswitch', hyperswitch_refund_id FROM refunds WHERE id = $1
    UNION ALL SELECT 'stripe', connector_refund_id FROM refunds WHERE id = $1 AND ${READ_BY_ITSELF})`,
  transfer: `provider = 'stripe' AND object_id = (SELECT stripe_transfer_id FROM seller_transfers WHERE id = $1)`,
  reversal: `provider = 'stripe' AND object_id = (SELECT t.stripe_transfer_id FROM seller_transfers t JOIN reversals r ON r.transfer_id = t.id WHERE r.id = $1)`,
  dispute: `(provider, object_id) IN (SELECT 'hyperswitch', hyperswitch_dispute_id FROM disputes WHERE id = $1
    UNION ALL SELECT psp_account, provider_dispute_id FROM disputes WHERE id = $1)`,
};
