import { assertNever } from '../../domain/assert-never.js';
import type { KeyedAnswer, PaymentReadFacts, ReadAnswer } from '../../domain/calls/provider-answers.js';
import type { PaymentId } from '../../domain/ids.js';
import { isCapturable, type PaymentTerms } from '../../domain/marketplace/payment-capture.js';
import type { ClaimedCapture } from '../../ledger/calls/call-types.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { CancelDependencies } from './payment-cancel.js';
import type { PaymentPort } from './payment-port.js';

export interface CaptureDependencies<Facts extends PaymentReadFacts> extends Pick<CancelDependencies<Facts>, 'apply'> {
  readonly ledger: Pick<Ledger, 'claimCapture' | 'captureAnswered' | 'paymentUnread' | 'askAboutPayment'>;
  readonly port: Pick<PaymentPort<Facts>, 'capture' | 'readNamed' | 'misfit'>;
  readonly holdMs: number;
}

const READ_AGAIN_MS = 5_000;

/**
 * Captures the part of a payment that is asked for, once. Hyperswitch honours no key for it, so whatever the call says, what is read of the
 * payment afterwards decides; a part whose answer is lost is sent again only when three readings, ten minutes apart, do not show it, or
 * with its key at Stripe, which honours that.
 */
export function createPaymentCapture<Facts extends PaymentReadFacts>({
  ledger,
  port,
  holdMs,
  apply,
}: CaptureDependencies<Facts>) {
  /** @returns whether a part was sent */
  return async function captureIfDue(
    { id, runner }: { readonly id: PaymentId; readonly runner: string },
    terms: PaymentTerms,
  ): Promise<boolean> {
    const claim = await ledger.claimCapture({ id, runner, holdMs });
    if (!claim) return false;
    const answer = await port.capture(claim, { id, runner });
    const read = answer.kind === 'done' ? undefined : await port.readNamed(claim.name);
    const facts = answer.kind === 'done' ? answer.value : read?.kind === 'found' ? read.value : undefined;
    const misfit = facts && (await port.misfit(facts, terms));
    if (misfit !== undefined)
      await ledger.askAboutPayment({ id, runner, certainty: 'done', reason: 'provider_mismatch', detail: misfit });
    else if (facts) await apply({ id, runner, facts, readAgainMs: null });
    else
      await ledger.paymentUnread({
        id,
        runner,
        certainty: 'done',
        detail: detailOf(answer),
        nextCheckMs: READ_AGAIN_MS,
      });
    const said = misfit === undefined && !differs(facts, claim) ? saidBy(answer, facts) : 'unknown';
    await ledger.captureAnswered({ id, capture: claim.id, said, detail: misfit ?? detailOf(answer) });
    return true;
  };
}

/** What is said of other money says nothing of this part. */
const differs = (facts: PaymentReadFacts | undefined, { paymentAmount, currency }: ClaimedCapture): boolean =>
  facts !== undefined && (facts.amount !== paymentAmount || facts.currency !== currency);

const detailOf = (answer: KeyedAnswer<PaymentReadFacts> | ReadAnswer<PaymentReadFacts>): string =>
  'detail' in answer ? answer.detail : 'carried out';

/** A no is one only where the payment, read after it, can still be captured: else nobody knows what the no was about. */
function saidBy(
  answer: KeyedAnswer<PaymentReadFacts>,
  facts: PaymentReadFacts | undefined,
): 'unknown' | 'nothing' | 'refused' {
  switch (answer.kind) {
    case 'done':
    case 'unclear':
      return 'unknown';
    case 'refused':
    case 'short':
      return facts && isCapturable(facts.providerStatus) ? 'refused' : 'unknown';
    case 'busy':
      return answer.executed === 'no' ? 'nothing' : 'unknown';
    case 'misdirected':
      return 'nothing';
    default:
      return assertNever(answer);
  }
}
