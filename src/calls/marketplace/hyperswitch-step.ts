import { assertNever } from '../../domain/assert-never.js';
import { type Certainty, surelyUnmoved } from '../../domain/calls/certainty.js';
import { type DecisionById, isOnlyLookedFor, nextById, type SeenById } from '../../domain/calls/next-by-id.js';
import type { KeyedAnswer, ReadAnswer } from '../../domain/calls/provider-answers.js';
import type { AttentionReason } from '../../domain/decisions/attention.js';
import { type PaymentProvider, PROVIDER_NAMES } from '../../domain/marketplace/marketplace.js';
import type { FollowStep } from '../steps.js';
import type { Control, HyperswitchAccount } from './hyperswitch-account.js';

/** Nothing may be sent now, and why. */
export interface NotLeaving {
  readonly afterMs: number;
  readonly why: string;
}

/** One money call that makes a payment or a refund at its provider: how it is sent, read and recorded. */
export interface HyperswitchCall<Facts> {
  readonly provider: PaymentProvider;
  /** It may have been made by a ledger that this one was restored from. */
  readonly looksFirst?: boolean;
  /** Its provider repeats the outcome to its key: that tells as much as its records, where these cannot be read. */
  readonly keyTells?: boolean;
  readonly certainty: Certainty;
  /** A no that came while an earlier attempt's outcome was unknown. */
  readonly refusal: string | null;
  /** @param looked its provider was read for it and holds nothing of it @returns undefined: the claim lapsed, nothing may be sent */
  leaves(looked: boolean): Promise<string | NotLeaving | undefined | null>;
  /** @param params what leaves() froze */
  make(params: string): Promise<KeyedAnswer<Facts>>;
  read(): Promise<ReadAnswer<Facts>>;
  /** Why this answer is not about our account. */
  misfit(facts: Facts): Promise<string | undefined>;
  /** @returns proofs of absence since the last send */
  absent(refusal: string | null): Promise<number>;
  refused(detail: string): Promise<void>;
  unread(outcome: {
    readonly certainty: Certainty;
    readonly detail: string;
    readonly nextCheckMs: number;
  }): Promise<void>;
  /** A payment that Hyperswitch surely holds, and not this one, is read. */
  control(): Promise<Control>;
  ask(question: {
    readonly certainty: Certainty;
    readonly reason: AttentionReason;
    readonly detail: string;
  }): Promise<void>;
  apply(facts: Facts): Promise<void>;
  /** Refused because a balance is too low, and not made: it waits. Left out: that is a no like others. */
  readonly short?: (of: { readonly certainty: Certainty; readonly detail: string }) => Promise<FollowStep>;
}

/** What of a call does not depend on what it makes. */
type AnyCall = Omit<HyperswitchCall<never>, 'make' | 'read' | 'misfit' | 'apply'>;

const PAUSED_AGAIN_MS = 60_000;
const OURS: Control = { kind: 'ours' };

/** @returns undefined: the ledger holds what was read, or asked about; otherwise why there is nothing new */
export async function makeOrRead<Facts>(
  call: HyperswitchCall<Facts>,
  account: Pick<HyperswitchAccount, 'verify'>,
): Promise<FollowStep | undefined> {
  // Nothing that Stripe says names its account: it is asked before anything else.
  const pinned = call.provider === 'stripe' ? await account.verify() : OURS;
  if (pinned.kind === 'mismatch')
    return await record(call, decide(call, { kind: 'not_ours', sent: false }), pinned.detail);
  if (pinned.kind === 'unread') return await record(call, decide(call, unread()), pinned.detail);
  const isSent = call.certainty !== 'not_sent' || call.looksFirst === true;
  let looked = false;
  if (isSent) {
    const answer = await call.read();
    if (answer.kind === 'found') return await apply(call, answer.value, { sent: false });
    looked = answer.kind === 'missing';
    const isOnlyRead = isOnlyLookedFor(knownOf(call));
    if (answer.kind !== 'missing' && (isOnlyRead || !asksByKey(call)))
      return await record(call, decide(call, unread(answer)), answer.detail);
    if (isOnlyRead) return await withoutIt(call, answer.detail);
  }
  const control = await (isSent ? call.control() : account.verify());
  if (control.kind === 'mismatch')
    return await record(call, decide(call, { kind: 'not_ours', sent: false }), control.detail);
  if (control.kind === 'unread') return await record(call, decide(call, unread()), control.detail);
  const params = await call.leaves(looked);
  if (params === null)
    return await record(
      call,
      { do: 'retry', certainty: call.certainty, afterMs: PAUSED_AGAIN_MS },
      'a person has paused hyperswitch: nothing was sent',
    );
  if (typeof params === 'object')
    return await record(call, { do: 'retry', certainty: call.certainty, afterMs: params.afterMs }, params.why);
  if (params === undefined) return { kind: 'later', afterMs: 1_000, why: 'the claim lapsed before the call' };
  const answer = await call.make(params);
  switch (answer.kind) {
    case 'done':
      return await apply(call, answer.value, { sent: true });
    case 'refused':
      return await afterRefusal(call, answer.detail);
    case 'short':
      return await afterRefusal(call, answer.detail, call.short);
    case 'busy':
    case 'unclear':
    case 'misdirected':
      return await record(call, decide(call, answer), answer.detail);
    default:
      return assertNever(answer);
  }
}

