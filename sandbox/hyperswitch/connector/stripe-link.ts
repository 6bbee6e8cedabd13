import { z } from 'zod';
import type { StripeMove } from './stripe-disputes.js';

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
  }): Promise<string>;
  moveDispute(id: string, move: StripeMove, amount: number | undefined): Promise<void>;
}

/** Named or shown whole. */
const object = z.union([z.string(), z.looseObject({ id: z.string() }).transform(({ id }) => id)]);
const captured = z.looseObject({ payment_intent: object, charge: object });
const refunded = z.looseObject({ refund: object });
const disputed = z.looseObject({ dispute: object });

class NotLinked extends Error {
  readonly status = 502;
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
    if (!response.ok) throw new NotLinked(`Stripe's stand-in answers ${response.status} to ${path}: ${text}`);
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
    moveDispute: async (id, move, amount) => void (await post(`/disputes/${id}`, { move, amount })),
  };
}
