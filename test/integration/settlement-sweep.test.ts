import { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SettlementId } from '../../src/domain/ids.js';
import { settlementWorkflowId } from '../../src/domain/workflow-ids.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { createSealer } from '../../src/ledger/sealer.js';
import { addSearchAttributes } from '../../src/orchestration/prepare-temporal.js';
import { type Sandbox, startSandbox } from '../../src/sandbox/auth-server/start.js';
import { payerAccount, payerOnLedger } from '../../src/sandbox/payer/account.js';
import { closeTimeSettlement, settlementSweep } from '../../workflows/index.js';
import { resolveSignal, type SettlementState, stateQuery } from '../../workflows/messages.js';
import { atomic, openTestLedger, type TestLedger, testKey } from '../support/ledger-fixtures.js';
import {
  type PaidOptions,
  paidSessionRow,
  paidSettlement,
  type SettlementWorld,
  startWorld,
  workflowInput,
} from '../support/settlement-world.js';
import { timeSkippingServer } from '../support/temporal.js';

const DAY_MS = 24 * 3_600_000;
const sealer = createSealer([testKey()]);
let env: TestWorkflowEnvironment;
/** Not the environment's own: that one skips time while it waits for a result, over a day where somebody waits for a person. */
let client: Client;
let test: TestLedger;
let sandbox: Sandbox;
let world: SettlementWorld;

// A server for each test: what one leaves behind, a terminated workflow above all, would stop the clock of the next.
beforeEach(async () => {
  env = await TestWorkflowEnvironment.createTimeSkipping({ server: timeSkippingServer() });
  client = new Client({ connection: env.connection });
  await addSearchAttributes(client, 'default');
  test = await openTestLedger({ sealer });
  const behindMs = (await env.currentTimeMs()) - test.clock.nowMs();
  if (behindMs > 0) test.clock.advance(behindMs);
  sandbox = await startSandbox({ clock: test.clock });
  world = await startWorld({
    connection: env.nativeConnection,
    client,
    ledger: test.ledger,
    authServerUrl: sandbox.url,
    taskQueue: `q-${crypto.randomUUID()}`,
    follow: { clock: test.clock, nowMs: () => env.currentTimeMs() },
  });
});
afterEach(async () => {
  await world.stop();
  await sandbox.close();
  await test.dispose();
  await env.teardown();
});

async function accept(options: PaidOptions = {}, protocol: 'x402' | 'atxp' = 'x402'): Promise<SettlementId> {
  const settlement = await paidSettlement(protocol, { nowMs: test.clock.nowMs(), validForMs: DAY_MS, ...options });
  await test.ledger.createSettlement(settlement);
  return settlement.id;
}
const acceptMany = (count: number, protocol: 'x402' | 'atxp' = 'x402') =>
  Promise.all(Array.from({ length: count }, () => accept({}, protocol)));

const start = (id: SettlementId, protocol: 'x402' | 'atxp' = 'x402') =>
  client.workflow.start(closeTimeSettlement, {
    taskQueue: world.taskQueue,
    workflowId: settlementWorkflowId(id),
    args: [workflowInput(id, protocol)],
  });
const sweep = () =>
  client.workflow.execute(settlementSweep, {
    taskQueue: world.taskQueue,
    workflowId: `sweep-${crypto.randomUUID()}`,
  });
const handleOf = (id: SettlementId) => client.workflow.getHandle(settlementWorkflowId(id));
const statusOf = async (id: SettlementId) => (await test.ledger.findSettlement(id))?.status;
const sealedOf = async (id: SettlementId) => {
  const [row] = await test.database.query<{ sealed: Buffer | null; sealed_key_id: string | null }>(
    'SELECT sealed, sealed_key_id FROM settlements WHERE id = $1',
    [id],
  );
  return row;
};

/** Moves the one clock on, by more each time, whenever nothing has come of it for a while. */
async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let seconds = 1; seconds <= 256; seconds *= 2) {
    for (let looks = 0; looks < 20; looks += 1) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await env.sleep(seconds * 1000);
  }
  throw new Error(`it never came true that ${what}`);
}
const untilSettled = (...ids: SettlementId[]) =>
  until('all are settled', async () => (await Promise.all(ids.map(statusOf))).every((status) => status === 'settled'));
/** Asked of the workflow: a terminated one whose task is still at work would stop the test server's clock for good. */
const untilIn = (phase: SettlementState['phase'], id: SettlementId) =>
  until(`it is ${phase}`, async () => (await handleOf(id).query(stateQuery)).phase === phase);
