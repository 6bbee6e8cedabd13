import { afterEach, describe, expect, it } from 'vitest';
import type { OrderId } from '../../../src/domain/ids.js';
import {
  type DisputeWorld,
  type DisputeWorldOptions,
  openDisputeWorld,
} from '../../support/marketplace/dispute-world.js';
import { expectSharesExact } from '../../support/marketplace/ledger-comparison.js';
import { ADA, BOB } from '../../support/marketplace/two-sellers.js';

/**
 * An order of 10.00 USD whose money became 9.20 EUR, which is what the sellers were sent. What Stripe moves because of a dispute is in
 * euros too, at the rate of its day: no amount of dollars follows from that, but the dispute itself is of dollars.
 */

let world: DisputeWorld;
let order: OrderId;
afterEach(() => world.close());

const settlesAt = (rate: number) =>
  world.atStripe.setAccount(world.atStripe.platformAccount, { settlesIn: { currency: 'eur', rate } });
async function sold(rules?: DisputeWorldOptions): Promise<void> {
  world = await openDisputeWorld(rules);
  await settlesAt(0.92);
  order = await world.paid({ [ADA]: 600n, [BOB]: 400n });
  await world.settle();
  // Whose turn was spent on reading the charge has its next one.
  world.clock.advance(60_000);
  await world.settle();
}
/** Opened, and heard of. */
async function disputed(how: { amount?: number; fee?: number } = {}) {
  const dispute = await world.dispute(order, how);
  await world.hyperswitchTells(order, dispute);
  await world.settle();
  return dispute;
}
async function moved(dispute: { readonly id: string }, change: Parameters<DisputeWorld['move']>[1]): Promise<void> {
  await world.move(dispute, change);
  await world.hyperswitchTells(order, dispute);
  await world.settle();
}
const disputes = async () =>
  (await world.find(order)).disputes.map(({ status, funds, out, attention }) => [
    status,
    funds,
    out,
    attention?.reason ?? null,
  ]);
const taken = async () =>
  (await world.find(order)).reversals.map(
    ({ amount, currency, status, conversion }) =>
      `${amount} ${currency} as ${conversion?.amount} ${conversion?.currency} ${status}`,
  );
/** At Stripe: sent, and taken back. */
const atStripe = () =>
  world.atStripe
    .ledger()
    .transfers.map(({ destination, amount, amount_reversed, currency }) => [
      destination,
      amount,
      amount_reversed,
      currency,
    ])
    .toSorted(([one], [other]) => String(one).localeCompare(String(other)));
const decide = async (action: string) => {
  const [dispute] = (await world.find(order)).disputes;
  return await world.decide('dispute', dispute?.id ?? '', action);
};

describe('a dispute of an order whose money is in another currency', () => {
  it('takes of each seller exactly what he was sent, in the currency that was sent, whatever the rate of the day is', async () => {
    await sold();
    await settlesAt(0.8);
    await disputed({ fee: 1_500 });
    expect(await disputes()).toEqual([['open', 'out', 1_000n, null]]);
    expect(await taken()).toEqual(['600 USD as 552 EUR reversed', '400 USD as 368 EUR reversed']);
    expect(atStripe()).toEqual([
      [ADA, 552, 552, 'eur'],
      [BOB, 368, 368, 'eur'],
    ]);
    await expectSharesExact(world.url);
  });

  it('of a part takes the same part of each transfer, at its own rate', async () => {
    await sold();
    await settlesAt(1.1);
    const dispute = await disputed({ amount: 500 });
    expect(await taken()).toEqual(['300 USD as 276 EUR reversed', '200 USD as 184 EUR reversed']);
    await moved(dispute, { move: 'lose' });
    expect(await disputes()).toEqual([['lost', 'out', 500n, null]]);
    expect(atStripe()).toEqual([
      [ADA, 552, 276, 'eur'],
      [BOB, 368, 184, 'eur'],
    ]);
    await expectSharesExact(world.url);
  });

  it('whose lines are refunded as well takes nothing twice', async () => {
    await sold();
    await world.refund(order, 500n);
    await world.settle();
    await disputed({ amount: 500 });
    expect(atStripe()).toEqual([
      [ADA, 552, 552, 'eur'],
      [BOB, 368, 368, 'eur'],
    ]);
    await expectSharesExact(world.url);
  });

  it('takes the fee in the currency of the order, as a part of what was sent', async () => {
    await sold({ fees: new Map([['USD', 100n]]) });
    await disputed({ amount: 500, fee: 1_500 });
    expect(await taken()).toEqual(['360 USD as 331 EUR reversed', '240 USD as 220 EUR reversed']);
  });

  it('that is won asks a person how much is back, and pays nobody again by itself', async () => {
    await sold();
    const dispute = await disputed();
    await settlesAt(0.8);
    await moved(dispute, { move: 'win' });
    expect(await disputes()).toEqual([['open', 'out', 1_000n, 'dispute']]);
    expect(atStripe().map(([, , back]) => back)).toEqual([552, 368]);
    await decide('funds_back');
    await world.settle();
    // What was taken in euros is not known in dollars of today: each seller's share is a question.
    const again = (await world.find(order)).transfers.filter(({ origin }) => origin === 'compensation');
    expect(
      again.map(({ amount, currency, attention }) => `${amount} ${currency} ${attention?.reason}`).toSorted(),
    ).toEqual(['400 USD conflict', '600 USD conflict']);
    expect(atStripe()).toHaveLength(2);
  });

  it('of which a part came back asks a person, and leaves what is taken as it is', async () => {
    await sold();
    const dispute = await disputed();
    await moved(dispute, { move: 'reinstate', amount: 400 });
    expect(await disputes()).toEqual([['open', 'out', 1_000n, 'dispute']]);
    const [asked] = (await world.find(order)).disputes;
    expect(asked?.attention?.detail).toContain('EUR');
    expect(atStripe().map(([, , back]) => back)).toEqual([552, 368]);
    await expectSharesExact(world.url);
  });

  it('whose funds went out before anything was sent withholds, and sends nobody anything', async () => {
    world = await openDisputeWorld();
    await settlesAt(0.92);
    order = await world.paid({ [ADA]: 600n, [BOB]: 400n });
    await disputed();
    expect(atStripe()).toEqual([]);
    expect(await disputes()).toEqual([['open', 'out', 1_000n, null]]);
    await expectSharesExact(world.url);
  });
});
