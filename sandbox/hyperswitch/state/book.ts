import type { Clock } from '../../../src/domain/clock.js';
import {
  clientSecretOf,
  type Fields,
  type IntentStatus,
  type Owner,
  ownId,
  type Payment,
  type Refund,
  type RefundStatus,
  SANDBOX_OWNER,
} from '../http/objects.js';
import {
  duplicatePayment,
  duplicateRefund,
  notSucceeded,
  overCaptured,
  type Problem,
  paymentNotFound,
  tooManyRefunds,
} from '../http/problems.js';
import type { PaymentRequest, RefundRequest } from '../http/requests.js';
import type { Writer } from './writer.js';

export type Change =
  | { readonly kind: 'payment'; readonly payment: Payment }
  | { readonly kind: 'refund'; readonly refund: Refund };

/** It survives a kill -9 once `onDisk` has resolved; nothing may be answered before. */
export type Created<T> = { readonly object: T } | { readonly problem: Problem };

export interface RefundOrder extends Pick<Refund, 'origin' | 'reason' | 'metadata' | 'type'> {
  readonly id: string;
  readonly paymentId: string;
  /** Undefined: the whole payment. */
  readonly amount: number | undefined;
}

export interface Move<Status> {
  readonly to: Status;
  /** Default true. False: its processor knows, Hyperswitch does not yet. */
  readonly seen?: boolean;
}
export interface PaymentMove extends Move<IntentStatus> {
  /** Default: the whole where it succeeded, else what it was. */
  readonly received?: number | undefined;
  /** Absent: what it was. */
  readonly at?: Pick<Payment, 'transactionId' | 'chargeId' | 'method'>;
}
export interface RefundMove extends Move<RefundStatus> {
  readonly connectorRefundId?: string | null;
}

/** Hyperswitch's own books: every payment and refund, by id. It is the ledger the product's is compared with. */
export interface Book {
  createPayment(request: PaymentRequest, owner: Owner): Created<Payment>;
  createRefund(order: RefundOrder): Created<Refund>;
  payment(id: string): Payment | undefined;
  refund(id: string): Refund | undefined;
  /** Newest change first. */
  refunds(paymentId?: string): readonly Refund[];
  payments(): readonly Payment[];
  /** What its processor knows becomes what Hyperswitch knows (force_sync). A decided refund is not asked about again. */
  sync(kind: 'payment' | 'refund', id: string): Promise<void>;
  /** Any status may follow any other: the stand-in does not judge. Undefined: no such payment. */
  movePayment(id: string, move: PaymentMove): Promise<Payment> | undefined;
  moveRefund(id: string, move: RefundMove): Promise<Refund> | undefined;
  /** How many refunds one payment may have. */
  setMaxRefunds(most: number): void;
  replay(entry: Fields): boolean;
  clear(): void;
}

const MAX_REFUNDS = 10;
const DECIDED: ReadonlySet<RefundStatus> = new Set(['succeeded', 'failed']);
/** Money that can be given back. */
const CAPTURED: ReadonlySet<IntentStatus> = new Set(['succeeded', 'partially_captured']);

/** What is kept of each: maps that only `keep` writes to, and only after it has journalled the same. */
interface Shelves {
  readonly payments: Map<string, Payment>;
  readonly refunds: Map<string, Refund>;
  keepPayment(payment: Payment): Promise<void>;
  keepRefund(refund: Refund): Promise<void>;
}

export function createBook(clock: Clock, writer: Writer, onChange: (change: Change) => void): Book {
  const shelves = createShelves(writer);
  const { payments, refunds } = shelves;
  let maxRefunds = MAX_REFUNDS;
  const { movePayment, moveRefund } = moves(clock, shelves, onChange);
  return {
    movePayment,
    moveRefund,
    payment: (id) => payments.get(id),
    refund: (id) => refunds.get(id),
    refunds: (paymentId) => newestFirst(refunds, paymentId),
    payments: () => Array.from(payments.values()),
    createPayment(request, owner) {
      const id = request.payment_id ?? ownId('pay');
      if (payments.has(id)) return { problem: duplicatePayment(id) };
      const payment = newPayment(id, { ...request, owner }, clock.nowMs());
      void shelves.keepPayment(payment);
      return { object: payment };
    },
    createRefund(order) {
      const payment = payments.get(order.paymentId);
      if (payment === undefined) return { problem: paymentNotFound };
      if (refunds.has(order.id)) return { problem: duplicateRefund };
      const problem = refundProblem(order, payment, { earlier: newestFirst(refunds, payment.id), maxRefunds });
      if (problem !== undefined) return { problem };
      const refund = newRefund(order, payment, clock.nowMs());
      void shelves.keepRefund(refund);
      return { object: refund };
    },
    async sync(kind, id) {
      if (kind === 'payment') {
        const unseen = payments.get(id)?.unseen;
        if (unseen != null) await movePayment(id, { to: unseen });
      } else {
        const refund = refunds.get(id);
        if (refund?.unseen != null && !DECIDED.has(refund.status)) await moveRefund(id, { to: refund.unseen });
      }
    },
    setMaxRefunds(most) {
      maxRefunds = most;
    },
    replay(entry) {
      const { t: kind, ...object } = entry;
      if (kind === 'payment') payments.set(String(object.id), { ...OLD_PAYMENT, ...object } as unknown as Payment);
      else if (kind === 'refund') refunds.set(String(object.id), { ...OLD_REFUND, ...object } as unknown as Refund);
      else return false;
      return true;
    },
    clear() {
      payments.clear();
      refunds.clear();
      maxRefunds = MAX_REFUNDS;
    },
  };
}

