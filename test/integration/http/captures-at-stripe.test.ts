import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSendPayment } from '../../../src/calls/marketplace/send-payment.js';
import { newPaymentId, parseOrderId } from '../../../src/domain/ids.js';
import { PLAIN_TERMS } from '../../../src/domain/marketplace/payment-capture.js';
import { type Answered, startApi, TOKENS } from '../../support/api.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { beginRequest, unique } from '../../support/marketplace/fixtures.js';
import { shopAtStripe } from '../../support/marketplace/made-at-stripe.js';
import { marketplaceRoutes } from '../../support/marketplace/routes.js';

/** Payments at Stripe are captured by hand, called off and take what is passed on, as far as Stripe can; the rest is refused. */

let world: DisputeWorld;
let api: Awaited<ReturnType<typeof startApi>>;
const nobodyDecides = () => Promise.reject(new Error('nobody decides anything in these stories'));

beforeAll(async () => {
  world = await openDisputeWorld();
  const { ledger } = world;
  api = await startApi({
    ledger,
    resolution: { decide: nobodyDecides, approve: nobodyDecides, look: nobodyDecides },
    marketplace: marketplaceRoutes({
      ledger,
      paymentProvider: 'stripe',
      paysByStripe: true,
      hyperswitch: undefined,
      sendPayment: createSendPayment(world.calls.advancePayment, ledger),
    }),
  });
});
afterAll(async () => {
  await api.close();
  await world.close();
});
const { begun, paid, buyerPays, calls, intents } = shopAtStripe(() => world);

const post = (path: string, json: unknown): Promise<Answered> =>
  api.send(`/api/v1/${path}`, { token: TOKENS.service, json, headers: { 'Idempotency-Key': unique('key') } });
const order = async (): Promise<string> =>
  (
    await post('orders', {
      currency: 'usd',
      items: [{ seller_account: 'acct_a', amount: 600, description: 'a lamp' }],
    })
  ).body.id;

const cancel = (id: string) => api.send(`/api/v1/payments/${id}/cancel`, { method: 'POST', token: TOKENS.service });
const there = (orderId: string) => intents().find((one) => one.transfer_group === orderId);
/** Its buyer has paid, and nobody has read that yet. */
async function held(more: object = {}) {
  const orderId = await order();
  const { body } = await post('payments', { order_id: orderId, capture: 'manual', ...more });
  const intent = there(orderId)?.id ?? 'none';
  await buyerPays(intent);
  return { orderId, id: body.id as string, intent };
}

it.each([
  ['/capture', { capture: 'manual_multiple' }],
  ['/profile_id', { profile_id: 'pro_1' }],
  ['/customer/id', { customer: { id: 'shop_7' } }],
  ['/customer/name', { customer: { id: 'cus_1', name: 'Ada' } }],
  ['/customer/email', { customer: { id: 'cus_1', email: 'ada@example.com' } }],
  ['/metadata/generation', { metadata: { generation: '7' } }],
  ['/metadata', { metadata: { payment_id: 'x' } }],
  ['/metadata', { metadata: { order_id: 'x' } }],
  ['/metadata', { metadata: { 'a[b]': 'x' } }],
  ['/metadata', { metadata: Object.fromEntries(Array.from({ length: 48 }, (_, nth) => [`n${nth}`, 'x'])) }],
])('%s is refused before anything is stored: %j', async (pointer, terms) => {
  const id = await order();
  const before = intents().length;
  const { status, body } = await post('payments', { order_id: id, ...terms });
  expect([status, body.code, body.errors.map((one: { pointer: string }) => one.pointer)]).toEqual([
    400,
    'invalid_request',
    [pointer],
  ]);
  const orderId = parseOrderId(id);
  expect(orderId && (await world.ledger.findOrder(orderId))?.payment).toBeNull();
  expect(intents()).toHaveLength(before);
  expect((await post('payments', { order_id: id, capture: 'manual' })).status).toBe(201);
});

it('a payment is made with the customer and metadata of its order, beside our own marks, and keeps its return_url', async () => {
  const orderId = await order();
  const passedOn = {
    capture: 'manual',
    customer: { id: 'cus_42' },
    return_url: 'https://shop.example.com/back',
    metadata: { basket: '7' },
  };
  const { status, body } = await post('payments', { order_id: orderId, ...passedOn });
  expect(status).toBe(201);
  expect(body.client_secret).toContain('_secret_');
  expect(there(orderId)).toMatchObject({
    capture_method: 'manual',
    customer: 'cus_42',
    metadata: { basket: '7', order_id: orderId, payment_id: body.id, generation: '1' },
  });
  const shown = await api.send(`/api/v1/payments/${body.id}`, { token: TOKENS.viewer });
  expect(shown.body).toMatchObject({
    capture: 'manual',
    customer_id: 'cus_42',
    return_url: passedOn.return_url,
    metadata: { basket: '7' },
    profile_id: null,
  });
  const other = await post('payments', { order_id: orderId, ...passedOn, metadata: { basket: '8' } });
  expect([other.status, other.body.code]).toEqual([409, 'payment_differs']);
});

