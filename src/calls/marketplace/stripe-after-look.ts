import { assertNever } from '../../domain/assert-never.js';
import type { CallAnswer } from '../../domain/calls/answers.js';
import type { Decision } from '../../domain/calls/next.js';
import type { CallOutcome, Claimed } from '../../ledger/calls/call-types.js';
import type { CallAttempt } from '../steps.js';
import type { Looked, StripeCall, StripeCallDependencies, Unread } from './stripe-call-types.js';
import { asCallAnswer } from './stripe-meanings.js';
import type { StripeRecorder } from './stripe-record.js';

export type Misdirected = Extract<Unread, { kind: 'misdirected' }>;

/** What Stripe's records, or their silence, make of an attempt. */
export function createAfterStripeLook<Id extends string, C extends Claimed & { readonly id: Id }>(
  call: Pick<StripeCall<Id, C, never>, 'release' | 'noteAbsent'>,
  { account }: Pick<StripeCallDependencies, 'account'>,
  { decide, recorded }: StripeRecorder<Id, C>,
) {
  /** Nothing is sent after these. A read that failed is a failed attempt, but it makes nothing less certain. */
  async function fromLook(claim: C, looked: Exclude<Looked, { kind: 'absent' }>): Promise<CallAttempt> {
    switch (looked.kind) {
      case 'ours':
        return await recorded(claim, {
          decision: decide(claim, { certainty: claim.certainty, answer: { kind: 'done', alreadySettled: false } }),
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
        return await recorded(claim, {
          decision: decide(claim, { certainty: claim.certainty, answer: { kind: 'not_sent', why: looked.why } }),
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

  return { fromLook, notRead, inDoubt };
}

/** After a refusal whose probe got no answer: nothing is counted, because nobody knows whose fault it is. */
const PROBE_AGAIN_MS = 15_000;

/** Stripe's preview of pending reversals checks for up to an hour. */
const UNFINISHED_AFTER_MS = 10 * 60_000;

const PARKED_AS = { provider: 'stripe', seller: 'seller' } as const;
