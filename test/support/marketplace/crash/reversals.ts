import type { OrderId } from '../../../../src/domain/ids.js';
import { until } from '../../until.js';
import { given, half, killedOnce, lost, type Scene, type Story, stripeIll, WITHIN } from './story.js';

/** Refunded by the shop, so that the reversals are what the worker begins with. */
async function refunded(scene: Scene): Promise<{ order: OrderId }> {
  const order = given(scene);
  await scene.die();
  await scene.world.shop.refund(order.id, half(order));
  return { order: order.id };
}

/** Reversals of what the shop has refunded. */
export const REVERSALS: readonly Story[] = [
  {
    what: 'a reversal',
    path: [
      'ledger.takeTurn',
      'ledger.claimReversal',
      'stripe.readTransfer',
      'hyperswitch.readRefund',
      'ledger.applyRefund',
      'ledger.permitReversal',
      'stripe.reverseTransfer',
      'ledger.recordReversal',
    ],
    sent: true,
    ending: 'refunded',
    tell: refunded,
  },
  {
    what: 'a reversal whose answer is lost',
    path: ['stripe.readTransfer', 'ledger.recordReversal#3'],
    sent: true,
    ending: 'refunded',
    async tell(scene) {
      stripeIll(scene, { kinds: ['reset_after_commit'] });
      return await refunded(scene);
    },
  },
  {
    what: 'a reversal that never arrives',
    path: ['ledger.noteReversalAbsent', 'ledger.permitReversal#3', 'stripe.reverseTransfer#3'],
    sent: true,
    ending: 'refunded',
    async tell(scene) {
      stripeIll(scene, { kinds: ['reset_before_commit'] });
      return await refunded(scene);
    },
  },
  {
    what: 'a reversal, while Stripe has it and its answer is on the way',
    path: [],
    sent: true,
    inFlight: true,
    ending: 'refunded',
    async tell(scene) {
      stripeIll(scene, { kinds: ['hang_after_commit'] });
      const told = await refunded(scene);
      const { stripe } = scene.world;
      const transfers = given(scene).transfers.map(({ stripeTransferId }) => stripeTransferId);
      await killedOnce(scene, () => stripe.ledger().reversals.some(({ transfer }) => transfers.includes(transfer)));
      return told;
    },
  },
  {
    what: 'a reversal whose refund cannot be read',
    path: ['ledger.releaseReversal'],
    sent: true,
    ending: 'refunded',
    async tell(scene) {
      const mend = lost(scene, 'http_503', 'refunds.read');
      return { ...(await refunded(scene)), mend };
    },
  },
  {
    what: 'a reversal whose seller has nothing',
    path: ['ledger.noteReversalAbsent', 'ledger.recordReversal'],
    sent: true,
    ending: 'refunded',
    async tell(scene) {
      await balance(scene, 0);
      const told = await refunded(scene);
      const mend = () => balance(scene, 1_000_000);
      if (!scene.somebodyDies) await mend();
      return { ...told, mend };
    },
  },
  {
    what: 'a reversal whose seller has money again',
    path: [
      'ledger.claimReversal',
      'stripe.readTransfer',
      'ledger.permitReversal',
      'stripe.reverseTransfer',
      'ledger.recordReversal',
    ],
    sent: true,
    ending: 'refunded',
    async tell(scene) {
      const { world } = scene;
      await balance(scene, 0);
      const order = given(scene);
      await world.shop.refund(order.id, half(order));
      await bothWait(scene);
      await scene.die();
      await balance(scene, 1_000_000);
      for (const seller of Object.keys(scene.sellers)) world.wake(await world.test.ledger.balanceRose(seller));
      return { order: order.id };
    },
  },
];

export const bothWait = (scene: Scene) =>
  until(
    'both wait for a balance',
    async () =>
      (await scene.world.shop.find(given(scene).id)).reversals.every(({ status }) => status === 'waiting_balance'),
    WITHIN,
  );

export async function balance({ world, sellers }: Scene, available: number): Promise<void> {
  for (const account of Object.keys(sellers)) await world.stripe.setBalance({ account, currency: 'usd', available });
}
