import type { OrderId, RefundId } from '../../domain/ids.js';
import { larger } from '../../domain/money.js';
import { followReleases } from '../calls/releases.js';
import { compensate, owedAgain } from '../marketplace/compensation.js';
import { makeGood } from '../marketplace/restorations.js';
import { lockOrderOf } from '../marketplace/seller-shares.js';
import { settleShares } from '../marketplace/share-out.js';
import type { Query } from '../transition.js';
import { type Decidable, type DecidableRow, needsAttention } from './decidable.js';
import { NO_ATTENTION } from './decision-rows.js';

interface Row extends DecidableRow {
  readonly id: RefundId;
  readonly order_id: OrderId;
  readonly amount: string;
  readonly currency: string;
  /** To all sellers of the order, whichever of its refunds failed: one of them bears the question for all. */
  readonly owed: bigint;
}

/** Nothing about a refund is asked of Hyperswitch first: what a person gives up is a question, and an open one is read on. */
export const REFUND: Decidable<'refund', Row> = {
  table: 'refunds',
  async lock(query, id) {
    await lockOrderOf(query, 'refunds', id);
    const [row] = await query<Omit<Row, 'owed'> & { [column: string]: unknown }>(
      `SELECT id, order_id, status, amount, currency, attention_reason, attention_detail FROM refunds
       WHERE id = $1 FOR UPDATE`,
      [id],
    );
    return row && { ...row, owed: await owedAgain(query, row.order_id) };
  },
  waits: needsAttention,
  atStake: ({ amount, owed, currency }) => ({
    amount: larger(BigInt(amount), owed),
    currency: currency.toLowerCase(),
  }),
  actions: {
    /** The sellers' shares are settled once more and the refund is read again; what still needs a person comes back. */
    retry: {
      async apply({ query }, row) {
        await putAside(query, row);
        if (isOpen(row)) return row.status;
        await settleShares(query, row.order_id);
        // Only the reading answers what became of it: until then that stays asked, and nothing is owed for it.
        if (!(await asksAgain(query, row))) await makeGood(query, row.order_id);
        return row.status;
      },
    },
    compensate: {
      async apply({ query, clock }, row) {
        await putAside(query, row);
        await compensate(query, clock, row.order_id, row.id);
        return row.status;
      },
    },
    write_off: {
      async apply({ query }, row) {
        await putAside(query, row);
        // What waited for the end of it waits no more.
        await followReleases(query, row.order_id);
        return row.status;
      },
    },
  },
};

const isOpen = ({ status }: Row): boolean => status === 'pending' || status === 'review';

/** What the retry was about is asked on, unless that is what sellers are owed. @returns whether it is */
async function asksAgain(query: Query, { id }: Row): Promise<boolean> {
  const asked = await query(
    `UPDATE refunds r SET attention_reason = d.asked_reason, attention_since = clock_now(), attention_detail = d.asked_detail
     FROM (SELECT asked_reason, asked_detail FROM decisions WHERE item_kind = 'refund' AND item_id = $1 AND action = 'retry' AND state = 'applied'
       ORDER BY requested_at DESC, id DESC LIMIT 1) AS d
     WHERE r.id = $1 AND d.asked_reason <> 'refund_failed_after_reversal' RETURNING r.id`,
    [id],
  );
  return asked.length > 0;
}

/** It is read again: what stood behind this question is asked then. */
async function putAside(query: Query, row: Row): Promise<void> {
  await query(`UPDATE refunds SET ${NO_ATTENTION}, next_check_at = clock_now() WHERE id = $1`, [row.id]);
}
