import type {
  NamedDispute,
  PaymentFacts,
  ReadAnswer,
  RefundFacts,
  StripeDispute,
  StripeRefund,
} from '../../../domain/calls/provider-answers.js';
import type { Clock } from '../../../domain/clock.js';
import { newDisputeId, newRefundId, type PaymentId } from '../../../domain/ids.js';
import type { Ledger } from '../../../ledger/ledger.js';
import type { MarketplaceItem } from '../../../ledger/marketplace/marketplace-types.js';
import type { SearchedPayment } from '../../../ledger/money-that-leaves/payment-searches.js';
import type { HyperswitchAccount } from '../hyperswitch-account.js';

export interface DisputeSearchDependencies {
  readonly ledger: Pick<
    Ledger,
    | 'paymentToSearch'
    | 'paymentSearched'
    | 'applyPayment'
    | 'noteDispute'
    | 'seeDispute'
    | 'adoptRefund'
    | 'noteUnnamedRefunds'
  >;
  readonly hyperswitch: {
    readPayment(hyperswitchPaymentId: string): Promise<ReadAnswer<PaymentFacts>>;
    disputesOf(hyperswitchPaymentId: string): Promise<ReadAnswer<readonly NamedDispute[]>>;
    refundsOf(hyperswitchPaymentId: string): Promise<ReadAnswer<readonly RefundFacts[]>>;
  };
  readonly account: Pick<HyperswitchAccount, 'misfit' | 'profileMisfit'>;
  readonly stripe:
    | {
        disputesOf(payment: string): Promise<ReadAnswer<readonly StripeDispute[]>>;
        refundsOf(payment: string): Promise<ReadAnswer<readonly StripeRefund[]>>;
      }
    | undefined;
  readonly clock: Clock;
  readonly wake: (items: readonly MarketplaceItem[]) => void;
}

/** undefined: all of it was looked at; else why not. */
type Outcome = Promise<string | undefined>;

/**
 * Looks for disputes and refunds of a payment that nobody told of: at Hyperswitch, whose word makes them causes, and at Stripe, where
 * the payment is of this account. What Stripe alone holds has Hyperswitch read, and later a person asked.
 */
export function createDisputeSearch(dependencies: DisputeSearchDependencies) {
  const { ledger, hyperswitch, account, stripe, clock, wake } = dependencies;

  /** At Hyperswitch alone. */
  async function named({ id, hyperswitchPaymentId }: SearchedPayment): Outcome {
    const answer = await hyperswitch.disputesOf(hyperswitchPaymentId);
    // A payment that Hyperswitch does not know has no dispute there.
    if (answer.kind === 'missing') return undefined;
    if (answer.kind !== 'found') return answer.detail;
    for (const one of answer.value) {
      const misfit = await account.profileMisfit(one.profileId);
      if (misfit !== undefined) return misfit;
      if (isAboutNothing(one)) continue;
      wake((await ledger.noteDispute(id, newDisputeId(clock.nowMs()), one)).started);
    }
    return undefined;
  }

  /** Those of Hyperswitch's that nobody told of, and those that have failed since. */
  async function searchRefunds({
    id,
    hyperswitchPaymentId,
  }: Pick<SearchedPayment, 'id' | 'hyperswitchPaymentId'>): Outcome {
    const answer = await hyperswitch.refundsOf(hyperswitchPaymentId);
    if (answer.kind === 'missing') return undefined;
    if (answer.kind !== 'found') return answer.detail;
    for (const facts of answer.value) {
      const misfit = await account.profileMisfit(facts.profileId);
      if (misfit !== undefined) return misfit;
      const { refundId, status, started } = await ledger.adoptRefund(id, newRefundId(clock.nowMs()), facts);
      const isOpen = status === 'pending' || status === 'review';
      wake(isOpen ? [{ kind: 'refund', id: refundId }, ...started] : started);
    }
    return undefined;
  }

  /** Where it is not known yet at which processor a payment is, Hyperswitch says. */
  async function located(payment: SearchedPayment): Promise<SearchedPayment | string> {
    if (payment.connectorTransactionId !== null) return payment;
    const unread = await readAgain(payment.id, payment.hyperswitchPaymentId);
    return unread ?? (await ledger.paymentToSearch(payment.id)) ?? payment;
  }

  async function readAgain(id: PaymentId, hyperswitchPaymentId: string): Outcome {
    const answer = await hyperswitch.readPayment(hyperswitchPaymentId);
    if (answer.kind !== 'found') return answer.detail;
    const misfit = await account.misfit(answer.value.owner);
    if (misfit !== undefined) return misfit;
    wake((await ledger.applyPayment({ paymentId: id, runner: null, facts: answer.value })).started);
    return undefined;
  }

  async function held({ id, connector, connectorTransactionId: name, hyperswitchPaymentId }: SearchedPayment): Outcome {
    if (!stripe || connector !== 'stripe' || name === null) return undefined;
    const disputes = await stripe.disputesOf(name);
    // Not of this account: its disputes and refunds are somebody else's to read.
    if (disputes.kind === 'missing') return undefined;
    if (disputes.kind !== 'found') return disputes.detail;
    for (const one of disputes.value)
      if (!isAboutNothing(one)) wake((await ledger.seeDispute(id, newDisputeId(clock.nowMs()), one)).started);
    const refunds = await stripe.refundsOf(name);
    if (refunds.kind === 'missing') return undefined;
    if (refunds.kind !== 'found') return refunds.detail;
    if ((await ledger.noteUnnamedRefunds(id, refunds.value)) === 0) return undefined;
    // Its refunds at Hyperswitch were read before; the payment itself may have been cancelled after its capture.
    const unread = await readAgain(id, hyperswitchPaymentId);
    if (unread === undefined) await ledger.noteUnnamedRefunds(id, refunds.value);
    return unread;
  }

  return {
    searchRefunds,

    searchNamed: async (id: PaymentId): Outcome => {
      const payment = await ledger.paymentToSearch(id);
      return payment && (await named(payment));
    },

    searchPayment: async (id: PaymentId): Outcome => {
      const payment = await ledger.paymentToSearch(id);
      if (!payment) return undefined;
      const unread = (await named(payment)) ?? (await searchRefunds(payment));
      if (unread !== undefined) return unread;
      const there = await located(payment);
      if (typeof there === 'string') return there;
      const left = await held(there);
      if (left === undefined) await ledger.paymentSearched(id);
      return left;
    },
  };
}

/** A processor may only ask, and name no amount: nothing can leave because of that. Once it is about money, the next look finds it. */
const isAboutNothing = ({ amount }: Pick<NamedDispute, 'amount'>): boolean => amount === 0n;
