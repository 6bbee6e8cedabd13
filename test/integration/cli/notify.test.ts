import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { CommandRefused } from '../../../src/cli/context.js';
import { readOperatorConfig } from '../../../src/config/config.js';
import { runMakegood } from '../../support/cli.js';
import { ledgerForTest, type TestLedger } from '../../support/ledger-fixtures.js';
import { aSecret } from '../../support/notifications/notification-world.js';
import { type MailBox, type Receiver, startMailBox, startReceiver } from '../../support/notifications/receivers.js';

let test: TestLedger;
let well: Receiver;
let ill: Receiver;
let box: MailBox;
let env: Record<string, string>;
const secret = aSecret();

beforeEach(async () => {
  [test, well, ill, box] = await Promise.all([ledgerForTest(), startReceiver(), startReceiver(), startMailBox()]);
  onTestFinished(async () => {
    await Promise.all([well.close(), ill.close(), box.close()]);
  });
  env = {
    DATABASE_URL: test.url,
    NOTIFY_WEBHOOKS: `${well.url} ${secret}`,
    NOTIFY_ESCALATE_WEBHOOKS: `${ill.url}?key=s3cret ${secret}`,
    NOTIFY_EMAIL_TO: 'ops@example.com',
    NOTIFY_EMAIL_FROM: 'makegood@example.com',
    SMTP_URL: `smtp://127.0.0.1:${box.port}`,
  };
});

async function notify(...args: readonly string[]) {
  const out: string[] = [];
  const refused = await runMakegood(['notify', ...args], {
    env,
    clock: test.clock,
    out: (line) => out.push(line),
    err: () => undefined,
  }).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (refused !== undefined) expect(refused).toBeInstanceOf(CommandRefused);
  return { out, refused: refused as CommandRefused | undefined };
}

interface Line {
  readonly destination: string;
  readonly outcome: string;
  readonly detail: string;
}
const linesOf = ([line = '{}']: readonly string[]) =>
  (JSON.parse(line) as { destinations: readonly Line[] }).destinations;

describe('makegood notify', () => {
  it('--test sends to each destination, says what happened, and fails where one does not take it', async () => {
    ill.behave('redirect');
    const { out, refused } = await notify('--test', '--json');
    expect(refused?.message).toBe('1 of 3 destinations did not take it');
    expect(linesOf(out).map(({ outcome, detail }) => [outcome, detail])).toEqual([
      ['delivered', 'answered 204'],
      ['delivered', 'the mail server took it'],
      ['failed', 'answered 307: it redirects, which is not followed'],
    ]);
    expect(JSON.parse(well.received[0]?.body ?? '')).toMatchObject({ type: 'makegood.test' });
    expect(box.mails[0]).toContain('Subject: [Makegood] a test: nothing needs a person');
    expect(ill.received).toHaveLength(1);
    ill.behave('take');
    const again = await notify('--test');
    expect(again.refused).toBeUndefined();
    expect(again.out).toHaveLength(4);
    expect(again.out.join('\n')).not.toMatch(/whsec_|s3cret|ops@/);
  });

  it('--test has one that was gone told again', async () => {
    const { destinations = [] } = readOperatorConfig(env).notifications ?? {};
    await test.ledger.registerDestinations(destinations);
    await test.database.query(
      `UPDATE notice_destinations SET gone_at = clock_now(), last_failure = 'answered 410' WHERE stage = 'escalation'`,
    );
    expect(linesOf((await notify('--json')).out).map(({ outcome }) => outcome)).toEqual(['well', 'well', 'gone']);
    await notify('--test');
    expect(linesOf((await notify('--json')).out).map(({ outcome }) => outcome)).toEqual(['well', 'well', 'well']);
  });

  it('--test counts as no message: who was told of nothing was told of nothing, and who fails goes on failing', async () => {
    const { destinations = [] } = readOperatorConfig(env).notifications ?? {};
    await test.ledger.registerDestinations(destinations);
    await test.database.query(
      `UPDATE notice_destinations SET failing_since = clock_now(), failures = 3, last_failure = 'answered 500' WHERE stage = 'escalation'`,
    );
    expect((await notify('--test')).refused).toBeUndefined();
    expect(linesOf((await notify('--json')).out).map(({ outcome, detail }) => [outcome, detail])).toEqual([
      ['well', 'nothing was told yet'],
      ['well', 'nothing was told yet'],
      ['failed', expect.stringMatching(/^since \S+, 0 wait: answered 500$/)],
    ]);
  });

  it('says so where no worker has a destination, and where there is none', async () => {
    expect(linesOf((await notify('--json')).out).map(({ outcome }) => outcome)).toEqual(Array(3).fill('not_used'));
    env = { DATABASE_URL: test.url };
    expect((await notify()).refused?.message).toMatch(/^nobody is told: set NOTIFY_WEBHOOKS/);
  });
});
