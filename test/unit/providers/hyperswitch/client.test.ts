import { describe, expect, it } from 'vitest';
import { EmptyIdempotencyKey } from '../../../../src/providers/idempotency-key.js';
import { json, raw } from '../../../support/answering-server.js';
import { API_KEY, answering, error } from '../../../support/marketplace/hyperswitch-server.js';

import { ORDER, PAY, PAYMENT_CALL, payment, REF, REFUND, REFUND_CALL, refund } from './support/objects.js';

const duplicate = error(400, 'HE_01', 'The payment with the specified payment_id already exists in our records');
const duplicateRefund = error(400, 'HE_01', 'Duplicate refund request. Refund already attempted with the refund ID');
const missing = error(404, 'HE_02', 'Refund does not exist in our records.');

describe('createPayment', () => {
  it('posts once, under the id derived from the key, with the key in the header exactly as given', async () => {
    const { client, received } = await answering(json(200, payment(), { 'x-request-id': 'req-7' }));
    expect(await client.createPayment(ORDER, PAYMENT_CALL)).toEqual({
      kind: 'done',
      replayed: false,
      requestId: 'req-7',
      value: {
        hyperswitchPaymentId: PAY,
        owner: { merchantId: 'm', profileId: 'pro_1' },
        status: 'pending',
        providerStatus: 'requires_payment_method',
        asks: null,
        capturedByWord: 'nothing',
        final: false,
        amount: 6540n,
        amountReceived: null,
        currency: 'USD',
        connector: null,
        connectorTransactionId: null,
        clientSecret: `${PAY}_secret_x`,
      },
    });
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      method: 'POST',
      path: '/payments',
      headers: { 'api-key': API_KEY, 'idempotency-key': ORDER, 'content-type': 'application/json' },
    });
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      payment_id: PAY,
      amount: 6540,
      currency: 'USD',
      confirm: false,
      capture_method: 'automatic',
      metadata: { order_id: ORDER, payment_id: 'p-1' },
    });
  });

  it('asks the buyer for as many shillings as the sellers get: Hyperswitch writes them without decimals', async () => {
    const shillings = { amount: 5000, amount_received: 5000, currency: 'UGX', status: 'succeeded' };
    const { client, received } = await answering(json(200, payment(shillings)));
    const answer = await client.createPayment(ORDER, { ...PAYMENT_CALL, amount: 500_000n, currency: 'UGX' });
    expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({ amount: 5000, currency: 'UGX' });
    expect(answer).toMatchObject({ kind: 'done', value: { amount: 500_000n, amountReceived: 500_000n } });
    const cents = client.createPayment(ORDER, { ...PAYMENT_CALL, amount: 500_050n, currency: 'UGX' });
    await expect(cents).rejects.toThrow(RangeError);
    expect(received).toHaveLength(1);
  });

  it('sends the same bytes under the same key, however often', async () => {
    const { client, received } = await answering(raw(503, 'text/plain', 'down'));
    await client.createPayment(ORDER, PAYMENT_CALL);
    await client.createPayment(ORDER, PAYMENT_CALL);
    expect(received[1]?.body).toBe(received[0]?.body);
    expect(received[1]?.headers['idempotency-key']).toBe(ORDER);
  });

  it('is done, replayed, when the id exists already and stands for the same money', async () => {
    const { client, received } = await answering([duplicate, json(200, payment({ status: 'succeeded' }))]);
    expect(await client.createPayment(ORDER, PAYMENT_CALL)).toMatchObject({
      kind: 'done',
      replayed: true,
      value: { status: 'succeeded', hyperswitchPaymentId: PAY },
    });
    expect(received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /payments',
      `GET /payments/${PAY}?force_sync=true`,
    ]);
    expect(received[1]?.headers['idempotency-key']).toBeUndefined();
  });

  it.each([
    ['amount', { amount: 6541 }],
    ['currency', { currency: 'EUR' }],
  ])('is a conflict when the id exists already with another %s', async (_what, other) => {
    const { client } = await answering([duplicate, json(200, payment(other))]);
    expect(await client.createPayment(ORDER, PAYMENT_CALL)).toMatchObject({
      kind: 'refused',
      why: 'conflict',
      code: 'HE_01',
    });
  });

  it.each([
    ['is missing after all', missing, { kind: 'unclear', why: 'unreadable' }],
    ['is another payment', json(200, payment({ payment_id: 'pay_other' })), { kind: 'unclear', why: 'unreadable' }],
    ['has no owner', json(200, payment({ merchant_id: null })), { kind: 'unclear', why: 'unreadable' }],
    ['fails', error(500, 'HE_00', 'Something went wrong'), { kind: 'unclear', why: 'unreadable' }],
    ['is not let in', error(401, 'IR_01', 'API key not provided'), { kind: 'unclear', why: 'unreadable' }],
    ['is throttled', error(429, 'HE_00', 'slow down'), { kind: 'busy', executed: 'perhaps' }],
  ])('stays open when the id exists already and the read of it %s', async (_what, read, expected) => {
    const { client } = await answering([duplicate, read]);
    expect(await client.createPayment(ORDER, PAYMENT_CALL)).toMatchObject(expected);
  });

  it.each([
    ['another id', { payment_id: 'pay_other' }],
    ['no id', { payment_id: null }],
    ['another amount', { amount: 654 }],
    ['an amount that is text', { amount: '6540' }],
    ['an amount with a fraction', { amount: 6540.5 }],
    ['a negative amount', { amount: -6540 }],
    ['an amount that no JSON number holds', { amount: 2 ** 53 }],
    ['another currency', { currency: 'EUR' }],
    ['no currency', { currency: 'dollars' }],
    ['no status', { status: undefined }],
    ['nobody whose it is', { merchant_id: undefined }],
  ])('is unclear, never done, when the answer has %s', async (_what, other) => {
    const { client } = await answering(json(200, payment(other)));
    expect(await client.createPayment(ORDER, PAYMENT_CALL)).toMatchObject({ kind: 'unclear', why: 'unreadable' });
  });

  it.each([0n, -1n, 9_007_199_254_740_992n])('sends nothing for an amount of %d', async (amount) => {
    const { client, received } = await answering(json(200, payment()));
    await expect(client.createPayment(ORDER, { ...PAYMENT_CALL, amount })).rejects.toThrow(/nothing was sent/);
    expect(received).toHaveLength(0);
  });
});

