import type { HistoricalTransfer, ImportOutcome } from '../../../src/ledger/historical/historical-types.js';
import type { TestLedger } from '../ledger-fixtures.js';

/** A line of history, always the same one: 600 of the 1000 that were paid for order-42. */
export const aLine = (changes: Partial<HistoricalTransfer> = {}): HistoricalTransfer => ({
  order: 'order-42',
  currency: 'EUR',
  paid: 1_000n,
  hyperswitchPaymentId: 'pay_42',
  sellerAccount: 'acct_a',
  amount: 600n,
  stripeTransferId: 'tr_a',
  createdAt: '2025-03-01T12:00:00.000Z',
  ...changes,
});

/** @throws where the ledger refuses it */
export async function importLine(
  { ledger }: TestLedger,
  changes: Partial<HistoricalTransfer> = {},
): Promise<Exclude<ImportOutcome, { kind: 'conflict' }>> {
  const outcome = await ledger.importTransfer(aLine(changes));
  if (outcome.kind === 'conflict') throw new Error(outcome.detail);
  return outcome;
}
