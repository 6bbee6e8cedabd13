import { assertNever } from '../../domain/assert-never.js';
import type { CallAnswer } from '../../domain/calls/answers.js';
import type { Certainty } from '../../domain/calls/certainty.js';
import { type Decision, next } from '../../domain/calls/next.js';
import type { CallOutcome, Claimed, Recorded } from '../../ledger/calls/call-types.js';
import type { CallAttempt, CallStep } from '../steps.js';
import type { StripeCall, StripeCallDependencies } from './stripe-call-types.js';

/** What follows an attempt, and how it is written down and told. */
export interface StripeRecorder<Id extends string, C> {
  readonly decide: (
    claim: C,
    given: { certainty: Certainty; answer: CallAnswer; sinceSentMs?: number; provedAbsent?: boolean },
  ) => Decision;
  readonly recorded: (
    claim: C,
    given: Pick<CallOutcome<Id>, 'decision' | 'detail'> & Partial<CallOutcome<Id>>,
  ) => Promise<CallAttempt>;
}

export function createStripeRecorder<Id extends string, C extends Claimed & { readonly id: Id }>(
  call: Pick<StripeCall<Id, C, never>, 'policy' | 'record'>,
  { wake }: Pick<StripeCallDependencies, 'wake'>,
): StripeRecorder<Id, C> {
  function decide(
    claim: C,
    given: { certainty: Certainty; answer: CallAnswer; sinceSentMs?: number; provedAbsent?: boolean },
  ): Decision {
    const attempted = {
      keyLeftMs: null,
      attempts: claim.attempts + 1,
      retries: claim.retryCount,
      shortForMs: claim.shortForMs ?? 0,
      sinceSentMs: 0,
      ...given,
    };
    return next(attempted, call.policy);
  }

  async function recorded(
    claim: C,
    given: Pick<CallOutcome<Id>, 'decision' | 'detail'> & Partial<CallOutcome<Id>>,
  ): Promise<CallAttempt> {
    const { decision } = given;
    const detail = detailOf(claim, given);
    const { status, started } = await call.record({
      requestId: null,
      stripeId: null,
      source: 'answer',
      parks: null,
      ...given,
      detail,
      id: claim.id,
      runner: claim.runner,
    });
    wake(started);
    switch (decision.do) {
      case 'finish':
        return { kind: 'final', status };
      case 'retry':
        return { kind: decision.counts ? 'failed' : 'later', afterMs: decision.afterMs, why: detail };
      case 'park':
        return { kind: 'parked', why: detail };
      case 'wait':
        if (status === 'waiting_balance') return { kind: 'waiting_balance', afterMs: LOOK_AGAIN_MS };
        // The ledger tells what of it is asked at Stripe, and when.
        return overtaken(status);
      case 'ask':
        if (!ASKED.has(status)) return overtaken(status);
        return { kind: 'attention', reason: decision.reason, detail, unknown: decision.certainty === 'unknown' };
      default:
        return assertNever(decision);
    }
  }

  return { decide, recorded };
}

/** A person who is asked to speak to the seller is told for how long, not what Stripe said last. */
function detailOf(
  { shortForMs }: Claimed,
  { decision, detail }: Pick<CallOutcome<string>, 'decision' | 'detail'>,
): string {
  if (decision.do !== 'ask' || decision.reason !== 'balance_horizon') return detail;
  const days = Math.floor((shortForMs ?? 0) / 86_400_000);
  return `the seller's balance has been too low for ${days} days; ask the seller, then resolve with retry or write_off`;
}

/** Where an item is while a person is asked about it: a transfer that may have moved stays pending. */
const ASKED: ReadonlySet<Recorded['status']> = new Set(['permanently_failed', 'pending', 'failed']);

/** The ledger knows better than this attempt: a horizon has passed, or another attempt came through. It is asked at once. */
const overtaken = (status: string): CallStep => ({ kind: 'later', afterMs: 1, why: `it is ${status}` });

const LOOK_AGAIN_MS = 60_000;
