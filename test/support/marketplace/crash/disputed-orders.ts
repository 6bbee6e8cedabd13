import type { DisputeId, OrderId } from '../../../../src/domain/ids.js';
import { until } from '../../until.js';
import { ANSWERED, given, type Scene, type Told } from './story.js';
import type { MarketplaceCrashWorld } from './world.js';

/** What a dispute and what it is of are called at both providers. */
export interface Opened {
  readonly dispute: string;
  readonly atStripe: string;
  readonly payment: string;
  readonly intent: string;
  readonly charge: string;
}
type How = Omit<Parameters<MarketplaceCrashWorld['hyperswitch']['openDispute']>[0], 'payment_id' | 'amount'>;

/** Half of what the buyer paid of this order, an amount that shares of it are rounded of; nobody has told us yet. */
export async function opened({ world }: Scene, order: OrderId, how: How = {}): Promise<Opened> {
  const { id: payment, transactionId, chargeId, received } = paymentOf(world, order);
  const news = await world.hyperswitch.openDispute({ payment_id: payment, amount: Math.floor(received / 2), ...how });
  if ('problem' in news) throw new Error(JSON.stringify(news.problem));
  const { id: dispute, connectorDisputeId: atStripe } = news.dispute;
  return { dispute, atStripe, payment, intent: transactionId ?? '', charge: chargeId ?? '' };
}

export function paymentOf(world: MarketplaceCrashWorld, order: OrderId) {
  const payment = world.hyperswitch.ledger().payments.find(({ metadata }) => metadata?.['order_id'] === order);
  if (!payment) throw new Error(`Hyperswitch has no payment of ${order}`);
  return payment;
}

export const namesOf = (names: Opened): readonly string[] => Object.values(names);

export const hyperswitchTells = (world: MarketplaceCrashWorld, { dispute, payment }: Opened, type: string) =>
  world.tell({ provider: 'hyperswitch', type, objectId: dispute, parentId: payment }, 'server');

/** A dispute of an order whose sellers have been paid, which Hyperswitch tells of. */
export async function disputed(scene: Scene, how: How = {}): Promise<Told & { readonly names: Opened }> {
  const { id: order } = given(scene);
  const names = await opened(scene, order, how);
  await scene.die(...namesOf(names));
  await hyperswitchTells(scene.world, names, 'dispute_lost');
  return { order, names };
}

export const reached = (world: MarketplaceCrashWorld, order: OrderId, status: 'reversed' | 'waiting_balance') =>
  until(
    `both reversals are ${status}`,
    async () => {
      const { reversals } = await world.shop.find(order);
      return reversals.length === 2 && reversals.every((reversal) => reversal.status === status);
    },
    ANSWERED,
  );

/** Its dispute in the ledger, as soon as that is so. */
export const seen = (world: MarketplaceCrashWorld, order: OrderId, is: (dispute: SeenDispute) => boolean) =>
  until(
    'the dispute is followed',
    async () => {
      const [dispute] = await world.test.database.query<SeenDispute>(
        'SELECT id, named_by, funds, last_answer, read_at FROM disputes WHERE order_id = $1',
        [order],
      );
      return dispute !== undefined && is(dispute) && dispute;
    },
    ANSWERED,
  );
interface SeenDispute {
  [column: string]: unknown;
  readonly id: DisputeId;
  readonly named_by: string | null;
  readonly funds: string;
  readonly last_answer: string | null;
}
