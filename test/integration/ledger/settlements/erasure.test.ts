import { afterEach, expect, it } from 'vitest';
import { createLedger } from '../../../../src/ledger/ledger.js';
import { createSealer } from '../../../../src/ledger/sealer.js';
import { DAY_MS } from '../../../support/durations.js';
import {
  aSession,
  aSettlement,
  attempt,
  openTestLedger,
  refused,
  SERVER_ERROR,
  type TestLedger,
  testKey,
} from '../../../support/ledger-fixtures.js';

let test: TestLedger | undefined;
afterEach(() => test?.dispose());

const sealedOf = async (id: string) =>
  (
    await test!.database.query<{ sealed: Buffer | null; sealed_key_id: string | null }>(
      'SELECT sealed, sealed_key_id FROM settlements WHERE id = $1',
      [id],
    )
  )[0]!;

it('a credential is erased seven days after its expiry, and one without expiry after thirty', async () => {
  test = await openTestLedger();
  const { ledger, clock } = test;
  const withExpiry = aSettlement({ expiresAtMs: clock.nowMs() + 3_600_000 });
  const without = aSettlement();
  for (const settlement of [withExpiry, without]) {
    await ledger.createSettlement(settlement);
    const { claimed } = await ledger.claimSettlements([settlement.id], 'r', 1_000);
    await ledger.recordAttempts([attempt(claimed[0]!, refused('other'), 'r')]);
  }
  clock.advance(6 * DAY_MS);
  expect(await ledger.eraseOverdue(10)).toBe(0);
  clock.advance(1.5 * DAY_MS);
  expect(await ledger.eraseOverdue(10)).toBe(1);
  expect((await sealedOf(withExpiry.id)).sealed).toBeNull();
  clock.advance(23 * DAY_MS);
  expect(await ledger.eraseOverdue(10)).toBe(1);
  expect((await sealedOf(without.id)).sealed).toBeNull();
});

it('a charge that was still waiting at its erasure becomes a question, not a silence', async () => {
  test = await openTestLedger();
  const settlement = aSettlement();
  await test.ledger.createSettlement(settlement);
  const { claimed } = await test.ledger.claimSettlements([settlement.id], 'r', 1_000);
  await test.ledger.recordAttempts([attempt(claimed[0]!, SERVER_ERROR, 'r')]);
  test.clock.advance(31 * DAY_MS);
  expect(await test.ledger.eraseOverdue(10)).toBe(1);
  expect(await test.ledger.findSettlement(settlement.id)).toMatchObject({
    status: 'needs_attention',
    certainty: 'unknown',
    attention: { reason: 'credential_expired' },
  });
});

it('a rotated key moves every live secret, and may then be taken away', async () => {
  test = await openTestLedger({ sealer: createSealer([testKey('1', 1)]) });
  const { database, clock } = test;
  const settlement = aSettlement({ body: 'the frozen bytes' });
  await test.ledger.createSettlement(settlement);
  const session = aSession(await test.ledger.takeLease('x', 60_000));
  await test.ledger.openSession(session);
  const ledgerWith = (...keys: Parameters<typeof createSealer>[0][number][]) =>
    createLedger({ database, clock, sealer: createSealer(keys), approvalThreshold: 0n });

  await expect(ledgerWith(testKey('2', 2)).assertReady()).rejects.toThrow('encrypted with key 1');
  const rotating = ledgerWith(testKey('2', 2), testKey('1', 1));
  await rotating.assertReady();
  expect(await rotating.reseal(100)).toBe(2);
  expect(await rotating.reseal(100)).toBe(0);
  const rotated = ledgerWith(testKey('2', 2));
  await rotated.assertReady();
  const { claimed } = await rotated.claimSettlements([settlement.id], 'r', 1_000);
  expect(claimed[0]?.body).toBe('the frozen bytes');
});
