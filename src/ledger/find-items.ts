import type { OrderId } from '../domain/ids.js';
import type { MarketplaceKind } from '../domain/marketplace/marketplace.js';
import type { Database } from './database.js';
import { everBorne } from './settlements/find-settlements.js';

/** Which item a person means, and the order it belongs to. */
export type FoundItem =
  | { readonly kind: 'settlement'; readonly id: string; readonly orderId: null }
  | { readonly kind: 'order' | MarketplaceKind; readonly id: string; readonly orderId: OrderId };

/** Items, and what kind of name they were found by. */
export interface Found {
  readonly items: readonly FoundItem[];
  readonly by: 'id' | 'name' | 'shared name' | 'request id' | 'idempotency key' | 'event';
}

const NOTHING: Found = { items: [], by: 'id' };

/** More are not told apart by a person: a seller or payer may have any number. */
export const MOST_FOUND = 50;

/** Finds what a person has a name for; read by commands, never by the product itself. */
export function createItemFinder(database: Database) {
  const idsOf = async (sql: string, text: string): Promise<readonly string[]> =>
    (await database.query<{ id: string }>(sql, [text])).map(({ id }) => id);
  const resolved = async (ids: readonly string[]): Promise<FoundItem[]> =>
    ids.length === 0
      ? []
      : await database.query<FoundItem & { [column: string]: unknown }>(RESOLVE, [ids, MOST_FOUND + 1]);

  async function findNamed(text: string): Promise<Found> {
    const [, own] = OWN_ID.exec(text.toLowerCase()) ?? [];
    const found = own === undefined ? [] : await resolved([own, ...(await idsOf(DECIDED, own))]);
    if (found.length > 0) return { items: found, by: 'id' };
    for (const [by, names] of ASKED) {
      const named = await resolved(await idsOf(names, text));
      if (named.length > 0) return { items: named, by };
    }
    return NOTHING;
  }

  async function findAll(text: string): Promise<Found> {
    const found = await findNamed(text);
    if (found.items.length > 0) return found;
    const [told] = await database.query<{ object_id: string | null; parent_id: string | null }>(
      `SELECT object_id, parent_id FROM webhook_events WHERE event_id = $1 AND provider IN ('stripe', 'hyperswitch')`,
      [text],
    );
    for (const name of [told?.object_id, told?.parent_id]) {
      const about = name ? await findNamed(name) : NOTHING;
      if (about.items.length > 0) return { items: about.items, by: 'event' };
    }
    return NOTHING;
  }

  return {
    /** The same as findItems, with what kind of name it was. */
    findNamedItems: findAll,

    /**
     * By our id, a decision's or a workflow's; else by a key or a name it has at a provider (tr_…, pi_…, the payment
     * provider's ids, an event's); else by what many share: a transaction, a request, a payer, a seller, a channel. One id
     * names one item. Of many the newest, one more than MOST_FOUND where there are more.
     */
    findItems: async (text: string): Promise<readonly FoundItem[]> => (await findAll(text)).items,
  };
}

/** Alone, as a workflow's (`reversal/…`), or as a key (`…:g2`, `…:cancel`). */
const OWN_ID =
  /^(?:[a-z]+\/)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?::g[1-9][0-9]*|:cancel)?$/;

const RESOLVE = `
  SELECT kind, id, "orderId" FROM (
    SELECT 1 AS place, 'settlement' AS kind, id, NULL AS "orderId" FROM settlements WHERE id = ANY ($1::uuid[])
    UNION ALL SELECT 2, 'order', id, id FROM orders WHERE id = ANY ($1::uuid[])
    UNION ALL SELECT 3, 'payment', id, order_id FROM payments WHERE id = ANY ($1::uuid[])
    UNION ALL SELECT 4, 'refund', id, order_id FROM refunds WHERE id = ANY ($1::uuid[])
    UNION ALL SELECT 5, 'transfer', id, order_id FROM seller_transfers WHERE id = ANY ($1::uuid[])
    UNION ALL SELECT 6, 'reversal', id, order_id FROM reversals WHERE id = ANY ($1::uuid[])
    UNION ALL SELECT 7, 'dispute', id, order_id FROM disputes WHERE id = ANY ($1::uuid[])
  ) found ORDER BY place, id DESC LIMIT $2`;

