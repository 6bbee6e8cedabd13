import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startProcess } from '../../support/processes/start-process.js';
import { served, ticksIn } from '../../support/sessions/paying.js';
import {
  FIXED,
  OUTAGE_LEASE_MS,
  type OutageWorld,
  payUntilServed,
  STREAM,
  startOutageWorld,
} from '../../support/settlements/outage-world.js';
import { until } from '../../support/until.js';

const AHEAD = 5_000;

let world: OutageWorld;
beforeAll(async () => {
  // A stream may run well ahead of the ledger here: what holds its bytes back is then the lease alone.
  world = await startOutageWorld({
    SETTLEMENT_CHECKPOINT_AMOUNT: String(AHEAD),
    SETTLEMENT_CHECKPOINT_INTERVAL: '100ms',
  });
}, 120_000);
afterAll(() => world.end());
afterEach(() => world.healAndCompare(), 80_000);

describe('a server that is stopped past its lease and goes on', () => {
  it('writes no protected byte of its stream any more, which is billed at its last durable amount', async () => {
    const who = await world.buyer(STREAM);
    let seen = '';
    const receiving = who.pay((text) => {
      seen += text;
      if (seen.split('event: tick').length === 7) world.server.kill('SIGSTOP');
    });
    await until('the sweep closes the session', async () => (await who.rows())[0]?.status === 'settled', {
      limitMs: OUTAGE_LEASE_MS + 15_000,
    });
    const [row] = await who.rows();
    const before = seen;
    await world.server.goOn();
    const received = await receiving;
    expect(received.complete).toBe(false);
    expect(seen).toBe(before);
    expect(Number(row?.spent)).toBeGreaterThan(0);
    expect(ticksIn(received) * 1_000 - Number(row?.spent)).toBeLessThanOrEqual(AHEAD);
    expect(Number(row?.spent)).toBeLessThan(10_000);
    expect(row?.delivery).toBe('unknown');
    await payUntilServed(await world.buyer(FIXED));
  });

  it('neither serves nor bills when it was stopped before the commit of its close', async () => {
    const who = await world.buyer(FIXED);
    await world.server.arm({ call: 'ledger.commitSessions.close', moment: 'before', signal: 'SIGSTOP' });
    const receiving = who.pay();
    await until('the sweep releases the session', async () => (await who.rows())[0]?.status === 'released', {
      limitMs: OUTAGE_LEASE_MS + 15_000,
    });
    await world.server.goOn();
    expect(await receiving).toMatchObject({ complete: false, body: '' });
    await payUntilServed(who);
    await world.finished(30_000);
    expect(await who.settled()).toHaveLength(1);
  });

  it('releases no byte when it was stopped between commit and release, and takes the charge back', async () => {
    const who = await world.buyer(FIXED);
    await world.server.arm({ call: 'ledger.commitSessions.close', moment: 'after', signal: 'SIGSTOP' });
    const receiving = who.pay();
    await until('the charge is durable', async () => (await who.rows())[0]?.status === 'pending', { limitMs: 15_000 });
    await wait(OUTAGE_LEASE_MS);
    await world.server.goOn();
    expect(await receiving).toMatchObject({ complete: false, body: '' });
    await world.finished(40_000);
    expect((await who.rows()).map(({ status }) => status)).toEqual(['released']);
    expect(world.sandbox.ledger().debits.filter(({ payer }) => payer === who.payer)).toEqual([]);
    await payUntilServed(await world.buyer(FIXED));
  });
});

describe('a worker that is stopped after its claim', () => {
  it('sends nothing when it goes on after another has sent', async () => {
    const who = await world.buyer(FIXED);
    await world.worker.arm({ call: 'ledger.claimSettlements', moment: 'after', signal: 'SIGSTOP' });
    expect(served(await who.pay())).toBe(true);
    await until('the first worker holds the claim', async () => (await who.rows())[0]?.attempts === 1, {
      limitMs: 10_000,
    });
    const other = await startProcess('worker', world.env);
    try {
      await world.finished(45_000);
    } finally {
      await world.worker.goOn();
      await other.stop();
    }
    const debit = world.sandbox.ledger().debits.find(({ payer }) => payer === who.payer);
    await wait(1_000);
    expect(world.sandbox.calls().keys.find(({ key }) => key === debit?.key)).toMatchObject({ calls: 1 });
  }, 90_000);
});
