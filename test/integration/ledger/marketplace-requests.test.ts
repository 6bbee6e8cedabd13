import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newOrderId, newPaymentId, newRefundId, type OrderId } from '../../../src/domain/ids.js';
import { sealClientSecret } from '../../../src/ledger/payments.js';
import { createSealer } from '../../../src/ledger/sealer.js';
import { openTestLedger, type TestLedger, testKey } from '../../support/ledger-fixtures.js';
import {
  anOrder,
  aRequest,
  beginRequest,
  force,
  type OrderIn,
  putOrder,
  unique,
} from '../../support/marketplace-fixtures.js';

const SEALER = createSealer([testKey()]);
let test: TestLedger;
beforeAll(async () => {
  test = await openTestLedger({ sealer: SEALER });
});
afterAll(() => test.dispose());

const storyOf = (kind: string, id: string) =>
  test.database.query<{ kind: string; certainty: string | null; idempotency_key: string | null; detail: object }>(
    'SELECT kind, certainty, idempotency_key, detail FROM operation_events WHERE item_kind = $1 AND item_id = $2 ORDER BY seq',
    [kind, id],
  );
const count = async (table: string): Promise<number> =>
  Number((await test.database.query<{ count: string }>(`SELECT count(*) FROM ${table}`))[0]?.count);

describe('the key of our client’s request', () => {
  const begin = (request: ReturnType<typeof aRequest>) => test.ledger.beginRequest(request);

  it('begins once, however many ask at the same time', async () => {
    const request = aRequest('orders');
    const begun = await Promise.all(Array.from({ length: 20 }, () => begin(request)));
    expect(begun.filter(({ kind }) => kind === 'begun')).toEqual([{ kind: 'begun', itemId: null }]);
    expect(begun.filter(({ kind }) => kind === 'in_flight')).toHaveLength(19);
  });

  it('stands for one body, while it is held, after it was released and after the answer', async () => {
    const request = aRequest('orders');
    const other = { ...request, bodySha256: 'another body' };
    await begin(request);
    expect(await begin(other)).toEqual({ kind: 'other_body' });
    await test.ledger.releaseRequest(request);
    expect(await begin(other)).toEqual({ kind: 'other_body' });
    await test.ledger.finishRequest(request, { status: 201, answer: { id: 'x' } });
    expect(await begin(other)).toEqual({ kind: 'other_body' });
  });

  it('is its token’s and its operation’s own', async () => {
    const request = aRequest('orders');
    await begin(request);
    expect(await begin({ ...request, operation: 'refunds' })).toEqual({ kind: 'begun', itemId: null });
    expect(await begin({ ...request, principal: 'another shop' })).toEqual({ kind: 'begun', itemId: null });
  });

  it('repeats its first answer for ever', async () => {
    const request = aRequest('refunds');
    await begin(request);
    await test.ledger.finishRequest(request, { status: 202, answer: { id: 'r1', amount: 5 } });
    await test.ledger.finishRequest(request, { status: 500, answer: { id: 'late' } });
    const answered = { kind: 'answered', status: 202, answer: { id: 'r1', amount: 5 } };
    expect(await begin(request)).toEqual(answered);
    await test.ledger.releaseRequest(request);
    test.clock.advance(24 * 3_600_000);
    expect(await begin(request)).toEqual(answered);
  });

  it('is taken over sixty seconds after the request that held it died, with the item that one made', async () => {
    const request = aRequest('orders');
    await begin(request);
    const order = await test.ledger.createOrder(anOrder(test), request);
    test.clock.advance(59_000);
    expect(await begin(request)).toEqual({ kind: 'in_flight' });
    test.clock.advance(2_000);
    expect(await begin(request)).toEqual({ kind: 'begun', itemId: order.id });
    expect(await begin(request)).toEqual({ kind: 'in_flight' });
  });

  it('goes on at once, with its item, after an outcome that nobody knows', async () => {
    const request = await beginRequest(test, 'orders');
    const order = await test.ledger.createOrder(anOrder(test), request);
    await test.ledger.releaseRequest(request);
    expect(await begin(request)).toEqual({ kind: 'begun', itemId: order.id });
  });

  it('is neither answered nor released by a request with another body', async () => {
    const request = await beginRequest(test, 'orders');
    const other = { ...request, bodySha256: 'another body' };
    await test.ledger.releaseRequest(other);
    await test.ledger.finishRequest(other, { status: 201, answer: {} });
    expect(await begin(request)).toEqual({ kind: 'in_flight' });
  });

  it('is needed: nothing is made for a request that was not begun', async () => {
    const order = await putOrder(test);
    await expect(test.ledger.createOrder(anOrder(test), aRequest('orders'))).rejects.toThrow('was not begun');
    await expect(test.ledger.createPayment(aPayment(order.id), aRequest('payments'))).rejects.toThrow('was not begun');
    await expect(test.ledger.createRefund(aRefund(order.id), aRequest('refunds'))).rejects.toThrow('was not begun');
  });
});

