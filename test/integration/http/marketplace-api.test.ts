import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OrderId, PaymentId } from '../../../src/domain/ids.js';
import { hyperswitchPaymentId } from '../../../src/providers/hyperswitch/ids.js';
import { type Answered, summary, TOKENS } from '../../support/api.js';
import { type MarketplaceApi, openMarketplaceApi } from '../../support/marketplace/api.js';
import { putOrder, unique } from '../../support/marketplace/fixtures.js';
import { STUCK, stripeSays } from '../../support/marketplace/stuck-reversals.js';

let market: MarketplaceApi;
beforeAll(async () => {
  market = await openMarketplaceApi();
});
afterAll(() => market.close());
beforeEach(() => market.begin());
const post: MarketplaceApi['post'] = (...request) => market.post(...request);
const read = (path: string) => market.read(path);
const MISSING = stripeSays({ kind: 'missing', detail: 'resource_missing' });

async function paid(): Promise<{ readonly order: OrderId; readonly payment: PaymentId }> {
  const order: OrderId = (await market.order()).body.id;
  const { body } = await post('payments', { order_id: order });
  await market.succeed(order, body.id);
  return { order, payment: body.id };
}

describe('an order', () => {
  it('is made once however often and however many times at once its request is sent', async () => {
    const key = unique('cart');
    const answers = await Promise.all(Array.from({ length: 10 }, () => market.order(key)));
    const made = answers.filter(({ status }) => status === 201);
    expect(made.length).toBeGreaterThan(0);
    expect(answers.every((answer) => answer.status === 201 || answer.body.code === 'request_in_flight')).toBe(true);
    const again = await market.order(key);
    expect([again.status, again.body]).toEqual([201, made[0]?.body]);
    expect((await read(`orders?key=${key}`)).body.items.map(({ id }: { id: string }) => id)).toEqual([again.body.id]);
  });

  it('goes from made to paid to refunded, and its page tells everything on the way', async () => {
    const made = await market.order();
    expect(summary(made)).toEqual([201, 'pending']);
    expect(summary(await post('refunds', { order_id: made.body.id, reason: 'no' }))).toEqual([409, 'order_not_paid']);

    const { order, payment } = await paid();
    const page = await read(`orders/${order}`);
    expect(page.body).toMatchObject({
      status: 'paid',
      payment: { id: payment, status: 'succeeded' },
      transfers: [
        { seller_account: 'acct_a', amount: 600, status: 'pending', certainty: 'not_sent' },
        { seller_account: 'acct_b', amount: 400, status: 'pending' },
      ],
    });

    const refund = await post('refunds', { order_id: order, amount: 500, reason: 'broken' });
    expect([refund.status, refund.body]).toMatchObject([202, { status: 'succeeded', amount: 500, origin: 'api' }]);
    // Nothing was sent to the sellers yet, so their transfers are smaller and nothing has to be taken back.
    expect((await read(`orders/${order}`)).body).toMatchObject({
      status: 'partially_refunded',
      transfers: [{ amount: 300 }, { amount: 200 }],
      reversals: [],
    });
    const over = await post('refunds', { order_id: order, amount: 501, reason: 'broken' });
    expect([summary(over), over.body.errors]).toEqual([
      [409, 'refund_exceeds_paid'],
      [{ pointer: '/amount', message: 'may be at most 500' }],
    ]);
    expect(summary(await post('refunds', { order_id: order, reason: 'the rest' }))).toEqual([202, 'succeeded']);
    expect((await read(`orders/${order}`)).body).toMatchObject({
      status: 'refunded',
      transfers: [{ status: 'cancelled' }, { status: 'cancelled' }],
    });
    expect(summary(await post('refunds', { order_id: order, reason: 'more' }))).toEqual([409, 'refund_exceeds_paid']);
  });
});

