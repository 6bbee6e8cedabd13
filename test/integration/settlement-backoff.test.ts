import { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SettlementId } from '../../src/domain/ids.js';
import { settlementWorkflowId } from '../../src/domain/workflow-ids.js';
import { addSearchAttributes } from '../../src/orchestration/prepare-temporal.js';
import { type Sandbox, startSandbox } from '../../src/sandbox/auth-server/start.js';
import { closeTimeSettlement } from '../../workflows/index.js';
import { resolveSignal, stateQuery } from '../../workflows/messages.js';
import { openTestLedger, type TestLedger } from '../support/ledger-fixtures.js';
import { paidSettlement, type SettlementWorld, startWorld, workflowInput } from '../support/settlement-world.js';
import { timeSkippingServer } from '../support/temporal.js';

let env: TestWorkflowEnvironment;
let test: TestLedger;
let sandbox: Sandbox;
let world: SettlementWorld;

beforeAll(async () => {
  env = await TestWorkflowEnvironment.createTimeSkipping({ server: timeSkippingServer() });
  await addSearchAttributes(env.client, 'default');
});
afterAll(() => env.teardown());
beforeEach(async () => {
  test = await openTestLedger();
  const behindMs = (await env.currentTimeMs()) - test.clock.nowMs();
  if (behindMs > 0) test.clock.advance(behindMs);
  sandbox = await startSandbox({ clock: test.clock });
  world = await startWorld({
    connection: env.nativeConnection,
    client: env.client,
    ledger: test.ledger,
    authServerUrl: sandbox.url,
    taskQueue: `q-${crypto.randomUUID()}`,
    // Every task replays its history from the start, so that non-determinism shows here.
    worker: { maxCachedWorkflows: 0 },
    follow: { clock: test.clock, nowMs: () => env.currentTimeMs() },
  });
});
afterEach(async () => {
  await world.stop();
  await sandbox.close();
  await test.dispose();
});

async function accept(validForMs = 24 * 3_600_000, protocol: 'x402' | 'atxp' = 'x402'): Promise<SettlementId> {
  const settlement = await paidSettlement(protocol, { nowMs: test.clock.nowMs(), validForMs });
  await test.ledger.createSettlement(settlement);
  return settlement.id;
}
const start = (id: SettlementId, protocol: 'x402' | 'atxp' = 'x402') =>
  env.client.workflow.start(closeTimeSettlement, {
    taskQueue: world.taskQueue,
    workflowId: settlementWorkflowId(id),
    args: [workflowInput(id, protocol)],
  });

/** Seconds decided between the sends of one settlement; each next send really waited for that long. */
async function waitsOf(id: SettlementId): Promise<number[]> {
  const rows = await test.database.query<{ kind: string; at: Date; after_ms: number | null }>(
    `SELECT kind, at, (detail ->> 'after_ms')::float8 AS after_ms FROM operation_events
     WHERE item_id = $1 AND kind IN ('sent', 'answered') ORDER BY seq`,
    [id],
  );
  const waits = rows.flatMap((row, index) => {
    const sent = rows[index + 1];
    if (row.kind !== 'answered' || row.after_ms === null || sent === undefined) return [];
    expect(sent.at.getTime() - row.at.getTime()).toBeGreaterThanOrEqual(row.after_ms - 50);
    return [Math.round(row.after_ms / 1000)];
  });
  return waits;
}

/** Moves the one clock on until a person is asked. */
async function untilAttention(id: SettlementId): Promise<void> {
  for (let minutes = 0; minutes < 60; minutes += 1) {
    if ((await test.ledger.findSettlement(id))?.status === 'needs_attention') return;
    await env.sleep('1 minute');
  }
  throw new Error('nobody was asked within an hour');
}

describe('the waits between attempts', () => {
  it('double from one second to five minutes, and the charge is collected once', async () => {
    const id = await accept();
    sandbox.setFaults([{ kinds: ['server_error'], times: 11 }]);
    const outcome = await (await start(id)).result();
    expect(outcome).toMatchObject({ kind: 'final', status: 'settled' });
    expect(await waitsOf(id)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    expect(sandbox.ledger().totals).toEqual({ debits: 1, debited: '3000' });
    const [call] = sandbox.calls().keys;
    expect(call).toMatchObject({ calls: 12 });
  });

  it('follow the provider’s Retry-After when it is longer', async () => {
    const id = await accept();
    sandbox.setFaults([{ kinds: ['rate_limited'], times: 1, retryAfterSeconds: 40 }]);
    await (await start(id)).result();
    expect(await waitsOf(id)).toEqual([40]);
  });

  it('end at the expiry with one last attempt, and then a person is asked', async () => {
    const id = await accept(10 * 60_000);
    sandbox.setDown(true);
    const handle = await start(id);
    await untilAttention(id);
    expect(await test.ledger.findSettlement(id)).toMatchObject({
      certainty: 'unknown',
      attention: { reason: 'credential_expired' },
    });
    const waits = await waitsOf(id);
    const lastBefore = waits.slice(0, -1).reduce((sum, wait) => sum + wait, 0);
    expect(lastBefore).toBeGreaterThan(580);
    expect(lastBefore).toBeLessThan(600);
    expect(await handle.query(stateQuery)).toMatchObject({ phase: 'needs_attention', reason: 'credential_expired' });
    await handle.terminate();
  });

  it('go on after an operator’s retry, and the decision is recorded', async () => {
    const id = await accept();
    sandbox.setFaults([{ kinds: ['refused'], times: 1 }]);
    const handle = await start(id);
    await untilAttention(id);
    await handle.signal(resolveSignal, { action: 'retry', by: 'ann', note: 'the provider was mistaken' });
    expect(await handle.result()).toMatchObject({ kind: 'final', status: 'settled' });
    const decisions = await test.database.query(
      'SELECT action, by, authenticated, state FROM decisions WHERE item_id = $1',
      [id],
    );
    expect(decisions).toEqual([{ action: 'retry', by: 'ann', authenticated: false, state: 'applied' }]);
  });

  it('never log a failure when a slow provider answers within its time', async () => {
    const id = await accept(undefined, 'atxp');
    sandbox.setFaults([{ kinds: ['slow'], ms: 6_000, times: 1 }]);
    expect(await (await start(id, 'atxp')).result()).toMatchObject({ kind: 'final', status: 'settled' });
    expect(world.logger.lines.filter((line) => line.message.includes('settle_failed_at_close'))).toEqual([]);
    expect(await waitsOf(id)).toEqual([]);
  });
});
