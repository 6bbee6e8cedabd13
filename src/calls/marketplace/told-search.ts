import type { PaymentId } from '../../domain/ids.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { NewWebhookEvent } from '../../ledger/marketplace/marketplace-types.js';
import type { PinnedStripe } from './pinned-reads.js';

/** What Stripe calls money that goes back to a buyer. */
export const LEFT_US = /^(?:charge\.dispute\.|charge\.refund|refund\.)/;

export interface ToldSearchDependencies {
  readonly ledger: Pick<Ledger, 'paymentAtProcessor'>;
  readonly stripe: PinnedStripe | undefined;
  readonly searchPayment: ((id: PaymentId) => Promise<string | undefined>) | undefined;
}

/** Has the payment looked at of which Stripe tells that its money goes back. */
export function createToldSearch({ ledger, stripe, searchPayment }: ToldSearchDependencies) {
  /** Hyperswitch, which the payment is of, makes it a cause; Stripe's event only has both read. `left`: they were not. */
  async function search({ type, objectId, parentId }: NewWebhookEvent): Promise<'read' | 'nothing_to_do' | 'left'> {
    const names = [objectId, parentId].filter((name) => name !== null);
    const payment =
      (await ledger.paymentAtProcessor(names)) ?? (await paymentOf(type, parentId === null ? objectId : null));
    if (payment === 'left') return 'left';
    if (payment === undefined) return 'nothing_to_do';
    if (!searchPayment) return 'left';
    return (await searchPayment(payment)) === undefined ? 'read' : 'left';
  }

  /** A thin event names a dispute alone, and Stripe says whose it is. */
  async function paymentOf(type: string, objectId: string | null): Promise<PaymentId | 'left' | undefined> {
    if (objectId === null || !type.startsWith('charge.dispute.')) return undefined;
    if (!stripe) return 'left';
    const answer = await stripe.inLane('disputes').readDispute(objectId);
    if (answer.kind === 'missing') return undefined;
    if (answer.kind !== 'found') return 'left';
    const { charge, paymentIntent } = answer.value;
    return await ledger.paymentAtProcessor(paymentIntent === null ? [charge] : [paymentIntent, charge]);
  }

  return search;
}