describe('an order', () => {
  it('is stored with its items, its sum and its story', async () => {
    const request = await beginRequest(test, 'orders');
    const order = anOrder(test, { currency: 'EUR' });
    const created = await test.ledger.createOrder(order, request);
    expect(created).toEqual({
      id: order.id,
      reference: null,
      status: 'pending',
      currency: 'EUR',
      amount: 1_000n,
      items: order.items,
      payment: null,
      transfers: [],
      refunds: [],
      reversals: [],
      createdAt: expect.stringMatching(/^2\d{3}-.*Z$/),
    });
    expect(await test.ledger.findOrder(order.id)).toEqual(created);
    expect(await storyOf('order', order.id)).toMatchObject([{ kind: 'created', idempotency_key: request.key }]);
  });

  it('is made once for one key, also by a request that hung until another one had taken the key over', async () => {
    const request = await beginRequest(test, 'orders');
    const before = await count('orders');
    const orders = await Promise.all(Array.from({ length: 5 }, () => test.ledger.createOrder(anOrder(test), request)));
    expect(new Set(orders.map(({ id }) => id)).size).toBe(1);
    expect(await count('orders')).toBe(before + 1);
  });

  it('is made together with its key, or not at all', async () => {
    const request = await beginRequest(test, 'orders');
    const before = await count('orders');
    const bad = anOrder(test, { items: [{ sellerAccount: '', amount: 1n, description: 'nobody' }] });
    await expect(test.ledger.createOrder(bad, request)).rejects.toThrow('seller_account');
    expect(await count('orders')).toBe(before);
    await test.ledger.releaseRequest(request);
    expect(await test.ledger.beginRequest(request)).toEqual({ kind: 'begun', itemId: null });
  });

  it('keeps amounts of 70 digits to the last one', async () => {
    const amount = 10n ** 70n + 7n;
    const items = [{ sellerAccount: 'acct_a', amount, description: 'a country' }];
    const order = await test.ledger.createOrder(anOrder(test, { items }), await beginRequest(test, 'orders'));
    expect(order.amount).toBe(amount);
    expect(order.items).toEqual(items);
  });

  it('is unknown under an id that nobody made', async () => {
    expect(await test.ledger.findOrder(newOrderId(Date.now()))).toBeUndefined();
  });
});

const aPayment = (orderId: OrderId) => ({
  id: newPaymentId(test.clock.nowMs()),
  orderId,
  hyperswitchPaymentId: unique('pay'),
});
const anUnpaidOrder = async () => (await test.ledger.createOrder(anOrder(test), await beginRequest(test, 'orders'))).id;
const keptItem = async (request: ReturnType<typeof aRequest>) => {
  await test.ledger.releaseRequest(request);
  const begun = await test.ledger.beginRequest(request);
  return begun.kind === 'begun' ? begun.itemId : begun.kind;
};

