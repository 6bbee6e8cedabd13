import { refundKey } from '../../../../src/domain/calls/idempotency-keys.js';
import { newRefundId, type OrderId } from '../../../../src/domain/ids.js';
import { hyperswitchRefundId } from '../../../../src/providers/hyperswitch/ids.js';
import type { DisputeWorld } from '../dispute-world.js';
import { beginRequest } from '../fixtures.js';

/** Captured of every order of the matrix. */
export const CAPTURED = 1_000n;
/** Of one line each; every amount below takes whole cents of both. */
export const PROMISED = { ada: 600n, bob: 400n } as const;

/** One order, and what the events of a cell have made of it. */
export interface Stage {
  readonly world: DisputeWorld;
  readonly order: OrderId;
  /** At Hyperswitch. */
  readonly payment: string;
  /** At Stripe. */
  readonly charge: string;
  readonly sellers: { readonly ada: string; readonly bob: string };
  /** Refunds by item at Hyperswitch: whose, and how much of it. */
  readonly ofItems: Map<string, bigint>;
  /** Disputes at Stripe that Hyperswitch never hears of. */
  readonly unheard: Set<string>;
}

/** What one event has made; each has its own. */
interface Made {
  dispute?: { readonly id: string };
  refund?: string;
}
export interface Playing {
  readonly stage: Stage;
  readonly made: Made;
  /** Hyperswitch hears nothing of it. */
  readonly unheard: boolean;
}

/** A provider does not do it as things stand: the rest of the event does not happen. */
export class Refused extends Error {}

type Step = (playing: Playing) => Promise<void>;
type Opening = Parameters<DisputeWorld['dispute']>[1];
type Move = Parameters<DisputeWorld['move']>[1];

export interface MoneyEvent {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Hyperswitch hears of it from Stripe, or does not; the others are its own, or never anything but Stripe's. */
  readonly isDispute?: true;
  readonly isOfStripeAlone?: true;
  readonly failsLater?: true;
  readonly isCancel?: true;
}

const notDone = (error: unknown): never => {
  throw new Refused(String(error));
};

const opens =
  (how: Opening): Step =>
  async ({ stage: { world, order, unheard: unheardOf }, made, unheard }) => {
    const dispute = await world.dispute(order, { ...how, ...(unheard ? { events: [] } : {}) });
    made.dispute = dispute;
    if (unheard) unheardOf.add(dispute.atProcessor);
  };

const moves =
  (change: Move): Step =>
  async ({ stage: { world }, made: { dispute }, unheard }) => {
    if (dispute) await world.move(dispute, { ...change, ...(unheard ? { events: [] } : {}) }).catch(notDone);
  };

const atStripe: Step = async ({ stage: { world, charge }, made }) => {
  const { refund } = await world.atStripe.createRefund({ charge, amount: 250 }).catch(notDone);
  made.refund = refund.id;
};

const failsAtStripe: Step = async ({ stage: { world }, made: { refund } }) => {
  if (refund !== undefined) await world.atStripe.updateRefund(refund, 'failed');
};

const atHyperswitch: Step = async ({ stage: { world, payment }, made }) => {
  const news = await world.atHyperswitch.refundInDashboard({ payment_id: payment, amount: 250 });
  if ('problem' in news) throw new Refused(JSON.stringify(news.problem));
  made.refund = news.refund.id;
  if (news.refund.status === 'failed') throw new Refused('Stripe refuses it');
};

const cancels: Step = async ({ stage: { world, payment } }) => {
  await Promise.resolve(world.atHyperswitch.movePayment(payment, { to: 'cancelled_post_capture' })).catch(notDone);
};

/** Ours, of everything alike or of Ada's item. */
const asks =
  (amount: bigint, ofAda = false): Step =>
  async ({ stage: { world, order: orderId, ofItems, sellers }, made }) => {
    const id = newRefundId(world.clock.nowMs());
    const at = hyperswitchRefundId(refundKey(id));
    const item = (await world.find(orderId)).items.find(({ sellerAccount }) => sellerAccount === sellers.ada);
    const lines = ofAda && item ? { items: [{ itemId: item.id, amount }] } : undefined;
    const asked = { id, orderId, amount: lines ? null : amount, lines, reason: 'asked', hyperswitchRefundId: at };
    const outcome = await world.ledger.createRefund(asked, await beginRequest(world, 'refunds'));
    if (outcome.kind !== 'created') throw new Refused(outcome.kind);
    await world.calls.advanceRefund(id);
    made.refund = at;
    if (ofAda) ofItems.set(at, amount);
  };

const becomes =
  (to: 'succeeded' | 'failed'): Step =>
  async ({ stage: { world }, made: { refund } }) => {
    if (refund === undefined) return;
    const moved = await Promise.resolve(world.atHyperswitch.moveRefund(refund, { to })).catch(async (error) => {
      await world.atHyperswitch.moveRefund(refund, { to: 'failed' });
      notDone(error);
    });
    if (moved === undefined) throw new Refused('Hyperswitch never made it');
  };

/** Everything that takes a buyer's money from us, or brings it back, as it happens at the providers. */
export const MONEY_EVENTS: readonly MoneyEvent[] = [
  { name: 'a chargeback', isDispute: true, steps: [opens({})] },
  {
    name: 'an inquiry',
    isDispute: true,
    steps: [opens({ amount: 300, inquiry: true }), moves({ move: 'close_inquiry' })],
  },
  {
    name: 'an escalated inquiry',
    isDispute: true,
    steps: [opens({ amount: 300, inquiry: true }), moves({ move: 'escalate' })],
  },
  { name: 'a won dispute', isDispute: true, steps: [opens({ amount: 500 }), moves({ move: 'win' })] },
  {
    name: 'a dispute won in part',
    isDispute: true,
    steps: [opens({ amount: 500 }), moves({ move: 'reinstate', amount: 200 })],
  },
  { name: 'a lost dispute', isDispute: true, steps: [opens({ amount: 500 }), moves({ move: 'lose' })] },
  {
    name: 'a further stage',
    isDispute: true,
    steps: [opens({ amount: 500 }), moves({ move: 'win' }), moves({ move: 'lose' })],
  },
  { name: 'a refund at Stripe', isOfStripeAlone: true, steps: [atStripe] },
  {
    name: 'a refund at Stripe that fails later',
    isOfStripeAlone: true,
    failsLater: true,
    steps: [atStripe, failsAtStripe],
  },
  { name: 'a refund at Hyperswitch', steps: [atHyperswitch] },
  { name: 'a cancel after the capture', isCancel: true, steps: [cancels] },
  { name: 'a refund of ours', steps: [asks(250n), becomes('succeeded')] },
  { name: 'a refund of one item', steps: [asks(200n, true), becomes('succeeded')] },
  {
    name: 'a refund of ours that fails later',
    failsLater: true,
    steps: [asks(250n), becomes('succeeded'), becomes('failed')],
  },
];
