import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  getExternalWorkflowHandle,
  ParentClosePolicy,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  startChild,
} from '@temporalio/workflow';
import type { SettleBatchInput, SettlementActivities } from '../activities/contract.js';
import type { RowOutcome } from '../src/calls/steps.js';
import type { SettlementId } from '../src/domain/ids.js';
import { isSlow, providerOf } from '../src/domain/settlements/settlement-providers.js';
import { settlementWorkflowId } from '../src/domain/workflow-ids.js';
import { itemDetails } from '../src/domain/workflow-texts.js';
import { closeTimeSettlement } from './close-time-settlement.js';
import { rereadSignal } from './messages.js';
import { QUICK_LIMIT_MS, quickFirstAttempt, sharedAttempt } from './policies.js';
import { MoneyKind, MoneyState, Protocol } from './search-attributes.js';

/**
 * Many settlements in one workflow, where a backlog makes one each too dear. Every row gets one attempt; whatever does
 * not settle at it goes on in its own workflow, so an item that needs a person always has one.
 */
export async function settleBatch(input: SettleBatchInput): Promise<{ settled: number; left: number }> {
  setCurrentDetails(`the first attempt at ${input.settlements.length} settlements is under way`);
  const outcomes = await attemptAll(input);
  const settled = outcomes.filter((outcome) => outcome.kind === 'final').length;
  const left = outcomes.filter((outcome) => outcome.kind === 'retry' || outcome.kind === 'attention');
  setCurrentDetails(`${settled} settled at the first attempt, ${left.length} go on in workflows of their own`);
  await Promise.all(left.map((outcome) => continueAlone(outcome.settlementId as SettlementId, input)));
  return { settled, left: left.length };
}

async function attemptAll({ settlements, settings }: SettleBatchInput): Promise<RowOutcome[]> {
  const settlementIds = settlements.map((entry) => entry.settlementId);
  const slow = settlements.some(isSlow);
  // Rows of one batch share a provider.
  const [first] = settlements;
  const summary = `one attempt at ${settlementIds.length} settlements`;
  const { settleRows } = slow
    ? proxyActivities<Pick<SettlementActivities, 'settleRows'>>({ ...sharedAttempt(settings), summary })
    : proxyLocalActivities<Pick<SettlementActivities, 'settleRows'>>({ ...quickFirstAttempt, summary });
  try {
    return await settleRows({
      settlementIds,
      timeoutMs: slow ? settings.httpTimeoutMs : QUICK_LIMIT_MS,
      whenUnsettled: 'return',
      ...(first && { provider: providerOf(first) }),
    });
  } catch {
    // The ledger or the worker was away: nothing is known of any row, so each is asked again by the sweep.
    return [];
  }
}

async function continueAlone(id: SettlementId, { settlements, settings }: SettleBatchInput): Promise<void> {
  const own = settlements.find((entry) => entry.settlementId === id);
  if (!own) return;
  const { protocol } = own;
  try {
    await startChild(closeTimeSettlement, {
      workflowId: settlementWorkflowId(id),
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      parentClosePolicy: ParentClosePolicy.ABANDON,
      args: [{ ...own, settings }],
      staticSummary: `${protocol} settlement that a shared workflow could not finish`,
      staticDetails: itemDetails('Collects one charge, exactly once.', id),
      typedSearchAttributes: [
        { key: MoneyKind, value: 'settlement' },
        { key: MoneyState, value: 'pending' },
        { key: Protocol, value: protocol },
      ],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // Somebody else takes care of it already, and may be waiting for an answer that this attempt has overtaken.
    await nudge(id);
  }
}

async function nudge(id: SettlementId): Promise<void> {
  try {
    await getExternalWorkflowHandle(settlementWorkflowId(id)).signal(rereadSignal);
  } catch {
    // It has ended meanwhile; if that left anything to do, the sweep finds it.
  }
}
