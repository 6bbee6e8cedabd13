import { Client, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../sandbox/auth-server/start.js';
import { newDecisionId, type SettlementId } from '../../src/domain/ids.js';
import type { Protocol } from '../../src/domain/settlements/settlement-status.js';
import { settlementWorkflowId } from '../../src/domain/workflow-ids.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { closeTimeSettlement, settleBatch, sweep } from '../../workflows/index.js';
import { rereadSignal, resolveSignal, resolveUpdate } from '../../workflows/messages.js';
import { openTestLedger, type TestLedger } from '../support/ledger-fixtures.js';
import {
  paidSettlement,
  type SettlementWorld,
  startWorld,
  workflowInput,
} from '../support/settlements/settlement-world.js';
import { openTimeSkippingEnvironment } from '../support/time-skipping-environment.js';
import { recordHistory } from './recording.js';

/**
 * Records the histories that test/replay replays: MAKEGOOD_RECORD=1 npx vitest run --project record. Re-recording is a
 * decision, not a fix: workflows of the older code are running somewhere, and the old recordings stand for them.
 */

let env: TestWorkflowEnvironment;
let client: Client;
let test: TestLedger;
let sandbox: AuthServerSandbox;
let world: SettlementWorld;
let claims: Ledger['claimSettlements'];

beforeEach(async () => {
  env = await openTimeSkippingEnvironment();
  client = new Client({ connection: env.connection });
  test = await openTestLedger();
  sandbox = await startAuthServerSandbox({ clock: test.clock });
  claims = test.ledger.claimSettlements;
  world = await startWorld({
    connection: env.nativeConnection,
    client,
    ledger: { ...test.ledger, claimSettlements: (...given) => claims(...given) },
    authServerUrl: sandbox.url,
    taskQueue: 'makegood',
    follow: { clock: test.clock, nowMs: () => env.currentTimeMs() },
  });
});
afterEach(async () => {
  await world.stop();
  await sandbox.close();
  await test.dispose();
  await env.teardown();
});

type Paid = Exclude<Protocol, 'mpp'>;

async function accepted(protocol: Paid = 'x402', validForMs = 30 * 24 * 3_600_000): Promise<SettlementId> {
  const settlement = await paidSettlement(protocol, {
    nowMs: test.clock.nowMs(),
    validForMs,
    payer: `p${Math.random()}`,
  });
  await test.ledger.createSettlement(settlement);
  return settlement.id;
}

const start = (id: SettlementId, protocol: Paid = 'x402') =>
  client.workflow.start(closeTimeSettlement, {
    taskQueue: 'makegood',
    workflowId: settlementWorkflowId(id),
    args: [workflowInput(id, protocol)],
  });

async function until(status: string, id: SettlementId): Promise<void> {
  for (let minutes = 0; minutes < 100; minutes += 1) {
    if ((await test.ledger.findSettlement(id))?.status === status) return;
    await env.sleep('1 minute');
  }
  throw new Error(`never ${status}`);
}

async function ended(handle: WorkflowHandle): Promise<void> {
  for (let nth = 0; nth < 200; nth += 1) {
    if ((await handle.describe()).status.name !== 'RUNNING') return;
    await env.sleep('10 seconds');
  }
  throw new Error('it does not end');
}

const record = (shape: string, { workflowId }: { workflowId: string }, runId?: string): Promise<void> =>
  recordHistory(shape, client.workflow.getHandle(workflowId, runId));

const APPROVED = { by: 'ann', note: 'recorded' };

async function recordEnding(shape: string, handle: WorkflowHandle): Promise<void> {
  await ended(handle);
  await record(shape, handle);
}

it('settled at once', async () => {
  await recordEnding('close-time-settlement/settled-at-once', await start(await accepted()));
});

it('settled patiently', async () => {
  await recordEnding('close-time-settlement/settled-patiently', await start(await accepted('atxp'), 'atxp'));
});

it('settled after retries', async () => {
  sandbox.setFaults([{ kinds: ['server_error'], times: 3 }]);
  await recordEnding('close-time-settlement/settled-after-retries', await start(await accepted()));
});

async function inAttention(): Promise<{ id: SettlementId; handle: Awaited<ReturnType<typeof start>> }> {
  sandbox.setFaults([{ kinds: ['refused'], times: 1 }]);
  const id = await accepted();
  const handle = await start(id);
  await until('needs_attention', id);
  return { id, handle };
}

it('retried by signal', async () => {
  const { handle } = await inAttention();
  await handle.signal(resolveSignal, { action: 'retry', ...APPROVED });
  await recordEnding('close-time-settlement/retried-by-signal', handle);
});

it('written off by update', async () => {
  const { handle } = await inAttention();
  await handle.executeUpdate(resolveUpdate, { args: [{ action: 'write_off', ...APPROVED }] });
  await recordEnding('close-time-settlement/written-off-by-update', handle);
});

it('decided in the ledger', async () => {
  const { id, handle } = await inAttention();
  await test.ledger.decide({
    id: newDecisionId(1),
    kind: 'settlement',
    itemId: id,
    action: 'write_off',
    authenticated: true,
    evidence: null,
    verified: { kind: 'not_needed' },
    ...APPROVED,
  });
  await handle.signal(rereadSignal);
  await recordEnding('close-time-settlement/decided-in-the-ledger', handle);
});

it('waits in the ledger', async () => {
  await test.database.query(
    `INSERT INTO provider_breakers (provider, state, reason, probe_at, probe_every)
     VALUES ('auth-server:x402', 'open', 'outage', clock_now() + interval '1 day', interval '1 second')`,
  );
  await recordEnding('close-time-settlement/waits-in-the-ledger', await start(await accepted()));
});

it('expired', async () => {
  sandbox.setDown(true);
  const id = await accepted('x402', 10 * 60_000);
  const handle = await start(id);
  await until('needs_attention', id);
  await handle.executeUpdate(resolveUpdate, { args: [{ action: 'retry', ...APPROVED }] });
  sandbox.setDown(false);
  await until('needs_attention', id);
  await record('close-time-settlement/expired', handle);
  await handle.terminate();
});

it('continued after a day', async () => {
  const { handle } = await inAttention();
  const { runId } = await handle.describe();
  await env.sleep('25 hours');
  await record('close-time-settlement/continued-after-a-day', handle, runId);
  await client.workflow.getHandle(handle.workflowId).terminate();
});

it('ledger away at first', async () => {
  claims = () => {
    claims = test.ledger.claimSettlements;
    return Promise.reject(new Error('the ledger is away'));
  };
  await recordEnding('close-time-settlement/ledger-away-at-first', await start(await accepted()));
});

async function batch(shape: string, protocol: Paid, count: number): Promise<void> {
  const ids = await Promise.all(Array.from({ length: count }, () => accepted(protocol)));
  const handle = await client.workflow.start(settleBatch, {
    taskQueue: 'makegood',
    workflowId: `settlements/${ids[0]}`,
    args: [
      {
        settlements: ids.map((settlementId) => ({ settlementId, protocol })),
        settings: workflowInput(ids[0]!, protocol).settings,
      },
    ],
  });
  await recordEnding(shape, handle);
}

it('a batch all settled', () => batch('settle-batch/all-settled', 'x402', 3));

it('some of a batch go on alone', async () => {
  sandbox.setFaults([{ kinds: ['server_error'], times: 2 }]);
  await batch('settle-batch/some-go-on-alone', 'x402', 4);
});

it('a patient batch', () => batch('settle-batch/patient', 'atxp', 2));

it('one pass of the sweep', async () => {
  await recordEnding(
    'sweep/one-pass',
    await client.workflow.start(sweep, {
      taskQueue: 'makegood',
      workflowId: 'settlement-x402-sweep',
      args: ['settlement-x402'],
    }),
  );
});
