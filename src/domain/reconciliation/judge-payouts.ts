import type { PayoutFacts } from '../calls/payout-answers.js';
import type { Suspicion } from './drift.js';
import type { HeldPayout } from './ledger-rows.js';

/** Payouts of sellers: what Stripe shows of one, against the row. No item of ours is about it but the payout itself. */

const says = ({ status, amount, currency }: Pick<HeldPayout, 'status' | 'amount' | 'currency'>): string =>
  `${status}: ${amount} ${currency}`;

const about = (held: PayoutFacts): Omit<Suspicion, 'kind' | 'ledgerSays'> => ({
  provider: 'stripe',
  providerId: held.externalPayoutId,
  parentId: held.sellerAccount,
  item: null,
  amount: held.amount,
  currency: held.currency,
  providerSays: `${says(held)} of ${held.sellerAccount}, made ${held.madeAt}`,
});

/** How far Stripe and the row tell the same. `behind`: nobody reads it again by itself, and it went on at Stripe. */
export function stateOfPayout(held: PayoutFacts, known: HeldPayout): 'same' | 'under_way' | 'behind' | 'differs' {
  const same =
    held.amount === known.amount && held.currency === known.currency && held.sellerAccount === known.sellerAccount;
  if (!same) return 'differs';
  if (held.status === known.status) return 'same';
  return known.underWay ? 'under_way' : 'behind';
}

export function judgePayout(held: PayoutFacts, known: HeldPayout): Suspicion | undefined {
  const state = stateOfPayout(held, known);
  return state === 'same' || state === 'under_way' ? undefined : differing(held, known);
}

const differing = (held: PayoutFacts, known: HeldPayout): Suspicion => ({
  ...about(held),
  kind: 'payout_differs',
  ledgerSays: `${says(known)} of ${known.sellerAccount}`,
});

export const unknownPayout = (held: PayoutFacts): Suspicion => ({
  ...about(held),
  kind: 'payout_unknown',
  ledgerSays: 'nothing',
});

export const missingPayout = (row: HeldPayout): Suspicion => ({
  kind: 'payout_missing',
  provider: 'stripe',
  providerId: row.externalPayoutId,
  parentId: row.sellerAccount,
  item: null,
  amount: row.amount,
  currency: row.currency,
  ledgerSays: `${says(row)} of ${row.sellerAccount}`,
  providerSays: 'no such payout',
});
