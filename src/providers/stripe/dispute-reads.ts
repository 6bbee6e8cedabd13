import type { ReadAnswer, StripeDispute, StripeRefund } from '../../domain/calls/provider-answers.js';
import { noSuchId, readAnswer } from './answers.js';
import type { Ask } from './ask.js';
import { disputeFacts, stripeRefundFacts } from './facts.js';
import { allPages } from './pages.js';
import { isId } from './params.js';

/** What left our balance because of a buyer's payment, as Stripe itself holds it. */
export interface DisputeReads {
  readDispute(stripeDisputeId: string): Promise<ReadAnswer<StripeDispute>>;
  /** @param payment `pi_…` or `ch_…`; `missing`: this account has no such payment */
  disputesOf(payment: string): Promise<ReadAnswer<readonly StripeDispute[]>>;
  /** Whoever made them, in whatever status. */
  refundsOf(payment: string): Promise<ReadAnswer<readonly StripeRefund[]>>;
}

const LONGEST_PAGE = 100;

const named = (payment: string) =>
  payment.startsWith('ch_') || payment.startsWith('py_') ? { charge: payment } : { payment_intent: payment };

export function disputeReads(ask: Ask): DisputeReads {
  return {
    async readDispute(id) {
      if (!isId(id)) return noSuchId(id);
      const outcome = await ask('disputes.read', { what: `dispute ${id}` }, (stripe) => stripe.disputes.retrieve(id));
      return readAnswer(outcome, (object) => {
        const facts = disputeFacts(object);
        return facts?.stripeDisputeId === id ? facts : undefined;
      });
    },

    async disputesOf(payment) {
      if (!isId(payment)) return noSuchId(payment);
      return await allPages({
        ask: (starting_after) =>
          ask('disputes.list', { what: `the disputes of ${payment}` }, (stripe) =>
            stripe.disputes.list({ ...named(payment), limit: LONGEST_PAGE, starting_after }),
          ),
        read: (item) => ofPayment(payment, disputeFacts(item)),
        idOf: ({ stripeDisputeId }) => stripeDisputeId,
      });
    },

    async refundsOf(payment) {
      if (!isId(payment)) return noSuchId(payment);
      return await allPages({
        ask: (starting_after) =>
          ask('refunds.list', { what: `the refunds of ${payment}` }, (stripe) =>
            stripe.refunds.list({ ...named(payment), limit: LONGEST_PAGE, starting_after }),
          ),
        read: (item) => ofPayment(payment, stripeRefundFacts(item)),
        idOf: ({ stripeRefundId }) => stripeRefundId,
      });
    },
  };
}

/** Another payment's is no answer to what was asked. */
const ofPayment = <Facts extends { readonly charge: string | null; readonly paymentIntent: string | null }>(
  payment: string,
  facts: Facts | undefined,
): Facts | undefined => (facts?.charge === payment || facts?.paymentIntent === payment ? facts : undefined);
