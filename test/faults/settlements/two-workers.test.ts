import { afterAll, beforeAll, expect, it } from 'vitest';
import { sql } from '../../support/settlements/ledger-comparison.js';
import { charges, expectAllSettledOnce, type LoadWorld, startLoadWorld } from '../../support/settlements/load-world.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { sizeOf } from '../../support/whole-or-sample.js';

/** A hundred of them slow, and each hurried twice a second while it waits: the other worker comes across many of 300. */
const given = charges(sizeOf({ whole: 1_000, sample: 300 }), ['x402', 'mpp', 'atxp'], 'two');

let temporal: DevServer;
let world: LoadWorld;

beforeAll(async () => {
  temporal = await startDevServer();
  world = await startLoadWorld({
    temporalAddress: temporal.address,
    namespace: 'two-workers',
    servers: 2,
    workers: 2,
    changes: {
      SETTLEMENT_BACKOFF_BASE: '50ms',
      SETTLEMENT_HTTP_TIMEOUT: '6s',
      SETTLEMENT_OVERFLOW_BACKLOG: '50',
      SETTLEMENT_MAX_BATCH: '20',
      SETTLEMENT_MAX_RPS: '1000',
    },
  });
  world.sandbox.setFaults(
    [
      { probability: 0.1, kinds: ['server_error', 'reset_after_commit', 'server_error_after_commit'] },
      { probability: 0.3, kinds: ['slow'], ms: 1_500 },
    ],
    11,
  );
  const impatience = setInterval(() => void hurryEverything(), 500);
  try {
    await world.submit(given);
    await world.drained(180_000);
  } finally {
    clearInterval(impatience);
  }
}, 240_000);
afterAll(async () => {
  await world.stop();
  await temporal.dispose();
});

/** As if every sweep came too early: the same row is in a shared workflow, in one of its own, and swept once more. */
async function hurryEverything(): Promise<void> {
  await sql(
    world.databaseUrl,
    `UPDATE settlements SET next_check_at = clock_now() WHERE id IN (
       SELECT id FROM settlements WHERE status = 'pending' AND next_check_at > clock_now() FOR UPDATE SKIP LOCKED)`,
  );
}

it('never has two calls of one settlement at work at once, and settles each once', async () => {
  expect(world.sandbox.calls().totals.overlaps).toBe(0);
  await expectAllSettledOnce(world.databaseUrl, world.sandbox, given);
});

it('is done by both workers, and rows that one of them tried the other one settled', async () => {
  const shares = await sql<{ pid: string; sent: number }>(
    world.databaseUrl,
    `SELECT split_part(detail ->> 'runner', ':', 2) AS pid, count(*)::int AS sent FROM operation_events
     WHERE kind = 'sent' GROUP BY 1`,
  );
  const pids = world.workers.map(({ pid }) => String(pid)).sort();
  expect(shares.map(({ pid }) => pid).sort()).toEqual(pids);
  for (const { sent } of shares) expect(sent).toBeGreaterThan(given.length / 10);
  const [both] = await sql<{ rows: number }>(
    world.databaseUrl,
    `SELECT count(*)::int AS rows FROM (SELECT item_id FROM operation_events WHERE kind = 'sent' GROUP BY item_id
       HAVING count(DISTINCT split_part(detail ->> 'runner', ':', 2)) > 1) AS shared`,
  );
  expect(both?.rows).toBeGreaterThan(0);
});
