import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, it } from 'vitest';
import { webhookDestination } from '../../src/domain/notifications/destinations.js';
import { openTestLedger, type TestLedger } from '../support/ledger-fixtures.js';
import {
  aSecret,
  asked,
  type NotificationWorld,
  startNotificationWorld,
} from '../support/notifications/notification-world.js';
import { type Receiver, startReceiver } from '../support/notifications/receivers.js';
import { openTimeSkippingEnvironment } from '../support/time-skipping-environment.js';
import { recordHistory } from './recording.js';

/** Records the histories of messages; see histories.record.ts for when that is right. */

let env: TestWorkflowEnvironment;
let test: TestLedger;
let to: Receiver;
let world: NotificationWorld;

beforeEach(async () => {
  [env, test, to] = await Promise.all([openTimeSkippingEnvironment(), openTestLedger(), startReceiver()]);
  world = await startNotificationWorld({
    connection: env.nativeConnection,
    client: env.client,
    test,
    destinations: [webhookDestination('first', to.url, [aSecret()])],
    rules: { groupWindowMs: 0 },
    taskQueue: 'makegood',
  });
});
afterEach(async () => {
  await world.stop();
  await to.close();
  await test.dispose();
  await env.teardown();
});

async function recorded(shape: string): Promise<void> {
  await asked(test);
  await world.pass();
  const [message] = await test.database.query<{ id: string }>('SELECT id FROM notice_messages');
  const handle = env.client.workflow.getHandle(`notification/${message?.id}`);
  for (let step = 0; step < 100 && to.received.length === 0; step += 1) await env.sleep('1 second');
  to.behave('take');
  await handle.result();
  await recordHistory(shape, handle);
}

it('a message is delivered', async () => {
  await recorded('notification/delivered');
});

it('a message is delivered after retries', async () => {
  to.behave('fail');
  await recorded('notification/delivered-after-retries');
});
