import { newCaptureId, type OrderId, type PaymentId } from '../../../../src/domain/ids.js';
import { until } from '../../until.js';
import { beginRequest } from '../fixtures.js';
import { hyperswitchIll, killedOnce, lost, type Scene, type Story, type Told, WITHIN } from './story.js';

/** In the world of these stories buyers pay, and their money is held until the shop captures it, in one part or two. At Stripe: captures-at-stripe.ts */

export interface Held {
  readonly order: OrderId;
  readonly id: PaymentId;
}

/** Its workflow has read that the money is held, and waits. @param pays where its buyer does not by himself */
export async function held(
  scene: Scene,
  method: 'manual' | 'manual_multiple',
  pays: (id: PaymentId) => Promise<void> = async () => undefined,
): Promise<Held> {
  const { world, sellers } = scene;
  const { id: order } = await world.shop.order(sellers);
  const id = await world.shop.placePayment(order, method);
  world.wake([{ kind: 'payment', id }]);
  await pays(id);
  await until(
    'the worker has read that its money is held',
    async () => (await world.test.ledger.findPayment(id))?.capture.heldSince != null,
    WITHIN,
  );
  await betweenReads(scene, id);
  return { order, id };
}

/** No step is under way, in which the call that is to be the last one may have begun already. */
const betweenReads = ({ world }: Scene, id: PaymentId) =>
  until(
    'its workflow waits',
    async () =>
      (
        await world.test.database.query(
          `SELECT 1 FROM payments WHERE id = $1 AND runner IS NULL AND read_at < clock_now() - interval '1500 milliseconds'`,
          [id],
        )
      ).length === 1,
    WITHIN,
  );

export async function ask({ world }: Scene, id: PaymentId, amount: bigint | null): Promise<void> {
  const request = await beginRequest(world.test, 'captures');
  const asked = { id: newCaptureId(Date.now()), paymentId: id, amount, final: null };
  const outcome = await world.test.ledger.askCapture(asked, request);
  if (outcome.kind !== 'asked') throw new Error(`the capture was not asked for: ${JSON.stringify(outcome)}`);
  world.wake([{ kind: 'payment', id }]);
}

/** Woken until it has paid its order: what may have been captured is read three times before the same is sent again. */
export const paid = ({ world }: Scene, id: PaymentId) =>
  until(
    'it is captured',
    async () => {
      await world.passAbsences();
      world.wake([{ kind: 'payment', id }]);
      return (await world.test.ledger.findPayment(id))?.status === 'succeeded';
    },
    { limitMs: 600_000, everyMs: 1_000 },
  );

async function capturedOnce(scene: Scene): Promise<Told> {
  const { order, id } = await held(scene, 'manual');
  await scene.die();
  await ask(scene, id, null);
  return { order, rest: paid(scene, id) };
}

const THE_CALL = ['ledger.claimCapture', 'hyperswitch.capturePayment', 'ledger.captureAnswered'];

export const CAPTURES: readonly Story[] = [
  { what: 'a capture', path: [...THE_CALL, 'ledger.applyPayment#2'], ending: 'paid', tell: capturedOnce },
  {
    what: 'the last part of two',
    path: THE_CALL,
    ending: 'paid',
    async tell(scene) {
      const { order, id } = await held(scene, 'manual_multiple');
      await ask(scene, id, 700n);
      await until(
        'the first part is captured',
        async () => (await scene.world.test.ledger.findPayment(id))?.captured.surely === 700n,
        WITHIN,
      );
      await betweenReads(scene, id);
      await scene.die();
      await ask(scene, id, null);
      return { order, rest: paid(scene, id) };
    },
  },
  {
    what: 'a capture whose answer is lost',
    path: ['hyperswitch.capturePayment', 'ledger.captureAnswered'],
    ending: 'paid',
    async tell(scene) {
      const mend = lost(scene, 'reset_after_commit', 'payments.capture');
      return { ...(await capturedOnce(scene)), mend };
    },
  },
  {
    what: 'a capture that never arrives',
    path: ['hyperswitch.capturePayment', 'ledger.captureAnswered'],
    ending: 'paid',
    async tell(scene) {
      const well = lost(scene, 'reset_before_commit', 'payments.capture');
      return { ...(await capturedOnce(scene)), mend: well };
    },
  },
  {
    what: 'a capture, while Hyperswitch has it and its answer is on the way',
    path: [],
    inFlight: true,
    ending: 'paid',
    async tell(scene) {
      const mend = hyperswitchIll(scene, { kinds: ['hang_after_commit'], on: ['payments.capture'], times: 1 });
      const { order, id } = await held(scene, 'manual');
      await ask(scene, id, null);
      const at = (await scene.world.test.ledger.findPayment(id))?.hyperswitchPaymentId;
      const there = () =>
        scene.world.hyperswitch.ledger().payments.some((one) => one.id === at && one.status === 'succeeded');
      await killedOnce(scene, there);
      return { order, mend, rest: paid(scene, id) };
    },
  },
];
