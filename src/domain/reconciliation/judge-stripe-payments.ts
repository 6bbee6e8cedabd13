import type { StripeRefund } from '../calls/provider-answers.js';
import { isOfHeld } from '../marketplace/held-money.js';
import { refundStatusAtStripe } from '../marketplace/marketplace-status.js';
import type { Suspicion } from './drift.js';
import { money, paymentSays, refundSays } from './in-words.js';
import { isYoung, type Recency } from './judge-stripe.js';
import type { HeldPayment, HeldRefund } from './ledger-rows.js';

/** A payment as Stripe holds it, as far as it is compared. */
export interface PaymentAtStripe {
  readonly name: string;
  readonly amount: bigint;
  readonly captured: bigint;
  readonly currency: string;
  readonly status: string;
}

/** @param known undefined: none of ours, whose checkout is none of our business */
export function judgeStripePayment(held: PaymentAtStripe, known: HeldPayment | undefined): Suspicion | undefined {
  if (!known || known.underWay || !known.final || known.captured === null) return undefined;
  if (held.currency === known.currency && held.captured === known.captured) return undefined;
  return {
    kind: 'payment_differs',
    provider: 'stripe',
    providerId: held.name,
    parentId: null,
    item: { kind: 'payment', id: known.id },
    amount: held.captured,
    currency: held.currency,
    ledgerSays: paymentSays(known),
    providerSays: `${held.status}: ${money(held)}, ${held.captured} captured`,
  };
}

/** @param payment ours that it is of, whose provider is Stripe; undefined: none, and of a payment of Hyperswitch that one names its refunds */
export function judgeStripeRefund(
  held: StripeRefund,
  { known, payment }: { readonly known: HeldRefund | undefined; readonly payment: HeldPayment | undefined },
  recency: Recency,
): Suspicion | undefined {
  if (!payment || held.amount === 0n) return undefined;
  if (!known && isOfHeld(held, { ...payment, captureMethod: payment.captureMethod ?? 'automatic' })) return undefined;
  const status = refundStatusAtStripe(held.status);
  const common = {
    provider: 'stripe' as const,
    providerId: held.stripeRefundId,
    parentId: payment.providerPaymentId,
    amount: held.amount,
    currency: held.currency,
    providerSays: `${held.status}: ${money(held)} of ${payment.providerPaymentId}`,
  };
  if (!known) {
    return status === 'failed' || isYoung(held.createdAt, recency)
      ? undefined
      : { ...common, kind: 'refund_unknown', item: { kind: 'payment', id: payment.id }, ledgerSays: 'nothing' };
  }
  const same = money(held) === money(known) && (!known.final || status === known.status);
  if (known.underWay || same) return undefined;
  return { ...common, kind: 'refund_differs', item: { kind: 'refund', id: known.id }, ledgerSays: refundSays(known) };
}
