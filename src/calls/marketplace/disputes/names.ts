import type { StripeDispute } from '../../../domain/calls/provider-answers.js';
import type { PaymentId } from '../../../domain/ids.js';
import { isOfPayment } from '../../../domain/marketplace/disputes.js';
import type { Ledger } from '../../../ledger/ledger.js';
import type { FollowedDispute } from '../../../ledger/money-that-leaves/disputes.js';
import type { Hyperswitch } from '../../../providers/hyperswitch/client.js';
import type { HyperswitchAccount } from '../hyperswitch-account.js';

/** Hyperswitch, as far as it names disputes, and whose it is. */
export interface Naming extends Pick<Hyperswitch, 'readDispute' | 'disputesOf'> {
  readonly account: Pick<HyperswitchAccount, 'profileMisfit' | 'control'>;
}

export interface DisputeNamesDependencies {
  readonly ledger: Pick<Ledger, 'paymentToSearch' | 'paymentAtProcessor' | 'noteDispute'>;
  /** undefined: of payments that are not Hyperswitch's. */
  readonly hyperswitch: Naming | undefined;
}

/** What one reading came to. `unread`: nothing is concluded, and it is read again. */
export type Read =
  | { readonly kind: 'read' }
  | { readonly kind: 'unread'; readonly afterMs: number; readonly detail: string };

const AGAIN_MS = 60_000;
/** Only a person can change what is configured. */
export const MISFIT_AGAIN_MS = 10 * 60_000;

export const unread = (detail: string, afterMs = AGAIN_MS): Read => ({ kind: 'unread', afterMs, detail });

/** Under which payment Hyperswitch names a dispute. */
export function createDisputeNames({ ledger, hyperswitch }: DisputeNamesDependencies) {
  /** Hyperswitch may name it under this payment by now: Stripe told of it first, or it was named under another one. */
  async function askForName({ id, providerDisputeId }: FollowedDispute, payment: PaymentId): Promise<Read | undefined> {
    const at = await ledger.paymentToSearch(payment);
    if (!at || !hyperswitch) return undefined;
    const answer = await hyperswitch.disputesOf(at.hyperswitchPaymentId);
    if (answer.kind !== 'found') return unread(answer.detail);
    const named = answer.value.find((one) => one.providerDisputeId === providerDisputeId);
    if (!named) return undefined;
    const misfit = await hyperswitch.account.profileMisfit(named.profileId);
    if (misfit !== undefined) return unread(misfit, MISFIT_AGAIN_MS);
    await ledger.noteDispute(payment, id, named);
    return undefined;
  }

  /** Stripe's record is of another payment of ours: where Hyperswitch names it under that one by now, it goes there. */
  async function askForPayment(dispute: FollowedDispute, held: StripeDispute): Promise<Read | undefined> {
    if (isOfPayment({ payment: dispute.connectorTransactionId }, held) !== false) return undefined;
    const names = held.paymentIntent === null ? [held.charge] : [held.paymentIntent, held.charge];
    const payment = await ledger.paymentAtProcessor(names);
    return payment === undefined || payment === dispute.paymentId ? undefined : await askForName(dispute, payment);
  }

  return { askForName, askForPayment };
}
