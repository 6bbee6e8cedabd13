import {
  LIST_PAYOUTS,
  listCapabilities,
  listPayouts,
  readAccount,
  readBalance,
  readBalanceSettings,
  readCapability,
  readPayout,
} from '../accounts/account-reads.js';
import { LIST_TRANSACTIONS, listTransactions, readTransaction } from '../balance/transaction-reads.js';
import { LIST_CHARGES, listCharges, readCharge } from '../payments/charges.js';
import { listDisputes, readDispute } from '../payments/disputes.js';
import {
  CANCEL_PAYMENT_INTENT,
  CAPTURE_PAYMENT_INTENT,
  CONFIRM_PAYMENT_INTENT,
  CREATE_PAYMENT_INTENT,
  cancelPaymentIntent,
  capturePaymentIntent,
  confirmPaymentIntent,
  createPaymentIntent,
  LIST_PAYMENT_INTENTS,
  listPaymentIntents,
  readPaymentIntent,
  SEARCH_PAYMENT_INTENTS,
  searchPaymentIntents,
} from '../payments/intents.js';
import { CREATE_REFUND, createRefund, LIST_OF_CHARGE, listRefunds, readRefund } from '../payments/refunds.js';
import {
  CREATE_REVERSAL,
  createReversal,
  LIST_REVERSALS,
  listReversals,
  readReversal,
} from '../transfers/reversals.js';
import {
  CREATE_TRANSFER,
  createTransfer,
  LIST_TRANSFERS,
  listTransfers,
  readTransfer,
  UPDATE_TRANSFER,
  updateTransfer,
} from '../transfers/transfers.js';
import { type FormPairs, readForm } from './form.js';
import { type ParamSpec, readParams, type Values } from './params.js';
import type { Caller, Plan } from './plan.js';
import type { Problem } from './problems.js';

/** Names of faults, limits and counts. */
export const ENDPOINTS = [
  'account',
  'balance',
  'transfers.create',
  'transfers.read',
  'transfers.update',
  'transfers.list',
  'reversals.create',
  'reversals.read',
  'reversals.list',
  'payouts.read',
  'payouts.list',
  'charges.read',
  'charges.list',
  'payment_intents.create',
  'payment_intents.read',
  'payment_intents.list',
  'payment_intents.search',
  'payment_intents.confirm',
  'payment_intents.cancel',
  'payment_intents.capture',
  'balance_transactions.read',
  'balance_transactions.list',
  'refunds.create',
  'refunds.read',
  'refunds.list',
  'disputes.read',
  'disputes.list',
  'capabilities.read',
  'capabilities.list',
  'balance_settings',
] as const;
export type EndpointName = (typeof ENDPOINTS)[number];

interface Endpoint {
  readonly name: EndpointName;
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  /** Reads the parameters; what can be read is planned later, when locks and keys allow it. */
  readonly read: (ids: readonly string[], pairs: FormPairs) => Reading;
}

export type Reading = { readonly problem: Problem } | { readonly plan: (caller: Caller) => Plan };

function reading<Spec extends ParamSpec>(
  spec: Spec,
  plan: (caller: Caller, ids: readonly string[], values: Values<Spec>) => Plan,
): Endpoint['read'] {
  return (ids, pairs) => {
    const read = readParams(spec, readForm(pairs));
    return 'problem' in read ? read : { plan: (caller) => plan(caller, ids, read.values) };
  };
}

const first = (ids: readonly string[]): string => ids[0] ?? '';
const second = (ids: readonly string[]): string => ids[1] ?? '';

