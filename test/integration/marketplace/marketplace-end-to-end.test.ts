import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SANDBOX_HYPERSWITCH_WEBHOOK_SECRET } from '../../../sandbox/hyperswitch/defaults.js';
import type { OrderAnswer } from '../../../src/domain/marketplace/marketplace-answer.js';
import {
  type HyperswitchBooks,
  isPaidOut,
  isTakenBack,
  type MarketplaceStack,
  startMarketplaceStack,
} from '../../support/marketplace/stack.js';
import { until } from '../../support/until.js';

const ADA = 'acct_1Ada';
const BOB = 'acct_1Bob';

let stack: MarketplaceStack;
beforeAll(async () => {
  stack = await startMarketplaceStack();
}, 120_000);
afterAll(() => stack.stop());
afterEach(async () => {
  await stack.hyperswitch('webhooks', ['PUT', { rules: [] }]);
});

const buyerPays = (payment: string) => stack.hyperswitch(`payments/${payment}`, ['PUT', { to: 'succeeded' }]);
const bankRefunds = (refund: string | null) => stack.hyperswitch(`refunds/${refund}`, ['PUT', { to: 'succeeded' }]);
const mishap = (what: string, on: string) => stack.hyperswitch('webhooks', ['PUT', { rules: [{ what, on: [on] }] }]);

interface SentEvent {
  readonly eventId: string;
  readonly type: string;
  readonly body: string;
  readonly deliveries: readonly (number | string)[];
}
/** What Hyperswitch told, or tried to tell, about one of its objects. */
const eventsAbout = async (object: string | null): Promise<readonly SentEvent[]> =>
  (await stack.hyperswitch<{ events: SentEvent[] }>('webhooks')).events.filter(({ body }) =>
    body.includes(String(object)),
  );
const inbox = (eventId: string | undefined) =>
  stack.database.query<{ deliveries: number; processed_at: Date | null }>(
    'SELECT deliveries, processed_at FROM webhook_events WHERE event_id = $1',
    [eventId],
  );
const isProcessed = async (eventId: string | undefined) => (await inbox(eventId))[0]?.processed_at != null;

/** Both books, transfer by transfer and reversal by reversal: [what, its id at Stripe, the amount]. */
async function expectSameBooks(order: OrderAnswer): Promise<void> {
  const { transfers, reversals } = await stack.books();
  const theirs = transfers.filter(({ metadata }) => metadata['order_id'] === order.id);
  const taken = reversals.filter(({ metadata }) => metadata['order_id'] === order.id);
  expect(sorted(theirs.map(({ id, amount, metadata }) => [metadata['seller_transfer_id'], id, amount]))).toEqual(
    sorted(order.transfers.map((ours) => [ours.id, ours.stripe_transfer_id, ours.amount])),
  );
  expect(sorted(taken.map(({ id, amount, metadata }) => [metadata['operation_id'], id, amount]))).toEqual(
    sorted(order.reversals.map((ours) => [ours.id, ours.stripe_reversal_id, ours.amount])),
  );
}
const sorted = (rows: readonly (readonly unknown[])[]) => rows.map((row) => row.join(' ')).sort();

