import type { OrderId } from '../../../../src/domain/ids.js';
import { until } from '../../until.js';
import { ANSWERED, first, type Scene, type Story, type Told, WITHIN } from './story.js';

/** Of two decimals each, so that stories which follow each other have balances of their own. */
const CURRENCIES = (
  'AUD BRL CAD CHF CNY COP CZK DKK DOP EGP GEL GTQ HKD IDR ILS INR KES MAD ' +
  'MXN MYR NGN NOK NZD PEN PHP PLN RON SAR SEK SGD THB TRY UYU ZAR'
).split(' ');

const currencyOf = ({ nth }: Scene): string => CURRENCIES[nth % CURRENCIES.length] ?? 'AUD';
const balance = (scene: Scene, available: number): Promise<void> => {
  const { stripe } = scene.world;
  return stripe.setBalance({ account: stripe.platformAccount, currency: currencyOf(scene).toLowerCase(), available });
};
const balanceAvailable = ({ world }: Scene) =>
  world.tell({ provider: 'stripe', type: 'balance.available', objectId: null, parentId: null }, 'sweep');

/** Paid in the story's own currency. */
async function paid(scene: Scene, sellers: Scene['sellers'] = scene.sellers): Promise<OrderId> {
  const { id } = await scene.world.shop.order(sellers, currencyOf(scene));
  await scene.world.shop.pay(id);
  return id;
}

const waits = ({ world }: Scene, order: OrderId, status: 'waiting_platform_balance' | 'waiting_seller') =>
  until(
    `all are ${status}`,
    async () => {
      const { transfers } = await world.shop.find(order);
      return transfers.length > 0 && transfers.every((transfer) => transfer.status === status);
    },
    ANSWERED,
  );

/** Whoever read it for all may have died with what he read. */
const lookedAtUntilSent = ({ world }: Scene, order: OrderId) =>
  until(
    'all are sent',
    async () => {
      const { transfers } = await world.shop.find(order);
      if (transfers.every(({ status }) => status === 'completed')) return true;
      await world.passWaits();
      return false;
    },
    { limitMs: 600_000, everyMs: 1_000 },
  );

/** Both sellers wait for the platform's balance, and there is money now. */
async function moneyCame(scene: Scene): Promise<OrderId> {
  await balance(scene, 0);
  const order = await paid(scene);
  await waits(scene, order, 'waiting_platform_balance');
  await scene.die();
  await balance(scene, 1_000_000);
  return order;
}

const able = async ({ world, sellers }: Scene, transfers: 'active' | 'inactive'): Promise<void> => {
  for (const seller of Object.keys(sellers)) await world.stripe.setAccount(seller, { transfers });
};

async function sentOnceThereIs(scene: Scene, order: OrderId, what: 'money' | 'a seller'): Promise<void> {
  await waits(scene, order, what === 'money' ? 'waiting_platform_balance' : 'waiting_seller');
  if (what === 'money') await balance(scene, 1_000_000);
  else await able(scene, 'active');
  await lookedAtUntilSent(scene, order);
}

/** Both sellers wait until they can receive, and can. */
async function sellersCan(scene: Scene): Promise<OrderId> {
  await able(scene, 'inactive');
  const order = await scene.world.shop.order(scene.sellers);
  await scene.world.shop.pay(order.id);
  await waits(scene, order.id, 'waiting_seller');
  await scene.die();
  await able(scene, 'active');
  return order.id;
}

async function lookedAt(scene: Scene, order: OrderId): Promise<Told> {
  await scene.world.passWaits();
  return { order, rest: lookedAtUntilSent(scene, order) };
}

/** Whether that is over cannot be read; while nobody dies, it can as soon as that is noted. */
async function unread(scene: Scene, order: OrderId, what: 'balance' | 'account'): Promise<Told> {
  const { world, sellers, somebodyDies } = scene;
  const whose = what === 'account' ? { sellers: Object.keys(sellers) } : {};
  world.stripe.setFaults([{ kinds: ['unavailable'], on: [what], ...whose }]);
  const mend = () => world.stripe.setFaults([]);
  await world.passWaits();
  const sent = () => lookedAtUntilSent(scene, order);
  const noted = () => until('it is asked again in a minute', () => isAskedAgain(scene, what), WITHIN).then(mend);
  return { order, mend, rest: somebodyDies ? sent() : noted().then(sent) };
}

