import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { DecidableKind } from '../../domain/decisions/decisions.js';
import type { Database } from '../database.js';
import { AT_STAKE } from '../money-that-leaves/dispute-rows.js';
import type { ItemSummary } from './item-summaries.js';

export interface WaitingQuery {
  readonly kind: DecidableKind;
  readonly reason: AttentionReason;
  /** Left out: whichever wait. */
  readonly ids?: readonly string[] | undefined;
  readonly limit: number;
}

const TABLES: Readonly<Record<DecidableKind, string>> = {
  settlement: 'settlements',
  transfer: 'seller_transfers',
  reversal: 'reversals',
  payment: 'payments',
  refund: 'refunds',
  dispute: 'disputes',
};

const STAKE = `SELECT (${AT_STAKE.amount})::text AS stake, ${AT_STAKE.currency} AS unit
  FROM disputes d JOIN payments p ON p.id = d.payment_id JOIN orders o ON o.id = d.order_id WHERE d.id = x.id`;
const NO_STAKE = 'SELECT NULL::text AS stake, NULL::text AS unit';

/** What waits for a person for this reason now, the longest first. */
export async function waitingItems(
  database: Database,
  { kind, reason, ids, limit }: WaitingQuery,
): Promise<readonly ItemSummary[]> {
  const [amount, unit, decimals] =
    kind === 'settlement' ? ['spent', 'asset', 'decimals'] : ['amount', 'currency', 'NULL::int'];
  return await database.query<ItemSummary & { [column: string]: unknown }>(
    `SELECT '${kind}' AS kind, id, status, ${amount}::text AS amount, ${unit} AS unit, ${decimals} AS decimals, NULL::text AS who,
       true AS "needsAttention", s.stake, s.unit AS "stakeUnit"
     FROM ${TABLES[kind]} x LEFT JOIN LATERAL (${kind === 'dispute' ? STAKE : NO_STAKE}) s ON true
     WHERE attention_reason = $1 AND ($2::uuid[] IS NULL OR id = ANY ($2))
     ORDER BY attention_since, id LIMIT $3`,
    [reason, ids ?? null, limit],
  );
}
