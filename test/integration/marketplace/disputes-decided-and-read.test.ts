import { afterEach, describe, expect, it } from 'vitest';
import type { OrderId } from '../../../src/domain/ids.js';
import type { DisputeMovement } from '../../../src/domain/marketplace/disputes.js';
import { HOUR_MS } from '../../support/durations.js';
import type { DisputeWorld, DisputeWorldOptions } from '../../support/marketplace/dispute-world.js';
import { type TwoSellers, twoSellersSold } from '../../support/marketplace/two-sellers.js';

/** What persons decide about a dispute whose record is read before, or after. */

let two: TwoSellers;
let world: DisputeWorld;
afterEach(() => world.close());

async function sold(rules?: DisputeWorldOptions): Promise<OrderId> {
  two = await twoSellersSold(rules);
  world = two.world;
  return two.order;
}
type Dispute = Awaited<ReturnType<DisputeWorld['dispute']>>;
const idOf = async (order: OrderId) => (await world.find(order)).disputes[0]!.id;

/** A bank's next step comes seconds later at the soonest: Stripe's movements bear whole ones. */
async function told(order: OrderId, dispute: Dispute): Promise<void> {
  world.clock.advance(2_000);
  await world.hyperswitchTells(order, dispute);
  await world.settle();
}

/** The payment is called something else at Hyperswitch than in Stripe's record. */
const readable = (order: OrderId, pi: string) =>
  world.database.query('UPDATE payments SET connector_transaction_id = $2 WHERE order_id = $1', [order, pi]);
const unreadable = (order: OrderId) => readable(order, 'pi_other');

/** Of Ada, and the rest is done. */
async function giveUp(order: OrderId, amount: bigint): Promise<void> {
  const ofAda = (await world.find(order)).reversals.find((one) => one.amount === amount && one.status === 'pending')!;
  await world.database.query(
    `UPDATE reversals SET status = 'permanently_failed', attention_reason = 'refused', attention_since = clock_now(), attention_detail = 'no'
     WHERE id = $1`,
    [ofAda.id],
  );
  expect(await world.decide('reversal', ofAda.id, 'write_off')).toMatchObject({ kind: 'applied' });
  await world.settle();
}

describe('a share of a dispute that persons have given up', () => {
  async function givenUp(fees?: DisputeWorldOptions['fees']): Promise<{ order: OrderId; dispute: Dispute }> {
    const order = await sold(fees ? { fees } : {});
    const dispute = await world.dispute(order, { amount: 500 });
    await world.hyperswitchTells(order, dispute);
    await world.settle(['dispute']);
    await giveUp(order, fees ? 330n : 300n);
    return { order, dispute };
  }

  it('stays so when a part of the funds is back, also with a fee, until all of it is', async () => {
    for (const fee of [0n, 50n]) {
      const { order, dispute } = await givenUp(fee > 0n ? new Map([['USD', fee]]) : undefined);
      expect((await two.balances())[0]).toBe(600n);
      for (const amount of [200, 100]) {
        await world.move(dispute, { move: 'reinstate', amount });
        await told(order, dispute);
        expect((await two.balances())[0]).toBe(600n);
      }
      await world.move(dispute, { move: 'win' });
      await told(order, dispute);
      expect(await two.balances()).toEqual([600n, 400n]);
      // Another time that the funds go out is another question.
      await world.move(dispute, { move: 'lose' });
      await told(order, dispute);
      expect(await two.disputes()).toEqual(['lost out 500']);
      if (fee === 0n) expect(await two.balances()).toEqual([300n, 200n]);
      if (fee === 0n) await world.close();
    }
  });

  it('leaves a refund its own share of the seller', async () => {
    const order = await sold();
    await world.refund(order, 100n);
    await world.settle();
    const dispute = await world.dispute(order, { amount: 500 });
    await world.hyperswitchTells(order, dispute);
    await world.settle(['dispute']);
    await giveUp(order, 300n);
    expect(await two.balances()).toEqual([540n, 160n]);
    await world.move(dispute, { move: 'reinstate', amount: 200 });
    await told(order, dispute);
    expect(await two.balances()).toEqual([540n, 240n]);
    expect(await two.reversed()).toEqual(['60 reversed', '40 reversed', '300 written_off', '200 reversed']);
  });

  it('stays so when the record can be read of what persons had said', async () => {
    const order = await sold();
    const pi = await two.atStripe();
    const dispute = await world.dispute(order, { amount: 500, inquiry: true });
    await told(order, dispute);
    await unreadable(order);
    await world.move(dispute, { move: 'escalate' });
    await told(order, dispute);
    expect(await world.decide('dispute', await idOf(order), 'funds_out')).toMatchObject({ kind: 'applied' });
    await giveUp(order, 300n);
    expect(await two.balances()).toEqual([600n, 200n]);
    await readable(order, pi);
    await told(order, dispute);
    expect(await two.disputes()).toEqual(['open out 500']);
    expect(await two.balances()).toEqual([600n, 200n]);
  });
});