describe('a payment', () => {
  it('is stored before it is sent, under the order’s key, and found by the sweep half a minute later', async () => {
    const orderId = await anUnpaidOrder();
    const payment = aPayment(orderId);
    const request = await beginRequest(test, 'payments');
    const made = await test.ledger.createPayment(payment, request);
    expect(made).toEqual({
      kind: 'created',
      payment: {
        id: payment.id,
        orderId,
        status: 'pending',
        certainty: 'not_sent',
        amount: 1_000n,
        currency: 'USD',
        hyperswitchPaymentId: payment.hyperswitchPaymentId,
        workflowId: `payment/${payment.id}`,
        createdAt: expect.any(String),
      },
    });
    expect(await test.ledger.findPayment(payment.id)).toEqual(made.kind === 'created' && made.payment);
    expect((await test.ledger.findOrder(orderId))?.payment?.id).toBe(payment.id);
    const [row] = await test.database.query(
      `SELECT idempotency_key, round(extract(epoch FROM next_check_at - created_at))::int AS after FROM payments WHERE id = $1`,
      [payment.id],
    );
    expect(row).toEqual({ idempotency_key: orderId, after: 30 });
    expect(await keptItem(request)).toBe(payment.id);
    expect(await storyOf('payment', payment.id)).toMatchObject([
      { kind: 'created', certainty: 'not_sent', idempotency_key: orderId },
    ]);
  });

  it('is one for each order, however many keys ask at the same time, and every key stands for it', async () => {
    const orderId = await anUnpaidOrder();
    const requests = await Promise.all(Array.from({ length: 8 }, () => beginRequest(test, 'payments')));
    const made = await Promise.all(requests.map((request) => test.ledger.createPayment(aPayment(orderId), request)));
    expect(made.map(({ kind }) => kind).sort()).toEqual(['created', ...Array.from({ length: 7 }, () => 'existing')]);
    const ids = new Set(made.map((outcome) => ('payment' in outcome ? outcome.payment.id : undefined)));
    expect(ids.size).toBe(1);
    const kept = await Promise.all(requests.map(keptItem));
    expect(new Set(kept)).toEqual(ids);
  });

  it.each([
    ['pending', 'existing'],
    ['processing', 'existing'],
    ['succeeded', 'existing'],
    ['failed', 'closed'],
    ['cancelled', 'closed'],
  ] as const)('that is %s answers a second POST as %s', async (status, kind) => {
    const order = await putOrder(test, { payment: { status } });
    const request = await beginRequest(test, 'payments');
    expect(await test.ledger.createPayment(aPayment(order.id), request)).toMatchObject({
      kind,
      payment: { id: order.paymentId, status },
    });
    expect(await keptItem(request)).toBe(order.paymentId);
  });

  it('of an order that does not exist is no payment, and its key stays free', async () => {
    const request = await beginRequest(test, 'payments');
    expect(await test.ledger.createPayment(aPayment(newOrderId(Date.now())), request)).toEqual({
      kind: 'order_not_found',
    });
    expect(await keptItem(request)).toBeNull();
  });

  it('never gets the provider’s id of another one', async () => {
    const { hyperswitchPaymentId } = await putOrder(test);
    const payment = { ...aPayment(await anUnpaidOrder()), hyperswitchPaymentId };
    await expect(test.ledger.createPayment(payment, await beginRequest(test, 'payments'))).rejects.toThrow(
      'payments_hyperswitch',
    );
  });

  it('shows the buyer’s client secret while it is open, and only of its own row', async () => {
    const [one, other] = [await putOrder(test, OPEN), await putOrder(test, OPEN)];
    const { bytes, keyId } = sealClientSecret(SEALER, one.paymentId, 'pay_secret');
    const sealed = { sealed_client_secret: bytes, sealed_key_id: keyId };
    expect(await test.ledger.clientSecret(one.paymentId)).toBeNull();
    await force(test.database, 'payments', one.paymentId, sealed);
    await force(test.database, 'payments', other.paymentId, sealed);
    expect(await test.ledger.clientSecret(one.paymentId)).toBe('pay_secret');
    await expect(test.ledger.clientSecret(other.paymentId)).rejects.toThrow();
    for (const status of ['succeeded', 'failed', 'cancelled']) {
      await force(test.database, 'payments', one.paymentId, { status, certainty: 'done', next_check_at: null });
      expect(await test.ledger.clientSecret(one.paymentId)).toBeNull();
    }
  });
});

const OPEN: OrderIn = { status: 'pending', transfers: [], paid: 1_000 };
const aRefund = (orderId: OrderId, amount: bigint | null = null) => ({
  id: newRefundId(test.clock.nowMs()),
  orderId,
  amount,
  reason: 'requested_by_customer',
  hyperswitchRefundId: unique('ref'),
});
const refund = async (orderId: OrderId, amount: bigint | null = null) =>
  await test.ledger.createRefund(aRefund(orderId, amount), await beginRequest(test, 'refunds'));

