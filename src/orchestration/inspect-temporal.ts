import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../workflows/search-attributes.js';
import type { TemporalFacts } from '../domain/doctor/temporal.js';
import { SWEEP_LANES } from '../domain/sweep-lanes.js';
import { stripeTaskQueue } from '../domain/workflow-ids.js';
import { hasCode, NOT_FOUND, RECONCILE_SCHEDULE, scheduleId } from './prepare-temporal.js';
import { connectionOptions, type TemporalSettings } from './temporal-client.js';

/** temporal.api.enums.v1.TaskQueueType */
const WORKFLOWS = 1;
const ACTIVITIES = 2;
/** google.rpc.Code */
const DEADLINE_EXCEEDED = 4;
/** Temporal names a worker for five minutes after its death; one that lives asks once a minute. */
const ASKS_WITHIN_MS = 90_000;

/** Temporal answers, and not this one call: which, and whether it failed or took too long, stands in the message. */
export class TemporalCallFailed extends Error {}

/**
 * Looks at what Temporal has of ours, and changes nothing. @throws when Temporal does not answer in time; TemporalCallFailed when
 * it does, and fails one call
 * @param moreQueues of workers that not every installation has
 */
export async function inspectTemporal(
  settings: TemporalSettings,
  withinMs: number,
  moreQueues: readonly string[] = [],
): Promise<TemporalFacts> {
  // Nothing is tried again: the first failure is what is told, and no retry outlives the connection.
  const connection = Connection.lazy({ ...connectionOptions(settings), interceptors: [] });
  const client = new Client({ connection, namespace: settings.namespace });
  try {
    return await client.connection.withDeadline(Date.now() + withinMs, () =>
      inspect(client, settings, { withinMs, moreQueues }),
    );
  } finally {
    await client.connection.close();
  }
}

async function inspect(
  client: Client,
  { namespace, taskQueue }: TemporalSettings,
  { withinMs, moreQueues }: { readonly withinMs: number; readonly moreQueues: readonly string[] },
): Promise<TemporalFacts> {
  const named = namingCalls(withinMs);
  const namespaceExists = await exists(client, namespace);
  const none = { missingAttributes: [], missingSchedules: [], pausedSchedules: [], pollers: [] };
  if (!namespaceExists) return { namespace, namespaceExists, ...none };
  const [{ customAttributes }, schedules, pollers] = await Promise.all([
    named('ListSearchAttributes', client.connection.operatorService.listSearchAttributes({ namespace })),
    Promise.all(
      [...SWEEP_LANES.map(scheduleId), RECONCILE_SCHEDULE].map((id) =>
        named(`DescribeSchedule of ${id}`, stateOf(client, id)),
      ),
    ),
    Promise.all(
      [taskQueue, stripeTaskQueue(taskQueue), ...moreQueues].map((queue) =>
        named(`DescribeTaskQueue of ${queue}`, pollersOf(client, namespace, queue)),
      ),
    ),
  ]);
  const inState = (wanted: 'missing' | 'paused') =>
    schedules.filter(({ state }) => state === wanted).map(({ id }) => id);
  return {
    namespace,
    namespaceExists,
    missingAttributes: SEARCH_ATTRIBUTES.map(({ name }) => name).filter((name) => !(name in (customAttributes ?? {}))),
    missingSchedules: inState('missing'),
    pausedSchedules: inState('paused'),
    pollers,
  };
}

/** The namespace was told just before, so what fails now is this call and not Temporal. */
const namingCalls =
  (withinMs: number) =>
  async <T>(name: string, call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (cause) {
      const how = hasCode(cause, DEADLINE_EXCEEDED)
        ? `was not answered within ${withinMs} ms`
        : `failed: ${cause instanceof Error ? cause.message : String(cause)}`;
      throw new TemporalCallFailed(`${name} ${how}`, { cause });
    }
  };

async function exists(client: Client, namespace: string): Promise<boolean> {
  try {
    await client.workflowService.describeNamespace({ namespace });
    return true;
  } catch (error) {
    if (hasCode(error, NOT_FOUND)) return false;
    throw error;
  }
}

async function stateOf(client: Client, id: string): Promise<{ id: string; state: 'there' | 'missing' | 'paused' }> {
  try {
    const { state } = await client.schedule.getHandle(id).describe();
    return { id, state: state.paused ? 'paused' : 'there' };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return { id, state: 'missing' };
    throw error;
  }
}

async function pollersOf(
  client: Client,
  namespace: string,
  taskQueue: string,
): Promise<TemporalFacts['pollers'][number]> {
  const count = async (taskQueueType: number): Promise<number> => {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: taskQueue },
      taskQueueType,
    });
    return (pollers ?? []).filter(
      ({ lastAccessTime: at }) => Number(at?.seconds ?? 0) * 1_000 > Date.now() - ASKS_WITHIN_MS,
    ).length;
  };
  return { taskQueue, workflows: await count(WORKFLOWS), activities: await count(ACTIVITIES) };
}
