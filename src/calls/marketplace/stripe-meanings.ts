import { assertNever } from '../../domain/assert-never.js';
import type { CallAnswer } from '../../domain/calls/answers.js';
import type { KeyedAnswer, ReversalState } from '../../domain/calls/provider-answers.js';
import type { StripeClaim } from '../../ledger/calls/call-types.js';
import type { CallStep } from '../steps.js';
import type { Looked, Unread } from './stripe-call-types.js';

/** What Stripe's and the ledger's answers mean to a call, without anything being asked or written. */

/** What it means that ours is at Stripe and not done. */
export function unfinished(
  state: Exclude<ReversalState, 'done'>,
  stripeId: string,
): Extract<Looked, { kind: 'unfinished' | 'strange' | 'ended' }> {
  switch (state) {
    case 'pending':
      return { kind: 'unfinished', detail: `Stripe has not finished ${stripeId}` };
    case 'unknown':
      return {
        kind: 'strange',
        detail: `${stripeId} has a status at Stripe that is in no document; look at it there, then resolve with retry or adopt`,
      };
    case 'failed':
      return { kind: 'ended', as: state, detail: `Stripe gave ${stripeId} up: the balance was too low for too long` };
    case 'canceled':
      return {
        kind: 'ended',
        as: state,
        detail: `somebody canceled ${stripeId} at Stripe; retry takes it again under a new key, write_off gives it up`,
      };
    default:
      return assertNever(state);
  }
}

/** Another read has just been due: somebody else is at it. */
const READ_AGAIN_MS = 60_000;

/** The ledger gives no claim. */
export function fromRefusal(claim: Exclude<StripeClaim<never>, { kind: 'claimed' }>): CallStep {
  switch (claim.kind) {
    case 'final':
    case 'attention':
    case 'waiting_balance':
    case 'waiting':
    case 'later':
      return claim;
    case 'read':
      return { kind: 'waiting', afterMs: READ_AGAIN_MS, why: `waits for what Stripe says of the ${claim.of}` };
    case 'parked':
      return { kind: 'parked', why: claim.why };
    case 'probe':
      return { kind: 'parked', why: `${claim.provider} is parked` };
    default:
      return assertNever(claim);
  }
}

export function asCallAnswer(
  answer: Unread | Exclude<KeyedAnswer<never>, { kind: 'done' | 'refused' | 'short' }>,
): CallAnswer {
  switch (answer.kind) {
    case 'unclear':
      return { kind: 'unclear', why: 'why' in answer ? answer.why : 'server_error' };
    case 'busy':
      return { ...answer, executed: 'executed' in answer ? answer.executed : 'no' };
    case 'misdirected':
      return { kind: 'misdirected' };
    default:
      return assertNever(answer);
  }
}
