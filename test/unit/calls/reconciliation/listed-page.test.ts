import { expect, it } from 'vitest';
import { comparePage } from '../../../../src/calls/reconciliation/compare-page.js';
import type { ComparisonDependencies, Place } from '../../../../src/calls/reconciliation/comparison.js';
import type { ReconciliationId } from '../../../../src/domain/ids.js';

const from = (cursor: string | null): Place => ({
  part: 'hyperswitch-refunds',
  runId: 'a run' as ReconciliationId,
  since: '2026-01-01T00:00:00.000Z',
  until: '2026-02-01T00:00:00.000Z',
  cursor,
  pages: 0,
  listed: false,
});

/** Whatever it is asked for, this is where the next page begins. */
const listThatNames = (next: string) =>
  ({
    ledger: { heldRefunds: () => Promise.resolve([]), heldPayments: () => Promise.resolve([]) },
    hyperswitch: {
      account: { verify: () => Promise.resolve({ kind: 'ours' }) },
      calls: { refundsSince: () => Promise.resolve({ kind: 'found', value: { items: [], unreadable: [], next } }) },
    },
  }) as unknown as ComparisonDependencies;

it('a list that goes on is read on', async () => {
  const page = await comparePage(from('100'), 'hyperswitch-refunds', listThatNames('200'));
  expect(page).toMatchObject({ kind: 'page', cursor: '200', last: false });
});

it('a list that begins again where it was asked to go on is not read without end', async () => {
  const page = await comparePage(from('100'), 'hyperswitch-refunds', listThatNames('100'));
  expect(page).toEqual({ kind: 'unclear', why: 'the list does not go on after 100' });
});
