import { type Client, defaultPayloadConverter } from '@temporalio/client';
import { temporal } from '@temporalio/proto';

type Payload = temporal.api.common.v1.IPayload;

/** What the Temporal Web UI shows of a workflow in words, read back from the server. */
export interface Shown {
  readonly type: string;
  readonly summary: string;
  readonly details: string;
  /** As it stands now. */
  readonly current: string;
  /** Of activities that were scheduled, local ones, and timers, in order; empty: one without. */
  readonly activities: readonly string[];
  readonly localActivities: readonly string[];
  readonly timers: readonly string[];
}

/** @throws where its worker does not answer */
export async function shownOf(client: Client, workflowId: string): Promise<Shown> {
  const handle = client.workflow.getHandle(workflowId);
  const description = await handle.describe();
  const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
  const { events } = await handle.fetchHistory();
  const { EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, EVENT_TYPE_MARKER_RECORDED, EVENT_TYPE_TIMER_STARTED } =
    temporal.api.enums.v1.EventType;
  const summaries = (type: temporal.api.enums.v1.EventType) =>
    (events ?? [])
      .filter(({ eventType }) => eventType === type)
      .map(({ userMetadata }) => textOf(userMetadata?.summary));
  return {
    type: description.type,
    summary: (await description.staticSummary()) ?? '',
    details: (await description.staticDetails()) ?? '',
    current: currentDetails,
    activities: summaries(EVENT_TYPE_ACTIVITY_TASK_SCHEDULED),
    localActivities: summaries(EVENT_TYPE_MARKER_RECORDED),
    timers: summaries(EVENT_TYPE_TIMER_STARTED),
  };
}

const textOf = (payload: Payload | null | undefined): string =>
  payload ? String(defaultPayloadConverter.fromPayload(payload)) : '';
