import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { summary, TOKENS } from '../../support/api.js';
import { MINUTE_MS } from '../../support/durations.js';
import { type CapturesApi, openCapturesApi } from '../../support/marketplace/captures-api.js';
import { unique } from '../../support/marketplace/fixtures.js';

/** Payments as people make them: what is passed on, captured by hand, and called off, through the API. */

let shop: CapturesApi;
beforeEach(async () => {
  shop = await openCapturesApi();
});
afterEach(() => shop.close());

const PASSED_ON = {
  customer: { id: 'cus_42', name: 'Ada', email: 'ada@example.com' },
  return_url: 'https://shop.example/thanks?order=7',
  metadata: { cart: '7' },
};

describe('a payment', () => {
  it('is made with what its order passes on, beside our own names', async () => {
    const order = await shop.order();
    const made = await shop.post('payments', { order_id: order, ...PASSED_ON, profile_id: 'pro_other' });
    expect(made.status).toBe(201);
    expect(shop.there(order)).toMatchObject({
      captureMethod: 'automatic',
      customerId: 'cus_42',
      returnUrl: PASSED_ON.return_url,
      metadata: { cart: '7', order_id: order, payment_id: made.body.id },
      owner: { profileId: 'pro_other' },
    });
    expect((await shop.read(`payments/${made.body.id}`)).body).toMatchObject({
      capture: 'automatic',
      captures: [],
      customer_id: 'cus_42',
      return_url: PASSED_ON.return_url,
      metadata: { cart: '7' },
      profile_id: 'pro_other',
    });
  });

  it.each([
    ['a return_url that is not https', { return_url: 'http://shop.example' }, '/return_url'],
    ['a return_url with a password', { return_url: 'https://a:b@shop.example' }, '/return_url'],
    ['metadata under a name of ours', { metadata: { order_id: 'x' } }, '/metadata'],
    ['metadata that is no text', { metadata: { cart: 7 } }, '/metadata/cart'],
    ['metadata that is too long', { metadata: { cart: 'x'.repeat(501) } }, '/metadata/cart'],
    ['a customer without an id', { customer: { name: 'Ada' } }, '/customer/id'],
    ['a capture that nobody knows', { capture: 'later' }, '/capture'],
  ])('is not made with %s', async (_what, change, pointer) => {
    const order = await shop.order();
    const { status, body } = await shop.post('payments', { order_id: order, ...change });
    expect([status, body.errors[0].pointer]).toEqual([400, pointer]);
    expect(shop.there(order)).toBeUndefined();
  });

  it('that is asked for in another way than it was made is not the one that was asked for', async () => {
    const order = await shop.order();
    await shop.post('payments', { order_id: order, capture: 'manual' });
    expect(summary(await shop.post('payments', { order_id: order, capture: 'manual' }))).toEqual([200, 'pending']);
    expect(summary(await shop.post('payments', { order_id: order }))).toEqual([200, 'pending']);
    const other = await shop.post('payments', { order_id: order, capture: 'automatic' });
    expect(summary(other)).toEqual([409, 'payment_differs']);
  });

  it('of an order that names a profile is of that profile alone, and of one that names none of the pinned one', async () => {
    const own = await shop.post('payments', { order_id: await shop.order() });
    expect(own.status).toBe(201);
    const other = await shop.post('payments', { order_id: await shop.order(), profile_id: 'pro_other' });
    expect(other.status).toBe(201);
    const pinned = await shop.world.database.query('SELECT profile_id FROM hyperswitch_account');
    expect(pinned).toEqual([{ profile_id: 'pro_sandbox' }]);
    // Hyperswitch answers under another one than was asked for.
    const [row] = await shop.world.database.query<{ params: string }>('SELECT params FROM payments WHERE id = $1', [
      other.body.id,
    ]);
    expect(JSON.parse(row!.params)).toMatchObject({ profileId: 'pro_other' });
    await shop.world.database.query('ALTER TABLE payments DISABLE TRIGGER payments_terms');
    await shop.world.database.query(`UPDATE payments SET profile_id = 'pro_third' WHERE id = $1`, [other.body.id]);
    shop.world.restart();
    await shop.world.advancePayment(other.body.id);
    expect((await shop.read(`payments/${other.body.id}`)).body).toMatchObject({
      attention: { reason: 'provider_mismatch' },
    });
  });
});

