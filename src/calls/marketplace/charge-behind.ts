import type { ReadAnswer } from '../../domain/calls/provider-answers.js';
import { unfitAsSource } from '../../domain/marketplace/charge-source.js';
import type { ChargeReading } from '../../ledger/calls/payment-charges.js';
import type { StripeCalls } from '../../providers/stripe/client.js';

type ChargeReads = Pick<StripeCalls, 'readLatestCharge' | 'readCharge' | 'readBalanceMovement'>;

/** `mayPass`: another read may tell more. */
type Unread = { readonly kind: 'unread'; readonly why: string; readonly mayPass: boolean };

/** The charge that paid a PaymentIntent, as far as transfers may be drawn from it. What is not in our account is not there. */
export async function chargeBehind(stripe: ChargeReads, paymentIntent: string): Promise<ChargeReading | Unread> {
  const intent = await stripe.readLatestCharge(paymentIntent);
  if (intent.kind !== 'found') return notRead(intent);
  const { chargeId } = intent.value;
  if (chargeId === null) return { kind: 'unfit', why: `${paymentIntent} was paid by no charge` };
  const charge = await stripe.readCharge(chargeId);
  if (charge.kind !== 'found') return notRead(charge);
  const { balanceTransactionId, livemode, amountCaptured: captured, currency: paidIn } = charge.value;
  const unfit = unfitAsSource(charge.value);
  if (unfit !== undefined) return { kind: 'unfit', why: unfit };
  // Stripe books it soon after the capture.
  if (balanceTransactionId === null) return { kind: 'unread', why: `${chargeId} is in no balance yet`, mayPass: true };
  const balance = await stripe.readBalanceMovement(balanceTransactionId);
  if (balance.kind !== 'found') return notRead(balance);
  const { amount: became, currency, exchangeRate } = balance.value;
  const converted = currency !== paidIn;
  if (converted && (became <= 0n || captured <= 0n))
    return { kind: 'unfit', why: `${captured} ${paidIn} of ${chargeId} became ${became} ${currency}` };
  const rate = converted ? { paidIn, captured, became, exchangeRate } : null;
  return { kind: 'charge', chargeId, currency, rate, livemode };
}

function notRead(answer: Exclude<ReadAnswer<never>, { kind: 'found' }>): ChargeReading | Unread {
  const { kind, detail } = answer;
  if (kind === 'missing') return { kind: 'unfit', why: `not at this Stripe account: ${detail}` };
  return { kind: 'unread', why: detail, mayPass: kind !== 'misdirected' };
}
