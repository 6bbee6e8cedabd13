import { newRefundId, type RefundId } from '../../../src/domain/ids.js';
import type { TestLedger } from '../ledger-fixtures.js';
import { putOrder, unique, withoutTriggers } from './fixtures.js';

/** An order whose one transfer of 1000 is completed, with one reversal of it that nobody has begun. */
export async function putWithReversal(test: TestLedger, amount = 400) {
  const order = await putOrder(test, {
    transfers: [{ amount: 1_000 }],
    refunds: [{ reversals: [{ transfer: 0, amount }] }],
  });
  return { order, transfer: order.transfers[0]!, refund: order.refunds[0]!, reversal: order.reversals[0]! };
}

/** One more refund of the same order, past the guards. */
export async function anotherRefund({ database }: TestLedger, refundId: string): Promise<RefundId> {
  const id = newRefundId(Date.now());
  await withoutTriggers(database, async (run) => {
    await run(
      `INSERT INTO refunds (id, order_id, payment_id, amount, currency, reason, idempotency_key, next_check_at)
       SELECT $2, order_id, payment_id, 1, currency, reason, $3, now() FROM refunds WHERE id = $1`,
      [refundId, id, unique('key')],
    );
  });
  return id;
}

/** A reversal as SQL takes it, guards and all; by default it agrees with its transfer. */
export const insertReversal = (
  { database }: TestLedger,
  refundId: string,
  transferId: string,
  amount: number,
  changes: { readonly order?: string; readonly seller?: string; readonly currency?: string } = {},
) =>
  database.query(
    `INSERT INTO reversals (id, refund_id, transfer_id, order_id, seller_account, amount, currency, idempotency_key, next_check_at)
     SELECT gen_random_uuid(), $1, t.id, coalesce($4::uuid, t.order_id), coalesce($5, t.seller_account), $3, coalesce($6, t.currency),
       gen_random_uuid(), now() FROM seller_transfers t WHERE t.id = $2`,
    [refundId, transferId, amount, changes.order ?? null, changes.seller ?? null, changes.currency ?? null],
  );
