import type { TransferParams } from '../../domain/calls/provider-answers.js';
import type { OrderId, PaymentId, TransferId } from '../../domain/ids.js';
import type { PaymentProvider } from '../../domain/marketplace/marketplace.js';
import type { TransferStatus } from '../../domain/marketplace/marketplace-status.js';
import type { ReleaseKind } from '../../domain/marketplace/releases.js';
import type { Query } from '../transition.js';
import { RELEASE } from './releases.js';
import { CALL_TIMES, type CallRow, exactMinorUnits } from './stripe-calls.js';

/** A transfer with all that decides whether it may be sent, and of which money. */
export type LockedTransfer = CallRow & {
  id: TransferId;
  order_id: OrderId;
  release_kind: ReleaseKind;
  release_at: Date | null;
  released: boolean;
  release_in_ms: number | null;
  status: TransferStatus;
  origin: 'order' | 'import' | 'compensation';
  /** What Stripe's metadata[order_id] says. */
  order_mark: string;
  completed: boolean;
  written_off: boolean;
  stripe_transfer_id: string | null;
  created_at: Date;
  /** Stripe did not let it be drawn from the buyer's charge. */
  sourceless: boolean;
  /** It was let go although others wait for the platform's balance; `admitted` says whether it still may. */
  was_admitted: boolean;
  admitted: boolean;
  /** Somebody waits for the platform's balance in its currency. */
  gated: boolean;
  /** Stripe has not let us in to the seller's account for a day. */
  shut_out: boolean;
  payment_id: PaymentId | null;
  payment_provider: PaymentProvider | null;
  connector: string | null;
  connector_transaction_id: string | null;
  charge_of: string | null;
  charge_id: string | null;
  charge_currency: string | null;
  charge_unfit: string | null;
};

const ROW = `SELECT x.id, x.order_id, x.seller_account, x.currency, x.amount, x.status, x.certainty, x.generation,
    x.idempotency_key, x.attempts, x.retry_count, x.absences, x.params, x.runner, x.attention_reason, x.attention_detail, x.origin,
    coalesce(o.reference, o.id::text) AS order_mark, x.completed_at IS NOT NULL AS completed,
    x.written_off_at IS NOT NULL AS written_off, x.sourceless, x.admitted_until IS NOT NULL AS was_admitted,
    coalesce(x.admitted_until > clock_now(), false) AS admitted,
    EXISTS (SELECT 1 FROM platform_gates g WHERE g.currency = x.currency) AS gated,
    EXISTS (SELECT 1 FROM provider_breakers b WHERE b.provider = 'stripe:' || x.seller_account AND b.state <> 'closed'
      AND b.opened_at <= clock_now() - interval '1 day') AS shut_out,
    p.id AS payment_id, p.provider AS payment_provider, p.connector, p.connector_transaction_id, p.charge_of, p.charge_id, p.charge_currency, p.charge_unfit,
    x.stripe_transfer_id, x.created_at, ${RELEASE}, ${CALL_TIMES}
  FROM seller_transfers x JOIN orders o ON o.id = x.order_id
    LEFT JOIN LATERAL (SELECT * FROM payments WHERE order_id = x.order_id AND status = 'succeeded' ORDER BY id LIMIT 1) p ON true
  WHERE x.id = $1 FOR UPDATE OF x`;

export async function lockTransfer(query: Query, id: TransferId): Promise<LockedTransfer> {
  const [row] = await query<LockedTransfer & { [column: string]: unknown }>(ROW, [id]);
  if (!row)
    throw new Error(`transfer ${id} is not in the ledger; the workflow and the database do not belong together`);
  return row;
}

/** Which money a transfer is sent of: the buyer's own charge, pending or not, or else what is available to us. */
export type Source =
  | { readonly kind: 'charge'; readonly chargeId: string }
  | { readonly kind: 'balance'; readonly why: string }
  /** The PaymentIntent was not read yet. */
  | { readonly kind: 'unread'; readonly paymentId: PaymentId; readonly paymentIntent: string };

export function sourceOf(row: LockedTransfer): Source {
  const { payment_id: paymentId, connector, connector_transaction_id: transaction } = row;
  const balance = (why: string): Source => ({ kind: 'balance', why });
  if (row.origin === 'compensation') return balance('a compensation is our own money');
  if (row.sourceless) return balance('Stripe did not let it be drawn from the charge');
  if (paymentId === null) return balance('no payment of the order is known to have succeeded');
  if (connector !== 'stripe') return balance(`the payment was carried out by ${connector ?? 'nobody that is named'}`);
  if (!transaction?.startsWith('pi_')) return balance(`its connector calls the payment ${transaction ?? 'nothing'}`);
  if (row.charge_of !== transaction) return { kind: 'unread', paymentId, paymentIntent: transaction };
  if (row.charge_id === null) return balance(row.charge_unfit ?? 'the payment has no charge');
  return row.charge_currency === row.currency
    ? { kind: 'charge', chargeId: row.charge_id }
    : balance(`the money of ${row.charge_id} is in the balance of ${row.charge_currency}`);
}

/** What is frozen with the next key. */
export function paramsOf(row: LockedTransfer, generation: number): TransferParams {
  const source = sourceOf(row);
  return {
    amount: exactMinorUnits(row),
    currency: row.currency.toLowerCase(),
    destination: row.seller_account,
    // Stripe names the group itself where it draws from a charge.
    ...(source.kind === 'charge' ? { source_transaction: source.chargeId } : { transfer_group: row.order_mark }),
    metadata: { order_id: row.order_mark, seller_transfer_id: row.id, generation: String(generation) },
  };
}

/** Why it comes from our balance, for its story; undefined: it does not. */
export function whyNoSource(row: LockedTransfer): string | undefined {
  const source = sourceOf(row);
  if (source.kind === 'charge') return undefined;
  return source.kind === 'balance' ? source.why : `${source.paymentIntent} could not be read at Stripe`;
}

export const isDrawnFromCharge = ({ params }: Pick<LockedTransfer, 'params'>): boolean =>
  params !== null && Object.hasOwn(JSON.parse(params) as object, 'source_transaction');
