import { describe, expect, it } from 'vitest';
import { ledgerForFile } from '../../../support/ledger-fixtures.js';
import { putOrder } from '../../../support/marketplace/fixtures.js';
import { anotherRefund, insertReversal, putWithReversal } from '../../../support/marketplace/reversal-rows.js';

const test = await ledgerForFile();

const query = (sql: string, values: readonly unknown[] = []) => test.database.query(sql, values);

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

describe('sums', () => {
  it('of reversals never exceed their transfer, whatever status they have, but for those that are written off', async () => {
    const { transfer, refund } = await putWithReversal(test, 700);
    const second = await anotherRefund(test, refund.id);
    await expect(insertReversal(test, second, transfer.id, 301)).rejects.toThrow('exceeds the transfer');
    await insertReversal(test, second, transfer.id, 300);
    const third = await anotherRefund(test, refund.id);
    await expect(insertReversal(test, third, transfer.id, 1)).rejects.toThrow('exceeds the transfer');
    await query(`UPDATE reversals SET status = 'written_off' WHERE refund_id = $1`, [second]);
    await insertReversal(test, third, transfer.id, 300);
    await expect(
      query(
        `UPDATE reversals SET status = 'reversed', certainty = 'done', stripe_reversal_id = 'trr_late', reversed_at = now()
         WHERE refund_id = $1`,
        [second],
      ),
    ).rejects.toThrow('exceeds the transfer');
  });

  it('of reversals stay within the transfer when twenty come at once', async () => {
    const { transfer, refund } = await putWithReversal(test, 1);
    const refunds = await Promise.all(Array.from({ length: 20 }, () => anotherRefund(test, refund.id)));
    const outcomes = await Promise.allSettled(refunds.map((id) => insertReversal(test, id, transfer.id, 100)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(9);
  });

  it('of reversals belong to the order, seller and currency of their transfer', async () => {
    const { transfer, refund } = await putWithReversal(test, 1);
    const next = await anotherRefund(test, refund.id);
    const other = await putOrder(test);
    await expect(insertReversal(test, next, transfer.id, 1, { order: other.id })).rejects.toThrow(
      'another order, seller or currency',
    );
    await expect(insertReversal(test, next, transfer.id, 1, { seller: 'acct_z' })).rejects.toThrow(
      'another order, seller or currency',
    );
    await expect(insertReversal(test, next, transfer.id, 1, { currency: 'EUR' })).rejects.toThrow(
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
