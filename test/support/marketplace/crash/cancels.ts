import type { IntentStatus } from '../../../../sandbox/hyperswitch/http/objects.js';
import { newDecisionId, type OrderId, type PaymentId } from '../../../../src/domain/ids.js';
import { until } from '../../until.js';
import { hyperswitchIll, lost, type Scene, type Story, type Told, WITHIN } from './story.js';

/** In the world of these stories buyers begin to pay and do not finish. */

interface Begun {
  readonly order: OrderId;
  readonly id: PaymentId;
  /** At Hyperswitch. */
  readonly at: string;
}

/** A payment that Hyperswitch has, and whose workflow has read that nobody pays it. */
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
  return { order, id, at: payment.hyperswitchPaymentId ?? '' };
}

/** No step is under way, in which the call that is to be the last one may have begun already. */
export const betweenReads = ({ world }: Scene, id: PaymentId) =>
  until(
    'its workflow waits',
    async () =>
      (
        await world.test.database.query(
          `SELECT 1 FROM payments WHERE id = $1 AND runner IS NULL AND read_at < clock_now() - interval '2500 milliseconds'`,
          [id],
        )
      ).length === 1,
    WITHIN,
  );

/** A day has passed since the buyer began. */
async function left(scene: Scene): Promise<Begun> {
  const { world } = scene;
  const payment = await begun(scene);
  const { id } = payment;
  await betweenReads(scene, id);
  await scene.die();
  await world.test.database.query(
    `UPDATE payments SET created_at = clock_now() - interval '25 hours', next_check_at = clock_now() WHERE id = $1`,
    [id],
  );
  world.wake([{ kind: 'payment', id }]);
  return payment;
}

/** Hyperswitch calls it something that nothing follows from, and an operator calls it off. */
async function calledOffByOperator(scene: Scene): Promise<Told> {
  const { world } = scene;
  const { order, id, at } = await begun(scene);
  await world.hyperswitch.movePayment(at, { to: 'requires_capture' satisfies IntentStatus });
  world.wake([{ kind: 'payment', id }]);
  await until(
    'a person is asked',
    async () => (await world.test.ledger.findPayment(id))?.attention?.reason === 'unknown_status',
    WITHIN,
  );
  await betweenReads(scene, id);
  await scene.die();
  const decided = await world.test.ledger.decide({
    id: newDecisionId(Date.now()),
    kind: 'payment',
    itemId: id,
    action: 'cancel',
    // What one person gives up alone is limited: each order has an operator of its own.
    by: `olga of ${order}`,
    authenticated: true,
    note: 'the buyer has given up',
    evidence: null,
    verified: { kind: 'not_needed' },
  });
  if (decided.kind !== 'applied') throw new Error(`the cancel was not decided: ${JSON.stringify(decided)}`);
  return { order, rest: again(scene, id) };
}

const THE_CALL = ['ledger.claimCancel', 'hyperswitch.cancelPayment', 'ledger.cancelAnswered'];

export const CANCELS: readonly Story[] = [
  {
    what: 'a checkout that its buyer has left',
    path: [...THE_CALL, 'ledger.applyPayment#2'],
    ending: 'called off',
    tell: left,
  },
  {
    what: "an operator's cancel of a payment",
    path: THE_CALL,
    ending: 'called off',
    tell: calledOffByOperator,
  },
  {
    what: 'a cancel whose answer is lost',
    path: ['hyperswitch.cancelPayment', 'hyperswitch.readPayment#2', 'ledger.cancelAnswered'],
    ending: 'called off',
    async tell(scene) {
      const mend = lost(scene, 'reset_after_commit', 'payments.cancel');
      return { order: (await left(scene)).order, mend };
    },
  },
  {
    what: 'a cancel that never arrives, and is asked for again',
    path: ['hyperswitch.cancelPayment', 'ledger.cancelAnswered'],
    ending: 'called off',
    async tell(scene) {
      const well = lost(scene, 'reset_before_commit', 'payments.cancel');
      const { order, id } = await left(scene);
      // By itself it is due again within the hour.
      const calledOff = () => again(scene, id);
      return scene.somebodyDies
        ? { order, mend: well, rest: calledOff() }
        : { order, rest: unanswered(scene, id).then(calledOff) };
    },
  },
  {
    what: 'a cancel that comes too late',
    path: THE_CALL,
    ending: 'paid',
    async tell(scene) {
      const { world } = scene;
      const well = hyperswitchIll(scene, { kinds: ['slow'], on: ['payments.cancel'], ms: 1_500 });
      const { order, at } = await left(scene);
      const cancelled = () =>
        world.hyperswitch.calls().calls.some((call) => call.endpoint === 'payments.cancel' && call.id === at);
      const paid = until('the cancel is on its way', async () => cancelled(), { limitMs: 120_000, everyMs: 20 })
        .then(() => world.hyperswitch.movePayment(at, { to: 'succeeded' }))
        .then(well);
      return { order, rest: paid, mend: () => paid };
    },
  },
];

/** Nobody knows whether the cancel was carried out. */
export const unanswered = ({ world }: Scene, id: PaymentId) =>
  until(
    'the cancel has no answer',
    async () =>
      (await world.test.database.query(`SELECT 1 FROM payments WHERE id = $1 AND cancel_certainty = 'unknown'`, [id]))
        .length === 1,
    WITHIN,
  );

/** Woken until it is called off: one nudge may be lost with its process, or meet the illness of another story. */
export const again = ({ world }: Scene, id: PaymentId) =>
  until(
    'it is called off',
    async () => {
      world.wake([{ kind: 'payment', id }]);
      return (await world.test.ledger.findPayment(id))?.status === 'cancelled';
    },
    { limitMs: 600_000, everyMs: 1_000 },
  );
