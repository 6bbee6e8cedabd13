import { describe, expect, it } from 'vitest';
import {
  ORDER_STATUSES,
  ORDER_TRANSITIONS,
  PAYMENT_STATUSES,
  PAYMENT_TRANSITIONS,
  REFUND_STATUSES,
  REFUND_TRANSITIONS,
  REVERSAL_STATUSES,
  REVERSAL_TRANSITIONS,
  TRANSFER_STATUSES,
  TRANSFER_TRANSITIONS,
} from '../../../../src/domain/marketplace/marketplace-status.js';
import { ledgerForFile } from '../../../support/ledger-fixtures.js';
import { putOrder } from '../../../support/marketplace/fixtures.js';

const test = await ledgerForFile();

interface Kind {
  readonly table: string;
  readonly statuses: readonly string[];
  readonly transitions: Readonly<Record<string, readonly string[]>>;
  /** A row of its own in this status. */
  readonly put: (status: never) => Promise<string>;
  /** All that the constraints of a goal ask for, so that only the move itself can be refused; `$2` is the goal. */
  readonly set: string;
}

const UNSENT: readonly string[] = [
  'pending',
  'held',
  'waiting_platform_balance',
  'waiting_seller',
  'failed',
  'cancelled',
];

const KINDS: Readonly<Record<string, Kind>> = {
  order: {
    table: 'orders',
    statuses: ORDER_STATUSES,
    transitions: ORDER_TRANSITIONS,
    put: async (status) => (await putOrder(test, { status })).id,
    set: `paid_at = CASE WHEN $2 NOT IN ('pending', 'payment_failed') THEN now() END`,
  },
  payment: {
    table: 'payments',
    statuses: PAYMENT_STATUSES,
    transitions: PAYMENT_TRANSITIONS,
    put: async (status) => (await putOrder(test, { payment: { status } })).paymentId,
    set: `certainty = 'done', captured = CASE WHEN $2 = 'succeeded' THEN amount ELSE captured END,
      next_check_at = CASE WHEN $2 IN ('pending', 'processing') THEN now() END`,
  },
  refund: {
    table: 'refunds',
    statuses: REFUND_STATUSES,
    transitions: REFUND_TRANSITIONS,
    put: async (status) => (await putOrder(test, { refunds: [{ status }] })).refunds[0]!.id,
    set: `certainty = 'done', next_check_at = now(), succeeded_at = now()`,
  },
  transfer: {
    table: 'seller_transfers',
    statuses: TRANSFER_STATUSES,
    transitions: TRANSFER_TRANSITIONS,
    put: async (status) => {
      const failed = status === 'permanently_failed' ? { certainty: 'absent', completed_at: null } : {};
      const unsent = UNSENT.includes(status) ? { certainty: 'absent' } : failed;
      const stripeTransferId = null;
      const order = await putOrder(test, { transfers: [{ amount: 1_000, status, stripeTransferId, columns: unsent }] });
      return order.transfers[0]!.id;
    },
    set: `certainty = CASE WHEN $2 IN ('cancelled', 'held') OR $2 LIKE 'waiting_%' THEN certainty ELSE 'done' END,
      waiting_since = CASE WHEN $2 LIKE 'waiting_%' THEN now() END,
      withheld = CASE WHEN $2 = 'cancelled' AND certainty = 'absent' THEN promised ELSE withheld END,
      amount = CASE WHEN $2 = 'cancelled' AND certainty = 'absent' THEN 0 ELSE amount END,
      completed_at = CASE WHEN $2 IN ('completed', 'reversal_pending', 'partially_reversed', 'reversed') THEN now() END,
      next_check_at = now()`,
  },
  reversal: {
    table: 'reversals',
    statuses: REVERSAL_STATUSES,
    transitions: REVERSAL_TRANSITIONS,
    put: async (status) => {
      // Nothing is known of it yet: a goal that needs proof brings its own.
      const columns = status === 'reversed' ? {} : { certainty: 'not_sent' };
      const order = await putOrder(test, {
        transfers: [{ amount: 1_000, status: 'completed' }],
        refunds: [{ reversals: [{ transfer: 0, amount: 1_000, status, columns }] }],
      });
      return order.reversals[0]!.id;
    },
    set: `certainty = CASE WHEN $2 = 'reversed' THEN 'done' ELSE certainty END,
      stripe_reversal_id = coalesce(stripe_reversal_id, CASE WHEN $2 = 'reversed' THEN 'trr_' || id END),
      reversed_at = now(), next_check_at = now(), attention_reason = 'conflict', attention_since = now(), attention_detail = 'x'`,
  },
};

describe.each(Object.entries(KINDS))('every move of a %s', (kind, { table, statuses, transitions, put, set }) => {
  const pairs = statuses.flatMap((from) => statuses.filter((to) => to !== from).map((to) => [from, to] as const));

  it.each(pairs)('%s → %s is what the table in code says', async (from, to) => {
    const legal = transitions[from]?.includes(to) ?? false;
    const [said] = await test.database.query<{ may: boolean }>('SELECT may_become($1, $2, $3) AS may', [
      kind,
      from,
      to,
    ]);
    expect(said?.may).toBe(legal);

    const id = await put(from as never);
    const move = test.database.transaction(async (within) => {
      const moved = await within(`UPDATE ${table} SET status = $2, ${set} WHERE id = $1 RETURNING status`, [id, to]);
      if (table === 'payments' || table === 'refunds')
        await within(`SELECT book_platform(order_id) FROM ${table} WHERE id = $1`, [id]);
      return moved;
    });
    if (legal) expect(await move).toEqual([{ status: to }]);
    else await expect(move).rejects.toThrow(`${from} cannot become ${to}`);
  });

  it('knows no status that the code does not know', async () => {
    const [row] = await test.database.query<{ definition: string }>(
      `SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE conname = $1`,
      [`${table}_status_check`],
    );
    const known = [...(row?.definition ?? '').matchAll(/'([a-z_]+)'/g)].map(([, status]) => status);
    expect(new Set(known)).toEqual(new Set(statuses));
  });
});
