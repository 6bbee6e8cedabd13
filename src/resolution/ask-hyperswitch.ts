import type { PaymentId } from '../domain/ids.js';
import type { PaymentFacts, ReadAnswer } from '../domain/provider-answers.js';
import type { Verification } from '../ledger/decision-types.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Claimed, Verifier } from './verification.js';

export interface HyperswitchVerifierDependencies {
  readonly ledger: Pick<Ledger, 'findPayment'>;
  /** Left out: HYPERSWITCH_… is not configured here. */
  readonly hyperswitch?:
    | { readPayment(hyperswitchPaymentId: string, id: PaymentId): Promise<ReadAnswer<PaymentFacts>> }
    | undefined;
}

/** Before a payment is given up: it must not be one that Hyperswitch calls paid, in full, by now. */
export const paymentVerifier =
  ({ ledger, hyperswitch }: HyperswitchVerifierDependencies): Verifier =>
  async ({ itemId }: Claimed): Promise<Verification> => {
    const payment = await ledger.findPayment(itemId as PaymentId);
    if (!payment || payment.hyperswitchPaymentId === null) return { kind: 'not_needed' };
    if (!hyperswitch)
      return {
        kind: 'unanswered',
        detail: 'Hyperswitch cannot be asked here: set HYPERSWITCH_BASE_URL and HYPERSWITCH_API_KEY',
      };
    const answer = await hyperswitch.readPayment(payment.hyperswitchPaymentId, payment.id);
    if (answer.kind === 'missing') return { kind: 'absent' };
    if (answer.kind !== 'found') return { kind: 'unanswered', detail: `Hyperswitch did not answer: ${answer.detail}` };
    const { status, amount, amountReceived, currency } = answer.value;
    const isPaid = status === 'succeeded' && amount === payment.amount && currency === payment.currency;
    return isPaid && (amountReceived ?? amount) === amount && payment.status !== 'succeeded'
      ? {
          kind: 'refuted',
          detail: 'Hyperswitch calls it succeeded, in full: resolve it with retry, and the order is paid',
        }
      : { kind: 'found', providerId: payment.hyperswitchPaymentId };
  };
