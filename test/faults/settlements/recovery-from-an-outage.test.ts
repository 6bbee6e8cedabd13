import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../../support/settlements/ledger-comparison.js';
import { charges, expectAllSettledOnce, type LoadWorld, startLoadWorld } from '../../support/settlements/load-world.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { until } from '../../support/until.js';
import { sizeOf } from '../../support/whole-or-sample.js';

describe('through a full outage with hundreds pending', () => {
  /** Less than a machine manages that nothing holds back, so that it is seen in the first three seconds. */
  const PER_SECOND = 50;
  /** Eight seconds at this pace: the three seconds that are looked at come several times. */
  const given = charges(sizeOf({ whole: 2_000, sample: 400 }), ['x402'], 'outage');
  let temporal: DevServer;
  let world: LoadWorld;
  let callsWhileOpen = 0;
  let callsThatOpened = 0;
  let healedSecond = 0;

  beforeAll(async () => {
    temporal = await startDevServer();
    world = await startLoadWorld({
      temporalAddress: temporal.address,
      namespace: 'outage',
      changes: {
        SETTLEMENT_BACKOFF_BASE: '50ms',
        SETTLEMENT_BACKOFF_MAX: '2s',
        SETTLEMENT_HTTP_TIMEOUT: '6s',
        SETTLEMENT_OVERFLOW_BACKLOG: '200',
        SETTLEMENT_MAX_RPS: String(PER_SECOND),
        SETTLEMENT_MAX_BATCH: '10',
      },
    });
    const { sandbox, databaseUrl } = world;
    sandbox.setDown(true);
    await world.submit(given);
    await until('nearly all are due and the breaker has been probed four times', async () => (await look()).long, {
      limitMs: 120_000,
      everyMs: 250,
    });
    ({ opened: callsThatOpened, open: callsWhileOpen } = await look());
    healedSecond = Math.floor(Date.now() / 1000);
    sandbox.setDown(false);
    await world.drained(180_000);

    async function look() {
      const [row] = await sql<{ opened: number; open: number; due: number }>(
        databaseUrl,
        `WITH opening AS (SELECT min(at) AS at FROM operation_events WHERE kind = 'breaker_opened')
         SELECT count(*) FILTER (WHERE e.kind = 'sent' AND e.at <= opening.at)::int AS opened,
           count(*) FILTER (WHERE e.kind = 'sent' AND e.at > opening.at)::int AS open,
           (SELECT count(*)::int FROM settlements WHERE status = 'pending' AND next_check_at <= clock_now()) AS due
         FROM operation_events e, opening`,
      );
      const { opened = 0, open = 0, due = 0 } = row ?? {};
      return { opened, open, long: open >= 4 && due > given.length - 100 };
    }
  }, 360_000);
  afterAll(async () => {
    await world.stop();
    await temporal.dispose();
  });

  it('calls only to see whether it is over', () => {
    expect(callsWhileOpen).toBeLessThanOrEqual(12);
    // What was on its way before five failures were known; the dispatcher starts twenty at a time.
    expect(callsThatOpened).toBeLessThanOrEqual(100);
  });

  it('recovers no faster than its pace and its jitter', () => {
    const perSecond = world.sandbox.calls().totals.settlesPerSecond;
    const after = Object.keys(perSecond)
      .map(Number)
      .filter((second) => second >= healedSecond);
    const inThree = after.map((second) =>
      [0, 1, 2].reduce((sum, later) => sum + (perSecond[String(second + later)] ?? 0), 0),
    );
    // Over three seconds, because a busy machine may hand the calls of one second to the next.
    expect(Math.max(...inThree)).toBeLessThanOrEqual(3 * PER_SECOND * 1.5);
    expect(after.length).toBeGreaterThanOrEqual(given.length / PER_SECOND / 1.5);
  });

  it('is drained, each settled once, and asks nobody', async () => {
    await expectAllSettledOnce(world.databaseUrl, world.sandbox, given);
  });
});
