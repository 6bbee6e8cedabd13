import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it, vi } from 'vitest';
import { createReconcileActivities, type ReconcileDependencies } from '../../../activities/reconcile-activities.js';
import type { DriftProvider } from '../../../src/domain/reconciliation/drift.js';

const drift = (id: string, kind: string, provider: DriftProvider) => ({
  id,
  kind,
  provider,
  providerId: id,
  item: null,
});

/** Drifts that are looked at with these answers, in a run that has nothing else left. */
function runWith(drifts: readonly ReturnType<typeof drift>[], readPayment: (id: string) => unknown, nowMs = 60_000) {
  const looked = new Set<string>();
  const noted = (id: string) => Promise.resolve(void looked.add(id));
  const ledger = {
    openPart: () =>
      Promise.resolve({ part: 'second-look', until: '1970-01-01T00:00:00.000Z', cursor: null, listed: false }),
    driftsToLookAt: (_run: string, _limit: number, except: readonly string[]) =>
      Promise.resolve(drifts.filter(({ id, provider }) => !looked.has(id) && !except.includes(provider))),
    driftAgrees: vi.fn<(id: string, run?: string) => Promise<void>>(noted),
    driftUnread: vi.fn<(id: string, run?: string) => Promise<void>>(noted),
    saveReconciledPage: vi.fn<() => Promise<undefined>>(() => Promise.resolve(undefined)),
  };
  const activities = createReconcileActivities({
    ledger,
    sides: { hyperswitch: { calls: { readPayment } }, clock: { nowMs: () => nowMs } },
    logger: { warn: () => undefined },
    monotonicMs: () => 0,
    paceMs: 0,
  } as unknown as ReconcileDependencies);
  const input = { reconciliationId: 'a run', part: 'second-look' } as const;
  return { ledger, run: () => new MockActivityEnvironment().run(() => activities.reconcilePart(input)) };
}

it('a drift whose reading fails is left for the next run, and those behind it are looked at', async () => {
  const { ledger, run } = runWith(
    [drift('poison', 'payment_missing', 'hyperswitch'), drift('gone', 'workflow_gone', 'temporal')],
    () => {
      throw new TypeError('nobody foresaw this');
    },
  );
  expect(await run()).toEqual({ kind: 'finished' });
  expect(ledger.driftUnread.mock.calls).toEqual([['poison', 'a run']]);
  expect(ledger.driftAgrees.mock.calls).toEqual([['gone']]);
});

it('a provider that is busy is asked later, and what is of others is looked at now', async () => {
  const { ledger, run } = runWith(
    [
      drift('one', 'payment_missing', 'hyperswitch'),
      drift('two', 'payment_missing', 'hyperswitch'),
      drift('gone', 'workflow_gone', 'temporal'),
    ],
    () => Promise.resolve({ kind: 'busy', retryAfterMs: 5_000, detail: '429' }),
  );
  expect(await run()).toEqual({ kind: 'later', afterMs: 5_000, why: '429' });
  expect(ledger.driftAgrees.mock.calls).toEqual([['gone']]);
  expect(ledger.saveReconciledPage.mock.calls).toEqual([]);
});

it('a provider that is busy for a day is left for the next run, and this one ends', async () => {
  const { ledger, run } = runWith(
    [drift('one', 'payment_missing', 'hyperswitch')],
    () => Promise.resolve({ kind: 'busy', retryAfterMs: 5_000, detail: '429' }),
    25 * 3_600_000,
  );
  expect(await run()).toEqual({ kind: 'finished' });
  expect(ledger.driftUnread.mock.calls).toEqual([['one', 'a run']]);
});