/** Of what may have arrived alone: a key that was perhaps used by a ledger that this one was restored from may be forgotten by now. */
const asksByKey = ({ keyTells, certainty }: AnyCall): boolean =>
  keyTells === true && (certainty === 'unknown' || certainty === 'in_flight');

const knownOf = ({ certainty, refusal }: AnyCall) => ({ certainty, refused: refusal !== null });

const decide = (call: AnyCall, seen: SeenById): DecisionById => nextById(knownOf(call), seen);

const unread = (answer?: Exclude<ReadAnswer<never>, { kind: 'found' | 'missing' }>): SeenById => ({
  kind: 'unread',
  retryAfterMs: answer?.kind === 'busy' ? answer.retryAfterMs : null,
});

async function apply<Facts>(
  call: HyperswitchCall<Facts>,
  facts: Facts,
  { sent }: { readonly sent: boolean },
): Promise<FollowStep | undefined> {
  const detail = await call.misfit(facts);
  if (detail !== undefined) return await record(call, decide(call, { kind: 'not_ours', sent }), detail);
  await call.apply(facts);
  return undefined;
}

/** @param detail what a person is told, or why there is nothing new */
async function record(call: AnyCall, decision: DecisionById, detail: string): Promise<FollowStep | undefined> {
  switch (decision.do) {
    case 'retry': {
      const { certainty, afterMs } = decision;
      await call.unread({ certainty, detail, nextCheckMs: afterMs });
      return { kind: 'later', afterMs, why: detail };
    }
    case 'close':
      await call.refused(detail);
      return undefined;
    case 'ask':
      await call.ask({ certainty: decision.certainty, reason: decision.reason, detail });
      return undefined;
    default:
      return assertNever(decision);
  }
}

/** Hyperswitch's own records tell what a no means. */
async function afterRefusal<Facts>(
  call: HyperswitchCall<Facts>,
  refusal: string,
  short?: HyperswitchCall<Facts>['short'],
): Promise<FollowStep | undefined> {
  const answer = await call.read();
  if (answer.kind === 'found') return await apply(call, answer.value, { sent: true });
  const unsure = (why: string) =>
    record(call, decide(call, { kind: 'refused', records: 'unread' }), `${refusal}; then: ${why}`);
  // The first answer to a key is a no that was never anything else.
  const isFirst = call.keyTells === true && surelyUnmoved(call.certainty);
  if (answer.kind !== 'missing' && !isFirst) return await unsure(answer.detail);
  const control = await call.control();
  if (control.kind === 'mismatch')
    return await record(call, decide(call, { kind: 'not_ours', sent: true }), control.detail);
  if (control.kind === 'unread') return await unsure(control.detail);
  const decision = decide(call, { kind: 'refused', records: 'missing' });
  if (short) return await short({ certainty: decision.do === 'close' ? 'absent' : 'unknown', detail: refusal });
  if (control.kind === 'ours' && decision.do === 'retry') await call.absent(refusal);
  return await record(call, decision, refusal);
}

/** Nothing is sent: looks that find nothing, each beside one that finds what must be there, close it. */
async function withoutIt(call: AnyCall, detail: string): Promise<FollowStep | undefined> {
  const control = await call.control();
  if (control.kind === 'mismatch')
    return await record(call, decide(call, { kind: 'not_ours', sent: false }), control.detail);
  if (control.kind === 'unread')
    return await record(call, decide(call, unread()), `${detail}; then: ${control.detail}`);
  const proofs = control.kind === 'ours' ? await call.absent(null) : 0;
  const decision = decide(call, { kind: 'missing', beside: control.kind, proofs });
  return await record(call, decision, whatIsMissing(call, decision, detail));
}

/** In words for whoever is to look for it, or for the row that is closed. */
function whatIsMissing({ provider, refusal }: AnyCall, decision: DecisionById, detail: string): string {
  if (decision.do === 'close') return refusal ?? detail;
  if (decision.do !== 'ask') return detail;
  return decision.reason === 'provider_mismatch'
    ? `${detail}, and it had it: check ${provider === 'stripe' ? 'STRIPE_SECRET_KEY' : 'HYPERSWITCH_API_KEY'}`
    : `${detail}, and it had it: find out at ${PROVIDER_NAMES[provider]} what became of the money, then resolve`;
}
