import { assertNever } from '../../domain/assert-never.js';
import type { Certainty } from '../../domain/calls/certainty.js';
import type { PaymentFacts } from '../../domain/calls/provider-answers.js';
import type { PaymentId } from '../../domain/ids.js';
import type { ClaimedCancel } from '../../ledger/calls/call-types.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Hyperswitch } from '../../providers/hyperswitch/client.js';
import type { HyperswitchAccount } from './hyperswitch-account.js';

export interface CancelDependencies {
  readonly ledger: Pick<Ledger, 'claimCancel' | 'cancelAnswered' | 'paymentUnread' | 'askAboutPayment'>;
  readonly hyperswitch: Pick<Hyperswitch, 'cancelPayment' | 'readPayment'>;
  readonly account: HyperswitchAccount;
  readonly holdMs: number;
  readonly expiryMs: number;
  /** What was read; gives the claim back. */
  readonly apply: (reading: {
    readonly id: PaymentId;
    readonly runner: string;
    readonly facts: PaymentFacts;
    readonly readAgainMs: number | null;
  }) => Promise<void>;
}

interface Cancelled {
  readonly certainty: Certainty;
  readonly detail: string;
  readonly facts: PaymentFacts | undefined;
  /** It did not arrive: who asked for it still wants it. */
  readonly again?: boolean;
}

const READ_AGAIN_MS = 5_000;

const differs = (facts: PaymentFacts, { amount, currency }: ClaimedCancel): string | undefined =>
  facts.amount === amount && facts.currency === currency
    ? undefined
    : `Hyperswitch answered about ${facts.amount} ${facts.currency}, and this payment is of ${amount} ${currency}`;

/**
 * Cancels a payment that a person wants cancelled, or that its buyer has left: at Hyperswitch first. Whatever the call
 * says, the payment is what is read of it afterwards, so a success that came just before wins.
 */
export function createPaymentCancel({ ledger, hyperswitch, account, holdMs, expiryMs, apply }: CancelDependencies) {
  return async function cancelIfDue(
    { id, runner }: { readonly id: PaymentId; readonly runner: string },
    readAgainMs: number | null,
    profileId: string | null = null,
  ): Promise<void> {
    const claim = await ledger.claimCancel({ id, runner, holdMs, expiryMs });
    if (!claim) return;
    const { certainty, detail, facts, again = false } = await cancel(claim);
    const misfit = facts && (await account.misfit(facts.owner, profileId));
    if (misfit !== undefined)
      await ledger.askAboutPayment({ id, runner, certainty: 'done', reason: 'provider_mismatch', detail: misfit });
    else if (facts) await apply({ id, runner, facts, readAgainMs });
    else
      await ledger.paymentUnread({ id, runner, certainty: 'done', detail, nextCheckMs: readAgainMs ?? READ_AGAIN_MS });
    // What is said of another merchant's payment, or of other money, says nothing of this cancel.
    const other = misfit ?? (facts && differs(facts, claim));
    await ledger.cancelAnswered(
      other === undefined ? { id, certainty, detail, again } : { id, certainty: 'unknown', detail: other },
    );
    // What is left cannot be called off: what was captured is all that comes, and pays the order.
    if (certainty === 'absent' && facts && other === undefined) await apply({ id, runner, facts, readAgainMs });
  };

  async function cancel({ key, hyperswitchPaymentId }: ClaimedCancel): Promise<Cancelled> {
    const answer = await hyperswitch.cancelPayment(key, hyperswitchPaymentId);
    const read = answer.kind === 'done' ? undefined : await hyperswitch.readPayment(hyperswitchPaymentId);
    const facts = answer.kind === 'done' ? answer.value : read?.kind === 'found' ? read.value : undefined;
    if (facts?.status === 'cancelled') return { certainty: 'done', detail: 'cancelled at Hyperswitch', facts };
    if (answer.kind !== 'refused' && facts?.final && facts.providerStatus === 'partially_captured')
      return { certainty: 'done', detail: 'what was left of it is called off at Hyperswitch', facts };
    if (facts?.status === 'succeeded') return { certainty: 'absent', detail: 'it was paid before', facts };
    switch (answer.kind) {
      case 'done':
        return { certainty: 'unknown', detail: `Hyperswitch calls it ${answer.value.providerStatus}`, facts };
      case 'refused':
      case 'short':
        return { certainty: 'absent', detail: answer.detail, facts };
      case 'misdirected':
        return { certainty: 'absent', detail: answer.detail, facts, again: true };
      case 'busy':
        return {
          certainty: answer.executed === 'no' ? 'absent' : 'unknown',
          detail: answer.detail,
          facts,
          again: true,
        };
      case 'unclear':
        return { certainty: 'unknown', detail: answer.detail, facts };
      default:
        return assertNever(answer);
    }
  }
}
