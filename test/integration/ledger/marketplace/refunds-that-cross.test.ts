import { beforeEach, describe, expect, it } from 'vitest';
import { newRefundId, type OrderId, type RefundId } from '../../../../src/domain/ids.js';
import type { FeePolicy } from '../../../../src/domain/marketplace/lines.js';
import { dashboardRefund } from '../../../support/marketplace/hyperswitch-facts.js';
import { type MarketplaceSteps, marketplaceLedgerForTest, type Paid } from '../../../support/marketplace/steps.js';

/** Refunds of items, of the whole order and of the dashboard that are on their way at the same time, fail, and succeed after all. */

const ADA = 'acct_ada';
const BOB = 'acct_bob';
let steps: MarketplaceSteps;
let order: Paid;
let items: readonly string[];

async function sold(fee = 0n): Promise<void> {
  order = await steps.paid([
    { sellerAccount: ADA, amount: 6_000n, fee, description: 'a lamp' },
    { sellerAccount: BOB, amount: 4_000n, description: 'a chair' },
  ]);
  for (const id of Object.values(order.transfers)) await steps.send(id);
  items = (await steps.find(order.id)).items.map(({ id }) => id);
}
beforeEach(async () => {
  ({ steps } = await marketplaceLedgerForTest());
  await sold();
});

const ofItem = (nth: number, amount: bigint, fee?: FeePolicy): Promise<RefundId> =>
  steps.askRefund(order.id, undefined, { lines: { items: [{ itemId: items[nth] ?? '', amount }] }, fee });
const inDashboard = (amount: bigint) =>
  steps.ledger.adoptRefund(order.paymentId, newRefundId(Date.now()), dashboardRefund(order, amount, 'USD'));

/** Everything that can be taken back is. @returns what each seller is left with, and what the platform keeps */
async function left(id: OrderId = order.id): Promise<Readonly<Record<string, number>>> {
  for (const one of await steps.reversalsOf(id)) if (one.status === 'pending') await steps.reverse(one.id);
  const { transfers, platform } = await steps.find(id);
  const sellers = transfers.map((one) => [one.sellerAccount, Number(one.amount - one.amountReversed)]);
  return { ...Object.fromEntries(sellers), platform: Number(platform.kept) };
}

describe('a refund of an item that is on its way', () => {
  it('keeps no seller from giving back what the dashboard gave back of everything, also where it comes to nothing', async () => {
    const hangs = await ofItem(0, 6_000n);
    await inDashboard(10_000n);
    expect(await left()).toEqual({ [ADA]: 0, [BOB]: 0, platform: 0 });
    await steps.refundSays(hangs, 'failed');
    expect(await left()).toEqual({ [ADA]: 0, [BOB]: 0, platform: 0 });
    expect(await steps.find(order.id)).toMatchObject({ status: 'refunded' });
  });

  it('puts nothing onto another seller when it fails', async () => {
    const hangs = await ofItem(0, 6_000n);
    await inDashboard(6_000n);
    await steps.refundSays(hangs, 'failed');
    expect(await left()).toEqual({ [ADA]: 2_400, [BOB]: 1_600, platform: 0 });
  });

  it.each<FeePolicy>(['keep', 'return_proportionally'])(
    'and fails makes the next one of the item no cheaper (%s)',
    async (fee) => {
      await sold(1_800n);
      const fails = await ofItem(0, 4_000n, fee);
      const next = await ofItem(0, 2_000n, fee);
      await steps.refundSays(next, 'succeeded');
      await steps.refundSays(fails, 'failed');
      expect((await left())[ADA]).toBe(fee === 'keep' ? 2_200 : 2_800);
    },
  );

  it('is not given back a second time by a refund of its seller', async () => {
    await ofItem(0, 5_000n);
    await expect(steps.askRefund(order.id, undefined, { lines: { seller: ADA } })).resolves.toBeDefined();
    await expect(ofItem(0, 1n)).rejects.toThrow('exceeds_item');
  });
});

describe('a refund that had failed and succeeds after all', () => {
  it('has its item although others were spread over it meanwhile: these move to what is left', async () => {
    const late = await ofItem(1, 4_000n);
    await steps.refundSays(late, 'failed');
    await inDashboard(6_000n);
    expect(await left()).toEqual({ [ADA]: 2_400, [BOB]: 1_600, platform: 0 });
    await steps.refundSays(late, 'succeeded');
    expect(await left()).toEqual({ [ADA]: 0, [BOB]: 0, platform: 0 });
  });

  it('is taken up for what is due of it now, where another one has taken a part of the item', async () => {
    const late = await ofItem(0, 5_000n);
    await steps.refundSays(late, 'succeeded');
    await steps.refundSays(late, 'failed');
    await steps.refundSays(await ofItem(0, 4_000n), 'succeeded');
    await steps.refundSays(late, 'succeeded');
    expect(await left()).toEqual({ [ADA]: 0, [BOB]: 4_000, platform: -3_000 });
  });
});

it('refunds of one order at once, of items, of a seller and of the whole, never come to more than it, and share all of it out', async () => {
  const asked = await Promise.allSettled([
    ofItem(0, 3_000n),
    ofItem(0, 3_000n),
    ofItem(0, 3_000n),
    ofItem(1, 1_000n),
    steps.askRefund(order.id, undefined, { lines: { seller: BOB } }),
    steps.askRefund(order.id, 2_000),
    steps.askRefund(order.id),
  ]);
  const made = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  for (const id of made) await steps.refundSays(id, 'succeeded');
  const { refunds, status } = await steps.find(order.id);
  expect(refunds.reduce((sum, { amount }) => sum + amount, 0n)).toBe(10_000n);
  expect([status, await left()]).toEqual(['refunded', { [ADA]: 0, [BOB]: 0, platform: 0 }]);
});
