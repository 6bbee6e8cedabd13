import { assertNever } from '../../domain/assert-never.js';
import type { CallAnswer } from '../../domain/calls/answers.js';
import type { Certainty } from '../../domain/calls/certainty.js';
import type { KeyedRefusal } from '../../domain/calls/provider-answers.js';
import type { Claimed } from '../../ledger/calls/call-types.js';
import type { CallAttempt } from '../steps.js';
import type { Looked, StripeCall } from './stripe-call-types.js';
import type { StripeRecorder } from './stripe-record.js';

/** What Stripe said no to, before its records tell what that means. `barred`: as if we were not known, yet a probe is let in. */
export interface Refusal {
  readonly why: KeyedRefusal | 'short' | 'barred';
  readonly detail: string;
  readonly requestId: string | null;
  readonly certainty: Certainty;
  readonly sinceSentMs: number;
}

/** What a no means is told by Stripe's records, never by the code of the no alone. */
export function createAfterStripeRefusal<Id extends string, C extends Claimed & { readonly id: Id }>(
  call: Pick<StripeCall<Id, C, never>, 'look' | 'noteAbsent' | 'judge'>,
  { decide, recorded }: StripeRecorder<Id, C>,
  fromLook: (claim: C, looked: Exclude<Looked, { kind: 'absent' }>) => Promise<CallAttempt>,
) {
  async function meaningOf(claim: C, why: Refusal['why']): Promise<CallAnswer> {
    switch (why) {
      case 'short':
        return { kind: 'short' };
      case 'not_able':
        return (await call.judge?.(claim, why)) ?? { kind: 'refused', why: 'refused' };
      case 'missing':
        return (await call.judge?.(claim, why)) ?? { kind: 'refused', why };
      case 'other':
        return { kind: 'refused', why: 'refused' };
      case 'conflict':
      case 'barred':
        return { kind: 'refused', why };
      default:
        return assertNever(why);
    }
  }

  return async function afterRefusal(
    claim: C,
    { why, detail, requestId, certainty, sinceSentMs }: Refusal,
  ): Promise<CallAttempt> {
    const looked: Looked =
      why === 'missing' && !call.judge ? { kind: 'hopeless', why, detail } : await call.look(claim);
    switch (looked.kind) {
      case 'ours':
      case 'unfinished':
      case 'strange':
      case 'ended':
        return await fromLook(claim, looked);
      case 'hopeless': {
        const decision = decide(claim, { certainty, answer: { kind: 'refused', why: looked.why }, sinceSentMs });
        const { detail: told, others } = looked;
        return await recorded(claim, { decision, detail: told, requestId, ...(others && { others }) });
      }
      case 'absent': {
        await call.noteAbsent({ id: claim.id, runner: claim.runner });
        const meaning = await meaningOf(claim, why);
        // Another call under this key, or one turned away at the door, proves nothing of what the key stands for.
        const provedAbsent = why !== 'conflict' && why !== 'barred';
        const decision = decide(claim, { certainty, answer: meaning, sinceSentMs, provedAbsent });
        return await recorded(claim, { decision, detail, requestId });
      }
      case 'unread': {
        // Without Stripe's records a refusal proves nothing about earlier attempts.
        const decision = decide(claim, { certainty, answer: { kind: 'unclear', why: 'server_error' }, sinceSentMs });
        return await recorded(claim, { decision, detail: `${detail}; then: ${looked.answer.detail}`, requestId });
      }
      default:
        return assertNever(looked);
    }
  };
}
