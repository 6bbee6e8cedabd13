import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { payerAccount, payerOnLedger } from '../../../sandbox/payer/account.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { createLedger } from '../../../src/ledger/ledger.js';
import { createSealer } from '../../../src/ledger/sealer.js';
import { rereadSignal, resolveSignal } from '../../../workflows/messages.js';
import { atomic, testKey } from '../../support/ledger-fixtures.js';
import { paidSessionRow } from '../../support/settlements/settlement-world.js';
import { decideInLedger } from '../../support/settlements/settling.js';
import { openSettlementTest, type SettlementTest } from '../../support/settlements/time-skipping.js';

const DAY_MS = 24 * 3_600_000;
let skipping: SettlementTest;

beforeEach(async () => {
  skipping = await openSettlementTest({ sealer: createSealer([testKey()]) });
});
afterEach(() => skipping.dispose());

const acceptMany = (count: number) => Promise.all(Array.from({ length: count }, () => skipping.accept()));
const untilAsked = (id: SettlementId) => skipping.untilIn('needs_attention', id);
const statusOf = async (id: SettlementId) => (await skipping.find(id)).status;
const sealedOf = async (id: SettlementId) => {
  const [row] = await skipping.test.database.query<{ sealed: Buffer | null; sealed_key_id: string | null }>(
    'SELECT sealed, sealed_key_id FROM settlements WHERE id = $1',
    [id],
  );
  return row;
};

it('a nudge during an attempt that the breaker held back makes another attempt', async () => {
  const { accept, start, test, sandbox, useLedger, untilSettled, handleOf } = skipping;
  const id = await accept({}, 'atxp');
  let held = true;
  await useLedger({
    ...test.ledger,
    async claimSettlements(...given) {
      if (!held) return await test.ledger.claimSettlements(...given);
      held = false;
      await handleOf(id).signal(rereadSignal);
      return { claimed: [], refused: [{ id, kind: 'waiting', why: 'breaker' }] };
    },
  });
  await start(id, 'atxp');
  await untilSettled(id);
  expect(sandbox.ledger().totals.debits).toBe(1);
});

describe('the sweep starts again', () => {
  it('a charge whose workflow was lost after a failed attempt', async () => {
    const { accept, start, sweep, sandbox, env, untilSettled } = skipping;
    const id = await accept();
    sandbox.setFaults([{ kinds: ['reset_after_commit'], times: 1 }]);
    const handle = await start(id);
    await skipping.untilIn('waiting_to_retry', id);
    await handle.terminate('as if Temporal had forgotten it');
    await env.sleep('1 minute');
    expect(await sweep()).toMatchObject({ started: 1, batches: 0 });
    await untilSettled(id);
    expect(sandbox.ledger().totals).toEqual({ debits: 1, debited: '3000' });
  });

  it('a charge that nobody ever dispatched, and not before its server had the time to', async () => {
    const { accept, sweep, env, untilSettled } = skipping;
    const id = await accept();
    expect(await sweep()).toMatchObject({ started: 0 });
    await env.sleep('16 seconds');
    expect(await sweep()).toMatchObject({ started: 1 });
    await untilSettled(id);
  });

  it('a workflow for an item that waits for a person, so that a signal finds one', async () => {
    const { accept, start, sweep, sandbox, env, handleOf, untilSettled } = skipping;
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
    expect(sandbox.ledger().totals.debits).toBe(1);
  });

  it('a workflow that still waits for a person whose decision it was never told', async () => {
    const { accept, start, sweep, sandbox, test, env, untilSettled } = skipping;
    const id = await accept();
    sandbox.setFaults([{ kinds: ['refused'], times: 1 }]);
    await start(id);
    await untilAsked(id);
    await decideInLedger(test.ledger, id, 'retry');
    await env.sleep('1 minute');
    await sweep();
    await untilSettled(id);
    expect(sandbox.ledger().totals.debits).toBe(1);
  });

  it('a charge past its expiry once, and then asks a person', async () => {
    const { accept, sweep, sandbox, env, handleOf } = skipping;
    const id = await accept({ validForMs: 60_000 });
    await env.sleep('2 minutes');
    await sweep();
    await untilAsked(id);
    const settlement = await skipping.find(id);
    expect(settlement).toMatchObject({ attempts: 1, attention: { reason: 'credential_expired' } });
    expect(sandbox.calls().totals.settleCalls).toBe(1);
    await handleOf(id).terminate();
  });
});

