import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CommandRefused } from '../../../src/cli/context.js';
import { aSettlement } from '../../support/ledger-fixtures.js';
import { type MarketplaceCli, openMarketplaceCli } from '../../support/marketplace/cli.js';
import { type OrderIn, unique } from '../../support/marketplace/fixtures.js';
import { STUCK, stripeSays } from '../../support/marketplace/stuck-reversals.js';

let terminal: MarketplaceCli;
beforeAll(async () => {
  terminal = await openMarketplaceCli();
});
afterAll(() => terminal.close());
beforeEach(() => {
  terminal.stripe = undefined;
  terminal.token = undefined;
  terminal.env = {};
});
const makegood = (...args: readonly string[]) => terminal.makegood(...args);
const json = (...args: readonly string[]) => terminal.json(...args);
const put = (order?: OrderIn) => terminal.put(order);
const stuckReversal = (order?: OrderIn) => terminal.stuckReversal(order);

describe('makegood resolve', () => {
  it('retries a reversal under the name of the operating system, as claimed', async () => {
    const id = await stuckReversal();
    expect(await makegood('resolve', id, 'retry', '--note', 'Stripe is back')).toMatch(
      new RegExp(`^reversal ${id} is pending by decision `),
    );
    const [row] = await terminal.test.database.query(
      'SELECT by, authenticated, note FROM decisions WHERE item_id = $1',
      [id],
    );
    expect(row).toEqual({ by: 'nora', authenticated: false, note: 'Stripe is back' });
    await expect(makegood('resolve', id, 'retry', '--note', 'again')).rejects.toThrow(
      new CommandRefused(
        `reversal ${id} is pending and waits for no decision: nothing was changed; makegood explain ${id} tells what happens next`,
      ),
    );
  });

  it('takes the action as an option too, another name, and finds the item by any name', async () => {
    const order = await put({
      ...STUCK,
      refunds: [{ columns: { attention_reason: 'conflict', attention_since: new Date(), attention_detail: 'x' } }],
    });
    const [refund] = order.refunds;
    const answer = await json(
      'resolve',
      refund?.hyperswitchRefundId as string,
      '--action',
      'retry',
      '--by',
      'ann',
      '--note',
      'read it again',
    );
    expect(answer).toEqual({ id: refund?.id, status: 'succeeded', decision_id: expect.any(String) });
    const [row] = await terminal.test.database.query('SELECT by FROM decisions WHERE id = $1', [answer.decision_id]);
    expect(row).toEqual({ by: 'ann' });
  });

  it('adopts what Stripe shows, with evidence', async () => {
    const order = await put();
    const id = order.reversals[1]?.id as string;
    const transferId = order.transfers[1]?.stripeTransferId as string;
    const found = unique('trr');
    const common = { currency: 'USD', metadata: {}, createdAt: new Date().toISOString() };
    terminal.stripe = stripeSays({
      kind: 'found',
      value: {
        transfer: {
          ...common,
          stripeTransferId: transferId,
          amount: 400n,
          amountReversed: 200n,
          destination: 'acct_b',
          transferGroup: order.id,
          livemode: false,
        },
        reversals: [
          {
            ...common,
            metadata: { operation_id: id },
            stripeReversalId: found,
            stripeTransferId: transferId,
            amount: 200n,
            state: 'done',
          },
        ],
      },
    });
    const evidence = JSON.stringify({ stripe_reversal_id: found });
    expect(await json('resolve', id, 'adopt', '--note', 'seen', '--evidence', evidence)).toMatchObject({
      id,
      status: 'reversed',
    });
    expect((await terminal.test.ledger.findReversal(id as never))?.stripeReversalId).toBe(found);
  });

  it('never writes off without Stripe’s word', async () => {
    const id = await stuckReversal();
    await expect(makegood('resolve', id, 'write_off', '--note', 'gone')).rejects.toThrow(
      /Stripe cannot be asked here: set STRIPE_SECRET_KEY; without the provider's word nothing is decided/,
    );
    terminal.stripe = stripeSays({ kind: 'unclear', detail: '503' });
    await expect(makegood('resolve', id, 'write_off', '--note', 'gone')).rejects.toThrow(/Stripe did not answer: 503/);
    expect((await terminal.test.ledger.findReversal(id as never))?.status).toBe('permanently_failed');
    terminal.stripe = stripeSays({ kind: 'misdirected', scope: 'provider', detail: 'stripe 401' });
    await expect(makegood('resolve', id, 'write_off', '--note', 'gone')).rejects.toThrow(
      /^Stripe has answered, and refuses the key: stripe 401; without the provider's word nothing is decided/,
    );
    terminal.stripe = stripeSays({ kind: 'misdirected', scope: 'seller', detail: 'stripe 403' });
    await expect(makegood('resolve', id, 'write_off', '--note', 'gone')).rejects.toThrow(
      /refuses access to this seller/,
    );
    terminal.stripe = stripeSays({ kind: 'missing', detail: 'no such transfer' });
    expect(await makegood('resolve', id, 'write_off', '--note', 'gone')).toMatch(/is written_off by decision/);
  });

  describe('with a token', () => {
    const [OPERATOR, VIEWER] = ['token-of-the-operator-0001', 'token-of-the-viewer-0001'];
    const tokens = { API_TOKENS: `olga:operator:${OPERATOR},vera:viewer:${VIEWER}` };
    const recorded = async (id: string) =>
      terminal.test.database.query('SELECT by, authenticated, principal FROM decisions WHERE item_id = $1', [id]);

    it('decides as the person who holds it', async () => {
      Object.assign(terminal, { token: OPERATOR, env: tokens });
      const id = await stuckReversal();
      await makegood('resolve', id, 'retry', '--note', 'Stripe is back');
      expect(await recorded(id)).toEqual([{ by: 'olga', authenticated: true, principal: 'olga' }]);
    });

    it('retries all as that person too', async () => {
      Object.assign(terminal, { token: OPERATOR, env: tokens });
      const id = await stuckReversal();
      await makegood('retry-all', 'reversals', '--reason', 'retries_exhausted', '--note', 'x', '--apply');
      expect(await recorded(id)).toEqual([{ by: 'olga', authenticated: true, principal: 'olga' }]);
    });

    it.each([
      ['that nobody has', 'token-of-nobody-000001', tokens, [], /none of API_TOKENS/],
      ['of a viewer', VIEWER, tokens, [], /vera is for the role viewer/],
      ['where no tokens are known', OPERATOR, {}, [], /only where API_TOKENS is set/],
      ['and another name', OPERATOR, tokens, ['--by', 'anna'], /--by is for who has no token/],
    ] as const)('%s decides nothing, and is never taken for none', async (_what, token, env, args, why) => {
      Object.assign(terminal, { token, env });
      const id = await stuckReversal();
      await expect(makegood('resolve', id, 'retry', '--note', 'x', ...args)).rejects.toThrow(why);
      expect(await recorded(id)).toEqual([]);
    });
  });

  it.each([
    [['settled'], CommanderError],
    [['compensate'], CommanderError],
    [[], CommanderError],
    [['retry', '--action', 'adopt'], CommanderError],
    [['adopt', '--evidence', 'trr_1'], CommanderError],
    [['adopt', '--evidence', '{"reversal":"trr_1"}'], CommanderError],
    [['adopt', '--evidence', '{"stripe_reversal_id":""}'], CommanderError],
    [['retry', '--by', ' '], CommandRefused],
  ])('refuses %j for a reversal, and decides nothing', async (args, kind) => {
    const id = await stuckReversal();
    await expect(makegood('resolve', id, '--note', 'x', ...args)).rejects.toThrow(kind);
    expect(await terminal.test.database.query('SELECT 1 FROM decisions WHERE item_id = $1', [id])).toEqual([]);
  });

  it('says of an order that it is not resolved', async () => {
    const { id } = await put();
    await expect(makegood('resolve', id, 'retry', '--note', 'x')).rejects.toThrow(/is not resolved/);
  });
});

