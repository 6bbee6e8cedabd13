import type { DisputeId, PaymentId, RefundId } from '../../domain/ids.js';
import type { PaymentProvider } from '../../domain/marketplace/marketplace.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { ItemOfPayment } from '../../ledger/money-that-leaves/payment-searches.js';
import type { FollowStep } from '../steps.js';
import type { DisputeFollow } from './disputes/follow.js';

/** What is done of payments, and of the refunds and disputes of them, whoever their provider is. */
export interface PaymentCalls {
  readonly advancePayment: (id: PaymentId) => Promise<FollowStep>;
  readonly advanceRefund: (id: RefundId) => Promise<FollowStep>;
  readonly advanceDispute: (id: DisputeId) => Promise<FollowStep>;
  /** Reads it now, and has what is read followed in the ledger. */
  readonly readDispute: DisputeFollow['readDispute'];
  /** Looks for disputes and refunds that nobody told of. @returns why not all of it could be read */
  readonly searchPayment: (id: PaymentId) => Promise<string | undefined>;
}

/** Only a person can change what is configured. */
const NOT_HERE_AGAIN_MS = 10 * 60_000;

const NOT_HERE: Readonly<Record<PaymentProvider, string>> = {
  hyperswitch: 'Hyperswitch cannot be asked here: set HYPERSWITCH_BASE_URL and HYPERSWITCH_API_KEY',
  stripe: 'Stripe cannot be asked here: set STRIPE_SECRET_KEY',
};

/** Each at the provider of its payment, which the ledger knows; of one that is not configured here nothing is concluded. */
export function atItsProvider(
  ledger: Pick<Ledger, 'paymentProviderOf'>,
  providers: Readonly<Record<PaymentProvider, PaymentCalls | undefined>>,
): PaymentCalls {
  async function ofItem<Outcome>(
    item: ItemOfPayment,
    call: (calls: PaymentCalls) => Promise<Outcome>,
    notHere: (why: string) => Outcome,
  ): Promise<Outcome> {
    const provider = await ledger.paymentProviderOf(item);
    if (provider === undefined) throw new Error(`${item.kind} ${item.id} is not in the ledger`);
    const calls = providers[provider];
    return calls ? await call(calls) : notHere(NOT_HERE[provider]);
  }
  const later = (why: string): FollowStep => ({ kind: 'later', afterMs: NOT_HERE_AGAIN_MS, why });
  return {
    advancePayment: (id) => ofItem({ kind: 'payment', id }, (calls) => calls.advancePayment(id), later),
    advanceRefund: (id) => ofItem({ kind: 'refund', id }, (calls) => calls.advanceRefund(id), later),
    advanceDispute: (id) => ofItem({ kind: 'dispute', id }, (calls) => calls.advanceDispute(id), later),
    readDispute: (id) =>
      ofItem(
        { kind: 'dispute', id },
        (calls) => calls.readDispute(id),
        (detail) => ({ kind: 'unread', afterMs: NOT_HERE_AGAIN_MS, detail }),
      ),
    searchPayment: (id) =>
      ofItem(
        { kind: 'payment', id },
        (calls) => calls.searchPayment(id),
        (why) => why,
      ),
  };
}
