import { assertNever } from '../../domain/assert-never.js';
import type { Certainty } from '../../domain/calls/certainty.js';
import type { PaymentReadFacts } from '../../domain/calls/provider-answers.js';
import type { PaymentId } from '../../domain/ids.js';
import { PROVIDER_NAMES } from '../../domain/marketplace/marketplace.js';
import type { PaymentTerms } from '../../domain/marketplace/payment-capture.js';
import type { ClaimedCancel } from '../../ledger/calls/call-types.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { PaymentPort } from './payment-port.js';

export interface CancelDependencies<Facts extends PaymentReadFacts> {
  readonly ledger: Pick<Ledger, 'claimCancel' | 'cancelAnswered' | 'paymentUnread' | 'askAboutPayment'>;
  readonly port: Pick<PaymentPort<Facts>, 'provider' | 'cancel' | 'readNamed' | 'misfit'>;
  readonly holdMs: number;
  readonly expiryMs: number;
  /** What was read; gives the claim back. */
  readonly apply: (reading: {
    readonly id: PaymentId;
    readonly runner: string;
    readonly facts: Facts;
    readonly readAgainMs: number | null;
  }) => Promise<void>;
}

interface Cancelled<Facts> {
  readonly certainty: Certainty;
  readonly detail: string;
  readonly facts: Facts | undefined;
  /** It did not arrive: who asked for it still wants it. */
  readonly again?: boolean;
}

const READ_AGAIN_MS = 5_000;

const differs = (facts: PaymentReadFacts, { amount, currency }: ClaimedCancel, at: string): string | undefined =>
  facts.amount === amount && facts.currency === currency
    ? undefined
    : `${at} answered about ${facts.amount} ${facts.currency}, and this payment is of ${amount} ${currency}`;

/**
 * Cancels a payment that a person wants cancelled, or that its buyer has left: at its provider first. Whatever the call
 * says, the payment is what is read of it afterwards, so a success that came just before wins.
 */
export function createPaymentCancel<Facts extends PaymentReadFacts>({
  ledger,
  port,
  holdMs,
  expiryMs,
  apply,
}: CancelDependencies<Facts>) {
  const at = PROVIDER_NAMES[port.provider];

  return async function cancelIfDue(
    { id, runner }: { readonly id: PaymentId; readonly runner: string },
    readAgainMs: number | null,
    terms: PaymentTerms,
  ): Promise<void> {
    const claim = await ledger.claimCancel({ id, runner, holdMs, expiryMs });
    if (!claim) return;
    const { certainty, detail, facts, again = false } = await cancel(claim);
    const misfit = facts && (await port.misfit(facts, terms));
    if (misfit !== undefined)
      await ledger.askAboutPayment({ id, runner, certainty: 'done', reason: 'provider_mismatch', detail: misfit });
    else if (facts) await apply({ id, runner, facts, readAgainMs });
    else
      await ledger.paymentUnread({ id, runner, certainty: 'done', detail, nextCheckMs: readAgainMs ?? READ_AGAIN_MS });
    // What is said of another merchant's payment, or of other money, says nothing of this cancel.
    const other = misfit ?? (facts && differs(facts, claim, at));
    await ledger.cancelAnswered(
      other === undefined ? { id, certainty, detail, again } : { id, certainty: 'unknown', detail: other },
    );
    // What is left cannot be called off: what was captured is all that comes, and pays the order.
    if (certainty === 'absent' && facts && other === undefined) await apply({ id, runner, facts, readAgainMs });
  };

  async function cancel({ key, name }: ClaimedCancel): Promise<Cancelled<Facts>> {
    const answer = await port.cancel(key, name);
    const read = answer.kind === 'done' ? undefined : await port.readNamed(name);
    const facts = answer.kind === 'done' ? answer.value : read?.kind === 'found' ? read.value : undefined;
    if (facts?.status === 'cancelled') return { certainty: 'done', detail: `cancelled at ${at}`, facts };
    if (answer.kind !== 'refused' && facts?.final && facts.providerStatus === 'partially_captured')
      return { certainty: 'done', detail: `what was left of it is called off at ${at}`, facts };
    if (facts?.status === 'succeeded') return { certainty: 'absent', detail: 'it was paid before', facts };
    switch (answer.kind) {
      case 'done':
        return { certainty: 'unknown', detail: `${at} calls it ${answer.value.providerStatus}`, facts };
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
