import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { SWEEP_LANES, type SweepLane, sweepIntervals } from '../../../src/domain/sweep-lanes.js';
import { settlementWorkflowId } from '../../../src/domain/workflow-ids.js';
import { prepareTemporal } from '../../../src/orchestration/prepare-temporal.js';
import { stateQuery } from '../../../workflows/messages.js';
import { SEARCH_ATTRIBUTES } from '../../../workflows/search-attributes.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import {
  type PaidOptions,
  paidSettlement,
  type SettlementWorld,
  startWorld,
} from '../../support/settlements/settlement-world.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { until } from '../../support/until.js';

const SWEEP_SCHEDULE_ID = 'makegood-settlement-x402-sweep';
const FORMER_SCHEDULE_ID = 'makegood-settlement-sweep';
const SCHEDULES = [...SWEEP_LANES.map((lane) => `makegood-${lane}-sweep`), 'makegood-reconcile'].sort();
const LIMIT = { limitMs: 20_000 };
let temporal: DevServer;
let connection: Connection;
let native: NativeConnection;
let client: Client;
let test: TestLedger;
let sandbox: AuthServerSandbox;
let world: SettlementWorld;

beforeAll(async () => {
  temporal = await startDevServer();
  connection = await Connection.connect({ address: temporal.address });
  native = await NativeConnection.connect({ address: temporal.address });
  client = new Client({ connection });
});
afterAll(async () => {
  await native.close();
  await connection.close();
  await temporal.dispose();
});
beforeEach(async () => {
  test = await openTestLedger();
  sandbox = await startAuthServerSandbox();
  world = await startWorld({
    connection: native,
    client,
    ledger: test.ledger,
    authServerUrl: sandbox.url,
    taskQueue: `q-${crypto.randomUUID()}`,
  });
});
afterEach(async () => {
  for (const id of [...SCHEDULES, FORMER_SCHEDULE_ID])
    await client.schedule
      .getHandle(id)
      .delete()
      .catch(() => undefined);
  await world.stop();
  await sandbox.close();
  await test.dispose();
});

const prepare = (sweepIntervalMs: number) =>
  prepareTemporal({
    reconcileEveryMs: 3_600_000,
    client,
    namespace: 'default',
    taskQueue: world.taskQueue,
    sweeps: sweepIntervals({
      settlement: { sweepIntervalMs },
      transferRetry: { checkIntervalMs: 60_000 },
      reversal: { checkIntervalMs: 60_000 },
    }),
  });

async function accept(options: PaidOptions = {}): Promise<SettlementId> {
  const settlement = await paidSettlement('x402', options);
  await test.ledger.createSettlement(settlement);
  return settlement.id;
}
const start = async (id: SettlementId) => {
  const settlement = await test.ledger.findSettlement(id);
  if (settlement) await world.orchestration.startSettlement(settlement);
};
const statusOf = async (id: SettlementId) => (await test.ledger.findSettlement(id))?.status;
/** Due now, as a row that nobody dispatched. */
const makeDue = (id: SettlementId) =>
  test.database.query('UPDATE settlements SET next_check_at = clock_now() WHERE id = $1', [id]);

async function scheduleIds(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { scheduleId } of client.schedule.list()) ids.push(scheduleId);
  return ids;
}

describe('preparing Temporal', () => {
  it('is harmless when five processes do it at once, and again', async () => {
    await Promise.all(Array.from({ length: 5 }, () => prepare(60_000)));
    await prepare(60_000);
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
    for (const { name } of SEARCH_ATTRIBUTES) expect(customAttributes).toHaveProperty(name);
    // The list lags behind what it lists.
    await until('every schedule is listed', async () => (await scheduleIds()).length >= SCHEDULES.length, LIMIT);
    expect((await scheduleIds()).sort()).toEqual(SCHEDULES);
  });

  it('makes the sweep run by itself, and a changed interval is taken over', async () => {
    const schedule = client.schedule.getHandle(SWEEP_SCHEDULE_ID);
    await prepare(3_600_000);
    expect((await schedule.describe()).spec.intervals).toMatchObject([{ every: 3_600_000 }]);
    const id = await accept();
    await makeDue(id);
    await prepare(1_000);
    expect((await schedule.describe()).spec.intervals).toMatchObject([{ every: 1_000 }]);
    await until('the sweep found it', async () => (await statusOf(id)) === 'settled', LIMIT);
    const lastSuccess = await until(
      'its success is told',
      async () =>
        (await test.ledger.figures()).sweeps.find(({ name }) => name === 'settlement-x402')?.lastSuccess ?? undefined,
      LIMIT,
    );
    expect(Math.abs(Date.now() / 1000 - lastSuccess)).toBeLessThan(30);
  });

  it('keeps a pause that a person set', async () => {
    await prepare(60_000);
    const schedule = client.schedule.getHandle(SWEEP_SCHEDULE_ID);
    await schedule.pause('maintenance');
    await prepare(30_000);
    expect((await schedule.describe()).state).toMatchObject({ paused: true, note: 'maintenance' });
  });

  it('replaces the one sweep of an older build by the lanes that do its work, and keeps its pause', async () => {
    const former = async (paused: boolean) => {
      await client.schedule.create({
        scheduleId: FORMER_SCHEDULE_ID,
        spec: { intervals: [{ every: 3_600_000 }] },
        action: { type: 'startWorkflow', workflowType: 'settlementSweep', taskQueue: world.taskQueue },
        state: { paused, note: 'maintenance' },
      });
      await prepare(3_600_000);
    };
    const isPaused = async (lane: SweepLane) =>
      (await client.schedule.getHandle(`makegood-${lane}-sweep`).describe()).state.paused;
    await former(true);
    await expect(client.schedule.getHandle(FORMER_SCHEDULE_ID).describe()).rejects.toThrow(ScheduleNotFoundError);
    expect([await isPaused('settlement-x402'), await isPaused('chain'), await isPaused('refund')]).toEqual([
      true,
      true,
      false,
    ]);
    // Made again by an older worker that still runs beside this one.
    await client.schedule.getHandle('makegood-chain-sweep').unpause();
    await former(true);
    expect(await isPaused('chain')).toBe(false);
  });
});

