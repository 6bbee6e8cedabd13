import { afterEach, expect, it } from 'vitest';
import type { NamedDispute } from '../../../src/domain/calls/provider-answers.js';
import { newDisputeId, type OrderId } from '../../../src/domain/ids.js';
import type { DisputeWorld } from '../../support/marketplace/dispute-world.js';
import { ADA, BOB, type TwoSellers, twoSellersSold } from '../../support/marketplace/two-sellers.js';

/** Hyperswitch names a dispute under the payment of one order, and later under that of another. */

let two: TwoSellers;
let world: DisputeWorld;
/** Whose it is. */
let right: OrderId;
afterEach(() => world.close());

type Dispute = Awaited<ReturnType<DisputeWorld['dispute']>>;

async function misnamed(opening: Parameters<DisputeWorld['dispute']>[1] = {}): Promise<Dispute> {
  two = await twoSellersSold();
  world = two.world;
  right = await world.paid({ [ADA]: 600n, [BOB]: 400n });
  await world.settle();
  return await world.dispute(right, { amount: 500, ...opening });
}

async function nameUnder(order: OrderId, dispute: Dispute, hyperswitchDisputeId = dispute.id): Promise<void> {
  const payment = (await world.find(order)).payment!;
  const named: NamedDispute = {
    hyperswitchDisputeId,
    hyperswitchPaymentId: payment.hyperswitchPaymentId ?? '',
    profileId: null,
    connector: 'stripe',
    providerDisputeId: dispute.atProcessor,
    status: 'open',
    providerStatus: 'dispute, dispute_opened',
    amount: 500n,
    currency: 'USD',
    reason: null,
  };
  await world.ledger.noteDispute(payment.id, newDisputeId(world.clock.nowMs()), named);
}

const disputesOf = async (order: OrderId) =>
  (await world.find(order)).disputes.map(({ status, funds, out }) => `${status} ${funds} ${out}`);
const reversedOf = async (order: OrderId) =>
  (await world.find(order)).reversals.map(({ amount, status }) => `${amount} ${status}`);
const asked = async (order: OrderId) => (await world.find(order)).disputes[0]?.attention;

it.each(['the same name', 'another name'] as const)(
  'moves to the right order under %s, as long as nothing was taken because of it, and takes there once',
  async (name) => {
    const dispute = await misnamed();
    await nameUnder(two.order, dispute, name === 'the same name' ? dispute.id : 'dp_named_wrongly');
    // Hyperswitch names it rightly by now, so what is told of the wrong payment never takes anything.
    await world.settle();
    expect(await disputesOf(two.order)).toEqual([]);
    expect(await disputesOf(right)).toEqual(['open out 500']);
    expect(await reversedOf(two.order)).toEqual([]);
    expect(await reversedOf(right)).toEqual(['300 reversed', '200 reversed']);
    expect(await asked(right)).toBeNull();
    expect(await two.balances()).toEqual([900n, 600n]);
    await world.hyperswitchTells(right, dispute);
    await world.settle();
    // A late word about the payment it was moved from moves nothing back.
    await nameUnder(two.order, dispute, 'dp_named_wrongly');
    expect(await disputesOf(right)).toEqual(['open out 500']);
    expect(await two.balances()).toEqual([900n, 600n]);
  },
);

it('asks as long as Hyperswitch names it under the wrong payment alone, and moves once it is corrected', async () => {
  const dispute = await misnamed({ events: [] });
  await nameUnder(two.order, dispute);
  await world.settle();
  expect(await asked(two.order)).toMatchObject({ reason: 'dispute' });
  expect(await reversedOf(two.order)).toEqual([]);
  await nameUnder(right, dispute);
  await world.settle();
  expect(await disputesOf(two.order)).toEqual([]);
  expect(await disputesOf(right)).toEqual(['open out 500']);
  expect(await asked(right)).toBeNull();
  expect(await two.balances()).toEqual([900n, 600n]);
});

it('stays, and asks a person, where shares were taken because of it already; of nobody else they are taken too', async () => {
  const dispute = await misnamed({ events: [] });
  await nameUnder(two.order, dispute);
  await world.settle();
  const { id } = (await world.find(two.order)).disputes[0]!;
  expect(await world.decide('dispute', id, 'funds_out')).toMatchObject({ kind: 'applied' });
  await world.settle();
  expect(await two.balances()).toEqual([900n, 600n]);
  for (const round of [1, 2]) {
    await nameUnder(right, dispute);
    await world.settle();
    expect(await asked(two.order), `round ${round}`).toMatchObject({
      reason: 'conflict',
      detail: expect.stringMatching(/shares of order .* were taken because of it/) as string,
    });
    expect(await disputesOf(right)).toEqual([]);
    expect(await two.balances()).toEqual([900n, 600n]);
  }
  // Neither a reading of what Stripe holds nor an event of the same dispute takes the question away.
  world.clock.advance(3_600_000);
  await world.advance({ kind: 'dispute', id });
  expect(await asked(two.order)).toMatchObject({ reason: 'conflict' });
  expect(await world.decide('dispute', id, 'funds_back')).toMatchObject({ kind: 'applied' });
  await world.settle();
  expect(await two.balances()).toEqual([1200n, 800n]);
  await nameUnder(right, dispute);
  expect(await asked(two.order)).toBeNull();
  expect(await two.balances()).toEqual([1200n, 800n]);
});
