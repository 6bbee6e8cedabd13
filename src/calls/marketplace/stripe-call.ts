import { certaintyAtSend, mayHaveMoved } from '../../domain/calls/certainty.js';
import type { KeyedAnswer } from '../../domain/calls/provider-answers.js';
import type { Claimed, SendPermit } from '../../ledger/calls/call-types.js';
import type { CallAttempt, CallStep } from '../steps.js';
import { createAfterStripeLook } from './stripe-after-look.js';
import { createAfterStripeRefusal, type Refusal } from './stripe-after-refusal.js';
import type { NotNow, StripeCall, StripeCallDependencies } from './stripe-call-types.js';
import { asCallAnswer, fromRefusal, unfinished } from './stripe-meanings.js';
import { createStripeRecorder } from './stripe-record.js';

/**
 * One attempt of one money call: claim, look where an earlier attempt may have gone out, permit, send, record. After any
 * refusal Stripe's records decide what it means: what was taken back already, for one, is refused without a code of its own.
 *
 * @returns `failed` for a failure that counts as a retry
 */
export function createStripeCall<Id extends string, C extends Claimed & { readonly id: Id }, Params>(
  call: StripeCall<Id, C, Params>,
  dependencies: StripeCallDependencies,
) {
  const { holdMs, account, processName } = dependencies;
  const recorder = createStripeRecorder(call, dependencies);
  const { decide, recorded } = recorder;
  const { fromLook, notRead, inDoubt } = createAfterStripeLook(call, dependencies, recorder);
  const afterRefusal = createAfterStripeRefusal(call, recorder, fromLook);
  let sequence = 0;

  return async function attempt(id: Id): Promise<CallAttempt> {
    sequence += 1;
    const runner = `${processName}/${sequence}`;
    const claimed = await claimOrProbe(id, runner);
    if (claimed.kind !== 'claimed') return claimed.step;
    const { claim } = claimed;
    const misfit = await account.verify();
    if (misfit) return await notRead(claim, misfit, misfit);
    if (claim.looksFirst) {
      const looked = await call.look(claim);
      // What is known already to have ended is sent anew, under another key.
      const isOver = looked.kind === 'ended' && !mayHaveMoved(claim.certainty);
      if (looked.kind !== 'absent' && !isOver) return await fromLook(claim, looked);
      if (claim.certainty !== 'not_sent') await call.noteAbsent({ id, runner });
    }
    const wait = await call.stillDue(claim);
    if (wait) return await notNow(claim, wait);
    const permit = await call.permit(id, runner, holdMs);
    if (permit.kind === 'stop') return { kind: 'later', afterMs: 1, why: permit.why };
    if (permit.kind === 'read_only')
      return { kind: 'later', afterMs: permit.afterMs, why: 'Stripe may have forgotten the key, so it is only looked' };
    return await send(claim, permit);
  };

  async function notNow(claim: C, wait: NotNow): Promise<CallAttempt> {
    if (wait.kind === 'undue' || wait.kind === 'unsendable') {
      const why = wait.kind === 'undue' ? 'undue' : wait.as;
      const decision = decide(claim, { certainty: claim.certainty, answer: { kind: 'not_sent', why } });
      return await recorded(claim, { decision, detail: wait.why });
    }
    await call.release(claim.id, claim.runner, wait.afterMs, 'later');
    return wait;
  }

  async function claimOrProbe(id: Id, runner: string) {
    const claim = await claimOrRead(id, runner);
    if (claim.kind === 'claimed') return claim;
    if (claim.kind !== 'probe') return { kind: 'refused', step: fromRefusal(claim) } as const;
    const open = await account.probe(claim.provider, claim.sellerAccount);
    if (!open)
      return { kind: 'refused', step: { kind: 'parked', why: `${claim.provider} is parked` } as CallStep } as const;
    const again = await call.claim(id, runner, holdMs);
    if (again.kind === 'claimed') return again;
    return { kind: 'refused', step: fromRefusal(again) } as const;
  }

  /** It waits for something, and whether that is over is read by one at a time: then it is asked for once more. */
  async function claimOrRead(id: Id, runner: string) {
    let claim = await call.claim(id, runner, holdMs);
    for (let reads = 0; claim.kind === 'read' && reads < MOST_READS; reads += 1) {
      if (!(await account.verify())) await call.read?.(claim.of, claim.sellerAccount);
      claim = await call.claim(id, runner, holdMs);
    }
    return claim;
  }

  async function send(claim: C, permit: Extract<SendPermit<Params>, { kind: 'send' }>): Promise<CallAttempt> {
    const sentAtMs = dependencies.monotonicMs();
    const answer = await call.send(claim, permit.key, permit.params);
    const certainty = permit.generation === claim.generation ? certaintyAtSend(claim.certainty) : 'in_flight';
    const requestId = answer.requestId;
    if (answer.kind === 'done') {
      const { state, stripeId } = answer.value;
      if (state !== 'done') return await fromLook({ ...claim, certainty }, unfinished(state, stripeId));
      return await recorded(claim, {
        decision: decide(claim, { certainty, answer: { kind: 'done', alreadySettled: false } }),
        detail: answer.replayed ? 'Stripe repeated its first answer: done' : 'done',
        stripeId,
        requestId,
      });
    }
    const sinceSentMs = dependencies.monotonicMs() - sentAtMs;
    if (answer.kind === 'refused' || answer.kind === 'short')
      return await afterRefusal(claim, { ...answer, why: whyOf(answer), certainty, sinceSentMs });
    if (answer.kind === 'misdirected') {
      const doubt = await inDoubt(claim, answer);
      if (!doubt) return await afterRefusal(claim, { ...answer, why: 'barred', certainty, sinceSentMs });
      const decision = decide(claim, { certainty, answer: doubt.answer, sinceSentMs });
      return await recorded(claim, { decision, detail: doubt.detail, requestId, parks: doubt.parks });
    }
    const decision = decide(claim, { certainty, answer: asCallAnswer(answer), sinceSentMs });
    return await recorded(claim, { decision, detail: answer.detail, requestId });
  }
}

const whyOf = (answer: Extract<KeyedAnswer<never>, { kind: 'refused' | 'short' }>): Refusal['why'] =>
  answer.kind === 'short' ? 'short' : answer.why;

/** It may wait for its seller, and then for the balance. */
const MOST_READS = 2;
