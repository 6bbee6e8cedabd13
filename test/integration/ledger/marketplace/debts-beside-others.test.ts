import { expect, it } from 'vitest';
import { HOUR_MS } from '../../../support/durations.js';
import { debtWorld } from '../../../support/marketplace/debt-world.js';

it('take_available leaves other shares of the same transfer what they are about to take', async () => {
  const world = await debtWorld();
  const { order, reversal } = await world.short(1_000n, 400n);
  await world.decide(reversal, 'offset');
  await world.refund(order, 300n);
  await world.sweep();
  const [, other] = await world.reversals(order);
  expect(other).toMatchObject({ amount: 300n, status: 'waiting_balance' });
  // Somebody has taken 500 of the transfer in the dashboard.
  world.earn(2_000n);
  const { stripeTransferId } = await world.only(order);
  await world.stripe.inLane().reverseTransfer('by-hand', stripeTransferId!, { amount: 500, metadata: {} } as never);

  expect(await world.decide(reversal, 'take_available', { amount: '201' })).toMatchObject({
    kind: 'refused',
    detail: expect.stringMatching(/500 are left of its transfer, of which other shares take 300/),
  });
  expect(await world.decide(reversal, 'take_available')).toMatchObject({ kind: 'applied' });
  await world.ledger.balanceRose('acct_ada');
  world.clock.advance(2 * HOUR_MS);
  await world.sweep(5);

  expect(world.taken()).toEqual([500n, 200n, 300n]);
  const shares = (await world.reversals(order)).map(
    ({ amount, status, attention }) => `${amount} ${status} ${attention?.reason}`,
  );
  expect(shares.toSorted()).toEqual([
    '200 reversed undefined',
    '200 waiting_balance undefined',
    '300 reversed undefined',
  ]);
  expect(await world.balances()).toMatchObject([{ owed: 200n }]);
  expect(world.failures).toEqual([]);
});
