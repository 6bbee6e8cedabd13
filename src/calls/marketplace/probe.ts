import { assertNever } from '../../domain/assert-never.js';
import { mayHaveMoved } from '../../domain/calls/certainty.js';
import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { ReversalId, TransferId } from '../../domain/ids.js';
import { reversalAtStripe, transferAtStripe } from '../../domain/marketplace/ours-at-stripe.js';
import type { Recorded } from '../../ledger/calls/call-types.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { MarketplaceItem } from '../../ledger/marketplace/marketplace-types.js';
import type { Stripe } from '../../providers/stripe/client.js';
import type { CallStep } from '../steps.js';
import { lookForReversal } from './reversal-look.js';
import type { Looked } from './stripe-call-types.js';
import { lookForTransfer } from './transfer-call.js';

export interface ProbeDependencies {
  readonly ledger: Pick<Ledger, 'findReversal' | 'findTransfer' | 'adoptReversal' | 'adoptTransfer' | 'nextProbe'>;
  readonly stripe: Stripe;
  readonly wake: (items: readonly MarketplaceItem[]) => void;
}

/** An hour between looks: Stripe may finish a request that it answered with 500 long before, and nothing else tells. */
const PROBE_EVERY_MS = 3_600_000;

/** undefined: what was read does not say. Of what is hopeless only a conflict shows anything of ours. */
function foundOurs(looked: Looked): boolean | undefined {
  if (looked.kind === 'unread') return undefined;
  return looked.kind !== 'absent' && (looked.kind !== 'hopeless' || looked.why === 'conflict');
}

/**
 * Retries are exhausted and nobody knows whether the money moved: Stripe's records are read from time to time, nothing is
 * sent, and what turns out to be ours is adopted without anybody's help.
 */
export function createProbes({ ledger, stripe, wake }: ProbeDependencies) {
  async function take(
    item: { kind: 'transfer' | 'reversal'; id: string; reason: AttentionReason; detail: string },
    looked: Looked,
    adopt: (ours: Extract<Looked, { kind: 'ours' }>) => Promise<Recorded>,
  ): Promise<CallStep> {
    const { reason, detail } = item;
    switch (looked.kind) {
      case 'ours': {
        const { status, started } = await adopt(looked);
        wake(started);
        return { kind: 'final', status };
      }
      case 'unfinished':
      case 'strange':
      case 'ended':
      case 'absent':
      case 'hopeless':
      case 'unread':
        await ledger.nextProbe(item, foundOurs(looked), PROBE_EVERY_MS);
        return { kind: 'attention', reason, detail, unknown: true };
      default:
        return assertNever(looked);
    }
  }

  return {
    async reversal(id: ReversalId): Promise<CallStep> {
      const reversal = await ledger.findReversal(id);
      if (!reversal) throw new Error(`reversal ${id} is not in the ledger`);
      const { attention, stripeTransferId } = reversal;
      if (attention === null || stripeTransferId === null || !mayHaveMoved(reversal.certainty))
        return { kind: 'later', afterMs: 1, why: 'nothing is to be found out' };
      const looked = await lookForReversal(stripe, {
        ...reversal,
        stripeTransferId,
        atStripe: reversalAtStripe(reversal),
      });
      return await take({ kind: 'reversal', id, ...attention }, looked, ({ stripeId }) =>
        ledger.adoptReversal(id, stripeId),
      );
    },

    async transfer(id: TransferId): Promise<CallStep> {
      const transfer = await ledger.findTransfer(id);
      if (!transfer) throw new Error(`transfer ${id} is not in the ledger`);
      const { attention } = transfer;
      if (attention === null || !mayHaveMoved(transfer.certainty))
        return { kind: 'later', afterMs: 1, why: 'nothing is to be found out' };
      const looked = await lookForTransfer(stripe, { ...transfer, atStripe: transferAtStripe(transfer) });
      return await take({ kind: 'transfer', id, ...attention }, looked, ({ stripeId, others }) =>
        ledger.adoptTransfer(id, stripeId, others),
      );
    },
  };
}
