import type { DisputeId, PaymentId } from '../../domain/ids.js';
import { lookAgainAfterMs } from '../../domain/marketplace/disputes.js';
import type { Dispute } from '../../domain/marketplace/marketplace.js';
import type { Database } from '../database.js';
import { type DisputeRow, SELECT_DISPUTES, toDispute } from './dispute-rows.js';
import { filterValues } from './marketplace-rows.js';
import type { MarketplaceFilter } from './marketplace-types.js';

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
}

/** A payment of which somebody may have disputed, or had refunded, something that nobody told of. */
export interface SearchedPayment {
  readonly id: PaymentId;
  readonly hyperswitchPaymentId: string;
  readonly connector: string | null;
  readonly connectorTransactionId: string | null;
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
}
interface SearchedRow {
  [column: string]: unknown;
  id: PaymentId;
  hyperswitch_payment_id: string;
  connector: string | null;
  connector_transaction_id: string | null;
}

/** Disputes as they are, and where to look for more. */
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
         ORDER BY d.id DESC LIMIT $6`,
        filterValues(filter),
      );
      return rows.map(toDispute);
    },

    async disputeToFollow(id: DisputeId): Promise<FollowedDispute | undefined> {
      const [row] = await database.query<FollowedRow>(
        `SELECT d.id, d.payment_id, p.hyperswitch_payment_id, d.hyperswitch_dispute_id, d.psp_account, p.connector_transaction_id,
           d.provider_dispute_id, d.named_by FROM disputes d JOIN payments p ON p.id = d.payment_id WHERE d.id = $1`,
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
        }
      );
    },

    /** undefined: it was never at Hyperswitch. */
    async paymentToSearch(id: PaymentId): Promise<SearchedPayment | undefined> {
      const [row] = await database.query<SearchedRow>(
        `SELECT id, hyperswitch_payment_id, connector, connector_transaction_id FROM payments
         WHERE id = $1 AND hyperswitch_payment_id IS NOT NULL`,
        [id],
      );
      return (
        row && {
          id: row.id,
          hyperswitchPaymentId: row.hyperswitch_payment_id,
          connector: row.connector,
          connectorTransactionId: row.connector_transaction_id,
        }
      );
    },

    /** The payment that the processor calls one of these; undefined: none of ours that we know by that name. */
    async paymentAtProcessor(names: readonly string[]): Promise<PaymentId | undefined> {
      const [row] = await database.query<{ id: PaymentId }>(
        'SELECT id FROM payments WHERE connector_transaction_id = ANY ($1) LIMIT 1',
        [names],
      );
      return row?.id;
    },

    /** Each is given out once, and again an hour later where nobody could look. */
    async duePaymentSearches(limit: number): Promise<readonly PaymentId[]> {
      const rows = await database.query<{ id: PaymentId }>(
        `WITH due AS (
           SELECT id FROM payments WHERE disputes_look_at <= clock_now() ORDER BY disputes_look_at LIMIT $1 FOR UPDATE SKIP LOCKED
         )
         UPDATE payments p SET disputes_look_at = clock_now() + interval '1 hour' FROM due WHERE p.id = due.id RETURNING p.id`,
        [limit],
      );
      return rows.map(({ id }) => id);
    },

    /** Looked at all of it. What the processor holds and Hyperswitch has not named yet is looked at again within the hour. */
    paymentSearched: (id: PaymentId): Promise<void> =>
      database.transaction(async (query) => {
        const [row] = await query<{ age_ms: number; waits: boolean }>(
          `SELECT (extract(epoch FROM clock_now() - created_at) * 1000)::float8 AS age_ms,
             EXISTS (SELECT 1 FROM unnamed_refunds u WHERE u.payment_id = p.id AND u.decided_at IS NULL
               AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.connector_refund_id = u.provider_refund_id)) AS waits
           FROM payments p WHERE id = $1 FOR UPDATE`,
          [id],
        );
        if (!row) return;
        const againMs = row.waits ? UNNAMED_AGAIN_MS : lookAgainAfterMs(row.age_ms);
        await query(
          `UPDATE payments SET disputes_look_at = clock_now() + $2 * interval '1 millisecond' WHERE id = $1 AND disputes_look_at IS NOT NULL`,
          [id, againMs],
        );
      }),
  };
}

const UNNAMED_AGAIN_MS = 20 * 60_000;
