import { describe, expect, it } from 'vitest';
import type { IntentParams, StripeRefundParams } from '../../../../src/domain/calls/made-at-stripe.js';
import { answering, error, json } from './server.js';

// What is made from here at Stripe: each call is one request, and done only when Stripe's object is the one that was asked for.

const PARAMS: IntentParams = {
  amount: 1_000,
  currency: 'usd',
  capture_method: 'automatic',
  transfer_group: 'order-1',
  metadata: { order_id: 'order-1', payment_id: 'payment-1', generation: '1' },
};
const REFUND: StripeRefundParams = {
  payment_intent: 'pi_1',
  amount: 300,
  metadata: { refund_id: 'refund-1', generation: '1' },
};
const intent = (more: Record<string, unknown> = {}) => ({
  id: 'pi_1',
  object: 'payment_intent',
  amount: 1_000,
  amount_received: 0,
  client_secret: 'pi_1_secret_CANARY',
  created: 1_700_000_000,
  currency: 'usd',
  latest_charge: null,
  livemode: false,
  metadata: PARAMS.metadata,
  status: 'requires_payment_method',
  ...more,
});
const refund = (more: Record<string, unknown> = {}) => ({
  id: 're_1',
  object: 'refund',
  amount: 300,
  charge: 'ch_1',
  created: 1_700_000_000,
  currency: 'usd',
  metadata: REFUND.metadata,
  payment_intent: 'pi_1',
  status: 'pending',
  ...more,
});

describe('a PaymentIntent', () => {
  it('is made by one request, with the key and what was frozen, and is told in our words', async () => {
    const { calls, received, tokens } = await answering(json(200, intent()));
    expect(await calls.createIntent('order-1', PARAMS)).toEqual({
      kind: 'done',
      replayed: false,
      requestId: 'req_1',
      value: {
        stripePaymentId: 'pi_1',
        status: 'pending',
        providerStatus: 'requires_payment_method',
        asks: null,
        capturedByWord: 'nothing',
        final: false,
        amount: 1_000n,
        amountReceived: 0n,
        currency: 'USD',
        connector: 'stripe',
        connectorTransactionId: 'pi_1',
        clientSecret: 'pi_1_secret_CANARY',
        mark: 'payment-1',
        createdAt: '2023-11-14T22:13:20.000Z',
      },
    });
    expect(received).toMatchObject([{ method: 'POST', path: '/v1/payment_intents' }]);
    expect(received[0]?.headers['idempotency-key']).toBe('order-1');
    expect(tokens.map(([endpoint]) => endpoint)).toEqual(['payment_intents.create']);
  });

  it.each([
    [{ amount: 999 }],
    [{ currency: 'eur' }],
    [{ metadata: { payment_id: 'another' } }],
    [{ metadata: {} }],
    [{ object: 'charge' }],
    [{ amount_received: null }],
  ])('is not believed to be ours where Stripe answers with %j', async (more) => {
    const { calls } = await answering(json(200, intent(more)));
    expect(await calls.createIntent('order-1', PARAMS)).toMatchObject({ kind: 'unclear', why: 'unreadable' });
  });

  it.each([
    ['requires_payment_method', 'pending', null],
    ['requires_confirmation', 'pending', null],
    ['requires_action', 'pending', null],
    ['processing', 'processing', null],
    ['requires_capture', 'processing', 'unknown_status'],
    ['succeeded', 'succeeded', null],
    ['canceled', 'cancelled', null],
    ['a word of a later Stripe', 'processing', 'unknown_status'],
  ])('that Stripe calls %s is %s here', async (word, status, asks) => {
    const { calls } = await answering(json(200, intent({ status: word })));
    expect(await calls.readIntent('pi_1')).toMatchObject({ kind: 'found', value: { status, asks } });
  });

  it('is found by our mark among those that bear it: the one that was paid, else the newest', async () => {
    const older = intent({ id: 'pi_old', created: 1_600_000_000 });
    const paid = intent({ id: 'pi_paid', created: 1_500_000_000, status: 'succeeded', amount_received: 1_000 });
    const foreign = intent({ id: 'pi_foreign', created: 1_800_000_000, metadata: { payment_id: 'another' } });
    const result = (...data: object[]) => json(200, { object: 'search_result', has_more: false, data });
    const named = async (...data: object[]) => {
      const { calls } = await answering(result(...data));
      const answer = await calls.findIntent('payment-1');
      return answer.kind === 'found' ? answer.value.stripePaymentId : answer.kind;
    };
    expect(await named(older, intent(), foreign)).toBe('pi_1');
    expect(await named(older, paid, intent())).toBe('pi_paid');
    expect(await named({ ...older, status: 'requires_capture' }, intent())).toBe('pi_old');
    expect(await named(foreign)).toBe('missing');
    expect(await named()).toBe('missing');
  });

  it.each([
    [{ object: 'list', has_more: false, data: [] }],
    [{ object: 'search_result', has_more: true, data: [] }],
    [{ object: 'search_result', has_more: false, data: [{ id: 'pi_1' }] }],
  ])('is not called missing where the search says %j', async (body) => {
    const { calls } = await answering(json(200, body));
    expect(await calls.findIntent('payment-1')).toMatchObject({ kind: 'unclear' });
  });

  it('is cancelled by one request with a key, and refused where it was paid', async () => {
    const { calls, received } = await answering([
      json(200, intent({ status: 'canceled' })),
      error(400, { code: 'payment_intent_unexpected_state', message: 'it has a status of succeeded' }),
    ]);
    expect(await calls.cancelIntent('order-1:cancel:1', 'pi_1')).toMatchObject({
      kind: 'done',
      value: { status: 'cancelled', final: true },
    });
    expect(await calls.cancelIntent('order-1:cancel:2', 'pi_1')).toMatchObject({ kind: 'refused' });
    expect(received.map(({ path, headers }) => [path, headers['idempotency-key']])).toEqual([
      ['/v1/payment_intents/pi_1/cancel', 'order-1:cancel:1'],
      ['/v1/payment_intents/pi_1/cancel', 'order-1:cancel:2'],
    ]);
  });

  it('is captured by one request with its key and its amount, and refused where it cannot be', async () => {
    const { calls, received, tokens } = await answering([
      json(200, intent({ status: 'succeeded', amount_received: 400 })),
      error(400, { code: 'payment_intent_unexpected_state', message: 'it has a status of canceled' }),
    ]);
    expect(await calls.captureIntent('capture-1', 'pi_1', 400)).toMatchObject({
      kind: 'done',
      value: { status: 'succeeded', amount: 1_000n, amountReceived: 400n, final: true },
    });
    expect(await calls.captureIntent('capture-2', 'pi_1', 400)).toMatchObject({ kind: 'refused' });
    expect(received.map(({ path, headers, body }) => [path, headers['idempotency-key'], body])).toEqual([
      ['/v1/payment_intents/pi_1/capture', 'capture-1', 'amount_to_capture=400'],
      ['/v1/payment_intents/pi_1/capture', 'capture-2', 'amount_to_capture=400'],
    ]);
    expect(tokens.map(([endpoint]) => endpoint)).toEqual(['payment_intents.capture', 'payment_intents.capture']);
  });

  it('of another payment is no answer to a capture', async () => {
    const { calls } = await answering(json(200, intent({ id: 'pi_2' })));
    expect(await calls.captureIntent('capture-1', 'pi_1', 400)).toMatchObject({ kind: 'unclear' });
  });

  it('is not sent without a key, of nothing, or in no currency', async () => {
    const { calls, received } = await answering(json(200, intent()));
    await expect(calls.createIntent('', PARAMS)).rejects.toThrow('createIntent');
    await expect(calls.createIntent('k', { ...PARAMS, amount: 0 })).rejects.toThrow(RangeError);
    await expect(calls.createIntent('k', { ...PARAMS, currency: 'USD' })).rejects.toThrow(RangeError);
    await expect(calls.cancelIntent(' ', 'pi_1')).rejects.toThrow('cancelIntent');
    await expect(calls.captureIntent(' ', 'pi_1', 1)).rejects.toThrow('captureIntent');
    await expect(calls.captureIntent('k', 'pi_1', 0)).rejects.toThrow(RangeError);
    await expect(calls.captureIntent('k', '..', 1)).rejects.toThrow(RangeError);
    expect(received).toEqual([]);
  });
});

