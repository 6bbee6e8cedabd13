import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CommandRefused } from '../../../src/cli/context.js';
import { runMakegood } from '../../support/cli.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { unique } from '../../support/marketplace/fixtures.js';

let world: TestLedger;
let directory: string;
beforeAll(async () => {
  world = await openTestLedger();
  directory = await mkdtemp(join(tmpdir(), 'import-'));
});
afterAll(async () => {
  await world.dispose();
  await rm(directory, { recursive: true });
});

let out: string[];
let err: string[];
beforeEach(() => {
  out = [];
  err = [];
});

const makegood = (args: readonly string[], stdin?: AsyncIterable<Uint8Array>) =>
  runMakegood(args, {
    env: { DATABASE_URL: world.url },
    clock: world.clock,
    stdin,
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
const reports = () => out.map((line) => JSON.parse(line));

const line = (changes: object = {}) => ({
  order: unique('order'),
  currency: 'usd',
  paid: 12_000,
  hyperswitch_payment_id: unique('pay'),
  seller_account: 'acct_1',
  amount: 9_000,
  stripe_transfer_id: unique('tr') as string | null,
  created_at: '2025-03-01T10:00:00Z',
  ...changes,
});

async function fileOf(...lines: readonly unknown[]): Promise<string> {
  const path = join(directory, unique('lines'));
  await writeFile(path, lines.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n'));
  return path;
}

async function* stdinOf(...texts: readonly (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    if (text instanceof Error) throw text;
    yield Buffer.from(text);
  }
}

async function importedOf(order: string): Promise<object[]> {
  return await world.database.query(
    `SELECT o.currency, o.amount AS paid, o.status, p.hyperswitch_payment_id, p.status AS payment, t.seller_account, t.amount,
       t.status AS transfer, t.stripe_transfer_id
     FROM orders o JOIN payments p ON p.order_id = o.id JOIN seller_transfers t ON t.order_id = o.id
     WHERE o.reference = $1 ORDER BY t.amount`,
    [order],
  );
}

describe('makegood import-transfers', () => {
  it('brings an order, its payment and its transfers in as what they are: paid, succeeded, completed', async () => {
    const one = line();
    const other = line({ ...one, seller_account: 'acct_2', amount: 1_000, stripe_transfer_id: null });
    await makegood(['import-transfers', await fileOf(one, other), '--json']);
    const order = { currency: 'USD', paid: '12000', status: 'paid', payment: 'succeeded', transfer: 'completed' };
    expect(await importedOf(one.order)).toEqual([
      {
        ...order,
        hyperswitch_payment_id: one.hyperswitch_payment_id,
        seller_account: 'acct_2',
        amount: '1000',
        stripe_transfer_id: null,
      },
      {
        ...order,
        hyperswitch_payment_id: one.hyperswitch_payment_id,
        seller_account: 'acct_1',
        amount: '9000',
        stripe_transfer_id: one.stripe_transfer_id,
      },
    ]);
  });

  it('refuses bad lines by their numbers, writes nothing of them, and brings the others in; the status says so', async () => {
    const [first, last] = [line(), line()];
    const contradicting = { ...first, paid: 13_000, stripe_transfer_id: unique('tr') };
    const path = await fileOf(first, '{"order":', '', { ...line(), amount: -1 }, contradicting, last);
    await expect(makegood(['import-transfers', path, '--json'])).rejects.toThrow(
      new CommandRefused(
        'nothing of the 3 refused lines was written; correct them and import the file again: the others are known by now',
      ),
    );
    expect(reports()).toMatchObject([
      { line: 1, outcome: 'imported', order: first.order, problem: null },
      { line: 2, outcome: 'refused', transfer_id: null, problem: expect.stringMatching(/^not JSON/) },
      { line: 4, outcome: 'refused', transfer_id: null, problem: expect.stringMatching(/^amount/) },
      { line: 5, outcome: 'refused', transfer_id: null, problem: expect.stringMatching(/13000/) },
      { line: 6, outcome: 'imported', order: last.order },
    ]);
    const oneOf = ({ stripe_transfer_id }: ReturnType<typeof line>) => [{ paid: '12000', stripe_transfer_id }];
    expect(await importedOf(first.order)).toMatchObject(oneOf(first));
    expect(await importedOf(last.order)).toMatchObject(oneOf(last));
  });

  it('run again, it changes nothing and names the same transfers', async () => {
    const path = await fileOf(line(), line({ stripe_transfer_id: null }));
    await makegood(['import-transfers', path, '--json']);
    const before = reports();
    out = [];
    await makegood(['import-transfers', path, '--json']);
    expect(reports()).toEqual(before.map((report) => ({ ...report, outcome: 'same' })));
    expect(err.at(-1)).toBe('2 lines read: 0 imported, 2 known already, 0 refused');
  });

  it('goes on where it was cut off, and brings no line in twice', async () => {
    const lines = [line(), line(), line()];
    const [first, ...rest] = lines.map((one) => `${JSON.stringify(one)}\n`);
    const cut = stdinOf('\n\n', first ?? '', new Error('the file is gone'));
    await expect(makegood(['import-transfers', '--json'], cut)).rejects.toThrow('the file is gone');
    expect(err).toContain('stopped at line 3: what was reported so far is done; run the same command again to go on');
    out = [];
    await makegood(['import-transfers', '-', '--json'], stdinOf(first ?? '', ...rest));
    expect(reports().map((report) => report.outcome)).toEqual(['same', 'imported', 'imported']);
    for (const one of lines) expect(await importedOf(one.order)).toHaveLength(1);
  });

  it('--dry-run reads every line and writes nothing', async () => {
    const good = line();
    const path = await fileOf(good, { ...line(), currency: 'dollars' });
    await expect(makegood(['import-transfers', path, '--dry-run', '--json'])).rejects.toThrow(
      new CommandRefused('1 lines would be refused; correct them first'),
    );
    expect(reports()).toMatchObject([
      { line: 1, outcome: 'valid', order: good.order },
      { line: 2, outcome: 'refused' },
    ]);
    expect(await importedOf(good.order)).toEqual([]);
    expect(err.at(-1)).toBe('2 lines read: 1 can be read, 1 refused; nothing was written (dry run)');
  });

  it('brings a currency that is none any more in, and says with which reason nothing is sent in it', async () => {
    const one = { ...line(), currency: 'bgn' };
    await makegood(['import-transfers', await fileOf(one), '--json']);
    expect(reports()).toMatchObject([{ outcome: 'imported', problem: null, reason: 'retired_currency' }]);
    await makegood(['import-transfers', await fileOf(one)]);
    expect(out.at(-1)).toMatch(new RegExp(`^1 +same +[0-9a-f-]{36} +${one.order}: retired_currency$`));
  });

  it('reads no further than it has come, so that a file of any length fits', async () => {
    const perChunk = 100;
    let given = 0;
    let ahead = 0;
    async function* long(): AsyncGenerator<Uint8Array> {
      for (let chunk = 0; chunk < 200; chunk += 1) {
        ahead = Math.max(ahead, given - out.length);
        given += perChunk;
        yield Buffer.from(`${JSON.stringify(line())}\n`.repeat(perChunk));
      }
    }
    await makegood(['import-transfers', '--dry-run', '--json'], long());
    expect([out.length, given]).toEqual([20_000, 20_000]);
    expect(ahead).toBe(0);
  });

  it('without --json shows a person which line became what', async () => {
    const one = line();
    await expect(makegood(['import-transfers', await fileOf(one, 'x')])).rejects.toThrow(CommandRefused);
    expect(out[0]).toMatch(/^LINE +OUTCOME +TRANSFER +ORDER AND PROBLEM$/);
    expect(out[1]).toMatch(new RegExp(`^1 +imported +[0-9a-f-]{36} +${one.order}$`));
    expect(out[2]).toMatch(/^2 +refused +not JSON/);
  });

  it('says which file it cannot read', async () => {
    await expect(makegood(['import-transfers', join(directory, 'none')])).rejects.toThrow(/ENOENT.*none/);
  });
});
