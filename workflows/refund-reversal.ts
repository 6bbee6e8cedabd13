import type { StripeCallInput } from '../activities/marketplace-contract.js';
import { runStripeCall } from './stripe-call.js';

/** Takes one seller's share of a refund back, exactly once; the buyer was refunded before this began. */
export async function refundReversal(input: StripeCallInput): Promise<{ status: string }> {
  return await runStripeCall(input, {
    kind: 'reversal',
    attempt: (activities, id) => activities.reverseTransfer(id),
    probe: (activities, id) => activities.probeReversal(id),
  });
}
