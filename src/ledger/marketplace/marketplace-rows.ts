import type { Certainty } from '../../domain/calls/certainty.js';
import type { Attention, AttentionReason } from '../../domain/decisions/attention.js';
import type { OrderId, PaymentId, RefundId, TransferId } from '../../domain/ids.js';
import type { FeePolicy } from '../../domain/marketplace/lines.js';
import type {
  OrderItem,
  Payment,
  PaymentProvider,
  Refund,
  SellerTransfer,
  Wait,
} from '../../domain/marketplace/marketplace.js';
import {
  isWaiting,
  type OrderStatus,
  type PaymentStatus,
  type RefundStatus,
  type TransferStatus,
} from '../../domain/marketplace/marketplace-status.js';
import type { PayoutStatus } from '../../domain/marketplace/payouts.js';
import type { ReleaseKind } from '../../domain/marketplace/releases.js';
import { HELD_FOR, type HeldForRow, toHeldFor } from '../calls/releases.js';
import { CAPTURING_COLUMNS, type CapturingRow, toCapturing } from './capturing-row.js';
import { conversionOfTransfer, type SentMoney } from './conversions.js';

/** Rows of the marketplace as pg returns them: numeric is text, a time is a Date. Secrets are never part of these. */
export interface OrderRow {
  id: OrderId;
  reference: string | null;
  currency: string;
  amount: string;
  ordered: string | null;
  status: OrderStatus;
  /** The platform's: its lines and what was paid for none, the fees, and what is left of both. */
  platform_amount: string;
  fees: string;
  kept: string;
  created_at: Date;
}

export interface OrderItemRow {
  order_id: OrderId;
  id: string;
  kind: OrderItem['kind'];
  seller_account: string | null;
  amount: string;
  fee: string;
  description: string;
  release_kind: ReleaseKind;
  release_after_ms: string | null;
  ordered: string | null;
}

export interface AttentionColumns {
  attention_reason: AttentionReason | null;
  attention_since: Date | null;
  attention_detail: string | null;
}

export interface PaymentRow extends AttentionColumns, CapturingRow {
  id: PaymentId;
  order_id: OrderId;
  amount: string;
  captured: string;
  captured_known: boolean;
  provider_status: string | null;
  currency: string;
  status: PaymentStatus;
  certainty: Certainty;
  provider: PaymentProvider;
  hyperswitch_payment_id: string | null;
  stripe_payment_id: string | null;
  workflow_id: string | null;
  created_at: Date;
}

export interface RefundRow extends AttentionColumns {
  id: RefundId;
  order_id: OrderId;
  payment_id: PaymentId;
  amount: string;
  currency: string;
  reason: string;
  status: RefundStatus;
  certainty: Certainty;
  origin: 'api' | 'provider';
  hyperswitch_refund_id: string | null;
  stripe_refund_id: string | null;
  fee: FeePolicy | null;
  items: readonly { readonly item_id: string; readonly amount: string }[] | null;
  waiting_since: Date | null;
  waiting_detail: string | null;
  waiting_missing: string | null;
  workflow_id: string | null;
  created_at: Date;
}

export interface TransferRow extends AttentionColumns, SentMoney {
  id: TransferId;
  order_id: OrderId;
  seller_account: string;
  amount: string;
  offset_amount: string;
  amount_reversed: string;
  currency: string;
  status: TransferStatus;
  certainty: Certainty;
  origin: 'order' | 'import' | 'compensation';
  stripe_transfer_id: string | null;
  retry_count: number;
  next_retry_at: Date | null;
  waiting_since: Date | null;
  waiting_detail: string | null;
  /** What was there for it when the platform's balance was read last. */
  platform_available: string | null;
  release_kind: ReleaseKind;
  release_at: Date | null;
  released_at: Date | null;
  held_for: HeldForRow | null;
  payout: { id: string; status: PayoutStatus; arrival_at: string | null } | null;
  workflow_id: string | null;
  created_at: Date;
}

export const ORDER_COLUMNS = `id, reference, currency, amount, ordered, status, created_at,
  amount - (SELECT coalesce(sum(amount), 0) FROM order_items WHERE order_id = orders.id AND seller_account IS NOT NULL) AS platform_amount,
  (SELECT coalesce(sum(fee), 0) FROM order_items WHERE order_id = orders.id) AS fees,
  coalesce((SELECT promised - due_back FROM order_shares WHERE order_id = orders.id AND seller_account IS NULL), 0) AS kept`;

export const ORDER_ITEM_COLUMNS =
  'order_id, id, kind, seller_account, amount, fee, description, release_kind, release_after_ms, ordered';

export const PAYMENT_COLUMNS = `${CAPTURING_COLUMNS},
  id, order_id, amount, captured, captured_known, currency, status, provider_status, certainty,
  provider, hyperswitch_payment_id, CASE WHEN connector = 'stripe' THEN connector_transaction_id END AS stripe_payment_id, attention_reason, attention_since, attention_detail, workflow_id, created_at`;

export const REFUND_COLUMNS = `id, order_id, payment_id, amount, currency, reason, status, certainty, origin,
  hyperswitch_refund_id, (SELECT refunds.connector_refund_id FROM payments p WHERE p.id = refunds.payment_id AND p.connector = 'stripe') AS stripe_refund_id, fee, (SELECT jsonb_agg(jsonb_build_object('item_id', i.id, 'amount', p.amount::text) ORDER BY i.position)
    FROM cause_parts p JOIN order_items i USING (order_id, position) WHERE p.cause_id = refunds.id AND p.amount > 0) AS items,
  waiting_since, waiting_detail, waiting_missing, attention_reason, attention_since, attention_detail, workflow_id, created_at`;

