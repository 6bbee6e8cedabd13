import {
  type Client,
  isGrpcServiceError,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleOptionsAction,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../workflows/search-attributes.js';
import { SETTLEMENT_LANES, SWEEP_LANES, type SweepIntervals, type SweepLane } from '../domain/sweep-lanes.js';

export interface PrepareOptions {
  readonly client: Client;
  readonly namespace: string;
  readonly taskQueue: string;
  /** How often each lane has its pass; milliseconds. */
  readonly sweeps: SweepIntervals;
  /** How often the ledger is compared with its providers; milliseconds. */
  readonly reconcileEveryMs: number;
}

// gRPC status codes
export const NOT_FOUND: number = 5;
const ALREADY_EXISTS: number = 6;
/** Histories are kept this long: support asks about last quarter's payment. */
const RETENTION_SECONDS = 90 * 24 * 3600;
const USABLE_WITHIN_MS = 30_000;

/**
 * Makes sure of the namespace, the search attributes and the schedules; each is left alone where it is right already.
 * Called by `makegood migrate` and, every few minutes, by every worker, so that a wiped Temporal heals.
 */
export async function prepareTemporal(options: PrepareOptions): Promise<void> {
  await ensureNamespace(options);
  await ensureSearchAttributes(options);
  const paused = await noteOfPause(options, FORMER_SCHEDULE);
  await Promise.all(
    SWEEP_LANES.map((lane) => ensureSweepSchedule(options, lane, FORMER_LANES.has(lane) ? paused : undefined)),
  );
  await ensureReconcileSchedule(options);
  await removeSchedule(options, FORMER_SCHEDULE);
}

async function ensureNamespace({ client, namespace }: PrepareOptions): Promise<void> {
  try {
    await client.workflowService.describeNamespace({ namespace });
    return;
  } catch (error) {
    if (!hasCode(error, NOT_FOUND)) throw error;
  }
  await ignoring(ALREADY_EXISTS, () =>
    client.workflowService.registerNamespace({
      namespace,
      // protobuf Duration
      workflowExecutionRetentionPeriod: { seconds: RETENTION_SECONDS as unknown as Long },
    }),
  );
}

type Long = NonNullable<
  NonNullable<
    Parameters<Client['workflowService']['registerNamespace']>[0]['workflowExecutionRetentionPeriod']
  >['seconds']
>;

/** The types of temporal.api.enums.v1.IndexedValueType that we use. */
const INDEXED_VALUE_TYPE: Readonly<Record<string, number>> = { KEYWORD: 2, BOOL: 5 };

export async function addSearchAttributes(
  client: Client,
  namespace: string,
  wanted = SEARCH_ATTRIBUTES,
): Promise<void> {
  const searchAttributes = Object.fromEntries(wanted.map((key) => [key.name, INDEXED_VALUE_TYPE[key.type]]));
  await client.connection.operatorService.addSearchAttributes({ namespace, searchAttributes } as never);
}

/** Adds what is missing and waits until it is usable; a start that named it earlier would be refused. */
async function ensureSearchAttributes({ client, namespace }: PrepareOptions): Promise<void> {
  const operator = client.connection.operatorService;
  const missing = async () => {
    const { customAttributes } = await operator.listSearchAttributes({ namespace });
    return SEARCH_ATTRIBUTES.filter((key) => !(key.name in (customAttributes ?? {})));
  };
  const wanted = await missing();
  if (wanted.length === 0) return;
  await ignoring(ALREADY_EXISTS, () => addSearchAttributes(client, namespace, wanted));
  // The server tells of a new attribute before it can be used everywhere; a start that names it would still be refused.
  const giveUp = Date.now() + USABLE_WITHIN_MS;
  while ((await missing()).length > 0) {
    if (Date.now() > giveUp)
      throw new Error('Temporal does not list the search attributes that were just added; run makegood migrate again');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Of builds in which one sweep did what these lanes do; a pause that a person set there is kept. */
const FORMER_SCHEDULE = 'makegood-settlement-sweep';
const FORMER_LANES: ReadonlySet<SweepLane> = new Set([...SETTLEMENT_LANES, 'session', 'capture', 'chain', 'upkeep']);

export const scheduleId = (lane: SweepLane): string => `makegood-${lane}-sweep`;

/** undefined: there is no such schedule, or it is not paused. */
async function noteOfPause({ client }: PrepareOptions, id: string): Promise<string | undefined> {
  try {
    const { state } = await client.schedule.getHandle(id).describe();
    return state.paused ? (state.note ?? '') : undefined;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

async function removeSchedule({ client }: PrepareOptions, id: string): Promise<void> {
  try {
    await client.schedule.getHandle(id).delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

/** @param paused the note of a pause with which it begins, where it does not exist yet */
async function ensureSweepSchedule(
  { client, taskQueue, sweeps }: PrepareOptions,
  lane: SweepLane,
  paused: string | undefined,
): Promise<void> {
  const action: ScheduleOptionsAction = {
    type: 'startWorkflow',
    workflowType: 'sweep',
    workflowId: `${lane}-sweep`,
    taskQueue,
    args: [lane],
    staticSummary: `looks for what nobody takes further: ${lane}`,
    staticDetails:
      'One pass over the rows of one kind whose time has come; each is started again. When it last succeeded: `makegood doctor`.',
    // One hung sweep must not end all sweeping: the overlap policy skips while one runs.
    workflowRunTimeout: '15 minutes',
  };
  await ensureSchedule(client, { id: scheduleId(lane), everyMs: Math.max(1000, sweeps[lane]), action, paused });
}

export const RECONCILE_SCHEDULE = 'makegood-reconcile';

/** A run that takes longer than its interval is not joined by another; one that was ended is taken up by the next. */
function ensureReconcileSchedule({ client, taskQueue, reconcileEveryMs }: PrepareOptions): Promise<void> {
  const action: ScheduleOptionsAction = {
    type: 'startWorkflow',
    workflowType: 'reconcile',
    workflowId: 'reconcile',
    taskQueue,
    args: [{ reconciliationId: null, requestedBy: 'schedule' }],
    workflowRunTimeout: '1 day',
  };
  return ensureSchedule(client, {
    id: RECONCILE_SCHEDULE,
    everyMs: Math.max(1000, reconcileEveryMs),
    action,
    paused: undefined,
  });
}

interface Wanted {
  readonly id: string;
  readonly everyMs: number;
  readonly action: ScheduleOptionsAction;
  readonly paused: string | undefined;
}

async function ensureSchedule(client: Client, { id, everyMs, action, paused }: Wanted): Promise<void> {
  const spec = { intervals: [{ every: everyMs }] };
  const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' } as const;
  const state = paused === undefined ? {} : { paused: true, note: paused };
  try {
    await client.schedule.create({ scheduleId: id, spec, action, policies, state });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(id).update(({ state: kept }) => ({ spec, action, policies, state: kept }));
  }
}

async function ignoring(code: number, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!hasCode(error, code)) throw error;
  }
}

export const hasCode = (error: unknown, code: number): boolean => isGrpcServiceError(error) && grpcCode(error) === code;

/** The client's own enum is not exported; the numbers are fixed by gRPC. */
const grpcCode = ({ code }: { code: number }): number => code;
