import type { ReadAnswer, StripePayment, StripeRefund } from '../../domain/calls/provider-answers.js';
import type { OrderId, RefundId } from '../../domain/ids.js';
import { namesOf } from '../../domain/marketplace/charge-source.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { ExternalPaymentOutcome } from '../../ledger/marketplace/external-payments.js';
import type { MarketplaceItem } from '../../ledger/marketplace/marketplace-types.js';
import type { PinnedStripe } from './pinned-reads.js';

export interface ExternalPaymentDependencies {
  readonly ledger: Pick<
    Ledger,
    'takeExternalPayment' | 'orderPaidBy' | 'notOurs' | 'findOrder' | 'noteStripeRefunds' | 'refundAtStripe'
  >;
  readonly stripe: PinnedStripe;
  readonly wake: (items: readonly MarketplaceItem[]) => void;
}

/** `unfit`: what Stripe shows cannot pay the order, or is not of it. `unread`: Stripe did not say, so nothing was believed. */
export type NotTaken = { readonly kind: 'unfit' | 'unread'; readonly detail: string };

export type ExternalRefundOutcome =
  | { readonly kind: 'noted'; readonly refundId: RefundId }
  | { readonly kind: 'order_not_found' }
  | NotTaken;

/**
 * Payments and refunds that a team's own checkout makes at this Stripe account. Who tells of one is believed nothing but its name: all of
 * it is read at Stripe first, with a key of the account that the ledger is pinned to.
 */
export function createExternalPayments({ ledger, stripe: pinned, wake }: ExternalPaymentDependencies) {
  const stripe = pinned.inLane('external');

  /** Before the payment itself: what is refunded after that is found like every refund made at Stripe. */
  async function goneBack(payment: StripePayment) {
    const refunds = await stripe.refundsOf(payment.name);
    if (refunds.kind !== 'found') return notRead(refunds, payment.name);
    const strange = refunds.value.find(({ currency }) => currency !== payment.currency);
    if (strange) return unfit(`Stripe holds ${strange.stripeRefundId} in another currency than the payment`);
    const disputes = await stripe.disputesOf(payment.name);
    if (disputes.kind !== 'found') return notRead(disputes, payment.name);
    return { kind: 'read', refunds: refunds.value, disputes: disputes.value } as const;
  }

  /** By somebody else: several payments may stand in one group, and so do our own transfers of this one. */
  async function sharedAlready({ name, chargeId, transferGroup }: StripePayment): Promise<NotTaken | undefined> {
    if (transferGroup === null) return undefined;
    const transfers = await stripe.transfersInGroup(transferGroup);
    if (transfers.kind !== 'found') return notRead(transfers, name);
    const ofIt = transfers.value.filter(({ source, left }) => left > 0n && (source === null || source === chargeId));
    const [first] = await ledger.notOurs(ofIt);
    return (
      first &&
      unfit(
        `of ${name} ${first.stripeTransferId} was sent to ${first.destination} already, and not by Makegood: the sellers would be paid twice`,
      )
    );
  }

  return {
    /** @param name `pi_…` or `ch_…` @param by who says so */
    async takePayment(orderId: OrderId, name: string, by: string): Promise<ExternalPaymentOutcome | NotTaken> {
      const read = await stripe.readPayment(name);
      if (read.kind !== 'found') return notRead(read, name);
      const payment = read.value;
      const pays = await ledger.orderPaidBy(namesOf(payment));
      if (pays !== undefined && pays !== orderId) return { kind: 'pays_other', orderId: pays };
      // What it pays already is answered as it was taken: its own transfers stand in its group since.
      const wrong = pays === orderId ? undefined : (whyUnfit(payment) ?? (await sharedAlready(payment)));
      if (wrong) return wrong;
      const back = await goneBack(payment);
      if (back.kind !== 'read') return back;
      const outcome = await ledger.takeExternalPayment({ orderId, payment, by, ...back });
      if ('started' in outcome) wake(outcome.started);
      return outcome;
    },

    /** @param name `re_…` */
    async noteRefund(orderId: OrderId, name: string): Promise<ExternalRefundOutcome> {
      const order = await ledger.findOrder(orderId);
      if (!order) return { kind: 'order_not_found' };
      const { payment } = order;
      if (payment?.provider !== 'stripe' || payment.stripePaymentId === null)
        return unfit(
          'the order has no payment that was taken at Stripe by another checkout: tell of that first, by POST /api/v1/external-payments',
        );
      const held = await stripe.refundsOf(payment.stripePaymentId);
      if (held.kind !== 'found') return notRead(held, payment.stripePaymentId);
      const wrong = whyNotOfIt(held.value, name, payment);
      if (wrong) return wrong;
      wake(await ledger.noteStripeRefunds(payment.id, held.value));
      const refundId = await ledger.refundAtStripe(name);
      return refundId === undefined ? unfit(`${name} gives nothing back`) : { kind: 'noted', refundId };
    },
  };
}

function whyNotOfIt(
  held: readonly StripeRefund[],
  name: string,
  payment: { readonly stripePaymentId: string | null; readonly currency: string },
): NotTaken | undefined {
  if (!held.some(({ stripeRefundId }) => stripeRefundId === name))
    return unfit(`Stripe holds no refund ${name} of ${payment.stripePaymentId}, which paid this order`);
  const strange = held.find(({ currency }) => currency !== payment.currency);
  return strange && unfit(`Stripe holds ${strange.stripeRefundId} in another currency than the payment`);
}

const unfit = (detail: string): NotTaken => ({ kind: 'unfit', detail });

function notRead(answer: Exclude<ReadAnswer<never>, { kind: 'found' }>, name: string): NotTaken {
  return answer.kind === 'missing'
    ? unfit(`the account of STRIPE_SECRET_KEY holds no ${name}`)
    : { kind: 'unread', detail: answer.detail };
}

/** What no order can be paid by, whatever it comes to. */
function whyUnfit({ name, status, captured, amount, currency, isSplit }: StripePayment): NotTaken | undefined {
  if (status !== 'succeeded') return unfit(`Stripe calls ${name} ${status}: it pays an order once it has succeeded`);
  if (captured === 0n || captured !== amount)
    return unfit(`Stripe has captured ${captured} of ${amount} ${currency} of ${name}, and an order is paid in full`);
  return isSplit
    ? unfit(
        `Stripe sends on the money of ${name} by itself (transfer_data or an application fee): it would be shared out twice`,
      )
    : undefined;
}
