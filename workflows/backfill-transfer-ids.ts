import {
  CancellationScope,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { BackfillActivities, BackfillInput } from '../activities/backfill-contract.js';
import { backfillPlan, backfillSlice, ledgerCall } from './policies.js';

/**
 * Finds the ids at Stripe of historical transfers that have none. It works through the sellers' accounts one after the
 * other and slice by slice, so that one that cannot be listed delays no other; how far each has come is in the ledger,
 * which is why this may be started twice, wiped, or go on after any crash.
 */
export async function backfillTransferIds({ backfillId }: BackfillInput): Promise<void> {
  try {
    await planBackfill(backfillId);
    for (;;) {
      const destination = await nextBackfillDestination(backfillId);
      if (destination === null) break;
      await takeFurther(backfillId, destination);
      if (workflowInfo().continueAsNewSuggested) return await continueAsNew<typeof backfillTransferIds>({ backfillId });
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
    // Its report holds what was found so far, and the next backfill may begin.
    await CancellationScope.nonCancellable(() => finishBackfill(backfillId));
    throw error;
  }
  await finishBackfill(backfillId);
}

const { planBackfill } = proxyActivities<Pick<BackfillActivities, 'planBackfill'>>(backfillPlan);
const { backfillDestination } = proxyActivities<Pick<BackfillActivities, 'backfillDestination'>>(backfillSlice);
const { nextBackfillDestination, finishBackfill } =
  proxyActivities<Pick<BackfillActivities, 'nextBackfillDestination' | 'finishBackfill'>>(ledgerCall);

async function takeFurther(backfillId: string, destination: string): Promise<void> {
  setCurrentDetails(`lists and matches transfers to ${destination}`);
  try {
    const outcome = await backfillDestination({ backfillId, destination });
    if (outcome.kind !== 'later') return;
    setCurrentDetails(`waits: ${outcome.why}`);
    await sleep(outcome.afterMs);
  } catch (error) {
    if (isCancellation(error)) throw error;
    // The ledger puts it at the end of the queue, and it comes round again for as long as this runs.
  }
}
