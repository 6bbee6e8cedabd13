import type { ReversalId, TransferId } from '../../../src/domain/ids.js';
import { SECOND_MS } from '../durations.js';
import type { TestLedger } from '../ledger-fixtures.js';
import { unique } from './fixtures.js';
import { type MarketplaceSteps } from './steps.js';

/** Reversals of one transfer of 1000, one for each refund. */
export async function orderWithReversals(steps: MarketplaceSteps, amounts: readonly number[]) {
  const seller = unique('acct');
  const order = await steps.paid({ [seller]: 1_000 });
  const transferId = order.transfers[seller]!;
  await steps.send(transferId);
  for (const amount of amounts) await steps.refunded(order.id, amount);
  const reversals = (await steps.find(order.id)).reversals.map(({ id }) => id);
  return { order, seller, transferId, reversals };
}

/** Both kinds of calls to Stripe live by the same rules: what a test of these rules does to either of them. */
export function callsToStripe({ ledger }: TestLedger, steps: MarketplaceSteps) {
  const due = (kind: 'transfer' | 'reversal') => async () => (await ledger.dueItems(kind, 10_000)).map(({ id }) => id);
  return {
    transfer: {
      table: 'seller_transfers',
      /** One that nobody has sent yet. */
      make: async (seller = unique('acct')): Promise<string> =>
        (await steps.paid({ [seller]: 1_000 })).transfers[seller]!,
      hold: (id: string, runner?: string) => steps.holdTransfer(id as TransferId, runner),
      claim: (id: string, runner?: string) => steps.claimTransfer(id as TransferId, runner),
      find: (id: string) => steps.transfer(id as TransferId),
      release: (id: string, runner: string) => ledger.releaseTransfer(id as TransferId, runner, 30 * SECOND_MS),
      adopt: (id: string, stripeId: string) => ledger.adoptTransfer(id as TransferId, stripeId),
      dueIds: due('transfer'),
    },
    reversal: {
      table: 'reversals',
      make: async (): Promise<string> => (await orderWithReversals(steps, [300])).reversals[0]!,
      hold: (id: string, runner?: string) => steps.holdReversal(id as ReversalId, runner),
      claim: (id: string, runner?: string) => steps.claimReversal(id as ReversalId, runner),
      find: (id: string) => steps.reversal(id as ReversalId),
      release: (id: string, runner: string) => ledger.releaseReversal(id as ReversalId, runner, 30 * SECOND_MS),
      adopt: (id: string, stripeId: string) => ledger.adoptReversal(id as ReversalId, stripeId),
      dueIds: due('reversal'),
    },
  } as const;
}
