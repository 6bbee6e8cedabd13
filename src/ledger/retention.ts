import { firstIdAt } from '../domain/ids.js';
import type { Database } from './database.js';
import type { Query } from './transition.js';

/** What one batch looked at and put aside; `more`: there is more that is old enough to look at. */
export interface PutAside {
  readonly archived: number;
  readonly more: boolean;
}

/** Finished items of long ago are put aside: they leave the lists, and nothing else of them changes. */
export function createRetention(database: Database) {
  return {
    /** @param quietMs how long nothing has happened to it @param limit so many are looked at */
    archiveSettlements: (quietMs: number, limit: number): Promise<PutAside> =>
      batch(database, { kind: 'settlement', table: 'settlements', quietMs, limit }, async (query, ids, before) => {
        const rows = await query(
          `UPDATE settlements SET archived_at = clock_now() WHERE id IN (
             SELECT id FROM settlements s WHERE id = ANY ($1) AND ${FINISHED_SETTLEMENT} FOR UPDATE SKIP LOCKED) RETURNING id`,
          [ids, before],
        );
        return rows.length;
      }),

    /** Orders with everything that came of them: all of an order or nothing. */
    archiveOrders: (quietMs: number, limit: number): Promise<PutAside> =>
      batch(database, { kind: 'order', table: 'orders', quietMs, limit }, async (query, ids, before) => {
        const finished = async (of: readonly string[], lock: string) =>
          (
            await query<{ id: string }>(`SELECT id FROM orders o WHERE id = ANY ($1) AND ${FINISHED_ORDER} ${lock}`, [
              of,
              before,
            ])
          ).map(({ id }) => id);
        const held = await finished(ids, 'FOR UPDATE SKIP LOCKED');
        if (held.length === 0) return 0;
        // What changes a part holds it; what adds one holds the order.
        for (const { table } of PARTS)
          await query(`SELECT id FROM ${table} WHERE order_id = ANY ($1) ORDER BY id FOR UPDATE`, [held]);
        const still = await finished(held, '');
        await query('UPDATE orders SET archived_at = clock_now() WHERE id = ANY ($1)', [still]);
        for (const { table } of PARTS)
          await query(`UPDATE ${table} SET archived_at = clock_now() WHERE order_id = ANY ($1)`, [still]);
        return still.length;
      }),
  };
}

interface Batch {
  readonly kind: 'settlement' | 'order';
  readonly table: 'settlements' | 'orders';
  readonly quietMs: number;
  readonly limit: number;
}

/**
 * Looks at so many rows after those that were looked at last, oldest first, and from the beginning again when all were. How far it came is part
 * of the same transaction, so that a pass that is cut off goes on where it was, and what cannot be put aside holds up nothing.
 */
const batch = (
  database: Database,
  { kind, table, quietMs, limit }: Batch,
  putAside: (query: Query, ids: readonly string[], before: string) => Promise<number>,
): Promise<PutAside> =>
  database.transaction(async (query) => {
    await query('INSERT INTO retention_marks (kind) VALUES ($1) ON CONFLICT DO NOTHING', [kind]);
    const [mark] = await query<{ after: string | null; before: Date }>(
      `SELECT after, clock_now() - $2 * interval '1 millisecond' AS before FROM retention_marks WHERE kind = $1 FOR UPDATE`,
      [kind, quietMs],
    );
    if (!mark) return { archived: 0, more: false };
    const rows = await query<{ id: string }>(`SELECT id FROM ${table} WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3`, [
      mark.after ?? firstIdAt(0),
      firstIdAt(mark.before.getTime()),
      limit,
    ]);
    const ids = rows.map(({ id }) => id);
    const archived = ids.length === 0 ? 0 : await putAside(query, ids, mark.before.toISOString());
    const more = ids.length === limit;
    await query('UPDATE retention_marks SET after = $2, at = clock_now() WHERE kind = $1', [
      kind,
      more ? (ids.at(-1) ?? null) : null,
    ]);
    return { archived, more };
  });

/** Of an item `kind` with the id `id`: nothing has happened to it since `$2`, nobody asks about it, and nothing waits for a second person. */
const quiet = (kind: string, id: string): string =>
  `coalesce((SELECT e.at < $2 FROM operation_events e WHERE e.item_kind = '${kind}' AND e.item_id = ${id}::text ORDER BY e.place DESC LIMIT 1), true)
   AND NOT EXISTS (SELECT 1 FROM drifts d WHERE d.item_id = ${id} AND d.state <> 'closed')
   AND NOT EXISTS (SELECT 1 FROM decisions w WHERE w.item_kind = '${kind}' AND w.item_id = ${id} AND w.state = 'pending_approval')`;

const FINISHED_SETTLEMENT = `archived_at IS NULL AND created_at < $2
  AND status IN ('settled', 'released', 'written_off') AND attention_reason IS NULL AND next_check_at IS NULL AND runner IS NULL AND sealed IS NULL
  AND coalesce(answer, 'given') = 'given'
  AND NOT EXISTS (SELECT 1 FROM named_answers n WHERE n.id = s.id)
  AND NOT EXISTS (SELECT 1 FROM payment_sessions p WHERE p.id = s.id AND p.closed_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM settlements b WHERE b.blocked_by = s.id)
  AND (channel_id IS NULL OR EXISTS (SELECT 1 FROM channels c WHERE c.channel_id = s.channel_id AND c.finalized))
  AND (voucher_channel IS NULL OR NOT EXISTS (SELECT 1 FROM settlements v WHERE v.voucher_channel = s.voucher_channel
    AND v.status IN ('open', 'pending', 'needs_attention')))
  AND ${quiet('settlement', 's.id')}`;

const CALLED = `x.attention_reason IS NULL AND x.next_check_at IS NULL AND x.runner IS NULL AND x.certainty NOT IN ('unknown', 'in_flight')`;

/** What belongs to an order, in the order in which it is held, and when a part `x` is finished. */
const PARTS = [
  {
    kind: 'payment',
    table: 'payments',
    finished: `x.status IN ('succeeded', 'failed', 'cancelled') AND ${CALLED}
      AND NOT EXISTS (SELECT 1 FROM unnamed_refunds u WHERE u.payment_id = x.id AND u.decided_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.connector_refund_id = u.provider_refund_id))`,
  },
  { kind: 'refund', table: 'refunds', finished: `x.status IN ('succeeded', 'failed') AND ${CALLED}` },
  {
    kind: 'transfer',
    table: 'seller_transfers',
    finished: `(x.status IN ('completed', 'partially_reversed', 'reversed', 'cancelled') OR x.status = 'permanently_failed' AND x.written_off_at IS NOT NULL)
      AND ${CALLED}`,
  },
  { kind: 'reversal', table: 'reversals', finished: `x.status IN ('reversed', 'written_off') AND ${CALLED}` },
  {
    kind: 'dispute',
    table: 'disputes',
    finished: `x.status IN ('won', 'lost', 'cancelled') AND x.attention_reason IS NULL AND x.next_check_at IS NULL AND NOT x.holds`,
  },
] as const;

const FINISHED_ORDER = [
  `archived_at IS NULL AND created_at < $2 AND status IN ('paid', 'partially_refunded', 'refunded', 'payment_failed')`,
  quiet('order', 'o.id'),
  ...PARTS.map(
    ({ kind, table, finished }) =>
      `NOT EXISTS (SELECT 1 FROM ${table} x WHERE x.order_id = o.id AND NOT (${finished} AND x.created_at < $2 AND ${quiet(kind, 'x.id')}))`,
  ),
].join('\n  AND ');
