import type { DisputeId } from '../../domain/ids.js';
import { unfitRecord } from '../../domain/marketplace/disputes.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { StripeReader } from './ask-stripe.js';
import { whyNoWord } from './no-word.js';
import { NOT_NEEDED, type Verifier } from './verification.js';

export interface DisputeVerifierDependencies {
  readonly ledger: Pick<Ledger, 'disputeToFollow'>;
  readonly stripe: StripeReader | undefined;
}

/** Where the processor's own record can be read, and fits, nobody has to say where the funds are. */
export function disputeVerifier({ ledger, stripe }: DisputeVerifierDependencies): Verifier {
  return async ({ itemId }) => {
    const dispute = await ledger.disputeToFollow(itemId as DisputeId);
    if (dispute?.connector !== 'stripe') return NOT_NEEDED;
    if (!stripe) return { kind: 'unanswered', detail: 'Stripe cannot be asked here: set STRIPE_SECRET_KEY' };
    const answer = await stripe.inLane('disputes').readDispute(dispute.providerDisputeId);
    if (answer.kind === 'missing') return { kind: 'absent' };
    if (answer.kind !== 'found') return { kind: 'unanswered', detail: whyNoWord('Stripe', answer) };
    const about = { payment: dispute.connectorTransactionId, currency: dispute.orderCurrency };
    return unfitRecord(about, answer.value) === undefined
      ? {
          kind: 'refuted',
          detail: `Stripe's own record of ${dispute.providerDisputeId} says where its funds are, and is read by itself: no word of a person stands beside it. Where a person is asked, retry reads it at once`,
        }
      : NOT_NEEDED;
  };
}