describe('a payment', () => {
  const client = (answer: Answered) => [answer.status, answer.body.id, answer.body.client_secret];

  it('is the order’s one, its secret told by this route alone and gone when it is final', async () => {
    const order: OrderId = (await market.order()).body.id;
    const key = unique('pay');
    const first = await post('payments', { order_id: order }, key);
    const secret = `${hyperswitchPaymentId(order)}_secret`;
    expect(client(first)).toEqual([201, first.body.id, secret]);
    expect(client(await post('payments', { order_id: order }))).toEqual([200, first.body.id, secret]);
    expect(client(await post('payments', { order_id: order }, key))).toEqual([201, first.body.id, secret]);
    expect(market.providers.calls).toEqual(['payment not_sent']);
    const [kept] = await market.test.database.query('SELECT answer FROM request_keys WHERE key = $1', [key]);
    expect(JSON.stringify([kept, (await read(`orders/${order}`)).body])).not.toContain('_secret');

    await market.succeed(order, first.body.id);
    expect(client(await post('payments', { order_id: order }, key))).toEqual([201, first.body.id, null]);
  });

  it('of which nobody knows is 503, and the same request goes on with the same payment', async () => {
    const order: OrderId = (await market.order()).body.id;
    const key = unique('pay');
    market.providers.hyperswitch = 'hangs up';
    expect(summary(await post('payments', { order_id: order }, key))).toEqual([503, 'payment_unknown']);
    market.providers.hyperswitch = 'answers';
    const answer = await post('payments', { order_id: order }, key);
    expect([answer.status, answer.body.status]).toEqual([201, 'processing']);
    expect(market.providers.calls).toEqual(['payment not_sent', 'payment unknown']);
    const rows = await market.test.database.query('SELECT id FROM payments WHERE order_id = $1', [order]);
    expect(rows).toEqual([{ id: answer.body.id }]);
  });

  it('that the provider refuses is closed, for every key', async () => {
    const order: OrderId = (await market.order()).body.id;
    market.providers.hyperswitch = 'refuses';
    for (let turn = 0; turn < 2; turn += 1) {
      expect(summary(await post('payments', { order_id: order }))).toEqual([409, 'payment_closed']);
    }
    expect((await read(`orders/${order}`)).body.status).toBe('payment_failed');
  });

  it('that waits for a person says so in its order too, since when and why; otherwise there is null', async () => {
    const since = new Date('2026-01-02T03:04:05.678Z');
    const waits = await putOrder(market.test, {
      status: 'pending',
      payment: {
        status: 'processing',
        columns: {
          certainty: 'done',
          attention_reason: 'payment_amount_differs',
          attention_since: since,
          attention_detail: 'captured 400 of 1000',
        },
      },
    });
    const attention = {
      reason: 'payment_amount_differs',
      since: since.toISOString(),
      detail: 'captured 400 of 1000',
    };
    expect((await read(`orders/${waits.id}`)).body.payment).toMatchObject({ status: 'processing', attention });
    const { items } = (await read('orders?needs_attention=true')).body;
    expect(items.find(({ id }: { id: string }) => id === waits.id).payment.attention).toEqual(attention);
    const { order } = await paid();
    expect((await read(`orders/${order}`)).body.payment).toHaveProperty('attention', null);
  });

  it('asked for twenty times at once is one payment, and one call', async () => {
    const order: OrderId = (await market.order()).body.id;
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('payments', { order_id: order })));
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].every((status) => [200, 201, 503].includes(status))).toBe(true);
    expect(answers.filter(({ status }) => status === 201).length).toBeLessThanOrEqual(1);
    expect(market.providers.calls.filter((call) => call === 'payment not_sent')).toHaveLength(1);
    expect(summary(await post('payments', { order_id: order }))).toEqual([200, 'processing']);
  });
});

describe('refunds', () => {
  it('of the same amount are two with two keys, and one with one key', async () => {
    const { order } = await paid();
    const json = { order_id: order, amount: 300, reason: 'broken' };
    const key = unique('refund');
    const first = await post('refunds', json, key);
    expect((await post('refunds', json, key)).body).toEqual(first.body);
    const second = await post('refunds', json);
    expect(second.body.id).not.toBe(first.body.id);
    expect((await read(`orders/${order}`)).body.refunds.map(({ id }: { id: string }) => id)).toEqual([
      first.body.id,
      second.body.id,
    ]);
    expect(summary(await post('refunds', { ...json, amount: 301 }, key))).toEqual([422, 'idempotency_key_reused']);
  });

  it('at once never give back more than was paid', async () => {
    const { order } = await paid();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => post('refunds', { order_id: order, amount: 300, reason: 'x' })),
    );
    const done = answers.filter(({ status }) => status === 202);
    const refused = answers.filter(({ body }) => body.code === 'refund_exceeds_paid');
    expect([done.length, refused.length]).toEqual([3, 5]);
  });
});

