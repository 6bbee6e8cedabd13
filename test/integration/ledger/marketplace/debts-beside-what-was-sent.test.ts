import { expect, it } from 'vitest';
import type { OrderId } from '../../../../src/domain/ids.js';
import { HOUR_MS, MINUTE_MS } from '../../../support/durations.js';
import { debtWorld } from '../../../support/marketplace/debt-world.js';

type World = Awaited<ReturnType<typeof debtWorld>>;

async function converts(world: World, order: OrderId): Promise<void> {
  await world.database.query(
    `UPDATE payments SET connector = 'stripe', connector_transaction_id = 'pi_1', charge_of = 'pi_1', charge_id = 'ch_1',
       charge_currency = 'EUR', charge_paid_in = currency, charge_captured = amount, charge_became = 920, exchange_rate = '0.92' WHERE order_id = $1`,
    [order],
  );
}

/** Of 1,000 USD, 800 were kept; of the 200 that were sent, 150 are a debt again, 50 wait for the balance, and all else is owed. */
async function owedTwice(inEuros: boolean) {
  const world = await debtWorld();
  const { reversal: first } = await world.short(1_000n, 800n);
  await world.decide(first, 'offset');
  const order = await world.order(1_000n, true);
  if (inEuros) await converts(world, order);
  await world.release(order);
  await world.sweep();
  world.clock.advance(11 * MINUTE_MS);
  await world.sweep();
  world.stripe.spend('acct_ada', 1);
  await world.refund(order, 150n);
  await world.sweep();
  const [short] = await world.reversals(order);
  expect(await world.decide(short!, 'offset')).toMatchObject({ kind: 'applied' });
  await world.refund(order, null);
  await world.sweep();
  const of = async (amount: bigint) => (await world.reversals(order)).find((one) => one.amount === amount)!;
  expect(await of(50n)).toMatchObject({ status: 'waiting_balance', debt: null });
  expect(await of(800n)).toMatchObject({ debt: { state: 'open' } });
  return { world, order, of };
}

it.each([
  ['the currency of its order', false, [150n, 50n]],
  ['another currency', true, [138n, 46n]],
])(
  'of a transfer that was sent for less in %s, no more is asked of Stripe than was sent',
  async (_, inEuros, taken) => {
    const { world, order, of } = await owedTwice(inEuros);
    // 50 of the 200 are about to be taken: these 800 are not there, and the 150 are.
    expect(await world.decide(await of(800n), 'retry')).toMatchObject({ status: 'permanently_failed' });
    expect(await of(800n)).toMatchObject({
      attention: {
        reason: 'exceeds_remainder',
        detail: expect.stringMatching(/sent for 200, .*took 0 of them and are about to take 50/),
      },
    });
    expect(await world.decide(await of(150n), 'retry')).toMatchObject({ status: 'pending' });
    expect(await world.decide(await of(800n), 'take_available')).toMatchObject({
      kind: 'refused',
      detail: expect.stringMatching(
        /nothing of it can be taken: 200 are left of its transfer, of which other shares take 200/,
      ),
    });
    expect(await world.decide(await of(800n), 'offset')).toMatchObject({ kind: 'applied' });

    world.earn(10_000n);
    await world.ledger.balanceRose('acct_ada');
    world.clock.advance(2 * HOUR_MS);
    await world.sweep(5);
    expect(world.taken().toSorted((one, other) => Number(other - one))).toEqual(taken);
    expect((await world.only(order)).amountReversed).toBe(200n);
    expect(await of(800n)).toMatchObject({ status: 'waiting_balance', debt: { state: 'open' }, attention: null });
    expect(await world.balances()).toMatchObject([{ owed: 800n }]);
  },
);

it('so much of a converted share is taken as a person states, and the rest goes on waiting', async () => {
  const world = await debtWorld();
  const order = await world.order(1_000n, true);
  await converts(world, order);
  await world.release(order);
  await world.sweep();
  world.stripe.spend('acct_ada', 1);
  await world.refund(order, 800n);
  await world.sweep();
  const [waiting] = await world.reversals(order);
  expect(await world.decide(waiting!, 'take_available', { amount: '100' })).toMatchObject({ kind: 'applied' });
  world.earn(92n);
  await world.sweep();
  expect(world.taken()).toEqual([92n]);
  expect((await world.reversals(order)).map(({ amount, status }) => `${amount} ${status}`).toSorted()).toEqual([
    '100 reversed',
    '700 waiting_balance',
  ]);
});
