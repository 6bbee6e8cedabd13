import type { CauseId, OrderId } from '../../domain/ids.js';
import { amountStep } from '../../domain/marketplace/currencies.js';
import type { FeePolicy, LineCause, Lines, Part } from '../../domain/marketplace/lines.js';
import { larger } from '../../domain/money.js';
import type { Query } from '../transition.js';

/** What an order comes to, and whether its shares go by line. */
export interface OrderHead {
  readonly currency: string;
  readonly paid: bigint;
  /** What the buyer paid, where that is more. */
  readonly whole: bigint;
  readonly byLine: boolean;
  readonly hasFees: boolean;
  /** A cause stands whose fee is not borne as arithmetic would have it. */
  readonly startsLines: boolean;
}

export async function headOf(query: Query, order: OrderId): Promise<OrderHead> {
  const [row] = await query<{
    currency: string;
    paid: string;
    captured: string | null;
    by_line: boolean;
    has_fees: boolean;
    starts_lines: boolean;
  }>(
    `SELECT o.currency, o.amount AS paid, p.captured, o.by_line,
       f.has_fees, EXISTS (SELECT 1 FROM causes WHERE order_id = o.id AND stands
         AND (fee > 0 OR (fee_policy = 'keep' AND f.has_fees))) AS starts_lines
     FROM orders o LEFT JOIN payments p ON p.order_id = o.id,
       LATERAL (SELECT EXISTS (SELECT 1 FROM order_items WHERE order_id = o.id AND fee > 0) AS has_fees) AS f
     WHERE o.id = $1`,
    [order],
  );
  if (!row) throw new Error(`order ${order} is not in the ledger`);
  const paid = BigInt(row.paid);
  return {
    currency: row.currency,
    paid,
    whole: larger(paid, BigInt(row.captured ?? 0)),
    byLine: row.by_line,
    hasFees: row.has_fees,
    startsLines: row.starts_lines,
  };
}

export async function linesIn(query: Query, order: OrderId, head: OrderHead): Promise<Lines> {
  const rows = await query<{ position: number; seller_account: string | null; amount: string; fee: string }>(
    'SELECT position, seller_account, amount, fee FROM order_items WHERE order_id = $1 AND amount > 0 ORDER BY position',
    [order],
  );
  return {
    paid: head.whole,
    step: amountStep(head.currency),
    lines: rows.map((row) => ({
      position: row.position,
      seller: row.seller_account,
      amount: BigInt(row.amount),
      fee: BigInt(row.fee),
    })),
  };
}

/** Of `causes` (SQL): a refund that had succeeded, and has failed since. */
const FAILED_SINCE = `(kind = 'refund' AND NOT stands AND NOT reserved AND since IS NOT NULL)`;

/**
 * Which causes count: those that stand, or with them refunds that had succeeded and have failed since: all of them, those for which
 * sellers were not paid again, or those that the processor itself holds as succeeded.
 */
export type Counted = 'standing' | 'or_failed_since' | 'or_not_made_good' | 'or_doubtful';

/** Of `causes` (SQL). */
export const COUNTED: Readonly<Record<Counted, string>> = {
  standing: 'stands',
  or_failed_since: `(stands OR ${FAILED_SINCE})`,
  or_not_made_good: `(stands OR (${FAILED_SINCE} AND id IN (SELECT id FROM refunds WHERE made_good_at IS NULL)))`,
  or_doubtful: `(stands OR (${FAILED_SINCE} AND id IN (SELECT id FROM refunds WHERE connector_succeeded)))`,
};

type Standing = 'standing' | 'reserved' | 'failedSince';

/** The causes of the order with their parts, the oldest first: those that stand, those that may, and refunds that did. */
export async function causesByLine(
  query: Query,
  order: OrderId,
): Promise<(...which: readonly Standing[]) => readonly LineCause[]> {
  const rows = await query<{
    id: CauseId;
    amount: string;
    fee: string;
    fee_policy: FeePolicy | null;
    is: Standing;
    named: boolean | null;
    parts: readonly { readonly position: number; readonly amount: string; readonly borne: string | null }[] | null;
  }>(
    `SELECT c.id, c.amount, c.fee, c.fee_policy, CASE WHEN c.stands THEN 'standing' WHEN c.reserved THEN 'reserved' ELSE 'failedSince' END AS is, p.named, p.parts
     FROM causes c LEFT JOIN LATERAL (
       SELECT bool_or(named) AS named,
         jsonb_agg(jsonb_build_object('position', position, 'amount', amount::text, 'borne', borne::text) ORDER BY position) AS parts
       FROM cause_parts WHERE cause_id = c.id) AS p ON true
     WHERE c.order_id = $1 AND (stands OR reserved OR ${FAILED_SINCE}) ORDER BY coalesce(c.since, c.created_at), c.id`,
    [order],
  );
  const causes = rows.map((row) => ({
    is: row.is,
    cause: {
      id: row.id,
      amount: BigInt(row.amount),
      fee: BigInt(row.fee),
      policy: row.fee_policy ?? 'return_proportionally',
      named: row.named ?? false,
      parts: (row.parts ?? []).map(
        ({ position, amount, borne }): Part => ({
          position,
          amount: BigInt(amount),
          borne: borne === null ? null : BigInt(borne),
        }),
      ),
    },
  }));
  return (...which) => causes.filter((one) => which.includes(one.is)).map(({ cause }) => cause);
}
