import { patched, proxyActivities } from '@temporalio/workflow';
import type { FollowInput, MarketplaceActivities } from '../activities/marketplace-contract.js';
import { followAtHyperswitch } from './hyperswitch-call.js';
import { hyperswitchStep } from './policies.js';

const { advancePayment } = proxyActivities<Pick<MarketplaceActivities, 'advancePayment'>>({
  ...hyperswitchStep,
  summary: 'looks at the payment at Hyperswitch, and takes it one step further',
});

/** Follows a buyer's payment until it is final, whether or not a webhook ever comes. */
export async function payment(input: FollowInput): Promise<{ status: string }> {
  return await followAtHyperswitch(input, {
    kind: 'payment',
    advance: advancePayment,
    // Payments took no decisions before: a run that began then has only noted what was said to it.
    recordsLate: () => patched('payments-are-decided-about'),
  });
}
