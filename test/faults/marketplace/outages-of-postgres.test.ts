import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../../../src/domain/marketplace/marketplace.js';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.js';
import { expectMovedOnce, sendsOf, sentOrder } from '../../support/marketplace/crash/under-way.js';
import { type MarketplaceCrashWorld, startMarketplaceCrashWorld } from '../../support/marketplace/crash/world.js';
import { marketplaceRows } from '../../support/marketplace/ledger-comparison.js';
import { STOPPED } from '../../support/processes/crash-switch.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { until } from '../../support/until.js';
import { sampleOf } from '../../support/whole-or-sample.js';

/** Postgres goes away at a named moment of a worker's step, and everything ends by itself once it is back. */

let temporal: DevServer;
let toPostgres: FaultProxy;
let world: MarketplaceCrashWorld;

beforeAll(async () => {
  temporal = await startDevServer();
  world = await startMarketplaceCrashWorld({
    temporalAddress: temporal.address,
    namespace: 'outages-of-postgres',
    databaseUrl: async (url) => {
      toPostgres = await startFaultProxy(url);
      const proxied = new URL(url);
      proxied.hostname = '127.0.0.1';
      proxied.port = String(toPostgres.port);
      return proxied.href;
    },
  });
}, 120_000);
afterAll(async () => {
  await world.stop();
  await toPostgres.close();
  await temporal.dispose();
});
afterEach(async () => {
  toPostgres.heal();
  await world.finished(60_000);
  await expectMovedOnce(world);
}, 90_000);

let names = 0;
const sellersOf = ({ transfers }: Order) => transfers.map(({ sellerAccount }) => sellerAccount);

/** What the worker is to do, up to what wakes it. */
const STEPS: Readonly<
  Record<string, () => Promise<{ readonly sellers: readonly string[]; begin: () => Promise<unknown> }>>
> = {
  payment: async () => {
    const seller = `acct_1Gone${(names += 1)}`;
    return {
      sellers: [seller],
      begin: async () => {
        const { id } = await world.shop.order({ [seller]: 1_000n });
        world.wake([{ kind: 'payment', id: await world.shop.placePayment(id) }]);
      },
    };
  },
  refund: async () => {
    const order = await sentOrder(world);
    return {
      sellers: sellersOf(order),
      begin: async () => world.wake([{ kind: 'refund', id: await world.shop.placeRefund(order.id) }]),
    };
  },
  transfer: async () => {
    const seller = `acct_1Gone${(names += 1)}`;
    return { sellers: [seller], begin: () => world.shop.paidOrder({ [seller]: 1_000n }) };
  },
  reversal: async () => {
    const order = await sentOrder(world);
    return { sellers: sellersOf(order), begin: () => world.shop.refund(order.id) };
  },
};

/** Resolves when the worker stands still at this moment of the step. */
async function standingAt(kind: string, moment: 'before' | 'after', call: string): Promise<void> {
  const { sellers, begin } = await STEPS[kind]!();
  await world.arm('worker', { call, moment, signal: 'SIGSTOP' }, sellers);
  await begin();
  const stands = () => world.worker.lines.includes(`${STOPPED} ${moment} ${call}`);
  await until(`the worker stands ${moment} ${call}`, stands, { limitMs: 20_000, everyMs: 10 });
}

/** Postgres goes, and the worker goes on until it has asked for it in vain. */
async function withoutPostgres(): Promise<void> {
  toPostgres.refuse();
  const before = toPostgres.refused();
  await world.worker.goOn();
  await until('the worker has asked for Postgres', () => toPostgres.refused() >= before + 3, { limitMs: 20_000 });
}

describe('Postgres gone before a call leaves', () => {
  const LEAVING = sampleOf(
    'calls that leave while Postgres goes',
    [
      ['payment', 'ledger.paymentLeaves', 'payments.create'],
      ['refund', 'ledger.refundLeaves', 'refunds.create'],
      ['transfer', 'ledger.permitTransfer', 'transfers.create'],
      ['reversal', 'ledger.permitReversal', 'reversals.create'],
    ] as const,
    { nameOf: ([kind]) => kind, oneIn: 2 },
  );
  it.each(LEAVING)(
    'a %s is not sent while it is away, and once when it is back',
    async (kind, call, endpoint) => {
      await standingAt(kind, 'before', call);
      const sent = sendsOf(world, endpoint);
      await withoutPostgres();
      expect(sendsOf(world, endpoint)).toBe(sent);
    },
    120_000,
  );
});

describe('Postgres gone while a call is under way', () => {
  const UNDER_WAY = sampleOf(
    'calls under way while Postgres goes',
    [
      ['payment', 'hyperswitch.createPayment'],
      ['refund', 'hyperswitch.createRefund'],
      ['transfer', 'stripe.createTransfer'],
      ['reversal', 'stripe.reverseTransfer'],
    ] as const,
    { nameOf: ([, call]) => call, oneIn: 2 },
  );
  it.each(UNDER_WAY)(
    'what a %s came to is found when it is back, and nothing moves a second time',
    async (kind, call) => {
      await standingAt(kind, 'after', call);
      await withoutPostgres();
      const rows = await marketplaceRows(world.test.url);
      expect(rows.some(({ kind: which, certainty }) => which === kind && certainty === 'in_flight')).toBe(true);
    },
    120_000,
  );
});
