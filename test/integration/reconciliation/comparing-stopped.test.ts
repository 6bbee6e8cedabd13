import { afterAll, expect, it } from 'vitest';
import { comparingFindings } from '../../../src/domain/doctor/comparing.js';
import { newReconciliationId } from '../../../src/domain/ids.js';
import { createMetrics } from '../../../src/observability/metrics.js';
import { startApi, TOKENS } from '../../support/api.js';
import { ledgerForFile } from '../../support/ledger-fixtures.js';

const HOUR_MS = 3_600_000;
const test = await ledgerForFile();
const { ledger, clock } = test;
const api = await startApi({ ledger });
afterAll(() => api.close());

const compared = async () =>
  (await ledger.figures()).compared.map(({ part, ageSeconds }) => [part, Math.round(ageSeconds / 60)]);
const late = async (): Promise<string[]> => {
  const { body } = await api.send('/api/v1/overview', { token: TOKENS.viewer });
  return body.compared.filter((one: { late: boolean }) => one.late).map(({ part }: { part: string }) => part);
};

/** A whole run, of which these parts could not be compared. */
async function run(left: readonly string[] = []): Promise<void> {
  const id = newReconciliationId(clock.nowMs());
  await ledger.beginReconciliation({ id, requestedBy: 'nora', since: null });
  await ledger.planReconciliation(id, ['stripe-transfers', 'workflows']);
  for (const part of ['stripe-transfers', 'workflows'] as const) {
    if (left.includes(part)) await ledger.leavePart(id, part, 'Stripe is away');
    else {
      const page = { runId: id, part, after: null, cursor: null, named: [], lookedAt: 0, suspicions: [], last: true };
      await ledger.saveReconciledPage({ ...page, listed: false });
      await ledger.saveReconciledPage({ ...page, listed: true });
    }
  }
  await ledger.finishReconciliation(id);
}

it('a part that was not compared for more than two intervals is told in the overview, by doctor and as a figure', async () => {
  await run();
  expect(await compared()).toEqual([
    ['stripe-transfers', 0],
    ['workflows', 0],
  ]);
  clock.advance(HOUR_MS);
  await run(['stripe-transfers']);
  clock.advance(HOUR_MS - 60_000);
  expect(await late()).toEqual([]);
  clock.advance(120_000);
  await run(['stripe-transfers']);
  expect(await compared()).toEqual([
    ['stripe-transfers', 121],
    ['workflows', 0],
  ]);
  expect(await late()).toEqual(['stripe-transfers']);
  const figures = await ledger.figures();
  expect(comparingFindings(figures.compared, HOUR_MS)).toMatchObject([
    { level: 'warn', says: expect.stringContaining('stripe-transfers (121 minutes)') },
  ]);
  expect(comparingFindings(figures.compared, 2 * HOUR_MS)).toMatchObject([{ level: 'ok' }]);
  const { text } = await createMetrics({ figures: () => ledger.figures(), reconcileEveryMs: 1_800_000 }).scrape();
  expect(text).toMatch(/^makegood_compared_age_seconds\{part="stripe-transfers"\} 72[67]\d/m);
  expect(text).toMatch(/^makegood_reconcile_interval_seconds 1800$/m);
  await run();
  expect(await late()).toEqual([]);
});

it('a run that stands still is no success, and that there was none at all is told too', async () => {
  await ledger.beginReconciliation({ id: newReconciliationId(clock.nowMs()), requestedBy: 'nora', since: null });
  clock.advance(3 * HOUR_MS);
  expect(await late()).toEqual(['stripe-transfers', 'workflows']);
  await test.database.query('DELETE FROM reconciliation_parts');
  expect(await late()).toEqual(['workflows']);
});
