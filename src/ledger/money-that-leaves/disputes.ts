import type { DisputeId, PaymentId } from '../../domain/ids.js';
import type { Dispute } from '../../domain/marketplace/marketplace.js';
import type { Database } from '../database.js';
import { newestIds, pageOfIds } from '../list-conditions.js';
import { conditionsOf, sharedBy } from '../marketplace/marketplace-conditions.js';
import type { MarketplaceFilter } from '../marketplace/marketplace-types.js';
import { type DisputeRow, SELECT_DISPUTES, toDispute } from './dispute-rows.js';

/** What is read of one dispute, and where. */
export interface FollowedDispute {
  readonly id: DisputeId;
  readonly paymentId: PaymentId;
  readonly hyperswitchPaymentId: string | null;
  readonly hyperswitchDisputeId: string | null;
  /** The processor's name, and what the payment and the dispute are called there. */
  readonly connector: string;
  readonly connectorTransactionId: string | null;
  readonly providerDisputeId: string;
  readonly namedBy: Dispute['namedBy'];
  readonly orderCurrency: string;
  /** Which reading of it was followed last; null: none yet. */
  readonly lastReading: string | null;
}

interface FollowedRow {
  [column: string]: unknown;
  id: DisputeId;
  payment_id: PaymentId;
  hyperswitch_payment_id: string | null;
  hyperswitch_dispute_id: string | null;
  psp_account: string;
  connector_transaction_id: string | null;
  provider_dispute_id: string;
  named_by: Dispute['namedBy'];
  order_currency: string;
  last_reading: string | null;
}
/** Disputes as they are. */
export function createDisputeReader(database: Database) {
  return {
    async findDispute(id: DisputeId): Promise<Dispute | undefined> {
      const [row] = await database.query<DisputeRow & { [column: string]: unknown }>(
        `${SELECT_DISPUTES} WHERE d.id = $1`,
        [id],
      );
      return row && toDispute(row);
    },

    /** Newest first. @param filter.key what the dispute is called at the processor or at Hyperswitch */
    async listDisputes(filter: MarketplaceFilter): Promise<readonly Dispute[]> {
      const conditions = conditionsOf(filter, {
        key: (key) => `(provider_dispute_id = ${key} OR hyperswitch_dispute_id = ${key})`,
        seller: await sharedBy(database, filter.seller),
      });
      const rows = await database.query<DisputeRow & { [column: string]: unknown }>(
        pageOfIds(SELECT_DISPUTES, 'd.id', newestIds('disputes', conditions, filter)),
        conditions.values,
      );
      return rows.map(toDispute);
    },

    async disputeToFollow(id: DisputeId): Promise<FollowedDispute | undefined> {
      const [row] = await database.query<FollowedRow>(
        `SELECT d.id, d.payment_id, p.hyperswitch_payment_id, d.hyperswitch_dispute_id, d.psp_account, p.connector_transaction_id,
           d.provider_dispute_id, d.named_by, o.currency AS order_currency, extract(epoch FROM d.read_at)::text AS last_reading
         FROM disputes d JOIN payments p ON p.id = d.payment_id JOIN orders o ON o.id = d.order_id WHERE d.id = $1`,
        [id],
      );
      return (
        row && {
          id: row.id,
          paymentId: row.payment_id,
          hyperswitchPaymentId: row.hyperswitch_payment_id,
          hyperswitchDisputeId: row.hyperswitch_dispute_id,
          connector: row.psp_account,
          connectorTransactionId: row.connector_transaction_id,
          providerDisputeId: row.provider_dispute_id,
          namedBy: row.named_by,
          orderCurrency: row.order_currency,
          lastReading: row.last_reading,
        }
      );
    },
  };
}