const TABLE: readonly Endpoint[] = [
  {
    name: 'transfers.create',
    method: 'POST',
    path: /^\/v1\/transfers$/,
    read: reading(CREATE_TRANSFER, (caller, _ids, values) => createTransfer(caller, values)),
  },
  {
    name: 'transfers.list',
    method: 'GET',
    path: /^\/v1\/transfers$/,
    read: reading(LIST_TRANSFERS, (caller, _ids, values) => listTransfers(caller, values)),
  },
  {
    name: 'transfers.read',
    method: 'GET',
    path: /^\/v1\/transfers\/([^/]+)$/,
    read: reading({}, (caller, ids) => readTransfer(caller, first(ids))),
  },
  {
    name: 'transfers.update',
    method: 'POST',
    path: /^\/v1\/transfers\/([^/]+)$/,
    read: reading(UPDATE_TRANSFER, (caller, ids, values) => updateTransfer(caller, first(ids), values)),
  },
  {
    name: 'reversals.create',
    method: 'POST',
    path: /^\/v1\/transfers\/([^/]+)\/reversals$/,
    read: reading(CREATE_REVERSAL, (caller, ids, values) => createReversal(caller, first(ids), values)),
  },
  {
    name: 'reversals.list',
    method: 'GET',
    path: /^\/v1\/transfers\/([^/]+)\/reversals$/,
    read: reading(LIST_REVERSALS, (caller, ids, values) => listReversals(caller, first(ids), values)),
  },
  {
    name: 'reversals.read',
    method: 'GET',
    path: /^\/v1\/transfers\/([^/]+)\/reversals\/([^/]+)$/,
    read: reading({}, (caller, ids) => readReversal(caller, first(ids), second(ids))),
  },
  {
    name: 'account',
    method: 'GET',
    path: /^\/v1\/account$/,
    read: reading({}, (caller) => readAccount(caller, caller.account)),
  },
  {
    name: 'account',
    method: 'GET',
    path: /^\/v1\/accounts\/([^/]+)$/,
    read: reading({}, (caller, ids) => readAccount(caller, first(ids))),
  },
  {
    name: 'capabilities.list',
    method: 'GET',
    path: /^\/v1\/accounts\/([^/]+)\/capabilities$/,
    read: reading({}, (caller, ids) => listCapabilities(caller, first(ids))),
  },
  {
    name: 'capabilities.read',
    method: 'GET',
    path: /^\/v1\/accounts\/([^/]+)\/capabilities\/([^/]+)$/,
    read: reading({}, (caller, ids) => readCapability(caller, first(ids), second(ids))),
  },
  { name: 'balance', method: 'GET', path: /^\/v1\/balance$/, read: reading({}, readBalance) },
  {
    name: 'balance_settings',
    method: 'GET',
    path: /^\/v1\/balance_settings$/,
    read: reading({}, readBalanceSettings),
  },
  {
    name: 'payouts.list',
    method: 'GET',
    path: /^\/v1\/payouts$/,
    read: reading(LIST_PAYOUTS, (caller, _ids, values) => listPayouts(caller, values)),
  },
  {
    name: 'payouts.read',
    method: 'GET',
    path: /^\/v1\/payouts\/([^/]+)$/,
    read: reading({}, (caller, ids) => readPayout(caller, first(ids))),
  },
  {
    name: 'charges.list',
    method: 'GET',
    path: /^\/v1\/charges$/,
    read: reading(LIST_CHARGES, (caller, _ids, values) => listCharges(caller, values)),
  },
  {
    name: 'charges.read',
    method: 'GET',
    path: /^\/v1\/charges\/([^/]+)$/,
    read: reading({}, (caller, ids) => readCharge(caller, first(ids))),
  },
  {
    name: 'payment_intents.create',
    method: 'POST',
    path: /^\/v1\/payment_intents$/,
    read: reading(CREATE_PAYMENT_INTENT, (caller, _ids, values) => createPaymentIntent(caller, values)),
  },
  {
    name: 'payment_intents.list',
    method: 'GET',
    path: /^\/v1\/payment_intents$/,
    read: reading(LIST_PAYMENT_INTENTS, (caller, _ids, values) => listPaymentIntents(caller, values)),
  },
  {
    name: 'payment_intents.search',
    method: 'GET',
    path: /^\/v1\/payment_intents\/search$/,
    read: reading(SEARCH_PAYMENT_INTENTS, (caller, _ids, values) => searchPaymentIntents(caller, values)),
  },
  {
    name: 'payment_intents.confirm',
    method: 'POST',
    path: /^\/v1\/payment_intents\/([^/]+)\/confirm$/,
    read: reading(CONFIRM_PAYMENT_INTENT, (caller, ids, values) => confirmPaymentIntent(caller, first(ids), values)),
  },
  {
    name: 'payment_intents.cancel',
    method: 'POST',
    path: /^\/v1\/payment_intents\/([^/]+)\/cancel$/,
    read: reading(CANCEL_PAYMENT_INTENT, (caller, ids) => cancelPaymentIntent(caller, first(ids))),
  },
  {
    name: 'payment_intents.capture',
    method: 'POST',
    path: /^\/v1\/payment_intents\/([^/]+)\/capture$/,
    read: reading(CAPTURE_PAYMENT_INTENT, (caller, ids, values) => capturePaymentIntent(caller, first(ids), values)),
  },
  {
    name: 'payment_intents.read',
    method: 'GET',
    path: /^\/v1\/payment_intents\/([^/]+)$/,
    read: reading({}, (caller, ids) => readPaymentIntent(caller, first(ids))),
  },
  {
    name: 'balance_transactions.list',
    method: 'GET',
    path: /^\/v1\/balance_transactions$/,
    read: reading(LIST_TRANSACTIONS, (caller, _ids, values) => listTransactions(caller, values)),
  },
  {
    name: 'balance_transactions.read',
    method: 'GET',
    path: /^\/v1\/balance_transactions\/([^/]+)$/,
    read: reading({}, (caller, ids) => readTransaction(caller, first(ids))),
  },
  {
    name: 'refunds.create',
    method: 'POST',
    path: /^\/v1\/refunds$/,
    read: reading(CREATE_REFUND, (caller, _ids, values) => createRefund(caller, values)),
  },
  {
    name: 'refunds.list',
    method: 'GET',
    path: /^\/v1\/refunds$/,
    read: reading(LIST_OF_CHARGE, (caller, _ids, values) => listRefunds(caller, values)),
  },
  {
    name: 'refunds.read',
    method: 'GET',
    path: /^\/v1\/refunds\/([^/]+)$/,
    read: reading({}, (caller, ids) => readRefund(caller, first(ids))),
  },
  {
    name: 'disputes.list',
    method: 'GET',
    path: /^\/v1\/disputes$/,
    read: reading(LIST_OF_CHARGE, (caller, _ids, values) => listDisputes(caller, values)),
  },
  {
    name: 'disputes.read',
    method: 'GET',
    path: /^\/v1\/disputes\/([^/]+)$/,
    read: reading({}, (caller, ids) => readDispute(caller, first(ids))),
  },
];

export interface Route {
  readonly name: EndpointName;
  /** Whether it may change something, so that keys and locks matter. */
  readonly writes: boolean;
  readonly ids: readonly string[];
  readonly read: (pairs: FormPairs) => Reading;
}

export function routeOf(method: string, path: string): Route | undefined {
  for (const endpoint of TABLE) {
    const match = endpoint.method === method ? endpoint.path.exec(path) : null;
    if (match === null) continue;
    const ids = match.slice(1).map(decoded);
    return {
      name: endpoint.name,
      writes: method === 'POST',
      ids,
      read: (pairs) => endpoint.read(ids, pairs),
    };
  }
  return undefined;
}

/** An id that is no proper URL text names nothing, so it may stay as it came. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
