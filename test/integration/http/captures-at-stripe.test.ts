import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSendPayment } from '../../../src/calls/marketplace/send-payment.js';
import { newPaymentId, parseOrderId } from '../../../src/domain/ids.js';
import { PLAIN_TERMS } from '../../../src/domain/marketplace/payment-capture.js';
import { type Answered, startApi, TOKENS } from '../../support/api.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { beginRequest, unique } from '../../support/marketplace/fixtures.js';
import { shopAtStripe } from '../../support/marketplace/made-at-stripe.js';
import { marketplaceRoutes } from '../../support/marketplace/routes.js';

/** Payments at Stripe are captured by themselves, take nothing that Hyperswitch alone passes on, and are called off as others. */

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
const { begun, paid, intents } = shopAtStripe(() => world);

const post = (path: string, json: unknown): Promise<Answered> =>
  api.send(`/api/v1/${path}`, { token: TOKENS.service, json, headers: { 'Idempotency-Key': unique('key') } });
const order = async (): Promise<string> =>
  (
    await post('orders', {
      currency: 'usd',
      items: [{ seller_account: 'acct_a', amount: 600, description: 'a lamp' }],
    })
  ).body.id;

it.each([
  ['capture', 'manual'],
  ['capture', 'manual_multiple'],
  ['profile_id', 'pro_1'],
  ['customer', { id: 'cus_1' }],
  ['return_url', 'https://shop.example.com/back'],
  ['metadata', { basket: '1' }],
])('%s is refused before anything is stored: %j', async (name, value) => {
  const id = await order();
  const before = intents().length;
  const { status, body } = await post('payments', { order_id: id, [name]: value });
  expect([status, body.code, body.errors.map(({ pointer }: { pointer: string }) => pointer)]).toEqual([
    400,
    'invalid_request',
    [`/${name}`],
  ]);
  const orderId = parseOrderId(id);
  expect(orderId && (await world.ledger.findOrder(orderId))?.payment).toBeNull();
  expect(intents()).toHaveLength(before);
  expect((await post('payments', { order_id: id, capture: 'automatic' })).status).toBe(201);
});

it('the ledger itself keeps no such terms of a payment at Stripe', async () => {
  const { payment } = await begun();
  await expect(
    world.database.query(`UPDATE payments SET capture_method = 'manual' WHERE id = $1`, [payment]),
  ).rejects.toThrow('never changes');
  const orderId = parseOrderId(await order());
  if (!orderId) throw new Error('no order');
  const asked = { id: newPaymentId(world.clock.nowMs()), orderId, hyperswitchPaymentId: null };
  const request = await beginRequest(world, 'payments');
  expect(
    await world.ledger.createPayment({ ...asked, terms: { ...PLAIN_TERMS, captureMethod: 'manual' } }, request),
  ).toEqual({ kind: 'not_made_so' });
});

it('nothing is captured by hand of one that is to be paid', async () => {
  const { payment } = await begun();
  const { status, body } = await post(`payments/${payment}/capture`, {});
  expect([status, body.code]).toEqual([409, 'payment_not_capturable']);
  expect(body.detail).toContain('captures itself');
});

it('one that nobody has paid is called off there, and one that is paid is not', async () => {
  const cancel = (id: string) => api.send(`/api/v1/payments/${id}/cancel`, { method: 'POST', token: TOKENS.service });
  const open = await begun();
  const { status, body } = await cancel(open.payment);
  expect([status, body.status]).toEqual([200, 'cancelled']);
  expect(intents().find(({ id }) => id === open.intent)).toMatchObject({ status: 'canceled' });
  const done = await paid();
  const answer = await cancel(done.payment);
  expect([answer.status, answer.body.code]).toEqual([409, 'payment_not_cancelled']);
});
