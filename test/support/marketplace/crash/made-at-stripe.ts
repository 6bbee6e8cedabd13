import type { FaultRule } from '../../../../sandbox/stripe/faults.js';
import type { OrderId, PaymentId } from '../../../../src/domain/ids.js';
import { until } from '../../until.js';
import { again, betweenReads, unanswered } from './cancels.js';
import { CAPTURED_AT_STRIPE, HELD_AT_STRIPE } from './captures-at-stripe.js';
import { placed, refundPlaced } from './payments.js';
import { given, half, killedOnce, type Scene, type Story, WITHIN } from './story.js';

/** Payments and refunds that the worker makes at Stripe itself. */

type On = NonNullable<FaultRule['on']>[number];

const stripeIllOn = ({ world }: Scene, fault: FaultRule) => {
  world.stripe.setFaults([fault]);
  return () => world.stripe.setFaults([]);
};
/** While nobody dies, Stripe is well again as soon as it was ill once. */
const lostAtStripe = (scene: Scene, kind: FaultRule['kinds'][number], on: On) =>
  stripeIllOn(scene, { kinds: [kind], on: [on], ...(scene.somebodyDies ? {} : { times: 1 }) });

/** In the world of these stories buyers pay as soon as they can. What is refused goes first: no other order's lost call meets that. */
export const MADE_AT_STRIPE: readonly Story[] = [
  {
    what: 'a payment that Stripe refuses',
    path: ['ledger.paymentRefused'],
    ending: 'any',
    async tell(scene) {
      const mend = lostAtStripe(scene, 'refused', 'payment_intents.create');
      return { ...(await placed(scene)), mend };
    },
  },
  {
    what: 'a refund that Stripe refuses',
    path: ['ledger.refundRefused'],
    sent: true,
    ending: 'any',
    async tell(scene) {
      const mend = lostAtStripe(scene, 'refused', 'refunds.create');
      return { ...(await refundPlaced(scene)), mend };
    },
  },
  {
    what: 'a payment at Stripe',
    path: [
      'ledger.claimPayment',
      'ledger.paymentLeavesForStripe',
      'stripe.createIntent',
      'ledger.applyPayment',
      'stripe.readIntent',
      'ledger.applyPayment#2',
      'ledger.findPayment',
    ],
    ending: 'paid',
    tell: placed,
  },
  {
    what: 'a payment whose answer from Stripe is lost',
    path: ['ledger.paymentUnread', 'stripe.findIntent'],
    ending: 'paid',
    async tell(scene) {
      const mend = lostAtStripe(scene, 'reset_after_commit', 'payment_intents.create');
      return { ...(await placed(scene)), mend };
    },
  },
  {
    what: 'a payment that never arrives at Stripe',
    path: ['stripe.createIntent#2', 'ledger.paymentLeavesForStripe#2'],
    ending: 'paid',
    async tell(scene) {
      const mend = lostAtStripe(scene, 'reset_before_commit', 'payment_intents.create');
      return { ...(await placed(scene)), mend };
    },
  },
  {
    what: 'a payment, while Stripe has it and its answer is on the way',
    path: [],
    inFlight: true,
    ending: 'paid',
    async tell(scene) {
      const mend = stripeIllOn(scene, { kinds: ['hang_after_commit'], on: ['payment_intents.create'], times: 1 });
      const { order, id } = await placed(scene);
      const there = () =>
        scene.world.stripe.ledger().paymentIntents.some(({ metadata }) => metadata['payment_id'] === id);
      await killedOnce(scene, there);
      return { order, mend };
    },
  },
  {
    what: 'a refund at Stripe',
    path: ['ledger.claimRefund', 'ledger.refundLeavesForStripe', 'stripe.createRefund', 'ledger.noteStripeRefunds'],
    sent: true,
    ending: 'refunded',
    tell: refundPlaced,
  },
  {
    what: 'a refund whose answer from Stripe is lost',
    path: ['ledger.refundUnread', 'stripe.refundsOf', 'ledger.noteStripeRefunds'],
    sent: true,
    ending: 'refunded',
    async tell(scene) {
      const mend = lostAtStripe(scene, 'reset_after_commit', 'refunds.create');
      return { ...(await refundPlaced(scene)), mend };
    },
  },
  {
    what: 'a refund that never arrives at Stripe',
    path: ['stripe.createRefund#2'],
    sent: true,
    ending: 'refunded',
    async tell(scene) {
      const mend = lostAtStripe(scene, 'reset_before_commit', 'refunds.create');
      return { ...(await refundPlaced(scene)), mend };
    },
  },
  {
    what: 'a refund, while Stripe has it and its answer is on the way',
    path: [],
    sent: true,
    inFlight: true,
    ending: 'refunded',
    async tell(scene) {
      const mend = stripeIllOn(scene, { kinds: ['hang_after_commit'], on: ['refunds.create'], times: 1 });
      const { order, id } = await refundPlaced(scene);
      const there = () => scene.world.stripe.ledger().refunds.some(({ metadata }) => metadata['refund_id'] === id);
      await killedOnce(scene, there);
      return { order, mend };
    },
  },
  {
    what: "a refund in Stripe's dashboard that nobody tells of",
    path: ['ledger.duePaymentSearches', 'ledger.noteStripeRefunds', 'ledger.paymentSearched'],
    sent: true,
    inSweep: true,
    ending: 'refunded',
    async tell(scene) {
      const { world } = scene;
      const paid = given(scene);
      const intent = paid.payment?.stripePaymentId ?? '';
      const charge = world.stripe.ledger().charges.find((one) => one.payment_intent === intent)?.id ?? '';
      await world.stripe.createRefund({ charge, amount: Number(half(paid)) });
      await scene.die(intent);
      const found = until(
        'it is found',
        async () => {
          await world.passRounds(paid.id);
          return (await world.shop.find(paid.id)).refunds.length > 0;
        },
        { limitMs: 600_000, everyMs: 2_000 },
      );
      return { order: paid.id, rest: found };
    },
  },
  ...CAPTURED_AT_STRIPE,
];

