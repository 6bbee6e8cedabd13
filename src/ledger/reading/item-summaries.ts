import type { Database } from '../database.js';
import { AT_STAKE } from '../money-that-leaves/dispute-rows.js';

/** What tells an item apart for a person. Amounts are digits: atomic units where there are decimals, else minor units. */
export interface ItemSummary {
  readonly kind: string;
  readonly id: string;
  readonly status: string;
  readonly amount: string;
  readonly unit: string;
  readonly decimals: number | null;
  /** Payer, seller or reference. */
  readonly who: string | null;
  readonly needsAttention: boolean;
  /** The most that a decision about it can move, in its own unit; null: its amount. */
  readonly stake: string | null;
  readonly stakeUnit: string | null;
}

const of = (kind: string, table: string, who: string): string =>
  `SELECT '${kind}' AS kind, id, status, amount::text, currency AS unit, NULL::int AS decimals, ${who} AS who,
     attention_reason IS NOT NULL AS "needsAttention", NULL AS stake, NULL AS "stakeUnit" FROM ${table} WHERE id = ANY ($1)`;

const SUMMARIES = [
  `SELECT 'settlement' AS kind, id, status, spent::text AS amount, asset AS unit, decimals, payer AS who,
     attention_reason IS NOT NULL AS "needsAttention", NULL::text AS stake, NULL::text AS "stakeUnit" FROM settlements WHERE id = ANY ($1)`,
  `SELECT 'order', id, status, amount::text, currency, NULL::int, reference, false, NULL, NULL FROM orders WHERE id = ANY ($1)`,
  of('payment', 'payments', 'coalesce(hyperswitch_payment_id, connector_transaction_id)'),
  of('refund', 'refunds', 'coalesce(hyperswitch_refund_id, connector_refund_id)'),
  of('transfer', 'seller_transfers', 'seller_account'),
  of('reversal', 'reversals', 'seller_account'),
  `SELECT 'dispute', d.id, d.status, d.amount::text, d.currency, NULL::int, d.provider_dispute_id, d.attention_reason IS NOT NULL,
     (${AT_STAKE.amount})::text, ${AT_STAKE.currency}
   FROM disputes d JOIN payments p ON p.id = d.payment_id JOIN orders o ON o.id = d.order_id WHERE d.id = ANY ($1)`,
].join(' UNION ALL ');

/** Of whatever has one of these ids, in no order. */
export const itemSummaries = (database: Database, ids: readonly string[]): Promise<readonly ItemSummary[]> =>
  ids.length === 0
    ? Promise.resolve([])
    : database.query<ItemSummary & { [column: string]: unknown }>(SUMMARIES, [ids]);
