import type { BalanceMovement } from '../../domain/calls/provider-answers.js';
import type { JsonObject } from '../../domain/json.js';
import { arrayAt, isObject } from '../../protocols/wire-json.js';
import { currencyAt, integerAt } from './facts.js';

/** Available amounts by currency; may be negative: a seller can owe. */
export function availableBalance(object: JsonObject): ReadonlyMap<string, bigint> | undefined {
  const entries = object['object'] === 'balance' ? arrayAt(object, 'available') : undefined;
  if (entries === undefined) return undefined;
  const available = new Map<string, bigint>();
  for (const entry of entries) {
    if (!isObject(entry)) return undefined;
    const amount = integerAt(entry, 'amount');
    const currency = currencyAt(entry);
    if (amount === undefined || currency === undefined) return undefined;
    available.set(currency, (available.get(currency) ?? 0n) + amount);
  }
  return available;
}

/** One line of a balance. */
export function balanceMovement(object: JsonObject): BalanceMovement | undefined {
  const amount = object['object'] === 'balance_transaction' ? integerAt(object, 'amount') : undefined;
  const currency = currencyAt(object);
  const rate = object['exchange_rate'];
  if (amount === undefined || currency === undefined) return undefined;
  return { amount, currency, exchangeRate: typeof rate === 'number' && Number.isFinite(rate) ? `${rate}` : null };
}
