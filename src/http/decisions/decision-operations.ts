import type { DecidableKind } from '../../domain/decisions/decisions.js';
import { OPERATORS } from '../allowed-roles.js';
import type { ProblemCode } from '../problem.js';
import { NOTHING, type Operation } from '../route.js';
import { NoteRequest } from '../schema-parts.js';
import { DecisionAnswer, RESOLVE_REQUESTS, type ResolveRequest } from './decision-schemas.js';

const DECIDED = {
  200: { description: 'Decided and recorded.', schema: DecisionAnswer },
  202: { description: 'Recorded as a request; an approver has to confirm it.', schema: DecisionAnswer },
} as const;
const PROBLEMS: readonly ProblemCode[] = [
  'not_waiting',
  'wrong_action',
  'decision_refused',
  'provider_unavailable',
  'ledger_unavailable',
];

const resolving = { method: 'POST', roles: OPERATORS, query: NOTHING, answers: DECIDED } as const;

const resolve = (kind: DecidableKind, id: string, asked: string) =>
  ({
    ...resolving,
    id,
    path: `/api/v1/${kind}s/{id}/resolve`,
    summary: `Decide about a ${kind} that needs attention${asked}.`,
    body: RESOLVE_REQUESTS[kind],
    problems: ['changed_since', ...PROBLEMS],
  }) satisfies Operation<ResolveRequest>;

const STRIPE_IS_ASKED = '; Stripe is asked before money is believed or given up';

export const RESOLVE_OPERATIONS: { readonly [Kind in DecidableKind]: ReturnType<typeof resolve> } = {
  settlement: resolve('settlement', 'resolveSettlement', '; the chain is asked where it can know'),
  transfer: resolve('transfer', 'resolveTransfer', STRIPE_IS_ASKED),
  reversal: resolve('reversal', 'resolveReversal', STRIPE_IS_ASKED),
  payment: resolve('payment', 'resolvePayment', '; Hyperswitch is asked before it is given up'),
  refund: resolve('refund', 'resolveRefund', ''),
  dispute: resolve('dispute', 'resolveDispute', '; Stripe is asked before a word about its funds is believed'),
};

export const retryTransferOperation = {
  ...resolving,
  id: 'retryTransfer',
  path: '/api/v1/transfers/{id}/retry',
  summary: 'Send a transfer again that needs attention: the same as to resolve it with `retry`.',
  body: NoteRequest,
  problems: ['already_completed', ...PROBLEMS.filter((code) => code !== 'wrong_action')],
} satisfies Operation<NoteRequest>;

export const approveDecisionOperation = {
  id: 'approveDecision',
  method: 'POST',
  path: '/api/v1/decisions/{id}/approve',
  summary: "Confirm another person's decision, about an item of whatever kind.",
  roles: ['approver'],
  body: NoteRequest,
  query: NOTHING,
  answers: DECIDED,
  problems: ['self_approval', 'not_waiting', 'decision_refused', 'provider_unavailable', 'ledger_unavailable'],
} satisfies Operation<NoteRequest>;

export const DECISION_OPERATIONS: readonly Operation[] = [
  ...Object.values(RESOLVE_OPERATIONS),
  retryTransferOperation,
  approveDecisionOperation,
];
