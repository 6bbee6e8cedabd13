import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Webhook } from 'standardwebhooks';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  type Destination,
  mailDestination,
  webhookDestination,
} from '../../../src/domain/notifications/destinations.js';
import { catchUp } from '../../support/clock-following.js';
import { HOUR_MS } from '../../support/durations.js';
import { ledgerForTest, type TestLedger } from '../../support/ledger-fixtures.js';
import {
  answered,
  aSecret,
  asked,
  type NotificationWorld,
  startNotificationWorld,
} from '../../support/notifications/notification-world.js';
import { type MailBox, type Receiver, startMailBox, startReceiver } from '../../support/notifications/receivers.js';
import { openTimeSkippingEnvironment } from '../../support/time-skipping-environment.js';

const MINUTE_MS = 60_000;
const SECRET = aSecret();
let env: TestWorkflowEnvironment;
let test: TestLedger;

beforeEach(async () => {
  env = await openTimeSkippingEnvironment();
  onTestFinished(() => env.teardown());
  test = await ledgerForTest();
  await catchUp(test.clock, () => env.currentTimeMs());
});

async function receiver(): Promise<Receiver> {
  const one = await startReceiver();
  onTestFinished(() => one.close());
  return one;
}
async function mailBox(): Promise<MailBox> {
  const one = await startMailBox();
  onTestFinished(() => one.close());
  return one;
}

async function world(
  destinations: readonly Destination[],
  more: Partial<Parameters<typeof startNotificationWorld>[0]> = {},
): Promise<NotificationWorld> {
  const one = await startNotificationWorld({
    connection: env.nativeConnection,
    client: env.client,
    test,
    destinations,
    nowMs: () => env.currentTimeMs(),
    ...more,
  });
  onTestFinished(() => one.stop());
  return one;
}

const first = (to: Receiver, secrets = [SECRET]) => webhookDestination('first', to.url, secrets);
const escalation = (to: Receiver) => webhookDestination('escalation', to.url, [SECRET]);
const mailTo = ({ port }: MailBox) => ({
  server: { host: '127.0.0.1', port, tls: 'off', login: undefined } as const,
  from: 'makegood@example.com',
});

interface Told {
  readonly type: string;
  readonly data: {
    readonly reason: string;
    readonly count: number;
    readonly more: number;
    readonly totals: readonly { amount: string; currency: string; decimals: number; count: number }[];
    readonly items: readonly { id: string; console_url: string; amount: string }[];
    readonly kinds: readonly { kind: string; runbook: string }[];
  };
}
const told = (to: Receiver): readonly Told[] => to.received.map(({ body }) => JSON.parse(body) as Told);

/** Until no message waits any more; the server's clock goes on meanwhile. */
async function allEnded(stepMs = 5_000): Promise<void> {
  for (let step = 0; step < 500; step += 1) {
    if ((await messages()).every(({ state }) => state !== 'waiting')) return;
    await env.sleep(stepMs);
  }
  throw new Error('a message is still waiting');
}
async function later(ms: number): Promise<void> {
  await env.sleep(ms);
  await catchUp(test.clock, () => env.currentTimeMs());
}
const messages = () =>
  test.database.query<{ state: string; attempts: number; reason: string; destination: string }>(
    'SELECT state, attempts, reason, destination FROM notice_messages ORDER BY id',
  );