describe('a refund', () => {
  it('is made by one request, with the key and our mark', async () => {
    const { calls, received } = await answering(json(200, refund()));
    expect(await calls.createRefund('refund-1', REFUND)).toMatchObject({
      kind: 'done',
      value: { stripeRefundId: 're_1', mark: 'refund-1', amount: 300n, paymentIntent: 'pi_1', status: 'pending' },
    });
    expect(received).toMatchObject([{ method: 'POST', path: '/v1/refunds' }]);
    expect(received[0]?.headers['idempotency-key']).toBe('refund-1');
  });

  it.each([[{ amount: 301 }], [{ payment_intent: 'pi_2' }], [{ metadata: {} }]])(
    'is not believed to be ours where Stripe answers with %j',
    async (more) => {
      const { calls } = await answering(json(200, refund(more)));
      expect(await calls.createRefund('refund-1', REFUND)).toMatchObject({ kind: 'unclear', why: 'unreadable' });
    },
  );

  it('is not sent without a key, of nothing, or of no payment', async () => {
    const { calls, received } = await answering(json(200, refund()));
    await expect(calls.createRefund('', REFUND)).rejects.toThrow('createRefund');
    await expect(calls.createRefund('k', { ...REFUND, amount: 0.5 })).rejects.toThrow(RangeError);
    await expect(calls.createRefund('k', { ...REFUND, payment_intent: ' ' })).rejects.toThrow(RangeError);
    expect(received).toEqual([]);
  });
});
