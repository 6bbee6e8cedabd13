import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import type { Database } from '../../src/ledger/database.js';
import type { Ledger } from '../../src/ledger/ledger.js';

const { EventType, WorkflowExecutionStatus } = temporal.api.enums.v1;
const TASKS = [EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED] as const;
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

  /** @returns what is at work, or is waiting for a worker; undefined where nothing is */
  async function underWay(client: Client, workflowId: string): Promise<string | undefined> {
    const execution = { namespace: 'default', execution: { workflowId } };
    const described = await client.workflowService.describeWorkflowExecution(execution).catch(() => undefined);
    const info = described?.workflowExecutionInfo;
    // Nobody started it yet, or nobody ever will.
    if (!described || !info) return undefined;
    if (info.status !== WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING) {
      closed.add(workflowId);
      return undefined;
    }
    const atWork = (described.pendingActivities ?? []).find((activity) => !waitsForItsRetry(activity));
    if (atWork) return `${workflowId}: ${JSON.stringify(atWork)}`;
    const { history } = await client.workflowService.getWorkflowExecutionHistory(execution);
    const last = history?.events?.at(-1);
    return TASKS.some((type) => type === last?.eventType) ? `${workflowId}: ${JSON.stringify(last)}` : undefined;
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
      let found: readonly string[] = [];
      for (let looks = 0; looks < 1_000; looks += 1) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        found = [`${nudges} nudges`];
        if (nudges > 0) continue;
        const rows = await database.query<{ workflow_id: string }>(WORKFLOWS);
        const open = rows.map(({ workflow_id: id }) => id).filter((id) => !closed.has(id));
        found = (await Promise.all(open.map((id) => underWay(client, id)))).filter((what) => what !== undefined);
        if (nudges === 0 && found.length === 0) return;
      }
      throw new Error(`something is always under way: ${found.join('; ')}`);
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