describe('an order, over real HTTP, Postgres and Temporal', () => {
  it('is paid by a webhook, pays its sellers, is refunded, and every share comes back', async () => {
    const { id, hyperswitchPaymentId } = await stack.sell({ [ADA]: 6_000, [BOB]: 4_000 });
    expect(await stack.order(id)).toMatchObject({ status: 'pending', payment: { status: 'pending' }, transfers: [] });
    await buyerPays(hyperswitchPaymentId);
    const paid = await stack.orderUntil('the sellers are paid', id, isPaidOut);
    expect(paid).toMatchObject({ status: 'paid', payment: { status: 'succeeded' } });
    const [told] = await eventsAbout(hyperswitchPaymentId);
    expect(told).toMatchObject({ type: 'payment_succeeded', deliveries: [200] });
    await until('the event is done with', () => isProcessed(told?.eventId), { limitMs: 10_000 });

    const refund = await stack.refund(id, { amount: 2_500 });
    expect(refund).toMatchObject({ status: 'pending', amount: 2_500, currency: 'USD', origin: 'api' });
    await bankRefunds(refund.hyperswitch_refund_id);
    const back = await stack.orderUntil('both shares are back', id, isTakenBack);
    expect(back).toMatchObject({ status: 'partially_refunded', refunds: [{ status: 'succeeded' }] });
    expect(
      back.transfers.map(({ seller_account, amount_reversed, status }) => [seller_account, amount_reversed, status]),
    ).toEqual([
      [ADA, 1_500, 'partially_reversed'],
      [BOB, 1_000, 'partially_reversed'],
    ]);

    const rest = await stack.refund(id);
    await bankRefunds(rest.hyperswitch_refund_id);
    const all = await stack.orderUntil('all is back', id, (order) => order.status === 'refunded' && isTakenBack(order));
    expect(all.transfers.map(({ amount_reversed, status }) => [amount_reversed, status])).toEqual([
      [6_000, 'reversed'],
      [4_000, 'reversed'],
    ]);
    expect(all.reversals).toHaveLength(4);
    await expectSameBooks(all);
  });

  it('refunded in the dashboard of Hyperswitch, is found by the webhook and handled alike', async () => {
    const { id, hyperswitchPaymentId } = await stack.sellPaid({ [ADA]: 5_000 });
    const { refund: made } = await stack.hyperswitch<{ refund: { id: string } }>('dashboard/refunds', [
      'POST',
      { payment_id: hyperswitchPaymentId, amount: 1_000, reason: 'by hand' },
    ]);
    const order = await stack.orderUntil('the share is back', id, isTakenBack);
    expect(order).toMatchObject({
      status: 'partially_refunded',
      refunds: [{ origin: 'provider', hyperswitch_refund_id: made.id, amount: 1_000, status: 'succeeded' }],
      reversals: [{ amount: 1_000 }],
    });
    const [told] = await eventsAbout(made.id);
    await until('the event is done with', () => isProcessed(told?.eventId), { limitMs: 10_000 });
    await expectSameBooks(order);
  });
});

