import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../sandbox/auth-server/start.js';
import {
  expectMovedOnce,
  heal,
  type Illness,
  putUnderWay,
  sendsOf,
  stripePostsFor,
} from '../support/marketplace/crash/under-way.js';
import { type MarketplaceCrashWorld, startMarketplaceCrashWorld } from '../support/marketplace/crash/world.js';
import { type MarketplaceRow, marketplaceRows } from '../support/marketplace/ledger-comparison.js';
import { SERVICE_TOKEN } from '../support/processes/start-process.js';
import { sql } from '../support/settlements/ledger-comparison.js';
import { charges, expectAllSettledOnce, submit } from '../support/settlements/load-world.js';
import { type DevServer, startDevServer } from '../support/temporal.js';
import { until } from '../support/until.js';

/** A worker is told to end while every provider is at work for it. */

let temporal: DevServer;
let authServer: AuthServerSandbox;
let world: MarketplaceCrashWorld;
const given = { patient: charges(2, ['atxp'], 'ends'), quick: charges(2, ['x402'], 'ends') };

beforeAll(async () => {
  [temporal, authServer] = await Promise.all([startDevServer(), startAuthServerSandbox()]);
  world = await startMarketplaceCrashWorld({
    temporalAddress: temporal.address,
    namespace: 'worker-ends',
    withServer: true,
    changes: {
      AUTH_SERVER_URL: authServer.url,
      API_TOKENS: `till:service:${SERVICE_TOKEN}`,
      SETTLEMENT_HTTP_TIMEOUT: '10s',
      SETTLEMENT_SWEEP_INTERVAL: '1s',
    },
  });
}, 120_000);
afterAll(async () => {
  await world.stop();
  await authServer.close();
  await temporal.dispose();
});

/** One of every kind of money call is at work: those that were begun first take longest. */
async function everythingAtWork(illness: Illness, settling: 'slow' | 'hang_after_commit', nth: number) {
  const items = await putUnderWay(world, illness);
  const kinds = [settling];
  authServer.setFaults([
    { kinds, ms: settling === 'slow' ? 5_000 : 600_000, protocols: ['atxp'] },
    // Within the limit of a first attempt, which runs inside its workflow task.
    { kinds, ms: settling === 'slow' ? 3_000 : 600_000, protocols: ['x402'] },
  ]);
  const both = [given.patient[nth]!, given.quick[nth]!];
  await submit([world.server!], both);
  await until('both settlements are at work', () => authServer.calls().totals.inProgress === 2, {
    limitMs: 10_000,
    everyMs: 20,
  });
  return { items, ids: Object.values(items).map(({ id }) => id), settlements: both.map(({ key }) => key) };
}

const moneyOf = async (ids: readonly string[]): Promise<MarketplaceRow[]> =>
  (await marketplaceRows(world.test.url)).filter(({ id }) => ids.includes(id));
const settlementsOf = (keys: readonly string[]) =>
  sql<{ status: string; certainty: string; attempts: number }>(
    world.test.url,
    'SELECT status, certainty, attempts FROM settlements WHERE key = ANY ($1)',
    [keys],
  );

afterEach(async () => {
  authServer.setFaults([]);
  await heal(world);
  await world.finished(60_000);
  await expectMovedOnce(world);
}, 90_000);

describe('a worker that gets SIGTERM with a call at every provider', () => {
  it('begins nothing new, records each answer that comes within its grace, and ends in order', async () => {
    const slowly = (ms: number) => [{ kinds: ['slow' as const], ms }];
    const { ids, settlements } = await everythingAtWork(
      { stripe: slowly(9_000), hyperswitch: slowly(7_000) },
      'slow',
      0,
    );
    const late = await world.shop.order({ acct_1Late: 1_000n });
    world.worker.kill('SIGTERM');
    world.wake([{ kind: 'payment', id: await world.shop.placePayment(late.id) }]);
    const sent = sendsOf(world, 'payments.create');
    expect(await world.worker.exited).toBe('exit code 0');

    expect(await settlementsOf(settlements)).toEqual(
      settlements.map(() => ({ status: 'settled', certainty: 'done', attempts: 1 })),
    );
    const rows = await moneyOf(ids);
    expect(rows.map(({ kind, certainty, attempts }) => `${kind} ${certainty} ${attempts}`).sort()).toEqual([
      'payment done 1',
      'refund done 1',
      'reversal done 1',
      'transfer done 1',
    ]);
    expect(sendsOf(world, 'payments.create')).toBe(sent);

    await world.replace('worker');
    await until(
      'the next worker makes what came too late',
      async () => (await world.shop.find(late.id)).status === 'paid',
      {
        limitMs: 30_000,
      },
    );
    await expectAllSettledOnce(world.test.url, authServer, [given.patient[0]!, given.quick[0]!]);
  }, 120_000);
});

describe('a worker whose grace is not waited for', () => {
  it('waits for its calls until it is killed: nobody knows how they ended, and each is found or made once', async () => {
    const hangs = { kinds: ['hang_after_commit' as const], ms: 600_000 };
    const { items, ids, settlements } = await everythingAtWork(
      { stripe: [hangs], hyperswitch: [{ ...hangs, on: ['payments.create', 'refunds.create'] }] },
      'hang_after_commit',
      1,
    );
    world.worker.kill('SIGTERM');
    const waits = await Promise.race([world.worker.exited, wait(1_000, 'it waits for its calls')]);
    expect(waits).toBe('it waits for its calls');
    world.worker.kill('SIGKILL');
    expect(await world.worker.exited).toBe('SIGKILL');
    for (const { certainty } of [...(await settlementsOf(settlements)), ...(await moneyOf(ids))])
      expect(certainty).toMatch(/^(in_flight|unknown)$/);

    authServer.setFaults([]);
    await heal(world);
    await world.restart('worker');
    await world.finished(90_000);
    // Stripe's records are read before anything is sent again.
    expect(stripePostsFor(world, items.transfer, items.reversal)).toEqual([1, 1]);
    for (const { certainty } of await moneyOf(ids)) expect(certainty).toBe('done');
    await until(
      'both are settled',
      async () => (await settlementsOf(settlements)).every(({ status }) => status === 'settled'),
      {
        limitMs: 60_000,
      },
    );
    await expectAllSettledOnce(world.test.url, authServer, [...given.patient, ...given.quick]);
  }, 180_000);
});