describe('money that needs a person', () => {
  it('is told once, in one message of what came up within the window, signed so that a receiver can verify it', async () => {
    const to = await receiver();
    const old = aSecret();
    const { pass } = await world([first(to, [SECRET, old])]);
    const one = await asked(test);
    expect(await pass()).toMatchObject({ noted: 1, made: 0 });
    await later(4 * MINUTE_MS);
    const other = await asked(test);
    expect(await pass()).toMatchObject({ noted: 1, made: 0 });
    await later(MINUTE_MS);
    expect(await pass()).toMatchObject({ made: 1, started: 1 });
    await allEnded();
    expect(await pass()).toMatchObject({ noted: 0, made: 0, started: 0 });

    const [{ headers, body, path } = to.received[0]!] = to.received;
    expect(to.received).toHaveLength(1);
    expect(path).toBe('/hook');
    for (const secret of [SECRET, old])
      expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toEqual(JSON.parse(body));
    expect(() => new Webhook(aSecret()).verify(body, headers as Record<string, string>)).toThrow();
    const [{ type, data } = told(to)[0]!] = told(to);
    expect(type).toBe('makegood.attention');
    expect(data).toMatchObject({ reason: 'credential_undecodable', count: 2, more: 0 });
    expect(data.items.map(({ id }) => id)).toEqual([one, other]);
    expect(data.items[0]?.console_url).toBe(`https://pay.example.com/base/console/item/settlement/${one}`);
    expect(data.totals).toEqual([{ amount: '6000', currency: 'USDC', decimals: 6, count: 2 }]);
    expect(data.kinds[0]?.runbook).toBe('docs/runbooks/needs-attention.md');
  });

  it('is not told where nobody is asked any more, neither before a message is made nor after', async () => {
    const to = await receiver();
    const { pass } = await world([first(to)]);
    const [one, other, third] = [await asked(test), await asked(test), await asked(test)];
    await pass();
    await answered(test, one);
    await later(5 * MINUTE_MS);
    to.behave('fail');
    expect(await pass()).toMatchObject({ ended: 1, made: 1 });
    await until(() => to.received.length === 1);
    expect(told(to)[0]?.data.items.map(({ id }) => id)).toEqual([other, third]);
    await answered(test, other);
    await answered(test, third);
    await allEnded();
    expect(await messages()).toMatchObject([{ state: 'withdrawn', attempts: 1 }]);
    expect(to.received).toHaveLength(1);
  });

  it('is told again only where it comes up again', async () => {
    const to = await receiver();
    const { pass } = await world([first(to)], { rules: { groupWindowMs: 1 } });
    const id = await asked(test);
    await pass();
    await later(1_000);
    await pass();
    await allEnded();
    await test.database.query(`UPDATE settlements SET attention_since = clock_now() WHERE id = $1`, [id]);
    await pass();
    await later(1_000);
    await pass();
    await allEnded();
    expect(told(to).map(({ data }) => data.items[0]?.id)).toEqual([id, id]);
    expect(new Set(to.received.map(({ headers }) => headers['webhook-id'])).size).toBe(2);
  });

  it('goes by mail, with text and HTML, and nothing that a payer wrote is markup', async () => {
    const box = await mailBox();
    const { pass } = await world([mailDestination('first', 'ops@example.com')], { mail: mailTo(box) });
    const asset = '<img src=x onerror=alert(1)>\r\nBcc: thief@example.com';
    const id = await asked(test, { asset });
    await pass();
    await later(5 * MINUTE_MS);
    await pass();
    await allEnded();
    expect(box.mails).toHaveLength(1);
    const [mail = ''] = box.mails;
    const [message] = await test.database.query<{ id: string }>('SELECT id FROM notice_messages');
    expect(mail).toContain(`Message-ID: <${message?.id}@example.com>`);
    expect(mail).toContain('Subject: [Makegood] credential_undecodable: 1 item needs a person');
    const plain = mail.replace(/=\r\n/g, '').replace(/=3D/g, '=');
    expect(plain).toContain(`https://pay.example.com/base/console/item/settlement/${id}`);
    expect(plain).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(plain.slice(plain.indexOf('text/html'))).not.toContain('<img');
    expect(mail).not.toMatch(/^Bcc:/m);
  });
});

describe('a receiver that is ill', () => {
  it.each([
    ['fail', 'answered 503'],
    ['hang', 'gave no answer in time'],
    ['redirect', 'answered 307: it redirects, which is not followed'],
    ['reset', 'the connection broke before its answer'],
    ['babble', 'answered 500'],
  ] as const)(
    'that does %s gets the same message again under the same id, and keeps nobody else waiting',
    async (behaviour, says) => {
      const [ill, well] = [await receiver(), await receiver()];
      ill.behave(behaviour);
      const { pass, logger } = await world([first(ill), first(well)]);
      await asked(test);
      await pass();
      await later(5 * MINUTE_MS);
      expect(await pass()).toMatchObject({ made: 2, started: 2 });
      await until(() => well.received.length === 1);
      await until(() => ill.received.length >= 1);
      await until(async () => (await stateOf(ill))?.failures === 1);
      // What the other has taken is written down a moment later.
      await until(async () => (await stateOf(well))?.waiting === 0);
      expect(await stateOf(ill)).toMatchObject({ lastFailure: says, waiting: 1 });
      expect(await stateOf(well)).toMatchObject({ lastFailure: null, waiting: 0 });
      expect((await test.ledger.figures()).destinations.map(({ gone, waiting }) => ({ gone, waiting }))).toContainEqual(
        {
          gone: false,
          waiting: 1,
        },
      );
      ill.behave('take');
      await allEnded();
      expect(ill.received).toHaveLength(2);
      const [one, again] = ill.received;
      expect(again?.headers['webhook-id']).toBe(one?.headers['webhook-id']);
      expect(again?.body).toBe(one?.body);
      expect(ill.received.every(({ path }) => path === '/hook')).toBe(true);
      expect(await stateOf(ill)).toMatchObject({ failures: 0, failingSince: null, waiting: 0 });
      const attempts = await test.database.query<{ outcome: string }>(
        'SELECT outcome FROM notice_attempts JOIN notice_messages m ON m.id = message_id WHERE m.attempts = 2 ORDER BY number',
      );
      expect(attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'delivered']);
      expect(logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    },
  );

  it('has what comes up meanwhile in its next message, and after a day in one with all that still stands', async () => {
    const to = await receiver();
    to.behave('fail');
    const { pass } = await world([first(to)]);
    const one = await asked(test);
    await pass();
    await later(5 * MINUTE_MS);
    await pass();
    const other = await asked(test);
    await later(6 * MINUTE_MS);
    expect(await pass()).toMatchObject({ noted: 1, made: 0 });
    await allEnded(5 * MINUTE_MS);
    expect(await messages()).toMatchObject([{ state: 'given_up' }]);
    expect(to.received.length).toBeGreaterThan(50);
    to.behave('take');
    await catchUp(test.clock, () => env.currentTimeMs());
    expect(await pass()).toMatchObject({ made: 1 });
    await allEnded();
    expect(await messages()).toMatchObject([{ state: 'given_up' }, { state: 'delivered', attempts: 1 }]);
    expect(
      told(to)
        .at(-1)
        ?.data.items.map(({ id }) => id),
    ).toEqual([one, other]);
  });

  it('that says nobody is there gets nothing more, until a person has tried it', async () => {
    const to = await receiver();
    to.behave('gone');
    const { pass } = await world([first(to)]);
    const id = await asked(test);
    await pass();
    await later(5 * MINUTE_MS);
    await pass();
    await allEnded();
    await later(HOUR_MS);
    await asked(test);
    expect(await pass()).toMatchObject({ made: 0, started: 0 });
    expect(to.received).toHaveLength(1);
    const [{ id: destination, goneAt } = (await states())[0]!] = await states();
    expect(goneAt).not.toBeNull();
    expect((await test.ledger.figures()).destinations).toMatchObject([{ gone: true }]);
    to.behave('take');
    await test.ledger.destinationIsThere(destination);
    await later(5 * MINUTE_MS);
    expect(await pass()).toMatchObject({ made: 1 });
    await allEnded();
    expect(told(to).at(-1)?.data).toMatchObject({ count: 2, items: [{ id }, { amount: '3000' }] });
  });

  it('that is a mail server gets the same mail again, and its words are told to nobody', async () => {
    const box = await mailBox();
    box.refuse(true);
    const { pass, logger } = await world([mailDestination('first', 'ops@example.com')], { mail: mailTo(box) });
    await asked(test);
    await pass();
    await later(5 * MINUTE_MS);
    await pass();
    await until(async () => (await states())[0]?.lastFailure === 'the mail server answered 451');
    box.refuse(false);
    await allEnded();
    expect(box.mails).toHaveLength(1);
    expect(JSON.stringify(logger.lines)).not.toContain('whsec_');
  });
});

