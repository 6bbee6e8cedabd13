import { afterEach, expect, it } from 'vitest';
import type { DisputeWorld } from '../../support/marketplace/dispute-world.js';
import { type TwoSellers, twoSellersPaid } from '../../support/marketplace/two-sellers.js';

/** What is held waits for the end of a dispute, or for a person where nobody can read that; never for nothing. */

let two: TwoSellers;
let world: DisputeWorld;
afterEach(() => world.close());

const callPayment = (pi: string) =>
  world.database.query('UPDATE payments SET connector_transaction_id = $2 WHERE order_id = $1', [two.order, pi]);
const statuses = async () => (await world.find(two.order)).transfers.map(({ status }) => status);
const disputeNow = async () => (await world.find(two.order)).disputes[0]!;

it.each(['write_off', 'funds_back'] as const)(
  'a dispute that holds again after a person’s %s, and cannot be read again, asks again',
  async (word) => {
    two = await twoSellersPaid({ policy: 'hold' });
    world = two.world;
    const pi = await two.atStripe();
    const dispute = await world.dispute(two.order, { amount: 500 });
    const told = async () => {
      world.clock.advance(2_000);
      await world.hyperswitchTells(two.order, dispute);
      // Without the transfers: what is let go stays pending, so that the dispute can hold it again.
      await world.settle(['payment', 'refund', 'dispute']);
    };
    await told();
    await world.settle();
    expect(await statuses()).toEqual(['held', 'held']);
    const { id } = await disputeNow();
    await callPayment('pi_other');
    await told();
    const asked = (await disputeNow()).attention;
    expect(asked).toMatchObject({ reason: 'dispute' });
    expect(await world.decide('dispute', id, word)).toMatchObject({ kind: 'applied' });
    expect(await statuses()).toEqual(['pending', 'pending']);
    await told();
    expect((await disputeNow()).attention).toBeNull();

    await callPayment(pi);
    await told();
    expect(await statuses()).toEqual(['held', 'held']);
    await callPayment('pi_other');
    await told();
    expect(await statuses()).toEqual(['held', 'held']);
    expect((await disputeNow()).attention).toMatchObject({ reason: 'dispute', detail: asked?.detail });
    // Asked already: another reading asks no second time, and the answer is heard as before.
    await told();
    expect(await world.decide('dispute', id, word)).toMatchObject({ kind: 'applied' });
    await told();
    expect((await disputeNow()).attention).toBeNull();
    expect(await statuses()).toEqual(['pending', 'pending']);
  },
);
