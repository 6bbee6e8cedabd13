import type { StripeReader } from '../../../src/calls/decisions/ask-stripe.js';
import type { OrderIn } from './fixtures.js';

/** An order of which half was refunded: one share is reversed, one failed for good. */
export const STUCK: OrderIn = {
  transfers: [{ amount: 600 }, { amount: 400 }],
  refunds: [
    {
      amount: 500,
      reversals: [
        { transfer: 0, amount: 300, status: 'reversed' },
        { transfer: 1, amount: 200, status: 'permanently_failed' },
      ],
    },
  ],
};

type Read = ReturnType<StripeReader['inLane']>;

/** A Stripe that says this of any transfer. */
export const stripeSays = (
  transfer: Awaited<ReturnType<Read['readTransfer']>>,
  group: Awaited<ReturnType<Read['transfersTo']>> = { kind: 'missing', detail: 'none' },
): StripeReader => ({
  inLane: () => ({
    readTransfer: () => Promise.resolve(transfer),
    readDispute: () => Promise.resolve({ kind: 'missing' as const, detail: 'none' }),
    transfersTo: () => Promise.resolve(group),
  }),
});
