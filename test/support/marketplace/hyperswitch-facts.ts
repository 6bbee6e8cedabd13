import type { PaymentFacts, RefundFacts } from '../../../src/domain/calls/provider-answers.js';
import { paymentMeaning } from '../../../src/providers/hyperswitch/statuses.js';
import { unique } from './fixtures.js';

/** Whose payments the stand-ins of these tests hold. */
const OWNER = { merchantId: 'merchant_sandbox', profileId: 'pro_sandbox' } as const;

/** A payment as Hyperswitch holds it, in its own words; captured in full once it has succeeded. */
export const paymentAt = (
  facts: Pick<PaymentFacts, 'hyperswitchPaymentId' | 'amount' | 'currency'> & Partial<PaymentFacts>,
): PaymentFacts => {
  const providerStatus = facts.providerStatus ?? facts.status ?? 'succeeded';
  const meaning = paymentMeaning(providerStatus === 'pending' ? 'requires_payment_method' : providerStatus);
  return {
    owner: OWNER,
    ...meaning,
    providerStatus,
    amountReceived: (facts.status ?? meaning.status) === 'succeeded' ? facts.amount : null,
    connector: null,
    connectorTransactionId: null,
    clientSecret: null,
    ...facts,
  };
};

export const refundAt = (
  facts: Pick<RefundFacts, 'hyperswitchRefundId' | 'hyperswitchPaymentId' | 'amount' | 'currency'> &
    Partial<RefundFacts>,
): RefundFacts => {
  const status = facts.status ?? 'succeeded';
  return {
    profileId: OWNER.profileId,
    status,
    providerStatus: status,
    asks: null,
    reason: null,
    updatedAt: null,
    connectorRefundId: null,
    ...facts,
  };
};

/** A refund that somebody made in Hyperswitch's dashboard: nobody here has asked for it. */
export const dashboardRefund = (
  { hyperswitchPaymentId }: { readonly hyperswitchPaymentId: string },
  amount: bigint,
  currency = 'USD',
): RefundFacts => refundAt({ hyperswitchRefundId: unique('ref'), hyperswitchPaymentId, amount, currency });
