import { ASK_AGAIN_MS } from '../../domain/calls/next-by-id.js';
import type { StripeRefund } from '../../domain/calls/provider-answers.js';
import type { Clock } from '../../domain/clock.js';
import { type DisputeId, newDisputeId, type PaymentId, type RefundId } from '../../domain/ids.js';
import { overdueReadMs, REFUND_EXPECTED_MS } from '../../domain/marketplace/overdue.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { MarketplaceItem } from '../../ledger/marketplace/marketplace-types.js';
import type { PaymentAtStripe } from '../../ledger/money-that-leaves/payment-searches.js';
import type { FollowStep } from '../steps.js';
import { answeringWebhooks } from './answering-webhooks.js';
import { createDisputeFollow, type DisputeFollowDependencies } from './disputes/follow.js';
import { heldStep, refundStep } from './hyperswitch-follow.js';
import type { PaymentCalls } from './payment-calls.js';
import { createPaymentFollow, type PaymentFollowDependencies } from './payment-follow.js';
import type { PayingStripe } from './pinned-reads.js';
import { type StripePortDependencies, stripeAsOurs, stripePort } from './stripe-port.js';
import { createStripeRefundFollow, type StripeRefundDependencies } from './stripe-refund-follow.js';

export interface StripePaymentDependencies {
  readonly ledger: DisputeFollowDependencies['ledger'] &
    PaymentFollowDependencies['ledger'] &
    StripePortDependencies['ledger'] &
    StripeRefundDependencies['ledger'] &
    Pick<
      Ledger,
      | 'paymentAtStripe'
      | 'hyperswitchIsOurs'
      | 'noteStripeRefunds'
      | 'seeDispute'
      | 'paymentSearched'
      | 'claimRefund'
      | 'refundUnread'
      | 'findRefund'
      | 'findPayment'
      | 'openWebhooks'
      | 'finishWebhook'
    >;
  readonly stripe: PayingStripe;
  readonly clock: Clock;
  readonly wake: (items: readonly MarketplaceItem[]) => void;
  /** How long a claim outlives its process. */
  readonly holdMs: number;
  readonly processName: string;
  /** How long a buyer has to pay (PAYMENT_EXPIRY); default a day. */
  readonly paymentExpiryMs?: number | undefined;
}

const A_DAY_MS = 86_400_000;

interface NamedPayment extends PaymentAtStripe {
  readonly name: string;
}

/**
 * Payments whose provider is Stripe itself. Those that are made from here are made, followed and cancelled as Hyperswitch's are; of those
 * that another checkout took nothing is ever sent. Refunds and disputes of both are read at Stripe, whose record makes them causes.
 */
export function createStripePayments(dependencies: StripePaymentDependencies): PaymentCalls {
  const { ledger, clock, wake, holdMs, processName } = dependencies;
  let sequence = 0;
  const stripe = dependencies.stripe.inLane('disputes');
  const disputes = createDisputeFollow({ ledger, wake, stripe, hyperswitch: undefined });

  const nextRunner = () => {
    sequence += 1;
    return `${processName}/s${sequence}`;
  };
  const paying = dependencies.stripe;
  const account = stripeAsOurs(paying, ledger);
  const followPayment = createPaymentFollow({
    ledger,
    wake,
    holdMs,
    nextRunner,
    expiryMs: dependencies.paymentExpiryMs ?? A_DAY_MS,
    port: stripePort({ ledger, stripe: paying, account, searchPayment }),
  });
  const followRefund = createStripeRefundFollow({ ledger, stripe: paying, account, wake });

  async function atStripe(id: PaymentId): Promise<PaymentAtStripe> {
    const payment = await ledger.paymentAtStripe(id);
    if (!payment) throw new Error(`payment ${id} is none of Stripe's`);
    return payment;
  }

  const isNamed = (payment: PaymentAtStripe): payment is NamedPayment => payment.name !== null;

  /** @returns why not all of it could be read */
  async function readRefunds(payment: NamedPayment, runner: string | null = null): Promise<string | undefined> {
    const held = await stripe.refundsOf(payment.name);
    if (held.kind !== 'found') return held.detail;
    const strange = held.value.find(({ currency }) => currency !== payment.currency);
    if (strange) return inAnotherCurrency(strange, payment);
    wake(await ledger.noteStripeRefunds(payment.id, held.value, runner));
    return undefined;
  }

  async function readDisputes({ id, name }: NamedPayment): Promise<string | undefined> {
    const held = await stripe.disputesOf(name);
    if (held.kind !== 'found') return held.detail;
    for (const one of held.value)
      if (one.amount > 0n) wake((await ledger.seeDispute(id, newDisputeId(clock.nowMs()), one)).started);
    return undefined;
  }

  async function searchPayment(id: PaymentId): Promise<string | undefined> {
    const payment = await atStripe(id);
    // Nothing can go back of what Stripe is not known to have.
    if (!isNamed(payment)) return undefined;
    const unreadDisputes = await readDisputes(payment);
    const unread = (await readRefunds(payment)) ?? unreadDisputes;
    if (unread === undefined) await ledger.paymentSearched(id);
    return unread;
  }

  async function advancePayment(id: PaymentId): Promise<FollowStep> {
    if (!(await atStripe(id)).takenElsewhere) return await followPayment(id);
    const unread = await searchPayment(id);
    if (unread !== undefined) return { kind: 'later', afterMs: ASK_AGAIN_MS, why: unread };
    const payment = await ledger.findPayment(id);
    if (!payment) throw new Error(`payment ${id} is not in the ledger`);
    const { attention, status } = payment;
    return attention ? { kind: 'attention', ...attention, unknown: false } : { kind: 'final', status };
  }

  async function advanceRefund(id: RefundId): Promise<FollowStep> {
    const runner = nextRunner();
    const claim = await ledger.claimRefund(id, runner, holdMs);
    if (claim.kind === 'held') return heldStep(claim);
    const { paymentId, ageMs, origin } = claim.claim;
    const payment = await atStripe(paymentId);
    if (!isNamed(payment)) throw new Error(`payment ${paymentId} has no name at Stripe`);
    if (claim.kind === 'claimed' && origin === 'api') return await followRefund(claim.claim, runner, payment.name);
    const unread = await readRefunds(payment, runner);
    if (unread !== undefined) {
      await ledger.refundUnread({ id, runner, certainty: 'done', detail: unread, nextCheckMs: ASK_AGAIN_MS });
      return { kind: 'later', afterMs: ASK_AGAIN_MS, why: unread };
    }
    return await refundStep(ledger, id, { at: 'Stripe', readAgainMs: overdueReadMs(ageMs, REFUND_EXPECTED_MS) });
  }

  const answering = answeringWebhooks(ledger);
  return {
    advancePayment: answering('payment', advancePayment),
    advanceRefund: answering('refund', advanceRefund),
    advanceDispute: answering('dispute', (id: DisputeId) => disputes.advanceDispute(id)),
    readDispute: disputes.readDispute,
    searchPayment,
  };
}

/** Nothing that is in another currency is taken for a part of what was paid. */
const inAnotherCurrency = ({ stripeRefundId, amount, currency }: StripeRefund, payment: NamedPayment): string =>
  `Stripe holds ${stripeRefundId} of ${amount} ${currency} of ${payment.name}, which was paid in ${payment.currency}: nothing follows from that`;
