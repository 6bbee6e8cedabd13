import { unique } from './fixtures.js';
import type { MarketplaceSteps } from './steps.js';

/** One seller's share of an order, sent and arrived. */
export async function sentShare(steps: MarketplaceSteps, amount = 1_000) {
  const seller = unique('acct');
  const order = await steps.paid({ [seller]: amount });
  const transferId = order.transfers[seller]!;
  await steps.send(transferId);
  return { ...order, seller, transferId };
}
