import { isRejected } from '../accounts/accounts.js';
import type {
  AccountRecord,
  Funds,
  Metadata,
  PayoutInterval,
  PayoutRecord,
  ReversalRecord,
  TransferRecord,
} from '../state/records.js';
import type { Store } from '../state/store.js';

/**
 * Stripe's objects as its API writes them (types Transfer, TransferReversal, Payout, Balance, Account of npm stripe
 * 23.1.0; test/contract/stripe-sandbox-shapes.test.ts compares them with stripe-mock).
 */
export interface ListObject<T> {
  readonly object: 'list';
  readonly data: readonly T[];
  readonly has_more: boolean;
  readonly url: string;
}

export interface ReversalObject {
  readonly id: string;
  readonly object: 'transfer_reversal';
  readonly amount: number;
  readonly balance_transaction: string;
  readonly created: number;
  readonly currency: string;
  readonly destination_payment_refund: string;
  readonly metadata: Metadata;
  readonly source_refund: null;
  readonly status?: string;
  readonly transfer: string;
}

export interface TransferObject {
  readonly id: string;
  readonly object: 'transfer';
  readonly amount: number;
  readonly amount_reversed: number;
  readonly balance_transaction: string;
  readonly created: number;
  readonly currency: string;
  readonly description: string | null;
  readonly destination: string;
  readonly destination_payment: string;
  readonly livemode: boolean;
  readonly metadata: Metadata;
  readonly reversals: ListObject<ReversalObject>;
  readonly reversed: boolean;
  readonly source_transaction: string | null;
  readonly source_type: string;
  readonly transfer_group: string | null;
}

/** How many reversals a transfer carries within itself; the others are listed. */
const EMBEDDED = 10;

export function transferObject(store: Store, row: TransferRecord): TransferObject {
  const reversals = Array.from(store.reversalsOf(row.id)).reverse();
  return {
    id: row.id,
    object: 'transfer',
    amount: row.amount,
    amount_reversed: row.amountReversed,
    balance_transaction: row.balanceTransaction,
    created: row.created,
    currency: row.currency,
    description: row.description,
    destination: row.destination,
    destination_payment: row.destinationPayment,
    livemode: row.livemode,
    metadata: row.metadata,
    reversals: {
      object: 'list',
      data: reversals.slice(0, EMBEDDED).map(reversalObject),
      has_more: reversals.length > EMBEDDED,
      url: `/v1/transfers/${row.id}/reversals`,
    },
    reversed: row.amountReversed === row.amount,
    source_transaction: row.sourceTransaction,
    source_type: row.sourceType,
    transfer_group: row.transferGroup,
  };
}

/** There is no description, and outside the preview of pending reversals no status. */
export const reversalObject = (row: ReversalRecord): ReversalObject => ({
  id: row.id,
  object: 'transfer_reversal',
  amount: row.amount,
  balance_transaction: row.balanceTransaction,
  created: row.created,
  currency: row.currency,
  destination_payment_refund: row.destinationPaymentRefund,
  metadata: row.metadata,
  source_refund: null,
  ...(row.status === undefined ? {} : { status: row.status }),
  transfer: row.transfer,
});

const FAILURES: Readonly<Record<string, string>> = {
  account_closed: 'The bank account has been closed.',
  could_not_process: 'The bank could not process this payout.',
};

export const payoutObject = (row: PayoutRecord) => ({
  id: row.id,
  object: 'payout',
  amount: row.amount,
  application_fee: null,
  application_fee_amount: null,
  arrival_date: row.arrivalDate,
  automatic: row.automatic,
  balance_transaction: row.balanceTransaction,
  created: row.created,
  currency: row.currency,
  description: 'STRIPE PAYOUT',
  destination: `ba_1${row.account.slice('acct_'.length)}`,
  failure_balance_transaction: row.status === 'failed' ? `${row.balanceTransaction}r` : null,
  failure_code: row.failureCode,
  failure_message: row.failureCode === null ? null : (FAILURES[row.failureCode] ?? 'The payout failed.'),
  livemode: row.livemode,
  metadata: {},
  method: 'standard',
  original_payout: null,
  payout_method: null,
  reconciliation_status: reconciliationOf(row),
  reversed_by: null,
  source_type: 'card',
  statement_descriptor: null,
  status: row.status,
  trace_id: null,
  type: 'bank_account',
});

