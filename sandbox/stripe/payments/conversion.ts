import type { ChargeRecord } from '../state/records.js';
import type { Store } from '../state/store.js';

/** An amount of the charge's currency in that of the balance which its money went to. */
export function inBalanceCurrency(store: Store, charge: ChargeRecord, amount: number) {
  const money = store.transaction(charge.balanceTransaction ?? '');
  const { currency = charge.currency, exchangeRate = null } = money ?? {};
  return { currency, exchangeRate, amount: exchangeRate === null ? amount : Math.round(amount * exchangeRate) };
}
