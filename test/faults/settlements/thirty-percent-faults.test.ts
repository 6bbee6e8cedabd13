import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FaultRule } from '../../../sandbox/auth-server/faults.js';
import { sql } from '../../support/settlements/ledger-comparison.js';
import { charges, expectAllSettledOnce, type LoadWorld, startLoadWorld } from '../../support/settlements/load-world.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { until } from '../../support/until.js';

/** Production's settings, an order of magnitude faster; a call is given up after longer than any fault below lasts. */
const FAST = {
  SETTLEMENT_BACKOFF_BASE: '50ms',
  SETTLEMENT_BACKOFF_MAX: '2s',
  SETTLEMENT_HTTP_TIMEOUT: '6s',
  SETTLEMENT_SWEEP_INTERVAL: '1s',
  SETTLEMENT_OVERFLOW_BACKLOG: '200',
};

let temporal: DevServer;
beforeAll(async () => {
  temporal = await startDevServer();
});
afterAll(() => temporal.dispose());

describe('through thirty percent of mixed faults', () => {
  /** Together they strike 30 % of the calls. A hang of 5 s outlasts the short first attempt, and only that one. */
  const FAULTS: readonly FaultRule[] = [
    {
      probability: 0.26,
      kinds: [
        'server_error',
        'server_error_after_commit',
        'reset_before_commit',
        'reset_after_commit',
        'rate_limited',
        'invalid_json',
        'hang_before_commit',
        'hang_after_commit',
      ],
      ms: 1_000,
      retryAfterSeconds: 1,
    },
    { probability: 0.05, kinds: ['slow'], ms: 1_500 },
    { probability: 0.005, kinds: ['hang_before_commit', 'hang_after_commit'], ms: 5_000 },
  ];
  const given = charges(5_000, ['x402', 'mpp', 'x402', 'atxp']);
  let world: LoadWorld;

  beforeAll(async () => {
    world = await startLoadWorld({
      temporalAddress: temporal.address,
      namespace: 'thirty-percent',
      changes: { ...FAST, SETTLEMENT_MAX_RPS: '2000' },
    });
    world.sandbox.setFaults(FAULTS, 7);
    await world.submit(given);
    await world.drained(240_000);
  }, 300_000);
  afterAll(() => world.stop());

  it('settles each of 5,000 once, by the same bytes, one call at a time, and asks nobody', async () => {
    await expectAllSettledOnce(world.databaseUrl, world.sandbox, given);
  });

  it('has met every fault, before and after the money moved, in shared workflows and in workflows of their own', async () => {
    const answers = await sql<{ answer_class: string; count: number }>(
      world.databaseUrl,
      `SELECT answer_class, count(*)::int FROM operation_events WHERE kind = 'answered' GROUP BY 1`,
    );
    const times = Object.fromEntries(answers.map(({ answer_class, count }) => [answer_class, count]));
    const some = expect.toSatisfy((count: number) => count > 0);
    expect(times).toMatchObject({
      server_error: some,
      reset: some,
      busy: some,
      unreadable: some,
      no_answer: some,
      already_settled: some,
    });
    const answered = answers.reduce((sum, { count }) => sum + count, 0);
    const failed = answered - (times['done'] ?? 0) - (times['already_settled'] ?? 0);
    expect(failed / answered).toBeGreaterThan(0.2);
    const [ways] = await sql<{ shared: number; own: number }>(
      world.databaseUrl,
      `SELECT count(*) FILTER (WHERE workflow_id LIKE 'settlements/%')::int AS shared,
         count(*) FILTER (WHERE workflow_id LIKE 'settlement/%')::int AS own FROM settlements`,
    );
    expect(ways).toEqual({ shared: some, own: some });
  });
});

describe('through a full outage with 2,000 pending', () => {
  const PER_SECOND = 100;
  const given = charges(2_000, ['x402'], 'outage');
  let world: LoadWorld;
  let callsWhileOpen = 0;
  let callsThatOpened = 0;
  let healedSecond = 0;

  beforeAll(async () => {
    world = await startLoadWorld({
      temporalAddress: temporal.address,
      namespace: 'outage',
      changes: { ...FAST, SETTLEMENT_MAX_RPS: String(PER_SECOND), SETTLEMENT_MAX_BATCH: '10' },
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
  afterAll(() => world.stop());

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