describe('a refund', () => {
  it('is stored before it is sent, under its own key, and found by the sweep half a minute later', async () => {
    const order = await putOrder(test);
    const asked = aRefund(order.id, 300n);
    const request = await beginRequest(test, 'refunds');
    const made = await test.ledger.createRefund(asked, request);
    expect(made).toEqual({
      kind: 'created',
      refund: {
        id: asked.id,
        orderId: order.id,
        paymentId: order.paymentId,
        amount: 300n,
        currency: 'USD',
        reason: 'requested_by_customer',
        status: 'pending',
        certainty: 'not_sent',
        origin: 'api',
        hyperswitchRefundId: asked.hyperswitchRefundId,
        attention: null,
        workflowId: `refund/${asked.id}`,
        createdAt: expect.any(String),
      },
    });
    expect(await test.ledger.findRefund(asked.id)).toEqual(made.kind === 'created' && made.refund);
    const [row] = await test.database.query(
      `SELECT idempotency_key, round(extract(epoch FROM next_check_at - created_at))::int AS after FROM refunds WHERE id = $1`,
      [asked.id],
    );
    expect(row).toEqual({ idempotency_key: asked.id, after: 30 });
    expect(await keptItem(request)).toBe(asked.id);
    expect(await storyOf('refund', asked.id)).toMatchObject([
      { kind: 'created', certainty: 'not_sent', idempotency_key: asked.id },
    ]);
  });

  it('is one for one key, and two equal ones are two for two keys', async () => {
    const order = await putOrder(test);
    const request = await beginRequest(test, 'refunds');
    const made = await Promise.all(
      Array.from({ length: 5 }, () => test.ledger.createRefund(aRefund(order.id, 100n), request)),
    );
    const again = await refund(order.id, 100n);
    const ids = [...made, again].map((outcome) => (outcome.kind === 'created' ? outcome.refund.id : outcome.kind));
    expect(new Set(ids).size).toBe(2);
    expect((await test.ledger.findOrder(order.id))?.refunds.map(({ amount }) => amount)).toEqual([100n, 100n]);
  });

  it('without an amount is the remainder: what is pending, in review or succeeded is not asked for again', async () => {
    const order = await putOrder(test, {
      refunds: [
        { amount: 100 },
        { amount: 200, status: 'pending' },
        { amount: 50, status: 'review' },
        { amount: 600, status: 'failed' },
      ],
    });
    expect(await refund(order.id)).toMatchObject({ kind: 'created', refund: { amount: 650n } });
    expect(await refund(order.id)).toEqual({ kind: 'exceeds_paid', remainder: 0n });
  });

  it('above the remainder is refused with the remainder, and its key stays free', async () => {
    const order = await putOrder(test, { refunds: [{ amount: 400 }] });
    const request = await beginRequest(test, 'refunds');
    expect(await test.ledger.createRefund(aRefund(order.id, 601n), request)).toEqual({
      kind: 'exceeds_paid',
      remainder: 600n,
    });
    expect(await keptItem(request)).toBeNull();
    expect(await refund(order.id, 600n)).toMatchObject({ kind: 'created' });
  });

  it('never takes the remainder below nothing when the dashboard refunded what was pending here', async () => {
    const order = await putOrder(test, {
      refunds: [
        { amount: 600, status: 'pending' },
        { amount: 700, columns: { origin: 'provider' } },
      ],
    });
    expect(await refund(order.id, 1n)).toEqual({ kind: 'exceeds_paid', remainder: 0n });
  });

  it('is never more than was paid, however many come at once', async () => {
    const order = await putOrder(test);
    const made = await Promise.all(Array.from({ length: 12 }, () => refund(order.id, 150n)));
    expect(made.filter(({ kind }) => kind === 'created')).toHaveLength(6);
    expect(made.filter(({ kind }) => kind === 'exceeds_paid')).toHaveLength(6);
  });

  it.each(['pending', 'payment_failed'] as const)('of an order that is %s is refused: nobody paid', async (status) => {
    const order = await putOrder(test, { ...OPEN, status });
    expect(await refund(order.id)).toEqual({ kind: 'not_paid' });
  });

  it('of an order that does not exist is refused', async () => {
    expect(await refund(newOrderId(Date.now()))).toEqual({ kind: 'order_not_found' });
  });

  it('never gets the provider’s id of another one', async () => {
    const order = await putOrder(test, { refunds: [{ amount: 1 }] });
    const asked = { ...aRefund(order.id, 1n), hyperswitchRefundId: order.refunds[0]!.hyperswitchRefundId };
    await expect(test.ledger.createRefund(asked, await beginRequest(test, 'refunds'))).rejects.toThrow(
      'refunds_hyperswitch',
    );
  });
});
