import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PaymentId } from '../../../src/domain/ids.js';
import { MINUTE_MS } from '../../support/durations.js';
import { type HyperswitchWorld, openHyperswitchWorld } from '../../support/marketplace/hyperswitch-world.js';

/** A payment that the shop calls off: at Hyperswitch first, and a success that came before wins. */

let world: HyperswitchWorld;
beforeEach(async () => {
  world = await openHyperswitchWorld();
});
afterEach(() => world.close());

const cancels = () => world.posts('payments.cancel');
const cancelOf = async (id: PaymentId) =>
  (
    await world.database.query<{ asked: boolean; certainty: string }>(
      'SELECT cancel_asked_at IS NOT NULL AS asked, cancel_certainty AS certainty FROM payments WHERE id = $1',
      [id],
    )
  )[0];

describe('a payment that is called off', () => {
  it('lets the money go that is held, and asks for it once', async () => {
    const { id, paymentId } = await world.held('manual');
    expect(await world.ledger.askCancel(paymentId, 'shop')).toEqual({ kind: 'asked' });
    expect(await world.ledger.askCancel(paymentId, 'shop')).toEqual({ kind: 'asked' });
    expect(await world.advancePayment(paymentId)).toEqual({ kind: 'final', status: 'cancelled' });
    expect(cancels()).toBe(1);
    expect((await world.ledger.findOrder(id))?.status).toBe('payment_failed');
    expect(await world.ledger.askCancel(paymentId, 'shop')).toEqual({ kind: 'asked' });
    expect(await world.askCapture(paymentId)).toMatchObject({ kind: 'ended' });
  });

  it('is paid where it was captured just before', async () => {
    const { id, paymentId, at } = await world.held('manual');
    await world.ledger.askCancel(paymentId, 'shop');
    await world.sandbox.movePayment(at, { to: 'succeeded', seen: false });
    expect(await world.advancePayment(paymentId)).toEqual({ kind: 'final', status: 'succeeded' });
    expect((await world.ledger.findOrder(id))?.status).toBe('paid');
    expect(await world.ledger.askCancel(paymentId, 'shop')).toEqual({ kind: 'ended', status: 'succeeded' });
  });

  it.each([
    ['is lost', 'reset_after_commit', 1],
    ['never arrives', 'reset_before_commit', 2],
  ] as const)('is known to be when the answer %s', async (_how, kind, asked) => {
    const { paymentId } = await world.held('manual');
    await world.ledger.askCancel(paymentId, 'shop');
    world.sandbox.setFaults([{ kinds: [kind], on: ['payments.cancel'], times: 1 }]);
    await world.advancePayment(paymentId);
    await world.advancePayment(paymentId);
    expect(await world.payment(paymentId)).toMatchObject({ status: 'cancelled' });
    expect(cancels()).toBe(asked);
    expect(await cancelOf(paymentId)).toMatchObject({ certainty: 'done' });
  });

  it('is asked for again by itself where Hyperswitch was busy', async () => {
    const { paymentId } = await world.held('manual');
    await world.ledger.askCancel(paymentId, 'shop');
    world.sandbox.setFaults([{ kinds: ['locked'], on: ['payments.cancel'], times: 1 }]);
    await world.advancePayment(paymentId);
    expect(await cancelOf(paymentId)).toEqual({ asked: true, certainty: 'absent' });
    expect(await world.advancePayment(paymentId)).toEqual({ kind: 'final', status: 'cancelled' });
  });

  it('goes on where Hyperswitch refuses it', async () => {
    const { paymentId, at } = await world.held('manual');
    await world.sandbox.movePayment(at, { to: 'processing' });
    await world.ledger.askCancel(paymentId, 'shop');
    await world.advancePayment(paymentId);
    expect(await cancelOf(paymentId)).toEqual({ asked: false, certainty: 'absent' });
    expect(await world.payment(paymentId)).toMatchObject({ status: 'processing', attention: null });
  });

  it('is not called off, nor captured, while what became of the other is not known', async () => {
    const { paymentId } = await world.held('manual');
    await world.askCapture(paymentId);
    expect(await world.ledger.askCancel(paymentId, 'shop')).toEqual({ kind: 'capture_under_way' });
    world.sandbox.setFaults([{ kinds: ['reset_before_commit'], on: ['payments.capture'], times: 1 }]);
    await world.advancePayment(paymentId);
    expect(await world.ledger.askCancel(paymentId, 'shop')).toEqual({ kind: 'capture_under_way' });
    expect(await world.ledger.claimCancel({ id: paymentId, runner: 'x', holdMs: 1, expiryMs: 0 })).toBeUndefined();
    for (let read = 0; read < 3; read += 1) {
      world.clock.advance(11 * MINUTE_MS);
      await world.advancePayment(paymentId);
    }
    expect(await world.payment(paymentId)).toMatchObject({ status: 'succeeded' });

    const other = await world.held('manual');
    await world.ledger.askCancel(other.paymentId, 'shop');
    expect(await world.askCapture(other.paymentId)).toEqual({ kind: 'cancelling' });
  });

  it('of which a part was captured has paid its order by that part', async () => {
    const { id, paymentId } = await world.held('manual_multiple');
    await world.askCapture(paymentId, 300n);
    await world.advancePayment(paymentId);
    await world.ledger.askCancel(paymentId, 'shop');
    expect(await world.advancePayment(paymentId)).toEqual({ kind: 'final', status: 'succeeded' });
    expect(await world.ledger.findOrder(id)).toMatchObject({ status: 'paid', amount: 300n, ordered: 1_000n });
  });
});
