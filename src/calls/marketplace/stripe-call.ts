import { assertNever } from '../../domain/assert-never.js';
import type { CallAnswer } from '../../domain/calls/answers.js';
import { type Certainty, certaintyAtSend, mayHaveMoved } from '../../domain/calls/certainty.js';
import { type Decision, next } from '../../domain/calls/next.js';
import type { KeyedAnswer, KeyedRefusal } from '../../domain/calls/provider-answers.js';
import type { CallOutcome, Claimed, Recorded, SendPermit } from '../../ledger/calls/call-types.js';
import type { CallAttempt, CallStep } from '../steps.js';
import type { Looked, NotNow, StripeCall, StripeCallDependencies, Unread } from './stripe-call-types.js';
import { asCallAnswer, fromRefusal, unfinished } from './stripe-meanings.js';

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
  const { holdMs, account, wake, processName } = dependencies;
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
    if ('ask' in wait) {
      const decision = { do: 'ask', certainty: claim.certainty, reason: wait.ask } as const;
      return await recorded(claim, { decision, detail: wait.why });
    }
    await call.release(claim.id, claim.runner, wait.afterMs, 'later');
    return { kind: 'later', ...wait };
  }

  async function claimOrProbe(id: Id, runner: string) {
    const claim = await call.claim(id, runner, holdMs);
    if (claim.kind === 'claimed') return claim;
    if (claim.kind !== 'probe') return { kind: 'refused', step: fromRefusal(claim) } as const;
    const open = await account.probe(claim.provider, claim.sellerAccount);
    if (!open)
      return { kind: 'refused', step: { kind: 'parked', why: `${claim.provider} is parked` } as CallStep } as const;
    const again = await call.claim(id, runner, holdMs);
    if (again.kind === 'claimed') return again;
    return { kind: 'refused', step: fromRefusal(again) } as const;
  }

  /** Nothing is sent after these. A read that failed is a failed attempt, but it makes nothing less certain. */
  async function fromLook(claim: C, looked: Exclude<Looked, { kind: 'absent' }>): Promise<CallAttempt> {
    switch (looked.kind) {
      case 'ours':
        return await recorded(claim, {
          decision: { do: 'finish', certainty: 'done' },
          detail: `found at Stripe as ${looked.stripeId}`,
          stripeId: looked.stripeId,
          source: 'lookup',
          ...(looked.others && { takenBack: looked.others }),
        });
      case 'unfinished':
        await call.release(claim.id, claim.runner, UNFINISHED_AFTER_MS, 'unfinished');
        return { kind: 'later', afterMs: UNFINISHED_AFTER_MS, why: looked.detail };
      case 'strange': {
        const decision = decide(claim, { certainty: 'unknown', answer: { kind: 'refused', why: 'strange' } });
        return await recorded(claim, { decision, detail: looked.detail });
      }
      case 'ended':
        return await fromEnd(claim, looked);
      case 'hopeless': {
        const decision = decide(claim, { certainty: claim.certainty, answer: { kind: 'refused', why: looked.why } });
        return await recorded(claim, {
          decision: { ...decision, certainty: claim.certainty } as Decision,
          detail: looked.detail,
          ...(looked.others && { others: looked.others }),
        });
      }
      case 'unread':
        return await notRead(claim, looked.answer);
      default:
        return assertNever(looked);
    }
  }

  /**
   * The preview of pending reversals: one that ran out had no balance all the time, and waits for it again; one that was
   * canceled somebody did not want. Either is Stripe's last word on this key.
   */
  async function fromEnd(claim: C, { as, detail }: Extract<Looked, { kind: 'ended' }>): Promise<CallAttempt> {
    await call.noteAbsent({ id: claim.id, runner: claim.runner });
    const answer: CallAnswer = as === 'failed' ? { kind: 'short' } : { kind: 'refused', why: 'conflict' };
    const decision = decide(claim, { certainty: claim.certainty, answer, provedAbsent: true });
    return await recorded(claim, { decision, detail });
  }

  /** @param probed what a probe was answered already */
  async function notRead(claim: C, told: Unread, probed?: Unread): Promise<CallAttempt> {
    const { certainty } = claim;
    let answer = asCallAnswer(told);
    let parks: CallOutcome<Id>['parks'] = null;
    let { detail } = told;
    if (told.kind === 'misdirected') {
      const doubt = await inDoubt(claim, told, probed);
      answer = doubt?.answer ?? { kind: 'unclear', why: 'server_error' };
      parks = doubt?.parks ?? null;
      detail = doubt?.detail ?? detail;
    }
    const decision = decide(claim, { certainty, answer });
    return await recorded(claim, { decision: { ...decision, certainty } as Decision, detail, parks });
  }

  /**
   * As if Stripe knew us, or this seller, no more. Parked where a read-only probe is not let in either; where the probe is
   * not answered nobody knows, and it is asked again. @returns undefined: the probe is let in, so it is about this call alone
   */
  async function inDoubt(claim: C, told: Misdirected, probed?: Unread) {
    const shut = probed ?? (await account.confirm(told.scope, claim.sellerAccount));
    if (!shut) return undefined;
    const detail = shut === told ? told.detail : `${told.detail}; a probe then: ${shut.detail}`;
    if (shut.kind === 'misdirected') return { answer: shut, parks: PARKED_AS[told.scope], detail };
    return { answer: { kind: 'busy', executed: 'no', retryAfterMs: PROBE_AGAIN_MS } as const, parks: null, detail };
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
        decision: { do: 'finish', certainty: 'done' },
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

  async function afterRefusal(
    claim: C,
    { why, detail, requestId, certainty, sinceSentMs }: Refusal,
  ): Promise<CallAttempt> {
    const looked: Looked = why === 'missing' ? { kind: 'hopeless', why, detail } : await call.look(claim);
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
        const meaning: CallAnswer =
          why === 'short' ? { kind: 'short' } : { kind: 'refused', why: why === 'other' ? 'refused' : why };
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
  }

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
        return status === 'waiting_balance' ? { kind: 'waiting_balance', afterMs: LOOK_AGAIN_MS } : overtaken(status);
      case 'ask':
        if (!ASKED.has(status)) return overtaken(status);
        return { kind: 'attention', reason: decision.reason, detail, unknown: decision.certainty === 'unknown' };
      default:
        return assertNever(decision);
    }
  }
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

/** What Stripe said no to, before its records tell what that means. `barred`: as if we were not known, yet a probe is let in. */
interface Refusal {
  readonly why: KeyedRefusal | 'short' | 'barred';
  readonly detail: string;
  readonly requestId: string | null;
  readonly certainty: Certainty;
  readonly sinceSentMs: number;
}

const whyOf = (answer: Extract<KeyedAnswer<never>, { kind: 'refused' | 'short' }>): Refusal['why'] =>
  answer.kind === 'short' ? 'short' : answer.why;

/** After a refusal whose probe got no answer: nothing is counted, because nobody knows whose fault it is. */
const PROBE_AGAIN_MS = 15_000;

/** Stripe's preview of pending reversals checks for up to an hour. */
const UNFINISHED_AFTER_MS = 10 * 60_000;
const LOOK_AGAIN_MS = 60_000;

type Misdirected = Extract<Unread, { kind: 'misdirected' }>;

const PARKED_AS = { provider: 'stripe', seller: 'seller' } as const;
