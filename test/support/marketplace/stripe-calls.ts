import type { ReversalId, TransferId } from '../../../src/domain/ids.js';
import type { TestLedger } from '../ledger-fixtures.js';
import { unique } from './fixtures.js';
import { type MarketplaceSteps, SECOND } from './steps.js';

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

interface Parts {
  readonly test: TestLedger;
  readonly steps: MarketplaceSteps;
}

/**
 * Both kinds of calls to Stripe live by the same rules: what a test of these rules does to either of them.
 * @param parts asked for at each step, because a test file opens its ledger after its tests were described
 */
export function callsToStripe(parts: () => Parts) {
  const due = (kind: 'transfer' | 'reversal') => async () =>
    (await parts().test.ledger.dueItems(kind, 10_000)).map(({ id }) => id);
  return {
    transfer: {
      table: 'seller_transfers',
      /** One that nobody has sent yet. */
      make: async (seller = unique('acct')): Promise<string> =>
        (await parts().steps.paid({ [seller]: 1_000 })).transfers[seller]!,
      hold: (id: string, runner?: string) => parts().steps.holdTransfer(id as TransferId, runner),
      claim: (id: string, runner?: string) => parts().steps.claimTransfer(id as TransferId, runner),
      find: (id: string) => parts().steps.transfer(id as TransferId),
      release: (id: string, runner: string) =>
        parts().test.ledger.releaseTransfer(id as TransferId, runner, 30 * SECOND),
      adopt: (id: string, stripeId: string) => parts().test.ledger.adoptTransfer(id as TransferId, stripeId),
      dueIds: due('transfer'),
    },
    reversal: {
      table: 'reversals',
      make: async (): Promise<string> => (await orderWithReversals(parts().steps, [300])).reversals[0]!,
      hold: (id: string, runner?: string) => parts().steps.holdReversal(id as ReversalId, runner),
      claim: (id: string, runner?: string) => parts().steps.claimReversal(id as ReversalId, runner),
      find: (id: string) => parts().steps.reversal(id as ReversalId),
      release: (id: string, runner: string) =>
        parts().test.ledger.releaseReversal(id as ReversalId, runner, 30 * SECOND),
      adopt: (id: string, stripeId: string) => parts().test.ledger.adoptReversal(id as ReversalId, stripeId),
      dueIds: due('reversal'),
    },
  } as const;
}
