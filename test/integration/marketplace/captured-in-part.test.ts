import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OrderId, PaymentId } from '../../../src/domain/ids.js';
import { type HyperswitchWorld, openHyperswitchWorld } from '../../support/marketplace/hyperswitch-world.js';

/** Of several parts sellers are paid once nothing more is to come, and of a part that nobody here asked for two persons decide. */

let world: HyperswitchWorld;
beforeEach(async () => {
  world = await openHyperswitchWorld();
});
afterEach(() => world.close());

const captures = () => world.posts('payments.capture');
const shares = async (id: OrderId) =>
  (await world.ledger.findOrder(id))?.transfers.map(({ sellerAccount, amount }) => [sellerAccount, amount]);
const tell = async (id: PaymentId, eventId: string) => {
  await world.ledger.storeWebhook({
    provider: 'hyperswitch',
    eventId,
    type: 'payment_captured',
    objectId: (await world.payment(id)).hyperswitchPaymentId,
    parentId: null,
    account: null,
    bodySha256: 'x',
  });
  return await world.advancePayment(id);
};

async function captured(paymentId: PaymentId, amount: bigint | null, final: boolean | null = null) {
  expect(await world.askCapture(paymentId, amount, final)).toMatchObject({ kind: 'asked' });
  return await world.advancePayment(paymentId);
}

describe('a payment that is captured in several parts', () => {
  it('pays nobody until the last part is captured', async () => {
    const { id, paymentId } = await world.held('manual_multiple');
    await captured(paymentId, 300n);
    await captured(paymentId, 300n);
    expect(await world.payment(paymentId)).toMatchObject({
      status: 'processing',
      captured: { surely: 600n },
      attention: null,
    });
    expect(await shares(id)).toEqual([]);
    expect(await captured(paymentId, null)).toEqual({ kind: 'final', status: 'succeeded' });
    expect(captures()).toBe(3);
    expect(await shares(id)).toEqual([['acct_ada', 1_000n]]);
    expect(await world.ledger.findOrder(id)).toMatchObject({ amount: 1_000n, ordered: null });
  });

  it('is of what was captured once a part was said to be the last, whether or not the rest can be called off', async () => {
    const { id, paymentId } = await world.held('manual_multiple');
    await captured(paymentId, 300n);
    expect(await captured(paymentId, 200n, true)).toEqual({ kind: 'final', status: 'succeeded' });
    // By its API document Hyperswitch does not call off what is captured in part.
    expect(world.posts('payments.cancel')).toBe(1);
    expect(await shares(id)).toEqual([['acct_ada', 500n]]);
    expect(await world.askCapture(paymentId, 100n)).toMatchObject({ kind: 'ended' });
    expect(await world.payment(paymentId)).toMatchObject({ capture: { cancelAskedAt: null } });
  });

  it.each(['cancelled', 'expired', 'partially_captured'] as const)(
    'is of what was captured once the rest of its money lapses: %s',
    async (to) => {
      const { id, paymentId, at } = await world.held('manual_multiple');
      await captured(paymentId, 300n);
      await world.sandbox.movePayment(at, { to });
      expect(await world.advancePayment(paymentId)).toEqual({ kind: 'final', status: 'succeeded' });
      expect(await shares(id)).toEqual([['acct_ada', 300n]]);
      expect(await tell(paymentId, `evt_${to}`)).toEqual({ kind: 'final', status: 'succeeded' });
    },
  );

  it('that captures more after it has paid the order asks, and pays nobody of that', async () => {
    const { id, paymentId, at } = await world.held('manual_multiple');
    await captured(paymentId, 300n, true);
    await world.sandbox.movePayment(at, { to: 'partially_captured', received: 800 });
    await tell(paymentId, 'evt_more');
    expect(await world.payment(paymentId)).toMatchObject({
      status: 'succeeded',
      captured: { surely: 800n },
      attention: { reason: 'conflict' },
    });
    expect(await shares(id)).toEqual([['acct_ada', 300n]]);
  });

  it('asks where somebody else has captured a part of it beside ours', async () => {
    const { id, paymentId, at } = await world.held('manual_multiple');
    await captured(paymentId, 300n);
    await world.sandbox.movePayment(at, { to: 'partially_captured', received: 700 });
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({ attention: { reason: 'payment_amount_differs' } });
    expect(await shares(id)).toEqual([]);
  });
});

describe('a part that nobody here asked for', () => {
  it('pays the sellers their part of it when two persons say so', async () => {
    const { id, paymentId, at } = await world.called('partially_captured', 400);
    expect(await world.decide(paymentId, 'accept_capture')).toMatchObject({ kind: 'pending_approval' });
    expect(await shares(id)).toEqual([]);
    await world.approve(paymentId, 'ben');
    expect(await world.payment(paymentId)).toMatchObject({ status: 'succeeded', attention: null });
    expect(await world.ledger.findOrder(id)).toMatchObject({ status: 'paid', amount: 400n, ordered: 1_000n });
    expect(await shares(id)).toEqual([['acct_ada', 400n]]);
    expect(await tell(paymentId, 'evt_same')).toEqual({ kind: 'final', status: 'succeeded' });
    await world.sandbox.movePayment(at, { to: 'cancelled_post_capture' });
    await tell(paymentId, 'evt_void');
    expect(await shares(id)).toEqual([['acct_ada', 0n]]);
  });

  it('is what is left of it where something was refunded before', async () => {
    const { id, paymentId } = await world.called('partially_captured', 400);
    const refund = await world.askRefund(id, 100n);
    await world.advanceRefund(refund.id);
    await world.sandbox.moveRefund(refund.at, { to: 'succeeded' });
    await world.advanceRefund(refund.id);
    await world.decide(paymentId, 'accept_capture');
    await world.approve(paymentId, 'ben');
    expect(await shares(id)).toEqual([['acct_ada', 300n]]);
    expect(await world.ledger.findOrder(id)).toMatchObject({ status: 'partially_refunded', amount: 400n });
  });

  it('is not accepted while Hyperswitch says otherwise than was read', async () => {
    const { paymentId, at } = await world.called('partially_captured', 400);
    await world.sandbox.movePayment(at, { to: 'partially_captured', received: 500 });
    expect(await world.decide(paymentId, 'accept_capture')).toMatchObject({ kind: 'refused' });
  });

  it.each(['cancelled', 'failed'] as const)(
    'is asked about when the payment is %s: it is a buyer’s money',
    async (to) => {
      const { paymentId, at } = await world.called('processing');
      await world.sandbox.movePayment(at, { to, received: 400 });
      await world.advancePayment(paymentId);
      expect(await world.payment(paymentId)).toMatchObject({
        status: 'processing',
        captured: { surely: 400n },
        attention: { reason: 'payment_amount_differs' },
      });
    },
  );
});