describe('what a person sees in Temporal', () => {
  beforeEach(() => prepare(3_600_000));

  it('finds what needs attention by its attributes, reads why, and the query tells the same', async () => {
    sandbox.setFaults([{ kinds: ['refused'], times: 1 }]);
    const id = await accept({ spent: 1_234_567 });
    await start(id);
    const workflowId = settlementWorkflowId(id);
    const query = `NeedsAttention = true AND AttentionReason = 'credential_refused' AND MoneyKind = 'settlement'
      AND MoneyState = 'needs_attention' AND Protocol = 'x402' AND AmountMinor = '124' AND WorkflowId = '${workflowId}'`;
    await until('it is listed', async () => (await client.workflow.count(query)).count === 1, LIMIT);

    const handle = client.workflow.getHandle(workflowId);
    const shown = JSON.stringify(await handle.query('__temporal_workflow_metadata'));
    expect(shown).toContain('needs a person: credential_refused');
    expect(await handle.query('state')).toMatchObject({ phase: 'needs_attention', reason: 'credential_refused' });
    expect(await (await handle.describe()).staticSummary()).toContain('x402 settlement of 1234567');

    await handle.signal('resolve', { action: 'retry', by: 'ann', note: 'from the Web UI' });
    expect(await handle.result()).toMatchObject({ kind: 'final', status: 'settled' });
    const settled = `MoneyState = 'settled' AND NeedsAttention = false AND WorkflowId = '${workflowId}'`;
    await until('it is listed as settled', async () => (await client.workflow.count(settled)).count === 1, LIMIT);
  });

  it('finds an item that left its shared workflow in the same way', async () => {
    sandbox.setFaults([{ kinds: ['refused'], times: 1 }]);
    const ids = await Promise.all([accept(), accept()]);
    const found = await Promise.all(ids.map(async (id) => test.ledger.findSettlement(id)));
    await world.orchestration.startBatch(found.filter((settlement) => settlement !== undefined));
    const query = `NeedsAttention = true AND MoneyKind = 'settlement' AND Protocol = 'x402' AND TaskQueue = '${world.taskQueue}'`;
    await until('it is listed', async () => (await client.workflow.count(query)).count === 1, LIMIT);
    expect(new Set(await Promise.all(ids.map(statusOf)))).toEqual(new Set(['needs_attention', 'settled']));
  });

  it('decides with an update that answers at once', async () => {
    sandbox.setFaults([{ kinds: ['refused'], times: 1 }]);
    const id = await accept();
    await start(id);
    await until('a person is asked', async () => (await statusOf(id)) === 'needs_attention', LIMIT);
    const handle = client.workflow.getHandle(settlementWorkflowId(id));
    await until('the workflow knows', async () => (await handle.query(stateQuery)).phase === 'needs_attention', LIMIT);
    const answer = await handle.executeUpdate('resolve', {
      args: [{ action: 'write_off', by: 'ann', note: 'a gift' }],
    });
    expect(answer).toMatchObject({ outcome: 'applied', status: 'written_off' });
    expect(await statusOf(id)).toBe('written_off');
  });
});

it('a Temporal that has forgotten everything is made ready again, and the sweep starts what was on its way', async () => {
  await prepare(3_600_000);
  sandbox.setDown(true);
  const ids = await Promise.all([accept(), accept()]);
  for (const id of ids) await start(id);
  await until('both were tried', async () => sandbox.calls().totals.settleCalls >= 2, LIMIT);
  await temporal.stop('kill');
  await temporal.start('wiped');
  sandbox.setDown(false);
  for (const id of ids) await makeDue(id);
  await until('it can be prepared', () => prepare(1_000).then(() => true), LIMIT);
  await until(
    'all is collected',
    async () => (await Promise.all(ids.map(statusOf))).every((status) => status === 'settled'),
    { limitMs: 40_000 },
  );
  expect(sandbox.ledger().totals.debits).toBe(2);
});
