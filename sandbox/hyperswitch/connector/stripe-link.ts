import { z } from 'zod';
import type { StripeMove } from './stripe-disputes.js';
import { STRIPE_STATUSES, type StripeStatus } from './stripe-status.js';

/** A refund there is `pending`, or one of these for good. */
export type StripeRefundStatus = 'pending' | 'succeeded' | 'failed';
type Metadata = Readonly<Record<string, string>>;

/** Stripe behind Hyperswitch: its stand-in's switches, so that both books tell of the same money. */
export interface StripeLink {
  capture(order: {
    readonly amount: number;
    readonly currency: string;
    readonly paymentIntent: string;
    readonly method: string;
    readonly settlesIn: string | undefined;
    readonly metadata: Metadata;
  }): Promise<{ transactionId: string; chargeId: string }>;
  refund(order: {
    readonly charge: string;
    readonly amount: number;
    readonly status: StripeRefundStatus;
    readonly metadata: Metadata;
  }): Promise<string>;
  moveRefund(id: string, status: StripeRefundStatus): Promise<void>;
  openDispute(order: {
    readonly charge: string;
    readonly amount: number;
    readonly inquiry: boolean;
    readonly fee: number | undefined;
  }): Promise<DisputeThere>;
  moveDispute(
    id: string,
    change: { readonly move: StripeMove; readonly amount: number | undefined; readonly fee_back: number | undefined },
  ): Promise<DisputeThere>;
}
export interface DisputeThere {
  readonly id: string;
  readonly status: StripeStatus;
  /** What was withdrawn (less than nothing) and reinstated until now, the oldest first. */
  readonly booked: readonly number[];
}

const idOf = z.looseObject({ id: z.string() }).transform(({ id }) => id);
const captured = z.looseObject({ payment_intent: idOf, charge: idOf });
const refunded = z.looseObject({ refund: idOf });
const disputed = z.looseObject({
  dispute: z
    .looseObject({
      id: z.string(),
      status: z.enum(STRIPE_STATUSES),
      balance_transactions: z.array(z.looseObject({ amount: z.int() })),
    })
    .transform(({ id, status, balance_transactions: all }) => ({
      id,
      status,
      booked: all.map(({ amount }) => amount),
    })),
});

/** Stripe's stand-in did not do it. */
export class NotDone extends Error {
  readonly status = 502;
  /** It said no; otherwise it did not answer. */
  readonly isRefused: boolean;
  constructor(path: string, status: number, text: string) {
    super(`Stripe's stand-in answers ${status} to ${path}: ${text}`);
    this.isRefused = status < 500;
  }
}

/** @param url where Stripe's stand-in listens; every call throws where that does not do what is asked */
export function createStripeLink(url: string): StripeLink {
  const post = async (path: string, body: object): Promise<unknown> => {
    const response = await fetch(`${url}/control${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new NotDone(path, response.status, text);
    return JSON.parse(text) as unknown;
  };
  return {
    async capture({ amount, currency, paymentIntent, method, settlesIn, metadata }) {
      const made = captured.parse(
        await post('/captures', {
          amount,
          currency: currency.toLowerCase(),
          payment_intent: paymentIntent,
          method,
          settles_in: settlesIn?.toLowerCase(),
          metadata,
        }),
      );
      return { transactionId: made.payment_intent, chargeId: made.charge };
    },
    refund: async (order) => refunded.parse(await post('/refunds', order)).refund,
    moveRefund: async (id, status) => void (await post(`/refunds/${id}`, { status })),
    openDispute: async (order) => disputed.parse(await post('/disputes', order)).dispute,
    moveDispute: async (id, change) => disputed.parse(await post(`/disputes/${id}`, change)).dispute,
  };
}