async function isAskedAgain(scene: Scene, what: 'balance' | 'account'): Promise<boolean> {
  const soon = `read_next_at BETWEEN clock_now() + interval '10 seconds' AND clock_now() + interval '1 minute'`;
  const rows = await scene.world.test.database.query(
    what === 'balance'
      ? `SELECT 1 FROM platform_gates WHERE currency = $1 AND ${soon}`
      : `SELECT 1 FROM sellers WHERE account = $1 AND ${soon}`,
    [what === 'balance' ? currencyOf(scene) : first(scene.sellers)],
  );
  return rows.length === 1;
}

/** Transfers whose money is not there yet, or that nobody can receive yet. */
export const WAITS: readonly Story[] = [
  {
    what: 'transfers while the platform has no money',
    path: ['stripe.createTransfer', 'ledger.recordTransfer'],
    ending: 'paid',
    async tell(scene) {
      await balance(scene, 0);
      await scene.die();
      const order = await paid(scene);
      return { order, rest: sentOnceThereIs(scene, order, 'money') };
    },
  },
  {
    what: 'transfers while others wait for the same money',
    path: ['ledger.admitTransfer'],
    ending: 'paid',
    async tell(scene) {
      await balance(scene, 0);
      const other = await paid(scene, { [`${first(scene.sellers)}other`]: 5_000n });
      await waits(scene, other, 'waiting_platform_balance');
      await scene.die();
      const order = await paid(scene);
      return { order, rest: sentOnceThereIs(scene, order, 'money') };
    },
  },
  {
    what: 'transfers when the balance is looked at',
    path: ['stripe.readPlatformBalance', 'ledger.balanceShows', 'stripe.createTransfer', 'ledger.recordTransfer'],
    ending: 'paid',
    tell: async (scene) => await lookedAt(scene, await moneyCame(scene)),
  },
  {
    what: 'transfers when Stripe tells of money',
    path: ['ledger.waitsForBalance', 'stripe.readPlatformBalance', 'ledger.balanceShows', 'ledger.finishWebhook'],
    inSweep: true,
    ending: 'paid',
    async tell(scene) {
      const order = await moneyCame(scene);
      await balanceAvailable(scene);
      return { order, mend: () => scene.world.passRounds(order) };
    },
  },
  {
    what: 'transfers while the balance cannot be read',
    path: ['ledger.balanceUnread'],
    ending: 'paid',
    tell: async (scene) => await unread(scene, await moneyCame(scene), 'balance'),
  },
  {
    what: 'transfers to sellers who cannot receive',
    path: ['stripe.readSeller', 'ledger.sellerShows', 'ledger.recordTransfer'],
    ending: 'paid',
    async tell(scene) {
      const { world, sellers } = scene;
      await able(scene, 'inactive');
      await scene.die();
      const { id: order } = await world.shop.order(sellers);
      await world.shop.pay(order);
      return { order, rest: sentOnceThereIs(scene, order, 'a seller') };
    },
  },
  {
    what: 'transfers when the sellers are looked at',
    path: ['stripe.readSeller', 'ledger.sellerShows', 'stripe.createTransfer'],
    ending: 'paid',
    tell: async (scene) => await lookedAt(scene, await sellersCan(scene)),
  },
  {
    what: 'transfers when Stripe tells of the sellers',
    path: ['ledger.sellerMatters', 'ledger.sellerShows', 'ledger.finishWebhook'],
    inSweep: true,
    ending: 'paid',
    async tell(scene) {
      const { world, sellers } = scene;
      const order = await sellersCan(scene);
      for (const seller of Object.keys(sellers))
        await world.tell({ provider: 'stripe', type: 'account.updated', objectId: seller, parentId: null }, 'sweep');
      return { order, mend: () => world.passRounds(order) };
    },
  },
  {
    what: 'transfers while the sellers cannot be read',
    path: ['ledger.sellerUnread'],
    ending: 'paid',
    tell: async (scene) => await unread(scene, await sellersCan(scene), 'account'),
  },
];
