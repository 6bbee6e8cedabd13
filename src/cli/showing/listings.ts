import type { Attention } from '../../domain/decisions/attention.js';
import type { OrderId, SettlementId } from '../../domain/ids.js';
import { capturedInWords } from '../../domain/marketplace/captured.js';
import { disputeAnswer } from '../../domain/marketplace/dispute-answer.js';
import { DISPUTE_STATUSES } from '../../domain/marketplace/disputes.js';
import {
  orderAnswer,
  paymentDetails,
  refundAnswer,
  transferAnswer,
} from '../../domain/marketplace/marketplace-answer.js';
import {
  ORDER_STATUSES,
  PAYMENT_STATUSES,
  REFUND_STATUSES,
  REVERSAL_STATUSES,
  TRANSFER_STATUSES,
} from '../../domain/marketplace/marketplace-status.js';
import { reversalAnswer } from '../../domain/marketplace/reversal-answer.js';
import { formatDecimal } from '../../domain/money.js';
import { settlementAnswer } from '../../domain/settlements/settlement-answer.js';
import {
  type Protocol,
  SETTLEMENT_STATUSES,
  type SettlementStatus,
} from '../../domain/settlements/settlement-status.js';
import type { OperatorLedger } from '../operator-ledger.js';

export const LISTED = ['settlements', 'orders', 'payments', 'refunds', 'transfers', 'reversals', 'disputes'] as const;
export type Listed = (typeof LISTED)[number];

export interface ListFilter {
  readonly status?: string;
  readonly needsAttention?: true;
  readonly protocol?: Protocol;
  readonly orderId?: OrderId;
  readonly key?: string;
  readonly before?: string;
  readonly limit: number;
}

/** One line of a list, and the same item as JSON. */
export interface ListedItem {
  readonly id: string;
  readonly attention: Attention | null;
  readonly createdAt: string;
  readonly answer: object;
  /** Beside the id and the age, in the order of {@link Listing.head}. */
  readonly cells: readonly string[];
}

export interface Listing {
  readonly statuses: readonly string[];
  readonly head: readonly string[];
  readonly find: (ledger: OperatorLedger, filter: ListFilter) => Promise<readonly ListedItem[]>;
}

/** Amounts as in the API: nobody has to know how many decimals a currency has. */
const money = ({ amount, currency }: { amount: bigint; currency: string }) => `${amount} ${currency}`;

export const LISTINGS: Readonly<Record<Listed, Listing>> = {
  settlements: {
    statuses: SETTLEMENT_STATUSES,
    head: ['STATUS', 'CERTAINTY', 'PROTOCOL', 'AMOUNT'],
    async find(ledger, { status, orderId, before, ...filter }) {
      // No settlement belongs to an order.
      if (orderId !== undefined) return [];
      const found = await ledger.listSettlements({
        ...filter,
        status: status as SettlementStatus | undefined,
        before: before as SettlementId | undefined,
      });
      return found.map((settlement) => ({
        ...settlement,
        answer: settlementAnswer(settlement),
        cells: [
          settlement.status,
          settlement.certainty,
          settlement.protocol,
          `${formatDecimal(settlement.spent, settlement.decimals)} ${settlement.asset}`,
        ],
      }));
    },
  },
  orders: {
    statuses: ORDER_STATUSES,
    head: ['STATUS', 'MINOR UNITS', 'PAYMENT', 'TRANSFERS', 'REFUNDS', 'REVERSALS'],
    async find(ledger, filter) {
      const found = await ledger.listOrders(filter);
      return found.map((order) => ({
        id: order.id,
        attention:
          [
            ...(order.payment ? [order.payment] : []),
            ...order.disputes,
            ...order.refunds,
            ...order.transfers,
            ...order.reversals,
          ].find((item) => item.attention)?.attention ?? null,
        createdAt: order.createdAt,
        answer: orderAnswer(order),
        cells: [
          order.status,
          money(order),
          order.payment?.status ?? 'none',
          counted(order.transfers),
          counted(order.refunds),
          counted(order.reversals),
        ],
      }));
    },
  },
  payments: {
    statuses: PAYMENT_STATUSES,
    head: ['STATUS', 'CERTAINTY', 'MINOR UNITS', 'CAPTURED', 'AT ITS PROVIDER', 'ORDER'],
    async find(ledger, filter) {
      const found = await ledger.listPayments(filter);
      return found.map((payment) => ({
        ...payment,
        answer: paymentDetails(payment),
        cells: [
          payment.status,
          payment.certainty,
          money(payment),
          capturedInWords(payment.captured),
          payment.providerStatus ?? 'not there yet',
          payment.orderId,
        ],
      }));
    },
  },
  refunds: {
    statuses: REFUND_STATUSES,
    head: ['STATUS', 'CERTAINTY', 'MINOR UNITS', 'ORDER'],
    async find(ledger, filter) {
      const found = await ledger.listRefunds(filter);
      const reversals = await ledger.reversalsOfRefunds(found.map(({ id }) => id));
      return found.map((refund) => ({
        ...refund,
        answer: refundAnswer(
          refund,
          reversals.filter(({ refundId }) => refundId === refund.id),
        ),
        cells: [refund.status, refund.certainty, money(refund), refund.orderId],
      }));
    },
  },
  transfers: {
    statuses: TRANSFER_STATUSES,
    head: ['STATUS', 'CERTAINTY', 'MINOR UNITS', 'REVERSED', 'SELLER', 'RETRIES'],
    async find(ledger, filter) {
      const found = await ledger.listTransfers(filter);
      const reversals = await ledger.reversalsOfTransfers(found.map(({ id }) => id));
      return found.map((transfer) => ({
        ...transfer,
        answer: transferAnswer(
          transfer,
          reversals.filter(({ transferId }) => transferId === transfer.id),
        ),
        cells: [
          transfer.status,
          transfer.certainty,
          money(transfer),
          transfer.amountReversed.toString(),
          transfer.sellerAccount,
          transfer.retryCount.toString(),
        ],
      }));
    },
  },
  reversals: {
    statuses: REVERSAL_STATUSES,
    head: ['STATUS', 'CERTAINTY', 'MINOR UNITS', 'SELLER', 'RETRIES'],
    async find(ledger, filter) {
      const found = await ledger.listReversals(filter);
      return found.map((reversal) => ({
        ...reversal,
        answer: reversalAnswer(reversal),
        cells: [
          reversal.status,
          reversal.certainty,
          money(reversal),
          reversal.sellerAccount,
          reversal.retryCount.toString(),
        ],
      }));
    },
  },
  disputes: {
    statuses: DISPUTE_STATUSES,
    head: ['STATUS', 'FUNDS', 'MINOR UNITS', 'OUT', 'AT THE PROCESSOR', 'ORDER'],
    async find(ledger, filter) {
      const found = await ledger.listDisputes(filter);
      const reversals = await ledger.reversalsOfDisputes(found.map(({ id }) => id));
      return found.map((dispute) => ({
        ...dispute,
        answer: disputeAnswer(
          dispute,
          reversals.filter(({ disputeId }) => disputeId === dispute.id),
        ),
        cells: [
          dispute.status,
          dispute.funds,
          money(dispute),
          dispute.out.toString(),
          `${dispute.connector} ${dispute.providerDisputeId}`,
          dispute.orderId,
        ],
      }));
    },
  },
};

/** `2 completed, 1 failed`. */
function counted(items: readonly { readonly status: string }[]): string {
  const counts = new Map<string, number>();
  for (const { status } of items) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} ${status}`).join(', ') || 'none';
}
