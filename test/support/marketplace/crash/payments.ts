import type { OrderId, PaymentId, RefundId } from '../../../../src/domain/ids.js';
import { until } from '../../until.js';
import { given, half, hyperswitchIll, killedOnce, lost, type Scene, type Story, WITHIN } from './story.js';

/** A payment whose row is there and which the worker sends. */
export async function placed({ world, sellers, die }: Scene): Promise<{ order: OrderId; id: PaymentId }> {
  await die();
  const { id: order } = await world.shop.order(sellers);
  const id = await world.shop.placePayment(order);
  world.wake([{ kind: 'payment', id }]);
  return { order, id };
}

/** A refund whose row is there and which the worker sends. */
export async function refundPlaced(scene: Scene): Promise<{ order: OrderId; id: RefundId }> {
  const order = given(scene);
  await scene.die();
  const id = await scene.world.shop.placeRefund(order.id, half(order));
  scene.world.wake([{ kind: 'refund', id }]);
  return { order: order.id, id };
}

/**
 * The first call has no answer, and what is asked then is refused: only looks, minutes apart, prove that nothing moved. Whose call
 * it is nobody at Hyperswitch tells: those of earlier orders meet the same, so none of them takes this one's lost answer.
 */
async function lostAndRefused(
  { world }: Scene,
  on: 'payments.create' | 'refunds.create',
  place: () => Promise<{ readonly order: OrderId; readonly id: PaymentId | RefundId }>,
) {
  world.hyperswitch.setFaults([{ kinds: ['reset_before_commit'], on: [on] }]);
  const { order, id } = await place();
  const { ledger } = world.test;
  const found = () =>
    on === 'payments.create' ? ledger.findPayment(id as PaymentId) : ledger.findRefund(id as RefundId);
  await until('its answer is lost', async () => (await found())?.certainty === 'unknown', WITHIN);
  world.hyperswitch.setFaults([{ kinds: ['connector_failed'], on: [on] }]);
  return { order, mend: () => world.hyperswitch.setFaults([]) };
}

/** Resolves when neither its payment nor a refund of it is open any more. */
const looksPass = ({ world }: Scene, order: OrderId) =>
  until(
    'absence is proved',
    async () => {
      await world.passAbsences();
      const { payment, refunds } = await world.shop.find(order);
      return [...(payment ? [payment] : []), ...refunds].every(
        ({ status }) => status === 'succeeded' || status === 'failed',
      );
    },
    { limitMs: 600_000, everyMs: 500 },
  );

/** Payments and refunds that the worker sends. */
export const PAYMENTS: readonly Story[] = [
  {
    what: 'a payment that Hyperswitch refuses',
    path: ['ledger.paymentRefused'],
    ending: 'any',
    async tell(scene) {
      const mend = lost(scene, 'connector_failed', 'payments.create');
      return { ...(await placed(scene)), mend };
    },
  },
  {
    what: 'a refund that Hyperswitch refuses',
    path: ['ledger.refundRefused'],
    sent: true,
    ending: 'any',
    async tell(scene) {
      const mend = lost(scene, 'connector_failed', 'refunds.create');
      return { ...(await refundPlaced(scene)), mend };
    },
  },
  {
    what: 'a payment that Hyperswitch refuses after an answer was lost',
    path: ['ledger.paymentAbsent'],
    ending: 'any',
    async tell(scene) {
      const told = await lostAndRefused(scene, 'payments.create', () => placed(scene));
      return { ...told, rest: looksPass(scene, told.order) };
    },
  },
  {
    what: 'a refund that Hyperswitch refuses after an answer was lost',
    path: ['ledger.refundAbsent'],
    sent: true,
    ending: 'any',
    async tell(scene) {
      const told = await lostAndRefused(scene, 'refunds.create', () => refundPlaced(scene));
      return { ...told, rest: looksPass(scene, told.order) };
    },
  },
  {
    what: 'a payment',
    path: [
      'ledger.openWebhooks',
      'ledger.claimPayment',
      'ledger.paymentLeaves',
      'hyperswitch.createPayment',
      'ledger.applyPayment',
      'ledger.findPayment',
      'ledger.describeItem',
    ],
    ending: 'paid',
    tell: placed,
  },
  {
    what: 'a payment whose answer is lost',
    path: ['ledger.paymentUnread', 'hyperswitch.readPayment'],
    ending: 'paid',
    async tell(scene) {
      const mend = lost(scene, 'reset_after_commit', 'payments.create');
      return { ...(await placed(scene)), mend };
    },
  },
  {
    what: 'a payment that never arrives',
    path: ['hyperswitch.createPayment#2'],
    ending: 'paid',
    async tell(scene) {
      const mend = lost(scene, 'reset_before_commit', 'payments.create');
      return { ...(await placed(scene)), mend };
    },
  },
  {
    what: 'a payment that nobody started',
    path: ['ledger.dueItems', 'ledger.markItemsStarted'],
    ending: 'paid',
    async tell({ world, sellers, die }) {
      await die();
      const { id: order } = await world.shop.order(sellers);
      const id = await world.shop.placePayment(order);
      await world.test.database.query('UPDATE payments SET next_check_at = clock_now() WHERE id = $1', [id]);
      return { order };
    },
  },
  {
    what: 'a refund',
    path: [
      'ledger.openWebhooks',
      'ledger.claimRefund',
      'ledger.refundLeaves',
      'hyperswitch.createRefund',
      'ledger.applyRefund',
      'ledger.findRefund',
      'ledger.describeItem',
    ],
    sent: true,
    ending: 'refunded',
    tell: refundPlaced,
  },
  {
    what: 'a refund whose answer is lost',
    path: ['ledger.refundUnread'],
    sent: true,
    ending: 'refunded',
    async tell(scene) {
      const mend = lost(scene, 'reset_after_commit', 'refunds.create');
      return { ...(await refundPlaced(scene)), mend };
    },
  },
  {
    what: 'a payment, while Hyperswitch has it and its answer is on the way',
    path: [],
    inFlight: true,
    ending: 'paid',
    async tell(scene) {
      const mend = hyperswitchIll(scene, { kinds: ['hang_after_commit'], on: ['payments.create'], times: 1 });
      const { order, id } = await placed(scene);
      const there = () =>
        scene.world.hyperswitch.ledger().payments.some(({ metadata }) => metadata?.['payment_id'] === id);
      await killedOnce(scene, there);
      return { order, mend };
    },
  },
  {
    what: 'a refund, while Hyperswitch has it and its answer is on the way',
    path: [],
    sent: true,
    inFlight: true,
    ending: 'refunded',
    async tell(scene) {
      const mend = hyperswitchIll(scene, { kinds: ['hang_after_commit'], on: ['refunds.create'], times: 1 });
      const { order, id } = await refundPlaced(scene);
      const there = () =>
        scene.world.hyperswitch.ledger().refunds.some(({ metadata }) => metadata?.['refund_id'] === id);
      await killedOnce(scene, there);
      return { order, mend };
    },
  },
];
