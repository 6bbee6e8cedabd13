import type { DisputeId, PaymentId, RefundId, TransferId } from '../../domain/ids.js';
import type { Payment, Refund, Reversal } from '../../domain/marketplace/marketplace.js';
import type { Database } from '../database.js';
import { newestIds, pageOfIds } from '../list-conditions.js';
import { calledBy, conditionsOf, sharedBy } from './marketplace-conditions.js';
import {
  PAYMENT_COLUMNS,
  type PaymentRow,
  REFUND_COLUMNS,
  type RefundRow,
  toPayment,
  toRefund,
} from './marketplace-rows.js';
import type { MarketplaceFilter } from './marketplace-types.js';
import { type ReversalRow, SELECT_REVERSALS, toReversal } from './reversal-row.js';

/** By the withdrawals, which have an index by dispute as reversals have one by withdrawal. */
const OF_DISPUTES = 'v.withdrawal_id = ANY (ARRAY(SELECT id FROM dispute_withdrawals WHERE dispute_id = ANY ($1)))';

/** Reads for whole pages of items at once. */
export function createMarketplaceLists(database: Database) {
  const reversals = async (which: string, ids: readonly string[]): Promise<Reversal[]> => {
    if (ids.length === 0) return [];
    const rows = await database.query<ReversalRow & { [column: string]: unknown }>(
      `${SELECT_REVERSALS} WHERE ${which} ORDER BY v.place`,
      [ids],
    );
    return rows.map(toReversal);
  };

  const atHyperswitch = async <Row>(
    table: 'payments' | 'refunds',
    columns: string,
    filter: MarketplaceFilter,
  ): Promise<(Row & { [column: string]: unknown })[]> => {
    const conditions = conditionsOf(filter, {
      key: (key) => calledBy(table, 'idempotency_key', key),
      seller: await sharedBy(database, filter.seller),
    });
    return await database.query<Row & { [column: string]: unknown }>(
      pageOfIds(`SELECT ${columns} FROM ${table}`, 'id', newestIds(table, conditions, filter)),
      conditions.values,
    );
  };

  return {
    /** First in, first out. */
    reversalsOfTransfers: (ids: readonly TransferId[]): Promise<readonly Reversal[]> =>
      reversals('v.transfer_id = ANY ($1)', ids),
    reversalsOfRefunds: (ids: readonly RefundId[]): Promise<readonly Reversal[]> =>
      reversals('v.refund_id = ANY ($1)', ids),
    reversalsOfDisputes: (ids: readonly DisputeId[]): Promise<readonly Reversal[]> => reversals(OF_DISPUTES, ids),

    /** Newest first. @param filter.key the key sent to the payment provider, which is the refund's id, or our client's own */
    async listRefunds(filter: MarketplaceFilter): Promise<readonly Refund[]> {
      return (await atHyperswitch<RefundRow>('refunds', REFUND_COLUMNS, filter)).map(toRefund);
    },

    async findPayment(id: PaymentId): Promise<Payment | undefined> {
      const [row] = await database.query<PaymentRow & { [column: string]: unknown }>(
        `SELECT ${PAYMENT_COLUMNS} FROM payments WHERE id = $1`,
        [id],
      );
      return row && toPayment(row);
    },

    /** Newest first. @param filter.key the key sent to the payment provider, which is the order's id, or our client's own */
    async listPayments(filter: MarketplaceFilter): Promise<readonly Payment[]> {
      return (await atHyperswitch<PaymentRow>('payments', PAYMENT_COLUMNS, filter)).map(toPayment);
    },
  };
}
