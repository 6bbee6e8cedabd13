import { newOrderId, type OrderId } from '../../../../src/domain/ids.js';
import { until } from '../../until.js';
import { balance, bothWait } from './reversals.js';
import { ANSWERED, first, given, half, type Scene, type Story, type Told } from './story.js';
import type { MarketplaceCrashWorld } from './world.js';

const TOKEN = 'shop-token-0123456789';

/** As a client of ours does: the same request under the same key until it has its answer. */
function post(
  { server }: { readonly server: () => string },
  path: string,
  body: object,
): Promise<Record<string, unknown>> {
  // A UUIDv7 tells the crash switch that this request is a new one.
  const key = newOrderId(Date.now());
  return until(
    `POST ${path} is answered`,
    async () => {
      const response = await fetch(`${server()}/api/v1/${path}`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json', 'Idempotency-Key': key },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      if (response.status !== 409 && response.status < 500 && !response.ok)
        throw new TypeError(`${response.status}: ${text}`);
      return response.ok && (JSON.parse(text) as Record<string, unknown>);
    },
    ANSWERED,
  );
}

const serverOf = (world: MarketplaceCrashWorld) => ({ server: () => world.server?.url ?? '' });

/** Minutes in all: a server that dies again and again is never gone for so long. */
const RETRIES_MS = [1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 5, 5, 5, 10, 10, 10, 20, 20, 30, 30].map(
  (seconds) => seconds * 1_000,
);

/** What Hyperswitch and Stripe tell, they tell the server until it takes it. */
export function listenTo(world: MarketplaceCrashWorld): void {
  const at = serverOf(world).server();
  world.hyperswitch.setWebhooks({
    url: `${at}/webhooks/hyperswitch`,
    retryMs: RETRIES_MS,
  });
  world.stripe.setWebhookTarget({ url: `${at}/webhooks/stripe`, secrets: ['whsec_sandbox'] });
}

/** Told again as Stripe would, until the server has it in its inbox. */
const retold = (world: MarketplaceCrashWorld, type: string) =>
  until(
    `the server has heard ${type}`,
    async () => {
      world.stripe.redeliver({ types: [type], states: ['failed'] });
      await world.stripe.webhooksIdle();
      return world.stripe.events().every(({ event, state }) => event.type !== type || state === 'delivered');
    },
    { limitMs: 60_000, everyMs: 500 },
  );

async function refundInDashboard(scene: Scene): Promise<Told> {
  const { world } = scene;
  const order = given(scene);
  const payment = world.hyperswitch.ledger().payments.find(({ metadata }) => metadata?.['order_id'] === order.id);
  await scene.die();
  await world.hyperswitch.refundInDashboard({ payment_id: payment?.id ?? '', amount: Number(half(order)) });
  const heard = until(
    'the dashboard refund is known',
    async () => (await world.shop.find(order.id)).refunds.length === 1,
    ANSWERED,
  );
  return { order: order.id, rest: heard };
}

/** What server and worker do between our own clients, webhooks and the four workflows. */
export const HTTP: readonly Story[] = [
  {
    what: 'an order that is made',
    who: 'server',
    path: ['ledger.beginRequest', 'ledger.createOrder', 'ledger.finishRequest'],
    ending: 'unpaid',
    async tell({ world, sellers, die }) {
      await die();
      const items = Object.entries(sellers).map(([seller_account, amount]) => ({
        seller_account,
        amount: Number(amount),
        description: 'goods',
      }));
      const made = post(serverOf(world), 'orders', { currency: 'USD', items });
      const order = made.then(async ({ id }) => {
        const orders = await world.test.database.query<{ order_id: string }>(
          'SELECT DISTINCT order_id FROM order_items WHERE seller_account = $1',
          [first(sellers)],
        );
        if (orders.length !== 1 || orders[0]?.order_id !== id)
          throw new Error(`one request made ${JSON.stringify(orders)}`);
        return id as OrderId;
      });
      return { order };
    },
  },
  {
    what: 'a payment that is asked for',
    who: 'server',
    path: [
      'ledger.beginRequest',
      'ledger.createPayment',
      'ledger.claimPayment',
      'ledger.paymentLeaves',
      'hyperswitch.createPayment',
      'ledger.applyPayment',
      'ledger.describeItem',
      'ledger.findPayment',
      'ledger.finishRequest',
      'ledger.clientSecret',
    ],
    ending: 'paid',
    async tell({ world, sellers, die }) {
      const { id: order } = await world.shop.order(sellers);
      await die();
      return { order, rest: post(serverOf(world), 'payments', { order_id: order }) };
    },
  },
  {
    what: 'a refund that is asked for',
    who: 'server',
    path: [
      'ledger.createRefund',
      'ledger.claimRefund',
      'ledger.refundLeaves',
      'hyperswitch.createRefund',
      'ledger.applyRefund',
      'ledger.describeItem',
      'ledger.findRefund',
      'ledger.finishRequest',
    ],
    sent: true,
    ending: 'refunded',
    async tell(scene) {
      const order = given(scene);
      await scene.die();
      const body = { order_id: order.id, amount: Number(half(order)), reason: 'requested_by_customer' };
      return { order: order.id, rest: post(serverOf(scene.world), 'refunds', body) };
    },
  },
  {
    what: 'a share that a client releases',
    who: 'server',
    path: ['ledger.releaseHeld', 'ledger.describeItem'],
    ending: 'paid',
    async tell({ world, sellers, die }) {
      const items = Object.entries(sellers).map(([seller_account, amount]) => ({
        seller_account,
        amount: Number(amount),
        description: 'goods',
      }));
      const made = await post(serverOf(world), 'orders', { currency: 'USD', items, release: 'on_request' });
      const order = made['id'] as OrderId;
      await world.shop.pay(order);
      const transfers = await until(
        'every share is held',
        async () => {
          const found = (await world.shop.find(order)).transfers;
          return found.length > 0 && found.every(({ status }) => status === 'held') && found;
        },
        ANSWERED,
      );
      await die(...transfers.map(({ id }) => id));
      const released = transfers.map(({ id }) => post(serverOf(world), `transfers/${id}/release`, {}));
      return { order, rest: Promise.all(released) };
    },
  },
  {
    what: 'a refund from the dashboard that the server hears of',
    who: 'server',
    path: ['ledger.storeWebhook', 'ledger.itemOfWebhook', 'ledger.describeItem'],
    sent: true,
    ending: 'refunded',
    tell: refundInDashboard,
  },
  {
    what: 'a refund from the dashboard that the worker looks up',
    path: [
      'ledger.openWebhooks',
      'hyperswitch.readPayment',
      'hyperswitch.refundsOf',
      'ledger.adoptRefund',
      'ledger.finishWebhook',
    ],
    sent: true,
    ending: 'refunded',
    tell: refundInDashboard,
  },
  {
    what: 'a refund from the dashboard that only the inbox knows',
    path: ['ledger.dueWebhooks', 'ledger.itemOfWebhook'],
    sent: true,
    ending: 'refunded',
    async tell(scene) {
      const { world } = scene;
      const order = given(scene);
      const payment = world.hyperswitch.ledger().payments.find(({ metadata }) => metadata?.['order_id'] === order.id);
      // Hyperswitch tells nobody: the server would have the payment looked up, and with it every event about it.
      world.hyperswitch.setWebhooks({ rules: [{ what: 'lost' }] });
      const made = await world.hyperswitch.refundInDashboard({
        payment_id: payment?.id ?? '',
        amount: Number(half(order)),
      });
      world.hyperswitch.setWebhooks({ rules: [] });
      const refund = 'refund' in made ? made.refund.id : '';
      await scene.die();
      const event = { type: 'refund_succeeded', objectId: refund, parentId: payment?.id ?? null } as const;
      await world.tell({ provider: 'hyperswitch', ...event }, 'sweep');
      return { order: order.id };
    },
  },
  {
    what: 'a balance that rises',
    who: 'server',
    path: ['ledger.storeWebhook', 'ledger.balanceRose', 'ledger.finishWebhook', 'ledger.describeItem'],
    sent: true,
    ending: 'refunded',
    async tell(scene) {
      const { world } = scene;
      const order = given(scene);
      await balance(scene, 0);
      await world.shop.refund(order.id, half(order));
      await bothWait(scene);
      await scene.die();
      await balance(scene, 1_000_000);
      const mend = () => retold(world, 'balance.available');
      return { order: order.id, ...(scene.somebodyDies ? { mend } : { rest: mend() }) };
    },
  },
  {
    what: 'a payout that is told of',
    who: 'server',
    path: ['stripe.readPayout', 'ledger.savePayout', 'ledger.finishWebhook'],
    sent: true,
    ending: 'paid',
    async tell(scene) {
      const { world, sellers } = scene;
      await scene.die();
      const { id } = await world.stripe.createPayout({
        account: first(sellers),
        currency: 'usd',
        amount: 100,
        status: 'paid',
      });
      const saved = until(
        'the payout is in the ledger',
        async () =>
          (await world.test.database.query('SELECT 1 FROM payouts WHERE external_payout_id = $1', [id])).length === 1,
        ANSWERED,
      );
      return { order: given(scene).id, rest: saved };
    },
  },
];
