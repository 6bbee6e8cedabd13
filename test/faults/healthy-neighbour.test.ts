import { afterAll, beforeAll, expect, it } from 'vitest';
import { charges, expectAllSettledOnce, type LoadWorld, startLoadWorld } from '../support/load-world.js';
import { type DevServer, startDevServer } from '../support/temporal.js';
import { sql } from '../support/two-ledgers.js';
import { until } from '../support/until.js';

/** A row that is not dispatched waits this long before the sweep looks at it. */
const GRACE_MS = 15_000;
const ill = charges(120, ['x402'], 'ill');
const well = charges(20, ['mpp', 'atxp'], 'well');

let temporal: DevServer;
let world: LoadWorld;

beforeAll(async () => {
  temporal = await startDevServer();
  world = await startLoadWorld({
    temporalAddress: temporal.address,
    namespace: 'healthy-neighbour',
    changes: { SETTLEMENT_OVERFLOW_BACKLOG: '30', SETTLEMENT_SWEEP_INTERVAL: '2s' },
  });
});
afterAll(async () => {
  await world.stop();
  await temporal.dispose();
});

const count = async (condition: string): Promise<number> => {
  const [row] = await sql<{ count: string }>(world.databaseUrl, `SELECT count(*) FROM settlements WHERE ${condition}`);
  return Number(row?.count);
};

it('an outage of one provider with a great backlog never slows the settlements of another', async () => {
  world.sandbox.setDown(true, ['x402']);
  await world.submit(ill);
  await until(
    'the breaker is open and every server has seen the backlog',
    async () => {
      const [breaker] = await sql(
        world.databaseUrl,
        `SELECT 1 FROM provider_breakers WHERE state <> 'closed' AND opened_at < clock_now() - interval '2 seconds'`,
      );
      return breaker !== undefined;
    },
    { limitMs: 30_000 },
  );
  expect(await count(`status = 'pending' AND protocol = 'x402'`)).toBe(ill.length);

  const began = performance.now();
  await world.submit(well);
  await until('the healthy ones are settled', async () => (await count(`status = 'settled'`)) === well.length, {
    limitMs: 40_000,
  });
  expect(performance.now() - began).toBeLessThan(GRACE_MS * 0.8);

  world.sandbox.setDown(false);
  await world.drained(60_000);
  await expectAllSettledOnce(world.databaseUrl, world.sandbox, [...ill, ...well]);
}, 150_000);
