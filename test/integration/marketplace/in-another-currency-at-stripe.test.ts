import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OrderId } from '../../../src/domain/ids.js';
import { unique } from '../../support/marketplace/fixtures.js';
import { importLine } from '../../support/marketplace/historical-lines.js';
import { type MarketplaceTest, openMarketplaceTest } from '../../support/marketplace/time-skipping.js';

/** The ledger holds dollars, and Stripe holds the transfer in euros: as many, so that no number tells. */

let market: MarketplaceTest;
beforeAll(async () => {
  market = await openMarketplaceTest();
});
afterAll(async () => {
  await market.dispose();
});

async function imported(
  reversals: readonly { readonly amount: number }[] = [],
): Promise<{ order: OrderId; transfer: string }> {
  const seller = unique('acct');
  const transfer = unique('tr');
  const payment = `pay_${unique('old').slice(0, 20).padEnd(26, '0')}`;
  const paid = await fetch(`${market.hyperswitch.url}/payments`, {
    method: 'POST',
    headers: { 'api-key': market.hyperswitch.apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ amount: 10_000, currency: 'USD', payment_id: payment, confirm: true }),
  });
  expect(await paid.json()).toMatchObject({ payment_id: payment, status: 'succeeded' });
  const line = {
    order: unique('order'),
    currency: 'USD',
    paid: 10_000n,
    hyperswitchPaymentId: payment,
    sellerAccount: seller,
    amount: 9_000n,
    stripeTransferId: transfer,
  };
  await market.stripe.seed({
    transfers: [{ id: transfer, destination: seller, amount: 9_000, currency: 'eur', reversals: [...reversals] }],
  });
  return { order: (await importLine(market.test, line)).orderId, transfer };
}

it.each([
  ['the whole of it is refunded', null, []],
  ['a part of it is', 2_500n, []],
  ['somebody took a part of it back there', 2_500n, [{ amount: 2_250 }]],
] as const)('goes to a person, and nothing is sent, where %s', async (_, amount, reversals) => {
  const { order, transfer } = await imported(reversals);
  await market.world.refund(order, amount);
  await market.until('a person is asked', async () =>
    (await market.order({ id: order })).reversals.some(({ attention }) => attention !== null),
  );
  const [reversal] = (await market.order({ id: order })).reversals;
  expect(reversal).toMatchObject({
    status: 'permanently_failed',
    certainty: 'not_sent',
    attention: { reason: 'conflict' },
  });
  expect(reversal?.attention?.detail).toContain(`${transfer} is in EUR at Stripe`);
  expect(market.reversalPosts({ stripeTransferId: transfer })).toEqual([]);
});