describe('a webhook', () => {
  it('that is forged is refused, stored nowhere and moves nothing', async () => {
    const { id } = await stack.sellPaid({ [ADA]: 3_000 });
    const refund = await stack.refund(id);
    await mishap('forged', 'refund_succeeded');
    const forged = { ...anEvent(refund.hyperswitch_refund_id), merchant_id: 'forged' };
    for (const secret of ['a guess', `${SANDBOX_HYPERSWITCH_WEBHOOK_SECRET} of somebody else`])
      expect(await stack.tellAsHyperswitch(forged, secret)).toBe(400);
    await bankRefunds(refund.hyperswitch_refund_id);
    const [event] = await until(
      'the forged event came in',
      async () => {
        const events = await eventsAbout(refund.hyperswitch_refund_id);
        return events[0]?.deliveries.length ? events : undefined;
      },
      { limitMs: 10_000 },
    );
    expect(event?.deliveries).toEqual([400]);
    expect(await inbox(event?.eventId)).toEqual([]);
    expect(await inbox(forged.event_id)).toEqual([]);
    // What it would have told is found by reading.
    const order = await stack.orderUntil('the share is back', id, isTakenBack);
    await expectSameBooks(order);
  });

  it('that is signed and says what is not so, is believed in nothing', async () => {
    const { id } = await stack.sellPaid({ [ADA]: 3_000 });
    const refund = await stack.refund(id);
    const event = anEvent(refund.hyperswitch_refund_id);
    expect(await stack.tellAsHyperswitch(event, SANDBOX_HYPERSWITCH_WEBHOOK_SECRET)).toBe(200);
    await until('the event is done with', () => isProcessed(event.event_id), { limitMs: 10_000 });
    expect(await stack.order(id)).toMatchObject({ status: 'paid', refunds: [{ status: 'pending' }], reversals: [] });
    await bankRefunds(refund.hyperswitch_refund_id);
    await stack.orderUntil('the share is back', id, isTakenBack);
  });

  it('that comes twice at once and once more later, is one event and one reversal', async () => {
    const { id } = await stack.sellPaid({ [ADA]: 3_000 });
    await mishap('duplicated', 'refund_succeeded');
    const refund = await stack.refund(id);
    await bankRefunds(refund.hyperswitch_refund_id);
    await stack.orderUntil('the share is back', id, isTakenBack);
    const [event] = await eventsAbout(refund.hyperswitch_refund_id);
    await stack.hyperswitch('webhooks/redeliver', ['POST', { event_id: event?.eventId }]);
    const [after] = await eventsAbout(refund.hyperswitch_refund_id);
    expect(after?.deliveries).toEqual([200, 200, 200]);
    expect(await inbox(event?.eventId)).toMatchObject([{ deliveries: 3 }]);
    const order = await stack.order(id);
    expect(order.reversals).toHaveLength(1);
    await expectSameBooks(order);
  });

  it('that comes long after its news was found by reading, changes nothing', async () => {
    await mishap('held', 'payment_succeeded');
    const { id, hyperswitchPaymentId } = await stack.sell({ [ADA]: 2_000, [BOB]: 1_000 });
    await buyerPays(hyperswitchPaymentId);
    const paid = await stack.orderUntil('the sellers are paid, although nobody told', id, isPaidOut);
    const [held] = await eventsAbout(hyperswitchPaymentId);
    expect(held?.deliveries).toEqual([]);
    await stack.hyperswitch('webhooks/release', ['POST', {}]);
    await until('the event is done with', () => isProcessed(held?.eventId), { limitMs: 10_000 });
    expect(await stack.order(id)).toEqual(paid);
    await expectSameBooks(paid);
  });
});

const anEvent = (refund: string | null) => ({
  merchant_id: 'merchant_sandbox',
  event_id: `evt_${randomUUID()}`,
  event_type: 'refund_succeeded',
  content: { type: 'refund_details', object: { refund_id: refund, status: 'succeeded' } },
  timestamp: new Date().toISOString(),
});

describe('the Idempotency-Key of our own clients', () => {
  const refunding = (id: string, key: string | null, changes: object = {}) =>
    stack.post('refunds', { order_id: id, amount: 700, reason: 'a scratch', ...changes }, { key });
  const refundsOf = async (payment: string) =>
    (await stack.hyperswitch<HyperswitchBooks>('ledger')).refunds.filter(({ paymentId }) => paymentId === payment);

  it.each([
    ['orders', { currency: 'usd', items: [{ seller_account: ADA, amount: 100, description: 'a pin' }] }],
    ['payments', { order_id: randomUUID() }],
    ['refunds', { order_id: randomUUID(), reason: 'none' }],
  ])('missing or empty, POST %s is refused loudly', async (path, body) => {
    for (const key of [null, '', ' '])
      expect(await stack.post(path, body, { key })).toMatchObject({
        status: 400,
        body: { code: 'idempotency_key_required', errors: [{ pointer: '/Idempotency-Key' }] },
      });
  });

  it('the same twice is one refund; with another body it is refused', async () => {
    const { id, hyperswitchPaymentId } = await stack.sellPaid({ [ADA]: 3_000 });
    const [first, second] = [await refunding(id, 'a double click'), await refunding(id, 'a double click')];
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.body.id).toBe(first.body.id);
    expect(await refunding(id, 'a double click', { amount: 701 })).toMatchObject({ status: 422 });
    expect(await refundsOf(hyperswitchPaymentId)).toHaveLength(1);
    expect((await stack.order(id)).refunds).toHaveLength(1);
  });

  it('two of them are two refunds of the same amount, and the sellers give both', async () => {
    const { id, hyperswitchPaymentId } = await stack.sellPaid({ [ADA]: 2_000, [BOB]: 1_000 });
    const refunds = [await refunding(id, 'the first scratch'), await refunding(id, 'the second scratch')];
    for (const { body } of refunds) await bankRefunds(body.hyperswitch_refund_id);
    const order = await stack.orderUntil(
      'four shares are back',
      id,
      (seen) => seen.reversals.length === 4 && isTakenBack(seen),
    );
    expect(await refundsOf(hyperswitchPaymentId)).toHaveLength(2);
    // Shares come from the sum of both refunds, so that rounding never adds up: 2000 · 1400 / 3000, 1000 · 1400 / 3000.
    expect(order.transfers.map(({ amount_reversed }) => amount_reversed)).toEqual([933, 466]);
    await expectSameBooks(order);
  });
});