const untilAsked = (id: SettlementId) => untilIn('needs_attention', id);

describe('the sweep starts again', () => {
  it('a charge whose workflow was lost after a failed attempt', async () => {
    const id = await accept();
    sandbox.setFaults([{ kinds: ['reset_after_commit'], times: 1 }]);
    const handle = await start(id);
    await untilIn('waiting_to_retry', id);
    await handle.terminate('as if Temporal had forgotten it');
    await env.sleep('1 minute');
    expect(await sweep()).toMatchObject({ started: 1, batches: 0 });
    await untilSettled(id);
    expect(sandbox.ledger().totals).toEqual({ debits: 1, debited: '3000' });
  });

  it('a charge that nobody ever dispatched, and not before its server had the time to', async () => {
    const id = await accept();
    expect(await sweep()).toMatchObject({ started: 0 });
    await env.sleep('16 seconds');
    expect(await sweep()).toMatchObject({ started: 1 });
    await untilSettled(id);
  });

  it('a workflow for an item that waits for a person, so that a signal finds one', async () => {
    const id = await accept();
    sandbox.setFaults([{ kinds: ['refused'], times: 1 }]);
    const handle = await start(id);
    await untilAsked(id);
    await handle.terminate('as if Temporal had forgotten it');
    await env.sleep('2 minutes');
    await sweep();
    await untilAsked(id);
    await handleOf(id).signal(resolveSignal, { action: 'retry', by: 'ann', note: 'again' });
    await untilSettled(id);
  });

  it('a workflow that still waits for a person whose decision it was never told', async () => {
    const id = await accept();
    sandbox.setFaults([{ kinds: ['refused'], times: 1 }]);
    await start(id);
    await untilAsked(id);
    const request = { action: 'retry', by: 'ann', authenticated: true, note: 'again', evidence: null } as const;
    await test.ledger.decide({ id: crypto.randomUUID() as never, settlementId: id, ...request });
    await env.sleep('1 minute');
    await sweep();
    await untilSettled(id);
  });

  it('a charge past its expiry once, and then asks a person', async () => {
    const id = await accept({ validForMs: 60_000 });
    await env.sleep('2 minutes');
    await sweep();
    await untilAsked(id);
    const settlement = await test.ledger.findSettlement(id);
    expect(settlement).toMatchObject({ attempts: 1, attention: { reason: 'credential_expired' } });
    expect(sandbox.calls().totals.settleCalls).toBe(1);
    await handleOf(id).terminate();
  });
});

describe('sessions of a dead server', () => {
  it('are closed at their last durable amount, and that amount is collected', async () => {
    const lease = await test.ledger.takeLease('dies', 30_000);
    const charged = await paidSessionRow(lease, { nowMs: test.clock.nowMs() });
    const untouched = await paidSessionRow(lease, { nowMs: test.clock.nowMs() });
    for (const session of [charged, untouched]) expect(await test.ledger.openSession(session)).toBe('opened');
    const { id, closeToken } = charged;
    await test.ledger.commitSessions([{ kind: 'checkpoint', id, lease, closeToken, spent: atomic(4_000) }]);

    expect(await sweep()).toMatchObject({ sessionsClosed: 0 });
    await env.sleep('31 seconds');
    expect(await sweep()).toMatchObject({ sessionsClosed: 2, started: 1 });
    await untilSettled(charged.id);
    expect(await statusOf(untouched.id)).toBe('released');
    expect(sandbox.ledger().totals).toEqual({ debits: 1, debited: '4000' });
    expect(await test.ledger.findSettlement(charged.id)).toMatchObject({ spent: '4000', delivery: 'unknown' });
  });

  it('are closed also when one of them cannot be read', async () => {
    const lease = await test.ledger.takeLease('dies', 30_000);
    const [poison, good] = await Promise.all([paidSessionRow(lease), paidSessionRow(lease)]);
    for (const session of [poison, good]) await test.ledger.openSession(session);
    await test.database.query(`UPDATE settlements SET sealed = '\\x00' WHERE id = $1`, [poison.id]);
    await env.sleep('31 seconds');
    expect(await sweep()).toMatchObject({ sessionsClosed: 1 });
    expect(await statusOf(good.id)).toBe('released');
    expect(await statusOf(poison.id)).toBe('open');
    expect(world.logger.lines.filter((line) => line.level === 'error')).toHaveLength(1);
  });
});

