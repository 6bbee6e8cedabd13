import { afterEach, describe, expect, it } from 'vitest';
import { refundKey } from '../../../src/domain/calls/idempotency-keys.js';
import { newRefundId, type OrderId } from '../../../src/domain/ids.js';
import type { NewRefund } from '../../../src/ledger/marketplace/marketplace-types.js';
import { hyperswitchRefundId } from '../../../src/providers/hyperswitch/ids.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { beginRequest } from '../../support/marketplace/fixtures.js';
import { ADA, BOB } from '../../support/marketplace/two-sellers.js';

/** Banks dispute any amount, and Stripe moves some currencies in steps only: what is odd is the platform's. */

let world: DisputeWorld;
afterEach(() => world.close());

const CASES: readonly (readonly [string, bigint])[] = [
  ['JPY', 1n],
  ['KWD', 10n],
  ['ISK', 100n],
];

describe.each(CASES)('a dispute in %s, which moves in steps of %s', (currency, step) => {
  const odd = (steps: bigint): number => Number(steps * step + (step > 1n ? step / 2n - 1n : 0n));

  async function sold(): Promise<OrderId> {
    const account = world.atStripe.platformAccount;
    await world.atStripe.setBalance({ account, currency: currency.toLowerCase(), available: 1_000_000_000 });
    const order = await world.paid({ [ADA]: 77n * step, [BOB]: 53n * step }, currency);
    await world.settle();
    return order;
  }

  /** At Stripe the sellers have what the ledger says that they keep, in whole steps. */
  async function holds(order: OrderId): Promise<void> {
    await world.settle();
    const rows = await world.database.query<{ left: string }>(
      'SELECT promised - due_back AS left FROM order_shares WHERE order_id = $1 AND seller_account IS NOT NULL ORDER BY seller_account',
      [order],
    );
    const balances = [await world.balanceOf(ADA, currency), await world.balanceOf(BOB, currency)];
    expect(balances).toEqual(rows.map(({ left }) => BigInt(left)));
    expect(balances.map((balance) => balance % step)).toEqual([0n, 0n]);
  }

  /** @returns what became of it */
  async function followed(order: OrderId): Promise<readonly string[]> {
    const dispute = await world.dispute(order, { amount: odd(33n) });
    const told = async () => {
      await world.hyperswitchTells(order, dispute);
      await holds(order);
    };
    await told();
    await world.move(dispute, { move: 'reinstate', amount: odd(11n) });
    await told();
    await world.move(dispute, { move: 'win' });
    await told();
    await world.move(dispute, { move: 'lose' });
    await told();
    return (await world.find(order)).disputes.map(({ status, funds }) => `${status} ${funds}`);
  }

  const asked = async (order: OrderId, refund: Pick<NewRefund, 'lines' | 'amount'>) => {
    const id = newRefundId(world.clock.nowMs());
    const at = hyperswitchRefundId(refundKey(id));
    const { lines, amount } = refund;
    return await world.ledger.createRefund(
      { id, orderId: order, reason: 'returned', hyperswitchRefundId: at, lines, amount },
      await beginRequest(world, 'refunds'),
    );
  };

  it('is followed in whole steps, in parts and with its fee, and restored exactly', async () => {
    world = await openDisputeWorld({ fees: new Map([[currency, BigInt(odd(7n))]]) });
    expect(await followed(await sold())).toEqual(['lost out']);
  });

  it('leaves whole steps to a refund of all that is left of a seller', async () => {
    world = await openDisputeWorld();
    const order = await sold();
    const [item] = (await world.find(order)).items;
    const first = await asked(order, { amount: null, lines: { items: [{ itemId: item!.id, amount: 13n * step }] } });
    if (first.kind !== 'created') throw new Error(first.kind);
    await world.calls.advanceRefund(first.refund.id);
    await world.atHyperswitch.moveRefund(hyperswitchRefundId(refundKey(first.refund.id)), { to: 'succeeded' });
    await world.calls.advanceRefund(first.refund.id);
    await followed(order);
    for (const seller of [ADA, BOB]) {
      const rest = await asked(order, { amount: null, lines: { seller } });
      if (rest.kind !== 'created') throw new Error(rest.kind);
      expect(rest.refund.amount % step, seller).toBe(0n);
    }
  });
});
