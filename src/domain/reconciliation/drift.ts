import type { DriftId } from '../ids.js';
import type { MarketplaceKind } from '../marketplace/marketplace.js';

/**
 * How the ledger and a provider can tell different things. `unknown`: the provider has it and the ledger does not.
 * `missing`: the ledger says that it happened and the provider does not have it. `differs`: both have it, and not the same.
 */
export const DRIFT_KINDS = [
  'transfer_unknown',
  'transfer_missing',
  'transfer_differs',
  'reversal_unknown',
  'reversal_missing',
  'reversal_differs',
  'dispute_unknown',
  'dispute_missing',
  'dispute_differs',
  'payment_unknown',
  'payment_missing',
  'payment_differs',
  'refund_unknown',
  'refund_missing',
  'refund_differs',
  'payout_unknown',
  'payout_missing',
  'payout_differs',
  'settlement_unknown',
  'settlement_missing',
  'workflow_gone',
] as const;
export type DriftKind = (typeof DRIFT_KINDS)[number];

export const DRIFT_STATES = ['open', 'closed'] as const;
/** `suspected`: seen once, which proves nothing, and shown to nobody. */
export type DriftState = 'suspected' | (typeof DRIFT_STATES)[number];
/** `agrees`: a later run saw both tell the same. `accepted`: a person said so. `repaired`: by the run that found it. */
export const DRIFT_ENDS = ['agrees', 'accepted', 'repaired'] as const;
export type DriftEnd = (typeof DRIFT_ENDS)[number];

export const DRIFT_PROVIDERS = ['stripe', 'hyperswitch', 'chain', 'temporal'] as const;
export type DriftProvider = (typeof DRIFT_PROVIDERS)[number];

export interface DriftItem {
  readonly kind: 'settlement' | MarketplaceKind;
  readonly id: string;
}

/** What one look saw. */
export interface Suspicion {
  readonly kind: DriftKind;
  readonly provider: DriftProvider;
  /** What it is called there. */
  readonly providerId: string;
  /** Of a reversal the transfer at Stripe it is of, of a refund its payment; null: nothing is needed to read it again. */
  readonly parentId: string | null;
  /** What of ours it is about; null: nothing. */
  readonly item: DriftItem | null;
  /** Minor units of the currency, or atomic units of the asset. */
  readonly amount: bigint | null;
  readonly currency: string | null;
  /** In words, for people. */
  readonly ledgerSays: string;
  readonly providerSays: string;
}

export interface Drift extends Suspicion {
  readonly id: DriftId;
  readonly state: DriftState;
  readonly openedAt: string | null;
  readonly lastSeenAt: string;
  readonly closedAt: string | null;
  readonly closedWhy: DriftEnd | null;
  readonly closedBy: string | null;
  readonly closedNote: string | null;
  /** One more each time that one of the two sides tells something else. */
  readonly version: number;
  /** Who asked that it be accepted, where that takes a second person; null: nobody. */
  readonly asked: { readonly by: string; readonly note: string; readonly at: string } | null;
}

/** A sentence for somebody who did not build it. */
export const driftInWords: Readonly<Record<DriftKind, string>> = {
  transfer_unknown: 'Stripe holds a transfer that the ledger does not know',
  transfer_missing: 'the ledger has sent this transfer, and Stripe does not have it',
  transfer_differs: 'the transfer at Stripe moves other money than the one in the ledger',
  reversal_unknown: 'Stripe holds a reversal that the ledger does not know',
  reversal_missing: 'the ledger has taken this share back, and Stripe has no such reversal in effect',
  reversal_differs: 'the reversal at Stripe takes other money than the one in the ledger',
  dispute_unknown: 'Stripe holds a dispute of a payment of ours that the ledger does not know',
  dispute_missing: 'the ledger has a dispute that Stripe does not have',
  dispute_differs: 'other funds of the dispute are out at Stripe than in the ledger',
  payment_unknown: 'a payment was captured that the ledger does not know',
  payment_missing: 'the ledger has this payment, and its provider does not have it',
  payment_differs: 'the provider of this payment tells something else of it than the ledger',
  refund_unknown: 'a payment of ours was refunded, and the ledger does not know of it',
  refund_missing: 'the ledger has this refund, and its provider does not have it',
  refund_differs: 'the provider of this refund tells something else of it than the ledger',
  payout_unknown: 'Stripe holds a payout of a seller that the ledger did not know; it was taken in',
  payout_missing: 'the ledger has this payout of a seller, and Stripe does not have it',
  payout_differs: 'Stripe tells something else of this payout of a seller than the ledger',
  settlement_unknown:
    "the payer's authorization is used or cancelled on chain, and the ledger does not have it settled",
  settlement_missing: "the ledger has this charge settled, and the payer's authorization is unused on chain",
  workflow_gone: 'the workflow of an unfinished item was ended from outside, or is gone; it was started again',
};
