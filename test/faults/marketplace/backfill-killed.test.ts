import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StripeSandbox, startStripeSandbox } from '../../../sandbox/stripe/start.js';
import { CommandRefused } from '../../../src/cli/context.js';
import { runMakegood } from '../../support/cli.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { unique } from '../../support/marketplace/fixtures.js';
import { historicalTransferCases, putEqualTransfers } from '../../support/marketplace/historical-transfer-cases.js';
import { environmentFor, startProcess, type TestProcess } from '../../support/processes/start-process.js';
import { type DevServer, startDevServer } from '../../support/temporal.js';
import { until } from '../../support/until.js';
import { sizeOf } from '../../support/whole-or-sample.js';

/**
 * Every awkward kind comes twenty-five times among 400, and the busy seller still fills two pages of Stripe's list and two of
 * orders to match. Only the whole takes more than one page to plan.
 */
const COUNT = sizeOf({ whole: 2_000, sample: 400 });
const PER_SECOND = 25;

const given = historicalTransferCases(COUNT);
/** By our transfer's id: the id at Stripe, or why there is none. */
const expected = new Map<string, string>();
const written = () => [...expected].filter(([, outcome]) => outcome.startsWith('tr_'));

let temporal: DevServer;
let test: TestLedger;
let stripe: StripeSandbox;
let worker: TestProcess;
let env: NodeJS.ProcessEnv;
let out: string[] = [];
let err: string[] = [];

beforeAll(async () => {
  [temporal, test, stripe] = await Promise.all([startDevServer(), openTestLedger(), startStripeSandbox()]);
  stripe.setLimits({ perEndpoint: PER_SECOND });
  env = environmentFor(
    { databaseUrl: test.url, temporalAddress: temporal.address, authServerUrl: 'http://127.0.0.1:9' },
    { STRIPE_SECRET_KEY: 'sk_test_sandbox', STRIPE_API_BASE: stripe.url },
  );
  await given.seed(stripe);
  worker = await startProcess('worker', env);
}, 120_000);
afterAll(async () => {
  worker.kill('SIGKILL');
  await worker.exited;
  await stripe.close();
  await test.dispose();
  await temporal.dispose();
});

