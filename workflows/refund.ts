import { proxyActivities } from '@temporalio/workflow';
import type { FollowInput, MarketplaceActivities } from '../activities/marketplace-contract.js';
import { followAtHyperswitch } from './hyperswitch-call.js';
import { hyperswitchStep } from './policies.js';

const { advanceRefund } = proxyActivities<Pick<MarketplaceActivities, 'advanceRefund'>>({
  ...hyperswitchStep,
  summary: 'looks at the refund at Hyperswitch, and takes it one step further',
});

/** Sees a refund through: made if a crash came before it, read until it is final, a person asked where it went back. */
export async function refund(input: FollowInput): Promise<{ status: string }> {
  return await followAtHyperswitch(input, { kind: 'refund', advance: advanceRefund });
}
