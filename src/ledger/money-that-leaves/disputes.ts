import type { DisputeId, PaymentId } from '../../domain/ids.js';
import type { Dispute } from '../../domain/marketplace/marketplace.js';
import type { Database } from '../database.js';
import { filterValues, furtherConditions, sharedBy } from '../marketplace/marketplace-rows.js';
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
      const rows = await database.query<DisputeRow & { [column: string]: unknown }>(
        `${SELECT_DISPUTES}
         WHERE ($1::text IS NULL OR d.status = $1)
           AND ($2::boolean IS NULL OR (d.attention_reason IS NOT NULL) = $2)
           AND ($3::uuid IS NULL OR d.order_id = $3)
           AND ($4::text IS NULL OR $4 IN (d.provider_dispute_id, d.hyperswitch_dispute_id))
         AND ($5::uuid IS NULL OR d.id < $5)
         ${furtherConditions('d.', { seller: sharedBy('d.order_id') })}
         ORDER BY d.id DESC LIMIT $6`,
        filterValues(filter),
      );
      return rows.map(toDispute);
    },

    async disputeToFollow(id: DisputeId): Promise<FollowedDispute | undefined> {
      const [row] = await database.query<FollowedRow>(
        `SELECT d.id, d.payment_id, p.hyperswitch_payment_id, d.hyperswitch_dispute_id, d.psp_account, p.connector_transaction_id,
           d.provider_dispute_id, d.named_by, o.currency AS order_currency
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
        }
      );
    },
  };
}
