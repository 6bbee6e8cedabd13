import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { beforeEach, describe, expect, it } from 'vitest';
import { CommandRefused } from '../../../src/cli/context.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { runMakegood } from '../../support/cli.js';
import { createTestDatabase } from '../../support/database.js';
import { aSettlement, ledgerForFile } from '../../support/ledger-fixtures.js';

const world = await ledgerForFile();

let out: string[];
let err: string[];
beforeEach(() => {
  out = [];
  err = [];
});

const makegood = (args: readonly string[], env: Record<string, string> = { DATABASE_URL: world.url }) =>
  runMakegood(args, { env, clock: world.clock, out: (line) => out.push(line), err: (line) => err.push(line) });

const json = () => JSON.parse(out.join('\n'));

async function stuck(lookup: Record<string, string> = {}): Promise<SettlementId> {
  const settlement = aSettlement({ body: null, undecodable: 'it is not JSON', cap: null, lookup });
  await world.ledger.createSettlement(settlement);
  return settlement.id;
}

describe('makegood list', () => {
  it('shows what waits for a person, newest first, and how to get the next page', async () => {
    const [older, newer] = [await stuck(), await stuck()];
    await makegood(['list', '--needs-attention', '--limit', '1', '--json']);
    expect(json()).toMatchObject({ items: [{ id: newer, status: 'needs_attention' }], next_before: newer });
    out = [];
    await makegood(['list', '--needs-attention', '--before', newer, '--limit', '1']);
    expect(out[0]).toMatch(/^ID +STATUS +CERTAINTY +PROTOCOL +AMOUNT +AGE +ATTENTION$/);
    expect(out[1]).toContain(older);
    expect(out[1]).toContain('credential_undecodable');
  });

  it.each([
    [['list', '--status', 'paid']],
    [['list', '--limit', '0']],
    [['list', '--before', 'x']],
    [['list', '--protocol', 'ach']],
    [['list', '--nonsense']],
    [['nonsense']],
  ])('refuses %j', async (args) => {
    await expect(makegood(args)).rejects.toThrow(CommanderError);
  });

  it('needs DATABASE_URL and says so', async () => {
    await expect(makegood(['list'], {})).rejects.toThrow(/DATABASE_URL is missing; example: DATABASE_URL=postgres:/);
  });

  it('names makegood migrate on an empty database', async () => {
    const empty = await createTestDatabase('empty');
    try {
      await expect(makegood(['list'], { DATABASE_URL: empty.url })).rejects.toThrow(/makegood migrate/);
    } finally {
      await empty.drop();
    }
  });
});

describe('makegood show', () => {
  it('ends with where the workflow is in the Web UI, where there is one', async () => {
    const id = await stuck();
    await makegood(['show', id]);
    expect(out.join()).not.toContain('Web UI');
    await makegood(['show', id], { DATABASE_URL: world.url, TEMPORAL_UI_URL: 'http://127.0.0.1:8233' });
    expect(out.at(-1)).toBe(`in the Web UI: http://127.0.0.1:8233/namespaces/default/workflows/settlement%2F${id}`);
  });

  it('tells the state, where to look the payment up, and the story', async () => {
    const id = await stuck({ network: 'eip155:8453', nonce: '0x2a' });
    await makegood(['show', id, '--json']);
    expect(json()).toMatchObject({ id, status: 'needs_attention', events: [{ kind: 'received' }] });
    expect(json().lookup).toEqual({ network: 'eip155:8453', nonce: '0x2a' });
    out = [];
    await makegood(['show', id]);
    expect(out.join('\n')).toMatch(/attention +credential_undecodable since .*: it is not JSON/);
    expect(out.join('\n')).toMatch(/look up by +nonce "0x2a", network "eip155:8453"/);
    expect(out.join('\n')).toMatch(/WHEN +WHAT +MONEY +ANSWER +KEY +DETAIL/);
  });

  it.each(['0197d7a4-6f00-7000-8000-000000000001', 'x'])('says that there is no %s', async (id) => {
    await expect(makegood(['show', id])).rejects.toThrow(
      new CommandRefused(`nothing has the id ${id}; makegood list shows what there is`),
    );
  });
});

