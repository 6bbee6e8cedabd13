import { WorkflowNotFoundError } from '@temporalio/client';
import type { MarketplaceKind, Order } from '../../../src/domain/marketplace/marketplace.js';
import { marketplaceWorkflowId } from '../../../src/domain/workflow-ids.js';
import type { ConnectedTemporal } from '../connected-temporal.js';
import { openTestLedger, type TestLedger } from '../ledger-fixtures.js';
import { startStandIns } from '../stand-ins.js';
import { until } from '../until.js';
import { type MarketplaceWorld, startMarketplace } from './world.js';

export const SOON = { limitMs: 20_000 };
export const NO_REVERSALS = { REVERSAL_WORKER_ENABLED: 'false' };
export const NO_TRANSFERS = { TRANSFER_RETRY_ENABLED: 'false' };

export const paidOut = ({ transfers }: Order) => transfers.every(({ status }) => status === 'completed');
export const takenBack = ({ reversals }: Order) => reversals.every(({ status }) => status === 'reversed');

export type MarketplaceSettingsTest = Awaited<ReturnType<typeof openMarketplaceSettings>>;

/** One ledger and its two providers for a test, on which the marketplace runs with one group of settings after the other. */
export async function openMarketplaceSettings({ client, native }: ConnectedTemporal) {
  const taskQueue = `q-${crypto.randomUUID()}`;
  const test = await openTestLedger();
  const standIns = await startStandIns(test.clock);
  const { stripe, hyperswitch } = standIns;
  let world: MarketplaceWorld | undefined;

  async function stop(): Promise<void> {
    await world?.stop();
    world = undefined;
  }
  async function find(id: Order['id']): Promise<Order> {
    const order = await test.ledger.findOrder(id);
    if (!order) throw new Error(`there is no order ${id}`);
    return order;
  }
  return {
    test,
    stripe,
    hyperswitch,
    stop,
    find,
    /** The marketplace with these settings; it takes the place of the one that ran before, on the same task queues. */
    async with(settings: Readonly<Record<string, string>>): Promise<MarketplaceWorld> {
      await stop();
      world = await startMarketplace({ connection: native, client, test, stripe, hyperswitch, taskQueue, settings });
      return world;
    },
    untilOrder: (what: string, { id }: Pick<Order, 'id'>, holds: (order: Order) => boolean): Promise<Order> =>
      until(
        what,
        async () => {
          const order = await find(id);
          return holds(order) && order;
        },
        SOON,
      ),
    postsTo: (endpoint: string) => stripe.calls().calls.filter((call) => call.endpoint === endpoint),
    async wasStarted(kind: MarketplaceKind, id: string): Promise<boolean> {
      try {
        await client.workflow.getHandle(marketplaceWorkflowId(kind, id)).describe();
        return true;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },
    ...waitingIn(test),
    async dispose() {
      await stop();
      await standIns.close();
      await test.dispose();
    },
  };
}

const waitingIn = ({ database }: TestLedger) => ({
  /** Rows as the sweep finds them: due, never sent, nobody asked. */
  waitingRows: (table: 'seller_transfers' | 'reversals') =>
    database.query(
      `SELECT id FROM ${table} WHERE certainty = 'not_sent' AND attempts = 0 AND attention_reason IS NULL
         AND status = 'pending' AND next_check_at <= clock_now() + interval '1 minute'`,
    ),
  async makeAllDue(): Promise<void> {
    for (const table of ['seller_transfers', 'reversals'])
      await database.query(`UPDATE ${table} SET next_check_at = clock_now() WHERE next_check_at IS NOT NULL`);
  },
});
