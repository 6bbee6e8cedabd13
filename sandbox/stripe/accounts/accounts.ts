import { accountInvalid, missing, noCapability, type Problem, rejected } from '../http/problems.js';
import type { AccountRecord, Funds, World } from '../state/records.js';
import type { Store } from '../state/store.js';

/** As of any new account, the platform's too. */
const NOTHING: Funds = { available: 0, pending: 0 };

const ACCOUNT_ID = /^acct_[A-Za-z0-9_]{1,64}$/;

/** Every well-formed account exists and may be transferred to until a switch says otherwise. */
export function accountOf(store: Store, id: string, livemode: boolean): AccountRecord {
  const known = store.account(id, livemode);
  if (known !== undefined) return known;
  const access = ACCOUNT_ID.test(id) ? 'granted' : 'missing';
  return { id, livemode, access, transfers: 'active', liable: false, funds: {} };
}

export const fundsOf = (account: AccountRecord, currency: string): Funds => account.funds[currency] ?? NOTHING;

export interface Money {
  /** Negative: away. */
  readonly amount: number;
  readonly currency: string;
}

/** The account after money moved into or out of its balance. */
export function credited(
  account: AccountRecord,
  { amount, currency }: Money,
  where: keyof Funds = 'available',
): AccountRecord {
  const funds = fundsOf(account, currency);
  const after = { ...funds, [where]: funds[where] + amount };
  return { ...account, funds: { ...account.funds, [currency]: after } };
}

/** What an amount is in the account's own balance, today. */
export function inOwnBalance({ settlesIn }: AccountRecord, { amount, currency }: Money) {
  return settlesIn === undefined || settlesIn === null || settlesIn.currency === currency
    ? { amount, currency, exchangeRate: null }
    : { amount: Math.round(amount * settlesIn.rate), currency: settlesIn.currency, exchangeRate: settlesIn.rate };
}

/** Every currency the account has touched; one that touched none shows none of US dollars. */
export const allFunds = (account: AccountRecord): Readonly<Record<string, Funds>> =>
  Object.keys(account.funds).length === 0 ? { usd: NOTHING } : account.funds;

/** Why a request may not act for this account (header Stripe-Account, or a path that names it). */
export function barred(store: Store, world: World, id: string): Problem | undefined {
  if (id === world.platform) return undefined;
  return accountOf(store, id, world.livemode).access === 'granted' ? undefined : accountInvalid(id);
}

/** Why nothing can be sent to this account. */
export function unreachable(store: Store, world: World, id: string): Problem | undefined {
  const account = accountOf(store, id, world.livemode);
  if (account.access === 'missing') return missing('destination', id, 'destination');
  if (account.access === 'revoked') return accountInvalid(id);
  if (isRejected(account)) return rejected;
  return account.transfers === 'active' ? undefined : noCapability;
}

export const isRejected = ({ disabledReason }: Pick<AccountRecord, 'disabledReason'>): boolean =>
  disabledReason?.startsWith('rejected.') ?? false;