describe('makegood retry-all', () => {
  it('shows first, retries when told, only what waits for that reason, and one refusal stops no other', async () => {
    const retriable = [await stuckReversal(), await stuckReversal()];
    const other = await stuckReversal({
      ...STUCK,
      refunds: [
        {
          amount: 500,
          reversals: [
            { transfer: 0, amount: 300 },
            {
              transfer: 1,
              amount: 200,
              status: 'permanently_failed',
              columns: { attention_reason: 'foreign_reversal' },
            },
          ],
        },
      ],
    });
    const withoutId = await stuckReversal({
      ...STUCK,
      transfers: [{ amount: 600 }, { amount: 400, stripeTransferId: null }],
    });
    const status = async (id: string) => (await terminal.test.ledger.findReversal(id as never))?.status;
    const args = ['retry-all', 'reversals', '--reason', 'retries_exhausted', '--note', 'Stripe is back'];

    const shown = await makegood(...args);
    for (const id of [...retriable, withoutId]) expect(shown).toContain(id);
    expect(shown).not.toContain(other);
    expect(terminal.err.at(-1)).toMatch(/nothing was decided: --apply retries them/);
    expect(await status(retriable[0] as string)).toBe('permanently_failed');

    await expect(makegood(...args, '--apply')).rejects.toThrow(/^1 of them could not be retried/);
    expect(terminal.out).toEqual([expect.stringMatching(`^${withoutId}  its transfer has no id at Stripe`)]);
    expect(await Promise.all([...retriable, other, withoutId].map(status))).toEqual([
      'pending',
      'pending',
      'permanently_failed',
      'permanently_failed',
    ]);
    const lines = (await makegood(...args, '--json')).split('\n').map((line) => JSON.parse(line));
    expect(lines).toEqual([{ id: withoutId, outcome: 'would_retry' }]);
  });

  it('goes through more than one page', { timeout: 120_000 }, async () => {
    const settlements = Array.from({ length: 205 }, () =>
      aSettlement({ body: null, undecodable: 'it is not JSON', cap: null }),
    );
    for (const settlement of settlements) await terminal.test.ledger.createSettlement(settlement);
    const shown = await makegood(
      'retry-all',
      'settlements',
      '--reason',
      'credential_undecodable',
      '--note',
      'x',
      '--json',
    );
    const found = new Set(shown.split('\n').map((line) => JSON.parse(line).id));
    expect(settlements.every(({ id }) => found.has(id))).toBe(true);
  });

  it.each([
    [['retry-all', 'orders', '--reason', 'conflict', '--note', 'x']],
    [['retry-all', 'reversals', '--reason', 'bad_mood', '--note', 'x']],
    [['retry-all', 'reversals', '--note', 'x']],
    [['retry-all', 'reversals', '--reason', 'conflict']],
  ])('refuses %j', async (args) => {
    await expect(makegood(...args)).rejects.toThrow(CommanderError);
  });
});

it('the program itself decides: no key and no Temporal is needed to retry', async () => {
  const id = await stuckReversal();
  const bin = fileURLToPath(new URL('../../../bin/makegood.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [bin, 'resolve', id, 'retry', '--note', 'x', '--json'],
    {
      env: { PATH: process.env.PATH ?? '', DATABASE_URL: terminal.test.url },
      encoding: 'utf8',
    },
  );
  expect([status, stderr, JSON.parse(stdout)]).toMatchObject([0, '', { id, status: 'pending' }]);
  const writeOff = spawnSync(process.execPath, [bin, 'resolve', await stuckReversal(), 'write_off', '--note', 'x'], {
    env: {
      PATH: process.env.PATH ?? '',
      DATABASE_URL: terminal.test.url,
      STRIPE_SECRET_KEY: 'sk_test_1',
      STRIPE_API_BASE: 'http://127.0.0.1:1',
    },
    encoding: 'utf8',
  });
  expect([writeOff.status, writeOff.stdout, writeOff.stderr]).toEqual([
    1,
    '',
    expect.stringMatching(/^makegood: Stripe did not answer: .*; without the provider's word nothing is decided/),
  ]);
});
