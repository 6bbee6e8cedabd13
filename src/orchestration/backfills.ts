import type { Client } from '@temporalio/client';
import type { BackfillInput } from '../../activities/backfill-contract.js';
import { MoneyKind } from '../../workflows/search-attributes.js';
import type { BackfillId } from '../domain/ids.js';
import { backfillWorkflowId, stripeTaskQueue } from '../domain/workflow-ids.js';
import { summaryOf } from '../domain/workflow-texts.js';
import { start } from './start.js';

export interface StartableBackfill {
  readonly id: BackfillId;
  readonly apply: boolean;
  readonly requestedBy: string;
}

export interface BackfillOrchestration {
  /** Starts it, or leaves it alone where it runs; one that a wiped Temporal has forgotten goes on where it was. */
  startBackfill(backfill: StartableBackfill): Promise<void>;
}

/** Runs where Stripe is called, so that whoever slows that queue down slows a backfill down as well. */
export function createBackfillOrchestration(client: Client, taskQueue: string): BackfillOrchestration {
  return {
    startBackfill: ({ id, apply, requestedBy }) =>
      start(client, 'backfillTransferIds', {
        taskQueue: stripeTaskQueue(taskQueue),
        workflowId: backfillWorkflowId(id),
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowIdConflictPolicy: 'USE_EXISTING',
        args: [{ backfillId: id } satisfies BackfillInput],
        typedSearchAttributes: [{ key: MoneyKind, value: 'backfill' }],
        staticSummary: summaryOf(
          `${apply ? 'writes' : 'looks for'} ids of historical transfers, asked for by ${requestedBy}`,
        ),
        staticDetails:
          'Finds the ids at Stripe of transfers that were made before Makegood. How far it has come is in the ledger: `makegood backfill-transfer-ids` follows it.',
      }),
  };
}
