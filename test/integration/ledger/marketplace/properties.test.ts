import fc from 'fast-check';
import { it } from 'vitest';
import type { OrderId } from '../../../../src/domain/ids.js';
import { type CaseCounts, createCaseCounts } from '../../../support/case-counts.js';
import { openTestLedger } from '../../../support/ledger-fixtures.js';
import { OF_THE_DASHBOARD } from '../../../support/marketplace/model-hyperswitch.js';
import { comeToRest, holds, inMinorUnits, isRight } from '../../../support/marketplace/model-promises.js';
import { type MarketplaceModelWorld, marketplaceModelWorld } from '../../../support/marketplace/model-world.js';
import { currency, ORDERS, offsetLimit, perform, scenario } from '../../../support/marketplace/random-scenarios.js';
import { isWhole, SEED, sizeOf } from '../../../support/whole-or-sample.js';

/**
 * About two seconds each by itself, and seven where three other files share two processors. A limit of time instead would have a
 * busy machine try less, and nobody would notice.
 */
const STORIES = Number(process.env.MAKEGOOD_STORIES ?? sizeOf({ whole: 30, sample: 12 }));

/** A third of what thirty stories meet on an average. */
const MET = {
  'refunds asked of us': 40,
  'refunds of the dashboard': 5,
  'refunds that failed': 5,
  transfers: 60,
  reversals: 50,
  'shares sent after their release': 20,
  deaths: 12,
  'decisions on the way': 3,
};
/** Of twelve stories, what is rare may be missing by chance. */
const MET_BY_FEW = {
  'refunds asked of us': 12,
  transfers: 20,
  reversals: 15,
  'shares sent after their release': 6,
  deaths: 4,
};

/** What a story came to: one in which every step is refused keeps every promise. */
async function countWhatHappened(world: MarketplaceModelWorld, tally: CaseCounts): Promise<void> {
  const { hyperswitch, stripe } = world;
  const refunds = hyperswitch.refunds();
  const inDashboard = refunds.filter(({ hyperswitchRefundId: id }) => id.startsWith(OF_THE_DASHBOARD));
  tally.count('stories');
  tally.count('refunds asked of us', refunds.length - inDashboard.length);
  tally.count('refunds of the dashboard', inDashboard.length);
  tally.count('refunds that failed', refunds.filter(({ status }) => status === 'failed').length);
  tally.count('transfers', stripe.transfers().length);
  tally.count('reversals', stripe.reversals().length);
  tally.count('deaths', world.killed.length);
  const [released] = await world.database.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM seller_transfers WHERE released_at IS NOT NULL AND completed_at IS NOT NULL',
  );
  tally.count('shares sent after their release', released?.count ?? 0);
}

const decisionsOf = async ({ database }: MarketplaceModelWorld): Promise<number> =>
  (await database.query(`SELECT 1 FROM decisions WHERE state = 'applied'`)).length;

it('any order and concurrency of refunds, webhooks, faults, deaths and decisions moves every amount once and ends right', {
  timeout: 60_000 + STORIES * 40_000,
}, async () => {
  console.info(`money-properties: seed ${SEED}; again with MAKEGOOD_SEED=${SEED}`);
  const tally = createCaseCounts();
  await fc.assert(
    fc.asyncProperty(currency, offsetLimit, scenario, async (code, limitPercent, happenings) => {
      const test = await openTestLedger({ approvalThreshold: 1_000_000n, offsets: { on: true, limitPercent } });
      const world = marketplaceModelWorld(test, code);
      const orders: OrderId[] = [];
      for (const sellers of ORDERS) orders.push(await world.paidOrder(inMinorUnits(sellers, code)));
      for (const together of happenings) {
        await Promise.all(together.map((one) => perform(world, orders, one)));
        await holds(world, orders);
      }
      tally.count('decisions on the way', await decisionsOf(world));
      await comeToRest(world, orders);
      await holds(world, orders);
      await isRight(world, orders, ORDERS);
      await countWhatHappened(world, tally);
      await test.dispose();
    }),
    { seed: SEED, numRuns: STORIES, endOnFailure: true },
  );
  console.info(`money-properties: ${tally.all()}`);
  tally.expectAtLeast({ stories: STORIES, ...(isWhole ? MET : MET_BY_FEW) });
});
