import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OrderAnswer } from '../../../src/domain/marketplace/marketplace-answer.js';
import { isTakenBack, type MarketplaceStack, startMarketplaceStack } from '../../support/marketplace/stack.js';

let stack: MarketplaceStack;
beforeAll(async () => {
  stack = await startMarketplaceStack({ DISPUTE_POLICY: 'wait', DISPUTE_FEE: 'usd:300' });
}, 120_000);
afterAll(() => stack.stop());

it('server and worker follow DISPUTE_POLICY and DISPUTE_FEE: nothing is taken before the dispute is lost, and then with the fee', async () => {
  const { id, hyperswitchPaymentId } = await stack.sellPaid({ acct_1Ada: 1_000, acct_1Bob: 1_000 });
  const opened = await stack.hyperswitch<{ dispute: { id: string } }>('disputes', [
    'POST',
    { payment_id: hyperswitchPaymentId, amount: 1_000 },
  ]);
  const areOut = ({ disputes: [dispute] }: OrderAnswer) => dispute?.funds === 'out';
  expect(await stack.orderUntil('the funds are out', id, areOut)).toMatchObject({
    disputes: [{ status: 'open', out: 1_000, borne_by_platform: 1_000 }],
    reversals: [],
  });
  await stack.hyperswitch(`disputes/${opened.dispute.id}`, ['PUT', { move: 'lose' }]);
  const { reversals } = await stack.orderUntil('the shares are taken back', id, isTakenBack);
  expect(reversals.map(({ amount }) => amount)).toEqual([650, 650]);
});
