import type { OrderId } from '../../../../src/domain/ids.js';
import { until } from '../../until.js';
import { first, killedOnce, type Scene, type Story, stripeIll, type Told, WITHIN } from './story.js';
import type { MarketplaceCrashWorld } from './world.js';

/** Paid by the shop, so that its sellers' transfers are what the worker begins with. */
async function paid({ world, sellers, die }: Scene): Promise<{ order: OrderId }> {
  await die();
  const { id: order } = await world.shop.order(sellers);
  await world.shop.pay(order);
  return { order };
}

/** Transfers of what the shop's buyers have paid. */
export const TRANSFERS: readonly Story[] = [
  {
    what: 'a transfer',
    path: [
      'ledger.takeTurn',
      'ledger.claimTransfer',
      'stripe.readLatestCharge',
      'stripe.readCharge',
      'stripe.readBalanceMovement',
      'ledger.noteCharge',
      'ledger.permitTransfer',
      'stripe.createTransfer',
      'ledger.recordTransfer',
    ],
    ending: 'paid',
    tell: paid,
  },
  {
    what: 'a transfer in a process that has just begun',
    path: ['stripe.readAccount', 'ledger.pinStripeAccount'],
    atOnce: true,
    ending: 'paid',
    tell: paid,
  },
  {
    what: 'a transfer whose answer is lost',
    path: ['ledger.recordTransfer', 'stripe.transfersTo', 'ledger.recordTransfer#3'],
    ending: 'paid',
    async tell(scene) {
      stripeIll(scene, { kinds: ['reset_after_commit'] });
      return await paid(scene);
    },
  },
  {
    what: 'a transfer that never arrives',
    path: ['ledger.noteTransferAbsent', 'ledger.permitTransfer#3', 'stripe.createTransfer#3'],
    ending: 'paid',
    async tell(scene) {
      stripeIll(scene, { kinds: ['reset_before_commit'] });
      return await paid(scene);
    },
  },
  {
    what: 'a transfer, while Stripe has it and its answer is on the way',
    path: [],
    inFlight: true,
    ending: 'paid',
    async tell(scene) {
      stripeIll(scene, { kinds: ['hang_after_commit'] });
      const told = await paid(scene);
      const { stripe } = scene.world;
      const there = () => stripe.ledger().transfers.some(({ destination }) => destination === first(scene.sellers));
      await killedOnce(scene, there);
      return told;
    },
  },
  {
    what: 'a transfer that Stripe has not begun',
    path: [],
    inFlight: true,
    ending: 'paid',
    async tell(scene) {
      stripeIll(scene, { kinds: ['hang_before_commit'] });
      const told = await paid(scene);
      await killedOnce(scene, () => hangs(scene));
      return told;
    },
  },
  {
    what: 'a transfer to a seller who is parked',
    path: ['stripe.readBalance', 'ledger.parkProvider'],
    ending: 'paid',
    tell: (scene) => parkedAndAskedAbout(scene, 'still refused'),
  },
  {
    what: 'a transfer to a seller who is let in again',
    path: ['ledger.unparkProvider', 'ledger.claimTransfer#2'],
    ending: 'paid',
    tell: (scene) => parkedAndAskedAbout(scene, 'let in'),
  },
];

const hangs = ({ world, sellers }: Scene): boolean =>
  world.stripe
    .calls()
    .calls.some(
      ({ fault, form }) => fault?.startsWith('hang') && Object.keys(sellers).some((seller) => form.includes(seller)),
    );

/** Stripe refuses one seller until a probe finds that it does not any more. */
async function parkedAndAskedAbout(scene: Scene, answer: 'still refused' | 'let in'): Promise<Told> {
  const { world, sellers, die } = scene;
  const seller = first(sellers);
  const letIn = async () => {
    await world.stripe.setAccount(seller, { access: 'granted' });
    await hurry(world, seller);
  };
  await world.stripe.setAccount(seller, { access: 'revoked' });
  const { id: order } = await world.shop.order(sellers);
  await world.shop.pay(order);
  await until('the seller is parked', () => isParked(world, seller), WITHIN);
  await die();
  if (answer === 'let in') await world.stripe.setAccount(seller, { access: 'granted' });
  await hurry(world, seller);
  if (!scene.somebodyDies) await letIn();
  return { order, mend: letIn };
}

async function isParked({ test }: MarketplaceCrashWorld, seller: string): Promise<boolean> {
  const rows = await test.database.query(`SELECT 1 FROM provider_breakers WHERE provider = $1 AND state = 'open'`, [
    `stripe:${seller}`,
  ]);
  return rows.length === 1;
}

/** Instead of waiting until the sweep may ask about it. */
async function hurry({ test }: MarketplaceCrashWorld, seller: string): Promise<void> {
  await test.database.query(
    'UPDATE seller_transfers SET next_check_at = clock_now() WHERE seller_account = $1 AND next_check_at IS NOT NULL',
    [seller],
  );
  await test.database.query(
    `UPDATE provider_breakers SET probe_at = clock_now() WHERE provider = $1 AND state <> 'closed'`,
    [`stripe:${seller}`],
  );
}