/** Stripe says what is in a payout that it made by itself, once it is on its way. */
function reconciliationOf({ automatic, status }: PayoutRecord): string {
  if (!automatic) return 'not_applicable';
  return status === 'paid' || status === 'failed' ? 'completed' : 'in_progress';
}

/** A balance names at least one currency, also where nothing ever moved. */
export function balanceObject(livemode: boolean, funds: Readonly<Record<string, Funds>>) {
  const currencies = Object.keys(funds).length === 0 ? ['usd'] : Object.keys(funds).sort();
  const amounts = (which: keyof Funds) =>
    currencies.map((currency) => {
      const amount = funds[currency]?.[which] ?? 0;
      return { amount, currency, source_types: { card: amount } };
    });
  return { object: 'balance', available: amounts('available'), livemode, pending: amounts('pending') };
}

const NOTHING_DUE = {
  alternatives: [],
  current_deadline: null,
  currently_due: [],
  disabled_reason: null,
  errors: [],
  eventually_due: [],
  past_due: [],
  pending_verification: [],
};

const requirements = ({ disabledReason = null }: AccountFacts) => ({
  ...NOTHING_DUE,
  disabled_reason: disabledReason,
});

/** Of its settings only the schedule of payouts is modelled; the others are as nobody chose them. */
const settings = (row: AccountFacts) => ({
  bacs_debit_payments: { display_name: null, service_user_number: null },
  branding: { icon: null, logo: null, primary_color: null, secondary_color: null },
  card_issuing: { tos_acceptance: { date: null, ip: null } },
  card_payments: {
    decline_on: { avs_failure: false, cvc_failure: false },
    statement_descriptor_prefix: null,
    statement_descriptor_prefix_kana: null,
    statement_descriptor_prefix_kanji: null,
  },
  dashboard: { display_name: null, timezone: 'Etc/UTC' },
  invoices: { default_account_tax_ids: null, hosted_payment_method_save: null },
  payments: { statement_descriptor: null, statement_descriptor_kana: null, statement_descriptor_kanji: null },
  payouts: {
    debit_negative_balances: true,
    schedule: { delay_days: DELAY_DAYS, interval: intervalOf(row) },
    statement_descriptor: null,
  },
  sepa_debit_payments: {},
});

const DELAY_DAYS = 2;
const intervalOf = ({ payouts = 'daily' }: AccountFacts): PayoutInterval => payouts;

/** Where newer integrations read the schedule of payouts. */
export const balanceSettingsObject = (row: AccountFacts) => ({
  object: 'balance_settings',
  payments: {
    debit_negative_balances: true,
    payouts: {
      automatic_transfer_rules_by_currency: null,
      minimum_balance_by_currency: null,
      schedule: { interval: intervalOf(row) },
      statement_descriptor: null,
      status: isEnabled(row) ? 'enabled' : 'disabled',
    },
    settlement_timing: { delay_days: DELAY_DAYS, start_of_day: null },
  },
});

type AccountFacts = Pick<AccountRecord, 'id' | 'transfers' | 'disabledReason' | 'payouts'>;

/** What a platform reads of an account; its profile is not modelled. */
export const accountObject = (row: AccountFacts) => ({
  id: row.id,
  object: 'account',
  business_type: null,
  capabilities: { card_payments: 'active', transfers: transfersOf(row) },
  charges_enabled: isEnabled(row),
  country: 'US',
  created: 1_700_000_000,
  default_currency: 'usd',
  details_submitted: true,
  email: null,
  external_accounts: {
    object: 'list',
    data: [],
    has_more: false,
    url: `/v1/accounts/${row.id}/external_accounts`,
  },
  future_requirements: NOTHING_DUE,
  metadata: {},
  payouts_enabled: isEnabled(row),
  requirements: requirements(row),
  settings: settings(row),
  type: 'express',
});

const isEnabled = ({ disabledReason = null }: AccountFacts): boolean => disabledReason === null;

const transfersOf = (row: AccountFacts): AccountRecord['transfers'] => (isRejected(row) ? 'inactive' : row.transfers);

export const CAPABILITIES = ['card_payments', 'transfers'] as const;

export const capabilityObject = (row: AccountFacts, id: (typeof CAPABILITIES)[number]) => ({
  id,
  object: 'capability',
  account: row.id,
  future_requirements: NOTHING_DUE,
  requested: true,
  requested_at: 1_700_000_000,
  requirements: requirements(row),
  status: id === 'transfers' ? transfersOf(row) : 'active',
});
