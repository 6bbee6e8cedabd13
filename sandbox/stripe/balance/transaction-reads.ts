import { reversalObject } from '../http/objects.js';
import { PAGE_PARAMS, pageOf } from '../http/paging.js';
import { inRange, type Values } from '../http/params.js';
import { destinationPaymentObject, transactionObject } from '../http/payment-objects.js';
import { answer, type Caller, type Plan, refusal } from '../http/plan.js';
import { invalid, missing } from '../http/problems.js';
import type { BalanceTransactionRecord } from '../state/records.js';
import type { Store } from '../state/store.js';

export const LIST_TRANSACTIONS = {
  ...PAGE_PARAMS,
  created: { kind: 'range' },
  currency: { kind: 'currency' },
  payout: { kind: 'text' },
  source: { kind: 'text' },
  type: { kind: 'text' },
  expand: { kind: 'expandSource' },
} as const;

export function readTransaction(caller: Caller, id: string): Plan {
  const row = caller.store.transaction(id);
  return row !== undefined && belongsTo(row, caller)
    ? answer(transactionObject(row, caller.nowMs))
    : refusal(missing('balance transaction', id, 'id'));
}

export function listTransactions(caller: Caller, params: Values<typeof LIST_TRANSACTIONS>): Plan {
  const { created, currency, payout: paidOut, source, type } = params;
  if (paidOut !== undefined) {
    const problem = notListed(caller, paidOut);
    if (problem) return refusal(problem);
  }
  const page = pageOf(
    {
      what: 'balance transaction',
      url: '/v1/balance_transactions',
      oldestFirst: caller.store.transactions().filter((row) => belongsTo(row, caller)),
      matches: (row) =>
        (currency === undefined || row.currency === currency) &&
        (paidOut === undefined || row.payout === paidOut) &&
        (source === undefined || row.source === source) &&
        (type === undefined || row.type === type) &&
        (created === undefined || inRange(row.created, created)),
    },
    params,
    (row) => {
      const object = transactionObject(row, caller.nowMs);
      return params.expand ? { ...object, source: sourceObject(caller.store, row) } : object;
    },
  );
  return 'problem' in page ? refusal(page.problem) : answer(page);
}

/** Only of a payout of this account, and of one that Stripe made by itself. */
function notListed({ store, account, world }: Caller, id: string) {
  const payout = store.payout(id);
  if (payout?.account !== account || payout.livemode !== world.livemode) return missing('payout', id, 'payout');
  return payout.automatic
    ? undefined
    : invalid('Balance transaction history can only be filtered on automatic transfers, not manual.', {
        param: 'payout',
      });
}

/** Of reversals and of sellers' payments: nothing else is asked for expanded. */
function sourceObject(store: Store, { source, transfer }: BalanceTransactionRecord) {
  const sent = transfer === undefined ? undefined : store.transfer(transfer);
  if (sent) return destinationPaymentObject(sent);
  const reversal = store.reversal(source);
  return reversal === undefined ? source : reversalObject(reversal);
}

const belongsTo = (row: BalanceTransactionRecord, { account, world }: Caller): boolean =>
  row.account === account && row.platform === world.platform && row.livemode === world.livemode;
