import type { PaymentId } from '../../domain/ids.js';
import { PROVIDER_NAMES } from '../../domain/marketplace/marketplace.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { FollowStep } from '../steps.js';

/**
 * `sent`: the provider has it, whatever its status; the ledger knows. `unknown`: nobody knows, the row is kept, and the
 * next call reads before it sends. `refused`: the provider will not have it, and nobody was charged.
 */
export type PaymentSent = { readonly kind: 'sent' } | { readonly kind: 'unknown' | 'refused'; readonly detail: string };

/** The one call to the payment's provider within a request, and what may be told of it. */
export function createSendPayment(
  advancePayment: ((id: PaymentId) => Promise<FollowStep>) | undefined,
  ledger: Pick<Ledger, 'findPayment'>,
): (id: PaymentId) => Promise<PaymentSent> {
  return async function sendPayment(id) {
    if (!advancePayment) return { kind: 'unknown', detail: 'its provider is not configured on this server' };
    const step = await advancePayment(id);
    if (step.kind === 'later') return { kind: 'unknown', detail: step.why };
    const payment = await ledger.findPayment(id);
    // Failed without ever having existed at the provider: it did not take the payment on.
    return payment?.status === 'failed' && payment.certainty === 'absent'
      ? {
          kind: 'refused',
          detail: `${PROVIDER_NAMES[payment.provider]} did not take this payment; the order is closed, nobody was charged`,
        }
      : { kind: 'sent' };
  };
}
