import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OrderId } from '../../../src/domain/ids.js';
import { PLAIN_TERMS } from '../../../src/domain/marketplace/payment-capture.js';
import { HOUR_MS } from '../../support/durations.js';
import { type HyperswitchWorld, openHyperswitchWorld } from '../../support/marketplace/hyperswitch-world.js';

/** A cancel whose answer is lost keeps nobody from capturing what a buyer has paid since, and no seller from what was captured. */

let world: HyperswitchWorld;
beforeEach(async () => {
  world = await openHyperswitchWorld();
});
afterEach(() => world.close());

const shares = async (id: OrderId) =>
  (await world.ledger.findOrder(id))?.transfers.map(({ sellerAccount, amount }) => [sellerAccount, amount]);

describe('a buyer who pays while the expiry’s cancel gets no answer', () => {
  async function paidInTheMeantime() {
    const made = await world.order(1_000n, { ...PLAIN_TERMS, captureMethod: 'manual' });
    await world.advancePayment(made.paymentId);
    world.clock.advance(25 * HOUR_MS);
    world.sandbox.setFaults([{ kinds: ['reset_before_commit'], on: ['payments.cancel'], times: 1 }]);
    await world.advancePayment(made.paymentId);
    expect(await world.payment(made.paymentId)).toMatchObject({ status: 'pending' });
    await world.sandbox.movePayment(made.at, { to: 'requires_capture' });
    await world.advancePayment(made.paymentId);
    expect((await world.payment(made.paymentId)).providerStatus).toBe('requires_capture');
    for (let hour = 0; hour < 48; hour += 1) {
      world.clock.advance(HOUR_MS);
      await world.advancePayment(made.paymentId);
    }
    return made;
  }

  it('has paid a payment that can be captured', async () => {
    const { id, paymentId } = await paidInTheMeantime();
    expect(await world.askCapture(paymentId)).toMatchObject({ kind: 'asked' });
    await world.advancePayment(paymentId);
    expect(await shares(id)).toEqual([['acct_ada', 1_000n]]);
  });

  it('has paid a payment that can be called off', async () => {
    const { paymentId } = await paidInTheMeantime();
    const before = world.posts('payments.cancel');
    expect(await world.ledger.askCancel(paymentId, 'shop')).toEqual({ kind: 'asked' });
    await world.advancePayment(paymentId);
    expect(world.posts('payments.cancel') - before).toBe(1);
    expect(await world.payment(paymentId)).toMatchObject({ status: 'cancelled' });
  });
});

describe('a payment of which the last part was captured', () => {
  it.each(['server_error', 'reset_before_commit'] as const)(
    'pays its sellers although nobody can say whether the rest is called off: %s',
    async (kind) => {
      const { id, paymentId } = await world.held('manual_multiple');
      world.sandbox.setFaults([{ kinds: [kind], on: ['payments.cancel'] }]);
      expect(await world.askCapture(paymentId, 600n, true)).toMatchObject({ kind: 'asked' });
      for (let hour = 0; hour < 5 * 24; hour += 1) {
        await world.advancePayment(paymentId);
        world.clock.advance(HOUR_MS);
      }
      expect(await shares(id)).toEqual([['acct_ada', 600n]]);
      expect(world.posts('payments.cancel')).toBeGreaterThanOrEqual(3);
    },
  );
});
