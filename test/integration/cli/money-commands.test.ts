import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CommandRefused } from '../../../src/cli/context.js';
import { settlementWorkflowId } from '../../../src/domain/workflow-ids.js';
import type { StripeReader } from '../../../src/resolution/decide.js';
import { aSettlement, openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { type OrderIn, type OrderPut, putOrder, unique } from '../../support/marketplace-fixtures.js';
import { runMakegood } from '../../support/terminal.js';

let world: TestLedger;
beforeAll(async () => {
  world = await openTestLedger({ approvalThreshold: 10_000n });
});
afterAll(() => world.dispose());

let out: string[];
let err: string[];
let stripe: StripeReader | undefined;
beforeEach(() => {
  out = [];
  err = [];
  stripe = undefined;
});

const makegood = async (...args: string[]): Promise<string> => {
  out = [];
  err = [];
  await runMakegood(args, {
    env: { DATABASE_URL: world.url },
    clock: world.clock,
    stripe,
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return out.join('\n');
};
const json = async (...args: string[]) => JSON.parse(await makegood(...args, '--json'));
const ids = (answer: { items: { id: string }[] }) => answer.items.map(({ id }) => id);

/** An order of which half was refunded: one share is reversed, one failed for good. */
const STUCK: OrderIn = {
  transfers: [{ amount: 600 }, { amount: 400 }],
  refunds: [
    {
      amount: 500,
      reversals: [
        { transfer: 0, amount: 300, status: 'reversed' },
        { transfer: 1, amount: 200, status: 'permanently_failed' },
      ],
    },
  ],
};
const put = (order: OrderIn = STUCK): Promise<OrderPut> => putOrder(world, order);
const stuckReversal = async (order: OrderIn = STUCK) => (await put(order)).reversals[1]?.id as string;

/** What Stripe would say of any transfer. */
const stripeSays = (answer: Awaited<ReturnType<ReturnType<StripeReader['inLane']>['readTransfer']>>): StripeReader => ({
  inLane: () => ({
    readTransfer: () => Promise.resolve(answer),
    transfersOfGroup: () => Promise.resolve({ kind: 'missing', detail: 'none' }),
  }),
});

describe('makegood list', () => {
  it.each([
    ['orders', /^ID +STATUS +MINOR UNITS +PAYMENT +TRANSFERS +REFUNDS +REVERSALS +AGE +ATTENTION$/],
    ['refunds', /^ID +STATUS +CERTAINTY +MINOR UNITS +ORDER +AGE +ATTENTION$/],
    ['transfers', /^ID +STATUS +CERTAINTY +MINOR UNITS +REVERSED +SELLER +RETRIES +AGE +ATTENTION$/],
    ['reversals', /^ID +STATUS +CERTAINTY +MINOR UNITS +SELLER +RETRIES +AGE +ATTENTION$/],
  ])('%s says in a line what each is, in words and as the API does', async (kind, head) => {
    const order = await put();
    const lines = (await makegood('list', kind, '--order', order.id)).split('\n');
    expect(lines[0]).toMatch(head);
    const answer = await json('list', kind, '--order', order.id);
    expect(answer.items).toHaveLength(lines.length - 1);
    for (const [index, { id }] of answer.items.entries()) expect(lines[index + 1]).toContain(id);
    expect(answer.items[0]).toMatchObject({ currency: 'USD', status: expect.any(String) });
  });

  it('filters by status, attention, key and order, and goes on where the page before ended', async () => {
    const [first, second] = [await put(), await put()];
    const failed = await json('list', 'reversals', '--status', 'permanently_failed', '--limit', '2');
    expect(new Set(ids(failed))).toEqual(new Set([first.reversals[1]?.id, second.reversals[1]?.id]));
    const page = await json('list', 'transfers', '--limit', '3');
    const next = await json('list', 'transfers', '--limit', '3', '--before', page.next_before);
    expect(new Set([...ids(page), ...ids(next)]).size).toBe(ids(page).length + ids(next).length);
    const waiting = await json('list', 'reversals', '--needs-attention', '--order', first.id);
    expect(ids(waiting)).toEqual([first.reversals[1]?.id]);
    expect(ids(await json('list', 'refunds', '--key', first.refunds[0]?.id as string))).toEqual([first.refunds[0]?.id]);
    const [refund] = (await json('list', 'refunds', '--order', first.id)).items;
    expect(refund.reversals).toHaveLength(2);
  });

  it('is about settlements where nothing is said, as ever', async () => {
    const settlement = aSettlement();
    await world.ledger.createSettlement(settlement);
    expect(ids(await json('list', '--key', settlement.key))).toEqual([settlement.id]);
    expect(ids(await json('list', 'settlements', '--key', settlement.key))).toEqual([settlement.id]);
    expect(ids(await json('list', '--order', settlement.id))).toEqual([]);
  });

  it.each([
    [['list', 'payments']],
    [['list', 'orders', '--status', 'settled']],
    [['list', '--status', 'permanently_failed']],
    [['list', 'reversals', '--protocol', 'x402']],
    [['list', 'reversals', '--order', 'x']],
  ])('refuses %j', async (args) => {
    await expect(makegood(...args)).rejects.toThrow(CommanderError);
  });
});

describe('makegood show', () => {
  it('tells of a reversal how it stands, what happens next, and its story', async () => {
    const order = await put();
    const id = order.reversals[1]?.id as string;
    await world.database.query(
      `INSERT INTO operation_events (item_kind, item_id, kind, certainty, idempotency_key, answer_class, detail)
       VALUES ('reversal', $1, 'sent', 'in_flight', $1, NULL, '{"attempt":1}'),
         ('reversal', $1, 'answered', 'absent', $1, 'ask', '{"request_id":"req_1","detail":"503"}')`,
      [id],
    );
    const text = await makegood('show', id);
    expect(text).toMatch(new RegExp(`^reversal +${id}$`, 'm'));
    expect(text).toMatch(/^status +permanently_failed \(money: absent\)$/m);
    expect(text).toMatch(/^amount +200 USD \(minor units\)$/m);
    expect(text).toMatch(/^attention +retries_exhausted since .*: every attempt failed$/m);
    expect(text).toMatch(/sent +in_flight +.*\{"attempt":1\}/);
    expect(text).toMatch(/answered +absent +ask +.*"request_id":"req_1"/);
    expect(text).toMatch(/^next: a person decides: makegood resolve <id> retry, adopt or write_off$/m);
    const answer = await json('show', id);
    expect(answer).toMatchObject({
      id,
      kind: 'reversal',
      status: 'permanently_failed',
      call: { attempts: 1, key: id, generation: 1, parked_by: null, behind: null },
      next: expect.stringMatching(/^a person decides/),
      events: [
        { kind: 'sent', idempotencyKey: id },
        { kind: 'answered', answerClass: 'ask' },
      ],
    });
  });

  it('tells of an order everything that came of it, each with what happens next, in one story', async () => {
    const order = await put();
    await world.database.query(
      `INSERT INTO operation_events (item_kind, item_id, kind) VALUES ('order', $1, 'created'), ('reversal', $2, 'sent')`,
      [order.id, order.reversals[0]?.id],
    );
    const text = await makegood('show', order.id);
    for (const { id } of [...order.transfers, ...order.refunds, ...order.reversals]) expect(text).toContain(id);
    expect(text).toMatch(/^item +600 to acct_a: item 1$/m);
    expect(text).toMatch(/^payment +\S+ +succeeded +done +1000 +nothing: it is finished$/m);
    expect(text).toMatch(/WHEN +ITEM +WHAT/);
    expect(await json('show', order.id)).toMatchObject({
      kind: 'order',
      status: 'partially_refunded',
      events: [{ item: `order/${order.id}` }, { item: `reversal/${order.reversals[0]?.id}` }],
    });
  });

  it('finds an item by the name it has elsewhere, with the events that providers sent about it', async () => {
    const order = await put();
    const [transfer] = order.transfers;
    await world.ledger.storeWebhook({
      provider: 'stripe',
      eventId: unique('evt'),
      type: 'transfer.reversed',
      objectId: transfer?.stripeTransferId as string,
      parentId: null,
      account: null,
      bodySha256: 'x',
    });
    expect(await json('show', transfer?.stripeTransferId as string)).toMatchObject({
      id: transfer?.id,
      kind: 'transfer',
      events: [{ kind: 'transfer.reversed', detail: { deliveries: 1 } }],
    });
    expect(await json('show', order.hyperswitchPaymentId)).toMatchObject({ kind: 'payment', order_id: order.id });
    expect(await json('show', order.refunds[0]?.hyperswitchRefundId as string)).toMatchObject({ kind: 'refund' });
    const reversed = await world.ledger.findReversal(order.reversals[0]?.id as never);
    expect(await json('show', reversed?.stripeReversalId as string)).toMatchObject({ id: order.reversals[0]?.id });
  });

  it('shows a settlement as ever, also by its key', async () => {
    const settlement = aSettlement();
    await world.ledger.createSettlement(settlement);
    expect(await json('show', settlement.key)).toMatchObject({
      id: settlement.id,
      workflow_id: settlementWorkflowId(settlement.id),
      events: [{ kind: 'received' }],
    });
  });

  it('asks which one is meant when a name stands for several', async () => {
    const order = await put();
    const settlement = aSettlement({ key: order.hyperswitchPaymentId });
    await world.ledger.createSettlement(settlement);
    await expect(makegood('show', order.hyperswitchPaymentId)).rejects.toThrow(
      new CommandRefused(
        `${order.hyperswitchPaymentId} stands for several items: settlement ${settlement.id}, payment ${order.paymentId}; name one of them by its own id`,
      ),
    );
  });

  it('says what a parked, a held and a queued reversal wait for', async () => {
    const order = await put({
      transfers: [{ amount: 600 }],
      refunds: [
        { amount: 100, reversals: [{ transfer: 0, amount: 100 }] },
        { amount: 100, reversals: [{ transfer: 0, amount: 100 }] },
      ],
    });
    const [first, second] = order.reversals.map(({ id }) => id) as string[] as [string, string];
    expect((await json('show', second)).next).toBe(
      `waits for reversal ${first} of the same transfer, which goes first`,
    );
    expect((await json('show', first)).next).toMatch(/^it is sent to Stripe at 2/);
    await world.ledger.parkProvider('stripe', 'the key is revoked');
    expect((await json('show', first)).next).toMatch(/^waits until Stripe lets us in again/);
    await world.ledger.unparkProvider('stripe');
    await world.ledger.claimReversal(first as never, 'runner', 60_000);
    expect((await json('show', first)).next).toMatch(/^a call is at work/);
  });
});

describe('makegood resolve', () => {
  it('retries a reversal under the name of the operating system, as claimed', async () => {
    const id = await stuckReversal();
    expect(await makegood('resolve', id, 'retry', '--note', 'Stripe is back')).toMatch(
      new RegExp(`^reversal ${id} is pending by decision `),
    );
    const [row] = await world.database.query('SELECT by, authenticated, note FROM decisions WHERE item_id = $1', [id]);
    expect(row).toEqual({ by: 'nora', authenticated: false, note: 'Stripe is back' });
    await expect(makegood('resolve', id, 'retry', '--note', 'again')).rejects.toThrow(
      new CommandRefused(
        `reversal ${id} is pending and waits for no decision, or for the approval of one (makegood show ${id}): nothing was changed`,
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
    const [row] = await world.database.query('SELECT by FROM decisions WHERE id = $1', [answer.decision_id]);
    expect(row).toEqual({ by: 'ann' });
  });

  it('adopts what Stripe shows, with evidence', async () => {
    const order = await put();
    const id = order.reversals[1]?.id as string;
    const transferId = order.transfers[1]?.stripeTransferId as string;
    const found = unique('trr');
    const common = { currency: 'USD', metadata: {}, createdAt: new Date().toISOString() };
    stripe = stripeSays({
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
        reversals: [{ ...common, stripeReversalId: found, stripeTransferId: transferId, amount: 200n, settled: true }],
      },
    });
    const evidence = JSON.stringify({ stripe_reversal_id: found });
    expect(await json('resolve', id, 'adopt', '--note', 'seen', '--evidence', evidence)).toMatchObject({
      id,
      status: 'reversed',
    });
    expect((await world.ledger.findReversal(id as never))?.stripeReversalId).toBe(found);
  });

  it('never writes off without Stripe’s word, and asks an approver because the name is only claimed', async () => {
    const id = await stuckReversal();
    await expect(makegood('resolve', id, 'write_off', '--note', 'gone')).rejects.toThrow(
      /Stripe cannot be asked here: set STRIPE_SECRET_KEY; without the provider's word nothing is decided/,
    );
    stripe = stripeSays({ kind: 'unclear', detail: '503' });
    await expect(makegood('resolve', id, 'write_off', '--note', 'gone')).rejects.toThrow(/Stripe did not answer: 503/);
    expect((await world.ledger.findReversal(id as never))?.status).toBe('permanently_failed');
    stripe = stripeSays({ kind: 'missing', detail: 'no such transfer' });
    expect(await makegood('resolve', id, 'write_off', '--note', 'gone')).toMatch(/another person has to approve/);
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
    expect(await world.database.query('SELECT 1 FROM decisions WHERE item_id = $1', [id])).toEqual([]);
  });

  it('says of an order and a payment that they are not resolved', async () => {
    const order = await put();
    for (const id of [order.id, order.paymentId]) {
      await expect(makegood('resolve', id, 'retry', '--note', 'x')).rejects.toThrow(/is not resolved/);
    }
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
    const status = async (id: string) => (await world.ledger.findReversal(id as never))?.status;
    const args = ['retry-all', 'reversals', '--reason', 'retries_exhausted', '--note', 'Stripe is back'];

    const shown = await makegood(...args);
    for (const id of [...retriable, withoutId]) expect(shown).toContain(id);
    expect(shown).not.toContain(other);
    expect(err.at(-1)).toMatch(/nothing was decided: --apply retries them/);
    expect(await status(retriable[0] as string)).toBe('permanently_failed');

    await expect(makegood(...args, '--apply')).rejects.toThrow(/^1 of them could not be retried/);
    expect(out).toEqual([expect.stringMatching(`^${withoutId}  its transfer has no id at Stripe`)]);
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
    for (const settlement of settlements) await world.ledger.createSettlement(settlement);
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
      env: { PATH: process.env.PATH ?? '', DATABASE_URL: world.url },
      encoding: 'utf8',
    },
  );
  expect([status, stderr, JSON.parse(stdout)]).toMatchObject([0, '', { id, status: 'pending' }]);
  const writeOff = spawnSync(process.execPath, [bin, 'resolve', await stuckReversal(), 'write_off', '--note', 'x'], {
    env: {
      PATH: process.env.PATH ?? '',
      DATABASE_URL: world.url,
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