describe('makegood resolve', () => {
  it('records the decision under the name of the operating system, as claimed: settling then needs an approver', async () => {
    const id = await stuck();
    await makegood(['resolve', id, '--action', 'settled', '--note', 'seen', '--tx-hash', '0xabc', '--json']);
    expect(json()).toEqual({ id, status: 'pending_approval', decision_id: expect.any(String) });
    const [row] = await world.database.query(
      'SELECT by, authenticated, state, evidence FROM decisions WHERE item_id = $1',
      [id],
    );
    expect(row).toEqual({
      by: 'nora',
      authenticated: false,
      state: 'pending_approval',
      evidence: { tx_hash: '0xabc' },
    });
  });

  it('writes off what never moved and is small', async () => {
    const id = await stuck();
    await makegood(['resolve', id, '--action', 'write_off', '--note', 'gone']);
    expect(out.join('\n')).toContain(`settlement ${id} is written_off`);
    await expect(makegood(['resolve', id, '--action', 'retry', '--note', 'x'])).rejects.toThrow(
      /waits for no decision/,
    );
  });

  it('says why a decision is refused, and changes nothing', async () => {
    const id = await stuck();
    await expect(makegood(['resolve', id, '--action', 'retry', '--note', 'x'])).rejects.toThrow(/nothing was decided/);
    await expect(makegood(['resolve', id, '--action', 'retry', '--note', ' '])).rejects.toThrow(/note says nothing/);
    await expect(makegood(['resolve', id, '--action', 'adopt', '--note', 'x'])).rejects.toThrow(CommanderError);
    await expect(makegood(['resolve', id, '--action', 'retry'])).rejects.toThrow(CommanderError);
    expect((await world.ledger.findSettlement(id))?.status).toBe('needs_attention');
  });
});

describe('makegood migrate', () => {
  it('--to stops where it is told, leaves Temporal alone, and can be repeated', async () => {
    const empty = await createTestDatabase('empty');
    const env = { DATABASE_URL: empty.url };
    try {
      await makegood(['migrate', '--to', '2', '--json'], env);
      expect(json()).toEqual({
        applied: [expect.stringMatching(/^0001/), expect.stringMatching(/^0002/)],
        temporal: 'skipped',
      });
      out = [];
      await makegood(['migrate', '--to', '2', '--json'], env);
      expect(json().applied).toEqual([]);
      await expect(makegood(['migrate', '--to', '99'], env)).rejects.toThrow(/there is no migration 99/);
    } finally {
      await empty.drop();
    }
  });
});

describe('the program itself', () => {
  const bin = fileURLToPath(new URL('../../../bin/makegood.js', import.meta.url));
  const run = (args: readonly string[], env: Record<string, string>) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
      env: { PATH: process.env.PATH ?? '', ...env },
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  const complete = (url: string) => ({
    DATABASE_URL: url,
    CREDENTIAL_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    API_TOKENS: 'billing:service:0123456789abcdef',
  });

  it.each(['server', 'worker'])('%s ends with 1 on wrong settings, naming all of them and no secret', (command) => {
    const { status, stderr } = run([command], { ...complete('mysql://root:hunter2@db/x'), SETTLEMENT_MAX_RPS: 'many' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/DATABASE_URL is not .*; example: /);
    expect(stderr).toMatch(/SETTLEMENT_MAX_RPS "many" is not .*; example: SETTLEMENT_MAX_RPS=200/);
    expect(stderr).not.toMatch(/hunter2|\n {4}at /);
  });

  it.each(['server', 'worker'])(
    '%s ends with 1 on an old schema, names makegood migrate, and applies nothing',
    async (command) => {
      const empty = await createTestDatabase('empty');
      try {
        const { status, stderr } = run([command], complete(empty.url));
        expect([status, stderr]).toEqual([1, expect.stringMatching(/run makegood migrate/)]);
        const listed = run(['list'], complete(empty.url));
        expect([listed.status, listed.stderr]).toEqual([1, expect.stringMatching(/run makegood migrate/)]);
      } finally {
        await empty.drop();
      }
    },
  );

  it.each<[readonly string[], number]>([
    [['--help'], 0],
    [['--version'], 0],
    [['list', '--help'], 0],
    [['list'], 0],
    [['explain', 'nothing-is-called-this'], 1],
    [['doctor'], 1],
    [[], 2],
    [['nonsense'], 2],
    [['list', '--nonsense'], 2],
    [['list', '--limit', '0'], 2],
    [['list', 'orders', '--status', 'settled'], 2],
    [['explain'], 2],
    [['doctor', 'now'], 2],
  ])('%j ends with %i', (args, status) => {
    expect(run(args, { DATABASE_URL: world.url, TEMPORAL_ADDRESS: '127.0.0.1:1' }).status).toBe(status);
  });

  it('list writes its answer, and only that, to standard output', () => {
    const { status, stdout } = run(['list', '--json'], { DATABASE_URL: world.url });
    expect([status, Object.keys(JSON.parse(stdout))]).toEqual([0, ['items', 'next_before']]);
  });
});
