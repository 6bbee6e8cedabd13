import { expect, it } from 'vitest';
import { MINUTE_MS } from '../../../support/durations.js';
import { debtWorld } from '../../../support/marketplace/debt-world.js';

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((all, one) => all + one, 0n);

it('debts of several orders are kept of transfers of several others at once, while those are refunded, and nobody waits for each other', async () => {
  const world = await debtWorld({ offsets: { on: true, limitPercent: 100 } });
  // Debts and transfers in turn, so that what is locked together lies on both sides of each order.
  const debts = [];
  const orders = [];
  for (let nth = 0; nth < 4; nth += 1) {
    const { reversal } = await world.short(400n, 300n);
    debts.push(reversal);
    orders.push(await world.order(500n, true));
  }
  for (const debt of debts) await world.decide(debt, 'offset');
  const transfers = await Promise.all(orders.map((order) => world.release(order)));

  for (let round = 0; round < 4; round += 1) {
    await Promise.all([
      ...transfers.map((id) => world.advance({ kind: 'transfer', id })),
      ...debts.map(({ id }) => world.advance({ kind: 'reversal', id })),
      world.refund(orders[round]!, 100n),
    ]);
    world.clock.advance(11 * MINUTE_MS);
  }
  await world.sweep();
  world.clock.advance(11 * MINUTE_MS);
  await world.sweep();

  expect(world.failures).toEqual([]);
  const found = await Promise.all(orders.map((order) => world.only(order)));
  const kept = sum(found.map(({ offset }) => offset));
  expect(kept).toBe(1_200n);
  expect(await world.balances()).toMatchObject([{ onItsWay: 0n, offset: 1_200n }]);
  expect(sum(world.sent())).toBe(4n * 400n + sum(found.map(({ amount }) => amount)));
});
