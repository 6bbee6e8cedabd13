import { afterEach, expect, it } from 'vitest';
import { newOrderId, type OrderId } from '../../../src/domain/ids.js';
import { DAY_MS } from '../../support/durations.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { beginRequest } from '../../support/marketplace/fixtures.js';
import { checkoutOf } from '../../support/marketplace/own-checkout.js';
import { line, ON_REQUEST } from '../../support/marketplace/releases.js';

// A share is released long after its payment was looked at last, and Stripe's event of what went back since was lost.

let world: DisputeWorld;
afterEach(() => world.close());
const { charged, take, search } = checkoutOf(() => world);

/** Paid by another checkout; forty days have passed, and the payment is looked at next in as many. */
async function paidLongAgo(): Promise<{ readonly order: OrderId; readonly charge: string }> {
  world = await openDisputeWorld();
  const order = newOrderId(world.clock.nowMs());
  const items = [line('acct_ada', 600, ON_REQUEST), line('acct_bob', 400)];
  await world.ledger.createOrder({ id: order, currency: 'USD', items }, await beginRequest(world, 'orders'));
  const { intent, charge } = await charged();
  expect(await take(order, intent)).toMatchObject({ kind: 'taken' });
  await world.settle();
  world.clock.advance(40 * DAY_MS);
  await search();
  return { order, charge };
}

async function release(order: OrderId): Promise<void> {
  world.clock.advance(DAY_MS);
  const { transfers } = await world.find(order);
  expect(await world.ledger.releaseHeld(transfers[0]!.id, 'shop')).toBe('released');
  await world.settle(['transfer']);
}
const sentToAda = (): readonly number[] =>
  world.atStripe.ledger().transfers.flatMap((one) => (one.destination === 'acct_ada' ? [one.amount] : []));

it('what the buyer has again by a refund is not sent', async () => {
  const { order, charge } = await paidLongAgo();
  await world.atStripe.createRefund({ charge, amount: 500 });
  await release(order);
  expect(sentToAda()).toEqual([300]);
});

it.each(['a refund that is pending', 'a dispute'])('%s stops it', async (what) => {
  const { order, charge } = await paidLongAgo();
  if (what === 'a dispute') await world.atStripe.createDispute({ charge, amount: 500, inquiry: true });
  else await world.atStripe.createRefund({ charge, amount: 500, status: 'pending' });
  await release(order);
  expect(sentToAda()).toEqual([]);
  expect((await world.find(order)).transfers[0]).toMatchObject({ status: 'held' });
});

it('and with nothing gone back it is sent, once', async () => {
  const { order } = await paidLongAgo();
  await release(order);
  expect(sentToAda()).toEqual([600]);
});
