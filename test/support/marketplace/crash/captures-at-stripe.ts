import type { FaultRule } from '../../../../sandbox/stripe/faults.js';
import type { PaymentId } from '../../../../src/domain/ids.js';
import { until } from '../../until.js';
import { ask, held, paid } from './captures.js';
import { killedOnce, type Scene, type Story, type Told, WITHIN } from './story.js';

/** Payments at Stripe whose money is held until the shop captures it, or calls it off. */

const illOnCapture = (scene: Scene, kind: FaultRule['kinds'][number], once = !scene.somebodyDies) => {
  scene.world.stripe.setFaults([{ kinds: [kind], on: ['payment_intents.capture'], ...(once ? { times: 1 } : {}) }]);
  return () => scene.world.stripe.setFaults([]);
};

const nameOf = async ({ world }: Scene, id: PaymentId): Promise<string> =>
  (await world.test.ledger.findPayment(id))?.stripePaymentId ?? '';

async function captured(scene: Scene, amount: bigint | null = null): Promise<Told> {
  const payment = await held(scene, 'manual');
  await scene.die(await nameOf(scene, payment.id));
  await ask(scene, payment.id, amount);
  return { order: payment.order, rest: paid(scene, payment.id) };
}

const THE_CALL = ['ledger.claimCapture', 'stripe.captureIntent', 'ledger.captureAnswered'];

/** In the world of these stories buyers pay as soon as they can. */
export const CAPTURED_AT_STRIPE: readonly Story[] = [
  {
    what: 'a capture at Stripe',
    path: [...THE_CALL, 'ledger.applyPayment#2'],
    ending: 'paid',
    tell: (scene) => captured(scene),
  },
  {
    what: 'a capture of a part at Stripe, which lets go of the rest',
    path: THE_CALL,
    ending: 'paid',
    tell: (scene) => captured(scene, 700n),
  },
  {
    what: 'a capture whose answer from Stripe is lost',
    path: ['stripe.captureIntent', 'ledger.captureAnswered'],
    ending: 'paid',
    async tell(scene) {
      const mend = illOnCapture(scene, 'reset_after_commit');
      return { ...(await captured(scene)), mend };
    },
  },
  {
    what: 'a capture that never arrives at Stripe, and is sent again with its key',
    path: ['stripe.captureIntent', 'stripe.captureIntent#2'],
    ending: 'paid',
    async tell(scene) {
      const mend = illOnCapture(scene, 'reset_before_commit');
      return { ...(await captured(scene)), mend };
    },
  },
  {
    what: 'a capture, while Stripe has it and its answer is on the way',
    path: [],
    inFlight: true,
    ending: 'paid',
    async tell(scene) {
      const mend = illOnCapture(scene, 'hang_after_commit', true);
      const payment = await held(scene, 'manual');
      const name = await nameOf(scene, payment.id);
      await ask(scene, payment.id, null);
      const there = () =>
        scene.world.stripe.ledger().paymentIntents.some(({ id, status }) => id === name && status === 'succeeded');
      await killedOnce(scene, there);
      return { order: payment.order, mend, rest: paid(scene, payment.id) };
    },
  },
];

/** In the world of these stories buyers begin to pay, and this one goes on. */
export const HELD_AT_STRIPE: readonly Story[] = [
  {
    what: 'what Stripe holds, and its shop calls off',
    path: ['ledger.claimCancel', 'stripe.cancelIntent', 'ledger.cancelAnswered'],
    ending: 'called off',
    async tell(scene) {
      const { world } = scene;
      const payment = await held(scene, 'manual', async (id) => {
        const name = await until('Stripe has it', async () => (await nameOf(scene, id)) || false, WITHIN);
        await world.stripe.pay(name);
        world.wake([{ kind: 'payment', id }]);
      });
      await scene.die(await nameOf(scene, payment.id));
      await world.test.ledger.askCancel(payment.id, 'shop');
      world.wake([{ kind: 'payment', id: payment.id }]);
      return { order: payment.order };
    },
  },
];