describe('createRefund', () => {
  it('gives back shillings as Hyperswitch writes them', async () => {
    const { client, received } = await answering(json(200, refund({ amount: 700, currency: 'UGX' })));
    const answer = await client.createRefund(REFUND, { ...REFUND_CALL, amount: 70_000n, currency: 'UGX' });
    expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({ amount: 700 });
    expect(answer).toMatchObject({ kind: 'done', value: { amount: 70_000n } });
  });

  it('posts once, under the id derived from the key, instant, and with nothing that the document does not have', async () => {
    const { client, received } = await answering(json(200, refund()));
    expect(await client.createRefund(REFUND, REFUND_CALL)).toEqual({
      kind: 'done',
      replayed: false,
      requestId: null,
      value: {
        hyperswitchRefundId: REF,
        hyperswitchPaymentId: PAY,
        profileId: null,
        status: 'pending',
        providerStatus: 'pending',
        asks: null,
        amount: 600n,
        currency: 'USD',
        reason: 'requested_by_customer',
        updatedAt: '2026-11-21T03:00:00.000Z',
        connectorRefundId: null,
      },
    });
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({ method: 'POST', path: '/refunds', headers: { 'idempotency-key': REFUND } });
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      refund_id: REF,
      payment_id: PAY,
      amount: 600,
      reason: 'requested_by_customer',
      refund_type: 'instant',
      metadata: { order_id: ORDER, refund_id: REFUND },
    });
  });

  it('cuts a reason to what Hyperswitch takes, the same way every time', async () => {
    const { client, received } = await answering(json(200, refund()));
    await client.createRefund(REFUND, { ...REFUND_CALL, reason: '💶'.repeat(300) });
    expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({ reason: '💶'.repeat(255) });
  });

  it('is done, replayed, when the id exists already for the same payment and money, whatever became of it', async () => {
    for (const status of ['pending', 'review', 'succeeded', 'failed']) {
      const { client } = await answering([duplicateRefund, json(200, refund({ status }))]);
      expect(await client.createRefund(REFUND, REFUND_CALL)).toMatchObject({
        kind: 'done',
        replayed: true,
        value: { status },
      });
    }
  });

  it.each([
    ['payment', { payment_id: 'pay_other' }],
    ['amount', { amount: 601 }],
    ['currency', { currency: 'EUR' }],
  ])('is a conflict when the id exists already with another %s', async (_what, other) => {
    const { client } = await answering([duplicateRefund, json(200, refund(other))]);
    expect(await client.createRefund(REFUND, REFUND_CALL)).toMatchObject({ kind: 'refused', why: 'conflict' });
  });

  it.each([
    ['another refund', { refund_id: 'ref_other' }],
    ['another payment', { payment_id: 'pay_other' }],
    ['another amount', { amount: 1 }],
    ['another currency', { currency: 'EUR' }],
  ])('is unclear, never done, when the answer is about %s', async (_what, other) => {
    const { client } = await answering(json(200, refund(other)));
    expect(await client.createRefund(REFUND, REFUND_CALL)).toMatchObject({ kind: 'unclear', why: 'unreadable' });
  });

  it.each([
    ['pending', 'pending'],
    ['review', 'review'],
    ['manual_review', 'review'],
    ['ManualReview', 'review'],
    ['succeeded', 'succeeded'],
    ['failed', 'failed'],
  ])('reads %s as %s', async (word, status) => {
    const { client } = await answering(json(200, refund({ status: word })));
    expect(await client.readRefund(REF)).toMatchObject({ kind: 'found', value: { status } });
  });
});

describe('an idempotency key', () => {
  it.each([
    ['empty', '', /key that is empty/],
    ['blank', ' \t ', /key that is empty/],
    ['over 255 characters', 'k'.repeat(256), /longer than 255/],
    ['with a space at its end, which no header carries', 'key ', /not plain/],
    ['with a line break', 'a\r\nx-evil: 1', /not plain/],
    ['outside of plain text', 'clé', /not plain/],
  ])('that is %s never leaves the process', async (_what, key, why) => {
    const { client, received } = await answering(json(200, payment()));
    await expect(client.createPayment(key, PAYMENT_CALL)).rejects.toThrow(EmptyIdempotencyKey);
    await expect(client.createRefund(key, REFUND_CALL)).rejects.toThrow(why);
    expect(received).toHaveLength(0);
  });

  it('of 255 characters goes out whole', async () => {
    const { client, received } = await answering(json(200, payment()));
    await client.createPayment('k'.repeat(255), PAYMENT_CALL);
    expect(received[0]?.headers['idempotency-key']).toBe('k'.repeat(255));
  });
});
