import type { OrderId } from '../../../../src/domain/ids.js';
import { until } from '../../until.js';
import { disputed, hyperswitchTells, namesOf, type Opened, opened, reached, seen } from './disputed-orders.js';
import { given, killedOnce, type Scene, type Story, stripeIll, WITHIN } from './story.js';

/** A dispute that has taken from both sellers what it takes. */
async function taken(scene: Scene): Promise<Opened> {
  const { names } = await disputed({ ...scene, die: () => Promise.resolve() });
  await reached(scene.world, given(scene).id, 'reversed');
  return names;
}

/** It ends at Stripe, and Hyperswitch tells of that. */
async function ends(scene: Scene, names: Opened, move: 'win' | 'lose'): Promise<{ order: OrderId }> {
  const { world } = scene;
  await world.hyperswitch.changeDispute(names.dispute, { move });
  await scene.die(...namesOf(names));
  await hyperswitchTells(world, names, move === 'win' ? 'dispute_won' : 'dispute_cancelled');
  return { order: given(scene).id };
}

/** A seller who cannot receive yet, so that nothing is sent to anybody of this order. */
async function unsentOrder({ world, sellers }: Scene): Promise<OrderId> {
  for (const seller of Object.keys(sellers)) await world.stripe.setAccount(seller, { transfers: 'inactive' });
  const { id } = await world.shop.order(sellers);
  await world.shop.pay(id);
  await until(
    'both wait',
    async () => (await world.shop.find(id)).transfers.every(({ status }) => status === 'waiting_seller'),
    WITHIN,
  );
  return id;
}

async function letReceive({ world, sellers }: Scene): Promise<void> {
  for (const seller of Object.keys(sellers)) await world.stripe.setAccount(seller, { transfers: 'active' });
  await world.passWaits();
}

/** Buyers dispute what they have paid at the Stripe account that pays the sellers. */
export const DISPUTES: readonly Story[] = [
  {
    what: 'a dispute that Hyperswitch tells of',
    path: [
      'ledger.noteUnnamedRefunds',
      'hyperswitch.disputesOf',
      'ledger.noteDispute',
      'ledger.finishWebhook',
      'stripe.readDispute',
      'ledger.applyDispute',
      'ledger.claimReversal',
      'stripe.readDispute#2',
      'stripe.reverseTransfer',
      'ledger.recordReversal',
    ],
    sent: true,
    ending: 'disputed',
    tell: disputed,
  },
  {
    what: 'a dispute that is won',
    path: [
      'ledger.applyDispute',
      'ledger.finishWebhook',
      'ledger.claimTransfer',
      'stripe.createTransfer',
      'ledger.recordTransfer',
    ],
    sent: true,
    ending: 'restored',
    tell: async (scene) => await ends(scene, await taken(scene), 'win'),
  },
  {
    what: 'a dispute that is lost',
    path: ['ledger.applyDispute'],
    sent: true,
    ending: 'lost',
    tell: async (scene) => await ends(scene, await taken(scene), 'lose'),
  },
  {
    what: 'a dispute that is won while nothing can be taken',
    path: ['ledger.applyDispute'],
    sent: true,
    ending: 'spared',
    async tell(scene) {
      const { world, sellers } = scene;
      for (const account of Object.keys(sellers))
        await world.stripe.setBalance({ account, currency: 'usd', available: 0 });
      const { names, order } = await disputed({ ...scene, die: () => Promise.resolve() });
      await reached(world, await order, 'waiting_balance');
      return await ends(scene, names, 'win');
    },
  },
  {
    what: 'a dispute of what is not sent yet',
    path: ['ledger.noteDispute', 'ledger.applyDispute', 'stripe.createTransfer', 'ledger.recordTransfer'],
    ending: 'withheld',
    async tell(scene) {
      const order = await unsentOrder(scene);
      const names = await opened(scene, order);
      await scene.die(...namesOf(names));
      await hyperswitchTells(scene.world, names, 'dispute_lost');
      const rest = seen(scene.world, order, ({ funds }) => funds === 'out').then(() => letReceive(scene));
      return { order, rest };
    },
  },
  {
    what: 'a dispute while Stripe has a transfer and its answer is on the way',
    path: [],
    inFlight: true,
    ending: 'disputed',
    async tell(scene) {
      const { world, sellers } = scene;
      stripeIll(scene, { kinds: ['hang_after_commit'], times: 2 });
      const { id: order } = await world.shop.order(sellers);
      await world.shop.pay(order);
      const there = () =>
        world.stripe.ledger().transfers.filter(({ destination }) => Object.hasOwn(sellers, destination)).length === 2;
      await until('Stripe has both', there, WITHIN);
      await hyperswitchTells(world, await opened(scene, order), 'dispute_lost');
      await seen(world, order, ({ funds }) => funds === 'out');
      await killedOnce(scene, there);
      return { order };
    },
  },
];
