import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { ReconcileInput } from '../../activities/reconcile-contract.js';
import { MoneyKind } from '../../workflows/search-attributes.js';
import type { WorkflowReader } from '../calls/reconciliation/comparison.js';
import type { ReconciliationId, SettlementId } from '../domain/ids.js';
import { reconciliationWorkflowId } from '../domain/workflow-ids.js';
import type { Ledger } from '../ledger/ledger.js';
import type { MarketplaceOrchestration } from './marketplace.js';
import type { SettlementOrchestration } from './settlements.js';
import { start } from './start.js';

export interface ReconcileOrchestration {
  /** Starts it, or leaves it alone where it runs; one that a wiped Temporal has forgotten goes on where it was. */
  startReconciliation(id: ReconciliationId, requestedBy: string): Promise<void>;
}

export const createReconcileOrchestration = (client: Client, taskQueue: string): ReconcileOrchestration => ({
  startReconciliation: (id, requestedBy) =>
    start(client, 'reconcile', {
      taskQueue,
      workflowId: reconciliationWorkflowId(id),
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [{ reconciliationId: id, requestedBy } satisfies ReconcileInput],
      typedSearchAttributes: [{ key: MoneyKind, value: 'reconciliation' }],
      staticSummary: `compares the ledger with its providers, asked for by ${requestedBy}`,
    }),
});

/** Ended by somebody, or by itself in a way that no workflow of ours ends. */
const ENDED: ReadonlySet<string> = new Set(['TERMINATED', 'CANCELLED', 'FAILED', 'TIMED_OUT']);

interface Restarting {
  readonly ledger: Pick<Ledger, 'describeItem' | 'findSettlement'>;
  readonly marketplace: MarketplaceOrchestration;
  readonly settlements: Pick<SettlementOrchestration, 'wake'>;
}

/** What Temporal has of workflows of unfinished items, and how one is started again. */
export const createWorkflowReader = (
  client: Client,
  { ledger, marketplace, settlements }: Restarting,
): WorkflowReader => ({
  async stateOf(workflowId) {
    try {
      const { status } = await client.workflow.getHandle(workflowId).describe();
      return ENDED.has(status.name) ? { kind: 'ended', as: status.name.toLowerCase() } : { kind: 'well' };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { kind: 'absent' };
      throw error;
    }
  },

  async restart({ kind, id }) {
    if (kind === 'settlement') {
      const settlement = await ledger.findSettlement(id as SettlementId);
      if (settlement) await settlements.wake(settlement);
      return settlement !== undefined;
    }
    const item = await ledger.describeItem({ kind, id });
    return item !== undefined && (await marketplace.wake(item));
  },
});
