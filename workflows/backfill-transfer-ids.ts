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
import { summaryOf } from '../src/domain/workflow-texts.js';
import { backfillPlan, backfillSlice, ledgerCall } from './policies.js';
import { goesOnAt } from './visibility.js';

/**
 * Finds the ids at Stripe of historical transfers that have none. It works through the sellers' accounts one after the
 * other and slice by slice, so that one that cannot be listed delays no other; how far each has come is in the ledger,
 * which is why this may be started twice, wiped, or go on after any crash.
 */
export async function backfillTransferIds({ backfillId }: BackfillInput): Promise<void> {
  setCurrentDetails('takes the transfers that have no id into this backfill');
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
  setCurrentDetails('every seller was worked through; its report is in the ledger');
}

const { planBackfill } = proxyActivities<Pick<BackfillActivities, 'planBackfill'>>({
  ...backfillPlan,
  summary: 'takes the transfers that have no id into this backfill',
});
const { nextBackfillDestination, finishBackfill } = proxyActivities<
  Pick<BackfillActivities, 'nextBackfillDestination' | 'finishBackfill'>
>({
  ...ledgerCall,
  summary: 'reads and writes how far this backfill has come',
});

async function takeFurther(backfillId: string, destination: string): Promise<void> {
  const doing = `lists and matches transfers to ${destination}`;
  setCurrentDetails(doing);
  const { backfillDestination } = proxyActivities<Pick<BackfillActivities, 'backfillDestination'>>({
    ...backfillSlice,
    summary: summaryOf(doing),
  });
  try {
    const outcome = await backfillDestination({ backfillId, destination });
    if (outcome.kind !== 'later') return;
    setCurrentDetails(`waits: ${outcome.why}\n\n${goesOnAt(outcome.afterMs)}`);
    await sleep(outcome.afterMs, { summary: summaryOf(`waits: ${outcome.why}`) });
  } catch (error) {
    if (isCancellation(error)) throw error;
    // The ledger puts it at the end of the queue, and it comes round again for as long as this runs.
  }
}
