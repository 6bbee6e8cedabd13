import { proxyActivities } from '@temporalio/workflow';
import type { FollowInput, MarketplaceActivities } from '../activities/marketplace-contract.js';
import { followAtHyperswitch } from './hyperswitch-call.js';
import { hyperswitchStep } from './policies.js';

const { advanceDispute } = proxyActivities<Pick<MarketplaceActivities, 'advanceDispute'>>({
  ...hyperswitchStep,
  summary: 'reads where the funds of the dispute are',
});

/** Follows a buyer's dispute until it has ended, whether or not a webhook ever comes; a person is asked where nobody can read its funds. */
export async function dispute(input: FollowInput): Promise<{ status: string }> {
  return await followAtHyperswitch(input, { kind: 'dispute', advance: advanceDispute });
}
