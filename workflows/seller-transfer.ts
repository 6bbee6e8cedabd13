import type { StripeCallInput } from '../activities/marketplace-contract.js';
import { runStripeCall } from './stripe-call.js';

/** Sends one seller's share of a paid order, exactly once. */
export async function sellerTransfer(input: StripeCallInput): Promise<{ status: string }> {
  return await runStripeCall(input, {
    kind: 'transfer',
    attempt: (activities, id) => activities.sendTransfer(id),
    probe: (activities, id) => activities.probeTransfer(id),
  });
}