/** What lines of earlier versions do not say. */
const OLD_PAYMENT = {
  owner: SANDBOX_OWNER,
  transactionId: null,
  chargeId: null,
  method: 'card',
  customerId: null,
  returnUrl: null,
};
const OLD_REFUND = { owner: SANDBOX_OWNER, connectorRefundId: null };

function createShelves(writer: Writer): Shelves {
  const payments = new Map<string, Payment>();
  const refunds = new Map<string, Refund>();
  return {
    payments,
    refunds,
    keepPayment(payment) {
      payments.set(payment.id, payment);
      return writer.write({ t: 'payment', ...payment });
    },
    keepRefund(refund) {
      refunds.set(refund.id, refund);
      return writer.write({ t: 'refund', ...refund });
    },
  };
}

/** What of a payment is captured once it has moved. */
export const takenBy = (before: Payment, { to, received }: Pick<PaymentMove, 'to' | 'received'>): number =>
  received ?? (to === 'succeeded' ? before.amount : before.received);

/** News is told only once it is on disk: a webhook about something that a restart forgets would be a lie. */
function moves(
  clock: Clock,
  shelves: Shelves,
  onChange: (change: Change) => void,
): Pick<Book, 'movePayment' | 'moveRefund'> {
  return {
    movePayment(id, { to, seen = true, received, at }) {
      const known = shelves.payments.get(id);
      if (known === undefined) return undefined;
      const before = { ...known, ...at };
      const payment: Payment = seen
        ? { ...before, status: to, received: takenBy(before, { to, received }), updatedMs: clock.nowMs(), unseen: null }
        : { ...before, unseen: to };
      return shelves.keepPayment(payment).then(() => {
        if (seen && before.status !== to) onChange({ kind: 'payment', payment });
        return payment;
      });
    },
    moveRefund(id, { to, seen = true, connectorRefundId }) {
      const known = shelves.refunds.get(id);
      if (known === undefined) return undefined;
      const before = { ...known, connectorRefundId: connectorRefundId ?? known.connectorRefundId };
      const refund: Refund = seen
        ? { ...before, status: to, updatedMs: clock.nowMs(), unseen: null }
        : { ...before, unseen: to };
      return shelves.keepRefund(refund).then(() => {
        if (seen && before.status !== to) onChange({ kind: 'refund', refund });
        return refund;
      });
    },
  };
}

/** Failed refunds gave nothing back. */
function refundProblem(
  order: RefundOrder,
  payment: Payment,
  { earlier, maxRefunds }: { readonly earlier: readonly Refund[]; readonly maxRefunds: number },
): Problem | undefined {
  if (!CAPTURED.has(payment.status)) return notSucceeded;
  if (earlier.length >= maxRefunds) return tooManyRefunds;
  const given = sum(earlier.filter(({ status }) => status !== 'failed'));
  return (order.amount ?? payment.amount) > payment.received - given ? overCaptured : undefined;
}

const newPayment = (id: string, request: PaymentRequest & { readonly owner: Owner }, nowMs: number): Payment => ({
  id,
  owner: { ...request.owner, profileId: request.profile_id ?? request.owner.profileId },
  amount: request.amount,
  currency: request.currency,
  status: 'requires_payment_method',
  received: 0,
  clientSecret: clientSecretOf(id),
  metadata: request.metadata ?? null,
  captureMethod: request.capture_method ?? 'automatic',
  customerId: request.customer?.id ?? request.customer_id ?? null,
  returnUrl: request.return_url ?? null,
  transactionId: null,
  chargeId: null,
  method: 'card',
  createdMs: nowMs,
  updatedMs: nowMs,
  unseen: null,
});

const newRefund = (order: RefundOrder, payment: Payment, nowMs: number): Refund => ({
  ...order,
  owner: payment.owner,
  amount: order.amount ?? payment.amount,
  currency: payment.currency,
  status: 'pending',
  connectorRefundId: null,
  createdMs: nowMs,
  updatedMs: nowMs,
  unseen: null,
});

const newestFirst = (refunds: ReadonlyMap<string, Refund>, paymentId: string | undefined): readonly Refund[] =>
  Array.from(refunds.values())
    .filter((refund) => paymentId === undefined || refund.paymentId === paymentId)
    .sort((a, b) => b.updatedMs - a.updatedMs || (a.id < b.id ? -1 : 1));

const sum = (refunds: readonly Refund[]): number => refunds.reduce((total, { amount }) => total + amount, 0);

export const orderOf = (request: RefundRequest): RefundOrder => ({
  id: request.refund_id ?? ownId('ref'),
  paymentId: request.payment_id,
  amount: request.amount ?? undefined,
  reason: request.reason ?? null,
  metadata: request.metadata ?? null,
  origin: 'api',
  // What Hyperswitch's code takes where nothing is said, whatever its document says.
  type: request.refund_type ?? 'scheduled',
});
