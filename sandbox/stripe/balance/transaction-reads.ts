import { reversalObject } from '../http/objects.js';
import { PAGE_PARAMS, pageOf } from '../http/paging.js';
import { inRange, type Values } from '../http/params.js';
import { transactionObject } from '../http/payment-objects.js';
import { answer, type Caller, type Plan, refusal } from '../http/plan.js';
import { missing } from '../http/problems.js';
import type { BalanceTransactionRecord } from '../state/records.js';
import type { Store } from '../state/store.js';

export const LIST_TRANSACTIONS = {
  ...PAGE_PARAMS,
  created: { kind: 'range' },
  currency: { kind: 'currency' },
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
  const { created, currency, source, type } = params;
  const page = pageOf(
    {
      what: 'balance transaction',
      url: '/v1/balance_transactions',
      oldestFirst: caller.store.transactions().filter((row) => belongsTo(row, caller)),
      matches: (row) =>
        (currency === undefined || row.currency === currency) &&
        (source === undefined || row.source === source) &&
        (type === undefined || row.type === type) &&
        (created === undefined || inRange(row.created, created)),
    },
    params,
    (row) => {
      const object = transactionObject(row, caller.nowMs);
      return params.expand ? { ...object, source: sourceObject(caller.store, row.source) } : object;
    },
  );
  return 'problem' in page ? refusal(page.problem) : answer(page);
}

/** Of reversals alone: nothing else is asked for expanded. */
function sourceObject(store: Store, id: string) {
  const reversal = store.reversal(id);
  return reversal === undefined ? id : reversalObject(reversal);
}

const belongsTo = (row: BalanceTransactionRecord, { account, world }: Caller): boolean =>
  row.account === account && row.platform === world.platform && row.livemode === world.livemode;
