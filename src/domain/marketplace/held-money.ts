import type { StripeRefund } from '../calls/provider-answers.js';
import type { CaptureMethod } from './payment-capture.js';

/** A payment at Stripe, as far as money of it may have been held. */
export interface MayBeHeld {
  readonly amount: bigint;
  /** Null: not known. */
  readonly captured: bigint | null;
  readonly captureMethod: CaptureMethod;
}

/**
 * Stripe makes a refund also where it lets go of money that was only held: of a payment that is called off or has lapsed, and of what a
 * capture of a part has left. Nothing of ours went back by it, and no seller owes anything for it. Where Stripe does not say so, only
 * what no balance shows and is exactly that rest is taken for it.
 */
export function isOfHeld(
  { ofHeld, amount }: Pick<StripeRefund, 'ofHeld' | 'amount'>,
  payment: MayBeHeld | undefined,
): boolean {
  if (ofHeld === undefined || payment === undefined) return ofHeld === 'surely';
  const isByHand = payment.captureMethod !== 'automatic' && payment.captured !== null;
  return ofHeld === 'surely' || (isByHand && amount === payment.amount - (payment.captured ?? 0n));
}
