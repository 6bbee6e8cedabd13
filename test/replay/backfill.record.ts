import { Client, type WorkflowHandle } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, it } from 'vitest';
import { temporalTool } from '../../sandbox/stack/tools.js';
import { type StripeSandbox, startStripeSandbox } from '../../sandbox/stripe/start.js';
import { backfillWorkflowId } from '../../src/domain/workflow-ids.js';
import { addSearchAttributes } from '../../src/orchestration/prepare-temporal.js';
import { openTestLedger, type TestLedger } from '../support/ledger-fixtures.js';
import {
  atStripe,
  type BackfillWorld,
  history,
  imported,
  startBackfillWorld,
} from '../support/marketplace/backfill-world.js';
import { timeSkippingServer } from '../support/temporal.js';
import { until } from '../support/until.js';
import { recordHistory } from './recording.js';

/** Records the histories of backfills; see histories.record.ts for when that is right. */

let env: TestWorkflowEnvironment;
let test: TestLedger;
let stripe: StripeSandbox;
let world: BackfillWorld;

beforeEach(async () => {
  [test, stripe] = await Promise.all([openTestLedger(), startStripeSandbox()]);
});
afterEach(async () => {
  await world.stop();
  await stripe.close();
  await test.dispose();
  await env.teardown();
});

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
  const client = new Client({ connection: env.connection });
  await addSearchAttributes(client, 'default');
  world = await startBackfillWorld({ connection: env.nativeConnection, client, test, stripe, taskQueue: 'makegood' });
}

async function sellers(count: number): Promise<void> {
  for (let nth = 1; nth <= count; nth += 1) {
    const line = history({ sellerAccount: `acct_${nth}` });
    await imported(test, line);
    await stripe.seed({ transfers: [atStripe(line)] });
  }
}

async function started(): Promise<WorkflowHandle> {
  return env.client.workflow.getHandle(backfillWorkflowId(await world.start({ apply: true })));
}

it('finished', async () => {
  await open('time-skipping');
  await sellers(2);
  const handle = await started();
  await handle.result();
  await recordHistory('backfill-transfer-ids/finished', handle);
});

it('waits as Stripe asks', async () => {
  await open('time-skipping');
  await sellers(1);
  stripe.setFaults([{ kinds: ['rate_limited'], on: ['transfers.list'], times: 1, retryAfterSeconds: 20 }]);
  const handle = await started();
  await handle.result();
  await recordHistory('backfill-transfer-ids/waits-as-stripe-asks', handle);
});

it('one seller later', async () => {
  await open('time-skipping');
  await sellers(2);
  stripe.setFaults([{ kinds: ['server_error'], on: ['transfers.list'], sellers: ['acct_1'], times: 8 }]);
  const handle = await started();
  await handle.result();
  await recordHistory('backfill-transfer-ids/one-seller-later', handle);
});

it('continued as new', async () => {
  await open('forgetful');
  await sellers(6);
  const handle = await started();
  const { runId } = await handle.describe();
  await handle.result();
  await recordHistory(
    'backfill-transfer-ids/continued-as-new',
    env.client.workflow.getHandle(handle.workflowId, runId),
  );
});

it('cancelled', async () => {
  await open('time-skipping');
  await sellers(1);
  stripe.setDown(true);
  const handle = await started();
  await until('Stripe was asked', () => stripe.calls().totals.calls > 0, { limitMs: 10_000 });
  await handle.cancel();
  await handle.result().catch(() => undefined);
  await recordHistory('backfill-transfer-ids/cancelled', handle);
});
