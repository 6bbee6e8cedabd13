import type {
  AccountRecord,
  BalanceTransactionRecord,
  ChargeRecord,
  DeferredRecord,
  DisputeRecord,
  IntentRecord,
  KeyRecord,
  PayoutRecord,
  RefundRecord,
  ReversalRecord,
  TransferRecord,
} from './records.js';

import { createTimeline } from './timeline.js';

/** One row written whole; what belongs together is committed together. */
export type Put =
  | { readonly table: 'account'; readonly row: AccountRecord }
  | { readonly table: 'transfer'; readonly row: TransferRecord }
  | { readonly table: 'reversal'; readonly row: ReversalRecord }
  | { readonly table: 'payout'; readonly row: PayoutRecord }
  | { readonly table: 'intent'; readonly row: IntentRecord }
  | { readonly table: 'charge'; readonly row: ChargeRecord }
  | { readonly table: 'refund'; readonly row: RefundRecord }
  | { readonly table: 'dispute'; readonly row: DisputeRecord }
  | { readonly table: 'transaction'; readonly row: BalanceTransactionRecord }
  | { readonly table: 'key'; readonly row: KeyRecord }
  | { readonly table: 'deferred'; readonly row: DeferredRecord }
  | { readonly table: 'clock'; readonly row: { readonly offsetMs: number } };

/** What can be read of all that was put. */
export interface Tables {
  account(id: string, livemode: boolean): AccountRecord | undefined;
  accounts(): readonly AccountRecord[];
  transfer(id: string): TransferRecord | undefined;
  /** Oldest first. */
  transfers(): readonly TransferRecord[];
  /** What draws on a charge, in order of arrival. */
  transfersFrom(charge: string): readonly TransferRecord[];
  reversal(id: string): ReversalRecord | undefined;
  /** Oldest first. */
  reversalsOf(transferId: string): readonly ReversalRecord[];
  payout(id: string): PayoutRecord | undefined;
  /** Oldest first. */
  payouts(): readonly PayoutRecord[];
  charge(id: string): ChargeRecord | undefined;
  intent(id: string): IntentRecord | undefined;
  /** Oldest first. */
  intents(): readonly IntentRecord[];
  /** The newest: one that failed may be followed by another. */
  chargeOf(paymentIntent: string): ChargeRecord | undefined;
  /** Oldest first. */
  charges(): readonly ChargeRecord[];
  refund(id: string): RefundRecord | undefined;
  /** Oldest first. */
  refunds(): readonly RefundRecord[];
  /** In order of arrival. */
  refundsOf(charge: string): readonly RefundRecord[];
  dispute(id: string): DisputeRecord | undefined;
  /** Oldest first. */
  disputes(): readonly DisputeRecord[];
  /** In order of arrival. */
  disputesOf(charge: string): readonly DisputeRecord[];
  transaction(id: string): BalanceTransactionRecord | undefined;
  /** Oldest first. */
  transactions(): readonly BalanceTransactionRecord[];
  /** What is pending. */
  unsettled(): readonly BalanceTransactionRecord[];
  key(scope: string, key: string): KeyRecord | undefined;
  keys(): readonly KeyRecord[];
  deferred(): readonly DeferredRecord[];
  clockOffsetMs(): number;
}

/** Rows in memory. */
export function createTables(): Tables & { readonly put: (put: Put) => void; readonly forget: () => void } {
  const accounts = new Map<string, AccountRecord>();
  const transfers = createTimeline<TransferRecord>(({ sourceTransaction }) => sourceTransaction);
  const reversals = createTimeline<ReversalRecord>(({ transfer }) => transfer);
  const payouts = createTimeline<PayoutRecord>();
  const intents = createTimeline<IntentRecord>();
  const charges = createTimeline<ChargeRecord>(({ paymentIntent }) => paymentIntent);
  const refunds = createTimeline<RefundRecord>(({ charge }) => charge);
  const disputes = createTimeline<DisputeRecord>(({ charge }) => charge);
  const transactions = createTimeline<BalanceTransactionRecord>();
  const unsettled = new Map<string, BalanceTransactionRecord>();
  const keys = new Map<string, KeyRecord>();
  const deferred = new Map<string, DeferredRecord>();
  let offsetMs = 0;

  const put = ({ table, row }: Put): void => {
    switch (table) {
      case 'account':
        accounts.set(modal(row.id, row.livemode), row);
        return;
      case 'transfer':
        transfers.put(row);
        return;
      case 'reversal':
        reversals.put(row);
        return;
      case 'payout':
        payouts.put(row);
        return;
      case 'intent':
        intents.put(row);
        return;
      case 'charge':
        charges.put(row);
        return;
      case 'refund':
        refunds.put(row);
        return;
      case 'dispute':
        disputes.put(row);
        return;
      case 'transaction':
        transactions.put(row);
        if (row.settled) unsettled.delete(row.id);
        else unsettled.set(row.id, row);
        return;
      case 'key':
        keys.set(scoped(row.scope, row.key), row);
        return;
      case 'deferred':
        deferred.set(row.id, row);
        return;
      case 'clock':
        offsetMs = row.offsetMs;
    }
  };
  const forget = (): void => {
    for (const table of [accounts, transfers, reversals, payouts, keys, deferred]) table.clear();
    for (const table of [intents, charges, refunds, disputes, transactions, unsettled]) table.clear();
    offsetMs = 0;
  };

  return {
    put,
    forget,
    account: (id, livemode) => accounts.get(modal(id, livemode)),
    accounts: () => Array.from(accounts.values()),
    transfer: (id) => transfers.get(id),
    transfers: () => transfers.oldestFirst(),
    transfersFrom: (charge) => transfers.of(charge),
    reversal: (id) => reversals.get(id),
    reversalsOf: (transferId) => reversals.of(transferId),
    payout: (id) => payouts.get(id),
    payouts: () => payouts.oldestFirst(),
    charge: (id) => charges.get(id),
    intent: (id) => intents.get(id),
    intents: () => intents.oldestFirst(),
    chargeOf: (paymentIntent) => charges.of(paymentIntent).at(-1),
    charges: () => charges.oldestFirst(),
    refund: (id) => refunds.get(id),
    refunds: () => refunds.oldestFirst(),
    refundsOf: (charge) => refunds.of(charge),
    dispute: (id) => disputes.get(id),
    disputes: () => disputes.oldestFirst(),
    disputesOf: (charge) => disputes.of(charge),
    transaction: (id) => transactions.get(id),
    transactions: () => transactions.oldestFirst(),
    unsettled: () => Array.from(unsettled.values()),
    key: (scope, key) => keys.get(scoped(scope, key)),
    keys: () => Array.from(keys.values()),
    deferred: () => Array.from(deferred.values()),
    clockOffsetMs: () => offsetMs,
  };
}

const modal = (id: string, livemode: boolean): string => `${livemode ? 'live' : 'test'}:${id}`;
/** Scopes hold no line break. */
const scoped = (scope: string, key: string): string => `${scope}\n${key}`;