describe('quiet hours and escalation', () => {
  /** Of the next hours, by whatever time the server's clock shows. */
  const quietFor = (hours: number) => {
    const now = new Date(test.clock.nowMs());
    const minute = now.getUTCHours() * 60 + now.getUTCMinutes();
    return { fromMinute: minute, toMinute: (minute + hours * 60) % 1_440, timeZone: 'UTC' };
  };

  it('tell at night only what is urgent by its reason or its amount, and the rest in the morning', async () => {
    const to = await receiver();
    const { pass } = await world([first(to)], { rules: { quietHours: quietFor(8), urgentAmount: 1_000n } });
    await asked(test, { spent: '3000000' as never });
    await pass();
    await later(5 * MINUTE_MS);
    expect(await pass()).toMatchObject({ made: 0 });
    // Together 12 USDC and some: above 10 in hundredths.
    await asked(test, { spent: '9000000' as never });
    expect(await pass()).toMatchObject({ noted: 1, made: 1 });
    await allEnded();
    await asked(test);
    await pass();
    await later(HOUR_MS);
    expect(await pass()).toMatchObject({ made: 0 });
    await later(8 * HOUR_MS);
    expect(await pass()).toMatchObject({ made: 1 });
    await allEnded();
    expect(told(to).map(({ data }) => data.count)).toEqual([2, 1]);
  });

  it('a second list is told of what is still open, and of nothing else', async () => {
    const [to, head] = [await receiver(), await receiver()];
    const { pass } = await world([first(to), escalation(head)]);
    const [one, other] = [await asked(test), await asked(test)];
    await pass();
    await later(5 * MINUTE_MS);
    await pass();
    await allEnded();
    await later(30 * MINUTE_MS);
    await answered(test, one);
    expect(await pass()).toMatchObject({ ended: 1, made: 0 });
    await later(35 * MINUTE_MS);
    expect(await pass()).toMatchObject({ made: 1 });
    await allEnded();
    expect(told(head).map(({ type, data }) => [type, data.items.map(({ id }) => id)])).toEqual([
      ['makegood.attention.escalated', [other]],
    ]);
    expect(to.received).toHaveLength(1);
    await later(24 * HOUR_MS);
    expect(await pass()).toMatchObject({ made: 0 });
  });

  it('a second list is told of what came up while the first does not answer', async () => {
    const [to, head] = [await receiver(), await receiver()];
    to.behave('fail');
    const { pass } = await world([first(to), escalation(head)]);
    await asked(test);
    await pass();
    await later(5 * MINUTE_MS);
    await pass();
    await later(2 * MINUTE_MS);
    const late = await asked(test);
    await pass();
    await later(70 * MINUTE_MS);
    expect(await pass()).toMatchObject({ made: 1 });
    await until(() => head.received.length === 1);
    expect(told(head)[0]?.data.items.map(({ id }) => id)).toContain(late);
  });
});

const states = () => test.ledger.destinationStates();
const stateOf = async (to: Receiver) => (await states()).find(({ id }) => id === first(to).id);
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(holds, { timeout: 10_000 }).toBe(true);
}
