import { expect, it, vi } from 'vitest';
import type { ComparisonDependencies } from '../../../../src/calls/reconciliation/comparison.js';
import { workflowsPage } from '../../../../src/calls/reconciliation/workflows-page.js';
import type { ReconciliationId } from '../../../../src/domain/ids.js';
import type { RunningItem } from '../../../../src/ledger/reconciliation/running-workflows.js';

const item = (id: string): RunningItem => ({
  kind: 'reversal',
  id,
  place: `reversal/${id}`,
  workflowId: `reversal/${id}`,
  status: 'pending',
  amount: 5n,
  currency: 'EUR',
  begun: true,
  ageMs: 3_600_000,
});
const PLACE = {
  part: 'workflows',
  runId: 'a run' as ReconciliationId,
  since: '2026-01-01T00:00:00.000Z',
  until: '2026-02-01T00:00:00.000Z',
  cursor: null,
  pages: 0,
  listed: false,
} as const;

function look(items: readonly RunningItem[], poison: readonly string[]) {
  const restart = vi.fn<(started: RunningItem) => Promise<boolean>>(({ id }) =>
    poison.includes(id) ? Promise.reject(new Error('refused')) : Promise.resolve(true),
  );
  const sides = {
    ledger: {
      unfinishedItems: () => Promise.resolve(items),
      isUnfinished: () => Promise.resolve(true),
      driftRepaired: () => Promise.resolve(),
    },
    workflows: { stateOf: () => Promise.resolve({ kind: 'ended', as: 'terminated' }), restart },
    youngMs: 0,
  } as unknown as ComparisonDependencies;
  return { restart, page: workflowsPage(PLACE, sides) };
}

it('an item whose workflow cannot be started keeps no other from being started again', async () => {
  const items = Array.from({ length: 25 }, (_, nth) => item(`item ${nth}`));
  const { restart, page } = look(items, ['item 0']);
  expect(await page).toMatchObject({ kind: 'page', last: true, lookedAt: 25 });
  expect(restart.mock.calls.length).toBe(25);
});

it('nothing is concluded, and nobody is asked on, while Temporal answers for none', async () => {
  const items = Array.from({ length: 25 }, (_, nth) => item(`item ${nth}`));
  const { restart, page } = look(
    items,
    items.map(({ id }) => id),
  );
  expect(await page).toEqual({ kind: 'unclear', why: 'Temporal does not answer: refused' });
  expect(restart.mock.calls.length).toBe(10);
});
