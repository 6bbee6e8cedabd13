import type { KeyedAnswer, PaymentReadFacts, ReadAnswer } from '../../domain/calls/provider-answers.js';
import type { PaymentId } from '../../domain/ids.js';
import type { PaymentProvider } from '../../domain/marketplace/marketplace.js';
import type { PaymentTerms } from '../../domain/marketplace/payment-capture.js';
import type { ClaimedCapture, ClaimedPayment } from '../../ledger/calls/call-types.js';
import type { Held } from '../../ledger/calls/hyperswitch-rows.js';

import type { HyperswitchAccount } from './hyperswitch-account.js';
import type { HyperswitchCall } from './hyperswitch-step.js';

/** What of making, cancelling and following a payment depends on who its provider is. */
export interface PaymentPort<Facts extends PaymentReadFacts> {
  readonly provider: PaymentProvider;
  readonly account: Pick<HyperswitchAccount, 'verify'>;
  /** Of one attempt. */
  callOf(
    claim: ClaimedPayment,
    runner: string,
  ): Pick<HyperswitchCall<Facts>, 'looksFirst' | 'keyTells' | 'leaves' | 'make' | 'read' | 'control'>;
  read(claim: Pick<ClaimedPayment, 'id' | 'hyperswitchPaymentId' | 'stripePaymentId'>): Promise<ReadAnswer<Facts>>;
  /** By its name at the provider. */
  readNamed(name: string): Promise<ReadAnswer<Facts>>;
  cancel(key: string, name: string): Promise<KeyedAnswer<Facts>>;
  /** Captures a part of it. @param held by which this may go on */
  capture(part: ClaimedCapture, held: Held<PaymentId>): Promise<KeyedAnswer<Facts>>;
  /** Why this answer is not about our account, or not about the profile that the payment was made under. */
  misfit(facts: Facts, terms: Pick<PaymentTerms, 'profileId'>): Promise<string | undefined>;
  /** Takes up what was refunded of it, by whomever. @returns why that could not be read */
  searchRefunds(of: Pick<ClaimedPayment, 'id' | 'hyperswitchPaymentId'>): Promise<string | undefined>;
  /** The same of disputes that an event told of, and of what nobody told of. */
  searchMore(id: PaymentId, told: readonly { readonly type: string }[]): Promise<string | undefined>;
}
