import type { AttentionReason } from '../decisions/attention.js';
import type { DecidableKind } from '../decisions/decisions.js';

/** One meaning for all kinds, or others for some of them. */
type ByKind = { readonly [Kind in DecidableKind]?: string } & { readonly other: string };
/** Nothing is decided about a payout, and a person is asked about it all the same. */
export type AskedKind = DecidableKind | 'payout';
type Meanings = Readonly<Record<AttentionReason, string | ByKind>>;

const of = (meanings: Meanings, kind: AskedKind, reason: AttentionReason): string => {
  const meaning = meanings[reason];
  if (typeof meaning === 'string') return meaning;
  return (kind === 'payout' ? undefined : meaning[kind]) ?? meaning.other;
};

/** Why an item of this kind waits for a person, in a sentence for somebody who did not build it. */
export const whyAsked = (kind: AskedKind, reason: AttentionReason): string => of(WHY, kind, reason);

/** The page for it, in docs/runbooks. */
export const runbookOf = (kind: AskedKind, reason: AttentionReason): string =>
  `docs/runbooks/${of(RUNBOOKS, kind, reason)}.md`;

const WHY: Meanings = {
  credential_undecodable: 'what was posted is not a credential that can be read, so nothing could be sent',
  credential_refused: "the auth server refuses the payer's credential, in words of its own",
  credential_expired: "the payer's credential expired before the charge was collected",
  uncollectable:
    "the payer cannot pay, or a higher voucher took what this one covers; the payer's further charges wait behind it",
  unreadable_session: 'what is sealed cannot be decrypted with the keys we have, so nothing was sent; it is kept',
  settled_elsewhere_suspected: 'the money seems to be collected, but not by a call of ours',
  retries_exhausted: 'every retry has failed: the provider was ill for longer than the retries last',
  resource_missing: {
    payment: 'Hyperswitch had this payment and does not know it any more',
    refund: 'Hyperswitch had this refund and does not know it any more',
    other: 'Stripe knows no such transfer: it is of another account or mode, or its id is wrong',
  },
  missing_transfer_id: 'the transfer was imported without its id at Stripe, so nothing can be taken back of it',
  foreign_reversal: 'somebody else took all of this transfer back at Stripe: nobody knows what that was for',
  exceeds_remainder: 'somebody else took money back at Stripe, and less is left of the transfer than is due',
  partly_foreign_reversal: 'somebody else took money back at Stripe of which nobody has said what it was for',
  conflict: {
    settlement: 'an earlier call may have been our own success, or another amount was settled than was asked for',
    payment: 'the order was paid, and Hyperswitch now says otherwise',
    dispute: "sellers' shares are due and no cause is free to name them, or the records tell different things",
    other: 'our key, or our mark at the provider, stands for something else than we asked for',
  },
  provider_config: {
    settlement: 'until the credential expired nothing but the wrong server answered',
    other: "the seller's account does not allow it, or our key may not write",
  },
  balance_horizon: "the seller's balance at Stripe has been too low for longer than we wait",
  refund_failed_after_reversal: 'the buyer did not get the refund, and the sellers were charged for it',
  unknown_refund: 'Stripe holds a refund that Hyperswitch has not named for an hour',
  drift: 'the ledger and a provider tell different things',
  late_success: 'the money moved after the item was given up',
  approval_pending: 'somebody has asked for a decision that takes another person, who has not confirmed it yet',
  payment_amount_differs: 'what its provider captured is not the amount of the order',
  unknown_status: {
    payment: 'Hyperswitch calls the payment something that nothing follows from',
    refund: 'its provider calls the refund something that nothing follows from',
    other: 'Stripe calls it something that nothing follows from',
  },
  provider_mismatch: 'the key sees the account of somebody else, so nothing was sent and nothing concluded',
  cause_no_longer_holds: 'the refund for which this share is due is not called succeeded any more',
  seller_gone: 'the seller disconnected from the platform, or was rejected by Stripe',
  dispute: 'where the funds of a dispute are cannot be read here, or Stripe alone tells of it',
  retired_currency: 'it is in a currency that is none any more, in which Stripe moves nothing, so nothing is sent',
  capture_overdue:
    "the buyer's money is held, and nobody has captured it or called it off for longer than CAPTURE_OVERDUE",
  seller_owes:
    'the seller owes it, and no transfer to him has paid anything of what he owes for longer than REVERSAL_BALANCE_HORIZON',
  release_overdue: 'the share waits for somebody to release it, and nobody has for longer than RELEASE_OVERDUE',
  payout_failed: "a seller's bank did not take a payout of his: his money is back in his balance at Stripe",
};

const RUNBOOKS: Meanings = {
  credential_undecodable: 'needs-attention',
  credential_refused: 'needs-attention',
  credential_expired: 'credential-expiring',
  uncollectable: 'needs-attention',
  unreadable_session: 'needs-attention',
  settled_elsewhere_suspected: 'settled-elsewhere',
  retries_exhausted: { reversal: 'reversal-permanently-failed', other: 'stripe-outage-beyond-the-retry-horizon' },
  resource_missing: {
    payment: 'payment-needs-attention',
    refund: 'payment-needs-attention',
    other: 'stripe-key-rotated-or-revoked',
  },
  missing_transfer_id: 'historical-transfers-without-id',
  foreign_reversal: 'foreign-reversal',
  exceeds_remainder: 'foreign-reversal',
  partly_foreign_reversal: 'foreign-reversal',
  conflict: { payment: 'payment-needs-attention', dispute: 'dispute', other: 'needs-attention' },
  provider_config: { settlement: 'provider-outage', other: 'stripe-key-rotated-or-revoked' },
  balance_horizon: 'insufficient-balance',
  refund_failed_after_reversal: 'refund-failed-after-reversal',
  unknown_refund: 'dispute',
  drift: 'needs-attention',
  late_success: 'needs-attention',
  approval_pending: 'needs-attention',
  payment_amount_differs: 'payment-needs-attention',
  unknown_status: { payment: 'payment-needs-attention', other: 'needs-attention' },
  provider_mismatch: 'payment-needs-attention',
  cause_no_longer_holds: 'needs-attention',
  seller_gone: 'seller-gone',
  dispute: 'dispute',
  retired_currency: 'another-currency',
  release_overdue: 'release-overdue',
  payout_failed: 'payout-failed',
  capture_overdue: 'payment-needs-attention',
  seller_owes: 'seller-owes',
};
