import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { marketplaceWorkflowId } from '../../../src/domain/workflow-ids.js';
import {
  ANSWERS_LOST,
  expectMovedOnce,
  heal,
  type OneOfEach,
  putUnderWay,
  sendsOf,
  stripePostsFor,
} from '../../support/marketplace/crash/under-way.js';
import { type MarketplaceCrashWorld, startMarketplaceCrashWorld } from '../../support/marketplace/crash/world.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { temporalCommand } from '../../support/temporal-command.js';
import { until } from '../../support/until.js';
import { sampleOf } from '../../support/whole-or-sample.js';

/** Temporal may lose whatever it knows: Postgres decides, and the sweeps find what nobody takes further. */

const NAMESPACE = 'workflows-lost';
const WITHIN = { limitMs: 30_000, everyMs: 100 };
let temporal: DevServer;
let world: MarketplaceCrashWorld;

beforeAll(async () => {
  temporal = await startDevServer();
  world = await startMarketplaceCrashWorld({
    temporalAddress: temporal.address,
    namespace: NAMESPACE,
    // Nobody is asked while Temporal has lost everything, and what it lost is made again within seconds.
    changes: { REVERSAL_MAX_RETRIES: '1000', TRANSFER_RETRY_MAX: '1000', TEST_PREPARE_EVERY_MS: '1000' },
  });
}, 120_000);
afterAll(async () => {
  await world.stop();
  await temporal.dispose();
});

const idsOf = (items: OneOfEach): readonly string[] =>
  Object.values(items).map(({ kind, id }) => marketplaceWorkflowId(kind, id));
const temporalSays = (...args: readonly string[]) =>
  temporalCommand({ address: temporal.address, namespace: NAMESPACE }, ...args);
interface Described {
  readonly workflowExecutionInfo: { readonly status: string; readonly execution: { readonly runId: string } };
}
async function describeWorkflow(id: string): Promise<{ readonly status: string; readonly runId: string }> {
  const said = await temporalSays('workflow', 'describe', '--workflow-id', id, '--output', 'json');
  const { status, execution } = (JSON.parse(said) as Described).workflowExecutionInfo;
  return { status: status.replace('WORKFLOW_EXECUTION_STATUS_', ''), runId: execution.runId };
}

const fromTheStart = (id: string) =>
  temporalSays('workflow', 'reset', '--workflow-id', id, '--type', 'FirstWorkflowTask', '--reason', 'tried out');

/** Each way in which a person, or an accident, takes the workflows away. */
const LOST: Readonly<Record<string, (ids: readonly string[]) => Promise<void>>> = {
  'reset to its first task': async (ids) => {
    const before = await Promise.all(ids.map(describeWorkflow));
    for (const id of ids) await fromTheStart(id);
    const after = await Promise.all(ids.map(describeWorkflow));
    for (const [nth, { runId }] of after.entries()) expect(runId).not.toBe(before[nth]?.runId);
  },
  terminated: async (ids) => {
    for (const id of ids) await temporalSays('workflow', 'terminate', '--workflow-id', id, '--reason', 'tried out');
    for (const id of ids) expect((await describeWorkflow(id)).status).toBe('TERMINATED');
  },
  'forgotten with all of Temporal': async (ids) => {
    await temporal.stop('kill');
    await temporal.start('wiped');
    for (const id of ids) await expect(describeWorkflow(id)).rejects.toThrow(/not found/i);
  },
};

afterEach(() => expectMovedOnce(world));

const WAYS_TO_LOSE = sampleOf('ways to lose a workflow', Object.keys(LOST), { nameOf: (how) => how, oneIn: 3 });

describe.each(WAYS_TO_LOSE)('a workflow that is %s while nobody knows whether its money moved', (how) => {
  it('is taken up by the sweep, and payment, refund, transfer and reversal have moved once', async () => {
    const items = await putUnderWay(world, ANSWERS_LOST);
    await LOST[how]?.(idsOf(items));
    await heal(world);
    await world.finished(60_000);
    // Both had moved already: a look finds them. Hyperswitch is asked again by the same ids, which it takes once.
    expect(stripePostsFor(world, items.transfer, items.reversal)).toEqual([1, 1]);
  }, 120_000);
});

describe('a workflow that is reset after its money has moved', () => {
  it('looks into the ledger and ends again: nothing is sent', async () => {
    const items = await putUnderWay(world, ANSWERS_LOST);
    await heal(world);
    await world.finished(60_000);
    const ids = idsOf(items);
    const completed = async () => (await Promise.all(ids.map(describeWorkflow))).map(({ status }) => status);
    await until('all four have ended', async () => (await completed()).every((one) => one === 'COMPLETED'), WITHIN);
    const sent = () => sendsOf(world, 'transfers.create', 'reversals.create', 'payments.create', 'refunds.create');
    const before = sent();
    for (const id of ids) await fromTheStart(id);
    await until(
      'all four have ended again',
      async () => (await completed()).every((one) => one === 'COMPLETED'),
      WITHIN,
    );
    expect(sent()).toBe(before);
  }, 120_000);
});
