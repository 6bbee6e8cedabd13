import { expect, it } from 'vitest';
import type { OrderId } from '../../../../src/domain/ids.js';
import { DAY_MS, MINUTE_MS } from '../../../support/durations.js';
import { debtWorld } from '../../../support/marketplace/debt-world.js';

type World = Awaited<ReturnType<typeof debtWorld>>;

/** The buyer's charge of this order is in a balance of another currency, and was read. */
async function converts(world: World, order: OrderId, became: bigint, currency: string): Promise<void> {
  await world.database.query(
    `UPDATE payments SET connector = 'stripe', connector_transaction_id = 'pi_1', charge_of = 'pi_1', charge_id = 'ch_1',
       charge_currency = $2, charge_paid_in = currency, charge_captured = amount, charge_became = $3, exchange_rate = '0.92' WHERE order_id = $1`,
    [order, currency, became.toString()],
  );
}

/** 800 USD are owed, from an order whose money was in dollars. */
async function owing(owed = 800n) {
  const world = await debtWorld();
  const { order, reversal } = await world.short(1_000n, owed);
  await world.decide(reversal, 'offset');
  return { world, first: order, debt: reversal };
}

async function booked(world: World): Promise<void> {
  world.clock.advance(11 * MINUTE_MS);
  await world.sweep();
}

/** 1,000 USD, of which 800 were kept, and 200 were sent as 184 EUR. */
async function lessened() {
  const { world } = await owing();
  const order = await world.order(1_000n, true);
  await converts(world, order, 920n, 'EUR');
  await world.release(order);
  await world.sweep();
  await booked(world);
  expect(world.sent()).toEqual([1_000n, 184n]);
  expect(await world.only(order)).toMatchObject({ amount: 200n, offset: 800n, conversion: { amount: 184n } });
  return { world, order };
}

it('what is owed of a converted transfer that was sent for less is never counted as taken by taking what was sent', async () => {
  const { world, order } = await lessened();
  world.stripe.spend('acct_ada', 1);
  await world.refund(order, null);
  await world.sweep();
  const [sent, owed] = await world.reversals(order);
  expect([sent, owed]).toMatchObject([
    { amount: 200n, status: 'waiting_balance', debt: null },
    { amount: 800n, status: 'waiting_balance', debt: { state: 'open' } },
  ]);
  world.clock.advance(31 * DAY_MS);
  await world.sweep();
  expect(await world.reversal(sent!.id)).toMatchObject({ attention: { reason: 'balance_horizon' } });

  // Anybody may say so, and he has money now.
  await world.decide(owed!, 'retry');
  world.stripe.credit('acct_ada', 10_000n);
  await world.sweep();
  // 184 EUR are 200 USD of 1,000.
  const { amountReversed } = await world.only(order);
  expect({ amountReversed, atStripe: world.taken() }).not.toEqual({ amountReversed: 800n, atStripe: [184n] });
});

it('what is owed of a converted transfer can be a debt again after it was asked of Stripe in vain', async () => {
  const { world, order } = await lessened();
  await world.refund(order, null);
  await world.sweep();
  const owed = (await world.reversals(order)).find(({ amount }) => amount === 800n)!;
  await world.decide(owed, 'retry');
  await world.sweep();
  expect.soft((await world.reversal(owed.id)).attention?.detail).not.toContain('less than the smallest amount');
  expect(await world.decide(owed, 'offset')).toMatchObject({ kind: 'applied' });
});

it('a share of a converted order that its seller cannot give back can be kept of his next transfers', async () => {
  const world = await debtWorld();
  const order = await world.order(1_000n, true);
  await converts(world, order, 920n, 'EUR');
  await world.release(order);
  await world.sweep();
  world.stripe.spend('acct_ada', 1);
  await world.refund(order, 800n);
  await world.sweep();
  const [waiting] = await world.reversals(order);
  expect(waiting).toMatchObject({ status: 'waiting_balance' });
  expect(await world.decide(waiting!, 'offset')).toMatchObject({ kind: 'applied' });
});

it('a debt never makes a share unsendable that could be sent, and nobody is asked to give it up', async () => {
  // 3 of 1,000 US cents are 0.9 fils, less than the ten that Stripe moves.
  const { world } = await owing(997n);
  const order = await world.order(1_000n, true);
  await converts(world, order, 3_070n, 'KWD');
  await world.release(order);
  await world.sweep();
  await booked(world);
  expect.soft((await world.only(order)).attention).toBeNull();

  // What the question says: "3 USD … write_off gives the share up".
  await world.say({ kind: 'transfer', id: (await world.only(order)).id }, 'write_off');
  const { status, amount } = await world.only(order);
  const [balance] = await world.balances();
  expect({ status, amount, owed: balance?.owed, sent: world.sent() }).not.toEqual({
    status: 'permanently_failed',
    amount: 1_000n,
    owed: 997n,
    sent: [1_000n],
  });
});