describe('while a breaker is open', () => {
  it('only probes reach the provider, other providers are served, and all is collected when it is well again', async () => {
    sandbox.setDown(true, ['x402']);
    const ids = await acceptMany(12);
    await Promise.all(ids.map((id) => start(id)));
    await until('the breaker is open', async () => (await test.ledger.openBreakers()).length === 1);
    const other = await accept({}, 'atxp');
    const before = sandbox.calls().totals.settleCalls;
    for (let pass = 0; pass < 5; pass += 1) {
      await env.sleep('1 minute');
      await sweep();
    }
    await untilSettled(other);
    // five minutes; after the first seconds one probe in 30 s, and here one or two with each pass
    expect(sandbox.calls().totals.settleCalls - before - 1).toBeLessThanOrEqual(12);
    sandbox.setDown(false);
    await env.sleep('1 minute');
    await sweep();
    await sweep();
    await untilSettled(...ids);
    expect(await test.ledger.openBreakers()).toEqual([]);
    expect(sandbox.ledger().totals).toEqual({ debits: 13, debited: '39000' });
    expect(sandbox.calls().totals).toMatchObject({ overlaps: 0, keysWithDifferingBodies: 0 });
  });
});

describe('a payer who cannot pay', () => {
  it('is one question for a person; his further charges wait behind it and are collected after it', async () => {
    const poor = payerOnLedger(payerAccount('poor'), 'x402');
    await sandbox.setBalance(poor, 0n);
    const first = await accept({ payer: 'poor' });
    const second = await accept({ payer: 'poor' });
    await start(first);
    await untilAsked(first);
    expect(await (await start(second)).result()).toMatchObject({ kind: 'waiting', why: 'blocked' });
    const calls = sandbox.calls().totals.settleCalls;
    await env.sleep('1 hour');
    await sweep();
    expect(await statusOf(second)).toBe('pending');
    expect(sandbox.calls().totals.settleCalls).toBe(calls);

    await sandbox.setBalance(poor, 1_000_000n);
    await handleOf(first).signal(resolveSignal, { action: 'retry', by: 'ann', note: 'he has paid in' });
    await untilSettled(first);
    expect(await sweep()).toMatchObject({ unblocked: 1, started: 1 });
    await untilSettled(second);
  });
});

describe('secrets', () => {
  it('are gone a week after the expiry, and the charge that still waited becomes a question', async () => {
    const [waiting, asked, settled] = await acceptMany(3);
    sandbox.setFaults([{ kinds: ['refused'], times: 1 }]);
    await start(asked!);
    await untilAsked(asked!);
    await start(settled!);
    await untilSettled(settled!);
    expect((await sealedOf(settled!))?.sealed).toBeNull();
    await handleOf(asked!).terminate();
    sandbox.setDown(true);

    test.clock.advance(8 * DAY_MS - 600_000);
    expect((await sweep()).erased).toBe(0);
    await handleOf(waiting!).terminate();
    test.clock.advance(600_000);
    expect((await sweep()).erased).toBe(2);
    for (const id of [waiting!, asked!]) expect(await sealedOf(id)).toEqual({ sealed: null, sealed_key_id: null });
    expect(await test.ledger.findSettlement(waiting!)).toMatchObject({
      status: 'needs_attention',
      attention: { reason: 'credential_expired' },
    });
  });

  it('move to the newest key, past one that cannot be read, so that the old key can be taken away', async () => {
    const ids = await acceptMany(4);
    const poison = ids[0]!;
    await test.database.query(
      `UPDATE settlements SET sealed = '\\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e' WHERE id = $1`,
      [poison],
    );
    const rotated = createSealer([testKey('2', 9), testKey()]);
    const { database, clock } = test;
    const ledger = createLedger({ database, clock, sealer: rotated, approvalThreshold: 0n });
    await world.stop();
    world = await startWorld({
      connection: env.nativeConnection,
      client,
      ledger,
      authServerUrl: sandbox.url,
      taskQueue: world.taskQueue,
    });
    expect((await sweep()).resealed).toBe(3);
    const rows = await Promise.all(ids.map(sealedOf));
    expect(rows.map((row) => row?.sealed_key_id)).toEqual(['1', '2', '2', '2']);
    const alone = createLedger({ database, clock, sealer: createSealer([testKey('2', 9)]), approvalThreshold: 0n });
    expect(await alone.missingKeyIds()).toEqual(['1']);
    const { claimed } = await alone.claimSettlements(ids.slice(1), 'me', 1_000);
    expect(claimed).toHaveLength(3);
  });
});
