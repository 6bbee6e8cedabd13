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
  toldWith,
  wordOfConnector,
} from './stripe-disputes.js';
import type { DisputeThere, StripeLink } from './stripe-link.js';

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
  /** Of an account at Stripe that is not the linked one, whose records nobody reads. */
  readonly elsewhere?: boolean | undefined;
}
export interface DisputeChange extends Said, Heard {
  readonly move?: StripeMove | undefined;
  /** Of what is withdrawn or reinstated. */
  readonly amount?: number | undefined;
  /** Of the fee, what Stripe gives back with the funds. */
  readonly fee_back?: number | undefined;
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
      const there: DisputeThere =
        stripe === undefined || charge === null || order.elsewhere
          ? { id: stripeId('dp'), status: openedAs(inquiry), booked: [] }
          : await stripe.openDispute({ charge, amount, inquiry, fee: order.fee });
      const opened = newDispute(payment, { ...order, amount, there }, clock.nowMs());
      await disputes.keep(opened);
      return await hear(opened, order.events ?? (isSaid(order) ? [] : eventsOfOpening(inquiry)), order);
    },
    change(id, { move, amount, fee_back, events, ...said }) {
      const before = disputes.dispute(id);
      if (before === undefined) return undefined;
      const isLinked = book.payment(before.paymentId)?.chargeId != null && !before.atStripe.elsewhere;
      const at = isLinked ? stripe : undefined;
      return (async () => {
        const { dispute, emitted } =
          move === undefined
            ? { dispute: before, emitted: [] }
            : await moveThere(before, at, { move, amount, fee_back });
        if (move !== undefined) await disputes.keep(dispute);
        return await hear(dispute, events ?? (isSaid(said) ? [] : emitted), said);
      })();
    },
  };
}

async function moveThere(
  before: Dispute,
  stripe: StripeLink | undefined,
  change: Parameters<StripeLink['moveDispute']>[1],
): Promise<{ dispute: Dispute; emitted: readonly StripeEvent[] }> {
  const { status, events } = moved(before.atStripe.status, change.move);
  const there = await stripe?.moveDispute(before.connectorDisputeId, change);
  const atStripe = {
    ...before.atStripe,
    status: there?.status ?? status,
    bookings: there?.booked.length ?? before.atStripe.bookings,
  };
  const emitted = there === undefined ? events : toldWith(events, there.booked.slice(before.atStripe.bookings));
  return { dispute: { ...before, atStripe }, emitted };
}

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
    readonly reason?: string | undefined;
    readonly elsewhere?: boolean | undefined;
    readonly there: DisputeThere;
  },
  nowMs: number,
): Dispute {
  const { id, status, booked } = order.there;
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
    connectorDisputeId: id,
    reason: order.reason ?? 'general',
    challengeByMs: nowMs + 9 * DAY_MS,
    createdMs: nowMs,
    updatedMs: nowMs,
    atStripe: {
      status,
      openedAs: status,
      openedMs: nowMs,
      bookings: booked.length,
      elsewhere: order.elsewhere ?? false,
    },
  };
}
