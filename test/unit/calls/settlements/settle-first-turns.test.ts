import { expect, it } from 'vitest';
import { createSettleFirst } from '../../../../src/calls/settlements/settle-first.js';
import type { SettlementId } from '../../../../src/domain/ids.js';

it('a charge whose turn it is, and that no attempt takes further, is tried a few times and then left to the ledger', async () => {
  const id = 'charge' as SettlementId;
  let attempts = 0;
  const settleNow = createSettleFirst({
    settle: () => Promise.resolve((attempts += 1)),
    ledger: {
      findSettlement: () => Promise.resolve({ status: 'pending', certainty: 'unknown' }),
      firstInTurn: () => Promise.resolve({ id, due: true }),
    },
    patienceMs: 350,
  });
  expect(await settleNow(id)).toBe('unknown');
  expect(attempts).toBeGreaterThan(1);
  expect(attempts).toBeLessThan(8);
});
