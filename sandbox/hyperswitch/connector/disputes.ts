import type { Clock } from '../../../src/domain/clock.js';
import { type Dispute, type DisputeStage, type DisputeStatus } from '../http/dispute-objects.js';
import { attemptId, disputeId, type Payment, stripeId } from '../http/objects.js';
import { noMoneyToDispute, type Problem, paymentNotFound } from '../http/problems.js';
import type { Book } from '../state/book.js';
import type { DisputeBook } from '../state/dispute-book.js';
import {
  eventsOfOpening,
  heardAs,
  mayFollow,
  moved,
  openedAs,
  type StripeEvent,
  type StripeMove,
  wordOfConnector,
} from './stripe-disputes.js';
import type { StripeLink } from './stripe-link.js';
import type { StripeStatus } from './stripe-status.js';

/** Said outright instead of heard from Stripe, as another connector would have it; nothing judges it. */
interface Said {
  readonly stage?: DisputeStage | undefined;
  readonly status?: DisputeStatus | undefined;
  readonly connector_status?: string | undefined;
}
interface Heard {
  /** What Hyperswitch hears of Stripe, in this order; default: all that Stripe emits, or nothing where it is said outright. */
  readonly events?: readonly StripeEvent[] | undefined;
}
export interface DisputeOpening extends Said, Heard {
  readonly payment_id: string;
  /** Default: all that is captured. */
  readonly amount?: number | undefined;
  /** Takes nothing; default: where the stage is `pre_dispute`. */
  readonly inquiry?: boolean | undefined;
  /** Stripe's, for a chargeback. */
  readonly fee?: number | undefined;
  readonly reason?: string | undefined;
}
export interface DisputeChange extends Said, Heard {
  readonly move?: StripeMove | undefined;
  /** Of what is withdrawn or reinstated. */
  readonly amount?: number | undefined;
}
/** What became of one event at Hyperswitch. */
export interface HeardEvent {
  readonly event: StripeEvent;
  /** Null: not supported. */
  readonly as: DisputeStatus | null;
  /** False: nothing changed; where `as` is a status, Hyperswitch refused it. */
  readonly kept: boolean;
}
export interface DisputeNews {
  readonly dispute: Dispute;
  readonly heard: readonly HeardEvent[];
}

/** Opens and moves disputes at Stripe, the linked one or an imagined one, and lets Hyperswitch hear of it. */
export interface Disputes {
  open(order: DisputeOpening): Promise<DisputeNews | { problem: Problem }>;
  /** Undefined: there is no such dispute. */
  change(id: string, change: DisputeChange): Promise<DisputeNews> | undefined;
}

interface Dependencies {
  readonly clock: Clock;
  readonly book: Book;
  readonly disputes: DisputeBook;
  readonly stripe: StripeLink | undefined;
}

const DAY_MS = 86_400_000;

export function createDisputes({ clock, book, disputes, stripe }: Dependencies): Disputes {
  const hear = async (first: Dispute, events: readonly StripeEvent[], said: Said): Promise<DisputeNews> => {
    let dispute = first;
    const heard: HeardEvent[] = [];
    for (const event of events) {
      const { as, kept, changed } = listen(dispute, event);
      heard.push({ event, as, kept });
      if (kept) dispute = await disputes.keep(asOf(clock.nowMs(), dispute, changed));
    }
    if (isSaid(said)) dispute = await disputes.keep(asOf(clock.nowMs(), dispute, tell(dispute, said)));
    return { dispute, heard };
  };
  return {
    async open(order) {
      const payment = book.payment(order.payment_id);
      if (payment === undefined) return { problem: paymentNotFound };
      const amount = order.amount ?? payment.received;
      if (amount === 0) return { problem: noMoneyToDispute };
      const inquiry = order.inquiry ?? order.stage === 'pre_dispute';
      const { chargeId: charge } = payment;
      const there =
        stripe === undefined || charge === null
          ? stripeId('dp')
          : await stripe.openDispute({ charge, amount, inquiry, fee: order.fee });
      const opened = newDispute(payment, { ...order, amount, inquiry, there }, clock.nowMs());
      await disputes.keep(opened);
      return await hear(opened, order.events ?? (isSaid(order) ? [] : eventsOfOpening(inquiry)), order);
    },
    change(id, { move, amount, events, ...said }) {
      const before = disputes.dispute(id);
      if (before === undefined) return undefined;
      return (async () => {
        const { status, events: emitted } =
          move === undefined ? { status: before.atStripe.status, events: [] } : moved(before.atStripe.status, move);
        if (move !== undefined && isLinked(book, stripe, before))
          await stripe?.moveDispute(before.connectorDisputeId, move, amount);
        const dispute = await disputes.keep({ ...before, atStripe: { ...before.atStripe, status } });
        return await hear(dispute, events ?? (isSaid(said) ? [] : emitted), said);
      })();
    },
  };
}

const isLinked = (book: Book, stripe: StripeLink | undefined, { paymentId }: Dispute): boolean =>
  stripe !== undefined && book.payment(paymentId)?.chargeId != null;

const isSaid = ({ stage, status, connector_status: word }: Said): boolean =>
  stage !== undefined || status !== undefined || word !== undefined;

function listen(dispute: Dispute, event: StripeEvent): Omit<HeardEvent, 'event'> & { changed: Partial<Dispute> } {
  const status = event === 'charge.dispute.created' ? dispute.atStripe.openedAs : dispute.atStripe.status;
  const as = heardAs(event, status);
  const kept = as !== null && (dispute.status === null || mayFollow(dispute.status, as));
  // The connector calls the stage of everything `dispute`, an inquiry's too.
  return { as, kept, changed: { status: as, stage: 'dispute', connectorStatus: wordOfConnector(status) } };
}

const asOf = (nowMs: number, before: Dispute, changed: Partial<Dispute>): Dispute => ({
  ...before,
  ...changed,
  createdMs: before.status === null ? nowMs : before.createdMs,
  updatedMs: nowMs,
});

const tell = (dispute: Dispute, said: Said): Partial<Dispute> => ({
  status: said.status ?? dispute.status ?? 'dispute_opened',
  stage: said.stage ?? dispute.stage,
  connectorStatus: said.connector_status ?? dispute.connectorStatus,
});

function newDispute(
  payment: Payment,
  order: {
    readonly amount: number;
    readonly inquiry: boolean;
    readonly there: string;
    readonly reason?: string | undefined;
  },
  nowMs: number,
): Dispute {
  const status: StripeStatus = openedAs(order.inquiry);
  return {
    id: disputeId(),
    owner: payment.owner,
    paymentId: payment.id,
    attemptId: attemptId(payment.id),
    amount: order.amount,
    currency: payment.currency,
    status: null,
    stage: 'dispute',
    connectorStatus: wordOfConnector(status),
    connectorDisputeId: order.there,
    reason: order.reason ?? 'general',
    challengeByMs: nowMs + 9 * DAY_MS,
    createdMs: nowMs,
    updatedMs: nowMs,
    atStripe: { status, openedAs: status, openedMs: nowMs },
  };
}
