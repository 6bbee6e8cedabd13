/** What one run compares, one part after the other; each goes on where it was, and none waits for another's provider. */
export const RECONCILED_PARTS = [
  'stripe-transfers',
  'stripe-reversals',
  'stripe-disputes',
  'stripe-payments',
  'stripe-refunds',
  /** Of one seller after the other, as each of them. */
  'stripe-payouts',
  'hyperswitch-payments',
  'hyperswitch-refunds',
  'chain-nonces',
  'workflows',
  /** Last: everything that was suspected in this run, or is told already, is looked at again by itself. */
  'second-look',
] as const;
export type ReconciledPart = (typeof RECONCILED_PARTS)[number];

/** Parts in which a provider's list is read; the ledger's rows that it does not name are suspected. */
export type ListedPart = Exclude<ReconciledPart, 'chain-nonces' | 'workflows' | 'second-look'>;

export const SECOND_LOOK = 'second-look' satisfies ReconciledPart;

/** Events and answers of a provider arrive, and are acted on, within this: what is younger is on its way. */
export const YOUNG_MS = 15 * 60_000;
/** A run begins where the last one ended, less this, so that what was too young then is seen again. */
export const OVERLAP_MS = 60 * 60_000;
/** Between the two looks of one run: a call, an event or a reading that was under way at the first one has ended. */
export const LOOK_AGAIN_AFTER_MS = 60_000;
