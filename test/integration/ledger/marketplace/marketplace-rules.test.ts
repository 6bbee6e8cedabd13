import { describe, expect, it } from 'vitest';
import { newOrderId } from '../../../../src/domain/ids.js';
import { ledgerForFile } from '../../../support/ledger-fixtures.js';
import { forceColumns, putOrder, unique } from '../../../support/marketplace/fixtures.js';
import { putWithReversal } from '../../../support/marketplace/reversal-rows.js';

const test = await ledgerForFile();

const query = (sql: string, values: readonly unknown[] = []) => test.database.query(sql, values);

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
      forceColumns(test.database, 'payments', other.paymentId, { hyperswitch_payment_id: one.hyperswitchPaymentId }),
    ).rejects.toThrow('payments_hyperswitch');
  });

  it('are never replaced once they are known', async () => {
    const { transfer, refund } = await putWithReversal(test);
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
      query(`UPDATE payments SET status = 'succeeded', captured = amount, next_check_at = NULL WHERE id = $1`, [
        order.paymentId,
      ]),
    ).rejects.toThrow('payment_succeeded_is_certain');
    await expect(
      query(`UPDATE payments SET status = 'succeeded', certainty = 'done', next_check_at = NULL WHERE id = $1`, [
        order.paymentId,
      ]),
    ).rejects.toThrow('payment_succeeded_is_captured');
    const { refunds } = await putOrder(test, { status: 'paid', refunds: [{ amount: 10, status: 'pending' }] });
    await expect(
      query(`UPDATE refunds SET status = 'succeeded', succeeded_at = now() WHERE id = $1`, [refunds[0]!.id]),
    ).rejects.toThrow('refund_succeeded_is_certain');
  });

  it.each([
    ['amount = amount + 1', 'never change'],
    [`currency = 'EUR'`, 'never change'],
    [`origin = 'provider'`, 'never change'],
    [`idempotency_key = 'x'`, 'key and parameters are frozen'],
  ])('never change what a refund is about: %s', async (columns, why) => {
    const { refunds } = await putOrder(test, { refunds: [{ amount: 10, status: 'pending' }] });
    await expect(query(`UPDATE refunds SET ${columns} WHERE id = $1`, [refunds[0]!.id])).rejects.toThrow(why);
  });

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
  // Which actions a kind has is said by the catalogue; the ledger's module refuses every other one.
  it.each([
    ['order', 'retry'],
    ['seller', 'retry'],
    ['transfer', ''],
    ['transfer', 'Write off'],
  ])('are never about a %s to %j', async (kind, action) => {
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
      await putWithReversal(test);
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
    await expect(query('UPDATE order_items SET amount = 1')).rejects.toThrow('a line becomes less once');
    await expect(query('UPDATE order_items SET ordered = amount, amount = amount + 1')).rejects.toThrow(
      'a line becomes less once',
    );
  });
});
