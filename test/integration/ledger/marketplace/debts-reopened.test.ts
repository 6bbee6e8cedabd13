import { expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../../support/durations.js';
import { debtWorld } from '../../../support/marketplace/debt-world.js';

type World = Awaited<ReturnType<typeof debtWorld>>;

/** 800 of one order are owed, and kept of the next transfers. */
async function owing(options?: Parameters<typeof debtWorld>[0]) {
  const world = await debtWorld(options);
  const { order, reversal } = await world.short(1_000n, 800n);
  await world.decide(reversal, 'offset');
  return { world, order, debt: reversal };
}

const OWED = { currency: 'USD', offset: 0n, taken: 0n, givenUp: 0n };

async function booked(world: World): Promise<void> {
  world.clock.advance(11 * MINUTE_MS);
  await world.sweep();
}

it('a debt is open again where its transfer was not sent, and is kept of it when it is', async () => {
  const { world, debt } = await owing();
  world.stripe.faults.push('refused');
  const next = await world.order(900n);
  await world.advance({ kind: 'transfer', id: (await world.only(next)).id });

  expect(await world.only(next)).toMatchObject({ status: 'failed', amount: 900n, offset: 0n });
  await booked(world);
  expect(await world.only(next)).toMatchObject({ status: 'completed', amount: 100n, offset: 800n });
  expect(world.sent()).toEqual([1_000n, 100n]);
  await booked(world);
  expect(await world.reversal(debt.id)).toMatchObject({ status: 'reversed', debt: { state: 'taken' } });
});

it('while nobody knows whether a transfer was sent, what is kept of it is neither taken nor owed', async () => {
  const { world, debt } = await owing();
  world.stripe.faults.push('lost');
  const next = await world.order(900n);
  await world.advance({ kind: 'transfer', id: (await world.only(next)).id });

  expect(await world.reversal(debt.id)).toMatchObject({ status: 'waiting_balance', debt: { state: 'on_its_way' } });
  expect(await world.balances()).toEqual([{ ...OWED, owed: 800n, toOffset: 800n, onItsWay: 800n }]);
  for (const action of ['retry', 'write_off', 'take_available', 'offset'])
    expect((await world.decide(debt, action)).kind, action).not.toBe('applied');
  // No other transfer pays it meanwhile.
  await world.order(300n);
  await world.sweep();
  expect(world.sent()).toContain(300n);

  await booked(world);
  expect(world.sent()).toEqual(expect.arrayContaining([100n, 1_000n, 300n]));
  expect(world.sent()).toHaveLength(3);
  expect(await world.balances()).toEqual([{ ...OWED, owed: 0n, toOffset: 0n, onItsWay: 0n, offset: 800n }]);
});

it('a debt is open again where a refund leaves nothing of the transfer, or less of it', async () => {
  const { world } = await owing({ offsets: { on: true, limitPercent: 50 } });
  const cancelled = await world.order(400n);
  const less = await world.order(600n);
  // Claimed and never sent: its process died.
  for (const order of [cancelled, less]) {
    world.deaths.push('before permitTransfer');
    await world.advance({ kind: 'transfer', id: (await world.only(order)).id });
  }
  expect(await world.only(cancelled)).toMatchObject({ amount: 200n, offset: 200n });
  expect(await world.balances()).toMatchObject([{ owed: 800n, onItsWay: 500n }]);

  await world.refund(cancelled, null);
  await world.refund(less, 100n);
  expect(await world.only(cancelled)).toMatchObject({ status: 'cancelled', amount: 0n, offset: 0n });
  expect(await world.only(less)).toMatchObject({ amount: 500n, offset: 0n });
  expect(await world.balances()).toMatchObject([{ owed: 800n, onItsWay: 0n }]);

  await booked(world);
  await booked(world);
  expect(await world.only(less)).toMatchObject({ status: 'completed', amount: 250n, offset: 250n });
  expect(await world.balances()).toMatchObject([{ owed: 550n, offset: 250n }]);
  expect(world.failures).toEqual([]);
});

it('what is given back of a transfer that was sent for less is taken of what was sent, and the rest is a debt again', async () => {
  const { world } = await owing();
  const next = await world.order(1_000n);
  await world.sweep();
  expect(world.sent()).toEqual([1_000n, 200n]);
  await booked(world);

  await world.refund(next, null);
  await world.sweep();
  expect(world.taken()).toEqual([200n]);
  expect(
    (await world.reversals(next)).map(({ amount, status, debt }) => [amount, status, debt?.state ?? null]),
  ).toEqual([
    [200n, 'reversed', null],
    [800n, 'waiting_balance', 'open'],
  ]);
  expect(await world.balances()).toMatchObject([{ owed: 800n, toOffset: 800n, offset: 800n, taken: 200n }]);

  // The next one pays it.
  const last = await world.order(2_000n);
  await world.sweep();
  await booked(world);
  expect(await world.only(last)).toMatchObject({ amount: 1_200n, offset: 800n });
  expect(await world.only(next)).toMatchObject({ status: 'reversed', amountReversed: 1_000n });
});

it('what can be given back of a transfer that was kept whole is a debt again, and nobody looks for its id', async () => {
  const { world } = await owing();
  const next = await world.order(500n);
  await world.sweep();
  expect(await world.only(next)).toMatchObject({ status: 'completed', amount: 0n, offset: 500n });
  await world.refund(next, 200n);
  await world.sweep();
  expect(await world.reversals(next)).toMatchObject([{ amount: 200n, debt: { state: 'open' }, attention: null }]);
  expect(await world.only(next)).toMatchObject({ status: 'reversal_pending', nextRetryAt: null });
  expect(await world.ledger.countTransfersWithoutId()).toBe(0);
});

it('a debt whose refund has failed is owed no more; what was kept for it is proposed to be paid again', async () => {
  const { world, order } = await owing({ offsets: { on: true, limitPercent: 50 } });
  await world.order(1_000n);
  await world.sweep();
  await booked(world);
  expect(await world.balances()).toMatchObject([{ owed: 300n, offset: 500n }]);

  const [refund] = world.hyperswitch.refunds();
  world.hyperswitch.turn(refund!, 'failed');
  await world.tell(refund!);
  await world.sweep();

  expect(await world.balances()).toMatchObject([{ owed: 0n, offset: 500n }]);
  const { refunds } = await world.find(order);
  expect(refunds[0]?.attention).toMatchObject({
    reason: 'refund_failed_after_reversal',
    detail: expect.stringContaining('owed again: 500 USD to acct_ada'),
  });
});

it('a refund that fails while what it took is on its way is settled when that has ended', async () => {
  const { world, order, debt } = await owing();
  world.stripe.faults.push('lost');
  const next = await world.order(900n);
  await world.advance({ kind: 'transfer', id: (await world.only(next)).id });
  const [refund] = world.hyperswitch.refunds();
  world.hyperswitch.turn(refund!, 'failed');
  await world.tell(refund!);
  expect(await world.reversal(debt.id)).toMatchObject({ status: 'waiting_balance', debt: { state: 'on_its_way' } });

  world.clock.advance(HOUR_MS);
  await world.sweep();
  await booked(world);
  expect(await world.reversal(debt.id)).toMatchObject({ status: 'reversed' });
  expect((await world.find(order)).refunds[0]?.attention?.detail).toContain('owed again: 800 USD to acct_ada');
});

it('a debt in one currency is never kept of a transfer in another', async () => {
  const { world, debt } = await owing();
  const { id } = await world.only(await world.order(900n));
  const into = (amount: number, currency: string) =>
    world.database.query(
      'INSERT INTO debt_offsets (reversal_id, transfer_id, amount, currency) VALUES ($1, $2, $3, $4)',
      [debt.id, id, amount, currency],
    );
  await expect(into(800, 'EUR')).rejects.toThrow(/another seller, currency or amount/);
  await expect(into(700, 'USD')).rejects.toThrow(/another seller, currency or amount/);
  await expect(into(800, 'USD')).rejects.toThrow(/it is sent for 0 less, and its offsets come to 800/);
});
