import type { ReversalId, TransferId } from '../../../src/domain/ids.js';
import { MINUTE_MS } from '../durations.js';
import { unique } from './fixtures.js';
import { type MarketplaceSteps, REFUSED, UNKNOWN } from './steps.js';

/** Calls to Stripe that a person is asked about. */
export function askedCalls(steps: MarketplaceSteps) {
  /** A reversal of this amount that was refused, and of which Stripe's records hold nothing. */
  async function refusedReversal(amount = 300): Promise<ReversalId> {
    const seller = unique('acct');
    const order = await steps.paid({ [seller]: 5_000 });
    await steps.send(order.transfers[seller]!);
    await steps.refunded(order.id, amount);
    const { id } = (await steps.find(order.id)).reversals[0]!;
    await steps.reverse(id, REFUSED, { provedAbsent: true });
    return id;
  }
  /** Every retry went unanswered. */
  async function exhausted(kind: 'transfer' | 'reversal'): Promise<string> {
    const seller = unique('acct');
    const order = await steps.paid({ [seller]: 500 });
    const transfer = order.transfers[seller]!;
    if (kind === 'reversal') {
      await steps.send(transfer);
      await steps.refunded(order.id, 300);
    }
    const id = kind === 'transfer' ? transfer : (await steps.find(order.id)).reversals[0]!.id;
    for (let attempt = 0; attempt < 6; attempt += 1) {
      await (kind === 'transfer' ? steps.send(id as TransferId, UNKNOWN) : steps.reverse(id as ReversalId, UNKNOWN));
      steps.pass(MINUTE_MS);
    }
    return id;
  }
  const itemOf = (kind: 'transfer' | 'reversal', id: string) =>
    kind === 'transfer' ? steps.transfer(id as TransferId) : steps.reversal(id as ReversalId);

  return { refusedReversal, exhausted, itemOf };
}
