import { Client, type WorkflowHandle } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, it } from 'vitest';
import { temporalTool } from '../../sandbox/stack/tools.js';
import { reconciliationWorkflowId } from '../../src/domain/workflow-ids.js';
import { addSearchAttributes } from '../../src/orchestration/prepare-temporal.js';
import { openReconcileWorld, type ReconcileWorld } from '../support/marketplace/reconcile-world.js';
import { timeSkippingServer } from '../support/temporal.js';
import { until } from '../support/until.js';
import { recordHistory } from './recording.js';

/** Records the histories of reconciliations; see histories.record.ts for when that is right. */

let env: TestWorkflowEnvironment;
let world: ReconcileWorld;
afterEach(async () => {
  await world.close();
  await env.teardown();
});

const SINCE = '2020-01-01T00:00:00.000Z';

async function open(server: 'time-skipping' | 'forgetful'): Promise<void> {
  env =
    server === 'time-skipping'
      ? await TestWorkflowEnvironment.createTimeSkipping({ server: timeSkippingServer() })
      : await TestWorkflowEnvironment.createLocal({
          server: {
            executable: { type: 'existing-path', path: temporalTool('temporal', process.env) },
            // So that a short history is a long one.
            extraArgs: ['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=30'],
          },
        });
  await addSearchAttributes(new Client({ connection: env.connection }), 'default');
  world = await openReconcileWorld(
    { native: env.nativeConnection, client: env.client },
    { taskQueue: 'makegood', lookAgainAfterMs: server === 'forgetful' ? 0 : 60_000 },
  );
}

async function started(): Promise<WorkflowHandle> {
  return env.client.workflow.getHandle(reconciliationWorkflowId(await world.begin(SINCE)));
}

it('finished', async () => {
  await open('time-skipping');
  await world.stripe.seed({ transfers: [{ destination: 'acct_1', amount: 100 }] });
  const handle = await started();
  await handle.result();
  await recordHistory('reconcile/finished', handle);
});

it('begun by the schedule', async () => {
  await open('time-skipping');
  const handle = await env.client.workflow.start('reconcile', {
    taskQueue: 'makegood',
    workflowId: 'reconcile-2026-11-30T10:00:00Z',
    args: [{ reconciliationId: null, requestedBy: 'schedule' }],
  });
  await handle.result();
  await recordHistory('reconcile/begun-by-the-schedule', handle);
});

it('waits as Stripe asks', async () => {
  await open('time-skipping');
  world.stripe.setFaults([{ kinds: ['rate_limited'], on: ['transfers.list'], times: 1, retryAfterSeconds: 20 }]);
  const handle = await started();
  await handle.result();
  await recordHistory('reconcile/waits-as-stripe-asks', handle);
});

it('leaves a part', async () => {
  await open('time-skipping');
  world.stripe.setFaults([{ kinds: ['server_error'], on: ['transfers.list'] }]);
  const handle = await started();
  await handle.result();
  await recordHistory('reconcile/leaves-a-part', handle);
});

it('continued as new', async () => {
  await open('forgetful');
  const handle = await started();
  const { runId } = await handle.describe();
  await handle.result();
  await recordHistory('reconcile/continued-as-new', env.client.workflow.getHandle(handle.workflowId, runId));
});

it('cancelled', async () => {
  await open('time-skipping');
  world.stripe.setDown(true);
  const handle = await started();
  await until('Stripe was asked', () => world.stripe.calls().totals.calls > 0, { limitMs: 10_000 });
  await handle.cancel();
  await handle.result().catch(() => undefined);
  await recordHistory('reconcile/cancelled', handle);
});
