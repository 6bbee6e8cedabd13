import type { OrderId, PaymentId, RefundId } from '../../src/domain/ids.js';
import type { Order } from '../../src/domain/marketplace.js';
import type { FaultRule as HyperswitchFault } from '../../src/sandbox/hyperswitch/faults.js';
import type { StripeFaultRule } from '../../src/sandbox/stripe/faults.js';
import type { Sellers } from './marketplace-world.js';
import type { MoneyCrashWorld } from './money-crash-world.js';
import { until } from './until.js';

/** One order with sellers of its own, and the moment from which the worker's next fitting call is its last. */
export interface Scene {
  readonly world: MoneyCrashWorld;
  readonly sellers: Sellers;
  /** Of stories that begin with an order whose sellers have been paid. */
  readonly order: Order | undefined;
  /** Does nothing where nobody is to die. */
  die(): Promise<void>;
  /** Where nobody is to die, the story goes on by itself. */
  readonly somebodyDies: boolean;
}

/** How the order ends, whoever died. */
export type Ending = 'paid' | 'refunded' | 'any';

export interface Story {
  readonly what: string;
  /** Of the worker, each before and after; `#2` is the second time. */
  readonly path: readonly string[];
  /** Begins with an order whose sellers have been paid. */
  readonly sent?: true;
  /** The death comes before anybody could order it: the process is started with it. */
  readonly atOnce?: true;
  /** The worker is killed by the story itself, while a call is on its way. */
  readonly inFlight?: true;
  readonly ending: Ending;
  /** @returns the order, and what is to be mended once the worker is back */
  tell(scene: Scene): Promise<{ readonly order: OrderId; readonly mend?: () => unknown }>;
}

const WITHIN = { limitMs: 20_000, everyMs: 20 };
const first = (sellers: Sellers): string => Object.keys(sellers)[0] ?? '';
const hyperswitchIll = ({ world }: Scene, fault: HyperswitchFault) => {
  world.hyperswitch.setFaults([fault]);
  return () => world.hyperswitch.setFaults([]);
};
const stripeIll = ({ world, sellers }: Scene, fault: Omit<StripeFaultRule, 'sellers'>) =>
  world.stripe.setFaults([{ times: 1, ...fault, sellers: Object.keys(sellers) }]);

/** A payment whose row is there and which the worker sends. */
async function placed({ world, sellers, die }: Scene): Promise<{ order: OrderId; id: PaymentId }> {
  const { id: order } = await world.shop.order(sellers);
  await die();
  const id = await world.shop.placePayment(order);
  world.wake([{ kind: 'payment', id }]);
  return { order, id };
}

/** Paid by the shop, so that its sellers' transfers are what the worker begins with. */
async function paid({ world, sellers, die }: Scene): Promise<{ order: OrderId }> {
  const { id: order } = await world.shop.order(sellers);
  await die();
  await world.shop.pay(order);
  return { order };
}

/** Half of what was paid. */
const half = ({ amount }: Order): bigint => amount / 2n;
const given = ({ order }: Scene): Order => {
  if (!order) throw new Error('this story begins with an order that was paid and sent');
  return order;
};

/** A refund whose row is there and which the worker sends. */
async function refundPlaced(scene: Scene): Promise<{ order: OrderId; id: RefundId }> {
  const order = given(scene);
  await scene.die();
  const id = await scene.world.shop.placeRefund(order.id, half(order));
  scene.world.wake([{ kind: 'refund', id }]);
  return { order: order.id, id };
}

/** Refunded by the shop, so that the reversals are what the worker begins with. */
async function refunded(scene: Scene): Promise<{ order: OrderId }> {
  const order = given(scene);
  await scene.die();
  await scene.world.shop.refund(order.id, half(order));
  return { order: order.id };
}

/** While nobody dies, the provider is well again as soon as it was ill once. */
const lost = (
  scene: Scene,
  kind: HyperswitchFault['kinds'][number],
  on: 'payments.create' | 'refunds.create' | 'refunds.read',
) => hyperswitchIll(scene, { kinds: [kind], on: [on], ...(scene.somebodyDies ? {} : { times: 1 }) });

const PAYMENTS: readonly Story[] = [
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
      hyperswitchIll(scene, { kinds: ['reset_before_commit'], times: 1 });
      return await placed(scene);
    },
  },
  {
    what: 'a payment that nobody started',
    path: ['ledger.dueItems', 'ledger.markItemsStarted'],
    ending: 'paid',
    async tell({ world, sellers, die }) {
      const { id: order } = await world.shop.order(sellers);
      await die();
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
      if (scene.somebodyDies) await killedOnce(scene, there);
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
      if (scene.somebodyDies) await killedOnce(scene, there);
      return { order, mend };
    },
  },
];

async function killedOnce({ world }: Scene, there: () => boolean): Promise<void> {
  await until('the provider is at work', there, WITHIN);
  world.worker.kill('SIGKILL');
}

const TRANSFERS: readonly Story[] = [
  {
    what: 'a transfer',
    path: [
      'ledger.takeTurn',
      'ledger.claimTransfer',
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
    path: ['ledger.recordTransfer', 'stripe.transfersOfGroup', 'ledger.recordTransfer#3'],
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
      if (scene.somebodyDies) await killedOnce(scene, there);
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
      if (scene.somebodyDies) await killedOnce(scene, () => hangs(scene));
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
async function parkedAndAskedAbout(
  scene: Scene,
  answer: 'still refused' | 'let in',
): Promise<{ order: OrderId; mend: () => unknown }> {
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
  if (answer === 'let in') await world.stripe.setAccount(seller, { access: 'granted' });
  await die();
  await hurry(world, seller);
  if (!scene.somebodyDies) await letIn();
  return { order, mend: letIn };
}

async function isParked({ test }: MoneyCrashWorld, seller: string): Promise<boolean> {
  const rows = await test.database.query(`SELECT 1 FROM provider_breakers WHERE provider = $1 AND state = 'open'`, [
    `stripe:${seller}`,
  ]);
  return rows.length === 1;
}

/** Instead of waiting until the sweep may ask about it. */
async function hurry({ test }: MoneyCrashWorld, seller: string): Promise<void> {
  await test.database.query(
    'UPDATE seller_transfers SET next_check_at = clock_now() WHERE seller_account = $1 AND next_check_at IS NOT NULL',
    [seller],
  );
  await test.database.query(`UPDATE provider_breakers SET probe_at = clock_now() WHERE provider = $1`, [
    `stripe:${seller}`,
  ]);
}

const REVERSALS: readonly Story[] = [
  {
    what: 'a reversal',
    path: [
      'ledger.takeTurn',
      'ledger.claimReversal',
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
      if (scene.somebodyDies)
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
      await until(
        'both wait for a balance',
        async () => (await world.shop.find(order.id)).reversals.every(({ status }) => status === 'waiting_balance'),
        WITHIN,
      );
      await scene.die();
      await balance(scene, 1_000_000);
      for (const seller of Object.keys(scene.sellers)) world.wake(await world.test.ledger.balanceRose(seller));
      return { order: order.id };
    },
  },
];

async function balance({ world, sellers }: Scene, available: number): Promise<void> {
  for (const account of Object.keys(sellers)) await world.stripe.setBalance({ account, currency: 'usd', available });
}

/** What the worker does of the four workflows, by the world that it is told in. */
export const WORKER_STORIES = { payments: PAYMENTS, transfers: TRANSFERS, reversals: REVERSALS } as const;
