import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FaultRule } from '../../../sandbox/auth-server/faults.js';
import { sql } from '../../support/settlements/ledger-comparison.js';
import { charges, expectAllSettledOnce, type LoadWorld, startLoadWorld } from '../../support/settlements/load-world.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { sizeOf } from '../../support/whole-or-sample.js';

describe('through thirty percent of mixed faults', () => {
  /** Together they strike 30 % of the calls. A hang of 5 s outlasts the short first attempt, and only that one. */
  const FAULTS: readonly FaultRule[] = [
    {
      probability: 0.25,
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
    { probability: 0.02, kinds: ['hang_before_commit', 'hang_after_commit'], ms: 5_000 },
  ];
  /** Each of the mixed faults strikes a charge in thirty: twenty-five times among 800, as often before a commit as after. */
  const given = charges(sizeOf({ whole: 5_000, sample: 800 }), ['x402', 'mpp', 'x402', 'atxp']);
  let temporal: DevServer;
  let world: LoadWorld;

  beforeAll(async () => {
    temporal = await startDevServer();
    world = await startLoadWorld({
      temporalAddress: temporal.address,
      namespace: 'thirty-percent',
      // Production's settings, an order of magnitude faster; a call is given up after longer than any fault above lasts.
      changes: {
        SETTLEMENT_BACKOFF_BASE: '50ms',
        SETTLEMENT_BACKOFF_MAX: '2s',
        SETTLEMENT_HTTP_TIMEOUT: '6s',
        SETTLEMENT_SWEEP_INTERVAL: '1s',
        SETTLEMENT_OVERFLOW_BACKLOG: '200',
        SETTLEMENT_MAX_RPS: '2000',
      },
    });
    world.sandbox.setFaults(FAULTS, 7);
    await world.submit(given);
    await world.drained(240_000);
  }, 300_000);
  afterAll(async () => {
    await world.stop();
    await temporal.dispose();
  });

  it('settles each once, by the same bytes, one call at a time, and asks nobody', async () => {
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
