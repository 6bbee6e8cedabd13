import { accountOf, credited } from '../accounts/accounts.js';
import { type PlanContext, seconds } from '../http/plan.js';
import {
  type AccountRecord,
  type BalanceTransactionRecord,
  type BalanceTransactionType,
  newId,
} from '../state/records.js';
import type { Put } from '../state/tables.js';

export interface Booking {
  /** Default: a new one. */
  readonly id?: string;
  readonly account: string;
  readonly type: BalanceTransactionType;
  /** Negative: away. */
  readonly amount: number;
  readonly fee?: number;
  readonly currency: string;
  readonly exchangeRate?: number | null;
  readonly source: string;
  /** Unix seconds; default: now. Until then it is pending. */
  readonly availableOn?: number | undefined;
  /** Of a seller's payment, what it came of. */
  readonly transfer?: string;
  /** Where the type alone does not say (docs.stripe.com/reports/reporting-categories). */
  readonly category?: string;
}

const CATEGORIES: Readonly<Record<BalanceTransactionType, string>> = {
  adjustment: 'other_adjustment',
  charge: 'charge',
  payment: 'charge',
  payment_failure_refund: 'charge_failure',
  payment_refund: 'refund',
  payout: 'payout',
  payout_failure: 'payout_reversal',
  refund: 'refund',
  refund_failure: 'refund_failure',
  topup: 'topup',
  transfer: 'transfer',
  transfer_refund: 'transfer_reversal',
};

/** The lines of some movements and the balances after all of them: to be committed as one, with what caused them. */
export function booked({ store, world, nowMs }: PlanContext, bookings: readonly Booking[]): readonly Put[] {
  const accounts = new Map<string, AccountRecord>();
  const transactions: BalanceTransactionRecord[] = [];
  const created = seconds(nowMs);
  for (const booking of bookings) {
    const { account, type, amount, fee = 0, currency, availableOn = created } = booking;
    const settled = availableOn <= created;
    const before = accounts.get(account) ?? accountOf(store, account, world.livemode);
    const net = { amount: amount - fee, currency };
    accounts.set(account, credited(before, net, settled ? 'available' : 'pending'));
    transactions.push({
      ...world,
      id: booking.id ?? newId('txn'),
      account,
      type,
      category: booking.category ?? CATEGORIES[type],
      amount,
      fee,
      exchangeRate: booking.exchangeRate ?? null,
      currency,
      source: booking.source,
      created,
      availableOn,
      settled,
      ...(booking.transfer === undefined ? {} : { transfer: booking.transfer }),
    });
  }
  return [
    ...Array.from(accounts.values(), (row) => ({ table: 'account', row }) as const),
    ...transactions.map((row) => ({ table: 'transaction', row }) as const),
  ];
}