describe('POST …/capture', () => {
  it('captures what is held and pays the sellers; the same request is answered the same', async () => {
    const { id, orderId } = await shop.held();
    const key = unique('capture');
    const first = await shop.post(`payments/${id}/capture`, { amount: 500 }, key);
    expect([first.status, first.body]).toMatchObject([
      200,
      { status: 'succeeded', captured: 500, captures: [{ amount: 500, final: true, status: 'done' }] },
    ]);
    expect((await shop.post(`payments/${id}/capture`, { amount: 500 }, key)).body).toEqual(first.body);
    expect(shop.world.posts('payments.capture')).toBe(1);
    expect((await shop.read(`orders/${orderId}`)).body).toMatchObject({
      status: 'paid',
      amount: 500,
      ordered: 1_000,
      items: [
        { amount: 300, ordered: 600 },
        { amount: 200, ordered: 400 },
      ],
      transfers: [{ amount: 300 }, { amount: 200 }],
    });
  });

  it('captures several parts, two equal ones under two keys', async () => {
    const { id } = await shop.held('manual_multiple');
    for (const key of ['one', 'two']) await shop.post(`payments/${id}/capture`, { amount: 200 }, unique(key));
    const { body } = await shop.read(`payments/${id}`);
    expect(body).toMatchObject({
      status: 'processing',
      captured: 400,
      captures: [{ status: 'done' }, { status: 'done' }],
    });
    expect(body.held_since).not.toBeNull();
    const last = await shop.post(`payments/${id}/capture`, {});
    expect(last.body).toMatchObject({ status: 'succeeded', captured: 1_000 });
  });

  it('whose answer is lost is unknown, and the same request goes on where it was', async () => {
    const { id } = await shop.held();
    shop.world.sandbox.setFaults([{ kinds: ['reset_before_commit'], on: ['payments.capture'], times: 1 }]);
    const key = unique('capture');
    expect(summary(await shop.post(`payments/${id}/capture`, {}, key))).toEqual([503, 'payment_unknown']);
    expect(summary(await shop.post(`payments/${id}/capture`, {}, key))).toEqual([503, 'payment_unknown']);
    expect(shop.world.posts('payments.capture')).toBe(1);
    for (let read = 0; read < 3; read += 1) {
      shop.world.clock.advance(11 * MINUTE_MS);
      await shop.world.advancePayment(id as never);
    }
    expect(summary(await shop.post(`payments/${id}/capture`, {}, key))).toEqual([200, 'succeeded']);
    expect(shop.world.posts('payments.capture')).toBe(2);
  });

  it('is refused, and says why, where nothing can be captured', async () => {
    const { id } = await shop.held();
    expect(summary(await shop.post(`payments/${id}/capture`, { amount: 1_001 }))).toEqual([
      409,
      'capture_exceeds_payment',
    ]);
    const order = await shop.order();
    const { body } = await shop.post('payments', { order_id: order });
    expect(summary(await shop.post(`payments/${body.id}/capture`, {}))).toEqual([409, 'payment_not_capturable']);
    const unpaid = await shop.post('payments', { order_id: await shop.order(), capture: 'manual' });
    expect(summary(await shop.post(`payments/${unpaid.body.id}/capture`, {}))).toEqual([409, 'payment_not_capturable']);
    expect(summary(await shop.post(`payments/${id}/capture`, { amount: 0 }))).toEqual([400, 'invalid_request']);
    expect((await shop.post(`payments/${id}/capture`, {}, unique('key'), TOKENS.viewer)).status).toBe(403);
    expect((await shop.post(`payments/${order}/capture`, {})).status).toBe(404);
  });
});

describe('POST …/cancel', () => {
  it('calls off what is held, said once or twice', async () => {
    const { id, orderId } = await shop.held();
    expect(summary(await shop.cancel(id))).toEqual([200, 'cancelled']);
    expect(summary(await shop.cancel(id))).toEqual([200, 'cancelled']);
    expect(shop.world.posts('payments.cancel')).toBe(1);
    expect((await shop.read(`orders/${orderId}`)).body.status).toBe('payment_failed');
  });

  it('is refused of what is captured, and while Hyperswitch does not do it', async () => {
    const paid = await shop.held();
    await shop.post(`payments/${paid.id}/capture`, {});
    expect(summary(await shop.cancel(paid.id))).toEqual([409, 'payment_not_cancelled']);
    const busy = await shop.held();
    await shop.world.sandbox.movePayment(busy.at, { to: 'processing' });
    expect(summary(await shop.cancel(busy.id))).toEqual([409, 'payment_not_cancelled']);
  });

  it('is unknown while its answer is lost', async () => {
    const { id } = await shop.held();
    shop.world.sandbox.setFaults([{ kinds: ['reset_before_commit'], on: ['payments.cancel'], times: 1 }]);
    expect(summary(await shop.cancel(id))).toEqual([503, 'payment_unknown']);
    expect(summary(await shop.cancel(id))).toEqual([200, 'cancelled']);
  });
});
