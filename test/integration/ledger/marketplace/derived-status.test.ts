import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  REVERSAL_STATUSES,
  type ReversalStatus,
  type TransferStatus,
} from '../../../../src/domain/marketplace/marketplace-status.js';
import { createCaseCounts } from '../../../support/case-counts.js';
import { ledgerForFile } from '../../../support/ledger-fixtures.js';
import { forceColumns, putOrder } from '../../../support/marketplace/fixtures.js';

const test = await ledgerForFile();

interface Part {
  readonly amount: number;
  readonly status: ReversalStatus;
  /** Minutes from now; null: no date. */
  readonly due: number | null;
}

/** What a transfer and its reversals come to, written down once more without a look at the SQL. */
function expected(
  amount: number,
  parts: readonly Part[],
): { status: TransferStatus; reversed: number; due: number | null } {
  const have = (...statuses: readonly ReversalStatus[]) => parts.filter(({ status }) => statuses.includes(status));
  const reversed = have('reversed').reduce((sum, part) => sum + part.amount, 0);
  const pending = have('pending', 'waiting_balance');
  if (have('permanently_failed').length > 0) return { status: 'permanently_failed', reversed, due: null };
  if (pending.length > 0) {
    const dates = pending.map(({ due }) => due).filter((due) => due !== null);
    return { status: 'reversal_pending', reversed, due: dates.length > 0 ? Math.min(...dates) : null };
  }
  if (reversed === amount) return { status: 'reversed', reversed, due: null };
  return { status: reversed > 0 ? 'partially_reversed' : 'completed', reversed, due: null };
}

const parts = fc.array(
  fc.record({
    amount: fc.integer({ min: 1, max: 100 }),
    status: fc.constantFrom(...REVERSAL_STATUSES),
    due: fc.option(fc.integer({ min: 1, max: 9 })),
  }),
  { maxLength: 5 },
);

it('a completed transfer always has the status, the sum and the date that its reversals make', {
  timeout: 60_000,
}, async () => {
  const cases = createCaseCounts();
  await fc.assert(
    fc.asyncProperty(parts, fc.nat(40), async (some, spare) => {
      const claimed = some
        .filter(({ status }) => status !== 'written_off')
        .reduce((sum, { amount }) => sum + amount, 0);
      const amount = Math.max(1, claimed + (spare > 20 ? 0 : spare));
      const now = Date.now();
      const order = await putOrder(test, {
        transfers: [{ amount, status: 'completed' }],
        paid: 1_000_000,
        refunds: some.map((part) => ({
          amount: part.amount,
          reversals: [
            {
              transfer: 0,
              amount: part.amount,
              status: part.status,
              columns: { next_retry_at: part.due === null ? null : new Date(now + part.due * 60_000) },
            },
          ],
        })),
      });
      const [transfer] = order.transfers;
      // From where a transfer without reversals is, as when all of them were written off and one is found taken after all.
      await test.database.query('SELECT refresh_transfer($1)', [transfer!.id]);
      const is = await test.ledger.findTransfer(transfer!.id);
      const model = expected(amount, some);
      cases.count(model.status);
      expect({ status: is?.status, reversed: Number(is?.amountReversed) }).toEqual({
        status: model.status,
        reversed: model.reversed,
      });
      expect(is?.nextRetryAt ?? null).toBe(
        model.due === null ? null : new Date(now + model.due * 60_000).toISOString(),
      );
    }),
    { numRuns: 300 },
  );
  cases.expectAtLeast({
    completed: 3,
    partially_reversed: 2,
    reversed: 2,
    reversal_pending: 10,
    permanently_failed: 10,
  });
});

it('a transfer that was not completed keeps its status, whatever is demanded of it', async () => {
  const order = await putOrder(test, {
    transfers: [{ amount: 1_000, status: 'pending' }],
    refunds: [{ amount: 400, reversals: [{ transfer: 0, amount: 400 }] }],
  });
  const [transfer] = order.transfers;
  await forceColumns(test.database, 'seller_transfers', transfer!.id, { certainty: 'unknown' });
  await test.database.query('SELECT refresh_transfer($1)', [transfer!.id]);
  expect(await test.ledger.findTransfer(transfer!.id)).toMatchObject({ status: 'pending', amountReversed: 0n });
});