describe('lists', () => {
  it.each(['orders', 'transfers', 'reversals'])('of %s give everything once, page by page', async (kind) => {
    for (let turn = 0; turn < 3; turn += 1) {
      await putOrder(market.test, {
        transfers: [{ amount: 600 }],
        refunds: [{ reversals: [{ transfer: 0, amount: 600 }] }],
      });
    }
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Answered = await read(`${kind}?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...page.body.items.map(({ id }: { id: string }) => id));
      cursor = page.body.next_cursor;
    }
    const all = (await read(`${kind}?limit=200`)).body.items.map(({ id }: { id: string }) => id);
    expect(seen).toEqual(all);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('find by status, order, key and need of attention', async () => {
    const order = await putOrder(market.test, STUCK);
    const found = async (query: string) =>
      (await read(`reversals?limit=200&${query}`)).body.items.map(({ id }: { id: string }) => id);
    const [done, stuck] = order.reversals.map(({ id }) => id);
    expect(await found(`order_id=${order.id}&needs_attention=true`)).toEqual([stuck]);
    expect(await found(`order_id=${order.id}&status=reversed`)).toEqual([done]);
    expect(await found(`key=${stuck}:g3`)).toEqual([stuck]);
    const transfers = (await read(`transfers?order_id=${order.id}&status=permanently_failed`)).body.items;
    expect(transfers).toMatchObject([{ id: order.transfers[1]?.id, reversals: [{ id: stuck }] }]);
  });
});

describe('decisions', () => {
  const resolve = (path: string, json: unknown) =>
    market.api.send(`/api/v1/${path}/resolve`, { token: TOKENS.operator, json });
  const approve = (id: string, token: string) =>
    market.api.send(`/api/v1/decisions/${id}/approve`, { token, json: { note: 'checked' } });

  it('retry a reversal under the name of the token; nothing waits afterwards', async () => {
    const order = await putOrder(market.test, STUCK);
    const path = `reversals/${order.reversals[1]?.id}`;
    expect(summary(await resolve(path, { action: 'retry', note: 'again' }))).toEqual([200, 'pending']);
    expect(summary(await resolve(path, { action: 'retry', note: 'again' }))).toEqual([409, 'not_waiting']);
    const [row] = await market.test.database.query(
      'SELECT by, authenticated FROM decisions WHERE item_id = $1 AND state = $2',
      [order.reversals[1]?.id, 'applied'],
    );
    expect(row).toEqual({ by: 'olga', authenticated: true });
  });

  it('never give money up without Stripe’s word, and above the threshold not without a second person', async () => {
    const order = await putOrder(market.test, {
      transfers: [{ amount: 50_000 }],
      refunds: [{ reversals: [{ transfer: 0, amount: 50_000, status: 'permanently_failed' }] }],
    });
    const id = order.reversals[0]?.id as string;
    const ask = () => resolve(`reversals/${id}`, { action: 'write_off', note: 'gone' });
    const away = await ask();
    expect(summary(away)).toEqual([503, 'provider_unavailable']);
    expect(Number(away.headers.get('retry-after'))).toBeGreaterThan(0);

    market.providers.stripe = MISSING;
    const asked = await ask();
    expect(summary(asked)).toEqual([202, 'pending_approval']);
    const decision = asked.body.decision_id;
    expect(summary(await approve(decision, TOKENS.operatorAsApprover))).toEqual([403, 'self_approval']);
    market.providers.stripe = undefined;
    expect(summary(await approve(decision, TOKENS.approver))).toEqual([503, 'provider_unavailable']);
    market.providers.stripe = MISSING;
    const confirmed = await approve(decision, TOKENS.approver);
    expect([confirmed.status, confirmed.body]).toEqual([200, { id, status: 'written_off', decision_id: decision }]);
    const again = await approve(decision, TOKENS.approver);
    expect(summary(again)).toEqual([409, 'not_waiting']);
    expect(again.body.detail).toMatch(/^it was approved and carried out before: .*makegood show \S+ tells what became/);
  });

  it('adopt nothing that Stripe does not show', async () => {
    const order = await putOrder(market.test, STUCK);
    market.providers.stripe = stripeSays({ kind: 'missing', detail: 'resource_missing' }, { kind: 'found', value: [] });
    const failed = await putOrder(market.test, {
      transfers: [
        {
          amount: 600,
          status: 'failed',
          columns: { attention_reason: 'retries_exhausted', attention_since: new Date(), attention_detail: 'x' },
        },
      ],
    });
    const evidence = { stripe_transfer_id: 'tr_1A' };
    const answer = await resolve(`transfers/${failed.transfers[0]?.id}`, { action: 'adopt', note: 'seen', evidence });
    expect([summary(answer), answer.body.detail]).toEqual([
      [422, 'decision_refused'],
      expect.stringContaining('tr_1A is not at Stripe'),
    ]);
    const retry = (id: string) =>
      market.api.send(`/api/v1/transfers/${id}/retry`, { token: TOKENS.operator, json: { note: 'again' } });
    expect(summary(await retry(order.transfers[1]?.id as string))).toEqual([409, 'already_completed']);
    expect(summary(await retry(failed.transfers[0]?.id as string))).toEqual([200, 'failed']);
  });
});

it('an event is stored once, whoever sends it how often', async () => {
  const deliver = () => market.api.send('/webhooks/hyperswitch', { body: 'event-1' });
  const answers = await Promise.all(Array.from({ length: 20 }, deliver));
  expect(answers.every(({ status, body }) => status === 200 && body.received === true)).toBe(true);
  const rows = await market.test.database.query(
    'SELECT object_id, deliveries FROM webhook_events WHERE event_id = $1',
    ['event-1'],
  );
  expect(rows).toEqual([{ object_id: 'pay_1', deliveries: 20 }]);
});