describe('funds that the record had out, where it cannot be read any more', () => {
  it('are not taken twice, and are back when persons say so; where the record has them out after all, they are out once', async () => {
    const order = await sold();
    const pi = await two.atStripe();
    const dispute = await world.dispute(order, { amount: 500 });
    await told(order, dispute);
    expect(await two.balances()).toEqual([300n, 200n]);
    await unreadable(order);
    await told(order, dispute);
    const id = await idOf(order);
    expect(await world.decide('dispute', id, 'funds_out')).toMatchObject({ kind: 'refused' });
    expect(await world.decide('dispute', id, 'funds_back')).toMatchObject({ kind: 'applied' });
    await world.settle();
    expect(await two.balances()).toEqual([600n, 400n]);
    await readable(order, pi);
    for (const round of [1, 2]) {
      await told(order, dispute);
      expect(await two.disputes(), `reading ${round}`).toEqual(['open out 500']);
      expect(await two.balances()).toEqual([300n, 200n]);
    }
    await world.move(dispute, { move: 'reinstate', amount: 200 });
    await told(order, dispute);
    expect(await two.disputes()).toEqual(['open out 300']);
    expect(await two.balances()).toEqual([420n, 280n]);
    await world.move(dispute, { move: 'win' });
    await told(order, dispute);
    expect(await two.disputes()).toEqual(['won back 0']);
    expect(await two.balances()).toEqual([600n, 400n]);
  });
});

it('what came back in parts within one second is back once, in whichever order the parts are read', async () => {
  const order = await sold();
  const dispute = await world.dispute(order, { amount: 500 });
  await told(order, dispute);
  const id = await idOf(order);
  const pi = await two.atStripe();
  const at = (hours: number) => new Date(world.clock.nowMs() + hours * HOUR_MS).toISOString();
  const [out] = world.atStripe.ledger().disputes[0]!.balance_transactions;
  const whole = { id: out!.id, amount: -500n, currency: 'USD', at: at(-1) };
  const parts = ['txn_b', 'txn_a'].map((part) => ({ id: part, amount: 200n, currency: 'USD', at: at(0) }));
  const read = async (...back: DisputeMovement[]) => {
    const after = (await world.ledger.disputeToFollow(id))!.lastReading;
    const record = {
      stripeDisputeId: dispute.atProcessor,
      charge: 'ch_1',
      paymentIntent: pi,
      amount: 500n,
      currency: 'USD',
      status: 'under_review',
      reason: 'general',
      createdAt: at(-1),
      movements: [whole, ...back],
    };
    await world.ledger.applyDispute(id, record, after);
    await world.settle(['transfer', 'reversal']);
    return [...(await two.disputes()), ...(await two.sharesOut())];
  };
  expect(await read(parts[0]!)).toEqual(['open out 300', 420n, 280n, 0n]);
  expect(await read(...parts)).toEqual(['open out 100', 540n, 360n, 0n]);
  // Late.
  expect(await read(parts[0]!)).toContain(540n);
  expect(await read(...parts)).toEqual(['open out 100', 540n, 360n, 0n]);
  const rest = { id: 'txn_0', amount: 100n, currency: 'USD', at: at(1) };
  expect(await read(...parts, rest)).toEqual(['open back 0', 600n, 400n, 0n]);
  expect(await two.balances()).toEqual([600n, 400n]);
});
