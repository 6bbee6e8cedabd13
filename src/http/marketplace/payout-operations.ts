import { OPERATORS } from '../allowed-roles.js';
import { READS_ONE, READS_PAGE } from '../read-operations.js';
import { NOTHING, type Operation } from '../route.js';
import { DismissPayoutRequest, ListPayoutsQuery, PayoutAnswer, PayoutListAnswer } from './payout-schemas.js';

export const listPayoutsOperation = {
  ...READS_PAGE,
  id: 'listPayouts',
  path: '/api/v1/payouts',
  summary: "Payouts from sellers' balances to their banks, newest first.",
  query: ListPayoutsQuery,
  answers: { 200: { description: 'A page of payouts.', schema: PayoutListAnswer } },
} satisfies Operation<unknown, ListPayoutsQuery>;

export const getPayoutOperation = {
  ...READS_ONE,
  id: 'getPayout',
  path: '/api/v1/payouts/{id}',
  summary: 'One payout, by its name at Stripe, with the transfers it contains as far as Stripe says so.',
  answers: { 200: { description: 'The payout.', schema: PayoutAnswer } },
} satisfies Operation;

export const dismissPayoutOperation = {
  id: 'dismissPayout',
  method: 'POST',
  path: '/api/v1/payouts/{id}/dismiss',
  summary:
    'Say that nothing is left to do about a payout that failed. No money moves; a later payout of the seller that succeeds says it by itself.',
  roles: OPERATORS,
  body: DismissPayoutRequest,
  query: NOTHING,
  answers: { 200: { description: 'Recorded; nobody is asked any more.', schema: PayoutAnswer } },
  problems: ['not_waiting', 'ledger_unavailable'],
} satisfies Operation<DismissPayoutRequest>;

export const PAYOUT_OPERATIONS: readonly Operation[] = [
  listPayoutsOperation,
  getPayoutOperation,
  dismissPayoutOperation,
];
