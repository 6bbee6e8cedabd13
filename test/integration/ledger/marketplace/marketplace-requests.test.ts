import { describe, expect, it } from 'vitest';
import { newOrderId, type OrderId } from '../../../../src/domain/ids.js';
import { sealClientSecret } from '../../../../src/ledger/marketplace/payments.js';
import { createSealer } from '../../../../src/ledger/sealer.js';
import { ledgerForFile, testKey } from '../../../support/ledger-fixtures.js';
import {
  anOrder,
  type aRequest,
  beginRequest,
  forceColumns,
  type OrderIn,
  putOrder,
} from '../../../support/marketplace/fixtures.js';
import { aPayment, aRefund } from '../../../support/marketplace/new-payments-and-refunds.js';
import { storyOf } from '../../../support/operation-events.js';

const SEALER = createSealer([testKey()]);
const test = await ledgerForFile({ sealer: SEALER });

const count = async (table: string): Promise<number> =>
  Number((await test.database.query<{ count: string }>(`SELECT count(*) FROM ${table}`))[0]?.count);

const V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/;

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
      ordered: null,
      items: order.items.map((item) => ({
        kind: 'item',
        fee: 0n,
        release: { kind: 'immediately' },
        ordered: null,
        ...item,
        id: expect.stringMatching(V7),
      })),
      platform: { amount: 0n, fees: 0n, kept: 0n },
      payment: null,
      transfers: [],
      refunds: [],
      reversals: [],
      disputes: [],
      createdAt: expect.stringMatching(/^2\d{3}-.*Z$/),
    });
    expect(await test.ledger.findOrder(order.id)).toEqual(created);
    expect(await storyOf(test, 'order', order.id)).toMatchObject([{ kind: 'created', idempotency_key: request.key }]);
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
    expect(order.items).toMatchObject(items);
  });

  it('is unknown under an id that nobody made', async () => {
    expect(await test.ledger.findOrder(newOrderId(Date.now()))).toBeUndefined();
  });
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
    const payment = aPayment(test, orderId);
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
        captured: { surely: 0n, known: true },
        attention: null,
        currency: 'USD',
        capture: { method: 'automatic', parts: [], heldSince: null, cancelAskedAt: null },
        profileId: null,
        passedOn: {},
        provider: 'hyperswitch',
        hyperswitchPaymentId: payment.hyperswitchPaymentId,
        stripePaymentId: null,
        providerStatus: null,
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
    expect(await storyOf(test, 'payment', payment.id)).toMatchObject([
      { kind: 'created', certainty: 'not_sent', idempotency_key: orderId },
    ]);
  });

  it('is one for each order, however many keys ask at the same time, and every key stands for it', async () => {
    const orderId = await anUnpaidOrder();
    const requests = await Promise.all(Array.from({ length: 8 }, () => beginRequest(test, 'payments')));
    const made = await Promise.all(
      requests.map((request) => test.ledger.createPayment(aPayment(test, orderId), request)),
    );
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
    expect(await test.ledger.createPayment(aPayment(test, order.id), request)).toMatchObject({
      kind,
      payment: { id: order.paymentId, status },
    });
    expect(await keptItem(request)).toBe(order.paymentId);
  });

  it('of an order that does not exist is no payment, and its key stays free', async () => {
    const request = await beginRequest(test, 'payments');
    expect(await test.ledger.createPayment(aPayment(test, newOrderId(Date.now())), request)).toEqual({
      kind: 'order_not_found',
    });
    expect(await keptItem(request)).toBeNull();
  });

  it('never gets the provider’s id of another one', async () => {
    const { hyperswitchPaymentId } = await putOrder(test);
    const payment = { ...aPayment(test, await anUnpaidOrder()), hyperswitchPaymentId };
    await expect(test.ledger.createPayment(payment, await beginRequest(test, 'payments'))).rejects.toThrow(
      'payments_hyperswitch',
    );
  });

  it('shows the buyer’s client secret while it is open, and only of its own row', async () => {
    const [one, other] = [await putOrder(test, OPEN), await putOrder(test, OPEN)];
    const { bytes, keyId } = sealClientSecret(SEALER, one.paymentId, 'pay_secret');
    const sealed = { sealed_client_secret: bytes, sealed_key_id: keyId };
    expect(await test.ledger.clientSecret(one.paymentId)).toBeNull();
    await forceColumns(test.database, 'payments', one.paymentId, sealed);
    await forceColumns(test.database, 'payments', other.paymentId, sealed);
    expect(await test.ledger.clientSecret(one.paymentId)).toBe('pay_secret');
    await expect(test.ledger.clientSecret(other.paymentId)).rejects.toThrow('unable to authenticate data');
    for (const status of ['succeeded', 'failed', 'cancelled']) {
      await forceColumns(test.database, 'payments', one.paymentId, {
        status,
        certainty: 'done',
        captured: status === 'succeeded' ? 1_000n : 0n,
        next_check_at: null,
      });
      expect(await test.ledger.clientSecret(one.paymentId)).toBeNull();
    }
  });
});

const OPEN: OrderIn = { status: 'pending', transfers: [], paid: 1_000 };
const refund = async (orderId: OrderId, amount: bigint | null = null) =>
  await test.ledger.createRefund(aRefund(test, orderId, amount), await beginRequest(test, 'refunds'));

describe('a refund', () => {
  it('is stored before it is sent, under its own key, and found by the sweep half a minute later', async () => {
    const order = await putOrder(test);
    const asked = aRefund(test, order.id, 300n);
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
        items: null,
        fee: 'return_proportionally',
        hyperswitchRefundId: asked.hyperswitchRefundId,
        stripeRefundId: null,
        waiting: null,
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
    expect(await storyOf(test, 'refund', asked.id)).toMatchObject([
      { kind: 'created', certainty: 'not_sent', idempotency_key: asked.id },
    ]);
  });

  it('is one for one key, and two equal ones are two for two keys', async () => {
    const order = await putOrder(test);
    const request = await beginRequest(test, 'refunds');
    const made = await Promise.all(
      Array.from({ length: 5 }, () => test.ledger.createRefund(aRefund(test, order.id, 100n), request)),
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
    expect(await test.ledger.createRefund(aRefund(test, order.id, 601n), request)).toEqual({
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
    const asked = { ...aRefund(test, order.id, 1n), hyperswitchRefundId: order.refunds[0]!.hyperswitchRefundId };
    await expect(test.ledger.createRefund(asked, await beginRequest(test, 'refunds'))).rejects.toThrow(
      'refunds_hyperswitch',
    );
  });
});
