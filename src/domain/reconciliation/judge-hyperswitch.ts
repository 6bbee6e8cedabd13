import type { PaymentFacts, RefundFacts } from '../calls/provider-answers.js';
import type { Suspicion } from './drift.js';
import { money, paymentSays, refundSays } from './in-words.js';
import type { HeldPayment, HeldRefund } from './ledger-rows.js';

export function judgePayment(held: PaymentFacts, known: HeldPayment | undefined): Suspicion | undefined {
  const common = {
    provider: 'hyperswitch' as const,
    providerId: held.hyperswitchPaymentId,
    parentId: null,
    amount: held.amount,
    currency: held.currency,
    providerSays: `${held.providerStatus}: ${money(held)}${held.amountReceived === null ? '' : `, ${held.amountReceived} captured`}`,
  };
  if (!known) {
    // A checkout of somebody else is none of our business; money without an owner is.
    const took = (held.amountReceived ?? 0n) > 0n || held.capturedByWord === 'the_whole';
    return took ? { ...common, kind: 'payment_unknown', item: null, ledgerSays: 'nothing' } : undefined;
  }
  const captured = known.captured === null || held.amountReceived === null || known.captured === held.amountReceived;
  const same =
    money(held) === money(known) &&
    (!known.final || ((held.status === known.status || isPaidByPart(held, known)) && captured));
  if (known.underWay || same) return undefined;
  return {
    ...common,
    kind: 'payment_differs',
    item: { kind: 'payment', id: known.id },
    ledgerSays: paymentSays(known),
  };
}

/** Read as it was when that part was taken for the whole. */
const isPaidByPart = ({ capturedByWord }: PaymentFacts, { paidByPart, status }: HeldPayment): boolean =>
  paidByPart && status === 'succeeded' && capturedByWord !== 'given_back';

/** @param paymentId our payment that it is of; null: none of ours */
export function judgeRefund(
  held: RefundFacts,
  { known, paymentId }: { readonly known: HeldRefund | undefined; readonly paymentId: string | null },
): Suspicion | undefined {
  const common = {
    provider: 'hyperswitch' as const,
    providerId: held.hyperswitchRefundId,
    parentId: held.hyperswitchPaymentId,
    amount: held.amount,
    currency: held.currency,
    providerSays: `${held.providerStatus}: ${money(held)} of ${held.hyperswitchPaymentId}`,
  };
  if (!known) {
    return paymentId === null || held.status === 'failed'
      ? undefined
      : { ...common, kind: 'refund_unknown', item: { kind: 'payment', id: paymentId }, ledgerSays: 'nothing' };
  }
  const same =
    money(held) === money(known) &&
    held.hyperswitchPaymentId === known.providerPaymentId &&
    (!known.final || held.status === known.status);
  if (known.underWay || same) return undefined;
  return { ...common, kind: 'refund_differs', item: { kind: 'refund', id: known.id }, ledgerSays: refundSays(known) };
}
