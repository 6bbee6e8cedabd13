import type { DisputeId, OrderId, PaymentId } from '../../domain/ids.js';
import type { DisputeFunds, DisputeStatus } from '../../domain/marketplace/disputes.js';
import type { Dispute } from '../../domain/marketplace/marketplace.js';
import { lockOrderOf } from '../marketplace/seller-shares.js';
import type { Query } from '../transition.js';

export interface LockedDispute {
  [column: string]: unknown;
  id: DisputeId;
  order_id: OrderId;
  payment_id: PaymentId;
  currency: string;
  amount: string;
  status: DisputeStatus;
  funds: DisputeFunds;
  psp_account: string;
  provider_dispute_id: string;
  provider_status: string | null;
  named_by: Dispute['namedBy'];
  holds: boolean;
  attention_reason: string | null;
  /** Whether the record is of its payment; null: that is not known. */
  is_of_payment: boolean | null;
  connector_transaction_id: string | null;
  order_currency: string;
  last_reading: string | null;
  age_ms: number;
  since_ms: number;
}

/** Order first, then the dispute: the order of all locks. */
export async function lockDispute(query: Query, id: DisputeId): Promise<LockedDispute> {
  await lockOrderOf(query, 'disputes', id);
  const [row] = await query<LockedDispute>(
    `SELECT d.*, p.connector_transaction_id, o.currency AS order_currency, extract(epoch FROM d.read_at)::text AS last_reading,
       (extract(epoch FROM clock_now() - d.created_at) * 1000)::float8 AS age_ms,
       (extract(epoch FROM clock_now() - d.changed_at) * 1000)::float8 AS since_ms
     FROM disputes d JOIN payments p ON p.id = d.payment_id JOIN orders o ON o.id = d.order_id WHERE d.id = $1 FOR UPDATE OF d`,
    [id],
  );
  if (!row) throw new Error(`dispute ${id} is not in the ledger`);
  return row;
}