describe('the header Idempotency-Key on the wire', () => {
  interface HyperswitchCalls {
    readonly calls: readonly { endpoint: string; id: string | null; idempotencyKey: string | null }[];
  }
  interface StripeCalls {
    readonly calls: readonly { endpoint: string | null; path: string; form: string; idempotencyKey: string | null }[];
    readonly totals: Readonly<Record<string, number>>;
  }

  it('is the id of the order, the refund, the transfer and the reversal, at every attempt, and nothing else', async () => {
    await stack.stripe('faults', ['PUT', { rules: [{ kinds: ['unavailable'], times: 2 }] }]);
    const { id, hyperswitchPaymentId } = await stack.sellPaid({ [ADA]: 2_000, [BOB]: 3_000 });
    await stack.stripe('faults', ['PUT', { rules: [{ kinds: ['unavailable'], times: 2 }] }]);
    const refund = await stack.refund(id);
    await bankRefunds(refund.hyperswitch_refund_id);
    const { transfers, reversals } = await stack.orderUntil('the shares are back', id, isTakenBack);

    const { calls: hyperswitch } = await stack.hyperswitch<HyperswitchCalls>('calls');
    const creating = (object: string | null) =>
      hyperswitch
        .filter((call) => call.endpoint.endsWith('.create') && call.id === object)
        .map((call) => call.idempotencyKey);
    expect(creating(hyperswitchPaymentId)).toEqual([id]);
    expect(creating(refund.hyperswitch_refund_id)).toEqual([refund.id]);

    const { calls: stripe } = await stack.stripe<StripeCalls>('calls');
    const keys = (endpoint: string, isOf: (call: StripeCalls['calls'][number]) => boolean) =>
      stripe.filter((call) => call.endpoint === endpoint && isOf(call)).map((call) => call.idempotencyKey);
    const sendingTransfers = transfers.map((transfer) => {
      const sent = keys(
        'transfers.create',
        ({ form }) => new URLSearchParams(form).get('metadata[seller_transfer_id]') === transfer.id,
      );
      expect(new Set(sent)).toEqual(new Set([transfer.id]));
      return sent.length;
    });
    const sendingReversals = reversals.map((reversal) => {
      const sent = keys(
        'reversals.create',
        ({ path }) => path === `/v1/transfers/${reversal.stripe_transfer_id}/reversals`,
      );
      expect(new Set(sent)).toEqual(new Set([reversal.id]));
      return sent.length;
    });
    // Two of each were answered 503 and came again.
    expect([sum(sendingTransfers), sum(sendingReversals)]).toEqual([4, 4]);
  });

  it('is never missing or empty, and never stands for two requests', async () => {
    const { calls } = await stack.hyperswitch<HyperswitchCalls>('calls');
    const sent = calls.filter(({ endpoint }) => endpoint.endsWith('.create'));
    expect(sent.length).toBeGreaterThan(10);
    expect(sent.filter(({ idempotencyKey }) => !idempotencyKey?.trim())).toEqual([]);
    const { totals } = await stack.stripe<StripeCalls>('calls');
    expect(totals).toMatchObject({ writesWithoutKey: 0, keysWithDifferingRequests: 0, overlaps: 0 });
  });
});

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
