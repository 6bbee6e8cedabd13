import {
  type Client,
  isGrpcServiceError,
  ScheduleAlreadyRunning,
  type ScheduleOptionsAction,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../workflows/search-attributes.js';
import { MONEY_KINDS, type MoneyKind } from '../domain/marketplace.js';

export interface PrepareOptions {
  readonly client: Client;
  readonly namespace: string;
  readonly taskQueue: string;
  /** How often each kind of item is looked for when nothing takes it further. */
  readonly sweeps: SweepIntervals;
}

export type SweepIntervals = Readonly<Record<'settlement' | MoneyKind, number>>;

// gRPC status codes
const NOT_FOUND: number = 5;
const ALREADY_EXISTS: number = 6;
/** Histories are kept this long: support asks about last quarter's payment. */
const RETENTION_SECONDS = 90 * 24 * 3600;
const USABLE_WITHIN_MS = 30_000;

/**
 * Makes sure of the namespace, the search attributes and the schedule; each is left alone where it is right already.
 * Called by `makegood migrate` and, every few minutes, by every worker, so that a wiped Temporal heals.
 */
export async function prepareTemporal(options: PrepareOptions): Promise<void> {
  await ensureNamespace(options);
  await ensureSearchAttributes(options);
  await ensureSweepSchedule(options, 'settlement');
  for (const kind of MONEY_KINDS) await ensureSweepSchedule(options, kind);
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

async function ensureSweepSchedule(
  { client, taskQueue, sweeps }: PrepareOptions,
  kind: 'settlement' | MoneyKind,
): Promise<void> {
  const action: ScheduleOptionsAction = {
    type: 'startWorkflow',
    workflowType: kind === 'settlement' ? 'settlementSweep' : 'moneySweep',
    workflowId: `${kind}-sweep`,
    taskQueue,
    args: kind === 'settlement' ? [] : [kind],
    // One hung sweep must not end all sweeping: the overlap policy skips while one runs.
    workflowRunTimeout: '15 minutes',
  };
  const spec = { intervals: [{ every: Math.max(1000, sweeps[kind]) }] };
  const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' } as const;
  const scheduleId = `makegood-${kind}-sweep`;
  try {
    await client.schedule.create({ scheduleId, spec, action, policies });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(scheduleId).update(({ state }) => ({ spec, action, policies, state }));
  }
}

async function ignoring(code: number, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!hasCode(error, code)) throw error;
  }
}

const hasCode = (error: unknown, code: number): boolean => isGrpcServiceError(error) && grpcCode(error) === code;

/** The client's own enum is not exported; the numbers are fixed by gRPC. */
const grpcCode = ({ code }: { code: number }): number => code;
