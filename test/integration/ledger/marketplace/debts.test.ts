import { expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../../support/durations.js';
import { debtWorld } from '../../../support/marketplace/debt-world.js';

it('take_available takes what the seller has, and the rest goes on waiting as a reversal of its own', async () => {
  const world = await debtWorld();
  const { order, reversal } = await world.short(1_000n, 800n);
  expect(reversal).toMatchObject({ status: 'waiting_balance', amount: 800n });
  world.earn(300n);

  expect(await world.decide(reversal, 'take_available')).toMatchObject({ kind: 'applied', status: 'pending' });
  await world.sweep();

  expect(world.taken()).toEqual([300n]);
  const [first, rest] = await world.reversals(order);
  expect(first).toMatchObject({ id: reversal.id, status: 'reversed', amount: 300n });
  expect(rest).toMatchObject({ status: 'waiting_balance', amount: 500n, refundId: reversal.refundId });

  world.earn(500n);
  await world.ledger.balanceRose('acct_ada');
  await world.sweep();
  expect(world.taken()).toEqual([300n, 500n]);
  expect(await world.only(order)).toMatchObject({ status: 'partially_reversed', amountReversed: 800n });
  expect(world.failures).toEqual([]);
});

it('a person may name less than there is, and never more', async () => {
  const world = await debtWorld();
  const { order, reversal } = await world.short(1_000n, 800n);
  world.earn(300n);

  expect(await world.decide(reversal, 'take_available', { amount: '301' })).toMatchObject({
    kind: 'refused',
    detail: expect.stringMatching(/the seller has 300 at Stripe/),
  });
  expect(await world.decide(reversal, 'take_available', { amount: '120' })).toMatchObject({ kind: 'applied' });
  await world.sweep();

  expect(world.taken()).toEqual([120n]);
  expect((await world.reversals(order)).map(({ amount }) => amount)).toEqual([120n, 680n]);
});

it('where the balance is gone when the call arrives, Stripe refuses, both parts wait, and nothing is lost', async () => {
  const world = await debtWorld();
  const { order, reversal } = await world.short(1_000n, 800n);
  world.earn(300n);
  await world.decide(reversal, 'take_available');
  world.stripe.spend('acct_ada', 1);

  await world.sweep();
  expect(world.taken()).toEqual([]);
  expect((await world.reversals(order)).map(({ status, amount }) => [status, amount])).toEqual([
    ['waiting_balance', 300n],
    ['waiting_balance', 500n],
  ]);

  world.earn(800n);
  world.clock.advance(25 * HOUR_MS);
  await world.sweep(5);
  expect(world.taken()).toEqual([300n, 500n]);
  expect(world.stripe.broken).toEqual([]);
});

it('nothing is taken in part where nothing is there', async () => {
  const world = await debtWorld();
  const { reversal } = await world.short(1_000n, 800n);
  expect(await world.decide(reversal, 'take_available')).toMatchObject({
    kind: 'refused',
    detail: expect.stringMatching(/nothing of it can be taken.*offset it, or go on waiting/),
  });
});

it('what is owed is kept of the next transfers, and not asked of Stripe any more', async () => {
  const world = await debtWorld();
  const { order, reversal } = await world.short(1_000n, 800n);
  expect(await world.decide(reversal, 'offset')).toMatchObject({ kind: 'applied', status: 'waiting_balance' });
  world.earn(5_000n);
  world.clock.advance(HOUR_MS);
  await world.sweep();
  expect(world.taken()).toEqual([]);

  const next = await world.order(500n);
  const last = await world.order(700n);
  await world.sweep();
  world.clock.advance(11 * MINUTE_MS);
  await world.sweep();

  // The second was kept whole, and never sent; of the third what was left of the debt.
  expect(world.sent()).toEqual([1_000n, 400n]);
  expect(await world.only(next)).toMatchObject({
    status: 'completed',
    amount: 0n,
    offset: 500n,
    stripeTransferId: null,
  });
  expect(await world.only(last)).toMatchObject({ status: 'completed', amount: 400n, offset: 300n });
  expect(await world.only(order)).toMatchObject({ status: 'partially_reversed', amountReversed: 800n });
  expect(await world.balances()).toEqual([
    { currency: 'USD', owed: 0n, toOffset: 0n, onItsWay: 0n, offset: 800n, taken: 0n, givenUp: 0n },
  ]);
  expect((await world.ledger.sellerStory('acct_ada')).map(({ what }) => what)).toEqual(
    expect.arrayContaining(['demanded', 'waiting_balance', 'owed', 'split', 'offset_reserved', 'reversed']),
  );
  expect(world.failures).toEqual([]);
});

it('of one transfer no more is kept than OFFSET_LIMIT', async () => {
  const world = await debtWorld({ offsets: { on: true, limitPercent: 30 } });
  const { reversal } = await world.short(1_000n, 800n);
  await world.decide(reversal, 'offset');
  await world.order(501n);
  await world.sweep();
  expect(world.sent()).toEqual([1_000n, 351n]);
});

it('a part that is kept is one that Stripe can send: whole steps of the currency', async () => {
  const world = await debtWorld({ offsets: { on: true, limitPercent: 50 }, currency: 'ISK' });
  const { reversal } = await world.short(100_000n, 80_000n);
  await world.decide(reversal, 'offset');
  await world.order(30_300n);
  await world.sweep();
  expect(world.sent()).toEqual([100_000n, 15_200n]);
  expect(world.stripe.broken).toEqual([]);
});

it('without OFFSET nothing is kept of any transfer, and nobody can decide so', async () => {
  const world = await debtWorld({ offsets: { on: false, limitPercent: 100 } });
  const { reversal } = await world.short(1_000n, 800n);
  expect(await world.decide(reversal, 'offset')).toMatchObject({
    kind: 'refused',
    detail: expect.stringContaining('OFFSET is off'),
  });
  await world.order(500n);
  await world.sweep();
  expect(world.sent()).toEqual([1_000n, 500n]);
});

it('nothing is kept of a share that nobody has released', async () => {
  const world = await debtWorld();
  const { reversal } = await world.short(1_000n, 800n);
  await world.decide(reversal, 'offset');
  const later = await world.order(500n, true);
  await world.sweep();
  expect(await world.only(later)).toMatchObject({ status: 'held', amount: 500n, offset: 0n });

  await world.release(later);
  await world.sweep();
  expect(await world.only(later)).toMatchObject({ status: 'completed', amount: 0n, offset: 500n });
});

it('what is owed can be asked of Stripe again, or given up', async () => {
  const world = await debtWorld();
  const { order, reversal } = await world.short(1_000n, 800n);
  await world.decide(reversal, 'offset');
  expect(await world.decide(reversal, 'offset')).toMatchObject({ kind: 'not_waiting' });
  world.earn(800n);
  await world.decide(reversal, 'retry');
  await world.sweep();
  expect(world.taken()).toEqual([800n]);

  await world.refund(order, null);
  world.stripe.spend('acct_ada', 1);
  await world.sweep();
  const open = (await world.reversals(order)).find(({ status }) => status === 'waiting_balance')!;
  await world.decide(open, 'offset');
  expect(await world.decide(open, 'write_off')).toMatchObject({ kind: 'applied', status: 'written_off' });
  expect(await world.balances()).toMatchObject([{ owed: 0n, taken: 800n, givenUp: 200n }]);
});
