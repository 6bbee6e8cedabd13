import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { aSecret, asked } from '../../support/notifications/notification-world.js';
import { type Received, type Receiver, startReceiver } from '../../support/notifications/receivers.js';
import {
  type CrashOrder,
  environmentFor,
  startProcess,
  type TestProcess,
} from '../../support/processes/start-process.js';
import { endOrphanedSweeps } from '../../support/sweeps.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { until } from '../../support/until.js';

/** Every step between an item that begins to need a person and the record that somebody was told, and whether it had left by then. */
const POINTS: readonly (readonly [call: string, moment: CrashOrder['moment'], sent: 'once' | 'twice'])[] = [
  ['ledger.noteWhoIsAsked', 'before', 'once'],
  ['ledger.noteWhoIsAsked', 'after', 'once'],
  ['ledger.makeNoticeMessage', 'before', 'once'],
  ['ledger.makeNoticeMessage', 'after', 'once'],
  ['ledger.dueNoticeMessages', 'after', 'once'],
  ['ledger.beginDelivery', 'before', 'once'],
  ['ledger.beginDelivery', 'after', 'once'],
  ['sender.send', 'before', 'once'],
  ['sender.send', 'after', 'twice'],
  ['ledger.recordDelivery', 'before', 'twice'],
  ['ledger.recordDelivery', 'after', 'once'],
];
const PATIENCE = { limitMs: 90_000 };

let temporal: DevServer;
let test: TestLedger;
let receiver: Receiver;
let worker: TestProcess;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  [temporal, test, receiver] = await Promise.all([startDevServer(), openTestLedger(), startReceiver()]);
  env = environmentFor(
    { databaseUrl: test.url, temporalAddress: temporal.address, authServerUrl: 'http://127.0.0.1:9' },
    { NOTIFY_WEBHOOKS: `${receiver.url} ${aSecret()}`, NOTIFY_GROUP_WINDOW: '1s' },
  );
  worker = await startProcess('worker', env);
}, 120_000);
afterAll(async () => {
  worker.kill('SIGKILL');
  await worker.exited;
  await receiver.close();
  await test.dispose();
  await temporal.dispose();
});

const tellsOf = (id: string): readonly Received[] => receiver.received.filter(({ body }) => body.includes(id));

describe('a worker that is killed', { timeout: 240_000 }, () => {
  it.each(POINTS)('%s, %s it, tells of an item once, or again under the same id', async (call, moment, sent) => {
    await worker.arm({ call, moment });
    const id = await asked(test);
    expect(await worker.exited).toBe('SIGKILL');
    await endOrphanedSweeps(temporal.address, temporal.namespace, ['notify']);
    // What a dead worker had taken comes round again a minute later.
    await test.database.query(
      'UPDATE notice_messages SET next_check_at = clock_now() WHERE attempts = 0 AND ended_at IS NULL',
    );
    worker = await startProcess('worker', env);
    await until('somebody was told, and it is recorded', () => recorded(id), PATIENCE);

    const told = tellsOf(id);
    expect(told).toHaveLength(sent === 'once' ? 1 : 2);
    expect(new Set(told.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(told.map(({ body }) => body)).size).toBe(1);
  });
});

async function recorded(id: string): Promise<boolean> {
  const [row] = await test.database.query<{ state: string }>(
    `SELECT m.state FROM notice_messages m JOIN notice_message_items i ON i.message_id = m.id JOIN notices n ON n.seq = i.notice
     WHERE n.item_id = $1 AND m.state = 'delivered'`,
    [id],
  );
  return row !== undefined;
}
