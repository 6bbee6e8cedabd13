import type { PaymentFacts, PaymentReadFacts, ReadAnswer } from '../../domain/calls/provider-answers.js';
import type { Attention } from '../../domain/decisions/attention.js';
import type { PaymentId } from '../../domain/ids.js';
import { capturedInWords, capturedOf, isSameCaptured } from '../../domain/marketplace/captured.js';
import { type Payment, type PaymentProvider, PROVIDER_NAMES } from '../../domain/marketplace/marketplace.js';
import type { Verification } from '../../ledger/decisions/decision-types.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { StripeReader } from './ask-stripe.js';
import { whyNoWord } from './no-word.js';
import type { Statement, Verifier } from './verification.js';

export interface HyperswitchVerifierDependencies {
  readonly ledger: Pick<Ledger, 'findPayment' | 'paymentAtStripe'>;
  /** Left out: HYPERSWITCH_… is not configured here. */
  readonly hyperswitch?:
    | { readPayment(hyperswitchPaymentId: string, id: PaymentId): Promise<ReadAnswer<PaymentFacts>> }
    | undefined;
  /** undefined: STRIPE_SECRET_KEY is not set here. */
  readonly stripe: StripeReader | undefined;
}

/** What its provider shows of it now; undefined: nothing of it was ever made from here. */
async function readNow(
  payment: Payment,
  { ledger, hyperswitch, stripe }: HyperswitchVerifierDependencies,
): Promise<ReadAnswer<PaymentReadFacts> | 'not_set' | undefined> {
  const { id, provider, hyperswitchPaymentId: name, stripePaymentId: intent } = payment;
  if (provider === 'hyperswitch') {
    if (name === null) return undefined;
    return hyperswitch ? await hyperswitch.readPayment(name, id) : 'not_set';
  }
  if ((await ledger.paymentAtStripe(id))?.takenElsewhere !== false) return undefined;
  const calls = stripe?.inLane('persons');
  if (!calls?.readIntent || !calls.findIntent) return 'not_set';
  return await (intent === null ? calls.findIntent(id) : calls.readIntent(intent));
}

const NOT_SET: Readonly<Record<PaymentProvider, string>> = {
  hyperswitch: 'Hyperswitch cannot be asked here: set HYPERSWITCH_BASE_URL and HYPERSWITCH_API_KEY',
  stripe: 'Stripe cannot be asked here: set STRIPE_SECRET_KEY',
};

/** Also while a request about it waits for its approval. */
const isAboutUnnamed = (attention: Attention | null): boolean =>
  attention?.reason === 'unknown_refund' ||
  (attention?.reason === 'approval_pending' && attention.detail.includes('unknown_refund:'));

/** Before it is said what became of a payment: it must be what the ledger takes it for, and not one that its provider calls paid by now. */
export const paymentVerifier =
  (dependencies: HyperswitchVerifierDependencies): Verifier =>
  async ({ itemId, action }: Statement): Promise<Verification> => {
    const payment = await dependencies.ledger.findPayment(itemId as PaymentId);
    const answer = payment && (await readNow(payment, dependencies));
    if (!payment || answer === undefined) return { kind: 'not_needed' };
    const at = PROVIDER_NAMES[payment.provider];
    if (answer === 'not_set') return { kind: 'unanswered', detail: NOT_SET[payment.provider] };
    if (answer.kind === 'missing') return { kind: 'absent' };
    if (answer.kind !== 'found') return { kind: 'unanswered', detail: whyNoWord(at, answer) };
    const { status, providerStatus, amount, amountReceived, currency } = answer.value;
    const captured = capturedOf(payment, answer.value);
    const isWhole = amount === payment.amount && (amountReceived ?? amount) === amount && currency === payment.currency;
    const isPaid = status === 'succeeded' && isWhole;
    if (isPaid && payment.status !== 'succeeded')
      return {
        kind: 'refuted',
        detail: `${at} calls it succeeded, in full: resolve it with retry, and the order is paid`,
      };
    // What the processor alone holds is no matter of what Hyperswitch calls the payment.
    if (isPaid && action === 'given_back' && !isAboutUnnamed(payment.attention))
      return { kind: 'refuted', detail: `${at} calls it succeeded, in full: resolve it with retry` };
    if (!isPaid && action === 'not_given_back')
      return {
        kind: 'refuted',
        detail: `${at} calls it ${providerStatus}, and does not say that the money is back`,
      };
    // What is decided about is what the ledger holds: it has to have been read.
    if (!isSameCaptured(captured, payment.captured))
      return {
        kind: 'refuted',
        detail: `what ${at} has captured of it is ${capturedInWords(captured)} now, and was ${capturedInWords(payment.captured)} when it was read (minor units): resolve it with retry, which reads it again, and then decide`,
      };
    return { kind: 'found', providerId: payment.hyperswitchPaymentId ?? payment.stripePaymentId ?? payment.id };
  };
