import type { PaymentFacts, ReadAnswer } from '../../domain/calls/provider-answers.js';
import type { Attention } from '../../domain/decisions/attention.js';
import type { PaymentId } from '../../domain/ids.js';
import { capturedInWords, capturedOf, isSameCaptured } from '../../domain/marketplace/captured.js';
import type { Verification } from '../../ledger/decisions/decision-types.js';
import type { Ledger } from '../../ledger/ledger.js';
import { whyNoWord } from './no-word.js';
import type { Statement, Verifier } from './verification.js';

export interface HyperswitchVerifierDependencies {
  readonly ledger: Pick<Ledger, 'findPayment'>;
  /** Left out: HYPERSWITCH_… is not configured here. */
  readonly hyperswitch?:
    | { readPayment(hyperswitchPaymentId: string, id: PaymentId): Promise<ReadAnswer<PaymentFacts>> }
    | undefined;
}

/** Also while a request about it waits for its approval. */
const isAboutUnnamed = (attention: Attention | null): boolean =>
  attention?.reason === 'unknown_refund' ||
  (attention?.reason === 'approval_pending' && attention.detail.includes('unknown_refund:'));

/** Before it is said what became of a payment: it must be what the ledger takes it for, and not one that Hyperswitch calls paid by now. */
export const paymentVerifier =
  ({ ledger, hyperswitch }: HyperswitchVerifierDependencies): Verifier =>
  async ({ itemId, action }: Statement): Promise<Verification> => {
    const payment = await ledger.findPayment(itemId as PaymentId);
    if (!payment || payment.hyperswitchPaymentId === null) return { kind: 'not_needed' };
    if (!hyperswitch)
      return {
        kind: 'unanswered',
        detail: 'Hyperswitch cannot be asked here: set HYPERSWITCH_BASE_URL and HYPERSWITCH_API_KEY',
      };
    const answer = await hyperswitch.readPayment(payment.hyperswitchPaymentId, payment.id);
    if (answer.kind === 'missing') return { kind: 'absent' };
    if (answer.kind !== 'found') return { kind: 'unanswered', detail: whyNoWord('Hyperswitch', answer) };
    const { status, providerStatus, amount, amountReceived, currency } = answer.value;
    const captured = capturedOf(payment, answer.value);
    const isWhole = amount === payment.amount && (amountReceived ?? amount) === amount && currency === payment.currency;
    const isPaid = status === 'succeeded' && isWhole;
    if (isPaid && payment.status !== 'succeeded')
      return {
        kind: 'refuted',
        detail: 'Hyperswitch calls it succeeded, in full: resolve it with retry, and the order is paid',
      };
    // What the processor alone holds is no matter of what Hyperswitch calls the payment.
    if (isPaid && action === 'given_back' && !isAboutUnnamed(payment.attention))
      return { kind: 'refuted', detail: 'Hyperswitch calls it succeeded, in full: resolve it with retry' };
    if (!isPaid && action === 'not_given_back')
      return {
        kind: 'refuted',
        detail: `Hyperswitch calls it ${providerStatus}, and does not say that the money is back`,
      };
    // What is decided about is what the ledger holds: it has to have been read.
    if (!isSameCaptured(captured, payment.captured))
      return {
        kind: 'refuted',
        detail: `what Hyperswitch has captured of it is ${capturedInWords(captured)} now, and was ${capturedInWords(payment.captured)} when it was read (minor units): resolve it with retry, which reads it again, and then decide`,
      };
    return { kind: 'found', providerId: payment.hyperswitchPaymentId };
  };
