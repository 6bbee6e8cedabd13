import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SettlementId } from '../../../src/domain/ids.js';
import { settleBatch } from '../../../workflows/index.js';
import { resolveSignal } from '../../../workflows/messages.js';
import { TIMINGS } from '../../support/settlements/settlement-world.js';
import { decideInLedger } from '../../support/settlements/settling.js';
import { openSettlementTest, type SettlementTest } from '../../support/settlements/time-skipping.js';

let skipping: SettlementTest;

beforeEach(async () => {
  skipping = await openSettlementTest();
});
afterEach(() => skipping.dispose());

const acceptMany = (count: number, protocol: 'x402' | 'atxp' = 'x402') =>
  Promise.all(Array.from({ length: count }, () => skipping.accept({}, protocol)));

const runBatch = (ids: readonly SettlementId[], protocol: 'x402' | 'atxp' = 'x402') =>
  skipping.client.workflow.execute(settleBatch, {
    taskQueue: skipping.world.taskQueue,
    workflowId: `settlements/${ids[0]}`,
    args: [{ settlements: ids.map((settlementId) => ({ settlementId, protocol })), settings: TIMINGS }],
  });
const statusesOf = async (ids: readonly SettlementId[]) =>
  (await Promise.all(ids.map(skipping.find))).map((settlement) => settlement.status);
const spoil = (id: SettlementId) =>
  skipping.test.database.query(`UPDATE settlements SET sealed = '\\x00' WHERE id = $1`, [id]);

describe('a shared workflow', () => {
  it('settles all of its rows at one attempt each', async () => {
    const ids = await acceptMany(20);
    expect(await runBatch(ids)).toEqual({ settled: 20, left: 0 });
    expect(skipping.sandbox.calls().totals).toMatchObject({ settleCalls: 20, overlaps: 0 });
    expect(skipping.sandbox.ledger().totals).toEqual({ debits: 20, debited: '60000' });
  });

  it('waits patiently for a protocol that is known to be slow', async () => {
    const ids = await acceptMany(3, 'atxp');
    skipping.sandbox.setFaults([{ kinds: ['slow'], ms: 4_300 }]);
    expect(await runBatch(ids, 'atxp')).toEqual({ settled: 3, left: 0 });
    expect(skipping.sandbox.calls().totals.settleCalls).toBe(3);
  });

  it('leaves each row that does not settle to a workflow of its own, which goes on to the end', async () => {
    const { sandbox, untilSettled, handleOf, find } = skipping;
    const ids = await acceptMany(8);
    sandbox.setFaults([{ kinds: ['server_error', 'reset_after_commit', 'invalid_json'], times: 3 }]);
    expect(await runBatch(ids)).toEqual({ settled: 5, left: 3 });
    await untilSettled(...ids);
    expect(sandbox.ledger().totals).toEqual({ debits: 8, debited: '24000' });
    expect(sandbox.calls().totals).toMatchObject({ settleCalls: 11, overlaps: 0, keysWithDifferingBodies: 0 });
    const hard = (await Promise.all(ids.map(find))).filter((settlement) => settlement.attempts > 1);
    expect(hard).toHaveLength(3);
    // The ledger knows of the settlement a moment before the workflow has ended.
    for (const { id } of hard) {
      await skipping.until(
        'its workflow ends',
        async () => (await handleOf(id).describe()).status.name === 'COMPLETED',
      );
    }
  });

  it('never leaves an item that needs a person without a workflow that takes his decision', async () => {
    const { test, sandbox, untilIn, untilSettled, find, handleOf } = skipping;
    const ids = await acceptMany(6);
    // As the sweep notes it when it starts them together.
    await test.database.query('UPDATE settlements SET workflow_id = $1', [`settlements/${ids[0]}`]);
    sandbox.setFaults([{ kinds: ['refused'], times: 2 }]);
    expect(await runBatch(ids)).toEqual({ settled: 4, left: 2 });
    const asked = (await Promise.all(ids.map(find))).filter((settlement) => settlement.status === 'needs_attention');
    expect(asked).toHaveLength(2);
    for (const { id, workflowId } of asked) {
      expect(workflowId).toBe(`settlement/${id}`);
      await untilIn('needs_attention', id);
      await handleOf(id).signal(resolveSignal, { action: 'retry', by: 'ann', note: 'again' });
    }
    await untilSettled(...ids);
  });

  it('nudges the workflow it finds waiting for a person when the row is to be tried again', async () => {
    const { sandbox, accept, start, untilIn, untilSettled, test } = skipping;
    const id = await accept();
    sandbox.setFaults([{ kinds: ['refused'], times: 1 }]);
    await start(id);
    await untilIn('needs_attention', id);
    await decideInLedger(test.ledger, id, 'retry');
    sandbox.setFaults([{ kinds: ['server_error'], times: 1 }]);
    expect(await runBatch([id])).toEqual({ settled: 0, left: 1 });
    await untilSettled(id);
  });
});

