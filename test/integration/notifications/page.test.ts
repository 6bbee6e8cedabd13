import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../../sandbox/stack/project-root.js';
import { systemClock } from '../../../src/domain/clock.js';
import { newNoticeMessageId } from '../../../src/domain/ids.js';
import { webhookDestination } from '../../../src/domain/notifications/destinations.js';
import { createSender } from '../../../src/providers/notifications/sender.js';
import { readDocument } from '../../support/documents.js';
import { aSecret } from '../../support/notifications/notification-world.js';
import { startReceiver } from '../../support/notifications/receivers.js';
import { snippetsIn } from '../../support/page-programs.js';

/** The receiver of docs/notifications.md is run here as it stands there. */

type Receive = (body: string, headers: Record<string, string>) => unknown;

async function receiveOfThePage(secret: string): Promise<Receive> {
  const file = join(projectRoot(), '.build', `receiver-of-the-page-${process.pid}.mjs`);
  writeFileSync(file, snippetsIn(readDocument('docs/notifications.md')).get('js 1') ?? '');
  onTestFinished(() => rmSync(file));
  const page = (await import(pathToFileURL(file).href)) as { readonly createReceiver: (secret: string) => Receive };
  return page.createReceiver(secret);
}

it('a receiver as docs/notifications.md shows it takes a message once, and no forged or late one', async () => {
  const [secret, to] = [aSecret(), await startReceiver()];
  onTestFinished(() => to.close());
  const receive = await receiveOfThePage(secret);
  const destination = webhookDestination('first', to.url, [aSecret(), secret]);
  const sender = createSender({ mail: undefined, publicUrl: undefined, clock: systemClock });
  const id = newNoticeMessageId(Date.now());
  await sender.sendTest(destination, id);
  await sender.sendTest(destination, id);
  const late = createSender({ mail: undefined, publicUrl: undefined, clock: { nowMs: () => Date.now() - 600_000 } });
  await late.sendTest(destination, newNoticeMessageId(Date.now()));

  const [one, again, old] = to.received.map(({ body, headers }) => ({
    body,
    headers: headers as Record<string, string>,
  }));
  expect(receive(one!.body, one!.headers)).toMatchObject({ type: 'makegood.test', data: { message_id: id } });
  expect(receive(again!.body, again!.headers)).toBeNull();
  expect(() => receive(one!.body.replace('test', 'tost'), one!.headers)).toThrow();
  expect(() => receive(one!.body, { ...one!.headers, 'webhook-id': 'another' })).toThrow();
  expect(() => receive(old!.body, old!.headers)).toThrow();
});
