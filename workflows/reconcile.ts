import {
  CancellationScope,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { NextPart, ReconcileActivities, ReconcileInput } from '../activities/reconcile-contract.js';
import { stripeTaskQueue } from '../src/domain/workflow-ids.js';
import { ledgerCall, reconcileSlice } from './policies.js';

/**
 * Compares the ledger with what providers hold, part by part, so that one provider that does not answer holds up no other.
 * Only reads, at the lowest priority; how far it has come is in the ledger, which is why it may be ended, wiped or started
 * twice, and goes on where it was.
 */
export async function reconcile({ reconciliationId, requestedBy }: ReconcileInput): Promise<void> {
  const id = reconciliationId ?? (await beginReconciliation(requestedBy));
  try {
    await planReconciliation(id);
    for (;;) {
      const next = await nextReconciliationPart(id);
      if (next === null) break;
      if (next.waitMs > 0) {
        setCurrentDetails('waits before it looks again at what differed');
        await sleep(next.waitMs);
      }
      await takeFurther(id, next);
      if (workflowInfo().continueAsNewSuggested) {
        return await continueAsNew<typeof reconcile>({ reconciliationId: id, requestedBy });
      }
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
    // What was found stays, and the next run may begin.
    await CancellationScope.nonCancellable(() => finishReconciliation(id));
    throw error;
  }
  await finishReconciliation(id);
}

const {
  beginReconciliation,
  planReconciliation,
  nextReconciliationPart,
  leaveReconciliationPart,
  finishReconciliation,
} = proxyActivities<Omit<ReconcileActivities, 'reconcilePart'>>(ledgerCall);

async function takeFurther(reconciliationId: string, { part, asksStripe }: NextPart): Promise<void> {
  const { taskQueue } = workflowInfo();
  const { reconcilePart } = proxyActivities<Pick<ReconcileActivities, 'reconcilePart'>>({
    ...reconcileSlice,
    ...(asksStripe ? { taskQueue: stripeTaskQueue(taskQueue) } : {}),
  });
  setCurrentDetails(`compares ${part}`);
  try {
    const outcome = await reconcilePart({ reconciliationId, part });
    if (outcome.kind !== 'later') return;
    setCurrentDetails(`waits: ${outcome.why}`);
    await sleep(outcome.afterMs);
  } catch (error) {
    if (isCancellation(error)) throw error;
    // Nothing is concluded from what was not read; the next run begins where this one did.
    await leaveReconciliationPart({
      reconciliationId,
      part,
      why: 'the provider did not answer, or the worker was away',
    });
  }
}