it('the ledger itself keeps no such terms of a payment at Stripe', async () => {
  const { payment } = await begun();
  await expect(
    world.database.query(`UPDATE payments SET capture_method = 'manual' WHERE id = $1`, [payment]),
  ).rejects.toThrow('never changes');
  await world.database.query('ALTER TABLE payments DISABLE TRIGGER payments_terms');
  for (const change of [`capture_method = 'manual_multiple'`, `profile_id = 'pro_1'`])
    await expect(world.database.query(`UPDATE payments SET ${change} WHERE id = $1`, [payment])).rejects.toThrow(
      'payment_at_stripe_is_captured_once',
    );
  await world.database.query('ALTER TABLE payments ENABLE TRIGGER payments_terms');
  const orderId = parseOrderId(await order());
  if (!orderId) throw new Error('no order');
  const asked = { id: newPaymentId(world.clock.nowMs()), orderId, hyperswitchPaymentId: null };
  const request = await beginRequest(world, 'payments');
  const terms = { ...PLAIN_TERMS, captureMethod: 'manual_multiple' } as const;
  expect(await world.ledger.createPayment({ ...asked, terms }, request)).toEqual({ kind: 'not_made_so' });
});

it('what is held is captured in part once, and the same request repeats its answer', async () => {
  const { orderId, id } = await held();
  const key = { 'Idempotency-Key': unique('key') };
  const capture = () =>
    api.send(`/api/v1/payments/${id}/capture`, { token: TOKENS.service, json: { amount: 400 }, headers: key });
  const { status, body } = await capture();
  expect([status, body.status, body.amount]).toEqual([200, 'succeeded', 600]);
  expect(body.captures).toMatchObject([{ amount: 400, final: true, status: 'done' }]);
  expect((await capture()).body).toEqual(body);
  expect(there(orderId)).toMatchObject({ amount_received: 400 });
  const more = await post(`payments/${id}/capture`, { amount: 200 });
  expect([more.status, more.body.code]).toEqual([409, 'payment_not_capturable']);
});

it('more than is held, and a part after which more is to come, are refused, and nothing is sent', async () => {
  const { id } = await held();
  const before = calls('payment_intents.capture').length;
  const more = await post(`payments/${id}/capture`, { amount: 601 });
  expect([more.status, more.body.code, more.body.left]).toEqual([409, 'capture_exceeds_payment', 600]);
  const part = await post(`payments/${id}/capture`, { amount: 200, final: false });
  expect([part.status, part.body.code]).toEqual([409, 'payment_not_capturable']);
  expect(part.body.detail).toContain('Stripe captures a payment once');
  expect(calls('payment_intents.capture')).toHaveLength(before);
});

it('a capture that Stripe refuses is told in its words, and one whose answer is lost is not failed', async () => {
  const { id } = await held();
  world.atStripe.setFaults([{ kinds: ['refused'], on: ['payment_intents.capture'], times: 1 }]);
  const no = await post(`payments/${id}/capture`, {});
  expect([no.status, no.body.code]).toEqual([409, 'capture_refused']);
  expect(no.body.detail).toContain('Stripe did not capture it');
  world.atStripe.setFaults([{ kinds: ['reset_before_commit'], on: ['payment_intents.capture'], times: 1 }]);
  const key = { 'Idempotency-Key': unique('key') };
  const again = () => api.send(`/api/v1/payments/${id}/capture`, { token: TOKENS.service, json: {}, headers: key });
  const unknown = await again();
  expect([unknown.status, unknown.body.code]).toEqual([503, 'payment_unknown']);
  world.clock.advance(6_000);
  expect((await again()).body).toMatchObject({ status: 'succeeded' });
});

it('what is held is called off, and goes back to its buyer', async () => {
  const { orderId, id } = await held();
  const { status, body } = await cancel(id);
  expect([status, body.status, body.captures]).toEqual([200, 'cancelled', []]);
  expect(there(orderId)).toMatchObject({ status: 'canceled', amount_received: 0 });
  const late = await post(`payments/${id}/capture`, {});
  expect([late.status, late.body.code]).toEqual([409, 'payment_not_capturable']);
});

it('nothing is captured by hand of one that is to be paid', async () => {
  const { payment } = await begun();
  const { status, body } = await post(`payments/${payment}/capture`, {});
  expect([status, body.code]).toEqual([409, 'payment_not_capturable']);
  expect(body.detail).toContain('captures itself');
});

it('one that nobody has paid is called off there, and one that is paid is not', async () => {
  const open = await begun();
  const { status, body } = await cancel(open.payment);
  expect([status, body.status]).toEqual([200, 'cancelled']);
  expect(intents().find(({ id }) => id === open.intent)).toMatchObject({ status: 'canceled' });
  const done = await paid();
  const answer = await cancel(done.payment);
  expect([answer.status, answer.body.code]).toEqual([409, 'payment_not_cancelled']);
});
