import { allFunds } from '../accounts/accounts.js';
import type { IdempotencyKeys } from '../http/idempotency.js';
import {
  payoutObject,
  type ReversalObject,
  reversalObject,
  type TransferObject,
  transferObject,
} from '../http/objects.js';
import { type IntentObject, transactionObject } from '../http/payment-objects.js';
import { chargeOf } from '../payments/charges.js';
import { disputeOf } from '../payments/disputes.js';
import { intentObject } from '../payments/intents.js';
import { refundOf } from '../payments/refunds.js';
import type { MovableClock } from '../state/movable-clock.js';
import type { AccountRecord, DeferredRecord, Funds, KeyRecord } from '../state/records.js';
import type { Store } from '../state/store.js';

/** Everything the stand-in holds, of both modes: what an auditor compares another ledger with. Newest first. */
export interface LedgerView {
  readonly transfers: readonly (TransferObject & { readonly platform: string })[];
  readonly reversals: readonly ReversalObject[];
  readonly payouts: readonly object[];
  /** That were made by the API before anybody paid them. */
  readonly paymentIntents: readonly IntentObject[];
  readonly charges: readonly ReturnType<typeof chargeOf>[];
  readonly refunds: readonly ReturnType<typeof refundOf>[];
  readonly disputes: readonly ReturnType<typeof disputeOf>[];
  readonly balanceTransactions: readonly (ReturnType<typeof transactionObject> & { readonly account: string })[];
  /** Accounts that were named at least once. */
  readonly accounts: readonly (Omit<AccountRecord, 'funds'> & { readonly balances: Readonly<Record<string, Funds>> })[];
  readonly keys: readonly (Omit<KeyRecord, 'body' | 'params'> & { readonly forgotten: boolean })[];
  readonly deferred: readonly DeferredRecord[];
  /** By currency, live and test together. */
  readonly totals: Readonly<
    Record<string, { transfers: number; transferred: number; reversals: number; reversed: number }>
  >;
}

export function ledgerView({
  store,
  keys,
  clock,
}: {
  store: Store;
  keys: IdempotencyKeys;
  clock: MovableClock;
}): LedgerView {
  const transfers = Array.from(store.transfers()).reverse();
  const reversals = transfers.flatMap(({ id }) => Array.from(store.reversalsOf(id)).reverse());
  const totals: Record<string, { transfers: number; transferred: number; reversals: number; reversed: number }> = {};
  for (const { currency, amount } of transfers) {
    totals[currency] ??= { transfers: 0, transferred: 0, reversals: 0, reversed: 0 };
    totals[currency].transfers += 1;
    totals[currency].transferred += amount;
  }
  for (const { currency, amount } of reversals) {
    const total = totals[currency];
    if (total === undefined) continue;
    total.reversals += 1;
    total.reversed += amount;
  }
  return {
    transfers: transfers.map((row) => ({ ...transferObject(store, row), platform: row.platform })),
    reversals: reversals.map(reversalObject),
    payouts: Array.from(store.payouts()).reverse().map(payoutObject),
    paymentIntents: Array.from(store.intents())
      .reverse()
      .flatMap(({ id }) => intentObject(store, id) ?? []),
    charges: Array.from(store.charges())
      .reverse()
      .map((row) => chargeOf(store, row)),
    refunds: Array.from(store.refunds())
      .reverse()
      .map((row) => refundOf(store, row)),
    disputes: Array.from(store.disputes())
      .reverse()
      .map((row) => disputeOf({ store, nowMs: clock.nowMs() }, row)),
    balanceTransactions: Array.from(store.transactions())
      .reverse()
      .map((row) => ({ ...transactionObject(row, clock.nowMs()), account: row.account })),
    accounts: store.accounts().map((account) => {
      const { funds: _funds, ...rest } = account;
      return { ...rest, balances: allFunds(account) };
    }),
    keys: store.keys().map(({ body: _body, params: _params, ...rest }) => ({
      ...rest,
      forgotten: clock.nowMs() - rest.firstAtMs >= keys.lifetimeMs(),
    })),
    deferred: store.deferred(),
    totals,
  };
}