const DECIDED = `
  SELECT item_id AS id FROM decisions WHERE id = $1::uuid
  UNION ALL SELECT dispute_id FROM dispute_withdrawals WHERE id = $1::uuid`;

/** Each stands for one item, or for one of each kind. */
const NAMES = `
  SELECT id FROM settlements WHERE ${everBorne('key', '$1')}
  UNION SELECT id FROM orders WHERE reference = $1
  UNION SELECT id FROM payments WHERE hyperswitch_payment_id = $1
  UNION SELECT id FROM payments WHERE connector_transaction_id = $1
  UNION SELECT id FROM refunds WHERE hyperswitch_refund_id = $1
  UNION SELECT id FROM refunds WHERE connector_refund_id = $1
  UNION SELECT payment_id FROM unnamed_refunds WHERE provider_refund_id = $1
  UNION SELECT id FROM seller_transfers WHERE stripe_transfer_id = $1
  UNION SELECT id FROM reversals WHERE stripe_reversal_id = $1
  UNION SELECT transfer_id FROM foreign_reversals WHERE stripe_reversal_id = $1
  UNION SELECT id FROM disputes WHERE provider_dispute_id = $1
  UNION SELECT id FROM disputes WHERE hyperswitch_dispute_id = $1`;

/** Newest first: a payer or a seller may have any number. */
const newest = (table: string, condition: string): string =>
  `(SELECT id FROM ${table} WHERE ${condition} ORDER BY id DESC LIMIT ${MOST_FOUND + 1})`;

/** Few bear it, so that they are found by its index first; Postgres would rather look at the newest rows until it has enough, and finds none. */
const few = (table: string, condition: string): string =>
  newest(`(SELECT id FROM ${table} WHERE ${condition} OFFSET 0) few`, 'true');

const NAMES_OF_MANY = [
  few('payments', 'charge_id = $1'),
  few('payments', 'charge_of = $1'),
  few('settlements', 'tx_hash = $1'),
  few('settlements', `context ? 'paymentRequestId' AND ${everBorne(`(context ->> 'paymentRequestId')`, '$1')}`),
  few('settlements', everBorne('identity', '$1')),
  few('settlements', 'channel_id = $1'),
  newest('settlements', 'voucher_channel = $1'),
  newest('settlements', 'lower(payer) = lower($1)'),
  few('settlements', `lookup ? 'nonce' AND lookup ->> 'nonce' = $1`),
  newest('seller_transfers', 'seller_account = $1'),
  few('seller_transfers', 'provider_request_id = $1'),
  newest('reversals', 'seller_account = $1'),
  few('reversals', 'provider_request_id = $1'),
  // A payout stands for the transfers in it.
  few(
    'seller_transfers',
    'stripe_transfer_id IN (SELECT stripe_transfer_id FROM payout_transfers WHERE external_payout_id = $1)',
  ),
  '(SELECT item_id AS id FROM request_keys WHERE key = $1 AND item_id IS NOT NULL)',
].join('\n  UNION ');

/** Of earlier attempts: the row has only what was used last. */
const inTheStory = (condition: string): string => `
  SELECT DISTINCT item_id::uuid AS id FROM operation_events WHERE ${condition}
    AND item_kind IN ('settlement', 'order', 'payment', 'refund', 'transfer', 'reversal', 'dispute')`;
const EARLIER_REQUESTS = inTheStory(`detail ? 'request_id' AND detail ->> 'request_id' = $1`);
const EARLIER_KEYS = inTheStory('idempotency_key = $1');

const ASKED = [
  ['name', NAMES],
  ['shared name', NAMES_OF_MANY],
  ['request id', EARLIER_REQUESTS],
  ['idempotency key', EARLIER_KEYS],
] as const;