describe('sessions of a dead server', () => {
  it('are closed at their last durable amount, and that amount is collected', async () => {
    const { sweep, sandbox, test, env, untilSettled } = skipping;
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
    expect(await skipping.find(charged.id)).toMatchObject({ spent: '4000', delivery: 'unknown' });
  });

  it('are closed also when one of them cannot be read, of which a person is asked once', async () => {
    const { sweep, test, env } = skipping;
    const lease = await test.ledger.takeLease('dies', 30_000);
    const [poison, good] = await Promise.all([paidSessionRow(lease), paidSessionRow(lease)]);
    for (const session of [poison, good]) await test.ledger.openSession(session);
    await test.database.query(`UPDATE settlements SET sealed = '\\x00' WHERE id = $1`, [poison.id]);
    await env.sleep('31 seconds');
    expect(await sweep()).toMatchObject({ sessionsClosed: 2 });
    expect(await statusOf(good.id)).toBe('released');
    expect(await skipping.find(poison.id)).toMatchObject({
      status: 'needs_attention',
      certainty: 'not_sent',
      attention: { reason: 'unreadable_session' },
    });
    // What the alert of everything that waits for a person is made of.
    expect((await test.ledger.figures()).needsAttention).toContainEqual(
      expect.objectContaining({ kind: 'settlement', reason: 'unreadable_session', count: 1 }),
    );
    await env.sleep('1 minute');
    expect(await sweep()).toMatchObject({ sessionsClosed: 0 });
    expect(skipping.world.logger.lines.filter((line) => line.level === 'error')).toHaveLength(1);
    const decided = (action: 'retry' | 'write_off') =>
      test.ledger.decide({
        id: crypto.randomUUID() as never,
        kind: 'settlement',
        itemId: poison.id,
        action,
        by: 'ann',
        note: 'the key is lost',
        authenticated: true,
        evidence: null,
        verified: { kind: 'not_needed' },
      } as never);
    // Looked at again, by the next sweep at the latest.
    expect(await decided('retry')).toMatchObject({ kind: 'applied', status: 'needs_attention' });
    expect(await decided('write_off')).toMatchObject({ kind: 'applied', status: 'written_off' });
  });

  it('that could not be read go on by themselves when their key is back, at their last durable amount', async () => {
    const { sweep, test, env, untilSettled, sandbox } = skipping;
    const lease = await test.ledger.takeLease('dies', 30_000);
    const charged = await paidSessionRow(lease);
    await test.ledger.openSession(charged);
    const change = {
      kind: 'checkpoint',
      id: charged.id,
      lease,
      closeToken: charged.closeToken,
      spent: '4000',
    } as never;
    expect(await test.ledger.commitSessions([change])).toEqual(['committed']);
    const sealed = await sealedOf(charged.id);
    await test.database.query(`UPDATE settlements SET sealed = '\\x00' WHERE id = $1`, [charged.id]);
    await env.sleep('31 seconds');
    await sweep();
    expect(await statusOf(charged.id)).toBe('needs_attention');
    expect(sandbox.calls().totals.settleCalls).toBe(0);
    await test.database.query('UPDATE settlements SET sealed = $2 WHERE id = $1', [charged.id, sealed?.sealed]);
    await sweep();
    await untilSettled(charged.id);
    expect(sandbox.ledger().totals).toEqual({ debits: 1, debited: '4000' });
  });

  it('that could not be read and had charged nothing are released when their key is back', async () => {
    const { sweep, test, env } = skipping;
    const lease = await test.ledger.takeLease('dies', 30_000);
    const free = await paidSessionRow(lease);
    await test.ledger.openSession(free);
    const sealed = await sealedOf(free.id);
    await test.database.query(`UPDATE settlements SET sealed = '\\x00' WHERE id = $1`, [free.id]);
    await env.sleep('31 seconds');
    await sweep();
    expect(await statusOf(free.id)).toBe('needs_attention');
    await test.database.query('UPDATE settlements SET sealed = $2 WHERE id = $1', [free.id, sealed?.sealed]);
    expect(await sweep()).toMatchObject({ sessionsClosed: 1 });
    expect(await skipping.find(free.id)).toMatchObject({ status: 'released', attention: null });
  });
});

describe('while a breaker is open', () => {
  it('only probes reach the provider, other providers are served, and all is collected when it is well again', async () => {
    const { accept, start, sweep, sandbox, test, env, untilSettled, until } = skipping;
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
    const { accept, start, sweep, sandbox, env, handleOf, untilSettled } = skipping;
    const poor = payerOnLedger(payerAccount('poor'), 'x402');
    await sandbox.setBalance(poor, 0n);
    const first = await accept({ payer: 'poor' });
    const second = await accept({ payer: 'poor' });
    await start(first);
    await untilAsked(first);
    expect(await (await start(second)).result()).toMatchObject({ kind: 'waiting', why: 'blocked' });
    const calls = sandbox.calls().totals.settleCalls;
    await env.sleep('1 hour');
    // The one that waits for a person, so that it has a workflow; not the one behind it.
    expect(await sweep()).toMatchObject({ started: 1 });
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
    const { start, sweep, sandbox, test, handleOf, untilSettled } = skipping;
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
    expect(await skipping.find(waiting!)).toMatchObject({
      status: 'needs_attention',
      attention: { reason: 'credential_expired' },
    });
  });

  it('move to the newest key, past one that cannot be read, so that the old key can be taken away', async () => {
    const { sweep, test } = skipping;
    const ids = await acceptMany(4);
    const poison = ids[0]!;
    await test.database.query(
      `UPDATE settlements SET sealed = '\\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e' WHERE id = $1`,
      [poison],
    );
    const rotated = createSealer([testKey('2', 9), testKey()]);
    const { database, clock } = test;
    const ledger = createLedger({ database, clock, sealer: rotated, approvalThreshold: 0n });
    await skipping.useLedger(ledger);
    expect((await sweep()).resealed).toBe(3);
    const rows = await Promise.all(ids.map(sealedOf));
    expect(rows.map((row) => row?.sealed_key_id)).toEqual(['1', '2', '2', '2']);
    const alone = createLedger({ database, clock, sealer: createSealer([testKey('2', 9)]), approvalThreshold: 0n });
    expect(await alone.missingKeyIds()).toEqual(['1']);
    const { claimed } = await alone.claimSettlements(ids.slice(1), 'me', 1_000);
    expect(claimed).toHaveLength(3);
  });
});