/** The one that took it to the seller's bank last, where Stripe has said so. */
const PAYOUT = `(SELECT jsonb_build_object('id', p.external_payout_id, 'status', p.status, 'arrival_at', p.arrival_at)
  FROM payout_transfers x JOIN payouts p USING (external_payout_id) WHERE x.stripe_transfer_id = seller_transfers.stripe_transfer_id
    AND p.seller_account = seller_transfers.seller_account ORDER BY p.made_at DESC NULLS LAST LIMIT 1) AS payout`;

export const TRANSFER_COLUMNS = `id, order_id, seller_account, amount, offset_amount, amount_reversed, currency, status, certainty, origin,
  stripe_transfer_id, sent_currency, sent_amount, exchange_rate, retry_count, next_retry_at, attention_reason, attention_since, attention_detail, workflow_id, created_at,
  waiting_since, waiting_detail,
  (SELECT available FROM platform_gates g WHERE g.currency = seller_transfers.currency) AS platform_available,
  release_kind, release_at, released_at, ${HELD_FOR}, ${PAYOUT}`;

export const toOrderItem = (row: OrderItemRow): OrderItem => ({
  id: row.id,
  kind: row.kind,
  sellerAccount: row.seller_account,
  amount: BigInt(row.amount),
  fee: BigInt(row.fee),
  ordered: row.ordered === null ? null : BigInt(row.ordered),
  description: row.description,
  release:
    row.release_kind === 'after'
      ? { kind: 'after', afterMs: Number(row.release_after_ms) }
      : { kind: row.release_kind },
});

export const toPayment = (row: PaymentRow): Payment => ({
  id: row.id,
  orderId: row.order_id,
  status: row.status,
  certainty: row.certainty,
  amount: BigInt(row.amount),
  captured: { surely: BigInt(row.captured), known: row.captured_known },
  currency: row.currency,
  capture: toCapturing(row),
  profileId: row.profile_id,
  passedOn: row.passed_on,
  providerStatus: row.provider_status,
  provider: row.provider,
  hyperswitchPaymentId: row.hyperswitch_payment_id,
  stripePaymentId: row.stripe_payment_id,
  attention: toAttention(row),
  workflowId: row.workflow_id,
  createdAt: row.created_at.toISOString(),
});

export const toRefund = (row: RefundRow): Refund => ({
  id: row.id,
  orderId: row.order_id,
  paymentId: row.payment_id,
  amount: BigInt(row.amount),
  currency: row.currency,
  reason: row.reason,
  status: row.status,
  certainty: row.certainty,
  origin: row.origin,
  items: row.items && row.items.map(({ item_id: itemId, amount }) => ({ itemId, amount: BigInt(amount) })),
  fee: row.fee ?? 'return_proportionally',
  hyperswitchRefundId: row.hyperswitch_refund_id,
  stripeRefundId: row.stripe_refund_id,
  waiting: waitOfRefund(row),
  attention: toAttention(row),
  workflowId: row.workflow_id,
  createdAt: row.created_at.toISOString(),
});

export const toTransfer = (row: TransferRow): SellerTransfer => ({
  id: row.id,
  orderId: row.order_id,
  sellerAccount: row.seller_account,
  amount: BigInt(row.amount),
  offset: BigInt(row.offset_amount),
  amountReversed: BigInt(row.amount_reversed),
  currency: row.currency,
  status: row.status,
  certainty: row.certainty,
  origin: row.origin,
  stripeTransferId: row.stripe_transfer_id,
  conversion: conversionOfTransfer(row),
  retryCount: row.retry_count,
  nextRetryAt: row.next_retry_at?.toISOString() ?? null,
  waiting: toWait(row),
  release: {
    kind: row.release_kind,
    at: row.release_at?.toISOString() ?? null,
    releasedAt: row.released_at?.toISOString() ?? null,
  },
  heldFor: toHeldFor(row),
  payout: row.payout && {
    id: row.payout.id,
    status: row.payout.status,
    arrivalAt: row.payout.arrival_at && new Date(row.payout.arrival_at).toISOString(),
  },
  attention: toAttention(row),
  workflowId: row.workflow_id,
  createdAt: row.created_at.toISOString(),
});

function waitOfRefund({ status, waiting_since: since, ...row }: RefundRow): Wait | null {
  if (status !== 'pending' || since === null) return null;
  const missing = row.waiting_missing === null ? null : BigInt(row.waiting_missing);
  return { for: 'platform_balance', since: since.toISOString(), detail: row.waiting_detail ?? '', missing };
}

function toWait(row: TransferRow): Wait | null {
  const { status, waiting_since: since, waiting_detail: detail, platform_available: available } = row;
  if (!isWaiting(status) || since === null) return null;
  const wait = { since: since.toISOString(), detail: detail ?? '' };
  if (status === 'waiting_seller') return { for: 'seller', ...wait, missing: null };
  const missing = available === null ? null : BigInt(row.amount) - BigInt(available);
  return { for: 'platform_balance', ...wait, missing: missing === null || missing > 0n ? missing : 0n };
}

/** What a person is asked, of any row that may ask. */
export const toAttention = (row: AttentionColumns): Attention | null =>
  row.attention_reason && row.attention_since
    ? { reason: row.attention_reason, since: row.attention_since.toISOString(), detail: row.attention_detail ?? '' }
    : null;