async function makegood(args: readonly string[], more: { stdin?: string; interruption?: AbortSignal } = {}) {
  out = [];
  err = [];
  async function* stdin(text: string): AsyncGenerator<Uint8Array> {
    yield Buffer.from(text);
  }
  await runMakegood(args, {
    env: env as Record<string, string>,
    clock: test.clock,
    stdin: stdin(more.stdin ?? ''),
    interruption: more.interruption,
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
}

interface ReportLine {
  readonly transfer_id: string;
  readonly outcome: string;
  readonly stripe_transfer_id: string | null;
}
const parsed = (lines: readonly string[]): ReportLine[] => lines.map((line) => JSON.parse(line) as ReportLine);

async function diedAndReplaced(): Promise<void> {
  await until('the worker dies', async () => (await Promise.race([worker.exited, tick()])) === 'SIGKILL', {
    limitMs: 60_000,
  });
  worker = await startProcess('worker', env);
}
const tick = () => new Promise<undefined>((resolve) => setTimeout(resolve, 10, undefined));

/** Everything a backfill may touch, and everything it may not. */
const everyTransfer = () =>
  test.database.query<{ id: string; stripe_transfer_id: string | null; rest: string }>(
    `SELECT id, stripe_transfer_id, md5((to_jsonb(t) - 'stripe_transfer_id')::text) AS rest FROM seller_transfers t ORDER BY id`,
  );
const pagesRead = () => stripe.calls().endpoints['transfers.list']?.calls ?? 0;

function expectTheWholeReport(lines: readonly ReportLine[], found: 'matched' | 'written'): void {
  expect(lines.length).toBe(expected.size);
  const said = new Map(
    lines.map((line) => [line.transfer_id, line.outcome === found ? line.stripe_transfer_id : line.outcome]),
  );
  expect(said).toEqual(expected);
}

describe('the transfers of an older system', { timeout: 240_000 }, () => {
  it('come in line by line', async () => {
    const lines = given.lines.map((line) =>
      JSON.stringify({
        order: line.order,
        currency: line.currency,
        paid: Number(line.paid),
        hyperswitch_payment_id: line.hyperswitchPaymentId,
        seller_account: line.sellerAccount,
        amount: Number(line.amount),
        stripe_transfer_id: line.stripeTransferId,
        created_at: line.createdAt,
      }),
    );
    await makegood(['import-transfers', '--json'], { stdin: lines.join('\n') });
    const reports = out.map((line) => JSON.parse(line) as { outcome: string; transfer_id: string });
    expect(new Set(reports.map(({ outcome }) => outcome))).toEqual(new Set(['imported']));
    given.lines.forEach((line, nth) => {
      if (line.stripeTransferId === null) expected.set(reports[nth]?.transfer_id ?? '', given.expectedOf(line));
    });
    const twins = [
      await putEqualTransfers(test, stripe, { reference: unique('twins'), named: false }),
      await putEqualTransfers(test, stripe, { reference: unique('twins'), named: true }),
    ];
    for (const [id, outcome] of twins.flatMap((of) => [...of])) expected.set(id, outcome);
    expect(expected.size).toBe(COUNT + 4);
  });

  it('makegood migrate tells how many of them lack their id', async () => {
    await makegood(['migrate', '--json']);
    expect(JSON.parse(out.join(''))).toMatchObject({ transfers_without_id: COUNT + 4 });
    expect(err.at(-1)).toMatch(
      new RegExp(`${COUNT + 4} completed transfers lack their id .* makegood backfill-transfer-ids`),
    );
  });

  it('are each reported once by a dry run whose worker was killed while it listed and while it matched', async () => {
    const before = await everyTransfer();
    await worker.arm({ call: 'ledger.saveListedPage', moment: 'after', nth: 5 });
    const told = makegood(['backfill-transfer-ids', '--json']);
    await diedAndReplaced();
    await worker.arm({ call: 'stripe.listTransfers', moment: 'after', nth: 5 });
    await diedAndReplaced();
    await worker.arm({ call: 'ledger.recordBackfill', moment: 'before', nth: COUNT / 4 });
    await diedAndReplaced();
    await told;
    expectTheWholeReport(parsed(out), 'matched');
    expect(await everyTransfer()).toEqual(before);
    expect(err.at(-1)).toMatch(
      new RegExp(
        `is finished\\. ${COUNT + 4} transfers had no id: .*It was a dry run and wrote no id; to write those that matched: makegood backfill-transfer-ids --apply$`,
      ),
    );
    // Of all pages one was read twice: where the worker died between reading it and storing it.
    expect(pagesRead()).toBe(given.pages + 1);
  });

  it('with --apply get exactly the ids that can be no others, though the worker was killed half way', async () => {
    const before = await everyTransfer();
    const report = join(tmpdir(), unique('report'));
    await worker.arm({ call: 'ledger.recordBackfill', moment: 'after', nth: COUNT / 2 });
    const told = makegood(['backfill-transfer-ids', '--apply', '--report', report]);
    await diedAndReplaced();
    await told;
    expectTheWholeReport(parsed((await readFile(report, 'utf8')).trim().split('\n')), 'written');
    const ids = new Map(written());
    expect(await everyTransfer()).toEqual(
      before.map((row) => ({ ...row, stripe_transfer_id: row.stripe_transfer_id ?? ids.get(row.id) ?? null })),
    );
    expect(ids.size).toBeGreaterThan(COUNT / 3);
  });

  it('run once more, only what was left is asked about, and nothing is found anew', async () => {
    await makegood(['backfill-transfer-ids', '--apply', '--json']);
    const left = new Map([...expected].filter(([, outcome]) => !outcome.startsWith('tr_')));
    expect(new Map(parsed(out).map((line) => [line.transfer_id, line.outcome]))).toEqual(left);
  });

  it('never met a limit of Stripe', () => {
    const { endpoints } = stripe.calls();
    for (const { mostInOneSecond, throttled } of Object.values(endpoints)) {
      expect(mostInOneSecond).toBeLessThanOrEqual(PER_SECOND);
      expect(throttled).toBe(0);
    }
    expect(Object.keys(endpoints).sort((a, b) => (a < b ? -1 : 1))).toEqual(['account', 'balance', 'transfers.list']);
  });
});

describe('the command', { timeout: 120_000 }, () => {
  it('leaves the workflow at work when it is interrupted, says how to follow it, and that one runs', async () => {
    worker.kill('SIGKILL');
    await worker.exited;
    const interruption = new AbortController();
    const told = makegood(['backfill-transfer-ids', '--destination', 'acct_s1'], { interruption: interruption.signal });
    const hint = await until('it says how to follow', () => err.find((line) => line.includes('--follow')), {
      limitMs: 20_000,
    });
    const id = /--follow ([0-9a-f-]{36})/.exec(hint)?.[1] ?? '';
    interruption.abort();
    await expect(told).rejects.toThrow(
      new CommandRefused(
        `backfill ${id} goes on without this command; to follow it again: makegood backfill-transfer-ids --follow ${id}`,
      ),
    );
    await expect(makegood(['backfill-transfer-ids'])).rejects.toThrow(`backfill ${id} is at work`);

    worker = await startProcess('worker', env);
    await makegood(['backfill-transfer-ids', '--follow', id]);
    expect(out[0]).toMatch(/^TRANSFER +OUTCOME +ORDER +WHY$/);
    expect(err.at(-1)).toMatch(new RegExp(`^backfill ${id} is finished`));
    await makegood(['backfill-transfer-ids', '--follow', id, '--json']);
    expect(parsed(out).length).toBeGreaterThan(0);
  });

  it('goes on with one that Temporal has forgotten', async () => {
    worker.kill('SIGKILL');
    await worker.exited;
    const interruption = new AbortController();
    const told = makegood(['backfill-transfer-ids'], { interruption: interruption.signal });
    const hint = await until('it says how to follow', () => err.find((line) => line.includes('--follow')), {
      limitMs: 20_000,
    });
    interruption.abort();
    await expect(told).rejects.toThrow(CommandRefused);
    await temporal.stop();
    await temporal.start('wiped');
    worker = await startProcess('worker', env);
    await makegood(['backfill-transfer-ids', '--follow', /--follow ([0-9a-f-]{36})/.exec(hint)?.[1] ?? '']);
    expect(err.at(-1)).toMatch(/is finished/);
  });

  it('without Temporal says what is recorded and how to go on', async () => {
    await temporal.stop();
    await expect(makegood(['backfill-transfer-ids'])).rejects.toThrow(
      /^backfill [0-9a-f-]{36} is recorded, but Temporal at .* did not start its workflow: .* go on with makegood backfill-transfer-ids --follow /,
    );
    await temporal.start();
  });

  it.each([
    [['--since', 'yesterday'], /a date such as/],
    [['--destination', 'seller'], /an account such as/],
    [['--follow', 'x'], /not the id of a backfill/],
    [['--follow', '0197d7a4-6f00-7000-8000-000000000001', '--apply'], /cannot be used with/],
    [['--report', '/no/such/folder/report'], /the report cannot be written/],
    [['--follow', '0197d7a4-6f00-7000-8000-000000000001'], /there is no backfill/],
  ])('refuses %j before anything is started', async (args, why) => {
    await expect(makegood(['backfill-transfer-ids', ...args])).rejects.toThrow(why);
  });
});
