import { expect, it } from 'vitest';
import { backfillSummary } from '../../../src/cli/historical/backfill-report.js';
import type { BackfillId } from '../../../src/domain/ids.js';
import type { BackfillProgress } from '../../../src/ledger/historical/backfill-report.js';

const finished = (changes: Partial<BackfillProgress>): BackfillProgress => ({
  id: 'b1' as BackfillId,
  apply: false,
  since: null,
  destination: null,
  requestedBy: 'nora',
  state: 'finished',
  startedAt: '2026-11-21T12:00:00.000Z',
  destinations: 1,
  destinationsFinished: 1,
  pages: 1,
  transfers: 3,
  outcomes: {},
  ...changes,
});

it.each<[string, Partial<BackfillProgress>, string]>([
  ['nothing lacks an id', { transfers: 0 }, 'backfill b1 is finished. 0 transfers had no id'],
  [
    'a dry run found some',
    { outcomes: { matched: 2, not_found: 1 }, since: '2025-01-01T00:00:00.000Z', destination: 'acct_1' },
    'backfill b1 is finished. 3 transfers had no id: 2 matched, 1 not_found. It was a dry run and wrote no id; to write those that matched: makegood backfill-transfer-ids --apply --since 2025-01-01T00:00:00.000Z --destination acct_1',
  ],
  [
    'a dry run found none',
    { outcomes: { ambiguous: 3 } },
    'backfill b1 is finished. 3 transfers had no id: 3 ambiguous',
  ],
  [
    'ids were written',
    { apply: true, outcomes: { written: 3 } },
    'backfill b1 is finished. 3 transfers had no id: 3 written',
  ],
  [
    'it was cancelled',
    { apply: true, outcomes: { written: 1 } },
    'backfill b1 is finished. 3 transfers had no id: 1 written. It was ended early: nothing was found out about 2 of them',
  ],
])('says what a person has to know where %s', (_what, changes, text) => {
  expect(backfillSummary(finished(changes))).toBe(text);
});
