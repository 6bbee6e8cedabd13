import { expect, it } from 'vitest';
import type { TransferId } from '../../../../src/domain/ids.js';
import { MINUTE_MS } from '../../../support/durations.js';
import { debtWorld } from '../../../support/marketplace/debt-world.js';
import { foreignReversal } from '../../../support/marketplace/foreign-reversals.js';

type World = Awaited<ReturnType<typeof debtWorld>>;

const told = (world: World, id: TransferId, amount: bigint) =>
  world.ledger.noteReversed(id, { reversals: [foreignReversal(amount)] });

it('a person hears of what somebody else took at Stripe of a transfer of which something is owed', async () => {
  const world = await debtWorld();
  const { order, reversal } = await world.short(1_000n, 800n);
  await world.decide(reversal, 'offset');
  const { id } = await world.only(order);

  // All of it: the seller has given back 1,000, and owes 800 more.
  await told(world, id, 1_000n);
  expect((await world.only(order)).attention).toMatchObject({ reason: 'foreign_reversal' });
});

it('and nothing is kept of the seller for it until he has answered', async () => {
  const world = await debtWorld();
  const { order, reversal } = await world.short(1_000n, 800n);
  await world.decide(reversal, 'offset');
  await told(world, (await world.only(order)).id, 1_000n);

  await world.order(5_000n);
  await world.sweep();
  expect(world.sent()).toEqual([1_000n, 5_000n]);
  expect(await world.reversal(reversal.id)).toMatchObject({ status: 'waiting_balance' });
});

it('of what was kept of another transfer nothing is gone at Stripe, so a part that somebody else took is told as a part', async () => {
  const world = await debtWorld();
  const { order, reversal } = await world.short(1_000n, 800n);
  await world.decide(reversal, 'offset');
  await world.order(5_000n);
  await world.sweep();
  world.clock.advance(11 * MINUTE_MS);
  await world.sweep();
  expect(await world.reversal(reversal.id)).toMatchObject({ status: 'reversed' });

  await told(world, (await world.only(order)).id, 200n);
  expect((await world.only(order)).attention).toMatchObject({ reason: 'partly_foreign_reversal' });
});
