import { moneyText } from '../http/money-text.js';
import type { Caller } from '../http/plan.js';
import { invalid, missing, type Problem } from '../http/problems.js';
import { ownCharge } from '../payments/charges.js';
import type { BalanceTransactionRecord, ChargeRecord } from '../state/records.js';

export interface Wanted {
  readonly amount: number;
  readonly currency: string;
  readonly source_transaction: string;
  readonly transfer_group: string | undefined;
}

export interface Source {
  readonly charge: ChargeRecord;
  /** The charge with the group that Stripe assigned. */
  readonly grouped: ChargeRecord;
  readonly transferGroup: string;
  readonly money: BalanceTransactionRecord;
}

/**
 * The charge that a transfer draws on, whatever the balance (docs.stripe.com/connect/separate-charges-and-transfers,
 * "Transfer availability"). Stripe assigns the group: the charge's own, or one made of its PaymentIntent. Another one beside a charge
 * that has one is refused, as people who sent both report; beside a charge that has none, ours gives way. What was reversed does not
 * make room for another transfer: our reading, the documents do not say.
 */
export function sourceOf(caller: Caller, wanted: Wanted): Source | { readonly problem: Problem } {
  const { store } = caller;
  const { amount, currency, source_transaction: id, transfer_group } = wanted;
  const charge = ownCharge(caller, id);
  if (charge === undefined) return { problem: missing('charge', id, 'source_transaction') };
  if (!charge.captured) return refuse('Cannot use an uncaptured charge as a source_transaction');
  const money = charge.balanceTransaction === null ? undefined : store.transaction(charge.balanceTransaction);
  if (charge.status === 'failed' || money === undefined) {
    return refuse('Cannot use a failed charge as a source_transaction');
  }
  if (money.currency !== currency) {
    return refuse(
      `The currency of source_transaction's balance transaction (${money.currency}) must be the same as the transfer currency (${currency})`,
    );
  }
  const earlier = store.transfersFrom(id);
  const drawn = earlier.reduce((sum, each) => sum + each.amount, 0);
  if (drawn + amount > money.amount) return refuse(exceeded(money, earlier.length, drawn));
  if (transfer_group !== undefined && charge.transferGroup !== null && transfer_group !== charge.transferGroup) {
    const message = `The transfer_group of source_transaction is ${charge.transferGroup}; a transfer from it cannot have another one.`;
    return { problem: invalid(message, { param: 'transfer_group' }) };
  }
  const transferGroup = charge.transferGroup ?? `group_${charge.paymentIntent}`;
  return { charge, grouped: { ...charge, transferGroup }, transferGroup, money };
}

const refuse = (message: string) => ({ problem: invalid(message, { param: 'source_transaction' }) });

function exceeded({ amount, currency }: BalanceTransactionRecord, earlier: number, drawn: number): string {
  const most = `Transfers using this transaction as a source must not exceed the source amount of ${moneyText(amount, currency)}.`;
  if (earlier === 0) return most;
  const there = earlier === 1 ? 'is already a transfer' : `are already ${earlier} transfers`;
  return `${most} (There ${there} using this source, amounting to ${moneyText(drawn, currency)}.)`;
}
