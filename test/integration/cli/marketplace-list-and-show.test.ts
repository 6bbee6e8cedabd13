import { CommanderError } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandRefused } from '../../../src/cli/context.js';
import { settlementWorkflowId } from '../../../src/domain/workflow-ids.js';
import { aSettlement } from '../../support/ledger-fixtures.js';
import { type MarketplaceCli, openMarketplaceCli } from '../../support/marketplace/cli.js';
import { type OrderIn, unique } from '../../support/marketplace/fixtures.js';

let terminal: MarketplaceCli;
beforeAll(async () => {
  terminal = await openMarketplaceCli();
});
afterAll(() => terminal.close());
const makegood = (...args: readonly string[]) => terminal.makegood(...args);
const json = (...args: readonly string[]) => terminal.json(...args);
const put = (order?: OrderIn) => terminal.put(order);
const ids = (answer: { items: { id: string }[] }) => answer.items.map(({ id }) => id);

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
    await terminal.test.ledger.createSettlement(settlement);
    expect(ids(await json('list', '--key', settlement.key))).toEqual([settlement.id]);
    expect(ids(await json('list', 'settlements', '--key', settlement.key))).toEqual([settlement.id]);
    expect(ids(await json('list', '--order', settlement.id))).toEqual([]);
  });

  it.each([
    [['list', 'disputed']],
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
    await terminal.test.database.query(
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
    await terminal.test.database.query(
      `INSERT INTO operation_events (item_kind, item_id, kind) VALUES ('order', $1, 'created'), ('reversal', $2, 'sent')`,
      [order.id, order.reversals[0]?.id],
    );
    const text = await makegood('show', order.id);
    for (const { id } of [...order.transfers, ...order.refunds, ...order.reversals]) expect(text).toContain(id);
    expect(text).toMatch(/^item +600 to acct_a: item 1 \(\S+\)$/m);
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
    await terminal.test.ledger.storeWebhook({
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
    const reversed = await terminal.test.ledger.findReversal(order.reversals[0]?.id as never);
    expect(await json('show', reversed?.stripeReversalId as string)).toMatchObject({ id: order.reversals[0]?.id });
  });

  it('shows a settlement as ever, also by its key', async () => {
    const settlement = aSettlement();
    await terminal.test.ledger.createSettlement(settlement);
    expect(await json('show', settlement.key)).toMatchObject({
      id: settlement.id,
      workflow_id: settlementWorkflowId(settlement.id),
      events: [{ kind: 'received' }],
    });
  });

  it('asks which one is meant when a name stands for several', async () => {
    const order = await put();
    const settlement = aSettlement({ key: order.hyperswitchPaymentId });
    await terminal.test.ledger.createSettlement(settlement);
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
    await terminal.test.ledger.parkProvider('stripe', 'the key is revoked');
    expect((await json('show', first)).next).toMatch(/^waits until Stripe lets us in again/);
    await terminal.test.ledger.unparkProvider('stripe');
    await terminal.test.ledger.claimReversal(first as never, 'runner', 60_000);
    expect((await json('show', first)).next).toMatch(/^a call is at work/);
  });
});
