import { Client, Connection, WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SettlementId } from '../../../src/domain/ids.js';
import { settlementWorkflowId } from '../../../src/domain/workflow-ids.js';
import { type ItemState, resolveUpdate, stateQuery } from '../../../workflows/messages.js';
import { sql } from '../../support/settlements/ledger-comparison.js';
import { charges, expectAllSettledOnce, type LoadWorld, startLoadWorld } from '../../support/settlements/load-world.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { until } from '../../support/until.js';

/** As installed; nothing here is faster than in production. */
const AS_INSTALLED = {
  SETTLEMENT_BACKOFF_BASE: '1s',
  SETTLEMENT_BACKOFF_MAX: '5m',
  SETTLEMENT_HTTP_TIMEOUT: '30s',
  SETTLEMENT_SWEEP_INTERVAL: '1m',
};
const ANSWER_WINDOW_MS = 30_000;

const patient = charges(100, ['atxp'], 'patient');
/** Providers that are usually done at once, so that their first attempt is a short one. */
const surprised = charges(20, ['x402'], 'surprised');
const others = charges(50, ['mpp'], 'other');

interface Asked {
  readonly state: ItemState;
  readonly refusal: string;
  readonly stateMs: number;
  readonly resolveMs: number;
}

let temporal: DevServer;
let world: LoadWorld;
let connection: Connection;
let asked: readonly Asked[] = [];
let othersMs = Number.POSITIVE_INFINITY;
let slowOnesSettledMeanwhile = Number.POSITIVE_INFINITY;

beforeAll(async () => {
  temporal = await startDevServer();
  const namespace = 'slow-auth-server';
  world = await startLoadWorld({ temporalAddress: temporal.address, namespace, changes: AS_INSTALLED });
  connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, namespace });
  const { sandbox } = world;
  sandbox.setFaults([
    { kinds: ['slow'], ms: 15_000, protocols: ['atxp'] },
    { kinds: ['slow'], ms: 15_000, protocols: ['x402'], times: surprised.length },
  ]);
  const [ids] = await Promise.all([world.submit(patient), world.submit(surprised)]);
  await until('every slow call is under way', () => sandbox.calls().totals.inProgress === 120, { limitMs: 14_000 });

  [asked] = await Promise.all([Promise.all(ids.slice(0, 10).map((id) => ask(client, id))), settleOthers()]);
  await world.drained(90_000);
}, 180_000);
afterAll(async () => {
  await connection.close();
  await world.stop();
  await temporal.dispose();
});

async function settleOthers(): Promise<void> {
  const began = performance.now();
  await world.submit(others);
  await until('the others are settled', async () => (await settledOf('mpp')) === others.length, { limitMs: 30_000 });
  othersMs = performance.now() - began;
  slowOnesSettledMeanwhile = (await settledOf('atxp')) + (await settledOf('x402'));
}

async function settledOf(protocol: string): Promise<number> {
  const text = `SELECT count(*) FROM settlements WHERE status = 'settled' AND protocol = $1`;
  const [row] = await sql<{ count: string }>(world.databaseUrl, text, [protocol]);
  return Number(row?.count);
}

async function ask(client: Client, id: SettlementId): Promise<Asked> {
  const handle = client.workflow.getHandle(settlementWorkflowId(id));
  const began = performance.now();
  const state = await handle.query(stateQuery);
  const stateMs = performance.now() - began;
  const resolution = { action: 'write_off', by: 'olga', note: 'too slow for me' } as const;
  const refusal = await handle.executeUpdate(resolveUpdate, { args: [resolution] }).then(
    (answer) => `accepted: ${JSON.stringify(answer)}`,
    (error: unknown) =>
      error instanceof WorkflowUpdateFailedError ? `refused: ${error.cause?.message}` : String(error),
  );
  return { state, refusal, stateMs, resolveMs: performance.now() - began - stateMs };
}

it('tells its state in less than two seconds while the call is at work', () => {
  expect(asked.map(({ state }) => state.phase)).toEqual(Array(10).fill('settling'));
  expect(Math.max(...asked.map(({ stateMs }) => stateMs))).toBeLessThan(2_000);
});

it('refuses a decision in less than two seconds while the call is at work', () => {
  const refusals = asked.map(({ refusal }) => refusal);
  expect(refusals).toEqual(Array(10).fill(expect.stringMatching(/^refused: not_waiting/)));
  expect(Math.max(...asked.map(({ resolveMs }) => resolveMs))).toBeLessThan(2_000);
});

it('never delays the settlements of another protocol', () => {
  expect(othersMs).toBeLessThan(8_000);
  expect(slowOnesSettledMeanwhile).toBe(0);
});

it('never calls a slow answer a failure: nothing is logged, nothing is counted, no breaker hears of it', async () => {
  const lines = world.workers.flatMap((worker) => worker.lines);
  expect(lines.filter((line) => line.includes('settle_failed_at_close'))).toEqual([]);
  const [failures] = await sql(
    world.databaseUrl,
    `SELECT count(first_failure_at)::int AS failed,
       (SELECT count(*)::int FROM provider_breakers WHERE failures > 0 OR state <> 'closed') AS breakers FROM settlements`,
  );
  expect(failures).toEqual({ failed: 0, breakers: 0 });
});

it('waits out 100 answers of 15 seconds at the first attempt, all of them at once', async () => {
  expect(await attemptsOf('atxp')).toEqual([{ attempts: 1, count: patient.length }]);
  expect(world.sandbox.calls().totals.maxInProgress).toBeGreaterThanOrEqual(patient.length + surprised.length);
});

it('asks again only after the answer window where the first attempt was short', async () => {
  expect(await attemptsOf('x402')).toEqual([{ attempts: 2, count: surprised.length }]);
  const [gap] = await sql<{ ms: number }>(
    world.databaseUrl,
    `SELECT min(ms)::float8 AS ms FROM (SELECT extract(epoch FROM max(at) - min(at)) * 1000 AS ms FROM operation_events
       WHERE kind = 'sent' AND item_id IN (SELECT id::text FROM settlements WHERE protocol = 'x402') GROUP BY item_id) AS gaps`,
  );
  expect(gap?.ms).toBeGreaterThanOrEqual(ANSWER_WINDOW_MS);
});

it('settles each once', () =>
  expectAllSettledOnce(world.databaseUrl, world.sandbox, [...patient, ...surprised, ...others]));

const attemptsOf = (protocol: string) =>
  sql(world.databaseUrl, 'SELECT attempts, count(*)::int FROM settlements WHERE protocol = $1 GROUP BY 1 ORDER BY 1', [
    protocol,
  ]);
