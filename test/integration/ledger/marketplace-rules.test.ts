import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newOrderId, newRefundId } from '../../../src/domain/ids.js';
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
} from '../../../src/domain/marketplace-status.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { force, putOrder, unguarded, unique } from '../../support/marketplace-fixtures.js';

let test: TestLedger;
beforeAll(async () => {
  test = await openTestLedger();
});
afterAll(() => test.dispose());

const query = (sql: string, values: readonly unknown[] = []) => test.database.query(sql, values);

interface Kind {
  readonly table: string;
  readonly statuses: readonly string[];
  readonly transitions: Readonly<Record<string, readonly string[]>>;
  /** A row of its own in this status. */
  readonly put: (status: never) => Promise<string>;
  /** All that the constraints of a goal ask for, so that only the move itself can be refused; `$2` is the goal. */
  readonly set: string;
}

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
    set: `certainty = 'done', next_check_at = CASE WHEN $2 IN ('pending', 'processing') THEN now() END`,
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
      const unsent = ['pending', 'failed', 'cancelled'].includes(status) ? { certainty: 'absent' } : {};
      const stripeTransferId = null;
      const order = await putOrder(test, { transfers: [{ amount: 1_000, status, stripeTransferId, columns: unsent }] });
      return order.transfers[0]!.id;
    },
    set: `certainty = CASE WHEN $2 = 'cancelled' THEN certainty ELSE 'done' END,
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
    const move = query(`UPDATE ${table} SET status = $2, ${set} WHERE id = $1 RETURNING status`, [id, to]);
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

/** Completed, with one reversal that nobody has begun. */
const withReversal = async (amount = 400) => {
  const order = await putOrder(test, {
    transfers: [{ amount: 1_000 }],
    refunds: [{ reversals: [{ transfer: 0, amount }] }],
  });
  return { order, transfer: order.transfers[0]!, refund: order.refunds[0]!, reversal: order.reversals[0]! };
};

const insertReversal = (refundId: string, transferId: string, amount: number, changes: Record<string, string> = {}) =>
  query(
    `INSERT INTO reversals (id, refund_id, transfer_id, order_id, seller_account, amount, currency, idempotency_key, next_check_at)
     SELECT gen_random_uuid(), $1, t.id, coalesce($4::uuid, t.order_id), coalesce($5, t.seller_account), $3, coalesce($6, t.currency),
       gen_random_uuid(), now() FROM seller_transfers t WHERE t.id = $2`,
    [refundId, transferId, amount, changes.order ?? null, changes.seller ?? null, changes.currency ?? null],
  );

describe('ids at the provider', () => {
  it('never stand for two transfers', async () => {
    const [one, other] = [
      await putOrder(test),
      await putOrder(test, { transfers: [{ amount: 5, stripeTransferId: null }] }),
    ];
    await expect(
      query('UPDATE seller_transfers SET stripe_transfer_id = $2 WHERE id = $1', [
        other.transfers[0]!.id,
        one.transfers[0]!.stripeTransferId,
      ]),
    ).rejects.toThrow('seller_transfers_stripe');
  });

  it('never stand for two reversals, while one transfer may have many', async () => {
    const order = await putOrder(test, {
      transfers: [{ amount: 1_000 }],
      refunds: [
        {
          amount: 300,
          reversals: [{ transfer: 0, amount: 300, status: 'reversed', columns: { stripe_reversal_id: 'trr_1' } }],
        },
        {
          amount: 300,
          reversals: [{ transfer: 0, amount: 300, status: 'reversed', columns: { stripe_reversal_id: 'trr_2' } }],
        },
        { amount: 300, reversals: [{ transfer: 0, amount: 300 }] },
      ],
    });
    await expect(
      query(
        `UPDATE reversals SET status = 'reversed', certainty = 'done', stripe_reversal_id = 'trr_1', reversed_at = now() WHERE id = $1`,
        [order.reversals[2]!.id],
      ),
    ).rejects.toThrow('reversals_stripe');
  });

  it('never stand for two refunds or two payments', async () => {
    const [one, other] = [
      await putOrder(test, { refunds: [{ amount: 100 }] }),
      await putOrder(test, { refunds: [{ amount: 100, columns: { hyperswitch_refund_id: null } }] }),
    ];
    await expect(
      query('UPDATE refunds SET hyperswitch_refund_id = $2 WHERE id = $1', [
        other.refunds[0]!.id,
        one.refunds[0]!.hyperswitchRefundId,
      ]),
    ).rejects.toThrow('refunds_hyperswitch');
    await expect(
      query('UPDATE payments SET hyperswitch_payment_id = $2 WHERE id = $1', [
        other.paymentId,
        one.hyperswitchPaymentId,
      ]),
    ).rejects.toThrow('payments_hyperswitch');
  });

  it('are never replaced once they are known', async () => {
    const { transfer, refund } = await withReversal();
    await expect(
      query(`UPDATE seller_transfers SET stripe_transfer_id = 'tr_other' WHERE id = $1`, [transfer.id]),
    ).rejects.toThrow('never replaced');
    await expect(
      query('UPDATE seller_transfers SET stripe_transfer_id = NULL WHERE id = $1', [transfer.id]),
    ).rejects.toThrow('never replaced');
    await expect(
      query(`UPDATE refunds SET hyperswitch_refund_id = 'ref_other' WHERE id = $1`, [refund.id]),
    ).rejects.toThrow('never replaced');
    const { reversals } = await putOrder(test, {
      refunds: [{ reversals: [{ transfer: 0, amount: 1_000, status: 'reversed' }] }],
    });
    await expect(
      query(`UPDATE reversals SET stripe_reversal_id = 'trr_other' WHERE id = $1`, [reversals[0]!.id]),
    ).rejects.toThrow('never replaced');
  });
});

describe('sums', () => {
  it('of reversals never exceed their transfer, whatever status they have, but for those that are written off', async () => {
    const { transfer, refund } = await withReversal(700);
    const second = await another(refund.id);
    await expect(insertReversal(second, transfer.id, 301)).rejects.toThrow('exceeds the transfer');
    await insertReversal(second, transfer.id, 300);
    const third = await another(refund.id);
    await expect(insertReversal(third, transfer.id, 1)).rejects.toThrow('exceeds the transfer');
    await query(`UPDATE reversals SET status = 'written_off' WHERE refund_id = $1`, [second]);
    await insertReversal(third, transfer.id, 300);
    await expect(
      query(
        `UPDATE reversals SET status = 'reversed', certainty = 'done', stripe_reversal_id = 'trr_late', reversed_at = now()
         WHERE refund_id = $1`,
        [second],
      ),
    ).rejects.toThrow('exceeds the transfer');
  });

  it('of reversals stay within the transfer when twenty come at once', async () => {
    const { transfer, refund } = await withReversal(1);
    const refunds = await Promise.all(Array.from({ length: 20 }, () => another(refund.id)));
    const outcomes = await Promise.allSettled(refunds.map((id) => insertReversal(id, transfer.id, 100)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(9);
  });

  it('of reversals belong to the order, seller and currency of their transfer', async () => {
    const { transfer, refund } = await withReversal(1);
    const next = await another(refund.id);
    const other = await putOrder(test);
    await expect(insertReversal(next, transfer.id, 1, { order: other.id })).rejects.toThrow(
      'another order, seller or currency',
    );
    await expect(insertReversal(next, transfer.id, 1, { seller: 'acct_z' })).rejects.toThrow(
      'another order, seller or currency',
    );
    await expect(insertReversal(next, transfer.id, 1, { currency: 'EUR' })).rejects.toThrow(
      'another order, seller or currency',
    );
  });

  it('of refunds that our clients ask for never exceed what was paid, pending ones included', async () => {
    const { id, paymentId } = await putOrder(test, { refunds: [{ amount: 600, status: 'pending' }] });
    await expect(insertRefund(id, paymentId, 401)).rejects.toThrow('exceeds the 1000 that were paid');
    await insertRefund(id, paymentId, 400);
    await expect(insertRefund(id, paymentId, 1)).rejects.toThrow('exceeds the 1000 that were paid');
  });

  it('of refunds from the provider’s dashboard are measured against facts alone', async () => {
    const { id, paymentId } = await putOrder(test, {
      refunds: [{ amount: 300 }, { amount: 600, status: 'pending' }],
    });
    const found = (amount: number) =>
      query(
        `INSERT INTO refunds (id, order_id, payment_id, amount, currency, reason, origin, idempotency_key, status, certainty, succeeded_at)
         VALUES (gen_random_uuid(), $1, $2, $3, 'USD', 'r', 'provider', gen_random_uuid(), 'succeeded', 'done', now()) RETURNING amount`,
        [id, paymentId, amount],
      );
    await expect(found(701)).rejects.toThrow('exceeds the 1000 that were paid');
    expect(await found(700)).toEqual([{ amount: '700' }]);
  });

  it('of refunds that succeed never exceed what was paid', async () => {
    const { refunds } = await putOrder(test, {
      status: 'paid',
      refunds: [{ amount: 600 }, { amount: 600, status: 'pending' }],
    });
    await expect(succeed(refunds[1]!.id)).rejects.toThrow('exceeds the 1000 that were paid');
  });

  it('of refunds of an order that nobody paid are refused', async () => {
    const { id, paymentId } = await putOrder(test, {
      status: 'pending',
      transfers: [{ amount: 10, status: 'pending' }],
    });
    await expect(insertRefund(id, paymentId, 1)).rejects.toThrow('is not paid');
  });

  it('of what a transfer sends, withholds and gets back always agree', async () => {
    const [pending] = (await putOrder(test, { transfers: [{ amount: 1_000, status: 'pending' }] })).transfers;
    const [completed] = (await putOrder(test)).transfers;
    const set = (id: string | undefined, columns: string) =>
      query(`UPDATE seller_transfers SET ${columns} WHERE id = $1`, [id]);
    await expect(set(pending?.id, 'amount = 900')).rejects.toThrow('amount_is_what_remains');
    await expect(set(pending?.id, 'withheld = 100')).rejects.toThrow('amount_is_what_remains');
    await expect(set(pending?.id, 'withheld = 1001, amount = -1')).rejects.toThrow('amount_is_what_remains');
    await set(pending?.id, 'withheld = 100, amount = 900');
    await expect(set(completed?.id, 'amount_reversed = 1001')).rejects.toThrow('reversed_within_transfer');
    await expect(set(pending?.id, 'amount_reversed = -1')).rejects.toThrow('reversed_within_transfer');
    await expect(set(completed?.id, 'compensated = 1')).rejects.toThrow('compensated_within_taken');
  });
});

/** One more refund of the same order, past the guards. */
async function another(refundId: string): Promise<string> {
  const id = newRefundId(Date.now());
  await unguarded(test.database, async (run) => {
    await run(
      `INSERT INTO refunds (id, order_id, payment_id, amount, currency, reason, idempotency_key, next_check_at)
       SELECT $2, order_id, payment_id, 1, currency, reason, $3, now() FROM refunds WHERE id = $1`,
      [refundId, id, unique('key')],
    );
  });
  return id;
}

const insertRefund = (order: string, payment: string, amount: number) =>
  query(
    `INSERT INTO refunds (id, order_id, payment_id, amount, currency, reason, origin, idempotency_key, next_check_at)
     VALUES (gen_random_uuid(), $1, $2, $3, 'USD', 'r', 'api', gen_random_uuid(), now())`,
    [order, payment, amount],
  );

const succeed = (id: string) =>
  query(
    `UPDATE refunds SET status = 'succeeded', certainty = 'done', succeeded_at = now(), next_check_at = NULL WHERE id = $1`,
    [id],
  );

describe.each(['seller_transfers', 'reversals'])('a call of %s', (table) => {
  const put = async (columns: Readonly<Record<string, unknown>> = {}): Promise<string> => {
    if (table === 'reversals') {
      const { reversal } = await withReversal();
      await force(test.database, table, reversal.id, columns);
      return reversal.id;
    }
    const order = await putOrder(test, { transfers: [{ amount: 1_000, status: 'pending', columns }] });
    return order.transfers[0]!.id;
  };
  const set = (id: string, columns: string) => query(`UPDATE ${table} SET ${columns} WHERE id = $1`, [id]);
  const NEXT = `generation = generation + 1, idempotency_key = id || ':g2', certainty = 'not_sent', key_first_sent_at = NULL, params = NULL`;

  it('never changes the key, the parameters or the first send of a generation', async () => {
    const id = await put({ params: '{"amount":1}', key_first_sent_at: new Date(), attempts: 1, certainty: 'unknown' });
    await expect(set(id, `idempotency_key = 'other'`)).rejects.toThrow('frozen for a generation');
    await expect(set(id, `params = '{"amount":2}'`)).rejects.toThrow('frozen for a generation');
    await expect(set(id, 'params = NULL')).rejects.toThrow('frozen for a generation');
    await expect(set(id, `key_first_sent_at = now() + interval '1 hour'`)).rejects.toThrow('frozen for a generation');
    await expect(set(id, 'key_first_sent_at = NULL')).rejects.toThrow('frozen for a generation');
    await expect(set(await put(), `idempotency_key = 'other'`)).rejects.toThrow('frozen for a generation');
  });

  it('never forgets an attempt', async () => {
    await expect(set(await put({ attempts: 3 }), 'attempts = 2')).rejects.toThrow('never forgotten');
  });

  it('never becomes absent after an unknown outcome without a look, and never unsent again', async () => {
    const id = await put({ certainty: 'unknown', attempts: 1 });
    for (const certainty of ['absent', 'not_sent', 'in_flight'])
      await expect(set(id, `certainty = '${certainty}'`)).rejects.toThrow('closed only by evidence');
    await expect(set(id, `certainty = 'not_sent', absences = 1`)).rejects.toThrow('closed only by evidence');
    await set(id, `certainty = 'absent', absences = 1`);
  });

  it('stays done once it is done', async () => {
    const id = await put({ certainty: 'done', attempts: 1 });
    for (const certainty of ['absent', 'not_sent', 'in_flight', 'unknown'])
      await expect(set(id, `certainty = '${certainty}', absences = 9`)).rejects.toThrow('stays done');
  });

  it.each([
    ['in flight', { certainty: 'in_flight', attempts: 1 }],
    ['unknown, and never looked for', { certainty: 'unknown', attempts: 1 }],
    ['unknown, and missed once', { certainty: 'unknown', attempts: 1, absences: 1 }],
  ])('never gets a new generation while it is %s', async (_, columns) => {
    await expect(set(await put(columns), NEXT)).rejects.toThrow('needs evidence');
  });

  it('gets a new generation on evidence: a definite no, or an unknown outcome missed twice', async () => {
    const evidence = [
      { certainty: 'absent', attempts: 1 },
      { certainty: 'unknown', attempts: 1, absences: 2, params: '{}', key_first_sent_at: new Date() },
    ];
    for (const columns of evidence) await expect(set(await put(columns), NEXT)).resolves.toEqual([]);
  });

  it.each([
    ['two further on', NEXT.replace('generation + 1', 'generation + 2')],
    ['back', `generation = 1, idempotency_key = 'x', certainty = 'not_sent', key_first_sent_at = NULL`],
    ['with the same key', NEXT.replace(`id || ':g2'`, 'idempotency_key')],
    ['as if it were sent already', NEXT.replace('key_first_sent_at = NULL', 'key_first_sent_at = now()')],
    ['with what was known of the earlier one', NEXT.replace(`'not_sent'`, `'absent'`)],
  ])('never gets a generation %s', async (_, columns) => {
    const id = await put({ certainty: 'absent', attempts: 1, generation: 2, idempotency_key: unique('g') });
    await expect(set(id, columns)).rejects.toThrow('needs evidence');
  });

  it('never shares a key with another one', async () => {
    const [one, other] = [await put(), await put({ certainty: 'absent' })];
    await expect(
      set(other, NEXT.replace(`id || ':g2'`, `(SELECT idempotency_key FROM ${table} WHERE id = '${one}')`)),
    ).rejects.toThrow('idempotency_key');
  });

  it('never names a process that holds it without the end of its hold', async () => {
    await expect(set(await put(), `runner = 'somebody'`)).rejects.toThrow('runner_is_whole');
  });

  it('never waits for a person without a reason, a date and words', async () => {
    await expect(set(await put(), `attention_reason = 'conflict'`)).rejects.toThrow('attention_is_whole');
  });

  it('is never left where no sweep finds it', async () => {
    await expect(set(await put(), 'next_check_at = NULL')).rejects.toThrow('is_found_again');
  });
});

describe('a transfer', () => {
  const put = async (status: 'pending' | 'completed', columns = {}) =>
    (await putOrder(test, { transfers: [{ amount: 1_000, status, columns }] })).transfers[0]!.id;
  const set = (id: string, columns: string) => query(`UPDATE seller_transfers SET ${columns} WHERE id = $1`, [id]);

  it.each([
    `seller_account = 'acct_z'`,
    `currency = 'EUR'`,
    'promised = promised + 1, amount = amount + 1',
    `origin = 'import'`,
  ])('never changes what was promised to whom: %s', async (columns) => {
    await expect(set(await put('pending'), columns)).rejects.toThrow('never change');
  });

  it('is withheld only while it is certain that nothing was sent', async () => {
    for (const certainty of ['in_flight', 'unknown'])
      await expect(
        set(await put('pending', { certainty, attempts: 1 }), 'withheld = 1, amount = amount - 1'),
      ).rejects.toThrow('surely not sent');
    await expect(set(await put('completed'), 'withheld = 1, amount = amount - 1')).rejects.toThrow('surely not sent');
    await set(await put('pending', { certainty: 'absent', attempts: 1 }), 'withheld = 1, amount = amount - 1');
  });

  const CANCEL = `status = 'cancelled', withheld = promised, amount = 0, next_check_at = NULL`;
  it('is cancelled only when nothing of it is left and nothing of it was sent', async () => {
    await expect(set(await put('pending'), `status = 'cancelled'`)).rejects.toThrow('cancelled_was_not_sent');
    for (const certainty of ['in_flight', 'unknown'])
      await expect(set(await put('pending', { certainty, attempts: 1 }), CANCEL)).rejects.toThrow('surely not sent');
    await expect(
      set(
        await put('pending', { certainty: 'unknown', attempts: 1, withheld: 1_000, amount: 0 }),
        `status = 'cancelled'`,
      ),
    ).rejects.toThrow('cancelled_was_not_sent');
    await set(await put('pending'), CANCEL);
  });

  it('is completed only with certainty and a date, and has an id at Stripe only once it was sent', async () => {
    const complete = (id: string, columns: string) => set(id, `status = 'completed', ${columns}`);
    await expect(complete(await put('pending'), 'completed_at = now()')).rejects.toThrow('completed_is_certain');
    await expect(complete(await put('pending'), `certainty = 'done'`)).rejects.toThrow('completed_has_a_date');
    await expect(set(await put('pending'), `stripe_transfer_id = 'tr_early'`)).rejects.toThrow(
      'failed_has_no_transfer',
    );
    await complete(
      await put('pending'),
      `certainty = 'done', completed_at = now(), stripe_transfer_id = '${unique('tr')}'`,
    );
  });

  it('is one for each seller of an order, while a historical order may have several', async () => {
    const { id } = await putOrder(test, { transfers: [{ amount: 10 }] });
    const again = (origin: string) =>
      query(
        `INSERT INTO seller_transfers (id, order_id, seller_account, currency, promised, amount, origin, idempotency_key, next_check_at)
         VALUES (gen_random_uuid(), $1, 'acct_a', 'USD', 1, 1, $2, gen_random_uuid(), now())`,
        [id, origin],
      );
    await expect(again('order')).rejects.toThrow('one_per_seller');
    await again('import');
    await again('import');
  });

  it('makes good one refund of one transfer at most once', async () => {
    const { order, transfer, refund } = await withReversal();
    const compensate = (columns: string, values: readonly unknown[]) =>
      query(
        `INSERT INTO seller_transfers (id, order_id, seller_account, currency, promised, amount, origin, idempotency_key,
           next_check_at, ${columns})
         VALUES (gen_random_uuid(), $1, 'acct_a', 'USD', 1, 1, 'compensation', gen_random_uuid(), now(), ${values.map((_, i) => `$${i + 2}`).join(', ')})`,
        [order.id, ...values],
      );
    await expect(compensate('compensates_refund', [refund.id])).rejects.toThrow('compensation_is_whole');
    await compensate('compensates_refund, compensates_transfer', [refund.id, transfer.id]);
    await expect(compensate('compensates_refund, compensates_transfer', [refund.id, transfer.id])).rejects.toThrow(
      'one_compensation',
    );
  });
});

describe('a reversal', () => {
  const set = (id: string, columns: string) => query(`UPDATE reversals SET ${columns} WHERE id = $1`, [id]);

  it('is one for each refund and transfer', async () => {
    const { transfer, refund } = await withReversal(1);
    await expect(insertReversal(refund.id, transfer.id, 1)).rejects.toThrow('reversals_refund_id_transfer_id_key');
  });

  it.each([`amount = amount - 1`, `currency = 'EUR'`, `seller_account = 'acct_z'`])(
    'never changes what it takes back, and from whom: %s',
    async (columns) => {
      const { reversal } = await withReversal();
      await expect(set(reversal.id, columns)).rejects.toThrow('never changes');
    },
  );

  it('is claimed alone: no other one of its transfer is under way', async () => {
    const { transfer, refund, reversal } = await withReversal(1);
    const second = await another(refund.id);
    await insertReversal(second, transfer.id, 1);
    const claim = `runner = 'a', runner_until = now()`;
    await set(reversal.id, claim);
    await expect(query(`UPDATE reversals SET ${claim} WHERE refund_id = $1`, [second])).rejects.toThrow(
      'one_in_flight',
    );
    await set(reversal.id, 'runner = NULL, runner_until = NULL');
    await query(`UPDATE reversals SET ${claim} WHERE refund_id = $1`, [second]);
  });

  it('is reversed only with its id at Stripe and certainty, and has an id only then', async () => {
    const { reversal } = await withReversal();
    const proof = `stripe_reversal_id = '${unique('trr')}', reversed_at = now()`;
    await expect(set(reversal.id, `status = 'reversed', certainty = 'done', reversed_at = now()`)).rejects.toThrow(
      'reversed_is_proved',
    );
    await expect(set(reversal.id, `status = 'reversed', ${proof}`)).rejects.toThrow('reversed_is_proved');
    await expect(set(reversal.id, proof)).rejects.toThrow('reversed_is_proved');
    await set(reversal.id, `status = 'reversed', certainty = 'done', next_check_at = NULL, ${proof}`);
  });

  it('is written off only when it is certain that nothing was taken', async () => {
    for (const certainty of ['in_flight', 'unknown', 'done']) {
      const { reversal } = await withReversal();
      await force(test.database, 'reversals', reversal.id, { certainty });
      await expect(set(reversal.id, `status = 'written_off'`)).rejects.toThrow('written_off_is_absent');
    }
    const { reversal } = await withReversal();
    await expect(set(reversal.id, 'voided = true')).rejects.toThrow('voided_is_written_off');
    await set(reversal.id, `status = 'written_off', voided = true, next_check_at = NULL`);
  });

  it('never fails for good without saying why, and is looked at again while its outcome is unknown', async () => {
    const { reversal } = await withReversal();
    await expect(set(reversal.id, `status = 'permanently_failed'`)).rejects.toThrow('failed_reversal_says_why');
    const why = `attention_reason = 'retries_exhausted', attention_since = now(), attention_detail = 'x'`;
    await set(reversal.id, `certainty = 'unknown'`);
    await expect(set(reversal.id, `status = 'permanently_failed', next_check_at = NULL, ${why}`)).rejects.toThrow(
      'is_found_again',
    );
    await set(reversal.id, `status = 'permanently_failed', ${why}`);
  });
});

describe('orders, payments and refunds', () => {
  it('have one payment for each order, for ever', async () => {
    const { id } = await putOrder(test, { payment: { status: 'failed' } });
    await expect(
      query(
        `INSERT INTO payments (id, order_id, amount, currency, idempotency_key, next_check_at)
         VALUES (gen_random_uuid(), $1, 1, 'USD', gen_random_uuid(), now())`,
        [id],
      ),
    ).rejects.toThrow('payments_order_id_key');
  });

  it('have one order for each historical one', async () => {
    const reference = unique('old');
    await putOrder(test, { columns: { reference } });
    await expect(putOrder(test, { columns: { reference } })).rejects.toThrow('orders_reference_key');
    await expect(putOrder(test, { columns: { reference: '' } })).rejects.toThrow('orders_reference_check');
  });

  it('are paid or succeeded only with a date and with certainty', async () => {
    const order = await putOrder(test, { status: 'pending', transfers: [{ amount: 10, status: 'pending' }] });
    await expect(query(`UPDATE orders SET status = 'paid' WHERE id = $1`, [order.id])).rejects.toThrow('paid_since');
    await expect(
      query(`UPDATE payments SET status = 'succeeded', next_check_at = NULL WHERE id = $1`, [order.paymentId]),
    ).rejects.toThrow('payment_succeeded_is_certain');
    const { refunds } = await putOrder(test, { status: 'paid', refunds: [{ amount: 10, status: 'pending' }] });
    await expect(
      query(`UPDATE refunds SET status = 'succeeded', succeeded_at = now() WHERE id = $1`, [refunds[0]!.id]),
    ).rejects.toThrow('refund_succeeded_is_certain');
  });

  it.each(['amount = amount + 1', `currency = 'EUR'`, `origin = 'provider'`, `idempotency_key = 'x'`])(
    'never change what a refund is about: %s',
    async (columns) => {
      const { refunds } = await putOrder(test, { refunds: [{ amount: 10, status: 'pending' }] });
      await expect(query(`UPDATE refunds SET ${columns} WHERE id = $1`, [refunds[0]!.id])).rejects.toThrow(
        'never change',
      );
    },
  );

  it('are never left unfinished where no sweep finds them, and keep no half of a secret or a hold', async () => {
    const order = await putOrder(test, {
      payment: { status: 'processing' },
      refunds: [{ amount: 10, status: 'review' }],
    });
    const payment = (columns: string) => query(`UPDATE payments SET ${columns} WHERE id = $1`, [order.paymentId]);
    const refund = (columns: string) => query(`UPDATE refunds SET ${columns} WHERE id = $1`, [order.refunds[0]!.id]);
    await expect(payment('next_check_at = NULL')).rejects.toThrow('payment_is_found_again');
    await expect(payment(`sealed_client_secret = 'x'`)).rejects.toThrow('payment_secret_is_whole');
    await expect(payment(`runner = 'x'`)).rejects.toThrow('payment_runner_is_whole');
    await expect(refund('next_check_at = NULL')).rejects.toThrow('refund_is_found_again');
    await expect(refund(`runner = 'x'`)).rejects.toThrow('refund_runner_is_whole');
    await expect(refund(`attention_reason = 'x'`)).rejects.toThrow('refund_attention_is_whole');
  });

  it('hold positive amounts in a currency of three capital letters', async () => {
    const insert = (amount: number, currency: string) =>
      query('INSERT INTO orders (id, currency, amount) VALUES ($1, $2, $3)', [
        newOrderId(Date.now()),
        currency,
        amount,
      ]);
    for (const amount of [0, -1]) await expect(insert(amount, 'USD')).rejects.toThrow('orders_amount_check');
    for (const currency of ['usd', 'US', 'USDC', ''])
      await expect(insert(1, currency)).rejects.toThrow('currency_check');
  });
});

describe('decisions', () => {
  const decide = (kind: string, action: string) =>
    query(
      `INSERT INTO decisions (id, item_kind, item_id, action, state, by, authenticated, note)
       VALUES (gen_random_uuid(), $1, gen_random_uuid(), $2, 'ignored', 'ann', true, 'n') RETURNING action`,
      [kind, action],
    );
  it.each([
    ['transfer', 'settled'],
    ['transfer', 'compensate'],
    ['reversal', 'compensate'],
    ['reversal', 'settled'],
    ['refund', 'adopt'],
    ['settlement', 'adopt'],
    ['order', 'retry'],
  ])('are never about a %s to %s', async (kind, action) => {
    await expect(decide(kind, action)).rejects.toThrow('decisions_');
  });
  it.each([
    ['transfer', 'adopt'],
    ['reversal', 'write_off'],
    ['refund', 'compensate'],
    ['settlement', 'settled'],
  ])('may be about a %s to %s', async (kind, action) => {
    expect(await decide(kind, action)).toEqual([{ action }]);
  });
});

describe('nothing of the marketplace', () => {
  it.each(['orders', 'order_items', 'payments', 'refunds', 'seller_transfers', 'reversals'])(
    'is ever deleted: %s',
    async (table) => {
      await withReversal();
      await expect(query(`DELETE FROM ${table}`)).rejects.toThrow('append-only');
    },
  );

  it('lets the pinned Stripe account or an order’s items be changed', async () => {
    await query(
      `INSERT INTO stripe_account (account_id, livemode) VALUES ('acct_platform', false) ON CONFLICT DO NOTHING`,
    );
    await expect(query(`UPDATE stripe_account SET livemode = true`)).rejects.toThrow('append-only');
    await expect(query('DELETE FROM stripe_account')).rejects.toThrow('append-only');
    await expect(
      query(`INSERT INTO stripe_account (only_one, account_id, livemode) VALUES (false, 'x', true)`),
    ).rejects.toThrow('only_one');
    await putOrder(test);
    await expect(query('UPDATE order_items SET amount = 1')).rejects.toThrow('append-only');
  });
});
