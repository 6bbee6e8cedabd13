import { expect, it } from 'vitest';
import type { ReversalId } from '../../../../src/domain/ids.js';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../support/durations.js';
import { debtWorld } from '../../../support/marketplace/debt-world.js';

/** Months on a clock that is put on: the horizon is 30 days. */

type World = Awaited<ReturnType<typeof debtWorld>>;

async function pass(world: World, days: number): Promise<void> {
  for (let nth = 0; nth < days; nth += 1) {
    world.clock.advance(DAY_MS);
    await world.sweep(1);
  }
}

async function owing(options?: Parameters<typeof debtWorld>[0]) {
  const world = await debtWorld(options);
  const { order, reversal: debt } = await world.short(1_000n, 800n);
  const outcome = await world.decide(debt, 'offset');
  if (outcome.kind === 'pending_approval')
    await world.resolution.approve({ decisionId: outcome.decisionId, by: 'anna', note: 'yes' });
  expect(await world.reversal(debt.id)).toMatchObject({ debt: { state: 'open' } });
  const days = (count: number) => pass(world, count);
  const asked = async (id: ReversalId = debt.id) => (await world.reversal(id)).attention;
  const owes = async () => {
    await days(31);
    expect(await asked()).toMatchObject({ reason: 'seller_owes' });
  };
  return { world, order, debt, days, asked, owes };
}

const looksIn = async ({ database }: World, id: ReversalId): Promise<number> => {
  const [row] = await database.query<{ ms: number }>(
    'SELECT (extract(epoch FROM next_check_at - clock_now()) * 1000)::float8 AS ms FROM reversals WHERE id = $1',
    [id],
  );
  return row!.ms;
};

it('what no transfer has paid for the horizon asks a person, not a day before, once, and is looked at every day', async () => {
  const { world, debt, days, asked } = await owing();
  await days(29);
  expect(await asked()).toBeNull();
  expect(await looksIn(world, debt.id)).toBeLessThanOrEqual(DAY_MS + MINUTE_MS);
  await days(1);
  world.clock.advance(MINUTE_MS);
  await world.sweep(1);
  const first = await asked();
  expect(first).toMatchObject({ reason: 'seller_owes', detail: expect.stringContaining('800 USD') });
  expect(await world.reversal(debt.id)).toMatchObject({ status: 'waiting_balance', debt: { state: 'open' } });

  await days(20);
  expect(await asked()).toEqual(first);
  expect(await looksIn(world, debt.id)).toBeGreaterThan(23 * HOUR_MS);
  const told = await world.database.query("SELECT since FROM items_asked WHERE kind = 'reversal' AND id = $1", [
    debt.id,
  ]);
  expect(told).toHaveLength(1);
  const story = await world.ledger.sellerStory('acct_ada');
  expect(story.filter(({ what }) => what === 'seller_owes')).toHaveLength(1);
  expect(world.failures).toEqual([]);
});

it('a transfer that pays it, or a part of it, ends the question, and the horizon begins anew', async () => {
  const { world, debt, days, asked, owes } = await owing();
  await owes();
  await world.order(300n);
  await world.sweep(1);
  expect(await asked()).toBeNull();
  expect(await world.reversal(debt.id)).toMatchObject({ amount: 500n, debt: { state: 'open' } });
  await days(29);
  expect(await asked()).toBeNull();
  await days(2);
  expect(await asked()).toMatchObject({ reason: 'seller_owes', detail: expect.stringContaining('500 USD') });

  await world.order(900n);
  await world.sweep(1);
  world.clock.advance(11 * MINUTE_MS);
  await world.sweep(1);
  expect(await world.reversal(debt.id)).toMatchObject({ status: 'reversed', attention: null });
  await days(40);
  expect(await world.reversal(debt.id)).toMatchObject({ status: 'reversed', attention: null });
});

it('a younger debt asks nobody while transfers pay the older one', async () => {
  const world = await debtWorld();
  const older = (await world.short(1_000n, 800n)).reversal;
  const younger = (await world.short(2_000n, 700n)).reversal;
  for (const debt of [older, younger]) expect(await world.decide(debt, 'offset')).toMatchObject({ kind: 'applied' });
  const days = (count: number) => pass(world, count);
  const reasons = async () =>
    await Promise.all([older, younger].map(async ({ id }) => (await world.reversal(id)).attention?.reason));
  await days(20);
  await world.order(100n);
  await world.sweep(1);
  await days(25);
  expect(await reasons()).toEqual([undefined, undefined]);
  await days(7);
  expect(await reasons()).toEqual(['seller_owes', 'seller_owes']);
});

it('one that is open again, because its transfer was not sent, asks nobody before the horizon has passed anew', async () => {
  const { world, debt, days, asked, owes } = await owing();
  await owes();
  world.stripe.faults.push('refused');
  const next = await world.order(900n);
  await world.advance({ kind: 'transfer', id: (await world.only(next)).id });
  expect(await asked()).toBeNull();
  await world.refund(next, null);
  await world.sweep(1);
  world.clock.advance(11 * MINUTE_MS);
  await world.sweep(1);
  expect(await world.only(next)).toMatchObject({ status: 'cancelled' });
  expect(await world.reversal(debt.id)).toMatchObject({ debt: { state: 'open' }, attention: null });
  await days(29);
  expect(await asked()).toBeNull();
  await days(2);
  expect(await asked()).toMatchObject({ reason: 'seller_owes' });
});

it('a person ends it: by what the seller has, by waiting for his transfers, by asking Stripe again, or by giving it up', async () => {
  const less = await owing();
  await less.owes();
  less.world.earn(300n);
  expect(await less.world.decide(less.debt, 'take_available')).toMatchObject({ kind: 'applied' });
  await less.world.sweep();
  expect(less.world.taken()).toEqual([300n]);
  const [, rest] = await less.world.reversals(less.order);
  expect(rest).toMatchObject({ amount: 500n, debt: { state: 'open' }, attention: null });
  await less.days(31);
  expect(await less.asked(rest!.id)).toMatchObject({ reason: 'seller_owes' });

  const waits = await owing();
  await waits.owes();
  expect(await waits.world.decide(waits.debt, 'offset')).toMatchObject({ kind: 'applied', status: 'waiting_balance' });
  expect(await waits.world.reversal(waits.debt.id)).toMatchObject({ attention: null, debt: { state: 'open' } });
  await waits.days(29);
  expect(await waits.asked()).toBeNull();
  await waits.owes();

  const again = await owing();
  await again.owes();
  again.world.earn(800n);
  expect(await again.world.decide(again.debt, 'retry')).toMatchObject({ kind: 'applied', status: 'pending' });
  await again.world.sweep();
  expect(again.world.taken()).toEqual([800n]);
  expect(await again.asked()).toBeNull();

  const given = await owing();
  await given.owes();
  expect(await given.world.decide(given.debt, 'write_off')).toMatchObject({ kind: 'applied', status: 'written_off' });
  expect(await given.asked()).toBeNull();
});

it('a request that no second person has confirmed is withdrawn when a transfer pays', async () => {
  const { world, debt, asked, owes } = await owing({ approvalThreshold: 100n });
  await owes();
  expect(await world.decide(debt, 'write_off')).toMatchObject({ kind: 'pending_approval' });
  await world.sweep(1);
  expect(await asked()).toMatchObject({ reason: 'approval_pending' });
  await world.order(300n);
  await world.sweep(1);
  expect(await asked()).toBeNull();
  expect(await world.reversal(debt.id)).toMatchObject({ status: 'waiting_balance', amount: 500n });
});
