import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import type { Database } from '../../src/ledger/database.js';
import type { Ledger } from '../../src/ledger/ledger.js';

const { EventType, WorkflowExecutionStatus } = temporal.api.enums.v1;
type PendingActivity = temporal.api.workflow.v1.IPendingActivityInfo;

/**
 * Whether nothing is under way: every start and nudge has reached Temporal, and no workflow of the ledger's items has a
 * task or an activity at work or waiting for a worker. A clock that is moved before that would be moved past what was to
 * happen; a worker that is stopped before that takes a task with it, and the test server's clock stands for good.
 */
export function createIdleWatch() {
  let nudges = 0;
  const closed = new Set<string>();

  const counted =
    <Given extends unknown[], T>(call: (...given: Given) => Promise<T>) =>
    async (...given: Given): Promise<T> => {
      nudges += 1;
      try {
        return await call(...given);
      } finally {
        // What follows this call begins before the count can be seen.
        setImmediate(() => {
          nudges -= 1;
        });
      }
    };

  async function isIdle(client: Client, workflowId: string): Promise<boolean> {
    const execution = { namespace: 'default', execution: { workflowId } };
    const described = await client.workflowService.describeWorkflowExecution(execution).catch(() => undefined);
    const info = described?.workflowExecutionInfo;
    // Nobody started it yet, or nobody ever will.
    if (!described || !info) return true;
    if (info.status !== WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING) {
      closed.add(workflowId);
      return true;
    }
    const atWork = (described.pendingActivities ?? []).some((activity) => !waitsForItsRetry(activity));
    if (atWork) return false;
    const { history } = await client.workflowService.getWorkflowExecutionHistory(execution);
    const last = history?.events?.at(-1)?.eventType;
    return last !== EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED && last !== EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED;
  }

  return {
    /** The same client; what it starts and signals is counted. */
    client(client: Client): Client {
      const workflow = new Proxy(client.workflow, {
        get: (target, name) =>
          name === 'signalWithStart' ? counted(target.signalWithStart.bind(target)) : Reflect.get(target, name, target),
      });
      return new Proxy(client, {
        get: (target, name) => (name === 'workflow' ? workflow : Reflect.get(target, name, target)),
      });
    },
    /** The same ledger; a nudge begins with reading the item. */
    ledger: (ledger: Ledger): Ledger => ({ ...ledger, describeItem: counted((item) => ledger.describeItem(item)) }),

    async until(client: Client, database: Database): Promise<void> {
      for (let looks = 0; looks < 1_000; looks += 1) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (nudges > 0) continue;
        const rows = await database.query<{ workflow_id: string }>(WORKFLOWS);
        const open = rows.map(({ workflow_id: id }) => id).filter((id) => !closed.has(id));
        const idle = await Promise.all(open.map((id) => isIdle(client, id)));
        if (nudges === 0 && idle.every(Boolean)) return;
      }
      throw new Error('something is always under way');
    },
  };
}

/** The test server calls it started while it waits; only the times tell. */
const waitsForItsRetry = ({ lastAttemptCompleteTime: ended, lastStartedTime: began }: PendingActivity): boolean =>
  ended != null && (began == null || msOf(ended) >= msOf(began));
const msOf = ({ seconds, nanos }: { seconds?: unknown; nanos?: number | null }): number =>
  Number(seconds ?? 0) * 1_000 + (nanos ?? 0) / 1_000_000;

const WORKFLOWS = ['payments', 'refunds', 'seller_transfers', 'reversals']
  .map((table) => `SELECT workflow_id FROM ${table} WHERE workflow_id IS NOT NULL`)
  .join(' UNION ALL ');
