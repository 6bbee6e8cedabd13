import { beforeEach, describe, expect, it } from 'vitest';
import type { Lease } from '../../../../src/ledger/settlements/settlement-types.js';
import { aSession, atomic, ledgerForTest, type TestLedger } from '../../../support/ledger-fixtures.js';

let test: TestLedger;
let lease: Lease;
beforeEach(async () => {
  test = await ledgerForTest();
  lease = await test.ledger.takeLease('test', 60_000);
});

const closing = (session: ReturnType<typeof aSession>) => ({
  ...session,
  kind: 'close' as const,
  by: 'end' as const,
  spent: atomic(3_000),
  body: '{}',
  delivery: 'unknown' as const,
});

describe('a session that its living server gave up', () => {
  it('is closed by the next sweep at its last durable amount', async () => {
    const session = aSession(lease);
    await test.ledger.openSession(session);
    await test.ledger.commitSessions([{ ...session, kind: 'checkpoint', spent: atomic(2_000) }]);
    expect(await test.ledger.abandonedSessions(10)).toEqual([]);
    await test.ledger.giveUpSessions([session]);
    expect(await test.ledger.abandonedSessions(10)).toMatchObject([{ id: session.id, spent: '2000' }]);
  });

  it('stays as it is when its close was in the ledger after all', async () => {
    const session = aSession(lease);
    await test.ledger.openSession(session);
    expect(await test.ledger.commitSessions([closing(session)])).toEqual(['committed']);
    await test.ledger.giveUpSessions([session]);
    expect(await test.ledger.abandonedSessions(10)).toEqual([]);
    expect(await test.ledger.findSettlement(session.id)).toMatchObject({ status: 'pending', spent: '3000' });
  });

  it('is nobody else’s: another close token gives nothing up', async () => {
    const session = aSession(lease);
    await test.ledger.openSession(session);
    await test.ledger.giveUpSessions([{ id: session.id, closeToken: crypto.randomUUID() }]);
    expect(await test.ledger.abandonedSessions(10)).toEqual([]);
  });
});

it('an identity is used until its session was released', async () => {
  const session = aSession(lease);
  expect(await test.ledger.findEarlierUse(session.identity)).toBeUndefined();
  await test.ledger.openSession(session);
  expect(await test.ledger.findEarlierUse(session.identity)).toMatchObject({ id: session.id });
  await test.ledger.commitSessions([{ ...closing(session), body: null, delivery: null, spent: atomic(0) }]);
  expect(await test.ledger.findEarlierUse(session.identity)).toBeUndefined();
});