interface Begun {
  readonly order: OrderId;
  readonly id: PaymentId;
  readonly intent: string;
}

/** A payment that Stripe has, and whose workflow has read that nobody pays it. */
async function begun({ world, sellers }: Scene): Promise<Begun> {
  const { id: order } = await world.shop.order(sellers);
  const id = await world.shop.placePayment(order);
  world.wake([{ kind: 'payment', id }]);
  const payment = await until(
    'the worker has read that nobody pays',
    async () => {
      const found = await world.test.ledger.findPayment(id);
      return found?.providerStatus === 'requires_payment_method' && found;
    },
    WITHIN,
  );
  return { order, id, intent: payment.stripePaymentId ?? '' };
}

/** A day has passed since the buyer began. */
async function left(scene: Scene): Promise<Begun> {
  const { world } = scene;
  const payment = await begun(scene);
  await betweenReads(scene, payment.id);
  await scene.die(payment.intent);
  await world.test.database.query(
    `UPDATE payments SET created_at = clock_now() - interval '25 hours', next_check_at = clock_now() WHERE id = $1`,
    [payment.id],
  );
  world.wake([{ kind: 'payment', id: payment.id }]);
  return payment;
}

/** In the world of these stories buyers begin to pay and do not finish. */
export const LEFT_AT_STRIPE: readonly Story[] = [
  {
    what: 'a checkout at Stripe that its buyer has left',
    path: ['ledger.claimCancel', 'stripe.cancelIntent', 'ledger.applyPayment#2', 'ledger.cancelAnswered'],
    ending: 'called off',
    tell: left,
  },
  {
    what: 'a cancel at Stripe whose answer is lost',
    path: ['stripe.cancelIntent', 'ledger.cancelAnswered'],
    ending: 'called off',
    async tell(scene) {
      const mend = lostAtStripe(scene, 'reset_after_commit', 'payment_intents.cancel');
      return { order: (await left(scene)).order, mend };
    },
  },
  {
    what: 'a cancel that never arrives at Stripe, and is asked for again',
    path: ['stripe.cancelIntent', 'ledger.cancelAnswered'],
    ending: 'called off',
    async tell(scene) {
      const well = lostAtStripe(scene, 'reset_before_commit', 'payment_intents.cancel');
      const { order, id } = await left(scene);
      const calledOff = () => again(scene, id);
      return scene.somebodyDies
        ? { order, mend: well, rest: calledOff() }
        : { order, rest: unanswered(scene, id).then(calledOff) };
    },
  },
  {
    what: 'a cancel that comes too late at Stripe',
    path: ['ledger.claimCancel', 'stripe.cancelIntent', 'ledger.cancelAnswered'],
    ending: 'paid',
    async tell(scene) {
      const { world } = scene;
      const well = stripeIllOn(scene, { kinds: ['slow'], on: ['payment_intents.cancel'], ms: 1_500 });
      const { order, intent } = await left(scene);
      const asked = () =>
        world.stripe
          .calls()
          .calls.some(({ endpoint, path }) => endpoint === 'payment_intents.cancel' && path.includes(intent));
      const paid = until('the cancel is on its way', async () => asked(), { limitMs: 120_000, everyMs: 20 })
        .then(() => world.stripe.pay(intent))
        .then(well);
      return { order, rest: paid, mend: () => paid };
    },
  },
  {
    what: 'a payment that its event tells of',
    path: ['ledger.openWebhooks', 'stripe.readIntent', 'ledger.applyPayment', 'ledger.finishWebhook'],
    ending: 'paid',
    async tell(scene) {
      const { world } = scene;
      const { order, id, intent } = await begun(scene);
      await betweenReads(scene, id);
      await scene.die(intent);
      await world.stripe.pay(intent);
      await world.tell(
        { provider: 'stripe', type: 'payment_intent.succeeded', objectId: intent, parentId: null },
        'server',
      );
      return { order };
    },
  },
  ...HELD_AT_STRIPE,
];
