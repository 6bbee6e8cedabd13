import {
  attemptId,
  type IntentStatus,
  type Payment,
  type Refund,
  type RefundStatus,
  stripeId,
} from '../http/objects.js';
import { type Book, type PaymentMove, type RefundMove, takenBy } from '../state/book.js';
import { NotDone, type StripeLink, type StripeRefundStatus } from './stripe-link.js';

/** How the buyer pays at Stripe. */
interface HowPaid {
  /** As Stripe calls it; default `card`. */
  readonly method?: string | undefined;
  /** The currency of the balance it settles in; default its own. */
  readonly settles_in?: string | undefined;
}
export type PaymentOrder = Omit<PaymentMove, 'at'> & HowPaid;
export type RefundOrderMove = Omit<RefundMove, 'connectorRefundId'>;

/** Moves payments and refunds as their connector does: there first, where a Stripe is linked, and under its ids. */
export interface Processor {
  /** Undefined: there is no such payment. It throws, and nothing has moved, where the linked Stripe does not do it. */
  movePayment(id: string, order: PaymentOrder): Promise<Payment> | undefined;
  moveRefund(id: string, order: RefundOrderMove): Promise<Refund> | undefined;
  /**
   * An instant one is asked for at once, and is `to` then, or failed where the linked Stripe refuses; a scheduled one is left
   * to whoever moves it.
   */
  refundCreated(refund: Refund, to?: RefundStatus): Promise<Refund>;
}

/** Nobody has asked the connector for anything yet. */
const NOT_ASKED: ReadonlySet<IntentStatus> = new Set([
  'requires_payment_method',
  'requires_confirmation',
  'cancelled',
  'expired',
]);

export function createProcessor(book: Book, stripe: StripeLink | undefined): Processor {
  return stripe === undefined ? alone(book) : linked(book, stripe);
}

const idAfter = (payment: Payment, to: IntentStatus): string | null =>
  payment.transactionId ?? (NOT_ASKED.has(to) ? null : stripeId('pi'));

function alone(book: Book): Processor {
  const movePayment = (id: string, { method, settles_in: _none, ...move }: PaymentOrder) => {
    const payment = book.payment(id);
    if (payment === undefined) return undefined;
    const at = { transactionId: idAfter(payment, move.to), chargeId: null, method: method ?? payment.method };
    return book.movePayment(id, { ...move, at });
  };
  const moveRefund = (id: string, move: RefundOrderMove) => {
    const connectorRefundId = book.refund(id)?.connectorRefundId ?? stripeId('re');
    return book.moveRefund(id, { ...move, connectorRefundId });
  };
  return {
    movePayment,
    moveRefund,
    refundCreated: async (refund, to = refund.status) =>
      refund.type === 'instant' ? ((await moveRefund(refund.id, { to })) ?? refund) : refund,
  };
}

function linked(book: Book, stripe: StripeLink): Processor {
  // One after the other, so that nothing is captured or given back twice.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };
  return {
    movePayment(id, { method, settles_in: settlesIn, ...move }) {
      if (book.payment(id) === undefined) return undefined;
      return inTurn(async () => {
        const payment = present(book.payment(id), id);
        const paidBy = method ?? payment.method;
        const at = {
          transactionId: idAfter(payment, move.to),
          chargeId: payment.chargeId,
          method: paidBy,
          ...(await capture(stripe, payment, { move, method: paidBy, settlesIn })),
        };
        if (move.to === 'cancelled_post_capture') await giveBackTheRest(stripe, book, { ...payment, ...at });
        return await present(book.movePayment(id, { ...move, at }), id);
      });
    },
    moveRefund(id, move) {
      if (book.refund(id) === undefined) return undefined;
      return inTurn(async () => {
        const refund = present(book.refund(id), id);
        const connectorRefundId = await moveThere(stripe, book, refund, move.to).catch((error: unknown) => {
          // What it never made has failed without it.
          if (move.to === 'failed' && refund.connectorRefundId === null && isRefused(error)) return null;
          throw error;
        });
        return await present(book.moveRefund(id, { ...move, connectorRefundId }), id);
      });
    },
    refundCreated: (refund, to) =>
      inTurn(async () => {
        const now = book.refund(refund.id) ?? refund;
        if (now.type !== 'instant' || now.connectorRefundId !== null) return now;
        try {
          const connectorRefundId = await moveThere(stripe, book, now, to ?? now.status);
          return (await book.moveRefund(now.id, { to: to ?? now.status, connectorRefundId })) ?? now;
        } catch (error) {
          if (!isRefused(error)) throw error;
          return (await book.moveRefund(now.id, { to: 'failed' })) ?? now;
        }
      }),
  };
}

async function capture(
  stripe: StripeLink,
  payment: Payment,
  how: {
    readonly move: Pick<PaymentMove, 'to' | 'received'>;
    readonly method: string;
    readonly settlesIn: string | undefined;
  },
): Promise<{ transactionId: string; chargeId: string } | undefined> {
  const amount = takenBy(payment, how.move);
  // Captured once: a rest that is captured later stays Hyperswitch's own.
  if (amount === 0 || payment.chargeId !== null) return undefined;
  return await stripe.capture({
    amount,
    currency: payment.currency,
    paymentIntent: payment.transactionId ?? stripeId('pi'),
    method: how.method,
    settlesIn: how.settlesIn,
    metadata: metadataOf(payment),
  });
}

/** As the connector words it: its own order_id, over which the merchant's goes, each value as JSON. */
const metadataOf = ({ id, metadata }: Payment): Record<string, string> => ({
  order_id: attemptId(id),
  ...Object.fromEntries(Object.entries(metadata ?? {}).map(([key, value]) => [key, JSON.stringify(value)])),
});

async function giveBackTheRest(stripe: StripeLink, book: Book, payment: Payment): Promise<void> {
  if (payment.chargeId === null || payment.status === 'cancelled_post_capture') return;
  const given = book.refunds(payment.id).filter(({ status }) => status !== 'failed');
  const amount = payment.received - given.reduce((sum, refund) => sum + refund.amount, 0);
  if (amount <= 0) return;
  const metadata = { order_id: attemptId(payment.id) };
  await stripe.refund({ charge: payment.chargeId, amount, status: 'succeeded', metadata });
}

/** @returns its id there */
async function moveThere(stripe: StripeLink, book: Book, refund: Refund, to: RefundStatus): Promise<string> {
  const charge = book.payment(refund.paymentId)?.chargeId ?? null;
  // Captured before the link was there.
  if (charge === null) return refund.connectorRefundId ?? stripeId('re');
  const status = statusThere(to);
  if (refund.connectorRefundId === null) {
    const metadata = { order_id: refund.id, is_refund_id_as_reference: 'true' };
    return await stripe.refund({ charge, amount: refund.amount, status, metadata });
  }
  if (status !== statusThere(refund.unseen ?? refund.status)) await stripe.moveRefund(refund.connectorRefundId, status);
  return refund.connectorRefundId;
}

const isRefused = (error: unknown): boolean => error instanceof NotDone && error.isRefused;

const statusThere = (status: RefundStatus): StripeRefundStatus =>
  status === 'succeeded' || status === 'failed' ? status : 'pending';

function present<T>(found: T | undefined, id: string): T {
  if (found === undefined) throw new Error(`${id} went away while it was moved`);
  return found;
}