describe('one poison row', () => {
  it('that cannot be decrypted never delays the others', async () => {
    const ids = await acceptMany(10);
    await spoil(ids[4]!);
    expect(await runBatch(ids)).toEqual({ settled: 9, left: 1 });
    expect(await statusesOf(ids.filter((id) => id !== ids[4]))).toEqual(Array.from({ length: 9 }, () => 'settled'));
    expect(skipping.sandbox.calls().totals.settleCalls).toBe(9);
    // Nothing was sent of it, and it does not wait in silence.
    expect(await skipping.find(ids[4]!)).toMatchObject({
      status: 'needs_attention',
      certainty: 'not_sent',
      attention: { reason: 'unreadable_session', detail: expect.stringContaining('nothing was sent') },
    });
    await skipping.handleOf(ids[4]!).terminate();
  });

  it('whose outcome the ledger does not take never delays the others, and is not lost', async () => {
    const { test, sandbox, useLedger, untilIn, untilSettled } = skipping;
    const ids = await acceptMany(10);
    let refusals = 2;
    let poison: SettlementId | undefined;
    await useLedger({
      ...test.ledger,
      recordAttempts: (outcomes) => {
        // Not the one that the auth server refuses: which that is, the order of arrival decides.
        poison ??= outcomes.find(({ answer }) => answer.kind === 'done')?.id;
        if (!outcomes.some(({ id }) => id === poison) || refusals === 0) return test.ledger.recordAttempts(outcomes);
        refusals -= 1;
        return Promise.reject(new Error('the ledger did not take it'));
      },
    });
    sandbox.setFaults([{ kinds: ['refused'], times: 1 }]);
    const { settled, left } = await runBatch(ids);
    expect([settled, left]).toEqual([8, 2]);
    const asked = (await statusesOf(ids)).indexOf('needs_attention');
    await untilIn('needs_attention', ids[asked]!);
    await untilSettled(poison!);
    expect(sandbox.ledger().totals.debits).toBe(9);
    await skipping.handleOf(ids[asked]!).terminate();
  });

  it('among a backlog is passed by: the sweep drains all the others, of every protocol', async () => {
    const { test, sandbox, env, sweep, until, useLedger } = skipping;
    const [cards, tokens] = await Promise.all([acceptMany(60), acceptMany(15, 'atxp')]);
    const [poison, ...others] = cards;
    await spoil(poison!);
    await env.sleep('20 seconds');
    // A backlog above the threshold, whatever is left of it.
    await useLedger({ ...test.ledger, crowded: () => Promise.resolve(['auth-server:x402', 'auth-server:atxp']) });
    // On a busy machine the time of a pass is up before all of them are started.
    let batches = 0;
    for (let started = 1; started > 0; ) {
      const report = await sweep();
      started = report['started'] ?? 0;
      batches += report['batches'] ?? 0;
    }
    expect(batches).toBeGreaterThanOrEqual(3);
    // What a busy machine has not ended before the clock is moved has its time taken away: the next pass finds it, as it does a minute later.
    await until('all the others are settled', async () => {
      const left = (await statusesOf([...others, ...tokens])).filter((status) => status !== 'settled');
      if (left.length > 0) await sweep();
      return left.length === 0;
    });
    expect(sandbox.ledger().totals.debits).toBe(74);
    await skipping.handleOf(poison!).terminate();
  });
});

it('a shared workflow that finds the ledger away leaves every row to the sweep', async () => {
  const { test, env, sweep, untilSettled, useLedger } = skipping;
  const ids = await acceptMany(5);
  let away = true;
  await useLedger({
    ...test.ledger,
    claimSettlements: (...given) =>
      away ? Promise.reject(new Error('the ledger is away')) : test.ledger.claimSettlements(...given),
  });
  expect(await runBatch(ids)).toEqual({ settled: 0, left: 0 });
  away = false;
  await env.sleep('20 seconds');
  expect(await sweep()).toMatchObject({ started: 5 });
  await untilSettled(...ids);
});
