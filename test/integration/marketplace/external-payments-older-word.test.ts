import { afterEach, expect, it } from 'vitest';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { checkoutOf } from '../../support/marketplace/own-checkout.js';

let world: DisputeWorld;
afterEach(() => world.close());
const { search, paid } = checkoutOf(() => world);

it('an older reading of a refund that has failed since is put right at once, not when the payment is looked at next', async () => {
  world = await openDisputeWorld();
  const { order, charge, intent } = await paid();
  const { refund } = await world.atStripe.createRefund({ charge });
  const payment = (await world.find(order)).payment!.id;
  const succeeded = {
    stripeRefundId: refund.id,
    charge,
    paymentIntent: intent,
    amount: 1_000n,
    currency: 'USD',
    status: 'succeeded',
    madeFrom: null,
    createdAt: new Date(world.clock.nowMs()).toISOString(),
  };
  await world.stripeTells('charge.refunded', charge, intent);
  await world.atStripe.updateRefund(refund.id, 'failed');
  await world.stripeTells('refund.failed', refund.id, intent);
  await search();
  await world.ledger.noteStripeRefunds(payment, [succeeded]);
  expect((await world.find(order)).refunds).toMatchObject([{ status: 'succeeded' }]);
  world.clock.advance(1_000);
  await search();
  expect((await world.find(order)).refunds).toMatchObject([{ status: 'failed' }]);
});
