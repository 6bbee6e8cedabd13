import type { PaymentId } from '../../domain/ids.js';
import { lookAgainAfterMs, UNNAMED_AGAIN_MS } from '../../domain/marketplace/disputes.js';
import type { PaymentProvider } from '../../domain/marketplace/marketplace.js';
import type { PaymentStatus } from '../../domain/marketplace/marketplace-status.js';
import type { Database } from '../database.js';
import type { Query } from '../transition.js';

/** A payment of which somebody may have disputed, or had refunded, something that nobody told of. */
export interface SearchedPayment {
  readonly id: PaymentId;
  readonly hyperswitchPaymentId: string;
  readonly connector: string | null;
  readonly connectorTransactionId: string | null;
}

/** A payment whose provider is Stripe itself, and what Stripe calls it. */
export interface PaymentAtStripe {
  readonly id: PaymentId;
  /** Null: Stripe is not known to have it. */
  readonly name: string | null;
  readonly currency: string;
  readonly status: PaymentStatus;
  /** Another checkout took it: nothing of it is sent from here. */
  readonly takenElsewhere: boolean;
}

export interface ItemOfPayment {
  readonly kind: 'payment' | 'refund' | 'dispute';
  readonly id: string;
}
const TABLE = { payment: 'payments', refund: 'refunds', dispute: 'disputes' } as const;

interface SearchedRow {
  [column: string]: unknown;
  id: PaymentId;
  hyperswitch_payment_id: string;
  connector: string | null;
  connector_transaction_id: string | null;
}

/** Where to look for what nobody told of. */
export function createPaymentSearches(database: Database) {
  return {
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

    /** undefined: it is Hyperswitch's, or unknown. */
    async paymentAtStripe(id: PaymentId): Promise<PaymentAtStripe | undefined> {
      const [row] = await database.query<{
        id: PaymentId;
        name: string | null;
        currency: string;
        status: PaymentStatus;
        takenElsewhere: boolean;
      }>(
        `SELECT id, connector_transaction_id AS name, currency, status, taken_elsewhere AS "takenElsewhere" FROM payments WHERE id = $1 AND provider = 'stripe'`,
        [id],
      );
      return row;
    },

    /** The provider that the item's payment is of; undefined: it is not in the ledger. */
    async paymentProviderOf({ kind, id }: ItemOfPayment): Promise<PaymentProvider | undefined> {
      const [row] = await database.query<{ provider: PaymentProvider }>(
        `SELECT p.provider FROM ${TABLE[kind]} x JOIN payments p ON p.id = x.${kind === 'payment' ? 'id' : 'payment_id'} WHERE x.id = $1`,
        [id],
      );
      return row?.provider;
    },

    /** The payment that the processor calls one of these; undefined: none of ours that we know by that name. */
    async paymentAtProcessor(names: readonly string[]): Promise<PaymentId | undefined> {
      const [row] = await database.query<{ id: PaymentId }>(
        'SELECT id FROM payments WHERE connector_transaction_id = ANY ($1) LIMIT 1',
        [names],
      );
      return row?.id;
    },

    /** undefined: no payment of ours is called so at Hyperswitch. */
    async paymentAtHyperswitch(name: string): Promise<PaymentId | undefined> {
      const [row] = await database.query<{ id: PaymentId }>(
        'SELECT id FROM payments WHERE hyperswitch_payment_id = $1',
        [name],
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

    /**
     * Looked at all of it. What the processor holds and Hyperswitch has not named yet is looked at again within the hour.
     * Where somebody wanted it looked at meanwhile, what he knew of may have come after this look: it stays due.
     */
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
          `UPDATE payments SET disputes_look_at = clock_now() + $2 * interval '1 millisecond' WHERE id = $1 AND disputes_look_at > clock_now()`,
          [id, againMs],
        );
      }),
  };
}

/** The payment is looked at at its processor with the next sweep. */
export async function lookSoon(query: Query, payment: PaymentId): Promise<void> {
  await query('UPDATE payments SET disputes_look_at = clock_now() WHERE id = $1 AND disputes_look_at IS NOT NULL', [
    payment,
  ]);
}
